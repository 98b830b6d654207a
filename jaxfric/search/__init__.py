"""Search without gradients: CMA-ES over anything a function can decode.

from jaxfric import search

def error(z, target):                                    # any pytree z
    return distance(simulate(decode(z)), target)

found = search.minimise(error, jnp.zeros(16), target, key=key, generations=100)
many = jax.vmap(lambda T, k: search.minimise(error, jnp.zeros(16), T, key=k))(targets, keys)
"""

from jaxfric.search._minimise import Search as Search, minimise as minimise
from jaxfric.search._outcome import Outcome as Outcome
from jaxfric.search._penalty import outside as outside

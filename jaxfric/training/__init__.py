"""One compiled training loop for any pytree of parameters.

from jaxfric import training

def loss(network, batch, key):
    error = jax.vmap(network)(batch["x"]) - batch["y"]
    return jnp.mean(error**2)

trained = training.train(loss, network, data, key=key, optimiser=optax.adam(1e-3), epochs=100)
trained.parameters                               # the best, by validation if there is any
"""

from jaxfric.training._arrays import load_arrays as load_arrays, save_arrays as save_arrays
from jaxfric.training._checkpoint import Checkpoints as Checkpoints
from jaxfric.training._outcome import Trained as Trained, TrainingError as TrainingError
from jaxfric.training._plan import Stream as Stream
from jaxfric.training._train import train as train
from jaxfric.training._transfer import (
    freeze as freeze,
    mix as mix,
    parts as parts,
    share as share,
)

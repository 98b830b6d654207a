"""Sixteen different surfaces for one friction law, from the generator that ships.

Run it with `python examples/generate_surfaces.py`; it takes half a minute, mostly compiling.
"""

import jax
import jax.numpy as jnp

from jaxfric import contact
from jaxfric.studies import metainterface

material = contact.Material(modulus=1.4e6, shear_strength=4e5)  # E* and σ, Pa
loads = jnp.linspace(0.0005, 0.05, 100)  # N
target = contact.power_law(loads, 0.85, friction=0.2, at=0.05)

found = metainterface.design_many(material, loads, target, key=jax.random.key(0))
print(found)

# One pass is a pure function: batch it over draws of z, differentiate it, put it inside a loss.
make = metainterface.trained()
z = jax.random.normal(jax.random.key(1), (1000, make.latent))


@jax.jit
def errors(z):
    def one(z):
        surface = make(material, loads, target, z)
        return contact.smape(contact.friction_law(surface, material, loads).friction, target)

    return jax.lax.map(one, z, batch_size=16)


e = errors(z)
print(f"1,000 surfaces in one pass: sMAPE {jnp.median(e):.2f} % in the median, {e.max():.2f} worst")

# The same request for another material, size of surface and limits: the same network.
steel = contact.Material(modulus=1.1e11, shear_strength=5e8)
surface = make(
    steel, 2e4 * loads, 1.3e3 * target, jnp.zeros(make.latent),
    asperities=200, radius_bounds=(4e-4, 4e-3),
)  # fmt: skip
curve = contact.friction_law(surface, steel, 2e4 * loads)
print(surface)
print(f"  sMAPE {float(contact.smape(curve.friction, 1.3e3 * target)):.2f} %")

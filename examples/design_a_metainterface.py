"""Design a rough surface with a friction coefficient of 0.5, and see what making it costs.

Run it with `python examples/design_a_metainterface.py`; it takes half a minute, mostly compiling.
"""

import jax
import jax.numpy as jnp

from jaxfric import contact

jax.config.update("jax_enable_x64", True)

# An elastomer block on glass: reduced modulus and shear strength in Pa.
material = contact.Material(modulus=1.4e6, shear_strength=1e5)
loads = jnp.linspace(0.01, 1.0, 100)
target = contact.linear_law(loads, 0.5)
bank = contact.make_bank(10_000, key=jax.random.key(0))

print(contact.feasibility(material, loads, target, bank=bank))
found = contact.design(material, loads, target, bank=bank, max_indentation=0.5)
print(found)

# A mill with steps of 1 µm, then errors of 0.5 µm in height and 2 µm in radius.
milled = contact.refine(
    found.surface, material, loads, target,
    radius_bounds=(1e-4, 1e-3), quantum=1e-6, max_indentation=0.5,
)  # fmt: skip
print(f"heights in steps of 1 µm: sMAPE {float(milled.error):.3f} %")
spread = contact.tolerance(milled.surface, material, loads, 0.5e-6, 2e-6, key=jax.random.key(1))
print(spread)


# The law is a differentiable function of everything: how the coefficient answers to the modulus.
def coefficient(modulus):
    softer = contact.Material(modulus, 1e5)
    curve = contact.friction_law(milled.surface, softer, loads)
    return jnp.mean(curve.friction / loads)


slope = jax.grad(coefficient)(material.modulus)
print(f"∂ ln μ / ∂ ln E* = {float(slope * 1.4e6 / coefficient(1.4e6)):.3f} (-m for F ∝ P^m)")

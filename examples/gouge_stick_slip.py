"""Grains between rough walls, pulled by a soft spring: run, look, go on, list the slips."""

import equinox as eqx
import jax
import numpy as np

from jaxfric import gouge

jax.config.update("jax_enable_x64", True)

pressure, velocity, stiffness = 1e6, 0.4, 5e7  # Pa, m/s of the load point, Pa/m
law = gouge.Contact(1e3 * pressure, friction=0.5)
grains = gouge.layer(law, pressure=pressure, key=jax.random.key(0), length=0.012, height=0.006)
load = gouge.Load(pressure, velocity, stiffness=stiffness, wall_mass=75.0)
print(grains)

t = np.linspace(0.0, 0.01, 161)  # s: 4 mm of the load point
parts, state = [], None
print("\nload point mm  pull         kinetic energy J/m²")
for k in range(5):
    part = gouge.shear(grains, law, load, t + k * t[-1], start=state)
    parts, state = [*parts, part], part.end
    pull = stiffness * (velocity * part.time - part.slip) / pressure
    energy = part.kinetic_energy
    print(
        f"{1e3 * velocity * part.time[-1]:13.0f}  {pull.min():.2f} to {pull.max():.2f}"
        f"  {energy.min():.1e} to {energy.max():.1e}   {part.status}"
    )

# What a load cell at the spring shows in place of the grains' blows on the wall
record = gouge.joined(parts)
pull = stiffness * (velocity * record.time - record.slip) / pressure
measured = eqx.tree_at(lambda x: x.friction, record, pull)
print()
print(measured.catalogue(threshold=2 * velocity, max_events=32))

"""Fit two laws to a laboratory velocity step on basalt gouge; compare them."""

import jax

from jaxfric import inversion, ratestate as rs, records

jax.config.update("jax_enable_x64", True)  # the inversion needs float64

record = records.sample("basalt").crop(11666.0, 11686.0)  # 10 s on both sides of the step
print(record)

fits = []
for evolution in (rs.Aging(), rs.Slip()):
    law, spring = inversion.guess(record, evolution)
    fits.append(inversion.fit_step(record, law, spring, free=("stiffness", "step_time")))
    print(f"\n{fits[-1]}")

print(f"\n{inversion.compare(fits)}")
print(f"\nWhat the record leaves open:\n{fits[-1].identifiability()}")

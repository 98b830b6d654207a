"""A record that fails like a clock, and a row of the table about it: for tests of fault slip."""

import numpy as np

from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._laboratory import Laboratory

DT = 0.1
TUNED = Method("sequence", "latent", "inferred")


def made(samples=600, period=100, name="made", clock=1.0):
    """A sawtooth that fails every ten seconds, with a burst at each failure."""
    i = np.arange(samples)
    phase = (i % period) / period
    starts = np.arange(period, samples, period)
    following = np.append(starts, -1)[np.searchsorted(starts, i)]
    left = np.where(following < 0, np.nan, (following - i) * DT)
    energy = 1 + 99.0 * (phase < 0.1)
    return Laboratory(name, energy, 0.4 + 0.05 * phase, left, starts, clock)


def row(method, cycles=6, record="made", seed=0, **numbers):
    return {"record": record, **method.facts(), "cycles": cycles, "seed": seed, **numbers}

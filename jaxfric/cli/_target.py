"""The friction law that `jaxfric design` is asked for: a file, or one of a few families."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jax import Array

POINTS = 128  # loads of a family, as many as the paper's laws have


class Wanted(NamedTuple):
    """A target and what it is called; newtons."""

    name: str
    loads: Array
    friction: Array
    notes: str = ""  # what was done to a measured law


def wanted_law(
    path: Path | None,
    linear: float | None = None,
    power: float | None = None,
    bilinear: tuple[float, float, float] | None = None,
    friction: float | None = None,
    max_load: float = 1.0,
) -> Wanted:
    """The target that the command line names: a file, or one family."""
    import jax.numpy as jnp

    from jaxfric import contact, records

    given = [x is not None for x in (path, linear, power, bilinear)]
    if sum(given) != 1:
        raise ValueError(
            "name one target: a table of load and friction, --linear, --power or --bilinear"
        )
    if path is not None:
        loads, law = map(jnp.asarray, records.read_friction_law(path))
        return Wanted(path.name, loads, law)
    if not (np.isfinite(max_load) and max_load > 0):
        raise ValueError(f"--max-load must be positive; got {max_load}")
    # Equal steps up to the largest load, without the zero load, which has no friction to compare
    loads = jnp.asarray(max_load * np.arange(1, POINTS + 1) / POINTS)
    if linear is not None:
        return Wanted(f"linear, {linear:g}", loads, contact.linear_law(loads, linear))
    if power is not None:
        top = max_load if friction is None else friction
        law = contact.power_law(loads, power, friction=top, at=max_load)
        return Wanted(f"power {power:.4g}", loads, law)
    assert bilinear is not None
    law = contact.bilinear_law(loads, *bilinear)
    name = f"slope {bilinear[0]:g}, {bilinear[1]:g} from {bilinear[2]:g} N on"
    return Wanted(name, loads, law)

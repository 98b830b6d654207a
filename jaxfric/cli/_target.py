"""The friction law that `jaxfric design` is asked for: a file, or one of a few families."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jax import Array

from jaxfric.cli._naming import column_of, units_of

POINTS = 128  # loads of a family, as many as the paper's laws have


class Reading(NamedTuple):
    """How a measured law is read, as `records.read_friction_law` takes it."""

    column: list[str] | None = None
    unit: list[str] | None = None
    offset: str = "keep"
    same_load: float = 1e-6


class Wanted(NamedTuple):
    """A target and what it is called; newtons."""

    name: str
    loads: Array
    friction: Array
    notes: str = ""  # what was done to a measured law
    reading: Reading | None = None  # of a measured law

    def asked(self) -> dict[str, object]:
        """What a request says of the law."""
        return {"name": self.name} | ({} if self.reading is None else self.reading._asdict())


def wanted_law(
    path: Path | None,
    linear: float | None = None,
    power: float | None = None,
    bilinear: tuple[float, float, float] | None = None,
    friction: float | None = None,
    max_load: float = 1.0,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
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
        law = records.read_friction_law(
            path, columns=column_of(reading.column), units=units_of(reading.unit),
            offset=reading.offset, same_load=reading.same_load,
        )  # fmt: skip
        return Wanted(
            path.name, jnp.asarray(law.load), jnp.asarray(law.friction), str(law), reading
        )
    if reading != Reading():
        raise ValueError(
            "--column, --unit, --offset and --same-load tell how to read a table; name one"
        )
    if not (np.isfinite(max_load) and max_load > 0):
        raise ValueError(f"--max-load must be positive; got {max_load}")
    # Equal steps up to the largest load, without the zero load, which has no friction to compare
    loads = jnp.asarray(max_load * np.arange(1, POINTS + 1) / POINTS)
    if linear is not None:
        return Wanted(f"linear, {linear:g}", loads, contact.linear_law(loads, linear))
    if power is not None:
        top = max_load if friction is None else friction
        friction_at = contact.power_law(loads, power, friction=top, at=max_load)
        return Wanted(f"power {power:.4g}", loads, friction_at)
    assert bilinear is not None
    friction_at = contact.bilinear_law(loads, *bilinear)
    name = f"slope {bilinear[0]:g}, {bilinear[1]:g} from {bilinear[2]:g} N on"
    return Wanted(name, loads, friction_at)

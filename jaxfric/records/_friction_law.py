"""The measured friction law."""

import equinox as eqx
import numpy as np
from jaxtyping import Float64, Int64

from jaxfric.records._arrays import without_numbers


class FrictionLaw(eqx.Module):
    """A measured friction law as a function: one friction at each load, which never falls.

    `read_friction_law` makes it of a file, `measured_law` of arrays. `notes` says all that was done
    to the measurement, and `str` prints it. The arrays are read-only numpy float64.

    Attributes:
        load: (m,), N, positive and strictly increasing.
        friction: (m,), N, positive; it never falls, but may stand still on plateaus.
        measured: (m,), N, the mean of the rows at each load, before it was made to rise.
        deviation: (m,), N, standard deviation of one row at each load, from a column of the file or
            the spread of repeated rows; that of `measured` is deviation/√count. None if unknown.
        count: (m,), rows at each load.
        name: a short name, such as that of the file.
        notes: what was assumed, left out, averaged and moved, one sentence each.

    Example:
        >>> from jaxfric import records
        >>> law = records.measured_law([1.0, 2.0, 4.0], [0.31, 0.62, 1.2], name="steel")
        >>> print(law)
        FrictionLaw 'steel': 3 loads
          load       1 to 4 N
          friction   0.31 to 1.2 N, 0.3 to 0.31 of the load
          deviation  not known
    """

    load: Float64[np.ndarray, " m"]
    friction: Float64[np.ndarray, " m"]
    measured: Float64[np.ndarray, " m"]
    deviation: Float64[np.ndarray, " m"] | None
    count: Int64[np.ndarray, " m"]
    name: str = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    def __repr__(self) -> str:
        # Equinox would print shapes, f64[12]; whoever looks at a law wants its numbers
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.load)) is not None:
            return f"FrictionLaw {self.name!r} ({why.split(',')[0]})"
        spread = "not known"
        if self.deviation is not None:
            spread = f"{_span(self.deviation)} N, of one row"
        lines = [
            f"FrictionLaw {self.name!r}: {self.load.size} loads",
            f"load       {_span(self.load)} N",
            f"friction   {_span(self.friction)} N, {_span(self.friction / self.load)} of the load",
            f"deviation  {spread}",
            *self.notes,
        ]
        return "\n  ".join(lines)


def _span(values: np.ndarray) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"

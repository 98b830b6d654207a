"""What is asked of a design, as arrays: a law, limits, and the loads of the least squares."""

import math
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import _checks
from jaxfric._types import Number, Numbers
from jaxfric.contact._arrays import AnyArray, as_array
from jaxfric.contact._asperities import Material

FIT_LOADS = 48  # loads that least squares looks at, denser towards small ones
RADII_CHOICES = ("free", "common", "fixed")  # what the option `radii` may say
# Whether heights, or radii, may move: known when a program is made, or when a stage of it runs
Switch = bool | Bool[Array, ""]


class TargetLaw(NamedTuple):
    """The friction wanted of a material at each load."""

    material: Material
    loads: Float[AnyArray, " m"]  # N
    friction: Float[AnyArray, " m"]  # N


class Box(eqx.Module):
    """What a design may be; arrays, so that one program serves other limits too.

    `None` for a limit makes another program, without the steps that keep to it.
    """

    low: Float[AnyArray, ""]  # of the radii, m
    high: Float[AnyArray, ""]
    deepest: Float[AnyArray, ""]  # below the highest asperity, m; ∞ for any depth
    quantum: Float[AnyArray, ""] | None  # of the heights, m; None for any height
    indentation: Float[AnyArray, ""] | None  # largest δ/R; None for any
    approach: Float[AnyArray, ""] | None  # deepest indentation of the highest, m; None for any
    radii: str = eqx.field(static=True)  # one of RADII_CHOICES

    @staticmethod
    def of(
        dtype: np.dtype, radii: str, radius_bounds: tuple[Number, Number],
        max_height: Number | None, quantum: Number | None, max_indentation: Number | None,
        max_approach: Number | None,
    ) -> "Box":  # fmt: skip
        """Checked, or a sentence that says what is wrong."""
        if radii not in RADII_CHOICES:
            raise ValueError(f"radii must be one of {', '.join(RADII_CHOICES)}; got {radii!r}")
        low, high = radius_bounds
        if _checks.is_concrete(radius_bounds) and not 0 < low <= high < math.inf:
            raise ValueError(
                f"radius_bounds must be (low, high) with 0 < low <= high; got {radius_bounds}"
            )
        limits = {
            "max_height": max_height, "quantum": quantum, "max_indentation": max_indentation,
            "max_approach": max_approach,
        }  # fmt: skip
        for name, value in limits.items():
            if value is not None:
                _checks.positive(name, value)
        if max_height is not None and quantum is not None:
            _check_grid(max_height, quantum)
        return Box(
            low=as_array(low, dtype), high=as_array(high, dtype),
            deepest=as_array(math.inf if max_height is None else max_height, dtype),
            quantum=None if quantum is None else as_array(quantum, dtype),
            indentation=None if max_indentation is None else as_array(max_indentation, dtype),
            approach=None if max_approach is None else as_array(max_approach, dtype),
            radii=radii,
        )  # fmt: skip

    def unrounded(self) -> "Box":
        """The same without the quantum of heights."""
        return Box(
            self.low, self.high, self.deepest, None, self.indentation, self.approach, self.radii
        )


def _check_grid(max_height: Number, quantum: Number) -> None:
    if _checks.is_concrete((max_height, quantum)) and quantum > max_height:
        raise ValueError(
            f"quantum = {quantum:.4g} m is larger than max_height = {max_height:.4g} m, which "
            "leaves one height for all asperities; allow more height or a finer quantum"
        )


class Rows(NamedTuple):
    """Which of the loads least squares looks at, and the weight of each."""

    load_index: Int[AnyArray, " rows"]
    weight: Float[AnyArray, " rows"]

    @staticmethod
    def of(count: int, wanted: int | None, size: int, dtype: np.dtype) -> "Rows":
        """Some of the last `count` of `size` loads; as many entries for any count."""
        if wanted is not None and wanted < 1:
            raise ValueError(f"fit_loads must be at least 1, or None for all; got {wanted}")
        rows = np.arange(count)
        if wanted is not None and wanted < count:
            # Squares, so that small loads, at which single contacts are made, lie close together;
            # never below the place itself, as rounding would name the first loads twice
            spread = (np.linspace(0, 1, wanted) ** 2 * (count - 1)).round().astype(int)
            rows = np.maximum(spread, np.arange(wanted))
        # The program has one number of rows for a bucket of loads: those left over name the largest
        # load, which exists for any count, with a weight of 0
        left_over = (size if wanted is None else min(wanted, size)) - rows.size
        index = np.concatenate([np.full(left_over, size - 1), rows + size - count])
        weight = np.concatenate([np.zeros(left_over), np.ones(rows.size)])
        return Rows(as_array(index, index.dtype), as_array(weight, dtype))


def checked_exponent(exponent: Numbers, asperities: int, dtype: np.dtype) -> Float[AnyArray, "..."]:
    """() or (asperities,), or a sentence that says what is wrong."""
    if np.shape(exponent) not in ((), (asperities,)):
        raise ValueError(
            f"exponent must be one number or one for each of {asperities} asperities; got shape "
            f"{np.shape(exponent)}"
        )
    if _checks.is_concrete(exponent):
        values = np.asarray(exponent, float)
        if not (np.isfinite(values) & (values >= 1)).all():
            raise ValueError("exponent must be finite and at least 1 (a cone); 2 is a sphere")
    return as_array(exponent, dtype)

"""From measured rows to a function of the load: signs, zero load, repeats, noise."""

import numpy as np
import numpy.typing as npt

from jaxfric._types import Number
from jaxfric.records._arrays import as_column, read_only
from jaxfric.records._friction_law import FrictionLaw
from jaxfric.records._friction_law_isotonic import isotonic
from jaxfric.records._friction_law_rows import (
    SAME_LOAD,
    check_deviation,
    loaded,
    signed,
    with_numbers,
)
from jaxfric.records._rows import Rows, Samples, count_of

MIN_LOADS = 3  # two loads give a straight line, which tells nothing of a law
OFFSETS = ("keep", "subtract")
SMALL = 1e-3  # of the largest friction
# Of the variance over the loads that a law which never falls must explain. Of white noise it
# explains (H_m − 1)/(m − 1) on average, with the harmonic number H_m: 0.32 at 5 loads, 0.14 at 20
# (T. Robertson, F. T. Wright, R. L. Dykstra, Order restricted statistical inference, 1988, ch. 2)
EXPLAINED = 0.75


def measured_law(
    load: npt.ArrayLike,
    friction: npt.ArrayLike,
    deviation: npt.ArrayLike | None = None,
    *,
    offset: str = "keep",
    same_load: Number = SAME_LOAD,
    name: str = "friction law",
) -> FrictionLaw:
    """A friction law of measured rows: sorted, repeats averaged, noise made to rise.

    Friction at a load is the mean of its rows, with weights 1/s² where deviations s are given.
    Where the means fall as the load grows, the nearest law that never falls takes their place: the
    isotonic regression, with weights n/s², or n for the n rows of a load.

    Rows without a number are left out, and so are those at zero load and below: contacts by Hertz
    have no friction there, and a relative error of it has no meaning. Loads or frictions that a
    machine counts as negative change their sign.

    Arguments:
        load: (n,), N, in any order, repeats allowed.
        friction: (n,), N.
        deviation: (n,), N, standard deviation of each row's friction; from the spread of repeated
            rows if left out.
        offset: "keep", or "subtract" to take the friction at zero load off all rows.
        same_load: loads that differ by no more than this fraction are one load, at their mean;
            0.05 gathers a force ramp of 20,000 rows over three decades into 133 loads.
        name: a short name.

    Returns:
        `FrictionLaw`, whose notes say what was done.

    Raises:
        ValueError: columns that do not fit; fewer than three loads; friction of both signs, or one
            that does not rise with the load; with the remedy.

    Example:
        >>> law = measured_law([3, 1, 2, 1], [0.9, 0.29, 0.6, 0.31])
        >>> law.load.tolist(), law.friction.round(3).tolist(), law.count.tolist()
        ([1.0, 2.0, 3.0], [0.3, 0.6, 0.9], [2, 1, 1])
    """
    given = {"load": load, "friction": friction}
    if deviation is not None:
        given["deviation"] = deviation
    columns = {key: as_column(key, value, name) for key, value in given.items()}
    sizes = {key: value.size for key, value in columns.items()}
    if len(set(sizes.values())) > 1:
        lengths = ", ".join(f"{key} {size}" for key, size in sizes.items())
        raise ValueError(f"{name}: the columns must have one length; got {lengths}")
    return cleaned(Samples(columns, Rows(name)), [], offset=offset, same_load=same_load)


def cleaned(samples: Samples, notes: list[str], *, offset: str, same_load: Number) -> FrictionLaw:
    """The law of columns load, friction and, if there, deviation; N, NaN where there is none."""
    if offset not in OFFSETS:
        raise ValueError(f"offset= must be one of {', '.join(OFFSETS)}; got {offset!r}")
    tolerance = float(np.asarray(same_load))
    if not 0 <= tolerance < 1:
        raise ValueError(f"same_load= must be a fraction from 0 to below 1; got {tolerance:g}")
    notes = list(notes)
    _enough(samples.columns["load"], "of numbers", samples.rows.source, "row")
    samples = with_numbers(samples, notes)
    samples = loaded(signed(samples, notes), offset, notes)
    check_deviation(samples)
    source = samples.rows.source
    load, measured, deviation, count = _averaged(samples, tolerance, notes)
    _enough(load, "above zero", source)
    # Stated deviations make weights, inverse variances of the means. Spreads of a few repeats are
    # too uncertain for that: of two equal rows the weight would be infinite
    weights, by = count.astype(float), "rows at each load"
    if "deviation" in samples.columns and deviation is not None:
        relative = np.maximum(deviation.min() / deviation, np.sqrt(np.finfo(float).tiny))
        weights, by = count * relative**2, "deviations"
    friction = _rising(load, measured, weights, by, source, notes)
    keep = friction > 0
    if not keep.all():
        notes.append(
            f"Left out {count_of(int((~keep).sum()), 'load')} up to {load[~keep].max():.4g} N, "
            "where friction is not above zero."
        )
    _enough(load[keep], "with friction above zero", source)
    return FrictionLaw(
        load=read_only(load[keep]),
        friction=read_only(friction[keep]),
        measured=read_only(measured[keep]),
        deviation=None if deviation is None else read_only(deviation[keep]),
        count=read_only(count[keep]),
        name=source,
        notes=tuple(notes),
    )


def _enough(load: np.ndarray, which: str, source: str, what: str = "load") -> None:
    if load.size < MIN_LOADS:
        raise ValueError(
            f"{source}: {count_of(load.size, what)} {which} {'is' if load.size == 1 else 'are'} "
            f"no law; give at least {MIN_LOADS} different loads"
        )


def _averaged(
    samples: Samples, tolerance: float, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Load, mean friction, deviation of one row and number of rows, by increasing load."""
    order = np.argsort(samples.columns["load"], kind="stable")
    columns = {key: values[order] for key, values in samples.columns.items()}
    load, friction, given = columns["load"], columns["friction"], columns.get("deviation")
    group = _groups(load, tolerance)
    count = np.bincount(group)
    least, weights = np.ones(count.size), np.ones_like(load)
    if given is not None:
        # Relative to the least of each load, so that no weight overflows and none is a sum of zeros
        least = np.minimum.reduceat(given, np.cumsum(count) - count)
        weights = (least[group] / given) ** 2
    total = np.bincount(group, weights)
    mean = np.bincount(group, weights * friction) / total
    middle = np.bincount(group, load) / count
    deviation = None if given is None else least * np.sqrt(count / total)
    repeats = count[count > 1]
    if not repeats.size:
        return middle, mean, deviation, count
    low, high = repeats.min(), repeats.max()
    span = f"{high}" if low == high else f"{low} to {high}"
    note = (
        f"{load.size} rows stand at {count_of(count.size, 'load')}: {repeats.size} with {span} "
        "rows each, which were averaged"
    )
    if given is None:
        deviation = _spread(group, friction, mean, count)
        if deviation is None:
            note += "; they are equal, so the deviation stays unknown"
        else:
            note += "; their spread gives the deviation"
            if (count == 1).any():
                note += ", at single rows the spread of the others relative to friction"
    notes.append(f"{note}.")
    return middle, mean, deviation, count


def _groups(load: np.ndarray, tolerance: float) -> np.ndarray:
    """The number of each row's group, where a group spans no more than the tolerance."""
    group, first, number = [], -np.inf, -1
    for value in load.tolist():
        if value > first * (1 + tolerance) or number < 0:
            first, number = value, number + 1
        group.append(number)
    return np.array(group, dtype=np.int64)


def _spread(
    group: np.ndarray, friction: np.ndarray, mean: np.ndarray, count: np.ndarray
) -> np.ndarray | None:
    """Standard deviation of one row at each load; None if repeats are equal to the last digit."""
    squares = np.bincount(group, (friction - mean[group]) ** 2)
    free = count - 1  # degrees of freedom
    own = np.sqrt(squares / np.maximum(free, 1))
    # Relative to friction, but where that is next to nothing its relative scatter means nothing
    size = np.maximum(np.abs(mean), SMALL * np.abs(mean).max() + np.finfo(float).tiny)
    pooled = np.sqrt(np.sum(free * (own / size) ** 2) / free.sum())
    if pooled == 0:
        return None
    # Two rows that happen to be equal say no more of their scatter than a single one
    return np.where(own > 0, own, pooled * size)


def _rising(
    load: np.ndarray, measured: np.ndarray, weights: np.ndarray, by: str, source: str,
    notes: list[str],
) -> np.ndarray:  # fmt: skip
    """The nearest friction that never falls, with a note on what moved."""
    if (np.diff(measured) >= 0).all():
        return measured
    weights = weights / weights.mean()
    friction = isotonic(measured, weights)
    around = np.sum(weights * (measured - np.average(measured, weights=weights)) ** 2)
    explained = 1 - np.sum(weights * (measured - friction) ** 2) / around
    if explained < EXPLAINED:
        raise ValueError(
            f"{source}: friction does not rise with the load, as more load can only add "
            f"contact area (the nearest law that never falls explains {100 * explained:.0f} % of "
            "its variance). Check which columns are load and friction, or cut the file to the "
            "loads where friction rises"
        )
    moves = np.abs(friction - measured)
    moved = moves > 1e-12 * np.abs(measured).max()
    far = int(np.argmax(moves))
    notes.append(
        f"Friction fell in places as the load grew: {moved.sum()} of {load.size} loads were moved "
        f"to the nearest law that never falls (isotonic regression, weighted by the {by}), by "
        f"{moves[moved].mean():.3g} N on average and {moves[far]:.3g} N at most, at "
        f"{load[far]:.4g} N ({100 * moves[far] / max(abs(measured[far]), 1e-300):.2g} %); "
        "friction stands still on the plateaus that this leaves."
    )
    return friction

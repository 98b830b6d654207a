"""Repairs of stick-slip records, each with a sentence that states it.

A repair is allowed where what it changes is short beside a cycle of failures or touches no number
that was measured; anything else is refused, for the record would no longer be the experiment's.
"""

import numpy as np

from jaxfric.records._labquake_checks import MIN_SAMPLES
from jaxfric.records._labquake_columns import LabquakeColumns
from jaxfric.records._resampling import WHOLE, countdown
from jaxfric.records._rows import Rows, Samples, count_of, listed

# Of a time step: steps within 1 % of the median count as even. Clocks that are written with four
# decimals at 10 Hz differ by 0.1 %; a lost sample differs by 100 %.
UNEVEN = 0.01
SHORT = 5  # samples of a gap that may always be filled, also in a slowly sampled record
# Share of samples exactly at the maximum that points to a saturated channel. A healthy channel
# reaches its maximum once; one that clips does so in every burst.
CLIPPED = 0.01
MOSTLY_MISSING = 0.5  # a channel with fewer numbers than this share would be mostly invention
# A few bad rows are slips of the logger and may go. Beyond these the clock itself is at fault.
FEW_ROWS, FEW_PER_ROWS = 3, 100


def usable_rows(time: np.ndarray, rows: Rows) -> tuple[np.ndarray, list[str]]:
    """The rows whose time is a number above all before it; a few others are left out."""
    # fmax passes over NaN, so that a row without a time does not condemn those after it.
    before = np.fmax.accumulate(np.concatenate([[-np.inf], time[:-1]]))
    missing, late = np.isnan(time), time <= before
    bad = np.flatnonzero(missing | late)
    if not bad.size:
        return np.arange(time.size), []
    items = [
        f"{rows.label(i)} has no time"
        if missing[i]
        else f"{rows.label(i)} {'repeats' if time[i] == before[i] else 'goes back to'} "
        f"{time[i]:.10g} s"
        for i in bad.tolist()
    ]
    if bad.size > max(FEW_ROWS, time.size // FEW_PER_ROWS):
        raise ValueError(
            f"{rows.source}: time must increase from row to row, but {bad.size} of {time.size} "
            f"rows do not ({listed(items)}); too many to leave out. For a clock that restarts or "
            "jumps, cut the file, leave the faulty lines out with skip_rows=(line, ...), or read "
            "one part with window=(start, stop) in seconds"
        )
    note = f"Left out {count_of(bad.size, 'row')} ({listed(items)})."
    return np.flatnonzero(~(missing | late)), [note]


def repaired(
    samples: Samples, places: LabquakeColumns, max_gap: float
) -> tuple[Samples, list[str]]:
    """Channels chosen, gaps filled, times even; every repair is stated."""
    rows, titles = samples.rows, [column.title for column in places.channels]
    # First the channels: the gaps of a dead one must not cut or refuse the record.
    channels, notes = _healthy({title: samples.columns[title] for title in titles}, rows)
    kept = {key: x for key, x in samples.columns.items() if key not in titles or key in channels}
    limit = _longest_gap(kept["time"], max_gap)
    # Every column but these two must have a number everywhere; messages name it by its title.
    needed = {
        key: key if key in channels else places.quantities[key].title
        for key in kept
        if key not in ("time", "time_to_failure")
    }
    cut, cut_notes = _cut_ends(
        {title: kept[key] for key, title in needed.items()}, kept["time"], rows, limit
    )
    samples, gap_notes = _filled(Samples(kept, rows).at(cut), needed, channels, limit)
    columns = samples.columns
    even, even_notes = _even_clock(columns["time"])
    if even is not None:
        time = columns["time"]
        columns = {key: _at(even, time, key, x, channels) for key, x in columns.items()}
        columns["time"] = even
    notes += cut_notes + gap_notes + even_notes
    if "time_to_failure" in columns and (unknown := np.isnan(columns["time_to_failure"])).any():
        notes.append(f"The time to failure is unknown (NaN) at {unknown.sum()} samples.")
    return Samples(columns, rows), notes


def _filled(
    samples: Samples, needed: dict[str, str], channels: list[str], limit: float
) -> tuple[Samples, list[str]]:
    """The columns that are needed (by key, their titles) without gaps and, of channels, zeros."""
    columns, rows, time = dict(samples.columns), samples.rows, samples.columns["time"]
    if time.size < MIN_SAMPLES:
        raise ValueError(
            f"{rows.source}: {time.size} rows are left; a stick-slip record needs {MIN_SAMPLES} or "
            "more"
        )
    _check_gaps(time, rows, limit)
    notes: list[str] = []
    for key, title in needed.items():
        if key in channels:  # zeros first, as gaps are filled between logarithms
            columns[key], zero_notes = _positive(title, columns[key], rows)
            notes += zero_notes
        columns[key], gap_notes = _fill(
            title, columns[key], time, rows, limit, logarithmic=key in channels
        )
        notes += gap_notes
    return Samples(columns, rows), notes


def _at(
    new: np.ndarray, time: np.ndarray, key: str, values: np.ndarray, channels: list[str]
) -> np.ndarray:
    """A column at even times, each kind in the way in which it changes."""
    if key == "time_to_failure":
        return countdown(new, time, values)
    if key in channels:
        # An emission spans decades: its logarithm is what changes evenly between two samples.
        return np.exp(np.interp(new, time, np.log(values)))
    return np.interp(new, time, values)


def _longest_gap(time: np.ndarray, seconds: float) -> float:
    """The time between two samples that interpolation may bridge."""
    # Five missing samples leave six steps; the last factor is for the rounding of the clock.
    return max(seconds, (SHORT + 1) * float(np.median(np.diff(time)))) * (1 + 1e-6)


def _check_gaps(time: np.ndarray, rows: Rows, limit: float) -> None:
    """Raise where the clock jumps by more than `limit`."""
    wide = np.flatnonzero(np.diff(time) > limit)
    if wide.size:
        items = [
            f"{rows.label(i)} to {rows.label(i + 1)}: {time[i]:.10g} to {time[i + 1]:.10g} s"
            for i in wide.tolist()
        ]
        raise ValueError(_too_long(rows, "the clock has", items, time, limit))


def _cut_ends(
    columns: dict[str, np.ndarray], time: np.ndarray, rows: Rows, limit: float
) -> tuple[slice, list[str]]:
    """The rows from the first to the last at which every column has a number."""
    # At an end there is nothing to interpolate to, so rows are left out in place of being filled.
    whole = np.flatnonzero(np.logical_and.reduce([np.isfinite(x) for x in columns.values()]))
    names = ", ".join(
        repr(name) for name, x in columns.items() if not np.isfinite(x[[0, -1]]).all()
    )
    if not whole.size:
        raise ValueError(
            f"{rows.source}: no row has a number in every column that is used "
            f"({', '.join(map(repr, columns))}); leave a column out with columns={{quantity: None}}"
        )
    first, last = int(whole[0]), int(whole[-1])
    if first == 0 and last == time.size - 1:
        return slice(None), []
    if max(time[first] - time[0], time[-1] - time[last]) > limit:
        raise ValueError(
            f"{rows.source}: the record opens or ends with missing values in {names}: all are "
            f"there from {time[first]:.10g} to {time[last]:.10g} s only ({rows.label(first)} to "
            f"{rows.label(last)}). Read that part with window=({time[first]:.10g}, "
            f"{time[last]:.10g}), or leave the column out with columns={{quantity: None}}"
        )
    cut = first + time.size - 1 - last
    note = f"Left out {count_of(cut, 'row')} at the ends, where {names} had no number."
    return slice(first, last + 1), [note]


def _fill(
    name: str,
    values: np.ndarray,
    time: np.ndarray,
    rows: Rows,
    limit: float,
    *,
    logarithmic: bool = False,
) -> tuple[np.ndarray, list[str]]:
    """Missing values inside a column, interpolated linearly in time; a long gap raises."""
    good = np.isfinite(values)
    if good.all():
        return values, []
    index = np.flatnonzero(good)
    holes = np.flatnonzero(np.diff(index) > 1)
    left, right = index[holes], index[holes + 1]
    too_long = time[right] - time[left] > limit
    if too_long.any():
        pairs = zip(left[too_long].tolist(), right[too_long].tolist(), strict=True)
        items = [
            f"{rows.label(a + 1)} to {rows.label(b - 1)}: {time[a]:.10g} to {time[b]:.10g} s"
            for a, b in pairs
        ]
        raise ValueError(_too_long(rows, f"{name!r} has", items, time, limit))
    # An emission spans decades: a straight line between its logarithms is as wrong below as above.
    known = np.log(values[good]) if logarithmic else values[good]
    filled = np.interp(time, time[good], known)
    out = np.where(good, values, np.exp(filled) if logarithmic else filled)
    items = [
        rows.label(a + 1) if b == a + 2 else f"{rows.label(a + 1)} to {rows.label(b - 1)}"
        for a, b in zip(left.tolist(), right.tolist(), strict=True)
    ]
    how = "geometrically" if logarithmic else "linearly"
    count = count_of(int((~good).sum()), "missing value")
    return out, [f"{name}: {count} interpolated {how} ({listed(items)})."]


def _even_clock(time: np.ndarray) -> tuple[np.ndarray | None, list[str]]:
    """Even times for a clock that is not, or `None` for one that is even."""
    steps = np.diff(time)
    # The median is the step that was meant, whatever a few gaps do. Nine digits take off the noise
    # of binary numbers, 0.10000000009 for 0.1, which would add up along a record.
    middle = float(f"{np.median(steps):.9g}")
    odd = np.abs(steps - middle) > UNEVEN * middle
    if not odd.any():
        return None, []
    count = int(np.floor((time[-1] - time[0]) / middle + WHOLE)) + 1
    note = (
        f"Resampled every {middle:.6g} s by linear interpolation: {int(odd.sum())} of {steps.size} "
        f"time steps were uneven ({steps.min():.4g} to {steps.max():.4g} s)."
    )
    return time[0] + middle * np.arange(count), [note]


def _positive(name: str, values: np.ndarray, rows: Rows) -> tuple[np.ndarray, list[str]]:
    """A channel without zeros, whose logarithm exists; negative values raise."""
    below = np.flatnonzero(values < 0)
    if below.size:
        items = [f"{rows.label(i)}: {values[i]:.6g}" for i in below.tolist()]
        raise ValueError(
            f"{rows.source}: the channel {name!r} has {below.size} negative values "
            f"({listed(items)}), but an emission is a variance, an amplitude or an energy. From a "
            "raw waveform take the variance over short windows first; otherwise map other "
            'columns with columns={"emission": [...]}'
        )
    zero = values == 0
    if not zero.any() or not (values > 0).any():
        return values, []
    # No smaller number is known of this sensor, and any constant below would set by fiat how deep
    # silence lies in the logarithm.
    floor = values[values > 0].min()
    note = (
        f"{name}: {count_of(int(zero.sum()), 'zero')} raised to the smallest positive value, "
        f"{floor:.4g}, so that the logarithm exists."
    )
    return np.where(zero, floor, values), [note]


def _healthy(channels: dict[str, np.ndarray], rows: Rows) -> tuple[list[str], list[str]]:
    """The names of the channels to keep, and a note on each that is dead or saturated."""
    dead, clipped, notes = [], [], []
    for name, values in channels.items():
        finite = values[np.isfinite(values)]
        if finite.size < MOSTLY_MISSING * values.size:
            dead.append(name)
            notes.append(f"{name}: left out, {values.size - finite.size} values are missing.")
        elif np.ptp(finite) == 0:
            dead.append(name)
            notes.append(f"{name}: left out, a dead channel (constant {finite[0]:.6g}).")
        elif (share := _clipped(finite)) > 0:
            clipped.append((name, share))
    alive = [name for name in channels if name not in dead]
    if not alive:
        raise ValueError(
            f"{rows.source}: every channel of the emission is dead or empty ({' '.join(notes)}) "
            'Map other columns with columns={"emission": [...]}, or choose another window='
        )
    # A saturated channel hides the size of every burst, but is better than none.
    kept = [name for name in alive if name not in dict(clipped)] or alive
    for name, share in clipped:
        fate = "kept, as no channel is better" if name in kept else "left out"
        notes.append(
            f"{name}: {fate}, saturated ({100 * share:.2g} % of the samples are exactly at the "
            "maximum)."
        )
    return kept, notes


def _clipped(values: np.ndarray) -> float:
    """The share of samples at the maximum, or 0 unless they are many and stand in runs."""
    # In runs, for a channel of few digits meets its maximum here and there, but clips for a while.
    top = values == values.max()
    share = float(top.mean())
    edges = np.flatnonzero(np.diff(np.concatenate([[0], top.astype(int), [0]])))
    longest = (edges[1::2] - edges[::2]).max()
    return share if share > CLIPPED and longest >= SHORT else 0.0


def _too_long(rows: Rows, who: str, items: list[str], time: np.ndarray, limit: float) -> str:
    return (
        f"{rows.source}: {who} {count_of(len(items), 'gap')} longer than {limit:.3g} s "
        f"({listed(items)}). Read a part without gaps with window=(start, stop) in seconds of the "
        f"file's clock ({time[0]:.10g} to {time[-1]:.10g} s), or pass a longer max_gap="
    )

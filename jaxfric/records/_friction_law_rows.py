"""The rows of a measured friction law that say something: numbers, signs, zero load."""

import numpy as np

from jaxfric.records._rows import Samples, count_of, listed

# Loads that differ by less are one load to a program in float32, whose rounding is 1.2e-7
SAME_LOAD = 1e-6
# Beyond half of the rows, a column was read wrongly rather than measured badly
MOST_LEFT_OUT = 0.5
# Of the largest: friction below zero up to here is noise about zero, more is sliding back and forth
NOISE = 0.1
# Loads of the other sign up to half of the largest are pulls against adhesion (a probe on its way
# off); more, and the sign of compression cannot be told
PULL = 0.5


def with_numbers(samples: Samples, notes: list[str]) -> Samples:
    """The rows whose every value is finite."""
    finite = np.isfinite(np.stack(list(samples.columns.values()))).all(axis=0)
    lost = np.flatnonzero(~finite).tolist()
    if not lost:
        return samples
    where = listed([samples.rows.label(row) for row in lost])
    if len(lost) > MOST_LEFT_OUT * finite.size:
        remedy = "" if samples.rows.lines is None else ", or name other columns with columns="
        raise ValueError(
            f"{samples.rows.source}: {len(lost)} of {count_of(finite.size, 'row')} lack a number "
            f"({where}); correct them{remedy}"
        )
    notes.append(f"Left out {count_of(len(lost), 'row')} without a finite number ({where}).")
    return samples.at(finite)


def signed(samples: Samples, notes: list[str]) -> Samples:
    """Compression and friction counted as positive."""
    columns, source = dict(samples.columns), samples.rows.source
    for key, most in (("load", PULL), ("friction", NOISE)):
        values = columns[key]
        low, high = -min(values.min(), 0.0), max(values.max(), 0.0)
        if min(low, high) > most * max(low, high):
            why = (
                "which does not tell compression: keep the rows of one sign"
                if key == "load"
                else "as in sliding back and forth: keep one direction, or give half the "
                "difference of the two at each load"
            )
            raise ValueError(f"{source}: {key} has both signs, {-low:.4g} to {high:.4g} N, {why}")
        if low > high:
            columns[key] = 0.0 - values  # no negative zeros
            notes.append(f"The sign of the {key} was changed: the file counts it as negative.")
    return Samples(columns, samples.rows)


def loaded(samples: Samples, offset: str, notes: list[str]) -> Samples:
    """The rows above zero load, with the friction at zero load taken off if that is asked."""
    load, friction = samples.columns["load"], samples.columns["friction"]
    most = load.max()
    zero, pull = np.abs(load) <= SAME_LOAD * most, load < -SAME_LOAD * most
    source = samples.rows.source
    if offset == "subtract":
        if not zero.any():
            raise ValueError(
                f'{source}: offset="subtract" needs a row at zero load; the smallest load is '
                f'{load.min():.4g} N. Add that row, or leave the offset in with offset="keep"'
            )
        at_zero = float(friction[zero].mean())
        notes.append(
            f"Friction at zero load, {at_zero:.4g} N, was taken off all rows, and "
            f"{count_of(int(zero.sum()), 'row')} of zero load left out."
        )
        samples = Samples(samples.columns | {"friction": friction - at_zero}, samples.rows)
    elif zero.any():
        at_zero = float(friction[zero].mean())
        share = 100 * abs(at_zero) / max(np.abs(friction).max(), np.finfo(float).tiny)
        said = f"Left out {count_of(int(zero.sum()), 'row')} at zero load"
        if at_zero == 0:
            notes.append(f"{said}, where every law of Hertz contacts is zero.")
        else:
            notes.append(
                f"{said}, with a friction of {at_zero:.4g} N ({share:.2g} % of the largest): "
                "adhesion, or an offset of the sensor; no sum of Hertz contacts has friction "
                'without load. offset="subtract" takes it off all rows.'
            )
    if pull.any():
        notes.append(
            f"Left out {count_of(int(pull.sum()), 'row')} of negative load (down to "
            f"{load[pull].min():.4g} N), where adhesion alone keeps a contact."
        )
    return samples.at(~(zero | pull))


def check_deviation(samples: Samples) -> None:
    deviation = samples.columns.get("deviation")
    in_file = samples.rows.lines is not None
    remedy = 'the column out with columns={"deviation": None}' if in_file else "deviation out"
    if deviation is not None and (bad := np.flatnonzero(deviation <= 0)).size:
        raise ValueError(
            f"{samples.rows.source}: {samples.rows.label(int(bad[0]))} has a standard deviation of "
            f"{deviation[bad[0]]:.4g}; it must be positive. Correct it, or leave {remedy}"
        )

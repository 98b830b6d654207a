"""Rows of the table: one method, one record, one number of cycles, one seed."""

from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import forecast, programs
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import IGNORED, Answer
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._sampling import DT, padded, single

Row: TypeAlias = dict[str, int | float | str | None]
YARDSTICKS = ("constant", "clock", "onset clock", "ridge")  # of `forecast.yardstick_predictions`


def rows_of(
    answer: Answer,
    lab: Laboratory,
    test: Bool[np.ndarray, " m"],
    method: Method,
    cycles: int | float,
) -> list[Row]:
    """Scores of an answer, a row for each seed.

    Arguments:
        answer: of the method.
        lab: the record.
        test: (m,), the samples that count.
        method: for the first columns.
        cycles: tuned on.
    """
    facts: Row = {"record": lab.name, **method.facts(), "cycles": cycles}
    found = []
    for seed, friction in enumerate(answer.friction):
        row: Row = {**facts, "seed": seed, **scored(friction, lab, test)}
        if answer.time is not None:
            row["ttf_mae"] = time_error(answer.time[seed], lab, test)
        if answer.spread is not None:
            # A normal distribution would have 68 % of the samples within one standard deviation
            inside = np.abs(friction - lab.measured) <= answer.spread[seed]
            row["band_coverage"] = float(np.mean(inside[test]))
        found.append(row)
    return found


def scored(friction: Float[np.ndarray, " m"], lab: Laboratory, test: Bool[np.ndarray, " m"]) -> Row:
    """Every score of one prediction of friction over the samples that test."""
    series = [single(x) for x in (lab.measured, friction)]
    return as_row(_scores(*series, padded(test), np.asarray(lab.samples)))


@programs.program
def _scores(
    friction: Float[Array, " m"], predicted: Float[Array, " m"], test: Bool[Array, " m"],
    length: Int[Array, ""],
) -> forecast.Scores:  # fmt: skip
    return forecast.scores(friction, predicted, DT, where=test, length=length)


def as_row(scores: forecast.Scores) -> Row:
    """MAPE in percent, R², errors of the events: what of the scores is a column of the table."""
    return {
        "mape": float(scores.mape),
        "r2": float(scores.r2),
        "timing": float(scores.timing),
        "missed": float(scores.missed),
        "drop_ratio": float(scores.drop_ratio),
    }


def time_error(
    time: Float[np.ndarray, " m"], lab: Laboratory, test: Bool[np.ndarray, " m"]
) -> float:
    """Mean absolute error of the time to failure where it is known, s; NaN where it never is."""
    known = test & np.isfinite(lab.time_to_failure)
    if not known.any():
        return np.nan
    # Times are those of the networks' clock, errors are told in those of the record's
    return lab.clock * float(np.mean(np.abs(time - lab.time_to_failure)[known]))


def yardstick(kind: str) -> Method:
    """A line of the table that no network stands behind."""
    return Method(kind, level="inferred")


def yardsticks(lab: Laboratory, cycles: int, test: Bool[np.ndarray, " m"]) -> list[Row]:
    """Scores of a constant, clocks and a ridge regression that learn from the same cycles.

    A MAPE says nothing without them: the paper's headline numbers lie between those of a constant
    and of a clock on p4581.
    """
    return compared(lab, cycles, test)[1]


def compared(
    lab: Laboratory, cycles: int, test: Bool[np.ndarray, " m"],
    predicted: Float[np.ndarray, " m"] | None = None,
) -> tuple[Row, list[Row]]:  # fmt: skip
    """Scores of a prediction of friction, if there is one, and of the yardsticks beside it.

    Arguments:
        lab: the record, with friction.
        cycles: that the yardsticks learn from.
        test: (m,), the samples that count.
        predicted: (m,), friction; the first result means nothing if None.

    Returns:
        (scores of the prediction, a row for each yardstick).

    Raises:
        ValueError: without friction, or with fewer cycles than are to be learnt from.
    """
    end, index = lab.end_of(cycles), np.arange(lab.samples)
    train = (index < end) & (index >= IGNORED)
    known = np.isfinite(lab.time_to_failure)
    left = np.nan_to_num(lab.time_to_failure)
    # One program with a prediction and without: then the record itself stands in for it
    scores, times = _compared(
        single(lab.energy), single(np.stack([lab.measured, left])),
        padded(np.stack([train, train & known])), padded(test),
        single(lab.measured if predicted is None else predicted), np.asarray(lab.samples),
    )  # fmt: skip
    scores = jax.tree_util.tree_map(np.asarray, scores)
    of_prediction, *of_yardsticks = [
        as_row(jax.tree_util.tree_map(lambda x, i=i: x[i], scores))
        for i in range(1 + len(YARDSTICKS))
    ]
    late = np.abs(np.asarray(times)[:, : lab.samples] - left)[:, test & known]
    errors = lab.clock * (late.mean(1) if late.size else np.zeros(len(late)))
    common: Row = {"record": lab.name, "cycles": cycles, "seed": 0}
    rows = [
        {**common, **yardstick(name).facts(), **row, "ttf_mae": float(error)}
        for name, row, error in zip(YARDSTICKS, of_yardsticks, errors, strict=True)
    ]
    return of_prediction, rows


@programs.program
def _compared(
    energy: Float[Array, " m"], targets: Float[Array, "2 m"], trains: Bool[Array, "2 m"],
    test: Bool[Array, " m"], predicted: Float[Array, " m"], length: Int[Array, ""],
) -> tuple[forecast.Scores, Float[Array, "yardsticks m"]]:  # fmt: skip
    """Scores of a prediction of friction, then of the yardsticks, whose times follow.

    All predictions are scored by one loop over the samples: loops take most of the compilation.

    Arguments:
        energy: (m,), of the emission.
        targets: (2, m), friction and time to failure.
        trains: (2, m), the samples from which the yardsticks learn either.
        test: (m,), the samples that count.
        predicted: (m,), friction.
        length: samples of the record; those after it are padding.
    """
    friction, times = jax.vmap(
        lambda target, train: forecast.yardstick_predictions(energy, target, DT, train)
    )(targets, trains)
    scores = jax.vmap(lambda one: forecast.scores(targets[0], one, DT, where=test, length=length))(
        jnp.concatenate([predicted[None], friction])
    )
    return scores, times

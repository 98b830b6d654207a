"""Rows of the table: one method, one record, one number of cycles, one seed."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import forecast, programs
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import IGNORED, Answer
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._sampling import DT, padded, single

Row = dict[str, Any]
YARDSTICKS = ("constant", "clock", "onset clock", "ridge")  # of `forecast.yardstick_predictions`


def rows_of(
    answer: Answer, lab: Laboratory, test: np.ndarray, method: Method, cycles: float
) -> list[Row]:
    """A row a seed."""
    facts = {"record": lab.name, **method.facts(), "cycles": cycles}
    found = []
    for seed, friction in enumerate(answer.friction):
        row = {**facts, "seed": seed, **scored(friction, lab, test)}
        if answer.time is not None:
            row["ttf_mae"] = time_error(answer.time[seed], lab, test)
        if answer.spread is not None:
            inside = np.abs(friction - lab.friction) <= answer.spread[seed]
            row["band_coverage"] = float(np.mean(inside[test]))
        found.append(row)
    return found


def scored(friction: np.ndarray, lab: Laboratory, test: np.ndarray) -> Row:
    """Every score of one prediction of friction."""
    series = [single(x) for x in (lab.friction, friction)]
    return as_row(_scores(*series, padded(test), np.asarray(lab.samples)))


@programs.program
def _scores(friction: Array, predicted: Array, test: Array, length: Array) -> forecast.Scores:
    return forecast.scores(friction, predicted, DT, where=test, length=length)


def as_row(scores: forecast.Scores) -> Row:
    """MAPE in percent, R², errors of the events."""
    return {
        "mape": float(scores.mape),
        "r2": float(scores.r2),
        "timing": float(scores.timing),
        "missed": float(scores.missed),
        "drop_ratio": float(scores.drop_ratio),
    }


def time_error(time: np.ndarray, lab: Laboratory, test: np.ndarray) -> float:
    """Mean absolute error of the time to failure where it is known, s."""
    known = test & np.isfinite(lab.time_to_failure)
    if not known.any():
        return np.nan
    return lab.clock * float(np.mean(np.abs(time - lab.time_to_failure)[known]))


def yardstick(kind: str) -> Method:
    """A line of the table that no network stands behind."""
    return Method(kind, level="inferred")


def yardsticks(lab: Laboratory, cycles: int, test: np.ndarray) -> list[Row]:
    """Constant, clocks and ridge that learn from the same cycles."""
    return compared(lab, cycles, test)[1]


def compared(
    lab: Laboratory, cycles: int, test: np.ndarray, predicted: np.ndarray | None = None
) -> tuple[Row, list[Row]]:
    """Scores of a prediction of friction, if there is one, and of the yardsticks beside it."""
    assert lab.friction is not None
    end, index = lab.end_of(cycles), np.arange(lab.samples)
    train = (index < end) & (index >= IGNORED)
    known = np.isfinite(lab.time_to_failure)
    left = np.nan_to_num(lab.time_to_failure)
    scores, times = _compared(
        single(lab.energy), single(np.stack([lab.friction, left])),
        padded(np.stack([train, train & known])), padded(test),
        single(lab.friction if predicted is None else predicted), np.asarray(lab.samples),
    )  # fmt: skip
    scores = jax.tree_util.tree_map(np.asarray, scores)
    each = [as_row(jax.tree_util.tree_map(lambda x, i=i: x[i], scores)) for i in range(5)]
    late = np.abs(np.asarray(times)[:, : lab.samples] - left)[:, test & known]
    errors = lab.clock * (late.mean(1) if late.size else np.zeros(len(late)))
    common: Row = {"record": lab.name, "cycles": cycles, "seed": 0}
    rows = [
        {**common, **yardstick(name).facts(), **row, "ttf_mae": float(error)}
        for name, row, error in zip(YARDSTICKS, each[1:], errors, strict=True)
    ]
    return each[0], rows


@programs.program
def _compared(
    energy: Array, targets: Array, trains: Array, test: Array, predicted: Array, length: Array
) -> tuple[forecast.Scores, Array]:
    """Scores of a prediction of friction, then of the yardsticks, whose times follow.

    All predictions are scored by one loop over the samples: loops take most of the compilation.
    """
    friction, times = jax.vmap(
        lambda target, train: forecast.yardstick_predictions(energy, target, DT, train)
    )(targets, trains)
    scores = jax.vmap(lambda one: forecast.scores(targets[0], one, DT, where=test, length=length))(
        jnp.concatenate([predicted[None], friction])
    )
    return scores, times

"""Rows of the table: one method, one record, one number of cycles, one seed."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import signals
from jaxfric.studies.fault_slip._ask import IGNORED, Answer
from jaxfric.studies.fault_slip._data import DT
from jaxfric.studies.fault_slip._laboratory import Laboratory

Row = dict[str, Any]


def rows_of(answer: Answer, lab: Laboratory, test: np.ndarray, **facts: Any) -> list[Row]:
    """A row a seed."""
    found = []
    for seed, friction in enumerate(answer.friction):
        row = {"record": lab.name, **facts, "seed": seed, **scored(friction, lab, test)}
        if answer.time is not None:
            row["ttf_mae"] = time_error(answer.time[seed], lab, test)
        if answer.spread is not None:
            inside = np.abs(friction - lab.friction) <= answer.spread[seed]
            row["band_coverage"] = float(np.mean(inside[test]))
        found.append(row)
    return found


def scored(friction: np.ndarray, lab: Laboratory, test: np.ndarray) -> Row:
    """Every score of one prediction of friction."""
    said = jnp.asarray(friction, jnp.float32)
    return as_row(_scores(jnp.asarray(lab.friction, jnp.float32), said, jnp.asarray(test)))


# Compiled once for all records of a length
@eqx.filter_jit
def _scores(friction: Array, said: Array, where: Array) -> signals.Scores:
    return signals.scores(friction, said, DT, where=where)


@eqx.filter_jit
def _yardsticks(energy: Array, target: Array, train: Array, test: Array, events: bool) -> Any:
    return signals.yardsticks(energy, target, DT, train, test, events=events)


def as_row(scores: signals.Scores) -> Row:
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


def yardsticks(lab: Laboratory, cycles: int, test: np.ndarray) -> list[Row]:
    """Constant, clocks and ridge that learn from the same cycles."""
    end = lab.end_of(cycles)
    train = (np.arange(lab.samples) < end) & (np.arange(lab.samples) >= IGNORED)
    energy = jnp.asarray(lab.energy, jnp.float32)

    def both(target: np.ndarray, train: np.ndarray, test: np.ndarray, events: bool) -> Any:
        return _yardsticks(
            energy, jnp.asarray(target, jnp.float32), jnp.asarray(train), jnp.asarray(test), events
        )

    assert lab.friction is not None
    friction = both(lab.friction, train, test, True)
    known = np.isfinite(lab.time_to_failure)
    time = both(np.nan_to_num(lab.time_to_failure), train & known, test & known, False)
    common: Row = {"record": lab.name, "cycles": cycles, "part": "-", "level": "inferred",
                   "seed": 0}  # fmt: skip
    return [
        {**common, "method": name.replace("_", " "), **as_row(friction[name]),
         "ttf_mae": lab.clock * float(time[name].mae)}
        for name in friction
    ]  # fmt: skip

"""Predicting the slip of a fault from a record of its emission, with the shipped networks."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, PyTree

from jaxfric.records import LabquakeRecord
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import Answer, ask_images, ask_sequence, mean_of
from jaxfric.studies.fault_slip._laboratory import (
    LONGEST,
    SHORTEST,
    USUAL,
    Laboratory,
    laboratory,
)
from jaxfric.studies.fault_slip._reading import weights
from jaxfric.studies.fault_slip._rows import Row, compared, time_error
from jaxfric.studies.fault_slip._sampling import DT

KINDS: dict[str, Callable[..., Answer]] = {
    "sequence": ask_sequence,
    "encoder-decoder": ask_images,
}
# Spread of ln energy outside which no simulated record lies: networks read any record in its own
# spread, and would answer without a sign that they know none like it.
STRANGE = (0.5, 8.0)


class Prediction(NamedTuple):
    """Friction, or shear stress, along a record.

    Attributes:
        time: (m,), s, of the record's clock.
        predicted: (m,), mean over the networks; in spreads of the record where neither friction
            nor shear stress was recorded.
        band: (m,), standard deviation over networks and members.
        time_to_failure: (m,), s.
        measured: (m,), or None.
        test: (m,), samples that no part of the prediction was tuned on.
        seen: s, length of what was tuned on; 0 without tuning.
        rows: scores of the prediction and of the yardsticks over `test`; empty without a
            measurement, or with too few failures.
        notes: what was assumed, a sentence each.
    """

    time: Float[np.ndarray, " m"]
    predicted: Float[np.ndarray, " m"]
    band: Float[np.ndarray, " m"]
    time_to_failure: Float[np.ndarray, " m"]
    measured: Float[np.ndarray, " m"] | None
    test: Bool[np.ndarray, " m"]
    seen: float
    rows: list[Row]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = list(self.notes)
        if self.rows:
            lines += ["", f"{'':24s}{'MAPE %':>9s}{'R²':>9s}{'TTF MAE s':>11s}{'missed':>8s}"]
        for row in self.rows:
            lines.append(
                f"{row['method']:24s}{row['mape']:9.3g}{row['r2']:9.3f}{row['ttf_mae']:11.3g}"
                f"{row['missed']:8.2f}"
            )
        return "\n".join(lines)


def predict_slip(
    record: LabquakeRecord, *, tune: int = 0, part: str = "all", method: str = "sequence",
    networks: PyTree = None,
) -> Prediction:  # fmt: skip
    """Friction and time to failure from acoustic emission, causally.

    Without tuning the mean and the spread of the record's own friction set the level, as in the
    paper; with tuning nothing is used of friction beyond the first cycles.

    Arguments:
        record: `records.read_labquake(...)`.
        tune: whole cycles at the start of the record to tune on; 0 for none.
        part: what is tuned, "latent", "all", "head" and so on (see `training.parts`), or "none":
            then the cycles tell the level alone.
        method: "sequence" (GRU), "encoder-decoder" (the paper's network; no time to failure), or
            "both": the mean of the two.
        networks: with a leading axis of seeds, or a pair of such for "both"; the shipped ones if
            None.

    Returns:
        `Prediction`.

    Raises:
        ValueError: for an unknown method or part, or fewer cycles than are to be tuned on.

    Example:
        >>> import numpy as np
        >>> from jaxfric.records import LabquakeRecord
        >>> time = np.arange(0.0, 60.0, 0.1)
        >>> phase = time % 10.0
        >>> record = LabquakeRecord(time, 1 + 99 * (phase < 1.0), friction=0.4 + 0.005 * phase)
        >>> found = predict_slip(record)
        >>> found.predicted.shape == time.shape and bool(np.isfinite(found.predicted).all())
        True

    Source: the paper; the level path and the sequence network are ours.
    """
    if method not in (*KINDS, "both"):
        raise ValueError(f"method must be one of {', '.join(KINDS)}, both; got {method!r}")
    if tune < 0:
        raise ValueError(f"tune must not be negative; got {tune}")
    lab = laboratory(record)
    if lab.friction is None and tune:
        raise ValueError(f"{lab.name} has no friction or shear stress to tune on; leave tuning out")
    kinds = list(KINDS) if method == "both" else [method]
    if networks is None:
        networks = [weights(kind) for kind in kinds]
    elif method != "both":
        networks = [networks]
    elif not isinstance(networks, (tuple, list)) or len(networks) != len(kinds):
        raise ValueError('method="both" takes networks=(sequence networks, encoder-decoders)')
    notes = _notes(record, lab, tune, part)
    asked = lab if lab.friction is not None else lab._replace(friction=_in_spreads(lab))
    # Without cycles to infer the level from, mean and spread of the whole record have to be given
    answers = [
        KINDS[kind](network, asked, tune, part if tune else "none", given=tune == 0)
        for kind, network in zip(kinds, networks, strict=True)
    ]
    answer = answers[0] if len(answers) == 1 else mean_of(answers)
    return _prediction(record, lab, answer, tune, notes)


def _prediction(
    record: LabquakeRecord, lab: Laboratory, answer: Answer, tune: int, notes: list[str]
) -> Prediction:
    """Mean and band of the networks along the record, in its own time, and the scores of it."""
    friction = answer.friction.mean(0)
    # The variance of a mixture: between the seeds, and between the members of each
    variance = answer.friction.var(0)
    if answer.spread is not None:
        variance = variance + (answer.spread**2).mean(0)
    end = lab.end_of(tune) if tune else 0
    test = lab.test & (np.arange(lab.samples) > end)
    time = np.full(lab.samples, np.nan) if answer.time is None else np.median(answer.time, axis=0)
    rows = _rows(lab, friction, time, test, tune)
    return Prediction(
        time=record.time[0] + np.arange(lab.samples) * DT * lab.clock,
        predicted=friction,
        band=np.sqrt(variance),
        time_to_failure=np.maximum(time, 0) * lab.clock,
        measured=lab.friction,
        test=test,
        seen=end * DT * lab.clock,
        rows=rows,
        notes=tuple(notes),
    )


def _rows(
    lab: Laboratory, friction: Float[np.ndarray, " m"], time: Float[np.ndarray, " m"],
    test: Bool[np.ndarray, " m"], tune: int,
) -> list[Row]:  # fmt: skip
    """Scores of a prediction and of the yardsticks; none where there is nothing to score."""
    # Yardsticks learn from the cycles that were tuned on, or, without tuning, from all that end
    # before the test span: they cannot do with none
    whole = tune or max(int(np.sum(lab.starts < np.argmax(test))) - 1, 0)
    if lab.friction is None or lab.starts.size <= max(whole, 2) or not test.any():
        return []
    scores, rows = compared(lab, max(whole, 1), test, friction)
    errors = {**scores, "ttf_mae": time_error(time, lab, test)}
    rows.insert(0, {**Method("this prediction").facts(), **errors})
    return rows


def _in_spreads(lab: Laboratory) -> Float[np.ndarray, " m"]:
    """A stand-in of mean 0 and spread 1, so that what the networks say is left as it is."""
    return np.where(np.arange(lab.samples) % 2 == 0, 1.0, -1.0)


def _notes(record: LabquakeRecord, lab: Laboratory, tune: int, part: str) -> list[str]:
    """What was assumed of the record, what of it was used, and what is unusual: sentences."""
    notes = list(record.notes)
    if lab.friction is None:
        notes.append("No friction or shear stress was recorded: the prediction is in spreads "
                     "of the friction, its mean zero.")  # fmt: skip
    elif record.friction is None:
        notes.append("No normal stress is known: the prediction is a shear stress in Pa.")
    if tune:
        cycles = "first cycle" if tune == 1 else f"first {tune} cycles"
        if part == "none":
            notes.append(f"Not tuned; the level is inferred from the {cycles}.")
        else:
            pronoun = "it" if tune == 1 else "them"
            notes.append(f"Tuned on the {cycles}; the level is inferred from {pronoun}.")
    elif lab.friction is not None:
        notes.append("Not tuned: mean and spread of the record's own friction set the level.")
    if lab.clock != 1.0:
        known = f"{SHORTEST:.0f} to {LONGEST:.0f} s"
        notes.append(f"Cycles last {USUAL * lab.clock:.3g} s: the networks, which know {known}, "
                     f"read the record {1 / lab.clock:.3g} times as fast.")  # fmt: skip
    if lab.starts.size < 3:
        notes.append("Fewer than three failures: too few to score events or to tune.")
    spread = float(np.std(np.log(lab.energy)))
    if not STRANGE[0] <= spread <= STRANGE[1]:
        notes.append(f"The logarithm of the emission varies by {spread:.2g}, unlike that of any "
                     "fault the networks were trained on.")  # fmt: skip
    return notes

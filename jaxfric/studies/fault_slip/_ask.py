"""Asking networks for the friction of a laboratory's record, before and after tuning."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import forecast, programs
from jaxfric.studies.fault_slip._features import Scale
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._level import EVEN, RISING, Level, Prior, fit_level
from jaxfric.studies.fault_slip._reading import as_networks, read_images, read_sequence
from jaxfric.studies.fault_slip._sampling import DT, padded, single

STEPS = 150  # of tuning
FOLDS = 6  # members of an ensemble at most: each leaves out another cycle
ROUNDS = 2  # of inferring the level and tuning
EARLY = 3  # all rounds but the last take this part of the steps
IGNORED = 20  # samples at the start of a record, where a network knows nothing of the past


class Answer(NamedTuple):
    """Of every seed.

    Attributes:
        friction: (seeds, m).
        spread: (seeds, m), standard deviation over the members; None for a single one.
        time: (seeds, m), time to failure, s; None if it was not asked for.
        level: of each seed, where it was inferred.
        network: the one that was asked, with leading axes (seeds,) or (seeds, members).
        readings: (seeds, m), of encoder-decoders before tuning, in spreads of the friction.
    """

    friction: np.ndarray
    spread: np.ndarray | None
    time: np.ndarray | None
    level: list[Level] | None
    network: Any = None
    readings: np.ndarray | None = None


class Units(NamedTuple):
    """What is known of a record before a network has read it."""

    end: int  # samples seen
    learn: np.ndarray  # which of them teach
    recurrence: float
    energy: np.ndarray  # (m,), standardised, float32
    given: Scale | None  # of friction, if the record's own level is given
    prior: Prior  # of the level, if it is not


def units(lab: Laboratory, cycles: int, given: bool, prior: Prior = RISING) -> Units:
    """From the first cycles, or from the whole record if its mean and spread are given."""
    end = lab.end_of(cycles) if cycles else lab.samples
    index = np.arange(lab.samples)
    energy = Scale.of_record(lab.log_energy, (index < end) | given).unit(lab.log_energy)
    scale = Scale.of_record(_friction(lab)) if given else None
    learn = (index < end) & (index >= IGNORED)
    return Units(end, learn, lab.recurrence(end), energy.astype(np.float32), scale, prior)


def ask_sequence(
    network: Any, lab: Laboratory, cycles: int, part: str, *, given: bool = False,
    drift: bool = True, members: int = FOLDS, only: tuple[int, int] | None = None,
    patience: int | None = None, steps: int = STEPS, seed: int = 0,
) -> Answer:  # fmt: skip
    """Friction and time to failure by sequence networks.

    Arguments:
        network: with a leading axis of seeds; of seeds and members for the part "none".
        lab: the record.
        cycles: seen; tuned on, unless the part is "none".
        part: see `training.parts`.
        given: mean and spread of the whole record are given, as in the paper; else the level is
            inferred from the cycles.
        drift: the inferred level may relax.
        members: of the ensemble of each seed, at most.
        only: first and last sample to learn from, in place of folds.
        patience: stop tuning early, see `tune_sequence`.
        steps: of tuning.
        seed: of tuning.
    """
    known = units(lab, cycles, given)
    readings = read_sequence(network, known.energy).astype(np.float64)
    if part == "none":
        readings = readings.mean(1) if readings.ndim == 4 else readings
        friction, levels = _levelled(readings[..., 0], lab, known, drift)
        time = with_clock(known.recurrence * readings[..., 1], lab, known, cycles)
        return Answer(friction, None, time, levels, network)
    # What trains is imported when something is to be trained
    from jaxfric.studies.fault_slip._tuning import Lesson, tune_sequence

    network, n = as_networks(network), known.end
    left = lab.time_to_failure[:n] / known.recurrence
    weights = _weights(lab, n, members, only)
    out = readings[:, None]
    # The level is inferred from the readings, and the network learns what the level leaves
    for later in reversed(range(1 if given else ROUNDS)):
        target = _target(out[..., 0].mean((0, 1)), lab, known, drift)
        lesson = Lesson(
            known.energy[:n], target[:n], np.nan_to_num(left), np.isfinite(left), weights
        )
        tuned = tune_sequence(
            network, lesson, part, steps=max(steps // (EARLY if later else 1), 1),
            patience=patience, seed=seed,
        )  # fmt: skip
        out = read_sequence(tuned, known.energy).astype(np.float64)
    # A few failures teach little of when the next one comes: half way to the tuned readings
    before = readings[:, None] if readings.ndim == 3 else readings
    time = known.recurrence * 0.5 * (np.median(before[..., 1], 1) + np.median(out[..., 1], 1))
    time = with_clock(time, lab, known, cycles)
    friction, levels = _levelled(out[..., 0].mean(1), lab, known, drift)
    gains = friction.std(1) / out[..., 0].mean(1).std(1)
    return Answer(friction, out[..., 0].std(1) * gains[:, None], time, levels, tuned)


def mean_of(answers: Sequence[Answer]) -> Answer:
    """Of networks of several kinds, seed by seed; the times of those that tell them."""
    friction = np.stack([answer.friction for answer in answers])
    within = [np.zeros_like(a.friction) if a.spread is None else a.spread for a in answers]
    spread = np.sqrt(np.mean(np.square(within), axis=0) + np.var(friction, axis=0))
    times = [answer.time for answer in answers if answer.time is not None]
    return Answer(friction.mean(0), spread, np.mean(times, axis=0) if times else None, None)


def with_clock(time: np.ndarray, lab: Laboratory, known: Units, cycles: int) -> np.ndarray:
    """Half way to a clock that learns from the same cycles: the two err at different moments."""
    teaches = known.learn & np.isfinite(lab.time_to_failure)
    if not cycles or not teaches.any():
        return time
    clock = _clock(single(lab.energy), single(np.nan_to_num(lab.time_to_failure)), padded(teaches))
    return 0.5 * (time + np.asarray(clock, np.float64)[: lab.samples])


@programs.program
def _clock(energy: Array, time: Array, teaches: Array) -> Array:
    return forecast.clock(energy, time, DT, teaches)


def _weights(lab: Laboratory, end: int, members: int, only: tuple[int, int] | None) -> np.ndarray:
    from jaxfric.studies.fault_slip._tuning import folds

    if only is None and members > 1:
        return folds(lab.starts, IGNORED, end, members)
    begin, stop = (IGNORED, end) if only is None else only
    index = np.arange(end)
    return ((index >= begin) & (index < stop)).astype(np.float32)[None]


def ask_images(
    network: Any, lab: Laboratory, cycles: int, part: str, *, given: bool = False,
    drift: bool = True, causal: bool = True, steps: int = STEPS, seed: int = 0,
    readings: np.ndarray | None = None,
) -> Answer:  # fmt: skip
    """Friction by encoder-decoders: the newest column if causal, the mean of all windows if not.

    Reading takes long: `readings` are those of the untuned network, if it has been asked before.
    """
    known = units(lab, cycles, given, EVEN)
    if readings is None:
        readings, _ = read_images(network, known.energy, causal)
    if part == "none":
        friction, levels = _levelled(readings, lab, known, drift)
        return Answer(friction, None, None, levels, network, readings)
    from jaxfric.studies.fault_slip._tuning import tune_images

    target = _target(readings.mean(0), lab, known, drift)
    tuned = tune_images(
        as_networks(network), jnp.asarray(known.energy[: known.end]),
        jnp.asarray(target[: known.end], jnp.float32), part,
        causal=causal, begin=IGNORED, steps=steps, seed=seed,
    )  # fmt: skip
    tuned_readings, spread = read_images(tuned, known.energy, causal)
    friction, levels = _levelled(tuned_readings, lab, known, drift)
    gains = friction.std(1) / tuned_readings.std(1)
    return Answer(
        friction, None if causal else spread * gains[:, None], None, levels, tuned, readings
    )


def _levelled(
    readings: np.ndarray, lab: Laboratory, known: Units, drift: bool
) -> tuple[np.ndarray, list[Level] | None]:
    """Friction from the readings of networks, (seeds, m)."""
    if known.given is not None:
        return np.asarray(known.given.back(readings)), None
    levels = [_level(reading, lab, known, drift) for reading in readings]
    return np.stack([level(x) for level, x in zip(levels, readings, strict=True)]), levels


def _target(readings: np.ndarray, lab: Laboratory, known: Units, drift: bool) -> np.ndarray:
    """What tuning teaches, (m,): standardised friction without its relaxation."""
    friction = _friction(lab)
    if known.given is not None:
        return np.asarray(known.given.unit(friction))
    left = friction - _level(readings, lab, known, drift).relaxation
    return Scale.of_record(left, known.learn).unit(left)


def _level(readings: np.ndarray, lab: Laboratory, known: Units, drift: bool) -> Level:
    return fit_level(readings, _friction(lab), known.learn, known.recurrence, drift, known.prior)


def _friction(lab: Laboratory) -> np.ndarray:
    if lab.friction is None:
        raise ValueError(f"{lab.name} has no friction or shear stress to learn from or to score")
    return lab.friction

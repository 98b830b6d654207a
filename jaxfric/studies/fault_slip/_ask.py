"""Asking networks for the friction of a laboratory's record, before and after tuning."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from jaxfric import forecast, programs
from jaxfric.studies.fault_slip._features import Scale
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._level import EVEN, RISING, Level, Prior, fit_level
from jaxfric.studies.fault_slip._reading import as_networks, read_images, read_sequence
from jaxfric.studies.fault_slip._sampling import DT, padded, single

# Steps of tuning. Like the numbers of rounds and their shares below, chosen on the first 120 s of
# p4581, before its test span.
STEPS = 150
# Members of an ensemble at most; each leaves out another of the cycles that are tuned on, so that
# they differ by what a cycle more or less would have taught: their spread is a band of the answer.
FOLDS = 6
# Rounds of inferring the level and tuning. The level is inferred from what the networks say, and
# the networks are taught what the level leaves: each needs the other first.
ROUNDS = 2
# All rounds but the last take the EARLY-th part of the steps: they serve the level alone.
EARLY = 3
# Samples at the start of a record from which nothing is learnt: there a network knows no past.
IGNORED = 20


class Answer(NamedTuple):
    """What networks of one kind, one for each seed, say of a record.

    Attributes:
        friction: (seeds, m).
        spread: (seeds, m), standard deviation over the members; None for a single one.
        time: (seeds, m), time to failure, s; None if it was not asked for.
        level: of each seed, where it was inferred.
        network: the one that was asked, with leading axes (seeds,) or (seeds, members).
        readings: (seeds, m), of encoder-decoders before tuning, in spreads of the friction.
    """

    friction: Float[np.ndarray, "seeds m"]
    spread: Float[np.ndarray, "seeds m"] | None
    time: Float[np.ndarray, "seeds m"] | None
    level: list[Level] | None
    network: PyTree = None
    readings: Float[np.ndarray, "seeds m"] | None = None


class Units(NamedTuple):
    """What is known of a record before a network has read it.

    Attributes:
        end: samples seen.
        learn: (m,), which of them teach.
        recurrence: mean time between the failures seen, s.
        energy: (m,), standardised log energy, in single precision.
        given: mean and spread of the record's friction, if its level is given.
        prior: of the level, if it is not.
    """

    end: int
    learn: Bool[np.ndarray, " m"]
    recurrence: float
    energy: Float[np.ndarray, " m"]
    given: Scale | None
    prior: Prior


def units(lab: Laboratory, cycles: int, given: bool, prior: Prior = RISING) -> Units:
    """Mean and spread of a record from its first cycles, or from all of it if they are given.

    Arguments:
        lab: the record.
        cycles: seen; the whole record is if 0.
        given: mean and spread of the whole record are known, as in the paper.
        prior: of the level, if they are not.
    """
    end = lab.end_of(cycles) if cycles else lab.samples
    index = np.arange(lab.samples)
    # Where the level is to be inferred, no unit may come from after the cycles seen either
    energy = Scale.of_record(lab.log_energy, (index < end) | given).unit(lab.log_energy)
    scale = Scale.of_record(lab.measured) if given else None
    learn = (index < end) & (index >= IGNORED)
    return Units(end, learn, lab.recurrence(end), energy.astype(np.float32), scale, prior)


def ask_sequence(
    network: PyTree, lab: Laboratory, cycles: int, part: str, *, given: bool = False,
    drift: bool = True, members: int = FOLDS, only: tuple[int, int] | None = None,
    patience: int | None = None, steps: int = STEPS, seed: int = 0,
) -> Answer:  # fmt: skip
    """Friction and time to failure by sequence networks.

    Without tuning the networks are read as they are. With it the level is inferred and the networks
    are tuned on what it leaves, `ROUNDS` times, in ensembles whose members leave out a cycle each.

    Arguments:
        network: `networks.EmissionGRU` or `Weights` of such, with a leading axis of seeds; of seeds
            and members for the part "none".
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

    Returns:
        `Answer`.

    Raises:
        ValueError: fewer cycles in the record than are asked for, or a record without friction.
    """
    known = units(lab, cycles, given)
    # In double precision, as the regression of the level is
    readings = read_sequence(network, known.energy).astype(np.float64)
    if part == "none":
        readings = readings.mean(1) if readings.ndim == 4 else readings
        friction, levels = _levelled(readings[..., 0], lab, known, drift)
        time = with_clock(known.recurrence * readings[..., 1], lab, known, cycles)
        return Answer(friction, None, time, levels, network)
    # What trains is imported when something is to be trained: a prediction without tuning starts
    # without the libraries of networks and optimisers
    from jaxfric.studies.fault_slip._tuning import Lesson, tune_sequence

    network, n = as_networks(network), known.end
    left = lab.time_to_failure[:n] / known.recurrence
    weights = _weights(lab, n, members, only)
    out = readings[:, None]  # (seeds, members, m, 2), here of one member: friction, time
    # The level is inferred from the readings, and the network learns what the level leaves
    for rounds_left in reversed(range(1 if given else ROUNDS)):
        # One target for all: the level is inferred from the mean of all seeds and members
        target = _target(out[..., 0].mean((0, 1)), lab, known, drift)
        lesson = Lesson(
            known.energy[:n], target[:n], np.nan_to_num(left), np.isfinite(left), weights
        )
        # Every round begins anew with the untuned network; only its target has become better
        tuned = tune_sequence(
            network, lesson, part, steps=max(steps // (EARLY if rounds_left else 1), 1),
            patience=patience, seed=seed,
        )  # fmt: skip
        out = read_sequence(tuned, known.energy).astype(np.float64)
    # A few failures teach little of when the next one comes, and tuning on them overfits: the time
    # goes only half way from the untuned readings to the tuned ones
    before = readings[:, None] if readings.ndim == 3 else readings
    time = known.recurrence * 0.5 * (np.median(before[..., 1], 1) + np.median(out[..., 1], 1))
    time = with_clock(time, lab, known, cycles)
    friction, levels = _levelled(out[..., 0].mean(1), lab, known, drift)
    # Members differ in spreads of friction; the level's gain makes friction of them
    gains = friction.std(1) / out[..., 0].mean(1).std(1)
    return Answer(friction, out[..., 0].std(1) * gains[:, None], time, levels, tuned)


def mean_of(answers: Sequence[Answer]) -> Answer:
    """The mean of networks of several kinds, seed by seed; the times of those that tell them."""
    friction = np.stack([answer.friction for answer in answers])
    within = [np.zeros_like(a.friction) if a.spread is None else a.spread for a in answers]
    # The variance of a mixture: the mean of the variances within its parts, and that of their means
    spread = np.sqrt(np.mean(np.square(within), axis=0) + np.var(friction, axis=0))
    times = [answer.time for answer in answers if answer.time is not None]
    return Answer(friction.mean(0), spread, np.mean(times, axis=0) if times else None, None)


def with_clock(
    time: Float[np.ndarray, "seeds m"], lab: Laboratory, known: Units, cycles: int
) -> Float[np.ndarray, "seeds m"]:
    """Half way to a clock that learns from the same cycles: the two err at different moments.

    The clock reads the time since the last burst alone, and nothing else of the emission. On the
    first 120 s of p4581 it helps after three cycles and makes no difference after six.

    Arguments:
        time: (seeds, m), to failure, as networks say, s.
        lab: the record.
        known: of it.
        cycles: seen; without any there is no clock, and the time stays as it is.
    """
    teaches = known.learn & np.isfinite(lab.time_to_failure)
    if not cycles or not teaches.any():
        return time
    clock = _clock(single(lab.energy), single(np.nan_to_num(lab.time_to_failure)), padded(teaches))
    return 0.5 * (time + np.asarray(clock, np.float64)[: lab.samples])


@programs.program
def _clock(
    energy: Float[Array, " m"], time: Float[Array, " m"], teaches: Bool[Array, " m"]
) -> Float[Array, " m"]:
    return forecast.clock(energy, time, DT, teaches)


def _weights(
    lab: Laboratory, end: int, members: int, only: tuple[int, int] | None
) -> Float[np.ndarray, "members end"]:
    """1 where a member of the ensemble learns from a sample, 0 elsewhere."""
    from jaxfric.studies.fault_slip._tuning import folds

    if only is None and members > 1:
        return folds(lab.starts, IGNORED, end, members)
    begin, stop = (IGNORED, end) if only is None else only
    index = np.arange(end)
    return ((index >= begin) & (index < stop)).astype(np.float32)[None]


def ask_images(
    network: PyTree, lab: Laboratory, cycles: int, part: str, *, given: bool = False,
    drift: bool = True, causal: bool = True, steps: int = STEPS, seed: int = 0,
    readings: Float[np.ndarray, "seeds m"] | None = None,
) -> Answer:  # fmt: skip
    """Friction by encoder-decoders: the newest column if causal, the mean of all windows if not.

    Level and tuning take one round and a single member, where sequence networks have more: an image
    takes long to read and to learn from.

    Arguments:
        network: `networks.EncoderDecoder` or `Weights` of such, with a leading axis of seeds.
        lab: the record.
        cycles: seen; tuned on, unless the part is "none".
        part: see `training.parts`.
        given: see `ask_sequence`.
        drift: see `ask_sequence`.
        causal: see above.
        steps: of tuning.
        seed: of tuning.
        readings: of the untuned network, if it has been asked before; reading takes long.

    Returns:
        `Answer`, without a time to failure.

    Raises:
        ValueError: see `ask_sequence`.
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
    readings: Float[np.ndarray, "seeds m"], lab: Laboratory, known: Units, drift: bool
) -> tuple[Float[np.ndarray, "seeds m"], list[Level] | None]:
    """Friction from readings in spreads, and the level of each seed where it is inferred."""
    if known.given is not None:
        return np.asarray(known.given.back(readings)), None
    levels = [_level(reading, lab, known, drift) for reading in readings]
    return np.stack([level(x) for level, x in zip(levels, readings, strict=True)]), levels


def _target(
    readings: Float[np.ndarray, " m"], lab: Laboratory, known: Units, drift: bool
) -> Float[np.ndarray, " m"]:
    """What tuning teaches: standardised friction without its relaxation.

    The relaxation is a matter of this record alone, of which no emission tells; with it in the
    target the network would have to learn by heart when it was.
    """
    friction = lab.measured
    if known.given is not None:
        return np.asarray(known.given.unit(friction))
    left = friction - _level(readings, lab, known, drift).relaxation
    return Scale.of_record(left, known.learn).unit(left)


def _level(readings: Float[np.ndarray, " m"], lab: Laboratory, known: Units, drift: bool) -> Level:
    return fit_level(readings, lab.measured, known.learn, known.recurrence, drift, known.prior)

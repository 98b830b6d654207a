"""Training on simulated faults: windows of records, sequence networks, the run of a training."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Key, PyTree

from jaxfric import networks, training
from jaxfric._threads import in_threads
from jaxfric.studies.fault_slip import _rates
from jaxfric.studies.fault_slip._data import Records
from jaxfric.studies.fault_slip._features import Scale, features

# Samples of a training window, 80 s: some eight cycles as long as those of p4581.
WINDOW = 800
# Samples before the loss counts: a recurrent network begins without a memory, and has to have
# heard a burst or two before it can know where in a cycle it is.
WARM = 150
# Units, as of the plain recurrent network on p4581 alone, a yardstick of this study (R² 0.971).
HIDDEN = 48
# Weight of the time to failure, in recurrences, beside friction, in spreads, which matters more.
TIME_WEIGHT = 0.5
Network = TypeVar("Network")
# (network, records, key) → (loss, its terms)
Loss: TypeAlias = Callable[..., tuple[Array, dict[str, Array]]]


class Members(NamedTuple):
    """What a training made.

    Attributes:
        network: the networks, with a leading axis of seeds.
        history: loss and its terms by name, (evaluations, seeds).
    """

    network: PyTree
    history: dict[str, np.ndarray]


def sequence_network(seed: int) -> networks.EmissionGRU:
    """Log energy and its change → standardised friction, time to failure over the recurrence."""
    return networks.EmissionGRU(2, HIDDEN, 2, rngs=nnx.Rngs(seed))


def window(record: Records, key: Key[Array, ""], length: int) -> dict[str, Array]:
    """A random window of a record under a random instrument, in units of some of its cycles.

    The emission is standardised over a random span of 2 to 12 recurrences, as a laboratory's is
    over what has been seen; friction over the window itself, so that no level is asked for.

    Arguments:
        record: one of `Records`, without their leading axis.
        key: typed key.
        length: samples of the window.

    Returns:
        energy and friction, standardised, time (to failure, in recurrences) and known: (length,).
    """
    which, begin, span_key, where = jax.random.split(key, 4)
    i = jax.random.randint(which, (), 0, record.log_energy.shape[0])
    m = record.friction.shape[-1]
    start = jax.random.randint(begin, (), 0, m - length + 1)

    def cut(x: Array) -> Array:
        return jax.lax.dynamic_slice(x, (start,), (length,))

    # Samples: a recurrence over the 0.1 s between them. Ten seconds at least, so that a fast fault
    # is not standardised over a handful of events
    span = record.recurrence / 0.1 * jax.random.uniform(span_key, (), minval=2.0, maxval=12.0)
    span = jnp.clip(span, 100, m)
    first = jax.random.uniform(where) * (m - span)
    index = jnp.arange(m)
    energy = Scale.of(record.log_energy[i], (index >= first) & (index < first + span))
    friction = cut(record.friction[i])
    return {
        "energy": energy.unit(cut(record.log_energy[i])),
        "friction": Scale.of(friction, jnp.ones(length, bool)).unit(friction),
        "time": cut(record.time_to_failure) / record.recurrence,
        "known": cut(record.known),
    }


def sequence_loss(
    network: networks.EmissionGRU, batch: Records, key: Key[Array, ""]
) -> tuple[Array, dict[str, Array]]:
    """Mean absolute errors of friction and of the time to failure on random windows of a batch.

    Their minimum is the median of what may happen. The mean, which squared errors ask for, would
    blur an event over all the moments at which it may come.

    Returns:
        (loss, its terms).
    """
    seen = jax.vmap(lambda r, k: window(r, k, WINDOW))(
        batch, jax.random.split(key, batch.recurrence.shape[0])
    )
    out = jax.vmap(lambda e: network(features(e)))(seen["energy"])[:, WARM:]
    friction = jnp.mean(jnp.abs(out[..., 0] - seen["friction"][:, WARM:]))
    # After the last failure of a record the time to the next is not known, and does not count
    known = seen["known"][:, WARM:]
    late = jnp.abs(out[..., 1] - seen["time"][:, WARM:])
    time = jnp.sum(late * known) / jnp.maximum(jnp.sum(known), 1)
    return friction + TIME_WEIGHT * time, {"friction": friction, "time": time}


def train_sequence(
    records: Records, seeds: tuple[int, ...], steps: int, *, checkpoint: str | os.PathLike[str],
    batch_size: int = 24, progress: bool = False,
) -> Members:  # fmt: skip
    """One sequence network for each seed, on the same records.

    A time step is too small for more than one core: on a processor each seed has its own thread.

    Arguments:
        records: simulated ones to learn from.
        seeds: of weights and of the order of the records, one for each network.
        steps: of Adam.
        checkpoint: folder where a killed training is found again.
        batch_size: records of a step.
        progress: show a bar.
    """

    def train(seeds: tuple[int, ...], folder: Path) -> Members:
        start = members(sequence_network, seeds)
        return fit(
            sequence_loss, start, records, seeds, steps=steps, batch_size=batch_size,
            rate=_rates.SEQUENCES, checkpoint=folder, progress=progress,
        )  # fmt: skip

    folder = Path(checkpoint)
    if jax.default_backend() != "cpu":
        return train(seeds, folder)
    # All at once: one that waited for the others would end alone
    found = in_threads(lambda seed: train((seed,), folder / f"{seed}"), seeds, len(seeds))
    histories = [one.history for one in found]
    return Members(
        jax.tree_util.tree_map(lambda *x: jnp.concatenate(x), *[one.network for one in found]),
        {k: np.concatenate([h[k] for h in histories], axis=1) for k in histories[0]},
    )


@eqx.filter_jit
def members(make: Callable[[int], Network], seeds: tuple[int, ...]) -> Network:
    """Untrained networks with a leading axis, one for each seed; one program draws all of them."""
    drawn = [make(seed) for seed in seeds]
    network: Network = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *drawn)
    return network


def fit(
    loss: Loss, start: PyTree, records: Records, seeds: tuple[int, ...], *, steps: int,
    batch_size: int, rate: float, checkpoint: str | os.PathLike[str], progress: bool,
) -> Members:  # fmt: skip
    """Train networks with warm-up and cosine decay, and take their last weights.

    Arguments:
        loss: (network, records, key) → (loss, terms), of one network.
        start: networks with a leading axis of seeds.
        records: to learn from.
        seeds: as many as networks.
        steps: of Adam.
        batch_size: records of a step, at most all of them.
        rate: of Adam at the top of the schedule.
        checkpoint: folder where a killed training is found again.
        progress: show a bar.
    """
    batch_size = min(batch_size, records.count)
    epochs = max(steps // (records.count // batch_size), 1)
    total = epochs * (records.count // batch_size)
    trained = training.train(
        loss, start, records, key=jax.random.split(jax.random.key(seeds[0]), len(seeds)),
        optimiser=_optimiser(rate, total), epochs=epochs, batch_size=batch_size, clip=1.0,
        checkpoint=checkpoint, save_every=5, progress=progress,
        config={"steps": steps, "seeds": list(seeds), "simulated": records.simulated},
    )  # fmt: skip
    return Members(trained.last, trained.history)


@cache
def _optimiser(rate: float, steps: int) -> optax.GradientTransformation:
    """The same object for the same numbers: another would be compiled anew.

    The rate begins at a 40th of its top, reaches it in a 20th of the steps and ends at a 200th: the
    first gradients of random weights tell little, and small steps at the end average over batches.
    """
    return optax.adam(
        optax.warmup_cosine_decay_schedule(rate / 40, rate, max(steps // 20, 1), steps, rate / 200)
    )

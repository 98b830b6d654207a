"""Training on simulated faults."""

import os
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array

from jaxfric import networks, training
from jaxfric.studies._kit import in_threads
from jaxfric.studies.fault_slip._data import Records
from jaxfric.studies.fault_slip._features import Scale, features
from jaxfric.studies.fault_slip._images import (
    COLUMNS,
    MARGIN,
    SCALES,
    STRIDE,
    columns,
    emission_image,
    friction_image,
    signal,
)

WINDOW = 800  # samples of a training window
WARM = 150  # of them before the loss counts: a recurrent network starts in ignorance
HIDDEN = 48
FILTERS = (8, 16, 32, 64)
DEPTHS = (0.1, 0.1, 0.1, 0.5)  # weights of the hierarchical components
NEWEST = 4.0  # columns over which the weight of a causal image's error falls
EMPHASIS = 3.0  # of the friction beside the scalogram, which holds what no past tells


class Members(NamedTuple):
    """What a training made: networks with a leading axis of seeds, (evaluations, seeds)."""

    network: Any
    history: dict[str, np.ndarray]


def sequence_network(seed: int) -> networks.EmissionGRU:
    """Log energy and its change → standardised friction, time to failure over the recurrence."""
    return networks.EmissionGRU(2, HIDDEN, 2, rngs=nnx.Rngs(seed))


def window(records: Any, key: Any, length: int) -> dict[str, Array]:
    """A random window of a record under a random instrument, in units of some of its cycles.

    The emission is standardised over a random span of 2 to 12 recurrences, as a laboratory's is
    over what has been seen; friction over the window itself, so that no level is asked for.
    """
    which, begin, span_key, where = jax.random.split(key, 4)
    i = jax.random.randint(which, (), 0, records.log_energy.shape[0])
    m = records.friction.shape[-1]
    start = jax.random.randint(begin, (), 0, m - length + 1)

    def cut(x: Array) -> Array:
        return jax.lax.dynamic_slice(x, (start,), (length,))

    span = records.recurrence / 0.1 * jax.random.uniform(span_key, (), minval=2.0, maxval=12.0)
    span = jnp.clip(span, 100, m)
    first = jax.random.uniform(where) * (m - span)
    index = jnp.arange(m)
    energy = Scale.of(records.log_energy[i], (index >= first) & (index < first + span))
    friction = cut(records.friction[i])
    return {
        "energy": energy.unit(cut(records.log_energy[i])),
        "friction": Scale.of(friction, jnp.ones(length, bool)).unit(friction),
        "time": cut(records.time_to_failure) / records.recurrence,
        "known": cut(records.known),
    }


def sequence_loss(network: Any, batch: Records, key: Any) -> tuple[Array, dict[str, Array]]:
    """Mean absolute errors: of the median outcome, where the mean would blur events."""
    seen = jax.vmap(lambda r, k: window(r, k, WINDOW))(
        batch, jax.random.split(key, batch.recurrence.shape[0])
    )
    out = jax.vmap(lambda e: network(features(e)))(seen["energy"])[:, WARM:]
    friction = jnp.mean(jnp.abs(out[..., 0] - seen["friction"][:, WARM:]))
    known = seen["known"][:, WARM:]
    late = jnp.abs(out[..., 1] - seen["time"][:, WARM:])
    time = jnp.sum(late * known) / jnp.maximum(jnp.sum(known), 1)
    return friction + 0.5 * time, {"friction": friction, "time": time}


def train_sequence(
    records: Records, seeds: tuple[int, ...], steps: int, *, checkpoint: str | os.PathLike[str],
    batch_size: int = 24, progress: bool = False,
) -> Members:  # fmt: skip
    """One network for each seed, on the same records.

    A time step is too small for more than one core: on a processor each seed has its own thread.
    """

    def some(seeds: tuple[int, ...], folder: Path) -> Members:
        start = members(sequence_network, seeds)
        return fit(sequence_loss, start, records, seeds, steps, batch_size, 4e-3, folder, progress)

    folder = Path(checkpoint)
    if jax.default_backend() != "cpu":
        return some(seeds, folder)
    # All at once: one that waited for the others would end alone
    found = in_threads(lambda seed: some((seed,), folder / f"{seed}"), seeds, len(seeds))
    histories = [each.history for each in found]
    return Members(
        jax.tree_util.tree_map(lambda *x: jnp.concatenate(x), *[each.network for each in found]),
        {k: np.concatenate([h[k] for h in histories], axis=1) for k in histories[0]},
    )


@eqx.filter_jit
def members(make: Any, seeds: tuple[int, ...]) -> Any:
    """Untrained networks with a leading axis, one for each seed; one program draws all of them."""
    each = [make(seed) for seed in seeds]
    return jax.tree_util.tree_map(lambda *x: jnp.stack(x), *each)


def fit(
    loss: Any, start: Any, records: Records, seeds: tuple[int, ...], steps: int, batch_size: int,
    rate: float, checkpoint: str | os.PathLike[str], progress: bool,
) -> Members:  # fmt: skip
    """The last weights of a run with warm-up and cosine decay."""
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
    """The same object for the same numbers: another would be compiled anew."""
    return optax.adam(
        optax.warmup_cosine_decay_schedule(rate / 40, rate, max(steps // 20, 1), steps, rate / 200)
    )


def image_network(
    seed: int, *, skips: bool = True, level: bool = True, causal: bool = True
) -> networks.EncoderDecoder:
    """The paper's network at the size of our images."""
    return networks.EncoderDecoder(
        len(SCALES), COLUMNS, filters=FILTERS, skips=skips, level=level, causal=causal,
        rngs=nnx.Rngs(seed),
    )  # fmt: skip


def image_loss(
    network: Any, batch: Records, key: Any, *, causal: bool = True
) -> tuple[Array, dict[str, Array]]:
    """Scalogram error of every depth, and the mean absolute error of the friction they sum to."""
    length = MARGIN * 2 + STRIDE * COLUMNS

    def one(record: Any, key: Any) -> tuple[Array, Array]:
        seen = window(record, key, length)
        end = MARGIN + STRIDE * COLUMNS - 1
        target, rest = friction_image(seen["friction"])
        image = columns(emission_image(seen["energy"], causal), jnp.asarray(end))
        friction = columns(seen["friction"][None], end)[0]
        return image_errors(
            network, image, columns(target, end), friction, rest[end], asked(causal)
        )

    keys = jax.random.split(key, batch.recurrence.shape[0])
    scalogram, friction = jax.vmap(one)(batch, keys)
    terms = {"scalogram": jnp.mean(scalogram), "friction": jnp.mean(friction)}
    return terms["scalogram"] + EMPHASIS * terms["friction"], terms


def image_errors(
    network: Any, image: Array, target: Array, friction: Array, rest: Array, weight: Array
) -> tuple[Array, Array]:
    """Of one image: the paper's loss, and the absolute error of the friction, see `asked`."""
    decoded = network(image[None])
    level = jnp.zeros_like(rest) if decoded.level is None else decoded.level[0]
    wanted = None if decoded.level is None else rest[None]
    scalogram = networks.scalogram_loss(decoded, target[None], wanted, weights=DEPTHS)
    found = signal(decoded.image[0]) + level
    return scalogram, jnp.sum(weight * jnp.abs(found - friction))


def asked(causal: bool) -> Array:
    """(columns,), weights of the friction's errors: half on the later half, half on the newest.

    A causal reading is of the newest column alone; the first columns know little of the past.
    """
    age = np.arange(COLUMNS)[::-1]
    late = (age < COLUMNS // 2) / (COLUMNS // 2)
    if not causal:
        return jnp.asarray(late, jnp.float32)
    newest = np.exp(-age / NEWEST)
    return jnp.asarray(0.5 * late + 0.5 * newest / newest.sum(), jnp.float32)


def train_images(
    records: Records, seeds: tuple[int, ...], steps: int, *, checkpoint: str | os.PathLike[str],
    batch_size: int = 8, progress: bool = False, **variant: bool,
) -> Members:  # fmt: skip
    """One encoder-decoder for each seed, at once."""
    start = members(lambda seed: image_network(seed, **variant), seeds)
    loss = partial(image_loss, causal=variant.get("causal", True))
    return fit(loss, start, records, seeds, steps, batch_size, 2e-3, checkpoint, progress)

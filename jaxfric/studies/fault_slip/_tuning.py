"""Adapting a trained network to the cycles of a laboratory that have been seen."""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from jaxfric import training
from jaxfric.studies._kit import in_threads
from jaxfric.studies.fault_slip._ask import FOLDS, STEPS
from jaxfric.studies.fault_slip._features import features
from jaxfric.studies.fault_slip._images import COLUMNS, columns, emission_image, friction_image
from jaxfric.studies.fault_slip._reading import leading
from jaxfric.studies.fault_slip._training import EMPHASIS, asked, image_errors

RATE = 1.5e-3
LAST = 0.05  # of the rate, at the end of the cosine
EVERY = 50  # steps of a compiled call at most: runs of other lengths share its program
LENGTHS = (650, 1300, 2600, 5200, 10400)  # a program for each, whatever the span
IMAGES = 480  # of a span, whatever its length: a program serves all


class Lesson(NamedTuple):
    """What may be learnt from: a span of a record, in its own units.

    Attributes:
        energy: (n,), standardised log energy.
        friction: (n,), standardised friction without the relaxation of its level.
        time: (n,), time to failure over the recurrence.
        known: (n,), where that is known.
        weight: (members, n), which samples each member learns from.
    """

    energy: np.ndarray
    friction: np.ndarray
    time: np.ndarray
    known: np.ndarray
    weight: np.ndarray

    @property
    def members(self) -> int:
        """Of an ensemble."""
        return int(self.weight.shape[0])


def folds(starts: np.ndarray, begin: int, end: int, most: int = FOLDS) -> np.ndarray:
    """(members, end): each leaves out one cycle; a single one if there are fewer than three.

    Arguments:
        starts: indices where failures start.
        begin: first sample to learn from.
        end: samples seen.
        most: members.
    """
    cycle = np.searchsorted(starts, np.arange(end), side="right")
    seen = np.arange(end) >= begin
    counts = {int(c): int(np.sum(seen & (cycle == c))) for c in np.unique(cycle[seen])}
    whole = [c for c, n in counts.items() if n >= 0.3 * max(counts.values())]
    if len(whole) < 3:
        return seen[None].astype(np.float32)
    left_out = np.array_split(np.array(whole), min(most, len(whole)))
    return np.stack([seen & ~np.isin(cycle, c) for c in left_out]).astype(np.float32)


def tune_sequence(
    network: Any, lesson: Lesson, part: str, *, steps: int = STEPS, rate: float = RATE,
    patience: int | None = None, seed: int = 0,
) -> Any:  # fmt: skip
    """Networks (seeds, ...) tuned on the lesson: leading axes (seeds, members).

    All parts share one program: what is not tuned is held by a mask of numbers. With a patience,
    the last tenth of the samples of each member validates, and the best of at most 600 steps is
    taken once so many have passed without a better one.
    """
    seeds, n = leading(network)[0], lesson.members
    padded = next((k for k in LENGTHS if k >= lesson.energy.shape[0]), lesson.energy.shape[0])

    def pad(x: Any) -> np.ndarray:
        x = np.asarray(x, np.float32)
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padded - x.shape[-1])])

    taught = _taught(lesson.weight, patience)
    parameters = {
        "network": jax.tree_util.tree_map(lambda x: np.repeat(np.asarray(x), n, axis=0), network),
        "tuned": mask_of(network, part, seeds * n),
        "weight": np.tile(pad(taught), (seeds, 1)),
        "check": np.tile(pad(lesson.weight - taught), (seeds, 1)),
    }
    data = {
        "energy": pad(lesson.energy)[None], "friction": pad(lesson.friction)[None],
        "time": pad(lesson.time)[None], "known": pad(lesson.known)[None],
    }  # fmt: skip
    found = _train(lesson_loss, parameters, data, None, steps, rate, seed, patience, groups=seeds)
    return jax.tree_util.tree_map(
        lambda x: jax.device_put(np.asarray(x).reshape(seeds, n, *x.shape[1:])), found
    )


def _taught(weight: np.ndarray, patience: int | None) -> np.ndarray:
    """All that a member learns from, or its first nine tenths."""
    if patience is None:
        return weight
    return weight * (np.cumsum(weight, axis=1) <= 0.9 * np.sum(weight, axis=1, keepdims=True))


def lesson_check(parameters: Any, batch: Any) -> Array:
    """The loss on what was kept back."""
    return lesson_loss({**parameters, "weight": parameters["check"]}, batch, None)[0]


def lesson_loss(parameters: Any, batch: Any, key: Any) -> tuple[Array, dict[str, Array]]:
    """Mean absolute errors over the samples that a member learns from."""
    weight = jax.lax.stop_gradient(parameters["weight"])
    out = held(parameters)(features(batch["energy"][0]))
    friction = jnp.sum(weight * jnp.abs(out[:, 0] - batch["friction"][0])) / jnp.sum(weight)
    known = weight * batch["known"][0]
    time = jnp.sum(known * jnp.abs(out[:, 1] - batch["time"][0]))
    time = time / jnp.maximum(jnp.sum(known), 1)
    return friction + 0.5 * time, {"friction": friction, "time": time}


def tune_images(
    network: Any, energy: Array, friction: Array, part: str, *, causal: bool = True,
    begin: int = 0, steps: int = STEPS, rate: float = RATE, seed: int = 0,
) -> Any:  # fmt: skip
    """Encoder-decoders (seeds, ...) tuned on a span in its own units.

    Arguments:
        network: with a leading axis of seeds.
        energy: (n,), standardised log energy.
        friction: (n,), standardised, without the relaxation of its level.
        part: see `training.parts`.
        causal: transform of the emission.
        begin: first sample to learn from.
        steps: of Adam, 8 images each.
        rate: of Adam at the start.
        seed: of the order of the images.
    """
    seeds = leading(network)[0]
    ends = jnp.linspace(begin, energy.shape[0] - 1, IMAGES).astype(int)
    seen = emission_image(energy, causal)
    target, rest = friction_image(friction)
    data = {
        "image": jax.vmap(lambda k: columns(seen, k))(ends),
        "target": jax.vmap(lambda k: columns(target, k))(ends),
        "friction": jax.vmap(lambda k: columns(friction[None], k)[0])(ends),
        "rest": rest[ends],
        "weight": jnp.broadcast_to(asked(causal), (IMAGES, COLUMNS)),
    }
    parameters = {"network": network, "tuned": mask_of(network, part, seeds)}
    return _train(image_lesson, parameters, data, 8, steps, rate, seed)


def image_lesson(parameters: Any, batch: Any, key: Any) -> tuple[Array, dict[str, Array]]:
    """As on simulations."""
    network = held(parameters)
    names = ("image", "target", "friction", "rest", "weight")
    each = [batch[name] for name in names]
    scalogram, friction = jax.vmap(lambda *x: image_errors(network, *x))(*each)
    terms = {"scalogram": jnp.mean(scalogram), "friction": jnp.mean(friction)}
    return terms["scalogram"] + EMPHASIS * terms["friction"], terms


def mask_of(network: Any, part: str, members: int) -> Any:
    """1 where a parameter is tuned, 0 where it is held; a number for each member."""
    return jax.tree_util.tree_map(
        lambda own: np.full(members, float(own), np.float32), training.parts(network, part)
    )


def held(parameters: Any) -> Any:
    """The network, with no gradient to what is not tuned."""
    arrays, static = eqx.partition(parameters["network"], eqx.is_inexact_array)
    arrays = jax.tree_util.tree_map(
        lambda w, own: jnp.where(own > 0.5, w, jax.lax.stop_gradient(w)), arrays,
        jax.lax.stop_gradient(parameters["tuned"]),
    )  # fmt: skip
    return eqx.combine(arrays, static)


def _train(
    loss: Any, parameters: Any, data: Any, batch: int | None, steps: int, rate: float, seed: int,
    patience: int | None = None, groups: int = 1,
) -> Any:  # fmt: skip
    """The network of the last step of a cosine, or of the best if there is patience.

    On a processor groups of members are trained side by side, on a core each.
    """
    rows = jax.tree_util.tree_leaves(data)[0].shape[0]
    a_pass = 1 if batch is None else rows // batch
    epochs = max(steps // a_pass, 1) if patience is None else 600
    members = leading(parameters["network"])[0]
    keys = jax.random.split(jax.random.key(seed), members)
    every = math.gcd(epochs, EVERY)
    cosine = {"rate": rate, "steps": epochs * a_pass}
    parameters |= {name: np.full(members, x, np.float32) for name, x in cosine.items()}

    def train(some: slice) -> Any:
        those = jax.tree_util.tree_map(lambda x: np.asarray(x)[some], parameters)
        trained = training.train(
            loss, those, data, key=keys[some],
            optimiser=_optimiser(), epochs=epochs, batch_size=batch,
            evaluate_every=every if patience is None else 10, clip=1.0, explosion=1e9,
            validation=None if patience is None else data,
            metric=None if patience is None else lesson_check, patience=patience,
        )  # fmt: skip
        return (trained.last if patience is None else trained.parameters)["network"]

    if groups == 1 or jax.default_backend() != "cpu":
        return train(slice(None))
    size = members // groups
    each = [slice(k * size, (k + 1) * size) for k in range(groups)]
    found = [train(each[0])]  # compiled once
    found += in_threads(train, each[1:])
    return jax.tree_util.tree_map(lambda *x: np.concatenate(x), *found)


def _optimiser() -> optax.GradientTransformation:
    """Adam with a cosine whose height and length are numbers among the parameters.

    A program then serves all of them. They have no gradient, and what is held has none either:
    Adam leaves both where they are.
    """
    adam = optax.scale_by_adam()

    def update(gradient: Any, state: Any, parameters: Any) -> tuple[Any, Any]:
        passed = jnp.minimum(state.count / parameters["steps"], 1.0)
        share = LAST + (1 - LAST) * 0.5 * (1 + jnp.cos(jnp.pi * passed))
        step, state = adam.update(gradient, state, parameters)
        rate = -parameters["rate"] * share
        return jax.tree_util.tree_map(lambda x: (rate * x).astype(x.dtype), step), state

    return optax.GradientTransformation(adam.init, update)

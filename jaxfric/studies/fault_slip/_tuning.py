"""Adapting a trained network to the cycles of a laboratory that have been seen."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from jaxfric.studies.fault_slip import _rates
from jaxfric.studies.fault_slip._ask import FOLDS, STEPS
from jaxfric.studies.fault_slip._features import features
from jaxfric.studies.fault_slip._image_training import EMPHASIS, error_weights, image_errors
from jaxfric.studies.fault_slip._images import COLUMNS, columns, emission_image, friction_image
from jaxfric.studies.fault_slip._reading import leading
from jaxfric.studies.fault_slip._training import TIME_WEIGHT
from jaxfric.studies.fault_slip._tuning_loop import Parameters, held, mask_of, tuned_network

HELD_BACK = 0.1  # share of the samples that validate where there is patience, as in the paper
# Samples that a span is padded to: a program for each length, whatever the span. The first holds
# six cycles of p4581 (573 samples), and each next twice as many.
LENGTHS = (650, 1300, 2600, 5200, 10400)
# Images cut from a span, whatever its length: a program serves all. They overlap, so that a longer
# span has them further apart.
IMAGES = 480


class Lesson(NamedTuple):
    """What may be learnt from: a span of a record, in its own units.

    Attributes:
        energy: (n,), standardised log energy.
        friction: (n,), standardised friction without the relaxation of its level.
        time: (n,), time to failure over the recurrence.
        known: (n,), where that is known.
        weight: (members, n), which samples each member learns from.
    """

    energy: Float[np.ndarray, " n"]
    friction: Float[np.ndarray, " n"]
    time: Float[np.ndarray, " n"]
    known: Bool[np.ndarray, " n"]
    weight: Float[np.ndarray, "members n"]

    @property
    def members(self) -> int:
        """How many networks of an ensemble learn from it."""
        return int(self.weight.shape[0])


def folds(
    starts: Int[np.ndarray, " failures"], begin: int, end: int, most: int = FOLDS
) -> Float[np.ndarray, "members end"]:
    """Samples that each member of an ensemble learns from: each leaves out another cycle.

    Neighbouring samples are alike: a member that left out single samples would learn the same as
    all others. One that has not seen a cycle differs from them by what that cycle teaches, and the
    spread of the members tells how much the answer hangs on the few cycles there are.

    Arguments:
        starts: indices where failures start.
        begin: first sample to learn from.
        end: samples seen.
        most: members.

    Returns:
        (members, end), 1 for samples to learn from; a single member, which leaves out none, if
        there are fewer than three cycles.
    """
    cycle = np.searchsorted(starts, np.arange(end), side="right")
    seen = np.arange(end) >= begin
    counts = {int(c): int(np.sum(seen & (cycle == c))) for c in np.unique(cycle[seen])}
    # Stumps at both ends are no cycles: to leave one out would change little
    whole = [c for c, n in counts.items() if n >= 0.3 * max(counts.values())]
    if len(whole) < 3:
        return seen[None].astype(np.float32)
    # With more cycles than members each leaves out several in a row
    left_out = np.array_split(np.array(whole), min(most, len(whole)))
    return np.stack([seen & ~np.isin(cycle, c) for c in left_out]).astype(np.float32)


def tune_sequence(
    network: PyTree, lesson: Lesson, part: str, *, steps: int = STEPS, rate: float = _rates.TUNING,
    patience: int | None = None, seed: int = 0,
) -> PyTree:  # fmt: skip
    """Sequence networks tuned on the lesson.

    All parts share one program: what is not tuned is held by a mask of numbers. With a patience,
    the last tenth of the samples of each member validates, and the best of at most 600 steps is
    taken once so many have passed without a better one.

    Arguments:
        network: `networks.EmissionGRU` with a leading axis of seeds.
        lesson: what may be learnt from.
        part: see `training.parts`.
        steps: of Adam; with a patience they are not counted.
        rate: of Adam at the start.
        patience: steps; see above.
        seed: of the training.

    Returns:
        The networks with leading axes (seeds, members).
    """
    seeds, n = leading(network)[0], lesson.members
    padded = next((k for k in LENGTHS if k >= lesson.energy.shape[0]), lesson.energy.shape[0])

    def pad(x: Float[np.ndarray, "*n m"] | Bool[np.ndarray, " m"]) -> Float[np.ndarray, "..."]:
        # With zeros, in `weight` too: what fills up teaches nothing
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
    found = tuned_network(
        lesson_loss, parameters, data, batch_size=None, steps=steps, rate=rate, seed=seed,
        patience=patience, check=lesson_check, groups=seeds,
    )  # fmt: skip
    return jax.tree_util.tree_map(
        lambda x: jax.device_put(np.asarray(x).reshape(seeds, n, *x.shape[1:])), found
    )


def _taught(
    weight: Float[np.ndarray, "members n"], patience: int | None
) -> Float[np.ndarray, "members n"]:
    """All that a member learns from, or its first nine tenths: the end of a span validates."""
    if patience is None:
        return weight
    learned = (1 - HELD_BACK) * np.sum(weight, axis=1, keepdims=True)
    return weight * (np.cumsum(weight, axis=1) <= learned)


def lesson_check(parameters: Parameters, batch: dict[str, Array]) -> Array:
    """The loss on the samples that were kept back; arguments as of `lesson_loss`."""
    return lesson_loss({**parameters, "weight": parameters["check"]}, batch, None)[0]


def lesson_loss(
    parameters: Parameters, batch: dict[str, Array], key: Array | None
) -> tuple[Array, dict[str, Array]]:
    """Mean absolute errors over the samples that a member learns from, as on simulations.

    Arguments:
        parameters: of one member.
        batch: energy, friction, time and known of a `Lesson`, each (1, n).
        key: not used; a lesson is learnt whole at every step.

    Returns:
        (loss, its terms).
    """
    # All arrays of the parameters are differentiated, and the weights are no parameters
    weight = jax.lax.stop_gradient(parameters["weight"])
    out = held(parameters)(features(batch["energy"][0]))
    friction = jnp.sum(weight * jnp.abs(out[:, 0] - batch["friction"][0])) / jnp.sum(weight)
    known = weight * batch["known"][0]
    time = jnp.sum(known * jnp.abs(out[:, 1] - batch["time"][0]))
    time = time / jnp.maximum(jnp.sum(known), 1)
    return friction + TIME_WEIGHT * time, {"friction": friction, "time": time}


def tune_images(
    network: PyTree, energy: Float[Array, " n"], friction: Float[Array, " n"], part: str, *,
    causal: bool = True, begin: int = 0, steps: int = STEPS, rate: float = _rates.TUNING,
    seed: int = 0,
) -> PyTree:  # fmt: skip
    """Encoder-decoders tuned on a span in its own units.

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

    Returns:
        The networks with a leading axis of seeds.
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
        "weight": jnp.broadcast_to(error_weights(causal), (IMAGES, COLUMNS)),
    }
    parameters = {"network": network, "tuned": mask_of(network, part, seeds)}
    return tuned_network(
        image_lesson, parameters, data, batch_size=8, steps=steps, rate=rate, seed=seed
    )


def image_lesson(
    parameters: Parameters, batch: dict[str, Array], key: Array
) -> tuple[Array, dict[str, Array]]:
    """The loss of `image_loss` on images of a span.

    Arguments:
        parameters: of one network.
        batch: arguments of `image_errors` by name, with a leading axis of images.
        key: not used.

    Returns:
        (loss, its terms).
    """
    network = held(parameters)
    names = ("image", "target", "friction", "rest", "weight")
    columns_of_batch = [batch[name] for name in names]
    scalogram, friction = jax.vmap(lambda *x: image_errors(network, *x))(*columns_of_batch)
    terms = {"scalogram": jnp.mean(scalogram), "friction": jnp.mean(friction)}
    return terms["scalogram"] + EMPHASIS * terms["friction"], terms

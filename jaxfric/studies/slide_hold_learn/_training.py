"""One training of the study, and what it came to."""

import time
from dataclasses import asdict
from functools import cache
from typing import TypedDict, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float

from jaxfric import ratestate, training
from jaxfric.studies._kit import Keeper
from jaxfric.studies.slide_hold_learn._data import NOISE, Sequences, sequences
from jaxfric.studies.slide_hold_learn._metrics import errors, peak_after_hold, predict, summary
from jaxfric.studies.slide_hold_learn._presets import Case, Preset
from jaxfric.studies.slide_hold_learn._recipes import RECIPES, FrictionNetwork
from jaxfric.studies.slide_hold_learn._summary import Run

SHOWN = 4  # test sequences of which a figure shows the whole
EVOLUTIONS = {"aging": ratestate.Aging(), "slip": ratestate.Slip()}
# Validation sequences come from seeds that neither training (0, 1, …) nor testing draws from
VALIDATION_SEED, VALIDATION = 10**5, 200
# With patience, one in five training sequences decides when to stop: a recipe that says how many
# sequences it learns from may not take more for this.
HELD_OUT = 5
CURVE = 20  # points of the loss curve of a training without patience
# Gradients of a recurrent network explode now and then, as they are products over all samples. The
# norm at which they are cut is the paper's remedy, and ours.
CLIP = 1.0
Tree = TypeVar("Tree")


class ShownSequences(TypedDict):
    """What figures show of a training: lists, as JSON knows no arrays."""

    velocity: list[list[float]]
    change: list[list[float]]
    predicted: list[list[float]]
    rel_mu: list[float]


class TrainedCase(TypedDict):
    """What came of a training: numbers of the table; for the first seed, what figures show."""

    row: Run
    shown: ShownSequences | None


def draw(jumps: str, evolution: str, noise: str, n: int, seed: int) -> Sequences:
    """Sequences of a case, in single precision as the networks.

    Arguments:
        jumps: "free" or "grid".
        evolution: of `EVOLUTIONS`.
        noise: "clean" or "noisy".
        n: number of sequences.
        seed: that they are drawn from.
    """
    data: Sequences = jax.tree_util.tree_map(
        lambda x: x.astype(jnp.float32),
        sequences(
            n, key=jax.random.key(seed), evolution=EVOLUTIONS[evolution], grid=jumps == "grid",
            noise=NOISE if noise == "noisy" else 0.0,
        ),
    )  # fmt: skip
    return data


def single(network: Tree) -> Tree:
    """A network with weights in single precision, whatever the simulations run in."""
    in_single: Tree = jax.tree_util.tree_map(lambda x: x.astype(jnp.float32), network)
    return in_single


def train_case(case: Case, keeper: Keeper[Preset], test: Sequences) -> TrainedCase:
    """One training and its errors; the network of the first seed is kept.

    Arguments:
        case: what to train on what.
        keeper: of the study's folder, which gets the network.
        test: sequences to test on.
    """
    recipe = RECIPES[case.recipe]
    data = draw(case.jumps, case.evolution, case.noise, case.size, case.seed)
    began = time.perf_counter()
    trained = _trained(case, data, keeper.plan.gradient_steps(case))
    seconds = time.perf_counter() - began
    # Patience keeps the best of the validation; a cosine is followed to its end
    best = trained.parameters if recipe.patience is not None else trained.last
    # Against noisy targets where those of training are: a choice between networks may not see what
    # no laboratory would
    validation = draw(
        case.jumps, case.evolution, case.noise, VALIDATION, VALIDATION_SEED + case.seed
    )
    predicted = predict(best, test, recipe.slip)
    validated = summary(predict(best, validation, recipe.slip), validation.target)
    row: Run = {
        **asdict(case),
        **summary(predicted, test.change),
        "peak_after_hold": peak_after_hold(predicted, test),
        "validation_rel_mu": validated["rel_mu"],
        "minimal_loss": float(trained.best_metric),
        "loss": np.asarray(trained.history["loss"], float).tolist(),
        "steps": int(trained.steps),
        "seconds": seconds,
    }
    if case.seed > 0:
        return {"row": row, "shown": None}
    keeper.save(case.name, best, **asdict(case))
    return {"row": row, "shown": _shown(predicted, test)}


def _trained(case: Case, data: Sequences, steps: int) -> training.Trained:
    """Train a case for so many gradient steps, or fewer if its recipe has patience."""
    recipe = RECIPES[case.recipe]
    held, metric = None, None
    if recipe.patience is not None:
        count = max(case.size // HELD_OUT, 1)
        held = jax.tree_util.tree_map(lambda x: x[:count], data)
        data = jax.tree_util.tree_map(lambda x: x[count:], data)
        metric = _held_out_error
    n = data.velocity.shape[0]
    batch = min(recipe.batch(case.size), n)
    per_epoch = n // batch
    epochs = max(steps // per_epoch, 1)
    # Between evaluations nothing leaves the device, and whole numbers of them share one program
    every = 1 if recipe.patience is not None else max(epochs // CURVE, 1)
    epochs -= epochs % every
    return training.train(
        recipe.noisy_loss if case.noise == "noisy" else recipe.loss,
        single(recipe.build(nnx.Rngs(case.seed))), data,
        key=jax.random.key(case.seed), optimiser=_optimiser(case.recipe, epochs * per_epoch),
        epochs=epochs, batch_size=batch, validation=held, metric=metric,
        patience=recipe.patience, clip=CLIP, evaluate_every=every,
    )  # fmt: skip


@cache
def _optimiser(recipe: str, steps: int) -> optax.GradientTransformation:
    """The same object for the same schedule, so that seeds share a compiled program."""
    return RECIPES[recipe].optimiser(steps)


def _held_out_error(network: FrictionNetwork, data: Sequences) -> Float[Array, ""]:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return jnp.mean(jnp.abs(predicted - data.target))


def _shown(predicted: Float[Array, "n m"], test: Sequences) -> ShownSequences:
    """The first test sequences, and every error."""
    return {
        "predicted": np.asarray(predicted[:SHOWN], float).tolist(),
        "change": np.asarray(test.change[:SHOWN], float).tolist(),
        "velocity": np.asarray(test.velocity[:SHOWN], float).tolist(),
        "rel_mu": np.asarray(errors(predicted, test.change)[1], float).tolist(),
    }

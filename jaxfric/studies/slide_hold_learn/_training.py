"""One training of the study, and what it came to."""

import time
from dataclasses import asdict
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array

from jaxfric import ratestate, training
from jaxfric.studies._kit import Keeper
from jaxfric.studies.slide_hold_learn._data import NOISE, Sequences, sequences
from jaxfric.studies.slide_hold_learn._figures import SHOWN
from jaxfric.studies.slide_hold_learn._metrics import errors, peak_after_hold, predict, summary
from jaxfric.studies.slide_hold_learn._presets import Case, Preset
from jaxfric.studies.slide_hold_learn._recipes import RECIPES

EVOLUTIONS = {"aging": ratestate.Aging(), "slip": ratestate.Slip()}
# Validation sequences come from seeds that neither training (0, 1, …) nor testing draws from
VALIDATION_SEED, VALIDATION = 10**5, 200
HELD_OUT = 5  # with patience, one in five training sequences decides when to stop
CURVE = 20  # points of the loss curve of a training without patience
# Gradients of a recurrent network explode now and then: the paper's remedy, and ours
CLIP = 1.0


def draw(jumps: str, evolution: str, noise: str, n: int, seed: int) -> Sequences:
    """Sequences of a case, in single precision as the networks."""
    data: Sequences = jax.tree_util.tree_map(
        lambda x: x.astype(jnp.float32),
        sequences(
            n, key=jax.random.key(seed), evolution=EVOLUTIONS[evolution], grid=jumps == "grid",
            noise=NOISE if noise == "noisy" else 0.0,
        ),
    )  # fmt: skip
    return data


def single(network: Any) -> Any:
    """A network with weights in single precision."""
    return jax.tree_util.tree_map(lambda x: x.astype(jnp.float32), network)


def train_case(case: Case, keeper: Keeper[Preset], test: Sequences) -> dict[str, Any]:
    """One training and its errors; the network of the first seed is kept.

    Returns:
        row: numbers of the table; shown: arrays for the figures, of the first seed.
    """
    recipe = RECIPES[case.recipe]
    data = draw(case.jumps, case.evolution, case.noise, case.size, case.seed)
    began = time.perf_counter()
    trained = _trained(case, data, keeper.plan.gradient_steps(case))
    seconds = time.perf_counter() - began
    best = trained.parameters if recipe.patience is not None else trained.last
    validation = draw(
        case.jumps, case.evolution, case.noise, VALIDATION, VALIDATION_SEED + case.seed
    )
    predicted = predict(best, test, recipe.slip)
    validated = summary(predict(best, validation, recipe.slip), validation.target)
    row = {
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


def _held_out_error(network: Any, data: Sequences) -> Array:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return jnp.mean(jnp.abs(predicted - data.target))


def _shown(predicted: Array, test: Sequences) -> dict[str, Any]:
    """The first test sequences, and every error."""
    arrays = {"predicted": predicted, "change": test.change, "velocity": test.velocity}
    shown = {name: np.asarray(x[:SHOWN], float).tolist() for name, x in arrays.items()}
    rel_mu = errors(predicted, test.change)[1]
    return {**shown, "rel_mu": np.asarray(rel_mu, float).tolist()}

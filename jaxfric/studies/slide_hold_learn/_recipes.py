"""How each network of the study is built and trained."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array

from jaxfric import networks
from jaxfric.studies.slide_hold_learn._architectures import FrictionLSTM, FrictionTransformer
from jaxfric.studies.slide_hold_learn._data import Sequences


@dataclass(frozen=True)
class Recipe:
    """A network and its training.

    Arguments:
        build: rngs → network.
        loss: (network, sequences, key) → loss or (loss, terms); for clean targets.
        noisy_loss: the same for noisy targets.
        rate: learning rate.
        schedule: "cosine" (after a short warm-up) or "constant".
        batch: sequences per step, by the number of training sequences.
        patience: epochs, with the best of the validation kept; None trains to the end.
        slip: whether the network sees slip increments.
    """

    build: Callable[[nnx.Rngs], Any]
    loss: Callable[..., Any]
    noisy_loss: Callable[..., Any]
    rate: float
    schedule: str
    batch: Callable[[int], int]
    patience: int | None = None
    slip: bool = False

    def optimiser(self, steps: int) -> optax.GradientTransformation:
        """Adam at the recipe's rate."""
        if self.schedule == "constant":
            return optax.adam(self.rate)
        warm = min(100, steps // 10)
        return optax.adam(optax.warmup_cosine_decay_schedule(0.0, self.rate, warm, steps))


def _absolute(network: Any, data: Sequences, key: Any) -> Array:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return 100 * networks.mean_absolute(predicted, data.target)


def _squared(network: Any, data: Sequences, key: Any) -> Array:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return 1e4 * networks.mean_squared(predicted, data.target)


def _cell_squared(network: Any, data: Sequences, key: Any) -> Array:
    # With noise, what the linear read-out does not explain must pay for itself
    return _squared(network, data, key) + 0.01 * networks.l2(network.outputs)


def _from_slip(network: Any, data: Sequences, key: Any) -> Array:
    predicted = jax.vmap(lambda v, s: network(v, data.dt, s))(data.velocity, data.slip)
    return 100 * networks.mean_absolute(predicted, data.target)


def _paper(clean: bool) -> Callable[..., Any]:
    """MAE + initial value (clean only) + initial gradient + direct effect + L2 (noisy only)."""

    def loss(network: Any, data: Sequences, key: Any) -> tuple[Array, dict[str, Array]]:
        def one(velocity: Array, target: Array) -> dict[str, Array]:
            predicted, slope = networks.unroll_with_slopes(network, velocity, data.dt)
            terms = {
                "absolute": networks.mean_absolute(predicted, target),
                "initial_gradient": networks.initial_gradient(slope),
                "direct_effect": networks.direct_effect(slope, velocity),
            }
            if clean:
                terms["initial_value"] = networks.initial_value(predicted, target)
            return terms

        # The paper normalises friction; its range here is about a tenth
        terms = jax.vmap(one)(data.velocity, 10 * data.target)
        terms = {name: jnp.mean(x) for name, x in terms.items()}
        if not clean:
            terms["l2"] = 1e-5 * networks.l2(network)
        return jnp.sum(jnp.stack(list(terms.values()))), terms

    return loss


class _Normalised(nnx.Module):
    """The paper's network predicts friction over its range."""

    def __init__(self, network: Any):
        self.network = network

    def __call__(self, velocity: Any, dt: Any) -> Array:
        return 0.1 * self.network(velocity, dt)

    def initial(self, V: Any) -> Any:
        return self.network.initial(V)

    def step(self, hidden: Any, velocity: Any, dt: Any) -> tuple[Any, Array]:
        return self.network.step(hidden, velocity, dt)


def paper_network(rngs: nnx.Rngs) -> Any:
    """One GRU and a linear read-out of friction over its range."""
    return _Normalised(networks.FrictionGRU(64, rngs=rngs))


def _cell_batch(n: int) -> int:
    return min(n, 32)


def _gru_batch(n: int) -> int:
    return min(n, 10)  # at the same time spent, better than larger ones


_CELL = Recipe(
    lambda rngs: networks.FrictionCell(2, width=8, rngs=rngs),
    _absolute, _cell_squared, 0.03, "cosine", _cell_batch,
)  # fmt: skip

RECIPES = {
    # Batches of 32 / 10 / 1 / 1 for 10,000 / 1,000 / 100 / 10 sequences
    "paper": Recipe(
        paper_network,
        _paper(clean=True), _paper(clean=False), 1e-3, "constant",
        lambda n: 32 if n >= 10_000 else 10 if n >= 1000 else 1, patience=20,
    ),
    "gru": Recipe(
        lambda rngs: networks.FrictionGRU(
            64, log_velocity=True, output_scale=0.05, rngs=rngs
        ),
        _absolute, _squared, 5e-3, "cosine", _gru_batch,
    ),
    "stacked gru": Recipe(
        lambda rngs: networks.FrictionGRU(
            48, layers=2, log_velocity=True, output_scale=0.05, rngs=rngs
        ),
        _absolute, _squared, 5e-3, "cosine", _gru_batch,
    ),
    "lstm": Recipe(
        lambda rngs: FrictionLSTM(64, rngs=rngs),
        _absolute, _squared, 5e-3, "cosine", _gru_batch,
    ),
    "transformer": Recipe(
        lambda rngs: FrictionTransformer(32, rngs=rngs),
        _absolute, _squared, 3e-3, "cosine", _gru_batch,
    ),
    "cell": _CELL,
    "cell with slip": Recipe(
        _CELL.build, _from_slip, _from_slip, 0.03, "cosine", _cell_batch, slip=True
    ),
}  # fmt: skip

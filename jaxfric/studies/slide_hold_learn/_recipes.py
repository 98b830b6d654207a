"""How each network of the study is built and trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jaxtyping import Array, Float, Key, PyTree

from jaxfric import networks
from jaxfric._types import Number, Vector
from jaxfric.studies.slide_hold_learn._architectures import FrictionLSTM, FrictionTransformer
from jaxfric.studies.slide_hold_learn._data import Sequences

# (network, sequences, key) → loss, or (loss, its terms)
Loss: TypeAlias = Callable[..., Array | tuple[Array, dict[str, Array]]]


@runtime_checkable
class FrictionNetwork(Protocol):
    """A network of this study: velocity history → change of friction."""

    def __call__(self, velocity: Vector, dt: Number, /) -> Float[Array, " m"]:
        """Δμ at every sample of one sequence."""
        ...


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

    build: Callable[[nnx.Rngs], FrictionNetwork]
    loss: Loss
    noisy_loss: Loss
    rate: float
    schedule: str
    batch: Callable[[int], int]
    patience: int | None = None
    slip: bool = False

    def optimiser(self, steps: int) -> optax.GradientTransformation:
        """Adam at the recipe's rate, for so many steps."""
        if self.schedule == "constant":
            return optax.adam(self.rate)
        # The first gradients are those of random weights: the rate rises over a hundred steps, or a
        # tenth of them where they are few
        warm = min(100, steps // 10)
        return optax.adam(optax.warmup_cosine_decay_schedule(0.0, self.rate, warm, steps))


# Losses are in percent of friction, or in their squares. Mean absolute errors where targets are
# clean: that is what is scored. With noise of a normal distribution the mean is the better estimate
# of what lies below it, and squared errors ask for that.


def _absolute(network: FrictionNetwork, data: Sequences, key: Key[Array, ""]) -> Array:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return 100 * networks.mean_absolute(predicted, data.target)


def _squared(network: FrictionNetwork, data: Sequences, key: Key[Array, ""]) -> Array:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return 1e4 * networks.mean_squared(predicted, data.target)


def _cell_squared(network: networks.FrictionCell, data: Sequences, key: Key[Array, ""]) -> Array:
    # With noise, what the linear read-out does not explain must pay for itself
    return _squared(network, data, key) + 0.01 * networks.l2(network.outputs)


def _from_slip(network: networks.FrictionCell, data: Sequences, key: Key[Array, ""]) -> Array:
    # Slip increments tell where between two samples a jump fell, and lift the floor of free jumps
    predicted = jax.vmap(lambda v, s: network(v, data.dt, s))(data.velocity, data.slip)
    return 100 * networks.mean_absolute(predicted, data.target)


def _paper(clean: bool) -> Loss:
    """MAE + initial value (clean only) + initial gradient + direct effect + L2 (noisy only).

    Equation 10 of the paper. Its weights of the terms are not known; all are 1 here but that of L2.
    With noise the first target is not zero, so that its value is no condition any more, and weights
    must not grow to fit the noise.
    """

    def loss(
        network: "PaperNetwork", data: Sequences, key: Key[Array, ""]
    ) -> tuple[Array, dict[str, Array]]:
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


class PaperNetwork(nnx.Module):
    """A network that predicts friction over its range, as the paper's does.

    Called on a sequence it gives friction; `step`, which the losses unroll, gives what the inner
    network predicts.

    Arguments:
        network: that predicts friction over its range.
    """

    def __init__(self, network: networks.FrictionGRU):
        self.network = network

    def __call__(self, velocity: Vector, dt: Number) -> Float[Array, " m"]:
        return 0.1 * self.network(velocity, dt)

    def initial(self, V: Number) -> PyTree:
        """Hidden state before the first sample."""
        return self.network.initial(V)

    def step(
        self, hidden: PyTree, velocity: Number, dt: Number, slip: Number | None = None
    ) -> tuple[PyTree, Array]:
        """(hidden state, Δμ over the range of friction) one sample later."""
        return self.network.step(hidden, velocity, dt)


def paper_network(rngs: nnx.Rngs) -> PaperNetwork:
    """One GRU and a linear read-out of friction over its range."""
    # The number of units is not known; 64 is that of our GRU, so that the two differ in what the
    # network sees and how it is trained
    return PaperNetwork(networks.FrictionGRU(64, rngs=rngs))


def _cell_batch(n: int) -> int:
    return min(n, 32)


def _gru_batch(n: int) -> int:
    return min(n, 10)  # at the same time spent, better than larger ones


def _paper_batch(n: int) -> int:
    # 32 / 10 / 1 / 1 for 10,000 / 1,000 / 100 / 10 sequences: with few, weights are updated more
    # often for each time they are seen
    return 32 if n >= 10_000 else 10 if n >= 1000 else 1


def _common(build: Callable[[nnx.Rngs], FrictionNetwork], rate: float) -> Recipe:
    """The training that all networks share but the paper's and the cell."""
    return Recipe(
        build=build, loss=_absolute, noisy_loss=_squared, rate=rate, schedule="cosine",
        batch=_gru_batch,
    )  # fmt: skip


# The cell has 120 parameters with a meaning each, and takes a rate six times that of a GRU.
_CELL = Recipe(
    build=lambda rngs: networks.FrictionCell(2, width=8, rngs=rngs),
    loss=_absolute, noisy_loss=_cell_squared, rate=0.03, schedule="cosine", batch=_cell_batch,
)  # fmt: skip

# In V alone a hold and slow sliding look the same: ln V, which all but the paper's network see,
# matters most. Changes of friction are some hundredths, hence the scale of the outputs.
RECIPES = {
    # The paper stops after 20 epochs without improvement, or 50 with few or noisy sequences
    "paper": Recipe(
        build=paper_network, loss=_paper(clean=True), noisy_loss=_paper(clean=False), rate=1e-3,
        schedule="constant", batch=_paper_batch, patience=20,
    ),
    "gru": _common(
        lambda rngs: networks.FrictionGRU(64, log_velocity=True, output_scale=0.05, rngs=rngs),
        5e-3,
    ),
    "stacked gru": _common(
        lambda rngs: networks.FrictionGRU(
            48, layers=2, log_velocity=True, output_scale=0.05, rngs=rngs
        ),
        5e-3,
    ),
    "lstm": _common(lambda rngs: FrictionLSTM(64, rngs=rngs), 5e-3),
    "transformer": _common(lambda rngs: FrictionTransformer(32, rngs=rngs), 3e-3),
    "cell": _CELL,
    "cell with slip": replace(_CELL, loss=_from_slip, noisy_loss=_from_slip, slip=True),
}  # fmt: skip

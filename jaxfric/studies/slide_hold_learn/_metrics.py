"""Errors of predicted sequences, in the two norms that the paper may have meant."""

from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric.studies.slide_hold_learn._data import MU, Sequences


def errors(
    predicted: Float[Array, "n m"], true: Float[Array, "n m"]
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Relative errors of each sequence, in percent.

    rel-Δμ = 100 ‖ŷ − y‖₂/‖y‖₂ and rel-μ = 100 mean|ŷ − y|/mean|μ|, μ = 0.415 + y. The first is
    not finite where friction does not change, that is, where no jump falls between samples.

    The paper prints "average errors" in percent and says neither of what nor in which norm. As
    changes are about a tenth of friction, the two differ by an order of magnitude.

    Arguments:
        predicted: (n, m), Δμ.
        true: (n, m), Δμ without noise.

    Returns:
        (rel-Δμ, rel-μ).
    """
    miss = predicted - true
    change = 100 * jnp.linalg.norm(miss, axis=1) / jnp.linalg.norm(true, axis=1)
    friction = 100 * jnp.mean(jnp.abs(miss), axis=1) / jnp.mean(jnp.abs(MU + true), axis=1)
    return change, friction


# A network of this study: (velocity, dt[, slip]) → Δμ of one sequence
Predictor: TypeAlias = Callable[..., Array]


def score(network: Predictor, data: Sequences, *, slip: bool = False) -> dict[str, float]:
    """Mean and median errors of a network over sequences, in percent.

    Arguments:
        network: (velocity, dt[, slip]) → Δμ.
        data: sequences; errors are against the truth without noise.
        slip: give the network the slip increments.

    Returns:
        rel_mu, rel_mu_median, rel_change, rel_change_median.
    """
    return summary(predict(network, data, slip), data.change)


def summary(predicted: Float[Array, "n m"], true: Float[Array, "n m"]) -> dict[str, float]:
    """`errors` as means and medians; rel-Δμ over the sequences in which friction changes at all.

    The median beside the mean, because the relative error of a sequence in which little happens is
    large whatever the prediction, and a few of them rule the mean.

    Arguments:
        predicted: (n, m), Δμ.
        true: (n, m), Δμ without noise.

    Returns:
        rel_mu, rel_mu_median, rel_change, rel_change_median.
    """
    change, friction = (np.asarray(x, float) for x in errors(predicted, true))
    change = change[np.any(np.asarray(true) != 0, axis=1)]
    return {
        "rel_mu": float(friction.mean()),
        "rel_mu_median": float(np.median(friction)),
        "rel_change": float(change.mean()),
        "rel_change_median": float(np.median(change)),
    }


@eqx.filter_jit
def predict(network: Predictor, data: Sequences, slip: bool = False) -> Float[Array, "n m"]:
    """Δμ of every sequence.

    Arguments:
        network: (velocity, dt[, slip]) → Δμ.
        data: sequences.
        slip: give the network the slip increments.
    """

    def one(sequence: tuple[Array, Array]) -> Array:
        velocity, increments = sequence
        return network(velocity, data.dt, increments) if slip else network(velocity, data.dt)

    # In batches: a transformer compares all samples of a sequence with each other, which for
    # thousands of sequences at once would fill the memory
    return jax.lax.map(one, (data.velocity, data.slip), batch_size=500)


def peak_after_hold(predicted: Float[Array, "n m"], data: Sequences) -> float:
    """Mean error at the first sample after each hold, in percent of the jump there.

    The peak is where networks differ most: what has healed in the hold and the direct effect meet
    there, and friction falls off from it within a few samples.

    Arguments:
        predicted: (n, m), Δμ.
        data: the sequences that were predicted.
    """
    # Sequences hold at 1e-8 and else slide some orders of magnitude faster
    held = np.asarray(data.velocity) < 1e-4
    after = held[:, :-1] & ~held[:, 1:]
    true = np.asarray(data.change, float)
    jump = np.diff(true, axis=1)[after]
    miss = (np.asarray(predicted, float) - true)[:, 1:][after]
    return float(100 * np.mean(np.abs(miss) / np.abs(jump)))

"""Errors of predicted sequences, in the two norms that the paper may have meant."""

from typing import Any

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


def score(network: Any, data: Sequences, *, slip: bool = False) -> dict[str, float]:
    """Mean and median errors of a network over sequences, in percent.

    Arguments:
        network: (velocity, dt[, slip]) → Δμ.
        data: sequences; errors are against the truth without noise.
        slip: give the network the slip increments.

    Returns:
        rel_mu, rel_mu_median, rel_change, rel_change_median.
    """
    return summary(predict(network, data, slip), data.change)


def summary(predicted: Array, true: Array) -> dict[str, float]:
    """`errors` as means and medians; rel-Δμ over the sequences in which friction changes at all."""
    change, friction = (np.asarray(x, float) for x in errors(predicted, true))
    change = change[np.any(np.asarray(true) != 0, axis=1)]
    return {
        "rel_mu": float(friction.mean()),
        "rel_mu_median": float(np.median(friction)),
        "rel_change": float(change.mean()),
        "rel_change_median": float(np.median(change)),
    }


@eqx.filter_jit
def predict(network: Any, data: Sequences, slip: bool = False) -> Float[Array, "n m"]:
    """Δμ of every sequence."""
    one = lambda v, s: network(v, data.dt, s) if slip else network(v, data.dt)  # noqa: E731
    return jax.lax.map(lambda each: one(*each), (data.velocity, data.slip), batch_size=500)


def peak_after_hold(predicted: Array, data: Sequences) -> float:
    """Mean error at the first sample after each hold, in percent of the jump there."""
    held = np.asarray(data.velocity) < 1e-4
    after = held[:, :-1] & ~held[:, 1:]
    true = np.asarray(data.change, float)
    jump = np.diff(true, axis=1)[after]
    miss = (np.asarray(predicted, float) - true)[:, 1:][after]
    return float(100 * np.mean(np.abs(miss) / np.abs(jump)))

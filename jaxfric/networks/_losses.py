"""Loss terms of the paper and its appendix, for one sequence each; average over a batch.

Equations are numbered as in "Neural Networks and Friction: Slide, Hold, Learn" and its appendix A.
None of the terms has a weight here: the sum, equations 10 and 16, is the study's.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree


def mean_absolute(predicted: Float[Array, "*m"], true: Float[Array, "*m"]) -> Float[Array, ""]:
    """Mean absolute error: Σ_k |ŷ_k − y_k| / m.

    Arguments:
        predicted: (m,).
        true: (m,).
    """
    # Equation 4, the term that makes the network follow the data
    return jnp.mean(jnp.abs(predicted - true))


def mean_squared(predicted: Float[Array, "*m"], true: Float[Array, "*m"]) -> Float[Array, ""]:
    """Mean squared error: Σ_k (ŷ_k − y_k)² / m.

    Arguments:
        predicted: (m,).
        true: (m,).
    """
    # Equation 12: what the appendix has in place of equation 4
    return jnp.mean((predicted - true) ** 2)


def initial_value(predicted: Float[Array, " m"], true: Float[Array, " m"]) -> Float[Array, ""]:
    """Error of the first sample: (ŷ_1 − y_1)².

    Arguments:
        predicted: (m,).
        true: (m,).
    """
    # Equation 5. Targets are changes since the first sample, so that it is zero without noise; the
    # network does not know that by construction
    return (predicted[0] - true[0]) ** 2


def initial_gradient(slope: Float[Array, " m"]) -> Float[Array, ""]:
    """Steadiness of the start: (∂ŷ_1/∂x_1)².

    Arguments:
        slope: (m,), instantaneous derivative ∂ŷ_k/∂V_k of `unroll_with_slopes`.
    """
    # Equation 6: every sequence begins in steady sliding, where no velocity has changed yet
    return slope[0] ** 2


def direct_effect(slope: Float[Array, " m"], velocity: Float[Array, " m"]) -> Float[Array, ""]:
    """Constancy of the direct effect: Σ_k (V_{k+1} ∂ŷ_{k+1}/∂V_{k+1} − V_k ∂ŷ_k/∂V_k)².

    V ∂ŷ/∂V is the parameter a of rate-and-state friction; in a hold V = 0 masks it.

    Arguments:
        slope: (m,), instantaneous derivative of `unroll_with_slopes`.
        velocity: (m,).
    """
    # Equation 9. It asks that V ∂ŷ/∂V be constant, not that it have a certain value: that the
    # direct effect is logarithmic is known from experiments, how large it is the data must tell
    return jnp.sum(jnp.diff(velocity * slope) ** 2)


def jump_sizes(
    predicted: Float[Array, " m"], true: Float[Array, " m"], jumps: Bool[Array, " m"]
) -> Float[Array, ""]:
    """Sizes of the jumps: Σ_j (Δŷ_j − Δy_j)² over the samples right after a jump.

    Arguments:
        predicted: (m,).
        true: (m,).
        jumps: (m,), true where the velocity differs from that of the sample before.
    """
    # Equation 13. Errors that are the same before and after a jump cancel: its size alone counts
    error = jnp.diff(predicted - true)
    return jnp.sum(jnp.where(jumps[1:], error, 0.0) ** 2)


def healing(
    predicted: Float[Array, " m"], true: Float[Array, " m"], hold: Bool[Array, " m"]
) -> Float[Array, ""]:
    """Growth in a hold: mean over its samples of the squared error of Δŷ per step of ln(time held).

    In a hold friction grows with the logarithm of the time held; the slope dŷ/d ln t is compared
    from sample to sample.

    Arguments:
        predicted: (m,).
        true: (m,).
        hold: (m,), true at the samples of the hold.
    """
    # Equations 14 and 15. Samples are equally spaced, so that the time held is counted in samples:
    # 1, 2, 3 … in the hold and 0 outside. The count goes on in a second hold; the paper's sequences
    # have one each
    held = jnp.cumsum(hold) * hold
    inside = (held[:-1] > 0) & (held[1:] > held[:-1])  # both ends of the difference are in the hold
    # ln(k + 1) − ln k; the maximum keeps 1/0 out of the samples that do not count
    step = jnp.log1p(1.0 / jnp.maximum(held[:-1], 1).astype(predicted.dtype))
    error = jnp.diff(predicted - true) / step
    # Without a hold the sum is zero, and so is the mean
    return jnp.sum(jnp.where(inside, error, 0.0) ** 2) / jnp.maximum(jnp.sum(inside), 1)


def l2(parameters: PyTree) -> Float[Array, ""]:
    """Sum of squares of all weights.

    Arguments:
        parameters: a network or any pytree.
    """
    # Section II.3.3: added where targets are noisy, so that weights do not grow to fit the noise
    leaves = jax.tree_util.tree_leaves(eqx.filter(parameters, eqx.is_inexact_array))
    return jnp.sum(jnp.stack([jnp.sum(x**2) for x in leaves]))

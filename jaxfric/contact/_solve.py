"""The indentation at which a surface carries a load."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric.contact._profile import Profile, power
from jaxfric.contact._sums import load_and_stiffness, load_dense

MAX_STEPS = 50
PAIRS = 96  # asperities up to which summing pairs is cheaper than sorting


@jax.custom_jvp
def indentation(
    gap: Float[Array, " n"], profile: Profile, load: Float[Array, " m"]
) -> Float[Array, " m"]:
    """x with Σ K (x − gap)_+^q = load, for load >= 0; `gap` is the depth below the highest.

    With one exponent q for all, load^(1/q) is convex in x (it is a weighted q-norm), so Newton's
    iteration from above falls monotonically on the solution; with mixed exponents that holds for
    the load itself.
    """
    gap, profile = jax.lax.optimization_barrier((gap, profile))  # one value of each, not several
    scalar_q = profile.q is None or profile.q.ndim == 0
    q = jnp.asarray(1.5, gap.dtype) if profile.q is None else profile.q
    root = power(load, 1 / q) if scalar_q else load
    start = (
        _start_common(gap, profile.K, root, q) if scalar_q else _start_single(gap, profile, load)
    )
    # A step from an error e leaves some e^1.5 (contacts set in as δ^1.5): the last needs no check.
    eps = jnp.finfo(gap.dtype).eps
    tolerance = eps ** (2 / 3)

    def newton(carry):  # type: ignore[no-untyped-def]
        x, _, step = carry
        P, D = load_and_stiffness(gap, profile, x)
        # with g = P^(1/q): (g − load^(1/q)) / g' = q (P − P^(1−1/q) load^(1/q)) / P'
        excess = q * (P - power(P, 1 - 1 / q) * root) if scalar_q else P - load
        new = x - jnp.where(D > 0, excess / jnp.where(D > 0, D, 1.0), 0.0)
        new = jnp.where(load > 0, jnp.maximum(new, 0.0), 0.0)
        done = (jnp.abs(P - load) <= tolerance * load) | (jnp.abs(new - x) <= 2 * eps * x)
        return new, done, step + 1

    def unfinished(carry):  # type: ignore[no-untyped-def]
        _, done, step = carry
        return ~jnp.all(done) & (step < MAX_STEPS)

    return jax.lax.while_loop(unfinished, newton, (start, jnp.zeros(load.shape, bool), 0))[0]


@indentation.defjvp
def _indentation_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    # Implicit: dx = (dP − ∂_surface P) / ∂_x P. Everything here differentiates again.
    gap, profile, load = primals
    gap_dot, profile_dot, load_dot = tangents
    x = indentation(gap, profile, load)
    _, at_fixed_x = jax.jvp(
        lambda gap, profile: load_dense(gap, profile, x), (gap, profile), (gap_dot, profile_dot)
    )
    _, stiffness = jax.jvp(lambda x: load_dense(gap, profile, x), (x,), (jnp.ones_like(x),))
    touching = stiffness > 0
    change = (load_dot - at_fixed_x) / jnp.where(touching, stiffness, 1.0)
    return x, jnp.where(touching, change, 0.0)


def _start_common(gap, K, root, q):  # type: ignore[no-untyped-def]
    """min_k [mean gap of the k highest + (load / Σ_{i≤k} K_i)^(1/q)] ≥ x, by Jensen's inequality.

    The mean is weighted by K.
    """
    if gap.shape[0] <= PAIRS:  # a sum over pairs is cheaper than a sort
        # The compiler may compute `gap` twice, with and without a fused multiply-add: an asperity
        # must still count as no deeper than itself.
        above = (gap[:, None] <= gap[None, :]) | jnp.eye(gap.shape[0], dtype=bool)
        total = jnp.sum(jnp.where(above, K[:, None], 0.0), 0)
        mean = jnp.sum(jnp.where(above, (K * gap)[:, None], 0.0), 0) / total
    else:
        order = jnp.argsort(gap)
        gap, K = gap[order], K[order]
        total = jnp.cumsum(K)
        mean = jnp.cumsum(K * gap) / total
    slope = power(total, -1 / q)

    def lowest(x, k):  # type: ignore[no-untyped-def]
        mean, slope = k
        return jnp.minimum(x, mean + slope * root), None

    return jax.lax.scan(lowest, mean[0] + slope[0] * root, (mean[1:], slope[1:]), unroll=8)[0]


def _start_single(gap, profile, load):  # type: ignore[no-untyped-def]
    """The indentation at which the best single asperity would carry all of the load."""
    K = jnp.where(profile.K > 0, profile.K, 1.0)
    alone = gap[None, :] + power(load[:, None] / K[None, :], 1 / profile.q)
    return jnp.min(jnp.where(profile.K[None, :] > 0, alone, jnp.inf), -1)

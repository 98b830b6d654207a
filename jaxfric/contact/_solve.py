"""The indentation at which a surface carries a load."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxfric.contact._profile import Profile, power
from jaxfric.contact._sums import load_and_stiffness, load_dense

MAX_STEPS = 50  # a bound only: the status tells where a load is not met by then
PAIRS = 96  # asperities up to which summing pairs is cheaper than sorting: measured at 64, 128, 256

# Indentation, whether it is solved, and the number of steps
Iterate = tuple[Float[Array, " m"], Bool[Array, " m"], int | Int[Array, ""]]


@jax.custom_jvp
def indentation(
    gap: Float[Array, " n"], profile: Profile, load: Float[Array, " m"]
) -> Float[Array, " m"]:
    """x with Σ K (x − gap)_+^q = load, for load >= 0; `gap` is the depth below the highest.

    With one exponent q for all, load^(1/q) is convex in x (it is a weighted q-norm), so Newton's
    iteration from above falls monotonically on the solution; with mixed exponents that holds for
    the load itself.
    """
    # The compiler may compute these again, rounded differently, wherever they are used; start and
    # iteration must see one surface
    gap, profile = jax.lax.optimization_barrier((gap, profile))
    scalar_q = profile.q is None or profile.q.ndim == 0
    # With mixed exponents Newton works on P itself, and `root` is the load
    q = jnp.asarray(1.5, gap.dtype) if profile.q is None else profile.q
    root = power(load, 1 / q) if scalar_q else load
    start = (
        _start_common(gap, profile.K, root, q)
        if scalar_q
        else _start_single(gap, profile.K, load, q)
    )
    # A step from a relative error e leaves about e^1.5, as contacts set in like δ^1.5. From
    # eps^(2/3) it reaches eps: such a step is the last, and its result needs no check
    eps = jnp.finfo(gap.dtype).eps
    tolerance = eps ** (2 / 3)

    def newton(iterate: Iterate) -> Iterate:
        x, _, step = iterate
        P, D = load_and_stiffness(gap, profile, x)
        # with g = P^(1/q): (g − load^(1/q)) / g' = q (P − P^(1−1/q) load^(1/q)) / P'
        excess = q * (P - power(P, 1 - 1 / q) * root) if scalar_q else P - load
        new = x - jnp.where(D > 0, excess / jnp.where(D > 0, D, 1.0), 0.0)
        # At load 0 the plane just touches: x = 0 exactly, so that nothing is in contact
        new = jnp.where(load > 0, jnp.maximum(new, 0.0), 0.0)
        # Solved to the tolerance, or to what the number format resolves of x
        done = (jnp.abs(P - load) <= tolerance * load) | (jnp.abs(new - x) <= 2 * eps * x)
        return new, done, step + 1

    def unfinished(iterate: Iterate) -> Bool[Array, ""]:
        _, done, step = iterate
        return ~jnp.all(done) & (step < MAX_STEPS)

    first: Iterate = (start, jnp.zeros(load.shape, bool), 0)
    return jax.lax.while_loop(unfinished, newton, first)[0]


@indentation.defjvp
def _indentation_jvp(
    primals: tuple[Array, Profile, Array], tangents: tuple[Array, Profile, Array]
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """Of P(surface, x) = load: dx = (dload − ∂_surface P) / ∂_x P.

    Differentiating the loop would give derivatives of its iterates, and reverse mode none at all.
    Everything here differentiates again, so that derivatives of any order exist.
    """
    gap, profile, load = primals
    gap_dot, profile_dot, load_dot = tangents
    x = indentation(gap, profile, load)
    _, at_fixed_x = jax.jvp(
        lambda gap, profile: load_dense(gap, profile, x), (gap, profile), (gap_dot, profile_dot)
    )
    _, stiffness = jax.jvp(lambda x: load_dense(gap, profile, x), (x,), (jnp.ones_like(x),))
    # At load 0 nothing touches and ∂F/∂P is infinite; its derivatives are given as 0
    touching = stiffness > 0
    change = (load_dot - at_fixed_x) / jnp.where(touching, stiffness, 1.0)
    return x, jnp.where(touching, change, 0.0)


def _start_common(
    gap: Float[Array, " n"], K: Float[Array, " n"], root: Float[Array, " m"], q: Float[Array, ""]
) -> Float[Array, " m"]:
    """min_k [mean gap of the k highest + (load / Σ_{i≤k} K_i)^(1/q)] ≥ x, by Jensen's inequality.

    The mean is weighted by K; `root` is load^(1/q). The k highest alone carry no more than all do,
    and (x − gap)_+^q is convex in the gap, so k asperities at their mean gap carry less still: the
    indentation at which those carry the load is above x, for any k. The lowest of them starts.
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
    slope = power(total, -1 / q)  # (load/ΣK)^(1/q) = slope · load^(1/q)

    # One bound (m,) at a time: all of them at once would be (n, m) numbers
    def lowest(
        x: Float[Array, " m"], bound: tuple[Float[Array, ""], Float[Array, ""]]
    ) -> tuple[Float[Array, " m"], None]:
        mean, slope = bound
        return jnp.minimum(x, mean + slope * root), None

    return jax.lax.scan(lowest, mean[0] + slope[0] * root, (mean[1:], slope[1:]), unroll=8)[0]


def _start_single(
    gap: Float[Array, " n"],
    K: Float[Array, " n"],
    load: Float[Array, " m"],
    q: Float[Array, " n"],
) -> Float[Array, " m"]:
    """The indentation at which the best single asperity would carry all of the load.

    All together carry it at less, so Newton's iteration starts from above here too.
    """
    # Masked asperities have K = 0 and would need an infinite indentation
    carries = K > 0
    alone = gap[None, :] + power(load[:, None] / jnp.where(carries, K, 1.0)[None, :], 1 / q)
    return jnp.min(jnp.where(carries[None, :], alone, jnp.inf), -1)

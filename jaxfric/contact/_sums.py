"""Load and area of a whole surface at given indentations, and their derivatives.

The values are sums over asperities. On a CPU they run as a loop over asperities that adds to
accumulators of the shape of the loads, which stay in the cache and use the vector unit; elsewhere
as one reduction. The derivatives are written out, so that no loop is ever transposed.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric.contact._profile import Profile, power, root

UNROLL = 4  # asperities added up in one turn of the loop

# What one asperity adds at each indentation. The same function serves the loop, which hands it the
# numbers of one asperity, and the reduction, which hands it rows (1, n) and a column (m, 1)
Coefficient = Float[Array, "..."] | None
Terms = Callable[..., tuple[Array, ...]]


def load_and_stiffness(
    gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """P/E* and its derivative with respect to the indentation x of the highest asperity."""
    K, _, q, _ = profile

    def terms(
        gap: Float[Array, "..."], K: Float[Array, "..."], q: Coefficient, x: Float[Array, "..."]
    ) -> tuple[Array, Array]:
        delta = jnp.maximum(x - gap, 0.0)
        # The derivative q K δ^(q−1) first, as the load is δ times K δ^(q−1): one root for both
        if q is None:  # spheres: q = 3/2
            stiffness = K * jnp.sqrt(delta)
            return stiffness * delta, 1.5 * stiffness
        stiffness = K * power(delta, q - 1)
        return stiffness * delta, q * stiffness

    load, stiffness = _accumulate(terms, (gap, K, q), x)
    return load, stiffness


@jax.custom_jvp
def area(gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]) -> Float[Array, " m"]:
    """A/π at the indentation x of the highest asperity."""
    _, B, _, s = profile

    def terms(
        gap: Float[Array, "..."], B: Float[Array, "..."], s: Coefficient, x: Float[Array, "..."]
    ) -> tuple[Array]:
        delta = jnp.maximum(x - gap, 0.0)
        return (B * (delta if s is None else power(delta, s)),)

    return _accumulate(terms, (gap, B, s), x)[0]


@area.defjvp
def _area_jvp(
    primals: tuple[Array, Profile, Array], tangents: tuple[Array, Profile, Array]
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    # The value by the fast sum, the derivative by the one that can be transposed: (m, n) numbers at
    # once, which a gradient needs anyway
    return area(*primals), jax.jvp(_area_dense, primals, tangents)[1]


def _area_dense(
    gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]
) -> Float[Array, " m"]:
    """A/π in a form that differentiates to any order."""
    delta = _indentation(gap, x)
    return jnp.sum(
        profile.B[None, :] * (delta if profile.s is None else power(delta, profile.s)), -1
    )


def load_dense(
    gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]
) -> Float[Array, " m"]:
    """P/E* in a form that differentiates to any order."""
    delta = _indentation(gap, x)
    if profile.q is None:
        # δ^1.5 as δ √δ: `root` has the derivative 0 at δ = 0, where that of √ alone is infinite
        return jnp.sum(profile.K[None, :] * delta * root(delta), -1)
    return jnp.sum(profile.K[None, :] * power(delta, profile.q), -1)


def _indentation(gap: Float[Array, " n"], x: Float[Array, " m"]) -> Float[Array, "m n"]:
    # `where`, not `maximum`: an asperity that just touches has the derivatives of one that does not
    delta = x[:, None] - gap[None, :]
    return jnp.where(delta > 0, delta, 0.0)


def _accumulate(
    terms: Terms, parameters: Sequence[Coefficient], x: Float[Array, " m"]
) -> tuple[Float[Array, " m"], ...]:
    """Σ_i terms(parameters_i, x), for every x.

    A parameter is an array (n,), one number for all asperities, or None; only arrays move along.
    """
    per_asperity = [p is not None and p.ndim == 1 for p in parameters]

    def one(values: Sequence[Array], x: Float[Array, "..."]) -> tuple[Array, ...]:
        """The terms, with `values` in the places of the parameters that move along."""
        rest = iter(values)
        return terms(
            *(next(rest) if each else p for p, each in zip(parameters, per_asperity, strict=True)),
            x,
        )

    moving = tuple(p for p in parameters if p is not None and p.ndim == 1)
    n = moving[0].shape[0]

    def loop(moving: tuple[Array, ...], x: Float[Array, " m"]) -> tuple[Array, ...]:
        def add(
            total: tuple[Array, ...], values: tuple[Array, ...]
        ) -> tuple[tuple[Array, ...], None]:
            return tuple(t + y for t, y in zip(total, one(values, x), strict=True)), None

        zero = tuple(jnp.zeros_like(x) for _ in jax.eval_shape(one, [m[0] for m in moving], x))
        return jax.lax.scan(add, zero, moving, unroll=min(UNROLL, n))[0]

    def reduction(moving: tuple[Array, ...], x: Float[Array, " m"]) -> tuple[Array, ...]:
        values = one([m[None, :] for m in moving], x[:, None])
        return tuple(jnp.sum(y, -1) for y in values)

    return jax.lax.platform_dependent(moving, x, cpu=loop, default=reduction)

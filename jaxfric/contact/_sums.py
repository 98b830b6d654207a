"""Load and area of a whole surface at given indentations, and their derivatives.

The values are sums over asperities. On a CPU they run as a loop over asperities that adds to
accumulators of the shape of the loads, which stay in the cache and use the vector unit; elsewhere
as one reduction. The derivatives are written out, so that no loop is ever transposed.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric.contact._profile import Profile, power, root

UNROLL = 4  # asperities added up in one turn of the loop


def load_and_stiffness(
    gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """P/E* and its derivative with respect to the indentation x of the highest asperity."""
    K, _, q, _ = profile

    def terms(gap, K, q, x):  # type: ignore[no-untyped-def]
        delta = jnp.maximum(x - gap, 0.0)
        if q is None:
            stiffness = K * jnp.sqrt(delta)
            return stiffness * delta, 1.5 * stiffness
        stiffness = K * power(delta, q - 1)
        return stiffness * delta, q * stiffness

    return _accumulate(terms, (gap, K, q), x)


@jax.custom_jvp
def area(gap: Float[Array, " n"], profile: Profile, x: Float[Array, " m"]) -> Float[Array, " m"]:
    """A/π at the indentation x of the highest asperity."""
    _, B, _, s = profile

    def terms(gap, B, s, x):  # type: ignore[no-untyped-def]
        delta = jnp.maximum(x - gap, 0.0)
        return (B * (delta if s is None else power(delta, s)),)

    return _accumulate(terms, (gap, B, s), x)[0]


@area.defjvp
def _area_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    return area(*primals), jax.jvp(_area_dense, primals, tangents)[1]


def _area_dense(gap, profile, x):  # type: ignore[no-untyped-def]
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
        return jnp.sum(profile.K[None, :] * delta * root(delta), -1)
    return jnp.sum(profile.K[None, :] * power(delta, profile.q), -1)


def _indentation(gap, x):  # type: ignore[no-untyped-def]
    # `where`, not `maximum`: an asperity that just touches has the derivatives of one that does not
    delta = x[:, None] - gap[None, :]
    return jnp.where(delta > 0, delta, 0.0)


def _accumulate(terms, parameters, x):  # type: ignore[no-untyped-def]
    """Σ_i terms(parameters_i, x), for every x."""
    n = parameters[0].shape[0]
    per_asperity = [p is not None and p.ndim == 1 for p in parameters]

    def one(values, x):  # type: ignore[no-untyped-def]
        values = iter(values)
        return terms(
            *(
                next(values) if each else p
                for p, each in zip(parameters, per_asperity, strict=True)
            ),
            x,
        )

    moving = tuple(p for p, each in zip(parameters, per_asperity, strict=True) if each)

    def loop(moving, x):  # type: ignore[no-untyped-def]
        def add(total, values):  # type: ignore[no-untyped-def]
            return tuple(t + y for t, y in zip(total, one(values, x), strict=True)), None

        zero = tuple(jnp.zeros_like(x) for _ in jax.eval_shape(one, [m[0] for m in moving], x))
        return jax.lax.scan(add, zero, moving, unroll=min(UNROLL, n))[0]

    def reduction(moving, x):  # type: ignore[no-untyped-def]
        values = one([m[None, :] for m in moving], x[:, None])
        return tuple(jnp.sum(y, -1) for y in values)

    return jax.lax.platform_dependent(moving, x, cpu=loop, default=reduction)

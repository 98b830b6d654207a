"""Integrals over a half line that moments of a cut distribution are made of, and derivatives.

Each derivative is again one of them, so that derivatives of every order are exact, and nothing
cancels where automatic differentiation of the closed form would subtract infinities.
"""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc
from jaxtyping import Array, Float

# Beyond it the closed form loses digits to cancellation, before it the fraction converges slowly:
# at 2 both are within 30 roundings
FRACTION_FROM = 2.0
FRACTION_TERMS = 60

Values = Float[Array, "..."]
Moments = tuple[Values, Values, Values, Values]


def _tail(b: Values) -> Moments:
    """∫_0^∞ r^k exp(−r²/2 − b r) dr for k = 0, 1, 2, 3 and b >= FRACTION_FROM.

    With L_k the integral over k!, integration by parts gives L_{k−2} = k L_k + b L_{k−1}, all
    positive. Hence the ratios s_k = L_k/L_{k−1} are a continued fraction, s_{k−1} = 1/(b + k s_k),
    and L_{−1} = 1.

    Source: W. Gautschi, SIAM Review 9 (1967) 24, for repeated integrals of the error function.
    """
    k = FRACTION_TERMS
    # Far out in k the ratio hardly changes: the root of k s² + b s = 1 is a close start
    start = 2 / (b + jnp.sqrt(b**2 + 4 * k))
    s = jax.lax.fori_loop(0, k - 3, lambda i, s: 1 / (b + (k - i) * s), start, unroll=True)  # s_3
    ratios = [s]
    for place in (3, 2, 1):
        ratios.append(1 / (b + place * ratios[-1]))
    s3, s2, s1, s0 = ratios
    return s0, s0 * s1, 2 * s0 * s1 * s2, 6 * s0 * s1 * s2 * s3


@jax.custom_jvp
def half_line_moments(c: Values) -> Moments:
    """K_k = ∫_0^∞ r^k exp(−(r − c)²/2) dr for k = 0, 1, 2, 3."""
    edge = jnp.exp(-(c**2) / 2)
    near = jnp.maximum(c, -FRACTION_FROM)
    at_zero = jnp.exp(-(near**2) / 2)
    k0 = math.sqrt(math.pi / 2) * erfc(-near / math.sqrt(2))
    # By parts: K_k = c K_{k−1} + (k − 1) K_{k−2}, and K_1 has the edge besides
    k1 = near * k0 + at_zero
    k2 = near * k1 + k0
    k3 = near * k2 + 2 * k1
    far = _tail(jnp.maximum(-c, FRACTION_FROM))
    k0, k1, k2, k3 = (
        jnp.where(c >= -FRACTION_FROM, closed, edge * fraction)
        for closed, fraction in zip((k0, k1, k2, k3), far, strict=True)
    )
    return k0, k1, k2, k3


@half_line_moments.defjvp
def _half_line_moments_jvp(
    primals: tuple[Values], tangents: tuple[Values]
) -> tuple[Moments, Moments]:
    """dK_k/dc = k K_{k−1}; of K_0 the integrand's value at the edge."""
    (c,), (dc,) = primals, tangents
    k0, k1, k2, k3 = half_line_moments(c)
    return (k0, k1, k2, k3), (jnp.exp(-(c**2) / 2) * dc, k0 * dc, 2 * k1 * dc, 3 * k2 * dc)


@jax.custom_jvp
def scaled_gammas(x: Values) -> tuple[Values, Values, Values]:
    """exp(x) Γ(q + 1, x) for q = −1/2, 1/2, 3/2 and x >= 0: ∫_0^∞ (t + x)^q exp(−t) dt."""
    root = jnp.sqrt(x)
    small = jnp.minimum(x, FRACTION_FROM)
    # With t = r²/2 + r √(2x), q = −1/2 is √2 times the tail at b = √(2x)
    lowest = jnp.where(
        x < FRACTION_FROM,
        math.sqrt(math.pi) * jnp.exp(small) * erfc(jnp.sqrt(small)),
        math.sqrt(2) * _tail(jnp.maximum(math.sqrt(2) * root, FRACTION_FROM))[0],
    )
    # By parts: g_q = x^q + q g_{q−1}
    half = root + lowest / 2
    return lowest, half, x * root + 1.5 * half


@scaled_gammas.defjvp
def _scaled_gammas_jvp(
    primals: tuple[Values], tangents: tuple[Values]
) -> tuple[tuple[Values, Values, Values], tuple[Values, Values, Values]]:
    """dg_q/dx = q g_{q−1}; of q = −1/2 the recurrence gives g − x^(−1/2)."""
    (x,), (dx,) = primals, tangents
    lowest, half, three_halves = scaled_gammas(x)
    # Infinite at x = 0 for it is so there; the curvature of the load alone would ask for it
    below = lowest - 1 / jnp.sqrt(x)
    return (lowest, half, three_halves), (below * dx, lowest / 2 * dx, 1.5 * half * dx)

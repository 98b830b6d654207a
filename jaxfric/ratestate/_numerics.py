"""Elementary functions that neither overflow nor lose digits, with finite gradients.

`jnp.where` differentiates both of its branches: a NaN in the one that is not taken, times the zero
of its weight, is NaN still. So the argument of a branch is replaced where the branch is not used.
"""

import jax.numpy as jnp
from jaxtyping import Array

from jaxfric._types import Number, Numbers

# A rejected trial step may carry any velocity and state. Beyond these exponents (no friction
# experiment spans them) exp and ln q are held: an overflow would turn the step control and the
# reverse-mode gradient into NaN.
SMALLEST_EXPONENT, LARGEST_EXPONENT = -100.0, 50.0


def safe_exp(x: Numbers) -> Array:
    """exp(x), held constant outside the range of exponents."""
    return jnp.exp(jnp.clip(x, SMALLEST_EXPONENT, LARGEST_EXPONENT))


def safe_log(x: Numbers) -> Array:
    """ln(x) for x > 0 and 0 elsewhere, with gradients that stay finite."""
    return jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1)), 0)


def decay(r: Number) -> Array:
    """(1 − e^{−r})/r, 1 at r = 0."""
    # Below 1e-4 the series 1 − r/2 + r²/6 is right to r³/24 < 1e-13, and has no 0/0 at r = 0
    small = r < 1e-4
    full = jnp.where(small, 1, r)
    return jnp.where(small, 1 - r / 2 + r * r / 6, -jnp.expm1(-full) / full)


def tanh_ratio(r: Number) -> Array:
    """tanh(r)/r, 1 at r = 0."""
    # The series 1 − r²/3 is right to 2r⁴/15 < 1e-16 below 1e-4
    small = r < 1e-4
    full = jnp.where(small, 1, r)
    return jnp.where(small, 1 - r * r / 3, jnp.tanh(full) / full)


def asinh_exp(x: Number) -> Array:
    """asinh(e^x) without overflow for any x."""
    # asinh(y) = ln(y + √(y² + 1)), which for y = e^x > 1 is x + ln(1 + √(1 + e^{−2x}))
    high, low = jnp.maximum(x, 0), jnp.minimum(x, 0)
    return jnp.where(
        x > 0, high + jnp.log1p(jnp.sqrt(1 + jnp.exp(-2 * high))), jnp.arcsinh(jnp.exp(low))
    )


def lambert_w(x: Number) -> Number:
    """W(x), of W e^W = x, on [0, 1] by Halley's iteration; differentiated through."""
    # Of third order: five steps from a start within 0.07 of the root leave nothing but rounding,
    # in derivatives too. The root is that of f = w − x e^{−w}, whose slope 1 + x e^{−w} is never 0
    w = x / (1 + x)
    for _ in range(5):
        fall = x * jnp.exp(-w)
        excess, slope = w - fall, 1 + fall
        # f'' = −x e^{−w}, hence the plus: w − f/(f' − f f''/(2 f'))
        w = w - excess / (slope + excess * fall / (2 * slope))
    return w

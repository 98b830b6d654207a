"""Sobol' points on the device: point i is a function of i, so that a stream needs no state."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer, Key, UInt32

BITS = 32  # of a coordinate: 2³² points before the sequence repeats

# (degree, coefficients, first direction numbers) of dimensions 2 … 23: S. Joe and F. Y. Kuo,
# SIAM J. Sci. Comput. 30 (2008) 2635, table new-joe-kuo-6.21201.
PRIMITIVE = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
    (5, 14, (1, 3, 5, 5, 31)),
    (6, 1, (1, 3, 3, 9, 7, 49)),
    (6, 13, (1, 1, 1, 15, 21, 21)),
    (6, 16, (1, 3, 1, 13, 27, 49)),
    (6, 19, (1, 1, 1, 15, 7, 5)),
    (6, 22, (1, 3, 1, 15, 13, 25)),
    (6, 25, (1, 1, 5, 5, 19, 61)),
    (7, 1, (1, 3, 7, 11, 23, 15, 103)),
    (7, 4, (1, 3, 7, 13, 13, 15, 69)),
    (7, 7, (1, 1, 3, 13, 7, 35, 63)),
    (7, 8, (1, 3, 5, 9, 1, 25, 53)),
)
DIMENSIONS = len(PRIMITIVE) + 1


def _directions() -> UInt32[np.ndarray, "dimensions bits"]:
    """Direction numbers m_j / 2^j of every dimension, as integers scaled by 2^bits.

    They follow from the first ones by the recurrence of the primitive polynomial
    x^s + a_1 x^(s−1) + … + a_(s−1) x + 1 of degree s, where ⊕ is exclusive or:

        m_j = 2 a_1 m_(j−1) ⊕ 2² a_2 m_(j−2) ⊕ … ⊕ 2^s m_(j−s) ⊕ m_(j−s)
    """
    directions = np.zeros((DIMENSIONS, BITS), np.uint64)
    # The first dimension is van der Corput's sequence: m_j = 1
    directions[0] = [1 << (BITS - 1 - j) for j in range(BITS)]
    for row, (degree, coefficients, first) in zip(directions[1:], PRIMITIVE, strict=True):
        numbers = list(first)
        for j in range(degree, BITS):
            # The last two terms of the recurrence, then those whose coefficient is 1
            new = numbers[j - degree] ^ (numbers[j - degree] << degree)
            for k in range(1, degree):
                if coefficients >> (degree - 1 - k) & 1:
                    new ^= numbers[j - k] << k
            numbers.append(new)
        row[:] = [number << (BITS - 1 - j) for j, number in enumerate(numbers)]
    return directions.astype(np.uint32)


DIRECTIONS = _directions()


def sobol(
    count: int,
    dimensions: int,
    *,
    key: Key[Array, ""] | None = None,
    start: int | Integer[Array, ""] = 0,
) -> Float[Array, "count dimensions"]:
    """Points start, …, start + count − 1 of the Sobol' sequence in (0, 1)^dimensions.

    Arguments:
        count: number of points; a power of two keeps them balanced.
        dimensions: at most 23, which a surface mixture needs.
        key: shifts the digits at random (each point is then uniform); None keeps the sequence.
        start: index of the first point; may be traced.

    Returns:
        (count, dimensions), the default float; strictly inside the unit cube.

    Raises:
        ValueError: more dimensions than tabulated.

    Example:
        >>> print(sobol(4, 2))
        [[0.   0.  ]
         [0.5  0.5 ]
         [0.75 0.25]
         [0.25 0.75]]

    Source: I. A. Antonov and V. M. Saleev, USSR Comput. Math. 19 (1979) 252 (Gray code order).
    """
    if not 1 <= dimensions <= DIMENSIONS:
        raise ValueError(f"dimensions must be 1 to {DIMENSIONS}; got {dimensions}")
    index = jnp.arange(count, dtype=jnp.uint32) + jnp.asarray(start).astype(jnp.uint32)
    # Point i is the exclusive or of the direction numbers at the ones of i's Gray code: neighbours
    # differ by one of them, and any point can be had without those before it
    gray = index ^ (index >> 1)
    chosen = (gray[:, None] >> jnp.arange(BITS, dtype=jnp.uint32)[None, :] & 1).astype(bool)
    # One reduction: written as a loop over bits it takes ten times as long to compile
    parts = jnp.where(chosen[:, None, :], jnp.asarray(DIRECTIONS[:dimensions])[None, :, :], 0)
    digits = jax.lax.reduce(parts, jnp.uint32(0), jax.lax.bitwise_xor, (2,))
    # Exclusive or with random digits moves points within the cube and keeps them balanced
    if key is not None:
        digits = digits ^ jax.random.bits(key, (1, dimensions), jnp.uint32)
    return _unit(digits, shifted=key is not None)


def _unit(
    digits: UInt32[Array, "count dimensions"], shifted: bool
) -> Float[Array, "count dimensions"]:
    """Integers of 32 bits to the unit interval; shifted ones never reach its ends."""
    dtype = jnp.zeros(()).dtype
    # One digit less than the mantissa holds, so that the half below stays exact.
    keep = BITS if dtype == jnp.float64 else 23
    x = (digits >> (BITS - keep)).astype(dtype)
    # Shifted digits may all be 0, where Φ⁻¹ is infinite: the middle of their cell is inside
    return (x + 0.5 if shifted else x) * 2.0**-keep

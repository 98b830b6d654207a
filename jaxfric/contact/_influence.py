"""How far the load on one asperity lets the surface sink at another.

At distance r from a contact of radius a and load P, outside of it, an elastic half-space sinks by

    u(r) = P/(π E*) (1/r + a²/(10 r³) + O(a⁴/r⁵))

the far field of Hertz' pressure (Johnson 1985, eq. 3.42a, expanded). The sums of 1/r and 1/r³ from
each asperity to all others are therefore all that a position has to say.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc
from jaxtyping import Array, Bool, Float

# Ewald's splitting, in units of the shorter side: with α = 4 a term of the near sum that is left
# out is below erfc(1.5 α) = 2e-17 (images up to one cell away are kept), and one of the far sum
# below erfc(2π 8/(2 α)) = 7e-19
SPLIT, IMAGES, WAVES = 4.0, 1, 8
MOST_ASPECT = 4  # longer over shorter side: so many times more waves are summed along the longer
# As exact as the numbers are: some accelerators multiply matrices at half of it unless told
EXACT = jax.lax.Precision.HIGHEST


class Influence(NamedTuple):
    """Sums over each pair of asperities, images included; 0 where one of them is masked."""

    first: Float[Array, "n n"]  # Σ 1/r, 1/m; of a lattice, less its mean over the cell
    third: Float[Array, "n n"]  # Σ 1/r³, 1/m³


def free_influence(position: Float[Array, "n 2"], used: Bool[Array, " n"]) -> Influence:
    """1/r and 1/r³ of asperities that stand alone on a half-space."""
    pair = _pairs(used)
    r = distance(position, used)
    inverse = jnp.where(pair, 1 / jnp.where(pair, r, 1.0), 0.0)
    return Influence(inverse, inverse**3)


def periodic_influence(
    position: Float[Array, "n 2"], used: Bool[Array, " n"], period: Float[Array, " 2"], square: bool
) -> Influence:
    """The same, summed over a surface that repeats; an asperity's own images act on it too.

    Σ 1/r diverges: an endless load presses the half-space down by an endless amount. Its mean over
    the cell is left out, so that depths count from the mean of the deformed surface. 1/r is split
    into erfc(αr)/r, summed over near cells, and erf(αr)/r, summed over waves q, of which the
    Fourier transform is 2π erfc(q/2α)/q (Ewald's method in two dimensions). 1/r³ is the Laplacian
    of 1/r in the plane, term by term.
    """
    # Only distances count, so the longer side may come first; lengths in units of the shorter one
    longer_first = period[0] >= period[1]
    sides = jnp.where(longer_first, period, period[::-1])
    position = jnp.where(used[:, None], position, 0.0)
    place = jnp.where(longer_first, position, position[:, ::-1]) / sides[1]
    cell = sides / sides[1]
    near = _near(place, used, cell)
    far = _far(place - cell[None, :] * jnp.floor(place / cell[None, :]), cell, square)
    both = used[:, None] & used[None, :]
    # The mean of the near sum, as the far sum has none: (1/area) ∫ erfc(αr)/r = 2√π/(α area)
    mean = 2 * math.sqrt(math.pi) / SPLIT / cell[0]
    return Influence(
        jnp.where(both, near.first + far.first - mean, 0.0) / sides[1],
        jnp.where(both, near.third + far.third, 0.0) / sides[1] ** 3,
    )


def distance(
    position: Float[Array, "n 2"], used: Bool[Array, " n"], period: Float[Array, " 2"] | None = None
) -> Float[Array, "n n"]:
    """Of each pair, to the nearest image, m; that to an image of its own on the diagonal.

    Infinite where there is none: of masked asperities, and of one that has no images.
    """
    apart = _apart(jnp.where(used[:, None], position, 0.0), period)
    pair = _pairs(used)
    square = jnp.sum(apart**2, -1)
    # A root has no derivative at 0, where two asperities stand in one place
    positive = pair & (square > 0)
    r = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)
    own = jnp.asarray(jnp.inf, r.dtype) if period is None else jnp.min(period)
    return jnp.where(pair, r, jnp.where(jnp.diag(used), own, jnp.inf))


def _pairs(used: Bool[Array, " n"]) -> Bool[Array, "n n"]:
    return used[:, None] & used[None, :] & ~jnp.eye(used.shape[0], dtype=bool)


def _apart(
    position: Float[Array, "n 2"], period: Float[Array, " 2"] | None
) -> Float[Array, "n n 2"]:
    apart = position[:, None, :] - position[None, :, :]
    return (
        apart
        if period is None
        else apart - period[None, None, :] * jnp.round(apart / period[None, None, :])
    )


def _near(
    place: Float[Array, "n 2"], used: Bool[Array, " n"], cell: Float[Array, " 2"]
) -> Influence:
    """Σ erfc(αr)/r and its Laplacian over the images nearby."""
    apart, pair = _apart(place, cell), _pairs(used)
    steps = jnp.arange(-IMAGES, IMAGES + 1, dtype=place.dtype)
    shifts = jnp.stack(jnp.meshgrid(steps, steps), -1).reshape(-1, 2) * cell[None, :]
    # An asperity does not act on itself as its images do. What the far sum counts of it,
    # erf(αr)/r and its Laplacian, is taken off at r = 0: 2α/√π and −8α³/(3√π)
    at_itself = 2 * SPLIT / math.sqrt(math.pi)
    eye = jnp.eye(place.shape[0], dtype=place.dtype)
    start = Influence(-at_itself * eye, 4 / 3 * SPLIT**2 * at_itself * eye)

    # One image at a time: all of them at once would be (images, n, n) numbers
    def add(total: Influence, shift: Float[Array, " 2"]) -> tuple[Influence, None]:
        square = jnp.sum((apart + shift[None, None, :]) ** 2, -1)
        counted = pair | jnp.any(shift != 0)
        r2 = jnp.where(counted & (square > 0), square, 1.0)
        r = jnp.sqrt(r2)
        rest = erfc(SPLIT * r) / r
        # f = erfc(αr)/r: f'' + f'/r = erfc(αr)/r³ + 2α/√π exp(−α²r²) (1/r² + 2α²)
        curved = rest / r2 + at_itself * jnp.exp(-(SPLIT**2) * r2) * (1 / r2 + 2 * SPLIT**2)
        first = total.first + jnp.where(counted, rest, 0.0)
        return Influence(first, total.third + jnp.where(counted, curved, 0.0)), None

    return jax.lax.scan(add, start, shifts)[0]


def _far(place: Float[Array, "n 2"], cell: Float[Array, " 2"], square: bool) -> Influence:
    """Σ erf(αr)/r and its Laplacian over all images, as a sum over waves."""
    # cos(q·(x − x')) for q and −q are equal: half of the waves count twice, those along y once
    x_count = WAVES if square else WAVES * MOST_ASPECT
    x, y = jnp.meshgrid(
        jnp.arange(x_count + 1, dtype=place.dtype), jnp.arange(-WAVES, WAVES + 1, dtype=place.dtype)
    )
    times = jnp.where(x > 0, 2.0, 1.0).ravel()
    wave = 2 * math.pi * jnp.stack([x.ravel(), y.ravel()], -1) / cell[None, :]
    moving = jnp.any(wave != 0, -1)
    q = jnp.sqrt(jnp.where(moving, jnp.sum(wave**2, -1), 1.0))
    weight = jnp.where(moving, times * 2 * math.pi / cell[0] * erfc(q / (2 * SPLIT)) / q, 0.0)
    phase = jnp.matmul(place, wave.T, precision=EXACT)
    # cos(q·(x − x')) = cos cos' + sin sin'
    parts = jnp.concatenate([jnp.cos(phase), jnp.sin(phase)], -1)

    def summed(weight: Float[Array, " waves"]) -> Float[Array, "n n"]:
        return jnp.matmul(parts * jnp.tile(weight, 2)[None, :], parts.T, precision=EXACT)

    return Influence(summed(weight), summed(-(q**2) * weight))

"""A layer of grains, poured between rough walls and pressed together."""

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import _checks
from jaxfric._types import Number
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import BOTTOM, FREE, TOP, Grains, Layer
from jaxfric.gouge._load import Load
from jaxfric.gouge._run import SLOTS, room_of
from jaxfric.gouge._settle import settled

DIAMETERS = (1.2e-3, 1.6e-3)  # m: the two sizes of the paper's numerical gouge
APART = 1.05  # of the largest diameter: cells of the lattice that grains are poured on
# Packing is over when the grains' mean speed is below this share of √(P/ρ), the speed at which the
# pressure would move them
STILL = 1e-4
Diameters = Sequence[float] | Callable[[Key[Array, ""], int], Float[Array, " n"]]


def layer(
    contact: AbstractContact,
    *,
    pressure: Number,
    key: Key[Array, ""],
    length: float = 0.06,
    height: float = 0.011,
    diameters: Diameters = DIAMETERS,
    density: float = 2650.0,
    spheres: bool = False,
) -> Layer:
    """Pour grains between two rough walls and press them together, without friction.

    Grains start on the cells of a lattice, in an order of chance, and the top wall comes down on
    them until they rest. The walls are rows of glued grains of the mean diameter.

    Arguments:
        contact: the law of contact; its friction comes into play when the layer is sheared.
        pressure: on the top wall, Pa.
        key: draws sizes and places.
        length: of the period along the walls, m.
        height: that the poured grains would fill if discs left no voids at all, over 0.8: about the
            thickness that comes out, m.
        diameters: sizes in equal numbers, m, or a function of (key, n) that draws n of them.
        density: kg/m³.
        spheres: see `Grains`.

    Returns:
        `Layer`.

    Raises:
        ValueError: a number out of range, a strip too short, or a layer that does not come to rest.

    Example:
        >>> import jax
        >>> from jaxfric.gouge import Contact
        >>> law = Contact(1e8, friction=0.5)
        >>> small = layer(law, pressure=1e5, key=jax.random.key(0), length=0.012, height=6e-3)
        >>> int(small.free.sum())
        37
    """
    for name, value in (("pressure", pressure), ("length", length), ("height", height)):
        _checks.positive(name, value)
    sizes_key, places_key = jax.random.split(key)
    radius, columns = _radii(sizes_key, length, height, diameters)
    poured = _poured(radius, columns, length, density, spheres, places_key, pressure)
    # The wall's own mass is of no interest here: that of the grains below a metre of it
    mass = float(jnp.sum(jnp.where(poured.free, poured.grains.mass, 0.0))) / length
    load = Load(pressure, 0.0, wall_mass=mass)
    room = room_of(poured, SLOTS)
    packed, resting = settled(poured, contact, load, room, STILL)
    if _checks.is_concrete(resting) and not bool(resting):
        raise ValueError(
            "the layer does not come to rest: the pressure may be too high for the stiffness "
            f"(pressure/stiffness below 0.1; got {pressure:.3g} Pa)"
        )
    return packed


def _radii(
    key: Key[Array, ""], length: float, height: float, diameters: Diameters
) -> tuple[np.ndarray, int]:
    """Radii in an order of chance, and how many of them stand side by side."""
    draw_key, order_key = jax.random.split(key)
    if callable(diameters):
        trial = np.asarray(diameters(draw_key, 1000))
    else:
        trial = np.asarray(diameters, float)
    if not (np.isfinite(trial).all() and (trial > 0).all()):
        raise ValueError(f"diameters must be positive; got {trial.min():.6g} m")
    # Discs at random fill some 0.8 of a plane
    count = max(round(0.8 * length * height / (math.pi / 4 * np.mean(trial**2))), 1)
    if callable(diameters):
        drawn = np.asarray(diameters(draw_key, count), float)
    else:
        drawn = np.resize(trial, count)
    columns = math.floor(length / (APART * drawn.max()))
    if columns < 3:
        raise ValueError(
            f"length = {length:.4g} m has no room for three grains of {drawn.max():.4g} m side by "
            "side"
        )
    return np.asarray(jax.random.permutation(order_key, drawn)) / 2, columns


def _poured(
    radius: np.ndarray, columns: int, length: float, density: float, spheres: bool,
    key: Key[Array, ""], pressure: Number,
) -> Layer:  # fmt: skip
    """Grains on a lattice between the walls, none of them touching."""
    cell, d = length / columns, 2 * radius.mean()
    place = np.arange(radius.size)
    free = np.stack([(place % columns + 0.5) * cell, d + (place // columns + 0.5) * cell], -1)
    # Off the lattice by less than the grains are apart, lest a crystal be packed
    slack = (cell - 2 * radius.max()) / 2
    free = free + np.asarray(jax.random.uniform(key, free.shape, float, -slack, slack))
    glued = round(length / d)
    along = (np.arange(glued) + 0.5) * length / glued
    top = free[:, 1].max() + radius.max() + d
    position = np.concatenate(
        [free, np.stack([along, 0 * along], -1), np.stack([along, 0 * along + top], -1)]
    )
    radii = np.concatenate([radius, np.full(2 * glued, length / glued / 2)])
    wall = np.concatenate([np.full(radius.size, FREE), np.repeat([BOTTOM, TOP], glued)])
    grains = Grains(position, radii, density=density, spheres=spheres)
    return Layer(
        grains, jnp.asarray(wall), jnp.asarray(length, float), jnp.asarray(pressure, float)
    )

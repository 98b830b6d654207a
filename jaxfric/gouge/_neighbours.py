"""Which grains may touch before the next look: pairs, and the pairs of each grain.

Several layers lie side by side in one state: arrays have one row a layer. Grains are sorted along
the strip, so that partners stand within a window of the order: a strip is long and thin.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxfric.gouge._touch import Springs


class Room(NamedTuple):
    """Sizes that a program is compiled for."""

    window: int  # partners looked at along the strip
    pairs: int  # of a layer
    slots: int  # pairs of a grain


class Sizes(NamedTuple):
    """Radii and masses of the grains of each pair, which last as long as the pair."""

    first_radius: Float[Array, "layers pairs"]
    second_radius: Float[Array, "layers pairs"]
    first_mass: Float[Array, "layers pairs"]
    second_mass: Float[Array, "layers pairs"]


class Table(NamedTuple):
    """Pairs of grains, and where each grain finds its own.

    Places that are not used hold 0 for both grains.
    """

    first: Int[Array, "layers pairs"]
    second: Int[Array, "layers pairs"]
    pair: Sizes
    used: Bool[Array, "layers pairs"]
    # Into [forces on the second grains, forces on the first ones, 0] of a layer
    own: Int[Array, "layers slots n"]
    x: Float[Array, "layers n"]  # where the grains stood
    y: Float[Array, "layers n"]
    crowded: Bool[Array, " layers"]  # a pair was lost for want of a place


def separation(x: Array, length: Array) -> Array:
    """Along the strip to the nearest image, m."""
    return x - length * jnp.round(x / length)


def find(
    x: Float[Array, "layers n"],
    y: Float[Array, "layers n"],
    radius: Float[Array, "layers n"],
    mass: Float[Array, "layers n"],
    wall: Int[Array, "layers n"],
    length: Float[Array, " layers"],
    skin: Float[Array, ""],
    room: Room,
) -> Table:
    """The pairs whose surfaces are nearer than the skin; grains of one wall are no pair."""
    of_layer = functools.partial(_of_layer, skin=skin, room=room)
    return jax.vmap(of_layer)(x, y, radius, mass, wall, length)


def _of_layer(
    x: Float[Array, " n"], y: Float[Array, " n"], radius: Float[Array, " n"],
    mass: Float[Array, " n"], wall: Int[Array, " n"], length: Float[Array, ""], *,
    skin: Float[Array, ""], room: Room,
) -> Table:  # fmt: skip
    n = x.shape[0]
    inside = x - length * jnp.floor(x / length)
    order = jnp.argsort(inside)
    # (window, n): the grain so many places further along the strip
    ahead = jnp.stack([jnp.roll(order, -k) for k in range(1, room.window + 1)])
    order = order[None]
    dx = separation(x[ahead] - x[order], length)
    dy = y[ahead] - y[order]
    reach = radius[ahead] + radius[order] + skin
    # Beyond half the strip a partner is met again from the other side
    forward = (dx > 0) | ((dx == 0) & (order < ahead))
    near = forward & (dx**2 + dy**2 < reach**2)
    near &= (wall[ahead] != wall[order]) | (wall[order] == 0)
    # If the last of the window is within reach of the largest grains, others behind it may be too
    beyond = room.window < n - 1
    short = beyond & (dx[-1] >= 0) & (dx[-1] < 2 * jnp.max(radius) + skin)
    place = jnp.nonzero(near.ravel(), size=room.pairs, fill_value=near.size)[0]
    used = place < near.size
    place = jnp.minimum(place, near.size - 1)
    first = jnp.where(used, order[0, place % n], 0)
    second = jnp.where(used, ahead.ravel()[place], 0)
    own, full = _slots(jnp.where(used, first, n), jnp.where(used, second, n), n, room)
    crowded = jnp.any(short) | (jnp.sum(near) > room.pairs) | full
    sizes = Sizes(radius[first], radius[second], mass[first], mass[second])
    # Half as long as JAX's own integers, where those are 64 bits: they are read at every step
    first, second, own = (v.astype(jnp.int32) for v in (first, second, own))
    return Table(first, second, sizes, used, own, x, y, crowded)


def _slots(
    first: Int[Array, " pairs"], second: Int[Array, " pairs"], n: int, room: Room
) -> tuple[Int[Array, "slots n"], Bool[Array, ""]]:
    """Where the forces on each grain stand in [on the second, on the first, 0]."""
    grain = jnp.concatenate([second, first])
    order = jnp.argsort(grain, stable=True)
    ordered = grain[order]
    start = jnp.searchsorted(ordered, jnp.arange(n)).astype(order.dtype)
    rank = jnp.arange(grain.size) - start[jnp.minimum(ordered, n - 1)]
    real = ordered < n
    # What belongs to no grain, or has no place, is written past the end, where nothing is kept
    row = jnp.where(real & (rank < room.slots), ordered, n)
    own = jnp.full((n + 1, room.slots), grain.size)
    own = own.at[row, jnp.clip(rank, 0, room.slots - 1)].set(order)
    return own[:n].T, jnp.any(real & (rank >= room.slots))


def carried(old: Table, springs: Springs, new: Table) -> Springs:
    """The springs of a table's pairs in the places that another table gives these pairs."""
    return jax.vmap(_carried)(old, springs, new)


def _carried(old: Table, springs: Springs, new: Table) -> Springs:
    pairs = old.first.size
    mine = old.own[:, new.first]  # (slots, pairs): old pairs of the new pair's first grain
    index = mine % pairs
    was_second = mine < pairs
    partner = jnp.where(was_second, old.first[index], old.second[index])
    same = (mine < 2 * pairs) & (partner == new.second[None]) & new.used[None]
    # A pair that is now named the other way round keeps the stretch of its tangent, as normal,
    # tangent and sides all turn round; its rolling is now that of the other grain
    shear = jnp.sum(jnp.where(same, springs.shear[index], 0.0), 0)
    turned = jnp.where(was_second, -1.0, 1.0) * springs.rolling[index]
    return Springs(shear, jnp.sum(jnp.where(same, turned, 0.0), 0))

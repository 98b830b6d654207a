"""Newton's equations of grains and walls, step by step: velocity Verlet with history.

Arrays have one row a layer: many layers are one state, whose table of neighbours is made anew for
all of them as soon as one wants it. Under `jax.vmap` both branches of a condition are computed, and
a table would be made at every step.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Inexact, Int

from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import TOP
from jaxfric.gouge._neighbours import Room, Table, carried, find, separation
from jaxfric.gouge._touch import Springs, Touch

Rows = Float[Array, "layers n"]
Each = Float[Array, " layers"]


class Wall(NamedTuple):
    """The top wall, a rigid body that does not turn: how far it has moved, and how fast."""

    x: Each
    y: Each
    vx: Each
    vy: Each


class State(NamedTuple):
    """Everything that changes."""

    x: Rows
    y: Rows
    vx: Rows
    vy: Rows
    spin: Rows
    wall: Wall
    springs: Springs
    floor: Springs  # of each grain on a flat floor
    table: Table
    load: "Load"  # forces at this moment
    crowded: Bool[Array, " layers"]  # at any time so far
    overlap: Each  # the largest so far, over the radius of the pair


class Load(NamedTuple):
    """Forces and torques on the grains, and of the grains on the top wall."""

    fx: Rows
    fy: Rows
    torque: Rows
    wall_x: Each
    wall_y: Each


class Body(NamedTuple):
    """What does not change."""

    radius: Rows
    mass: Rows
    inertia: Rows
    wall: Int[Array, "layers n"]
    length: Each
    contact: AbstractContact
    gravity: Float[Array, " 2"]
    skin: Float[Array, ""]
    turns: Float[Array, ""]  # 0 for grains that may not turn
    room: Room
    floor: bool = False  # a flat one at y = 0, below all grains


class Drive(NamedTuple):
    """What acts on the top wall in a step: a = (drive − damping · v)/mass, or its velocity."""

    pressure: Each  # force on the wall, N (discs: a metre of thickness)
    spring: Each  # stiffness of the spring that pulls, N/m
    mass: Each
    damping: Each  # N s/m, along the normal
    imposed: Bool[Array, ""]  # whether the velocity along the wall is the load point's


def begin(x: Rows, y: Rows, vx: Rows, vy: Rows, spin: Rows, wall: Wall, body: Body) -> State:
    """The state at the start, its table made and its forces computed."""
    table = _table(x, y, body)
    zero = jnp.zeros(table.first.shape, x.dtype)
    nothing = jnp.zeros(x.shape[0], x.dtype)
    load = Load(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), nothing, nothing)
    springs, floor = Springs(zero, zero), Springs(jnp.zeros_like(x), jnp.zeros_like(x))
    state = State(x, y, vx, vy, spin, wall, springs, floor, table, load, table.crowded, nothing)
    return pushed(state, body, 0.0)


def advance(
    state: State, body: Body, drive: Drive, point: tuple[Array, Array], dt: Float[Array, ""]
) -> State:
    """One step; `point` is the load point's displacement and velocity at its end."""
    half = _kicked(state, body, drive, point, dt / 2)
    moved = half._replace(
        x=half.x + dt * half.vx,
        y=half.y + dt * half.vy,
        wall=half.wall._replace(
            x=half.wall.x + dt * half.wall.vx, y=half.wall.y + dt * half.wall.vy
        ),
    )
    moved = jax.lax.cond(_stale(moved, body), lambda s: renewed(s, body), lambda s: s, moved)
    return _kicked(pushed(moved, body, dt), body, drive, point, dt / 2)


def renewed(state: State, body: Body) -> State:
    """The state with a table of where its grains are now; contacts keep their springs."""
    table = _table(state.x, state.y, body)
    springs = carried(state.table, state.springs, table)
    return state._replace(table=table, springs=springs, crowded=state.crowded | table.crowded)


def _table(x: Rows, y: Rows, body: Body) -> Table:
    return find(x, y, body.radius, body.mass, body.wall, body.length, body.skin, body.room)


def _stale(state: State, body: Body) -> Bool[Array, ""]:
    """Whether a grain has moved by half the skin: two might touch that are no pair."""
    moved = (state.x - state.table.x) ** 2 + (state.y - state.table.y) ** 2
    # Not the largest of all, which is NaN once one layer of a batch has gone wrong: the others
    # would be given no table any more
    return jnp.any(4 * moved > body.skin**2)


def pushed(state: State, body: Body, dt: Float[Array, ""] | float) -> State:
    """The state with the forces between its grains, and its springs stretched by a step."""
    table, contact = state.table, body.contact
    i, j = (_flat(places, state.x.shape[1]) for places in (table.first, table.second))
    place, velocity = jax.lax.complex(state.x, state.y), jax.lax.complex(state.vx, state.vy)
    apart, along = _at(place, j) - _at(place, i), _at(velocity, j) - _at(velocity, i)
    dx, dy = separation(apart.real, body.length[:, None]), apart.imag
    vx, vy = along.real, along.imag
    Ri, Rj, mi, mj = table.pair
    # Of a place without a pair the distance is 0, whose root has no derivative
    distance = jnp.sqrt(jnp.where(table.used, dx**2 + dy**2, 1.0))
    nx, ny = dx / distance, dy / distance
    overlap = jnp.where(table.used, Ri + Rj - distance, -1.0)
    wi, wj = _at(state.spin, i), _at(state.spin, j)
    smaller = Ri * Rj / (Ri + Rj)
    touch = Touch(
        overlap=overlap,
        closing=-(vx * nx + vy * ny),
        # The tangent is (−n_y, n_x); both surfaces move with their grains' spin
        shear=vy * nx - vx * ny - (wi * Ri + wj * Rj),
        rolling=(wi - wj) * smaller,
        radius=smaller,
        mass=mi * mj / (mi + mj),
    )
    touch, nx, ny = jax.lax.optimization_barrier((touch, nx, ny))
    forces, springs = contact.forces(touch, state.springs, dt)
    forces, springs = jax.lax.optimization_barrier((forces, springs))
    fx = forces.normal * nx - forces.tangential * ny
    fy = forces.normal * ny + forces.tangential * nx
    # The arms reach to the middle of the overlap
    on_first = -(Ri - overlap / 2) * forces.tangential + forces.torque
    on_second = -(Rj - overlap / 2) * forces.tangential - forces.torque
    force = jax.lax.complex(fx, fy)
    force = _gathered(force, -force, table)
    fx, fy = force.real, force.imag
    torque = _gathered(on_second, on_first, table)
    deepest = jnp.max(jnp.where(table.used, overlap / jnp.minimum(Ri, Rj), 0.0), -1)
    state = state._replace(springs=springs, overlap=jnp.maximum(state.overlap, deepest))
    if body.floor:
        (floor_x, floor_y, floor_torque), springs = _floor(state, body, dt)
        fx, fy, torque = fx + floor_x, fy + floor_y, torque + floor_torque
        state = state._replace(floor=springs)
    top = body.wall == TOP
    load = Load(
        fx=fx + body.mass * body.gravity[0],
        fy=fy + body.mass * body.gravity[1],
        torque=torque,
        wall_x=jnp.sum(jnp.where(top, fx, 0.0), -1),
        wall_y=jnp.sum(jnp.where(top, fy, 0.0), -1),
    )
    return state._replace(load=load)


def _floor(
    state: State, body: Body, dt: Float[Array, ""] | float
) -> tuple[tuple[Rows, Rows, Rows], Springs]:
    """Forces and torques of a flat floor on each grain: a grain without end that never moves."""
    touch = Touch(
        overlap=body.radius - state.y,
        closing=-state.vy,
        # The normal points up, so the tangent is −x
        shear=-state.vx - state.spin * body.radius,
        rolling=-state.spin * body.radius,
        radius=body.radius,
        mass=body.mass,
    )
    forces, springs = body.contact.forces(touch, state.floor, dt)
    torque = -(body.radius - touch.overlap / 2) * forces.tangential - forces.torque
    return (-forces.tangential, forces.normal, torque), springs


def _gathered(second: Array, first: Array, table: Table) -> Inexact[Array, "layers n"]:
    """Sums over the pairs of each grain: read by each, as adding to places is slow."""
    padded = jnp.concatenate([second, first, jnp.zeros_like(first[:, :1])], -1)
    return jnp.sum(_at(padded, _flat(table.own, padded.shape[1])), 1)


def _flat(places: Int[Array, "layers *places"], n: int) -> Int[Array, "layers *places"]:
    """Places within rows of n as places within all rows one after another."""
    start = n * jnp.arange(places.shape[0], dtype=places.dtype)
    return places + start.reshape(-1, *[1] * (places.ndim - 1))


def _at(rows: Inexact[Array, "layers n"], places: Int[Array, "..."]) -> Inexact[Array, "..."]:
    """Read at places within all rows, which are right: checking them takes as long as reading.

    Reading takes most of a step. Both parts of a vector are one complex number: one reading less.
    """
    flat = rows.reshape(-1).at[places]
    return flat.get(mode="promise_in_bounds", wrap_negative_indices=False)


def _kicked(
    state: State, body: Body, drive: Drive, point: tuple[Array, Array], dt: Float[Array, ""]
) -> State:
    """Velocities after the forces have acted for a time."""
    wall, load = state.wall, state.load
    displacement, velocity = point
    pull = drive.spring * (displacement - wall.x) + load.wall_x
    vx = jnp.where(drive.imposed, velocity, wall.vx + dt * pull / drive.mass)
    push = load.wall_y - drive.pressure
    # Implicit in the damping, which so never makes a step unstable
    vy = (wall.vy + dt * push / drive.mass) / (1 + dt * drive.damping / drive.mass)
    free, top = body.wall == 0, body.wall == TOP

    def after(v: Rows, force: Rows, inertia: Rows, of_wall: Each) -> Rows:
        held = jnp.where(top, of_wall[:, None], 0.0)
        return jnp.where(free, v + dt * force / inertia, held)

    still = jnp.zeros_like(vx)
    return state._replace(
        vx=after(state.vx, load.fx, body.mass, vx),
        vy=after(state.vy, load.fy, body.mass, vy),
        spin=after(state.spin, load.torque * body.turns, body.inertia, still),
        wall=wall._replace(vx=vx, vy=vy),
    )


def kinetic_energy(state: State, body: Body) -> Each:
    """½ Σ (m v² + I ω²) of the free grains, J (discs: a metre of thickness)."""
    energy = body.mass * (state.vx**2 + state.vy**2) + body.inertia * state.spin**2
    return jnp.sum(jnp.where(body.wall == 0, energy, 0.0), -1) / 2

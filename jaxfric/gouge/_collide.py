"""Grains that fly, collide and fall: a few of them, without a layer around."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import Grains
from jaxfric.gouge._motion import Body, Drive, State, Wall, advance, begin
from jaxfric.gouge._neighbours import Room
from jaxfric.gouge._outcome import Outcome
from jaxfric.gouge._run import DEEP
from jaxfric.programs import program

FAR = 1e3  # of the extent of the grains: a strip so long that nobody meets its own image
SKIN = 0.3  # of the mean diameter
SLOTS = 12


class Flight(eqx.Module):
    """What `collide` returns.

    Attributes:
        time: (m,), s.
        position: (m, n, 2), m.
        velocity: (m, n, 2), m/s.
        spin: (m, n), rad/s.
        overlap: the largest so far, over the smaller radius.
        status: outcome.
    """

    time: Float[Array, " m"]
    position: Float[Array, "m n 2"]
    velocity: Float[Array, "m n 2"]
    spin: Float[Array, "m n"]
    overlap: Float[Array, ""]
    status: Status


def collide(
    grains: Grains,
    contact: AbstractContact,
    t: Vector,
    *,
    steps: int,
    gravity: tuple[Number, Number] = (0.0, 0.0),
    floor: bool = False,
) -> Flight:
    """Let grains move and collide, on a flat floor at y = 0 if there is one.

    Arguments:
        grains: n of them.
        contact: the law of contact, between grains and with the floor.
        t: (m,), sampling times in equal steps, s; the first is the start.
        steps: of the solver between two samples; some 20 to 50 a contact.
        gravity: m/s².
        floor: whether there is one.

    Returns:
        `Flight`.

    Raises:
        ValueError: times that are not in equal steps, or no steps.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.gouge import Contact
        >>> two = Grains([[0.0, 0.0], [1.001, 0.0]], [0.5, 0.5], [[1.0, 0.0], [-1.0, 0.0]],
        ...     density=1.0)
        >>> law = Contact(1e4, restitution=1.0)
        >>> after = collide(two, law, jnp.array([0.0, 0.1]), steps=1000)
        >>> print(after.velocity[-1, :, 0].round(3))
        [-1.  1.]
    """
    check_steps(steps)
    dt = time_step(t, steps)
    pull = jnp.asarray(gravity, grains.radius.dtype)
    return _collide(grains, contact, jnp.asarray(t), dt, pull, steps, floor)


@program
def _collide(
    grains: Grains, contact: AbstractContact, t: Array, dt: Array, gravity: Array, steps: int,
    floor: bool,
) -> Flight:  # fmt: skip
    n = grains.radius.shape[0]
    extent = jnp.max(jnp.ptp(grains.position, axis=0)) + jnp.sum(grains.radius)
    # Whoever flies for long stays far from their image
    flown = jnp.max(jnp.abs(grains.velocity)) * jnp.ptp(t)
    body = Body(
        radius=grains.radius[None], mass=grains.mass[None], inertia=grains.inertia[None],
        wall=jnp.zeros((1, n), int), length=FAR * (extent + flown)[None], contact=contact,
        gravity=gravity, skin=SKIN * 2 * jnp.mean(grains.radius), turns=jnp.ones(()),
        room=Room(max(n - 1, 1), max(4 * n, 8), min(SLOTS, max(n - 1, 1))), floor=floor,
    )  # fmt: skip
    one = jnp.ones(1, grains.radius.dtype)
    # No wall: nothing of a layer's drive has an effect
    drive = Drive(0 * one, 0 * one, one, 0 * one, jnp.zeros((), bool))
    x, y = grains.position.T
    vx, vy = grains.velocity.T
    state = begin(
        x[None], y[None], vx[None], vy[None], grains.spin[None],
        Wall(0 * one, 0 * one, 0 * one, 0 * one), body,
    )  # fmt: skip

    def step(state: State, _: None) -> tuple[State, None]:
        return advance(state, body, drive, (0.0 * one, 0.0 * one), dt), None

    def sample(state: State, _: Array) -> tuple[State, tuple[Array, ...]]:
        seen = tuple(v[0] for v in (state.x, state.y, state.vx, state.vy, state.spin))
        return jax.lax.scan(step, state, None, length=steps)[0], seen

    last, seen = jax.lax.scan(sample, state, t[1:])
    ends = tuple(v[0] for v in (last.x, last.y, last.vx, last.vy, last.spin))
    xs, ys, vxs, vys, spins = (
        jnp.concatenate([v, end[None]]) for v, end in zip(seen, ends, strict=True)
    )
    finite = jnp.all(jnp.isfinite(xs)) & jnp.all(jnp.isfinite(vxs))
    return Flight(
        time=t, position=jnp.stack([xs, ys], -1), velocity=jnp.stack([vxs, vys], -1), spin=spins,
        overlap=last.overlap[0],
        status=Status.first(
            Outcome,
            (last.crowded[0], Outcome.crowded),
            ((last.overlap[0] > DEEP) | ~finite, Outcome.unstable),
        ),
    )  # fmt: skip


def check_steps(steps: int) -> None:
    """Raise unless there are some."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")


def time_step(t: Vector, steps: int) -> Float[Array, ""]:
    """Of the solver, s, from sampling times in equal steps."""
    _checks.vector("t", t)
    if np.shape(t)[0] < 2:
        raise ValueError("t needs at least two times: the start and a sample")
    if _checks.is_concrete(t):
        intervals = np.diff(np.asarray(t, float))
        if not (np.isfinite(intervals).all() and (intervals > 0).all()):
            raise ValueError("t must increase")
        if np.ptp(intervals) > 1e-6 * intervals.mean():
            raise ValueError(
                "t must be in equal steps, as a sample is the mean over one; got intervals of "
                f"{intervals.min():.6g} to {intervals.max():.6g} s"
            )
    t = jnp.asarray(t)
    return (t[-1] - t[0]) / ((t.shape[0] - 1) * steps)

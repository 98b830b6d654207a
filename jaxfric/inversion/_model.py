"""Friction of a record at the parameters of an inversion, and its derivatives."""

import dataclasses
import functools
from collections.abc import Callable
from types import ModuleType
from typing import cast, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Float

from jaxfric import _checks
from jaxfric._types import Number, Vector
from jaxfric.dynamics import Options, VelocityProtocol, as_data
from jaxfric.inversion._names import is_log, step_name
from jaxfric.inversion._problem import STEPS, Block, Layout, bucket
from jaxfric.programs import program
from jaxfric.ratestate import RateStateLaw, Spring, spring_slider
from jaxfric.ratestate._inputs import law_as_data

# Of the solver, for a whole record: a trial that would take more fails and is refused
MOST_STEPS = 16384
PerState = Number | tuple[Number, ...]  # of a law's b or Dc: a tuple has an entry for each state


def apply(
    layout: Layout, p: Array | np.ndarray, r: int, block: Block
) -> tuple[RateStateLaw, Spring, VelocityProtocol]:
    """Law, spring and protocol of record r at the parameters p."""
    # Each operation of JAX on numbers is a small program to compile; NumPy's costs nothing. Under
    # a transformation (the posterior) p is traced, and only JAX can do it.
    xp: ModuleType = np if isinstance(p, np.ndarray) else jnp
    values = {
        name: xp.exp(p[i]) if is_log(layout.labels[i]) else p[i] for name, i in layout.places[r]
    }
    law, spring, protocol = block.law, block.spring, block.protocol

    # What the layout does not free stays at the guess
    def take(name: str, guess: Number) -> Number:
        return values.get(name, guess)

    def take_each(name: str, guess: PerState) -> PerState:
        if isinstance(guess, tuple):
            return tuple(take(f"{name}{k + 1}", x) for k, x in enumerate(guess))
        return take(name, guess)

    a, b, Dc = _numbers(law)
    law = dataclasses.replace(law, a=take("a", a), b=take_each("b", b), Dc=take_each("Dc", Dc))
    spring = Spring(take("stiffness", spring.stiffness), spring.damping, spring.mass)
    times = list(np.asarray(protocol.times))
    shifted = [take(step_name(protocol, k), times[k]) for k in range(1, len(times))]
    return law, spring, VelocityProtocol(xp.stack([times[0], *shifted]), protocol.velocities)


def simulate(layout: Layout, p: Array | np.ndarray, r: int, block: Block) -> Float[Array, " n"]:
    """Friction of record r at the parameters p, before the trend; not finite where it fails."""
    law, spring, protocol = apply(layout, p, r, block)
    friction = _friction(law, spring, protocol, block.t)
    return friction[: block.friction.size]


@overload
def simulate_with_slopes(
    layout: Layout, p: np.ndarray, r: int, block: Block
) -> tuple[np.ndarray, np.ndarray]: ...


@overload
def simulate_with_slopes(layout: Layout, p: Array, r: int, block: Block) -> tuple[Array, Array]: ...


def simulate_with_slopes(
    layout: Layout, p: Array | np.ndarray, r: int, block: Block
) -> tuple[Array | np.ndarray, Array | np.ndarray]:
    """(friction, d friction/dp): a few forward tangents, from one trace of the solver."""
    law, spring, protocol = apply(layout, p, r, block)
    # The program differentiates by everything that may be free; a matrix of zeros and ones takes
    # the free ones to their places in p.
    chosen = np.zeros((len(block.names), len(layout.labels)))
    for name, i in layout.places[r]:
        chosen[block.names.index(name), i] = 1.0
    friction, slopes = friction_and_slopes(*padded(law, spring, protocol), block.t)
    # Back to the host before anything is cut: slices of JAX arrays are programs of their own, one
    # for each length of a record
    if isinstance(p, np.ndarray):
        friction, slopes = np.asarray(friction), np.asarray(slopes)
    n = block.friction.size
    return friction[:n], slopes[:n, : len(block.names)] @ chosen


@functools.partial(program, level=1)  # ten calls of a second command outweigh its compilation
def friction_and_slopes(
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol, t: Array
) -> tuple[Float[Array, " n"], Float[Array, "n p"]]:
    """Friction, and its derivatives by a, b, ln Dc (of each state), ln stiffness and step times.

    All of them, whichever are free: one program then serves every fit of a kind of law.
    """
    # By ln Dc and ln stiffness, as the fit moves them: ∂μ/∂ln x = x ∂μ/∂x comes from the chain rule
    # of exp, inside the same tangents
    a, b, Dc = _numbers(law)
    point = (a, b, _map(jnp.log, Dc), jnp.log(spring.stiffness), protocol.times[1:])
    flat, unravel = ravel_pytree(point)

    # Forward mode: with p of about ten and n of thousands, p tangents beside one solve cost less
    # than one reverse pass, which would need the solve's steps kept or repeated. `jacfwd` gives the
    # derivative alone, so the friction comes out beside it, as its auxiliary result.
    def twice(x: Array) -> tuple[Array, Array]:
        a, b, log_Dc, log_k, times = unravel(x)
        moved = dataclasses.replace(law, a=a, b=b, Dc=_map(jnp.exp, log_Dc))
        load = VelocityProtocol(jnp.concatenate([protocol.times[:1], times]), protocol.velocities)
        pull = Spring(jnp.exp(log_k), spring.damping, spring.mass)
        friction = _friction(moved, pull, load, t)
        return friction, friction

    slopes, friction = jax.jacfwd(twice, has_aux=True)(flat)
    return friction, slopes


def _friction(
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol, t: Vector
) -> Float[Array, " n"]:
    import diffrax  # where it is traced; a kept program needs none of it

    # `flat`: the state as one vector, which compiles faster
    options = Options(max_steps=MOST_STEPS, adjoint=diffrax.ForwardMode(), flat=True)
    return spring_slider(law, spring, protocol, t, options=options).friction


def padded(
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol
) -> tuple[RateStateLaw, Spring, VelocityProtocol]:
    """Numbers as arrays, and as many velocity steps as the next program has."""
    n, dtype = protocol.times.shape[0], protocol.times.dtype
    # Steps at t = inf never come
    more = bucket(n - 1, STEPS) - (n - 1)
    if more:
        xp: ModuleType = np if _checks.is_concrete(protocol) else jnp
        protocol = VelocityProtocol(
            xp.concatenate([protocol.times, np.full(more, np.inf)]),
            xp.concatenate([protocol.velocities, np.full(more, protocol.velocities[-1])]),
        )
    # Numbers of Python are static in a program: as arrays, other numbers need no other program
    return law_as_data(law, dtype), as_data(spring, dtype), protocol


def _numbers(law: RateStateLaw) -> tuple[Number, PerState, PerState]:
    """a, b and Dc of a law without functions of V, as `fit_step` has checked it to be."""
    return cast("tuple[Number, PerState, PerState]", (law.a, law.b, law.Dc))


def _map(function: Callable[[ArrayLike], Array], x: PerState) -> Array | tuple[Array, ...]:
    """Of the one Dc, or of the Dc of each state."""
    return tuple(map(function, x)) if isinstance(x, tuple) else function(x)

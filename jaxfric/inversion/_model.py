"""Friction of a record at the parameters of an inversion, and its derivatives."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric.dynamics import Options, VelocityProtocol, as_data
from jaxfric.inversion._names import is_log, step_name
from jaxfric.inversion._problem import STEPS, Block, Layout, bucket
from jaxfric.programs import program
from jaxfric.ratestate import RateStateLaw, Spring, spring_slider
from jaxfric.ratestate._inputs import law_as_data

MOST_STEPS = 16384  # of the solver


def apply(layout: Layout, p: Any, r: int, block: Block) -> tuple[RateStateLaw, Spring, Any]:
    """Law, spring and protocol of record r at the parameters p."""
    xp: Any = np if isinstance(p, np.ndarray) else jnp  # on the host nothing is compiled for it
    values = {
        name: xp.exp(p[i]) if is_log(layout.labels[i]) else p[i] for name, i in layout.places[r]
    }
    law, spring, protocol = block.law, block.spring, block.protocol

    def take(name: str, guess: Any) -> Any:
        if isinstance(guess, tuple):
            return tuple(values.get(f"{name}{k + 1}", x) for k, x in enumerate(guess))
        return values.get(name, guess)

    law = dataclasses.replace(law, a=take("a", law.a), b=take("b", law.b), Dc=take("Dc", law.Dc))
    spring = Spring(take("stiffness", spring.stiffness), spring.damping, spring.mass)
    times = list(np.asarray(protocol.times))
    shifted = [take(step_name(protocol, k), times[k]) for k in range(1, len(times))]
    return law, spring, VelocityProtocol(xp.stack([times[0], *shifted]), protocol.velocities)


def simulate(layout: Layout, p: Any, r: int, block: Block) -> Float[Array, " n"]:
    """Friction of record r at the parameters p, before the trend; not finite where it fails."""
    law, spring, protocol = apply(layout, p, r, block)
    friction = _friction(law, spring, protocol, block.t)
    return friction[: block.friction.size]


def simulate_with_slopes(layout: Layout, p: Any, r: int, block: Block) -> tuple[Any, Any]:
    """(friction, d friction/dp): a few forward tangents, from one trace of the solver."""
    law, spring, protocol = apply(layout, p, r, block)
    chosen = np.zeros((len(block.names), len(layout.labels)))
    for name, i in layout.places[r]:
        chosen[block.names.index(name), i] = 1.0
    friction, slopes = friction_and_slopes(*padded(law, spring, protocol), block.t)
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
    point = (law.a, law.b, _map(jnp.log, law.Dc), jnp.log(spring.stiffness), protocol.times[1:])
    flat, unravel = ravel_pytree(point)

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
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol, t: Any
) -> Float[Array, " n"]:
    import diffrax  # where it is traced; a kept program needs none of it

    options = Options(max_steps=MOST_STEPS, adjoint=diffrax.ForwardMode(), flat=True)
    return spring_slider(law, spring, protocol, t, options=options).friction


def padded(
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol
) -> tuple[RateStateLaw, Spring, VelocityProtocol]:
    """Numbers as arrays, and as many velocity steps as the next program has."""
    n, dtype = protocol.times.shape[0], protocol.times.dtype
    more = bucket(n - 1, STEPS) - (n - 1)
    if more:
        xp: Any = np if _checks.is_concrete(protocol) else jnp
        protocol = VelocityProtocol(
            xp.concatenate([protocol.times, np.full(more, np.inf)]),
            xp.concatenate([protocol.velocities, np.full(more, protocol.velocities[-1])]),
        )
    return law_as_data(law, dtype), as_data(spring, dtype), protocol


def _map(function: Any, x: Any) -> Any:
    return tuple(map(function, x)) if isinstance(x, tuple) else function(x)

"""Where steady sliding loses its stability.

The spring-slider of `_motion`, linearised about steady sliding at V. With δw = δV/V, the state δy
in its coordinates, and perturbations that grow as e^{st}:

(1)  δμ = A δw + B · δy,    (2)  s δy = F δw + R δy + C s δw,
(3)  (m V s² + η V s + k V) δw + s δμ = 0          force balance, differentiated in time

A is the direct effect, C the response of a state that feels a change of velocity (Nagata).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from jaxfric._types import Number
from jaxfric.ratestate._coordinates import Coordinates, Scalar


class Linear(NamedTuple):
    """The coefficients of (1) and (2): δy' = forcing δw + relaxation δy + coupling δw'."""

    direct: Scalar  # A
    evolution: Array  # B
    forcing: Array  # F
    relaxation: Array  # R
    coupling: Array  # C


def linearise(coordinates: Coordinates, V: Scalar) -> Linear:
    y, unravel = ravel_pytree(coordinates.initial(V))

    def friction(w: Scalar, y: Array) -> Scalar:
        return coordinates.friction(V * jnp.exp(w), unravel(y))

    def rate(w: Scalar, y: Array) -> Array:
        return ravel_pytree(coordinates.rate(V * jnp.exp(w), unravel(y)))[0]

    zero, one = jnp.zeros_like(V), jnp.ones_like(V)
    direct, evolution = jax.jacfwd(friction, (0, 1))(zero, y)
    forcing, relaxation = jax.jacfwd(rate, (0, 1))(zero, y)
    coupling = ravel_pytree(coordinates.response(V, unravel(y), one, zero))[0]
    return Linear(direct, evolution, forcing, relaxation, coupling)


def critical_one_state(linear: Linear, V: Scalar, damping: Scalar, mass: Scalar) -> Scalar:
    """The closed form for one state."""
    # Damping resists as the direct effect does: A + η V
    A, B, r = linear.direct + damping * V, linear.evolution[0], linear.relaxation[0, 0]
    # (1) to (3) give (s − R)(m V s² + A s + k V) + B s (F + s C) = 0, a cubic in s with a pair of
    # imaginary roots where (Routh and Hurwitz) the product of its middle coefficients is that of
    # the outer ones:  k_c V = (A R − B F)(1 − m V R/(A + B C)).  Aging, slip and PRZ, in ln θ:
    # B = b, F = R = −V/Dc, C = 0, hence k_c = (b − A)/Dc · (1 + m V²/(A Dc))
    total = A + B * linear.coupling[0]
    return (A * r - B * linear.forcing[0]) * (1 - mass * V * r / total) / V


def critical_numeric(linear: Linear, V: Scalar, damping: Scalar, mass: Scalar) -> Scalar:
    """Largest k with an eigenvalue iω: the force response is real there, and k V = −response."""
    # (3) reads k V = −[s (A + η V + B · δy/δw) + m V s²] with s = iω: the imaginary part of the
    # bracket must vanish, which finds ω, and its real part then is the stiffness
    size = linear.relaxation.shape[0]

    def response(omega: Scalar) -> Array:
        zero = jnp.zeros_like(omega)
        s = jax.lax.complex(zero, omega)
        complexes = jax.tree_util.tree_map(lambda x: x.astype(s.dtype), linear)
        matrix = s * jnp.eye(size, dtype=s.dtype) - complexes.relaxation
        # (2): (s − R) δy = (F + s C) δw
        dy = jnp.linalg.solve(matrix, complexes.forcing + s * complexes.coupling)
        friction = complexes.direct + jax.lax.complex(damping * V, zero)
        friction = friction + jnp.sum(complexes.evolution * dy)
        return s * friction - jax.lax.complex(mass * V * omega**2, zero)

    def out_of_phase(omega: Scalar) -> Scalar:
        # Over ω, as the imaginary part is odd in it: the root at ω = 0 is not wanted
        return response(omega).imag / omega

    # Oscillations are about as fast as the states relax: four decades beyond either end, and 400
    # points so that two roots seldom lie between neighbours
    rates = jnp.abs(jnp.diagonal(linear.relaxation))
    grid = jnp.geomspace(1e-4 * jnp.min(rates), 1e4 * jnp.max(rates), 400)
    sign = jnp.sign(jax.vmap(out_of_phase)(grid))
    low, high = jax.lax.stop_gradient((jnp.log(grid[:-1]), jnp.log(grid[1:])))
    crosses = sign[:-1] * sign[1:] <= 0

    def bisect(_: Number, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        left = jnp.sign(jax.vmap(out_of_phase)(jnp.exp(middle))) == sign[:-1]
        return jnp.where(left, middle, low), jnp.where(left, high, middle)

    # Every interval of the grid at once; where there is no root the result is not used. 50 halvings
    # leave rounding alone
    low, high = jax.lax.fori_loop(0, 50, bisect, (low, high))
    omegas = jnp.exp(jax.lax.stop_gradient((low + high) / 2))
    stiffness = jnp.where(crosses, -jax.vmap(response)(omegas).real / V, 0.0)
    omega = jax.lax.stop_gradient(omegas[jnp.argmax(stiffness)])
    # One Newton step with the gradient on makes the derivative of the root exact
    value, slope = jax.jvp(out_of_phase, (omega,), (jnp.ones_like(omega),))
    omega = omega - value / jax.lax.stop_gradient(slope)
    return jnp.where(jnp.any(crosses), jnp.maximum(-response(omega).real / V, 0.0), 0.0)

"""Equations of motion of a slider behind a spring.

All per unit of the initial normal stress σ0, with n = σ/σ0 and y the state in its coordinates:

(1)  n μ(V, y) + η V + m V' = k (x_lp − x)      force balance

ln V is integrated, not V, which spans ten decades and more in a stick-slip cycle and must stay
positive.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from jaxfric.dynamics import Schedule
from jaxfric.ratestate._coordinates import Coordinates, add
from jaxfric.ratestate._numerics import safe_exp
from jaxfric.ratestate._spring import Spring


def right_hand_side(coordinates: Coordinates, spring: Spring) -> "QuasiDynamic | Inertial":
    """d/dτ of (ln V, y, k x[, spring force]) under a `Schedule`."""
    # The slip is integrated as k x, a friction: the solver's absolute tolerance is meant for
    # numbers of order one
    return (QuasiDynamic if spring.mass is None else Inertial)(coordinates, spring)


class QuasiDynamic(eqx.Module):
    """Right-hand side without inertia: (1) with m = 0, differentiated in time, gives (ln V)'.

    (2)  (n dμ/dlnV + η V) (ln V)' = k (V_lp − V) − n (ln n)' μ − n ∂μ/∂y · g

    y' = g + h (ln V)': g is the rate at constant velocity, with what a changing normal stress adds,
    and h the response of a state that feels a change of velocity (Nagata), so that
    dμ/dlnV = ∂μ/∂lnV + ∂μ/∂y · h.
    """

    coordinates: Coordinates
    spring: Spring

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(ln V, y, k x) per τ."""
        coordinates, spring = self.coordinates, self.spring
        w, state, _ = y
        load = schedule.load(tau)
        V = safe_exp(w)
        zero, one = jnp.zeros_like(w), jnp.ones_like(w)
        steady_rate = add(  # g
            coordinates.rate(V, state),
            coordinates.response(V, state, zero, load.log_stress_rate),
        )
        per_log_V = coordinates.response(V, state, one, zero)  # h
        # slope(dV, dy) = ∂μ/∂V dV + ∂μ/∂y · dy; with dV = V it is the derivative by ln V
        mu, slope = jax.linearize(coordinates.friction, V, state)
        resistance = load.stress * slope(V, per_log_V) + spring.damping * V  # left of (2)
        drive = spring.stiffness * (load.velocity - V)  # right of (2)
        drive = drive - load.stress * (load.log_stress_rate * mu + slope(zero, steady_rate))
        w_rate = drive / resistance
        state_rate = jax.tree_util.tree_map(lambda g, h: g + h * w_rate, steady_rate, per_log_V)
        rates = (w_rate, state_rate, spring.stiffness * V)
        # Per second times dt/dτ
        return jax.tree_util.tree_map(lambda x: load.length * x, rates)


class Inertial(eqx.Module):
    """Right-hand side with inertia: m V' = F − n μ − η V, F' = k (V_lp − V).

    The spring force F is a state of its own: a general V(t) gives no path of the load point from
    which to take k (x_lp − x).
    """

    coordinates: Coordinates
    spring: Spring

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(ln V, y, k x, spring force) per τ."""
        coordinates, spring = self.coordinates, self.spring
        assert spring.mass is not None  # `right_hand_side` chose this equation by it
        w, state, _, force = y
        load = schedule.load(tau)
        V = safe_exp(w)
        resistance = load.stress * coordinates.friction(V, state) + spring.damping * V
        w_rate = (force - resistance) / (spring.mass * V)  # (ln V)' = V'/V
        state_rate = add(
            coordinates.rate(V, state),
            coordinates.response(V, state, w_rate, load.log_stress_rate),
        )
        rates = (
            w_rate,
            state_rate,
            spring.stiffness * V,
            spring.stiffness * (load.velocity - V),
        )
        return jax.tree_util.tree_map(lambda x: load.length * x, rates)

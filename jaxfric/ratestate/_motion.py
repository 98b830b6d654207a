"""Equations of motion of a slider behind a spring."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from jaxfric.dynamics import Schedule
from jaxfric.ratestate._coordinates import Coordinates, add
from jaxfric.ratestate._evolution import safe_exp
from jaxfric.ratestate._spring import Spring


def right_hand_side(coordinates: Coordinates, spring: Spring) -> "QuasiDynamic | Inertial":
    """d/dτ of (ln V, y, k x[, spring force]) under a `Schedule`."""
    return (QuasiDynamic if spring.mass is None else Inertial)(coordinates, spring)


class QuasiDynamic(eqx.Module):
    """Right-hand side without inertia: force balance, differentiated in time, gives (ln V)'."""

    coordinates: Coordinates
    spring: Spring

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(ln V, y, k x) per τ."""
        coordinates, spring = self.coordinates, self.spring
        w, state, _ = y
        load = schedule.load(tau)
        V = safe_exp(w)
        zero, one = jnp.zeros_like(w), jnp.ones_like(w)
        own_rate = add(
            coordinates.rate(V, state),
            coordinates.response(V, state, zero, load.log_stress_rate),
        )
        per_log_V = coordinates.response(V, state, one, zero)
        mu, slope = jax.linearize(coordinates.friction, V, state)
        # d/dt of n μ + η V = k (x_lp − x):
        # (n dμ/dlnV + η V) w' = k (V_lp − V) − n (ln n)' μ − n ∂μ/∂y · y'
        inertia_free = load.stress * slope(V, per_log_V) + spring.damping * V
        drive = spring.stiffness * (load.velocity - V)
        drive = drive - load.stress * (load.log_stress_rate * mu + slope(zero, own_rate))
        w_rate = drive / inertia_free
        state_rate = jax.tree_util.tree_map(lambda a, b: a + b * w_rate, own_rate, per_log_V)
        rates = (w_rate, state_rate, spring.stiffness * V)
        return jax.tree_util.tree_map(lambda x: load.length * x, rates)


class Inertial(eqx.Module):
    """Right-hand side with inertia: m V' = spring force − n μ − η V."""

    coordinates: Coordinates
    spring: Spring

    def __call__(self, tau: Array, y: PyTree, schedule: Schedule) -> PyTree:
        """(ln V, y, k x, spring force) per τ."""
        coordinates, spring = self.coordinates, self.spring
        mass: Any = spring.mass
        w, state, _, force = y
        load = schedule.load(tau)
        V = safe_exp(w)
        resistance = load.stress * coordinates.friction(V, state) + spring.damping * V
        w_rate = (force - resistance) / (mass * V)
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

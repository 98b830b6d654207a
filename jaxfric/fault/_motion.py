"""Equations of motion of a chain, and what is sampled along it."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric.dynamics import Load, Schedule
from jaxfric.fault._chain import FaultChain

CLIP = 60.0  # of ln V: a rejected trial step must not overflow
STUCK = -300.0  # of ln V: a plate that swings back stops its patches, but not for ever

Scalar = Float[Array, ""]
Vector = Float[Array, " n"]


class State(NamedTuple):
    """What is integrated; the integrals' differences are exact averages over any window."""

    log_velocity: Vector
    log_state: Vector
    slip: Vector
    friction_integral: Scalar  # s
    kinetic_integral: Scalar  # J s/m²
    work: Scalar  # J/m²
    plate: Array  # stretch and velocity of a plate with a mass, else ()


class Rates(NamedTuple):
    """Time derivatives of what is sampled by cubics, per second."""

    friction: Scalar
    log_velocity: Scalar
    log_energy: Scalar


class Sample(NamedTuple):
    """What is kept of one instant."""

    friction: Scalar
    friction_integral: Scalar
    log_velocity: Scalar  # of the mean velocity
    slip: Scalar
    log_energy: Scalar
    kinetic_integral: Scalar
    work: Scalar
    rates: Rates  # as the loading was before this instant
    later: Rates  # as it is after: another where the load jumps
    patches: tuple[Vector, Vector, Vector] | None  # velocity, slip, stress


class Chain(eqx.Module):
    """d/dτ of a `State` under a `Schedule`."""

    chain: FaultChain
    start: Scalar  # s, from which the strength drifts
    responds: bool = eqx.field(static=True)  # whether θ feels (ln V)' or (ln σ)' directly

    def __call__(self, tau: Array, y: State, schedule: Schedule) -> State:
        """Rates of change per τ."""
        load = schedule.load(tau)
        return State(*(load.length * rate for rate in self.rates(load, y)))

    def rates(self, load: Load, y: State) -> State:
        """Rates of change per second."""
        chain, t = self.chain, load.time - self.start
        V = jnp.exp(jnp.clip(y.log_velocity, STUCK, CLIP))
        z, n_rate = y.log_state, load.log_stress_rate
        z_rate = chain.log_state_rate(V, z)
        z_per_log_V = jnp.zeros_like(z)
        zero, one = jnp.zeros_like(n_rate), jnp.ones_like(n_rate)
        if self.responds:
            z_rate = z_rate + chain.log_state_response(V, z, zero, n_rate)
            z_per_log_V = chain.log_state_response(V, z, one, zero)
        mu, slope = jax.linearize(lambda w, z: chain.friction(jnp.exp(w), z), jnp.log(V), z)
        added, added_rate = jax.jvp(chain.added, (t, y.slip), (jnp.ones_like(t), V))
        normal = load.stress * chain.normal_stress
        stress = normal * (mu + added) + chain.damping * V
        leaves = chain.tangents(stress, y.slip)
        plate_velocity, plate_rates = chain.plate_rates(
            load.velocity, V, jnp.mean(stress), leaves, y.plate
        )
        stress_rate = chain.pulled(plate_velocity, V, leaves)
        # (σ dμ/dlnV + η V) (ln V)' = τ' − σ (∂μ/∂lnθ (ln θ)' + d' + (ln σ)' (μ + d))
        direct = normal * slope(jnp.ones_like(V), z_per_log_V)
        evolution = normal * (slope(jnp.zeros_like(V), z_rate) + added_rate + n_rate * (mu + added))
        w_rate = (stress_rate - evolution) / (direct + chain.damping * V)
        energy = 0.5 * chain.mass * jnp.sum(V**2)
        bulk = jnp.mean(stress) / jnp.mean(normal)
        return State(
            w_rate, z_rate + z_per_log_V * w_rate, V, bulk, energy, jnp.sum(stress * V), plate_rates
        )


class Observed(eqx.Module):
    """The `Sample` of a state."""

    motion: Chain
    patches: bool = eqx.field(static=True)

    def __call__(self, tau: Array, y: State, schedule: Schedule) -> Sample:
        """Values at τ, and their rates on both sides of it."""
        # A step that ends at a jump of the load ends a rounding error before or after it
        rounding = 4 * jnp.finfo(tau.dtype).eps * jax.lax.stop_gradient(tau)
        before, after = tau - rounding, tau + rounding
        values, rates = self._with_rates(schedule.load(before), y)
        later = rates
        if schedule.jumps.size:
            later = self._with_rates(schedule.load(after), y)[1]
        friction, log_velocity, log_energy = values
        return Sample(
            friction, y.friction_integral, log_velocity, jnp.mean(y.slip), log_energy,
            y.kinetic_integral, y.work, rates, later, self._each(schedule.load(before), y),
        )  # fmt: skip

    def _with_rates(self, load: Load, y: State) -> tuple[Rates, Rates]:
        chain, rates = self.motion.chain, self.motion.rates(load, y)
        normal = jnp.mean(chain.normal_stress)

        def outputs(t: Array, ratio: Array, w: Array, z: Array, slip: Array) -> Rates:
            V = jnp.exp(jnp.clip(w, STUCK, CLIP))
            energy = 0.5 * chain.mass * jnp.sum(V**2)
            bulk = jnp.mean(chain.stress(t, V, z, slip, ratio)) / (ratio * normal)
            return Rates(bulk, jnp.log(jnp.mean(V)), jnp.log(energy))

        t = load.time - self.motion.start
        changes = (jnp.ones_like(t), load.stress * load.log_stress_rate, *rates[:3])
        return jax.jvp(outputs, (t, load.stress, *y[:3]), changes)

    def _each(self, load: Load, y: State) -> tuple[Vector, Vector, Vector] | None:
        if not self.patches:
            return None
        V = jnp.exp(y.log_velocity)
        t = load.time - self.motion.start
        stress = self.motion.chain.stress(t, V, y.log_state, y.slip, load.stress)
        return V, y.slip, stress


def step_norm(errors: State) -> Array:
    """Only ln V, ln θ and the plate control the step: slip and the integrals follow from them."""
    controlled = [errors.log_velocity, errors.log_state, errors.plate]
    return jnp.sqrt(jnp.mean(jnp.concatenate(controlled) ** 2))


def between(time: Array, saved: Sample, t: Array) -> Sample:
    """Samples at `t` between the solver's steps: cubics, and exponentials for integrals.

    Unused places at the end of `time` repeat its last step.
    """
    last = jnp.searchsorted(time, time[-1], side="left")
    i = jnp.searchsorted(time, t, side="right").astype(last.dtype)
    i = jnp.clip(i - 1, 0, jnp.maximum(last - 1, 0))
    width = time[i + 1] - time[i]
    width = jnp.where(width > 0, width, 1)
    part = (t - time[i]) / width
    before, after = (jax.tree_util.tree_map(lambda x, k=k: x[k], saved) for k in (i, i + 1))
    rise = jax.tree_util.tree_map(jnp.subtract, after, before)

    def line(x: Array, dx: Array) -> Array:
        return x + part.reshape(-1, *[1] * (x.ndim - 1)) * dx

    def cubic(x: Array, dx: Array, first_rate: Array, last_rate: Array) -> Array:
        left, right = first_rate * width - dx, dx - last_rate * width
        return line(x, dx) + part * (1 - part) * ((1 - part) * left + part * right)

    def grown(x: Array, dx: Array, growth: Array) -> Array:
        """An integral whose rate is exponential between the steps: it never falls."""
        growth = jnp.clip(growth, -CLIP, CLIP)
        small = jnp.abs(growth) < 1e-6
        safe = jnp.where(small, 1, growth)
        return x + jnp.where(small, part, jnp.expm1(part * safe) / jnp.expm1(safe)) * dx

    first, end = before.later, after.rates
    lines = jax.tree_util.tree_map(line, before, rise)
    return lines._replace(
        friction=cubic(before.friction, rise.friction, first.friction, end.friction),
        friction_integral=cubic(
            before.friction_integral, rise.friction_integral, before.friction, after.friction
        ),
        log_velocity=cubic(
            before.log_velocity, rise.log_velocity, first.log_velocity, end.log_velocity
        ),
        slip=grown(before.slip, rise.slip, rise.log_velocity),
        log_energy=cubic(before.log_energy, rise.log_energy, first.log_energy, end.log_energy),
        kinetic_integral=grown(before.kinetic_integral, rise.kinetic_integral, rise.log_energy),
        work=grown(before.work, rise.work, rise.log_velocity),
        rates=jax.tree_util.tree_map(lambda x, y: line(x, y - x), before.later, after.rates),
    )

"""Equations of motion of a chain, and what is sampled along it.

With w_i = ln V_i and z_i = ln θ_i, strength μ_i + d_i (d: what roughness and drift add) and the
normal stress σ_i of the moment, the force balance of a patch and its time derivative are

(1)  τ_i = σ_i (μ_i(w_i, z_i) + d_i) + η V_i
(2)  (σ_i dμ/dw + η V_i) w_i' = τ_i' − σ_i [∂μ/∂z g_i + d_i' + (ln σ)' (μ_i + d_i)]

where τ_i' is how the springs pull (`FaultChain.pulled`), z_i' = g_i + h_i w_i', and
dμ/dw = ∂μ/∂w + ∂μ/∂z h_i. As in `ratestate._motion`, whose spring is the loader and a leaf here.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxfric.dynamics import Load, Schedule
from jaxfric.fault._chain import FaultChain, PerPatch
from jaxfric.fault._plate import Plate, Scalar, plate_rates

# Bounds of ln V. A rejected trial step must not overflow: V² e^120 fits into a float, and no fault
# slides at e^60 m/s. A plate that swings back unloads its patches, and ln V falls without end; held
# at e^−300, its square still is a number whose logarithm is one, and the patch can start again
CLIP = 60.0
STUCK = -300.0


class State(NamedTuple):
    """What is integrated; the integrals' differences are exact averages over any window."""

    log_velocity: PerPatch  # ln V_i
    log_state: PerPatch  # ln θ_i
    slip: PerPatch  # u_i, m
    friction_integral: Scalar  # s
    kinetic_integral: Scalar  # J s/m²
    work: Scalar  # J/m²
    plate: Plate  # stretch and velocity of a plate with a mass, else nothing


class Patches(NamedTuple):
    """The part of a `State` on which stresses and energies depend; or the rates of it."""

    log_velocity: PerPatch
    log_state: PerPatch
    slip: PerPatch

    @classmethod
    def of(cls, y: State) -> "Patches":
        """Without integrals and the plate."""
        return cls(y.log_velocity, y.log_state, y.slip)


class PatchSample(NamedTuple):
    """What is kept of the patches at one instant."""

    velocity: PerPatch  # m/s
    slip: PerPatch  # m
    stress: PerPatch  # τ_i, Pa


class Outputs(NamedTuple):
    """What is sampled by cubics; or its time derivatives, per second."""

    friction: Scalar  # mean τ_i over mean σ_i
    log_velocity: Scalar  # of the mean velocity
    log_energy: Scalar  # of the kinetic energy


class Sample(NamedTuple):
    """What is kept of one instant."""

    friction: Scalar
    friction_integral: Scalar
    log_velocity: Scalar  # of the mean velocity
    slip: Scalar
    log_energy: Scalar
    kinetic_integral: Scalar
    work: Scalar
    rates: Outputs  # as the loading was before this instant
    later: Outputs  # as it is after: another where the load jumps
    patches: PatchSample | None


class Chain(eqx.Module):
    """d/dτ of a `State` under a `Schedule`."""

    chain: FaultChain
    start: Scalar  # s, from which the strength drifts
    responds: bool = eqx.field(static=True)  # whether θ feels (ln V)' or (ln σ)' directly

    def __call__(self, tau: Scalar, y: State, schedule: Schedule) -> State:
        """Rates of change per τ."""
        load = schedule.load(tau)
        return jax.tree_util.tree_map(lambda rate: load.length * rate, self.rates(load, y))

    def rates(self, load: Load, y: State) -> State:
        """Rates of change per second."""
        chain, t = self.chain, load.time - self.start
        V = jnp.exp(jnp.clip(y.log_velocity, STUCK, CLIP))
        z, n_rate = y.log_state, load.log_stress_rate
        z_rate, z_per_log_V = self._state_rates(V, z, n_rate)
        mu, slope = jax.linearize(lambda w, z: chain.friction(jnp.exp(w), z), jnp.log(V), z)
        added, added_rate = jax.jvp(chain.added, (t, y.slip), (jnp.ones_like(t), V))
        normal = load.stress * chain.normal_stress
        stress = normal * (mu + added) + chain.damping * V  # (1)
        leaves = chain.tangents(stress, y.slip)
        plate_velocity, plate = plate_rates(
            chain, load.velocity, V, jnp.mean(stress), leaves, y.plate
        )
        stress_rate = chain.pulled(plate_velocity, V, leaves)
        # (2)
        direct = normal * slope(jnp.ones_like(V), z_per_log_V)
        evolution = normal * (slope(jnp.zeros_like(V), z_rate) + added_rate + n_rate * (mu + added))
        w_rate = (stress_rate - evolution) / (direct + chain.damping * V)
        return State(
            log_velocity=w_rate,
            log_state=z_rate + z_per_log_V * w_rate,
            slip=V,
            friction_integral=jnp.mean(stress) / jnp.mean(normal),
            kinetic_integral=jnp.asarray(0.5 * chain.mass * jnp.sum(V**2)),
            work=jnp.sum(stress * V),
            plate=plate,
        )

    def _state_rates(self, V: PerPatch, z: PerPatch, n_rate: Scalar) -> tuple[PerPatch, PerPatch]:
        """g and h of z' = g + h (ln V)'."""
        rate, per_log_V = self.chain.log_state_rate(V, z), jnp.zeros_like(z)
        # Most states respond to neither: their program is smaller without
        if self.responds:
            zero, one = jnp.zeros_like(n_rate), jnp.ones_like(n_rate)
            rate = rate + self.chain.log_state_response(V, z, zero, n_rate)
            per_log_V = self.chain.log_state_response(V, z, one, zero)
        return rate, per_log_V


class Observed(eqx.Module):
    """The `Sample` of a state."""

    motion: Chain
    patches: bool = eqx.field(static=True)

    def __call__(self, tau: Scalar, y: State, schedule: Schedule) -> Sample:
        """Values at τ, and their rates on both sides of it."""
        # A step that ends at a jump of the load ends a rounding error before or after it
        rounding = 4 * jnp.finfo(tau.dtype).eps * jax.lax.stop_gradient(tau)
        before, after = tau - rounding, tau + rounding
        values, rates = self._with_rates(schedule.load(before), y)
        later = rates
        if schedule.jumps.size:
            _, later = self._with_rates(schedule.load(after), y)
        return Sample(
            friction=values.friction,
            friction_integral=y.friction_integral,
            log_velocity=values.log_velocity,
            slip=jnp.mean(y.slip),
            log_energy=values.log_energy,
            kinetic_integral=y.kinetic_integral,
            work=y.work,
            rates=rates,
            later=later,
            patches=self._patches(schedule.load(before), y),
        )

    def _with_rates(self, load: Load, y: State) -> tuple[Outputs, Outputs]:
        """Outputs and their time derivatives, by the chain rule along the motion."""
        chain, rates = self.motion.chain, self.motion.rates(load, y)
        normal = jnp.mean(chain.normal_stress)

        def outputs(t: Scalar, ratio: Scalar, patches: Patches) -> Outputs:
            V = jnp.exp(jnp.clip(patches.log_velocity, STUCK, CLIP))
            energy = 0.5 * chain.mass * jnp.sum(V**2)
            stress = chain.stress(t, V, patches.log_state, patches.slip, ratio)
            bulk = jnp.mean(stress) / (ratio * normal)
            return Outputs(bulk, jnp.log(jnp.mean(V)), jnp.log(energy))

        t = load.time - self.motion.start
        at = (t, load.stress, Patches.of(y))
        changes = (jnp.ones_like(t), load.stress * load.log_stress_rate, Patches.of(rates))
        return jax.jvp(outputs, at, changes)

    def _patches(self, load: Load, y: State) -> PatchSample | None:
        if not self.patches:
            return None
        V = jnp.exp(y.log_velocity)
        t = load.time - self.motion.start
        stress = self.motion.chain.stress(t, V, y.log_state, y.slip, load.stress)
        return PatchSample(velocity=V, slip=y.slip, stress=stress)


def step_norm(errors: State) -> Array:
    """Root mean square of the errors of ln V, ln θ and the plate."""
    # Slip and integrals follow from these: they are integrals of what the logarithms give. In m, s
    # and J/m² they would shorten the steps by an amount that depends on the units
    controlled = [errors.log_velocity, errors.log_state, errors.plate]
    return jnp.sqrt(jnp.mean(jnp.concatenate(controlled) ** 2))


def between(time: Array, saved: Sample, t: Array) -> Sample:
    """Samples at `t` between the solver's steps: cubics, and exponentials for integrals.

    Unused places at the end of `time` repeat its last step.
    """
    last = jnp.searchsorted(time, time[-1], side="left")
    i = jnp.searchsorted(time, t, side="right").astype(last.dtype)
    i = jnp.clip(i - 1, 0, jnp.maximum(last - 1, 0))
    # Unused places have no width; 1 keeps what is not read finite
    width = time[i + 1] - time[i]
    width = jnp.where(width > 0, width, 1)
    part = (t - time[i]) / width
    before, after = (jax.tree_util.tree_map(lambda x, k=k: x[k], saved) for k in (i, i + 1))
    rise = jax.tree_util.tree_map(jnp.subtract, after, before)

    def line(x: Array, dx: Array) -> Array:
        return x + part.reshape(-1, *[1] * (x.ndim - 1)) * dx

    def cubic(x: Array, dx: Array, first_rate: Array, last_rate: Array) -> Array:
        # Hermite's: the line plus p (1 − p) [(1 − p) (x_0' w − Δx) + p (Δx − x_1' w)]
        left, right = first_rate * width - dx, dx - last_rate * width
        return line(x, dx) + part * (1 - part) * ((1 - part) * left + part * right)

    def grown(x: Array, dx: Array, growth: Array) -> Array:
        """An integral whose rate is exponential between the steps: it never falls."""
        # Of e^{g p}: x + Δx (e^{g p} − 1)/(e^g − 1), which at g = 0 is the line; below 1e-6 the two
        # differ by g/8 at the most
        growth = jnp.clip(growth, -CLIP, CLIP)
        small = jnp.abs(growth) < 1e-6
        safe = jnp.where(small, 1, growth)
        return x + jnp.where(small, part, jnp.expm1(part * safe) / jnp.expm1(safe)) * dx

    # Within a step the loading is that after its first end and that before its last
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

"""Integrating a chain: bulk friction, kinetic energy, slip."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric.fault._chain import FaultChain
from jaxfric.ratestate import Catalogue, History, catalogue as slider_catalogue

CLIP = 60.0  # of ln V: a rejected trial step must not overflow
STUCK = -300.0  # of ln V: a plate that swings back stops its patches, but not for ever


class FaultHistory(eqx.Module):
    """What `simulate` returns, sampled at `time`.

    Attributes:
        time: (m,), s.
        friction: (m,), mean shear stress over mean normal stress.
        friction_integral: (m,), ∫ μ dt, s.
        velocity: (m,), mean sliding velocity, m/s.
        slip: (m,), mean slip, m.
        kinetic_energy: (m,), ½ m Σ V², J/m², over the patches.
        kinetic_integral: (m,), ∫ kinetic energy dt, J s/m².
        work: (m,), ∫ Σ τ_i V_i dt, J/m² over the patches: friction and radiation.
        level: (m,), what the drift of the strength adds to the friction.
        friction_rate: (m,), μ', 1/s.
        log_velocity_rate: (m,), (ln V)', 1/s.
        patch_velocity: (m, n), m/s; None unless asked for.
        patch_slip: (m, n), m, likewise.
        patch_stress: (m, n), Pa, likewise.
        status: outcome; `status.ok` and `str(status)`.
    """

    time: Float[Array, " m"]
    friction: Float[Array, " m"]
    friction_integral: Float[Array, " m"]
    velocity: Float[Array, " m"]
    slip: Float[Array, " m"]
    kinetic_energy: Float[Array, " m"]
    kinetic_integral: Float[Array, " m"]
    work: Float[Array, " m"]
    level: Float[Array, " m"]
    friction_rate: Float[Array, " m"]
    log_velocity_rate: Float[Array, " m"]
    status: Status
    patch_velocity: Float[Array, "m n"] | None = None
    patch_slip: Float[Array, "m n"] | None = None
    patch_stress: Float[Array, "m n"] | None = None

    def __str__(self) -> str:
        if isinstance(self.time, jax.core.Tracer) or np.ndim(self.time) > 1:
            return "FaultHistory(traced or batched)"
        mu, E = np.asarray(self.friction), np.asarray(self.kinetic_energy)
        return (
            f"FaultHistory: {mu.size} samples, {self.time[0]:.6g} to {self.time[-1]:.6g} s\n"
            f"  friction {mu.min():.5g} to {mu.max():.5g}\n"
            f"  kinetic energy {E.min():.3g} to {E.max():.3g} J/m²\n"
            f"  {self.status}"
        )

    def catalogue(self, *, threshold: Any = None, max_events: int = 64) -> Catalogue:
        """Slip events of the whole fault; see `ratestate.catalogue`. Use `steps=True` histories."""
        return slider_catalogue(
            History(
                self.time, self.velocity, self.friction, self.slip, self.slip, self.status,
                self.log_velocity_rate, self.friction_rate,
            ),
            threshold=threshold, max_events=max_events,
        )  # fmt: skip


def simulate(
    chain: FaultChain,
    velocity: Any,
    t: Any,
    *,
    initial: tuple[Any, Any] | None = None,
    steps: bool = False,
    patches: bool = False,
    solver: diffrax.AbstractSolver | None = None,
    rtol: Any = 1e-8,
    atol: Any = 1e-10,
    max_steps: int = 65536,
    adjoint: diffrax.AbstractAdjoint = diffrax.DirectAdjoint(),  # noqa: B008
) -> FaultHistory:
    """Stick-slip of a chain under a load point that moves at a constant velocity.

    The force balance of each patch, differentiated in time, gives (ln V_i)'; it is integrated with
    ln θ_i, the slip and the integrals of friction and kinetic energy, whose differences are exact
    averages over an instrument's window however short the events.

    Arguments:
        chain: a `FaultChain`.
        velocity: of the load point, m/s, > 0.
        t: (m,), s, sorted sample times, not negative; the run starts at 0.
        initial: (V, θ), each (n,); if None, every patch slides steadily at its own velocity, the
            first at the load's and each next 10 % slower, so that they do not move as one.
        steps: return the solver's own steps to t[-1] instead; unused places repeat the last.
        patches: also return velocity, slip and stress of every patch (between the solver's steps
            on straight lines).
        solver: Tsit5 if None.
        rtol: relative tolerance of a step in ln V and ln θ.
        atol: absolute tolerance.
        max_steps: the most steps before the run ends with the status that says so; samples that
            it did not reach are NaN.
        adjoint: `DirectAdjoint` differentiates in forward and reverse mode; `ForwardMode()` is the
            fastest without a gradient.

    Returns:
        `FaultHistory`.

    Raises:
        ValueError: in float32, for a batch (use jax.vmap), for bad times, or if a spring cannot
            carry the stress at the start (in the status if that is traced).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.fault import FaultChain, patches, simulate
        >>> law = patches(mu0=0.6, a=0.01, b=0.015, Dc=1e-6, V0=1e-6)
        >>> chain = FaultChain(law, 5e6, loader=1e10, leaf=1e10, coupling=0.0, damping=1e6)
        >>> history = simulate(chain, 1e-5, jnp.linspace(0.0, 20.0, 101))
        >>> print(history.status)
        successful

    Source: Rice (1993) for the quasi-dynamic balance; ours in detail.
    """
    t, start, overloaded = _checked(chain, velocity, t, initial)
    solution = _solve(chain, velocity, t[-1], start, solver, (rtol, atol), max_steps, adjoint,
                      patches)  # fmt: skip
    assert solution.ts is not None and solution.ys is not None
    last = jnp.sum(jnp.isfinite(solution.ts)) - 1
    index = jnp.minimum(jnp.arange(solution.ts.shape[0]), last)
    time, saved = solution.ts[index], solution.ys[index]
    reached = time <= time[-1]
    if not steps:
        reached = t <= time[-1]
        saved = _sampled(time, saved, t, last)
        time = t
    status = Status.first(
        (~chain.valid, Status.BAD_PARAMETER),
        (overloaded, Status.OVERLOADED),
        (~jnp.all(jnp.isfinite(saved)), Status.NOT_FINITE),
        (solution.result == diffrax.RESULTS.successful, Status.SUCCESSFUL),
        (solution.result == diffrax.RESULTS.max_steps_reached, Status.MAX_STEPS),
        (True, Status.SOLVER),
    )
    saved = jnp.where(reached[:, None], saved, jnp.nan)
    mu, mu_sum, log_V, slip, log_E, E_sum, work, mu_rate, log_V_rate = saved[:, :9].T
    each = jnp.split(saved[:, 10:], 3, axis=1) if patches else (None, None, None)
    return FaultHistory(
        time, mu, mu_sum, jnp.exp(log_V), slip, jnp.exp(log_E), E_sum, work, chain.level(time),
        mu_rate, log_V_rate, status, *each,
    )  # fmt: skip


def _solve(
    chain: FaultChain, velocity: Any, end: Any, start: Any, solver: Any, tolerances: Any,
    max_steps: int, adjoint: Any, patches: bool,
) -> diffrax.Solution:  # fmt: skip
    field = _field(chain, velocity)
    normal = jnp.mean(chain.normal_stress)

    def saved(t: Any, y: Any, args: Any) -> Array:
        """Value and rate of what is sampled."""
        rates = field(t, y, args)

        def outputs(t: Any, w: Array, z: Array, slip: Array) -> Array:
            V = jnp.exp(jnp.clip(w, STUCK, CLIP))
            energy = 0.5 * chain.mass * jnp.sum(V**2)
            bulk = jnp.mean(chain.stress(t, V, z, slip)) / normal
            return jnp.stack([bulk, jnp.log(jnp.mean(V)), jnp.log(energy)])

        values, slopes = jax.jvp(outputs, (t, *y[:3]), (jnp.ones_like(t), *rates[:3]))
        bulk, log_V, log_E = values
        means = [bulk, y[3], log_V, jnp.mean(y[2]), log_E, y[4], y[5], *slopes]
        each = [jnp.exp(y[0]), y[2], chain.stress(t, jnp.exp(y[0]), y[1], y[2])] if patches else []
        return jnp.concatenate([jnp.stack(means), *each])

    save = diffrax.SaveAt(subs=diffrax.SubSaveAt(t0=True, steps=True, fn=saved))
    rtol, atol = tolerances
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field), diffrax.Tsit5() if solver is None else solver,
        t0=jnp.zeros_like(end), t1=end, dt0=None, y0=start, saveat=save, adjoint=adjoint,
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol, norm=_norm),
        max_steps=max_steps, throw=False,
    )  # fmt: skip


def _norm(errors: Any) -> Array:
    """Only ln V, ln θ and the plate control the step: slip and the integrals follow from them."""
    w, z, *_, plate = errors
    return jnp.sqrt(jnp.mean(jnp.concatenate([w, z, plate]) ** 2))


def _field(chain: FaultChain, load: Any) -> Any:
    """d/dt of (ln V, ln θ, u, ∫μ, ∫E, ∫τV, the plate's stretch and velocity)."""

    def field(t: Any, y: Any, args: Any) -> Any:
        w, z, slip, *_, plate = y
        V = jnp.exp(jnp.clip(w, STUCK, CLIP))
        z_rate = chain.log_state_rate(V, z)
        mu, slope = jax.linearize(lambda w, z: chain.friction(jnp.exp(w), z), jnp.log(V), z)
        added, added_rate = jax.jvp(chain.added, (t, slip), (jnp.ones_like(t), V))
        stress = chain.normal_stress * (mu + added) + chain.damping * V
        leaves = chain.tangents(stress, slip)
        plate_velocity, plate_rates = chain.plate_rates(load, V, jnp.mean(stress), leaves, plate)
        stress_rate = chain.pulled(plate_velocity, V, leaves)
        # (σ ∂μ/∂lnV + η V) (ln V)' = τ' − σ (∂μ/∂lnθ (ln θ)' + d')
        direct = chain.normal_stress * slope(jnp.ones_like(w), jnp.zeros_like(w))
        evolution = chain.normal_stress * (slope(jnp.zeros_like(w), z_rate) + added_rate)
        w_rate = (stress_rate - evolution) / (direct + chain.damping * V)
        energy = 0.5 * chain.mass * jnp.sum(V**2)
        bulk = jnp.mean(stress) / jnp.mean(chain.normal_stress)
        return w_rate, z_rate, V, bulk, energy, jnp.sum(stress * V), plate_rates

    return field


def _sampled(time: Array, saved: Array, t: Array, last: Array) -> Array:
    """The samples at `t` between the solver's steps: cubics, and exponentials for integrals."""
    i = jnp.searchsorted(time, t, side="right").astype(last.dtype)
    i = jnp.clip(i - 1, 0, jnp.maximum(last - 1, 0))
    width = time[i + 1] - time[i]
    width = jnp.where(width > 0, width, 1)[:, None]
    part = (t[:, None] - time[i][:, None]) / width
    before, after = saved[i], saved[i + 1]
    rise = after - before
    line = before + part * rise

    def cubic(value: slice, rates_before: Array, rates_after: Array) -> Array:
        left = rates_before * width - rise[:, value]
        right = rise[:, value] - rates_after * width
        return line[:, value] + part * (1 - part) * ((1 - part) * left + part * right)

    def grown(value: slice, log_rate: slice) -> Array:
        """An integral whose rate is exponential between the steps: it never falls."""
        growth = jnp.clip(rise[:, log_rate], -CLIP, CLIP)
        small = jnp.abs(growth) < 1e-6
        safe = jnp.where(small, 1, growth)
        gained = jnp.where(small, part, jnp.expm1(part * safe) / jnp.expm1(safe))
        return before[:, value] + gained * rise[:, value]

    friction = cubic(slice(0, 1), before[:, 7:8], after[:, 7:8])
    friction_sum = cubic(slice(1, 2), before[:, 0:1], after[:, 0:1])
    log_V = cubic(slice(2, 3), before[:, 8:9], after[:, 8:9])
    slip = grown(slice(3, 4), slice(2, 3))
    log_E = cubic(slice(4, 5), before[:, 9:10], after[:, 9:10])
    energy_sum = grown(slice(5, 6), slice(4, 5))
    work = grown(slice(6, 7), slice(2, 3))
    parts = [friction, friction_sum, log_V, slip, log_E, energy_sum, work, line[:, 7:]]
    return jnp.concatenate(parts, axis=1)


def _checked(chain: FaultChain, velocity: Any, t: Any, initial: Any) -> tuple[Array, Any, Any]:
    """Times, the state at the start, and whether a spring cannot carry it."""
    _checks.positive("velocity", velocity)
    _checks.vector("t", t)
    t = jnp.asarray(t)
    _checks.float64("fault.simulate", t.dtype)
    if _checks.is_concrete(t):
        samples = np.asarray(t)
        if not np.all(np.isfinite(samples)) or np.any(np.diff(samples) < 0) or samples[0] < 0:
            raise ValueError("sample times t must be finite, sorted and not negative")
        if samples[-1] <= 0:
            raise ValueError("the last sample time must lie after the start, 0")
    n = chain.patches
    if initial is None:
        V = jnp.asarray(velocity, t.dtype) * 0.9 ** jnp.arange(n, dtype=t.dtype)
        state = jax.vmap(lambda law, v: law.initial(v))(chain.law, V)
    else:
        V, state = (jnp.asarray(x, t.dtype) for x in initial)
        if V.shape != (n,) or state.shape != (n,):
            raise ValueError(
                f"initial=(V, θ) must have shape ({n},) each; got {V.shape} and {state.shape}"
            )
    zero, slip = jnp.zeros((), t.dtype), jnp.zeros_like(V)
    stress = chain.stress(zero, V, jnp.log(state), slip)
    overloaded = chain.overloaded(stress, slip)
    if _checks.is_concrete(overloaded) and overloaded:
        raise ValueError(
            f"a spring starts at or past its limit: stresses {np.asarray(stress).tolist()} Pa, "
            f"limit {chain.limit}, leaf_limit {np.asarray(chain.leaf_limit).tolist()}. Raise the "
            "limits above the stress at the start, or begin with a lower one: initial=(V, θ)"
        )
    plate = chain.plate_start(velocity, V, jnp.mean(stress), chain.tangents(stress, slip))
    return t, (jnp.log(V), jnp.log(state), slip, zero, zero, zero, plate), overloaded

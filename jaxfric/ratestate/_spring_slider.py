"""A slider pulled through a spring: stable sliding, velocity steps, stick-slip."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.dynamics import (
    LoadStress,
    LoadVelocity,
    Options,
    Schedule,
    VelocityProtocol,
    integrate,
    outcome,
    stiff_solver,
    traced_inputs,
)
from jaxfric.programs import program
from jaxfric.ratestate._coordinates import Coordinates, FrictionLaw, Scalar, SteppedFrictionLaw
from jaxfric.ratestate._history import History
from jaxfric.ratestate._inputs import check_run, one_dtype
from jaxfric.ratestate._motion import right_hand_side
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._spring import Spring
from jaxfric.ratestate._stepped import spring_slider_in_steps, step_grid

# An explicit solver of order five is stable for steps of up to some 3.3 relaxation times: it needs
# at least 1/3.3 of a step for each of them
STEPS_PER_DECAY = 0.3


def spring_slider(
    law: FrictionLaw | SteppedFrictionLaw,
    spring: Spring,
    protocol: LoadVelocity,
    t: Vector,
    *,
    initial: tuple[Number, PyTree] | None = None,
    normal_stress: LoadStress | None = None,
    steps: bool = False,
    step: Number | None = None,
    options: Options | None = None,
) -> History:
    """Friction, velocity and slip of a slider whose load point follows a protocol.

    Force balance per unit initial normal stress, with n = σ/σ0:
    n μ(V, θ) + η V + m V' = k (x_lp − x). Integrated in ln V and ln θ, in float64. Compiled once
    for a kind of law, load and number of samples, also outside of jax.jit.

    Arguments:
        law: a `RateStateLaw` or any object with its methods.
        spring: a `Spring`; with a mass the stiff equation of motion is integrated.
        protocol: load-point velocity, a `VelocityProtocol` or a smooth function V(t) in m/s.
        t: (m,), s, sorted sample times, not before the protocol's start.
        initial: (V, state) at the start; steady state at the first velocity if None.
        normal_stress: history σ(t)/σ0.
        steps: return the solver's own steps from the start to t[-1] instead of samples at `t`;
            unused places repeat the last step. What `catalogue` wants for stick-slip.
        step: fixed step, s, for a law that has `advance` but no `rate`, such as a recurrent
            network; needs a `VelocityProtocol`, no mass and constant normal stress.
        options: how to integrate; Tsit5 without inertia and `stiff_solver()` with it, if it names
            no solver.

    Returns:
        `History` with .time .velocity .friction .state .slip .status.

    Raises:
        ValueError: in float32; for a batch (use jax.vmap); for samples outside the protocol; for
            a start at zero velocity without `initial`.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.ratestate import RateStateLaw
        >>> law = RateStateLaw(mu0=0.6, a=0.001, b=0.0015, Dc=1e-4, V0=1e-6)
        >>> protocol = VelocityProtocol([0.0], [1e-5])
        >>> start = (1e-6, law.initial(1e-6))
        >>> history = spring_slider(law, Spring(50.0), protocol, jnp.array([100.0]), initial=start)
        >>> print(f"{history.friction[-1]:.8f}", history.status)
        0.59884871 successful

    Source: standard spring-slider; radiation damping after Rice (1993).
    """
    options = Options() if options is None else options
    check_run(law, protocol, t, spring)
    grid = step_grid(law, protocol, t, step)
    law, protocol, t, (spring, initial) = one_dtype(law, protocol, t, (spring, initial))
    _checks.float64("spring_slider", t.dtype)
    if grid is not None:
        if steps or normal_stress is not None or not isinstance(protocol, VelocityProtocol):
            raise ValueError("a law that is stepped takes a VelocityProtocol, no normal_stress and "
                             "steps=False")  # fmt: skip
        return spring_slider_in_steps(law, spring, protocol, t, initial, grid)
    _check_start(law, protocol, t, initial)
    return _run(law, spring, protocol, t, initial, normal_stress, steps, options)


@program
def _run(
    law: FrictionLaw, spring: Spring, protocol: LoadVelocity, t: Array,
    initial: tuple[Number, PyTree] | None, normal_stress: LoadStress | None, steps: bool,
    options: Options,
) -> History:  # fmt: skip
    """`spring_slider` of checked arguments, all numbers arrays."""
    coordinates = Coordinates(law, t.dtype)
    schedule = Schedule.of(protocol, normal_stress, t)
    y0 = _initial(coordinates, spring, schedule, initial)
    # With mass the forces come into balance within the time m V/a, far below that of all else: the
    # equations are stiff. Without, they are not, but behind a spring such as `_stiff` tells of
    explicit = options.solver is None and spring.mass is None
    if options.solver is None and not explicit:
        options = options.with_solver(stiff_solver())
    field = right_hand_side(coordinates, spring)
    inputs = traced_inputs(protocol, t, law, spring).promote(Outcome)
    t, solution, status = integrate(
        field, y0, schedule, t, options, valid=inputs.ok, steps=steps
    )  # fmt: skip
    status = status.promote(Outcome)
    if explicit:
        status = _stiff(coordinates, spring, schedule, options.max_steps, y0, status)
    w, y, elastic, *_ = solution

    def with_rates(tau: Scalar, full: PyTree) -> tuple[Scalar, Scalar, Scalar]:
        """μ, (ln V)' and μ' = ∂μ/∂lnV (ln V)' + ∂μ/∂y · y' of a state at τ."""
        length = schedule.load(tau).length
        w, y, *_ = full
        w_per_tau, y_per_tau, *_ = field(tau, full, schedule)
        mu, mu_per_tau = jax.jvp(
            lambda w, y: coordinates.friction(jnp.exp(w), y), (w, y), (w_per_tau, y_per_tau)
        )
        per_second = 1 / jnp.where(length > 0, length, 1)
        return mu, w_per_tau * per_second, mu_per_tau * per_second

    # Rates within a segment: at a jump of the load, those of the segment that starts there
    friction, log_velocity_rate, friction_rate = jax.vmap(with_rates)(schedule.inside(t), solution)
    return History(
        time=t,
        velocity=jnp.exp(w),
        friction=friction,
        state=coordinates.decode(y),
        slip=elastic / spring.stiffness,
        status=outcome(inputs, status, friction),
        log_velocity_rate=log_velocity_rate,
        friction_rate=friction_rate,
    )


def _initial(
    coordinates: Coordinates, spring: Spring, schedule: Schedule,
    initial: tuple[Number, PyTree] | None,
) -> tuple[PyTree, ...]:  # fmt: skip
    """(ln V, y, k x[, spring force]) at the start."""
    load = schedule.load(jnp.zeros_like(schedule.bounds[0]))
    if initial is None:
        V, y = load.velocity, coordinates.initial(load.velocity)
    else:
        V, y = jnp.asarray(initial[0]), coordinates.encode(initial[1])
    start = (jnp.log(V), y, jnp.zeros_like(V))
    if spring.mass is None:
        return start
    # The spring carries what resists at the start, so that nothing accelerates: F = n μ + η V
    return (*start, load.stress * coordinates.friction(V, y) + spring.damping * V)


def _stiff(
    coordinates: Coordinates, spring: Spring, schedule: Schedule, max_steps: int,
    y0: tuple[PyTree, ...], status: Status,
) -> Status:  # fmt: skip
    """The status, with a spring too stiff for an explicit solver told from sliding that runs away.

    Both use up the solver's steps. Steady sliding follows the load point within the time
    (∂μ/∂lnV + ηV)/(k V), which an explicit solver must resolve however smooth the motion is.
    """
    V = jnp.exp(y0[0])
    # At the fastest load the time is shortest; a smooth V(t) is judged by its start
    load = schedule.segment_velocity
    fastest = V if load is None else jnp.maximum(V, jnp.max(load))
    one, zero = jnp.ones_like(V), jax.tree_util.tree_map(jnp.zeros_like, y0[1])
    _, direct = jax.jvp(
        lambda w, y: coordinates.friction(jnp.exp(w), y), (y0[0], y0[1]), (one, zero)
    )
    duration = schedule.bounds[-1] - schedule.bounds[0]
    decays = spring.stiffness * fastest * duration / (direct + spring.damping * fastest)
    too_stiff = (status.outcome == Outcome.max_steps) & (STEPS_PER_DECAY * decays > max_steps)
    return Status.first(Outcome, (too_stiff, Outcome.stiff), (True, status.outcome))


def _check_start(
    law: FrictionLaw | SteppedFrictionLaw, protocol: LoadVelocity, t: Array,
    initial: tuple[Number, PyTree] | None,
) -> None:  # fmt: skip
    """Raise for a start from which nothing can be integrated, where it is concrete."""
    if initial is None:
        V = protocol.velocities[:1] if isinstance(protocol, VelocityProtocol) else protocol(t[0])
        if _checks.is_concrete(V) and np.all(np.asarray(V) == 0):
            raise ValueError(
                "the protocol starts at velocity 0, where there is no steady state; give "
                "initial=(V, state), or start with a sliding segment"
            )
        return
    positive = hasattr(law, "log_rate")  # the state is integrated as its logarithm
    for x in [initial[0], *(jax.tree_util.tree_leaves(initial[1]) if positive else [])]:
        if _checks.is_concrete(x) and not np.all((np.asarray(x) > 0) & np.isfinite(np.asarray(x))):
            raise ValueError(
                f"initial=(V, state) must be positive and finite; got {np.asarray(x).tolist()}"
            )

"""What can happen to an integration."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric._status import Outcome as AnyOutcome, Status
from jaxfric.dynamics._protocol import VelocityProtocol


class Outcome(AnyOutcome):
    """Outcomes of an integration; simulators add their own."""

    max_steps = (
        "the solver used up max_steps; raise max_steps or loosen rtol, atol (unstable sliding "
        "without damping or mass accelerates without bound: give the spring a damping)"
    )
    bad_protocol = (
        "the velocity protocol is invalid: velocities must be >= 0 (> 0 for imposed sliding in the "
        "classical form or with a state that weakens with stress) and times strictly increasing, "
        "inf only as padding at the end"
    )
    bad_time = "a sample time lies outside the protocol or the samples are not sorted"
    bad_parameter = (
        "a parameter is invalid: Dc, V0, stiffness and velocity must be > 0, damping and mass >= 0"
    )
    solver = "the solver failed to take a step; try another solver or check the parameters"


def traced_inputs(velocity: Any, t: Float[Array, " m"], *parts: Any) -> Status:
    """What makes parameters, protocol and samples invalid, for values that may be traced."""
    unsorted = ~jnp.all(t[1:] >= t[:-1]) | ~jnp.all(jnp.isfinite(t))
    if isinstance(velocity, VelocityProtocol):
        unsorted = unsorted | (t[0] < velocity.times[0])
    return Status.first(
        Outcome,
        *((getattr(x, "invalid", False), Outcome.bad_parameter) for x in parts),
        (getattr(velocity, "invalid", False), Outcome.bad_protocol),
        (unsorted, Outcome.bad_time),
    )


def outcome(inputs: Status, solver: Status, values: Any) -> Status:
    """What was wrong first: the inputs, the solver, or the values."""
    finite = [jnp.all(jnp.isfinite(x)) for x in jax.tree_util.tree_leaves(values)]
    kind = inputs.outcomes
    own = Status.first(kind, (~jnp.all(jnp.stack(finite)), kind.not_finite))
    return inputs.or_else(solver.or_else(own))

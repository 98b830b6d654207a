"""What can happen to an integration."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, PyTree

from jaxfric._status import Outcome as AnyOutcome, Status
from jaxfric.dynamics._protocol import LoadVelocity, VelocityProtocol


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


def is_valid(part: object) -> Bool[ArrayLike, ""]:
    """What a law, spring, protocol or chain says of its own traced values; True if it says nothing.

    `valid` is optional: a law of the user's own without bounds on its parameters needs none, and
    a load that is a plain function cannot have one.
    """
    valid: Bool[ArrayLike, ""] = getattr(part, "valid", True)
    return valid


def traced_inputs(velocity: LoadVelocity, t: Float[Array, " m"], *parts: object) -> Status:
    """What makes parameters, protocol and samples invalid, for values that may be traced.

    The counterpart of `check_load`, which raises for the same faults where values are concrete.
    """
    # Written so that NaN counts as unsorted: every comparison with NaN is False
    unsorted = ~jnp.all(t[1:] >= t[:-1]) | ~jnp.all(jnp.isfinite(t))
    if isinstance(velocity, VelocityProtocol):
        unsorted = unsorted | (t[0] < velocity.times[0])
    return Status.first(
        Outcome,
        *((_not(is_valid(part)), Outcome.bad_parameter) for part in parts),
        (_not(is_valid(velocity)), Outcome.bad_protocol),
        (unsorted, Outcome.bad_time),
    )


def outcome(inputs: Status, solver: Status, values: PyTree) -> Status:
    """What was wrong first: the inputs, the solver, or the values."""
    # In the order of cause and effect. A bad input makes the solver fail, and a failed solver makes
    # values that are not finite, so that a later message would only name the symptom
    finite = [jnp.all(jnp.isfinite(x)) for x in jax.tree_util.tree_leaves(values)]
    outcomes = inputs.outcomes
    of_values = Status.first(outcomes, (~jnp.all(jnp.stack(finite)), outcomes.not_finite))
    return inputs.or_else(solver.or_else(of_values))


def _not(valid: Bool[ArrayLike, ""]) -> Bool[ArrayLike, ""]:
    """The opposite: `~` of a Python bool is an integer."""
    return not valid if isinstance(valid, bool) else jnp.logical_not(valid)

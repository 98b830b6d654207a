"""What `slide` is given: checked where it is concrete, in the status where it is traced."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _checks
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.dynamics import (
    LoadStress,
    LoadVelocity,
    Options,
    VelocityProtocol,
    traced_inputs,
)
from jaxfric.ratestate._coordinates import FrictionLaw, SteppedFrictionLaw
from jaxfric.ratestate._inputs import check_run
from jaxfric.ratestate._outcome import Outcome
from jaxfric.ratestate._stepped import Grid, step_grid

CLASSICAL_AT_REST = (
    "the classical form has no friction at zero velocity (ln 0); give the hold a small "
    "velocity such as 1e-12 m/s, use form='regularised', or load through spring_slider"
)
WEAKENED_AT_REST = (
    "a drop of the imposed velocity to zero strengthens a state that weakens with stress "
    "(Nagata's law) without bound; give the hold a small velocity such as 1e-12 m/s, or "
    "load through spring_slider"
)


def has_closed_form(
    law: FrictionLaw | SteppedFrictionLaw, protocol: LoadVelocity, normal_stress: LoadStress | None,
    options: Options,
) -> bool:  # fmt: skip
    """Whether the law's own closed form serves: V piecewise constant, σ constant, no solver."""
    piecewise = isinstance(protocol, VelocityProtocol) and normal_stress is None
    offered: bool = hasattr(law, "advance") and getattr(law, "exact", True)
    return piecewise and offered and options.solver is None


def check_imposed(
    law: FrictionLaw | SteppedFrictionLaw, protocol: LoadVelocity, t: Vector, step: Number | None,
    *, resets_without_form: bool,
) -> Grid | None:  # fmt: skip
    """Raise for arguments that no run can take, where they are concrete; the grid of a stepped law.

    `traced_imposed` puts into the status what is found here, where it is traced.
    """
    check_run(law, protocol, t)
    grid = step_grid(law, protocol, t, step)
    if grid is not None:
        return grid
    if _concretely_at_rest(law, protocol):
        # Of the two kinds of law that need motion, the classical form is the plainer reason
        raise ValueError(CLASSICAL_AT_REST if _is_classical(law) else WEAKENED_AT_REST)
    if resets_without_form:
        raise ValueError("hold_state needs the closed form: an exact law, no solver, σ constant")
    return None


def traced_imposed(law: FrictionLaw, protocol: LoadVelocity, t: Float[Array, " m"]) -> Status:
    """What is wrong with values that may be traced: as everywhere, and rest where none may be."""
    inputs = traced_inputs(protocol, t, law).promote(Outcome)
    if not _needs_motion(law) or not isinstance(protocol, VelocityProtocol):
        return inputs
    rest: Bool[Array, ""] = jnp.any(jnp.isfinite(protocol.times) & (protocol.velocities == 0))
    return inputs.or_else(Status.first(Outcome, (rest, Outcome.bad_protocol)))


def _is_classical(law: FrictionLaw | SteppedFrictionLaw) -> bool:
    return getattr(law, "form", "") == "classical"


def _needs_motion(law: FrictionLaw | SteppedFrictionLaw) -> bool:
    """Whether the law has no friction, or an unbounded state, at an imposed velocity of zero."""
    return _is_classical(law) or bool(getattr(law, "jumps", False))


def _concretely_at_rest(
    law: FrictionLaw | SteppedFrictionLaw, protocol: LoadVelocity
) -> bool:  # fmt: skip
    """Whether a law that needs motion is known to be held at velocity zero."""
    if not isinstance(protocol, VelocityProtocol) or not _needs_motion(law):
        return False
    if not _checks.is_concrete(protocol.times, protocol.velocities):
        return False
    times, velocities = np.asarray(protocol.times), np.asarray(protocol.velocities)
    return bool(np.any(np.isfinite(times) & (velocities == 0)))

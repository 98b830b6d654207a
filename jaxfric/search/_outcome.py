"""What can happen to a search."""

from jaxfric._status import Outcome as AnyOutcome


class Outcome(AnyOutcome):
    """Outcomes of `minimise`."""

    no_value = (
        "the objective returned no finite number for any candidate; try it on the start alone, or "
        "begin elsewhere with a smaller step"
    )
    bad_start = (
        "a start, step_size, smallest_step, spread or goal cannot be searched with; check that "
        "the start is finite, the steps are positive and the goal is a number"
    )
    unbounded = (
        "the objective returned -inf, which is no minimum: the best is that of the other "
        "candidates; bound it from below, such as jnp.log(jnp.maximum(x, 1e-30))"
    )
    stagnated = (
        "the search stagnated: its generations ended and it has not contracted around a minimum; "
        "raise generations, give each variable a step_size of its own where their scales differ, "
        "leave out variables without effect, use float64, or state the goal that will do"
    )

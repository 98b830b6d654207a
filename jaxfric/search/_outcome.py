"""What can happen to a search."""

from jaxfric._status import Outcome as AnyOutcome


class Outcome(AnyOutcome):
    """Outcomes of `minimise`."""

    no_value = (
        "the objective returned no finite number for any candidate; try it on the start alone, or "
        "begin elsewhere with a smaller step"
    )

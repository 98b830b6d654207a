"""What can happen to a simulation of a fault."""

from jaxfric import ratestate


class Outcome(ratestate.Outcome):
    """Outcomes of `simulate`, and of the catalogue of its events."""

    overloaded = (
        "a spring starts at or past its limit; raise limit and leaf_limit above the stress at the "
        "start, or begin with a lower one"
    )

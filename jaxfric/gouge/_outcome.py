"""What can happen to a layer of grains."""

from jaxfric import ratestate


class Outcome(ratestate.Outcome):
    """Outcomes of `shear`, `layer` and `collide`."""

    crowded = "more neighbours than the table has places; raise `slots`, or make the skin thinner"
    unstable = (
        "grains overlap by more than a third of a radius: the step is too long or the load too "
        "high for the stiffness; raise `steps_per_contact` or the stiffness"
    )
    escaped = "a grain has left the layer through a wall; lower the pressure or the velocity"

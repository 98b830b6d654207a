"""What can happen to a simulation of rate-and-state friction."""

from jaxfric import dynamics


class Outcome(dynamics.Outcome):
    """Outcomes of sliding, spring-sliders, their stability and their catalogue of events."""

    stiff = (
        "the spring is so stiff that an explicit solver uses up max_steps following its load "
        "point; take Options(ratestate.stiff_solver(), 1e-6, 1e-8), a softer spring, or slide, "
        "its rigid limit"
    )
    too_many_events = "more events than max_events; raise max_events"

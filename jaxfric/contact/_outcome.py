"""What can happen to a friction law of a rough surface."""

from jaxfric._status import Outcome as AnyOutcome


class Outcome(AnyOutcome):
    """Outcomes of `friction_law` and `expected_friction_law`."""

    bad_surface = (
        "the surface or the material is invalid: radii, modulus and area_factor must be > 0, "
        "area_factor at most 1, "
        "exponents >= 1, heights finite, and one asperity unmasked"
    )
    bad_load = "a load is negative or not finite"
    unsolved = (
        "no separation carries a load to the precision promised; use float64, or lengths and "
        "loads nearer to one"
    )
    bad_target = "the target is invalid: friction must be finite, and > 0 where the load is"

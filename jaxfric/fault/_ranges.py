"""Physical ranges from which faults are drawn."""

import dataclasses

import equinox as eqx

Range = tuple[float, float]


class FaultRanges(eqx.Module):
    """What `sample_fault` draws from, uniformly, or in the logarithm where it says so.

    Arguments:
        friction: of the peak, dimensionless: gouges and glass beads.
        drop: characteristic friction drop, dimensionless, log.
        recurrence: characteristic, s, log.
        normal_stress: Pa, log.
        velocity: of the load point, m/s, log.
        softening: loading rate just before an event over that just after it, log; 1 is a linear
            spring.
        direct: a, dimensionless, log.
        slip_length: Dc over the slip of an event, log.
        leaf: leaf spring over loader, log.
        coupling: coupling over leaf spring.
        roughness: amplitude over the drop.
        spread: of the patches' normal stress and of their ln(b − a).
        drift: change of the level over the drop.
        drift_time: s, log.
        peak_velocity: of events, m/s, log; it sets the damping.
        plate_period: of a plate with a mass on its loader while the fault slips, s, log; None for
            one without.
        ring_damping: of that plate on loader and leaves, over the critical damping, log.
    """

    friction: Range = (0.3, 0.75)
    drop: Range = (0.02, 0.10)
    recurrence: Range = (3.0, 16.0)
    normal_stress: Range = (2e6, 1e7)
    velocity: Range = (2e-6, 2e-5)
    softening: Range = (0.12, 0.7)
    direct: Range = (0.004, 0.012)
    slip_length: Range = (0.005, 0.05)
    leaf: Range = (0.1, 3.0)
    coupling: Range = (0.0, 1.0)
    roughness: Range = (0.05, 0.8)
    spread: Range = (0.1, 0.5)
    drift: Range = (-0.3, 0.7)
    drift_time: Range = (10.0, 300.0)
    peak_velocity: Range = (1e-3, 5e-2)
    plate_period: Range | None = None
    ring_damping: Range = (0.02, 0.08)

    def __repr__(self) -> str:
        # All of them: equinox leaves out what has its default
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return "FaultRanges(" + ", ".join(f"{x}={values[x]}" for x in values) + ")"

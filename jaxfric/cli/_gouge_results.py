"""What `jaxfric gouge` writes of a run: the record, its numbers, two figures."""

import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import __version__, gouge
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content

BEGIN = 0.2  # of a run without slips: the spring is stretched for the first time
FAST = 2.0  # of the load point's velocity: a wall that moves faster slips
STILL = 0.1  # of that velocity: a wall that is slower sticks
EVENTS = 512  # places in the catalogue of a layer
UNITS = {
    "length": "m", "height": "m", "pressure": "Pa", "velocity": "m/s", "stiffness": "Pa/m",
    "wall_mass": "kg/m2", "sample_every": "m",
}  # fmt: skip
COLUMNS = {
    "friction": "friction", "kinetic_energy": "kinetic_energy_J_per_m2",
    "thickness": "thickness_m", "wall_velocity": "wall_velocity_m_per_s", "slip": "slip_m",
}  # fmt: skip


class Run(NamedTuple):
    """What a run gave, and what it was driven by."""

    history: gouge.GougeHistory
    moments: gouge.Moments
    layers: gouge.Layer
    velocity: float  # of the load point, m/s
    pressure: float  # Pa
    stiffness: float  # of a contact, Pa
    spring: float  # that pulls the wall, Pa/m

    @property
    def pull(self) -> np.ndarray:
        """(layers, m), what a load cell shows: K (x_lp − x)/P at the end of each sample."""
        time, slip = (np.asarray(x, float) for x in (self.history.time, self.history.slip))
        return self.spring * (self.velocity * time - slip) / self.pressure

    @property
    def drawn(self) -> int:
        """The layer whose grains are drawn: the first, unless that went wrong before others."""
        return int(np.argmax(np.isfinite(np.asarray(self.history.friction)).sum(-1)))


def summary(
    run: Run, request: Mapping[str, object], numbers: Mapping[str, float], steps: int
) -> dict[str, object]:
    """Parameters with their units, versions, and what each layer did."""
    history = run.history
    count = history.time.shape[0]
    names = {name: f"{name}_{UNITS[name]}" if name in UNITS else name for name in request}
    return {
        "jaxfric": __version__,
        "versions": {name: version(name) for name in ("jax", "numpy")},
        "device": jax.devices()[0].device_kind,
        "request": {names[name]: value for name, value in request.items()},
        "numbers": dict(numbers),
        "steps_a_sample": steps,
        "samples": int(history.time.shape[-1]),
        "load_point_m": float(run.velocity * history.time[0, -1]),
        "status": str(history.status),
        "layers": [_layer_facts(run, i) for i in range(count)],
    }


def _layer_facts(run: Run, i: int) -> dict[str, object]:
    # Slips are read off the spring, as in a laboratory: what the grains exert on a wall in flight
    # are the blows of single ones
    history: gouge.GougeHistory = jax.tree_util.tree_map(lambda x: x[i], run.history)
    pull = run.pull[i]
    good = np.isfinite(np.asarray(history.friction))
    # The first climb, of grains that were packed and never sheared, is unlike the others: numbers
    # are of what follows the onset of the first slip
    fast = good & (np.asarray(history.wall_velocity) > FAST * run.velocity)
    begin = int(np.argmax(fast)) if fast.any() else math.ceil(BEGIN * good.sum())
    late = good & (np.arange(good.size) >= begin)
    facts: dict[str, object] = {"status": str(history.status), "samples": int(good.sum())}
    if not late.any():
        return facts
    friction, energy = (np.asarray(x)[late] for x in (history.friction, history.kinetic_energy))
    facts |= {
        "from_time_s": float(np.asarray(history.time)[begin]),
        "mean_friction": float(friction.mean()),
        "lowest_pull": float(pull[late].min()),
        "highest_pull": float(pull[late].max()),
        "kinetic_energy_decades": float(np.log10(energy.max() / energy.min())),
        "mean_thickness_m": float(np.asarray(history.thickness)[late].mean()),
    }
    if not good.all():
        return facts | {"events": []}
    measured = eqx.tree_at(lambda x: x.friction, history, jnp.asarray(pull))
    found = measured.catalogue(threshold=FAST * run.velocity, max_events=EVENTS)
    columns = {
        "time_s": found.time, "recurrence_s": found.recurrence, "drop": found.drop,
        "peak_velocity_m_per_s": found.peak_velocity, "slip_m": found.slip,
        "duration_s": found.duration,
    }  # fmt: skip
    rows = zip(*(np.asarray(x).tolist() for x in columns.values()), strict=True)
    events = [dict(zip(columns, row, strict=True)) for row in rows][: int(found.count)]
    return facts | {"events": events}


def told(facts: Mapping[str, object]) -> str:
    """What is printed: one line a layer."""
    lines = []
    layers = facts["layers"]
    if not isinstance(layers, list):
        raise TypeError("the facts hold no list of layers")
    for i, layer in enumerate(layers):
        if "mean_friction" not in layer:
            lines.append(f"layer {i}: {layer['status']}")
            continue
        drops = sorted(event["drop"] for event in layer.get("events", []))
        slips = f"{len(drops)} slips faster than {FAST:g} times the load point"
        if drops:
            slips += f", drops of {drops[0]:.3f} to {drops[-1]:.3f}"
        lines.append(
            f"layer {i}: friction {layer['mean_friction']:.3f} in the mean, pulled by "
            f"{layer['lowest_pull']:.3f} to {layer['highest_pull']:.3f}, kinetic energy over "
            f"{layer['kinetic_energy_decades']:.1f} decades, {slips}"
        )
    return "\n".join(lines)


def contents(run: Run, facts: Mapping[str, object], painter: Painter) -> dict[str, Content]:
    """Every file by its name."""
    history = run.history
    record = painter.draw(
        "jaxfric.plotting._gouge", "draw_gouge",
        *(np.asarray(x, float) for x in (
            run.velocity * history.time[0], run.pull, history.friction, history.kinetic_energy,
            history.thickness,
        )),
    )  # fmt: skip
    chosen, i = _chosen(run), run.drawn
    moments, layers = run.moments, run.layers
    d = 2 * float(np.mean(np.asarray(layers.grains.radius[i])))
    grains = painter.draw(
        "jaxfric.plotting._gouge", "draw_grains",
        np.asarray(moments.position)[chosen, i], np.asarray(moments.velocity)[chosen, i],
        np.asarray(layers.grains.radius[i]), np.asarray(layers.wall[i]), float(layers.length[i]),
        stiffness=run.stiffness, force=run.pressure * d,
        titles=[_title(run, piece) for piece in chosen],
    )  # fmt: skip
    text = json.dumps(_finite(facts), indent=1, ensure_ascii=False) + "\n"
    return {"gouge.csv": _table(run), "gouge.json": text, "gouge.png": record, "grains.png": grains}


def _table(run: Run) -> str:
    """One row a sample; layers one after another."""
    history = run.history
    lines = [",".join(["layer", "time_s", "load_point_m", "pull", *COLUMNS.values()])]
    for i in range(history.time.shape[0]):
        time = np.asarray(history.time[i], float)
        columns = [time, run.velocity * time, run.pull[i]]
        columns += [np.asarray(getattr(history, name)[i], float) for name in COLUMNS]
        rows = np.stack(columns, -1)
        lines += [f"{i}," + ",".join(f"{v:.10g}" for v in row) for row in rows]
    return "\n".join(lines) + "\n"


def _chosen(run: Run) -> list[int]:
    """Ends of pieces to be drawn: before, in and after the fastest slip of the layer."""
    layer = run.drawn
    top = np.asarray(run.layers.wall[layer]) == 2
    speed = np.abs(np.asarray(run.moments.velocity)[:, layer, top, 0].mean(-1))
    # Of a layer that went wrong the later pieces mean nothing
    good = np.isfinite(np.asarray(run.history.friction[layer]))
    per_piece = good.size // speed.size
    count = max(int(good[per_piece - 1 :: per_piece].sum()), 1)
    speed = speed[:count]
    late = min(math.ceil(BEGIN * count), count - 1)
    fastest = late + int(np.argmax(speed[late:]))
    slow = speed <= STILL * run.velocity
    before = [i for i in range(fastest) if slow[i]][-1:]
    after = [i for i in range(fastest + 1, count) if slow[i]][:1]
    return sorted({*before, fastest, *after})


def _title(run: Run, piece: int) -> str:
    layer, time = run.drawn, np.asarray(run.history.time[0])
    sample = int(np.argmin(np.abs(time - float(run.moments.time[piece]))))
    ratio = float(run.history.wall_velocity_now[layer, sample]) / run.velocity
    return (
        f"load point at {1e3 * run.velocity * time[sample]:.2f} mm, pull "
        f"{run.pull[layer, sample]:.2f}, wall at {ratio:.2g} times the load point's velocity"
    )


def _finite(x: object) -> object:
    """The same with None for numbers that JSON does not know."""
    if isinstance(x, dict):
        return {key: _finite(value) for key, value in x.items()}
    if isinstance(x, list):
        return [_finite(value) for value in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x

"""Layers of grains that stick and slip, to learn from: long runs, kept as one small file."""

import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxfric import gouge
from jaxfric._files import write_arrays
from jaxfric._threads import in_threads
from jaxfric.dynamics import VelocityProtocol

# The grains of the paper's numerical gouge. Numbers of a layer hang on ratios alone, so they are
# drawn in units of the mean diameter d, of √(P/ρ) and of d √(ρ/P), the grains' own time.
PRESSURE, DENSITY, DIAMETER = 1e5, 2650.0, 1.4e-3  # Pa, kg/m³, m
SPEED = (PRESSURE / DENSITY) ** 0.5
TIME = DIAMETER / SPEED
# Overlaps of a thousandth of a grain: as near to rigid as time allows. The paper's box would need
# a thousand times as many steps
RIGIDITY = 1e3
# 17 grains long and 7.5 high: as thick as the paper's, and many small layers tell more than a large
LENGTH, HEIGHT = 17 * DIAMETER, 7.5 * DIAMETER
INTERVAL = 2.0  # d √(ρ/P) between samples: some 100 of a cycle
CHUNK = 2300  # samples of one call
SETTLING = 150  # samples thrown away: the spring is wound up, and the first slip is a larger one
WINDING = 0.25  # velocity at which the spring is wound up to a fifth of the load, of √(P/ρ)
# What differs from layer to layer; ln-uniform but for the friction of grains
FRICTION = (0.3, 0.7)
STIFFNESS = (0.08, 0.16)  # of the drive, P/d
VELOCITY = (0.012, 0.02)  # of the load point, √(P/ρ)
WALL = (1.5, 5.0)  # mass of the wall, ρ d
# Not drawn: it changes how long a contact lasts, and so the number of steps, which is compiled in
RESTITUTION = 0.5
LAYERS = 40
LONG = 6  # chunks of the last layer, which is long enough to be split in time
FILE = "gouge.npz"
NAMES = ("friction", "kinetic_energy", "stiffness", "velocity", "start")
BEGIN = 30  # samples of the start that are kept


class GougeRuns(eqx.Module):
    """Sheared layers as a load cell and a microphone see them.

    Attributes:
        friction: (layers, m), force of the drive's spring over the load, at every sample.
        kinetic_energy: (layers, m), of the grains, mean since the sample before, J/m².
        stiffness: (layers,), of the drive, P/d.
        velocity: (layers,), of the load point, √(P/ρ).
        start: (layers, 2, 30), friction and kinetic energy at the very start, before grains slip:
            friction is then the spring's alone, the same by any compiler; what follows is chaotic.
        number: (layers,), which of the seeds' layers: those that went wrong are left out.
    """

    friction: Float[np.ndarray, "layers m"]
    kinetic_energy: Float[np.ndarray, "layers m"]
    stiffness: Float[np.ndarray, " layers"]
    velocity: Float[np.ndarray, " layers"]
    start: Float[np.ndarray, "layers 2 begin"]
    number: Int[np.ndarray, " layers"]

    def subset(self, which: slice) -> "GougeRuns":
        """Some of the layers."""
        return jax.tree_util.tree_map(lambda x: x[which], self)


class Told(NamedTuple):
    """What `simulate_gouge` tells as it goes on.

    Attributes:
        done: layers in the folder.
        layers: of the whole.
        hours: that the rest takes, from the layers that were made; NaN before the first.
    """

    done: int
    layers: int
    hours: float


class Drawn(eqx.Module):
    """What is drawn of a layer, in the grains' units."""

    friction: Float[Array, ""]
    stiffness: Float[Array, ""]
    velocity: Float[Array, ""]
    wall: Float[Array, ""]

    @staticmethod
    def of(key: Key[Array, ""]) -> "Drawn":
        keys = jax.random.split(key, 4)

        def log(i: int, limits: tuple[float, float]) -> Array:
            low, high = np.log(limits)
            return jnp.exp(jax.random.uniform(keys[i], (), minval=low, maxval=high))

        friction = jax.random.uniform(keys[0], (), minval=FRICTION[0], maxval=FRICTION[1])
        return Drawn(friction, log(1, STIFFNESS), log(2, VELOCITY), log(3, WALL))

    def contact(self) -> gouge.Contact:
        """Of the grains; numbers as arrays, so that all layers share their program."""
        stiffness = jnp.asarray(RIGIDITY * PRESSURE)
        return gouge.Contact(stiffness, friction=self.friction, restitution=RESTITUTION)

    def load(self) -> gouge.Load:
        """A spring that is wound up, then pulled slowly."""
        wound = 0.2 / self.stiffness / WINDING * TIME
        protocol = VelocityProtocol(
            jnp.stack([jnp.zeros_like(wound), wound]),
            SPEED * jnp.stack([jnp.full_like(self.velocity, WINDING), self.velocity]),
        )
        return gouge.Load(
            jnp.asarray(PRESSURE), protocol, stiffness=self.stiffness * PRESSURE / DIAMETER,
            wall_mass=self.wall * DENSITY * DIAMETER,
        )  # fmt: skip


def simulate_gouge(
    out: Path, layers: int = LAYERS, *, seed: int = 0, samples: int = CHUNK, long: int = LONG,
    progress: Callable[[Told], None] | None = None,
) -> tuple[GougeRuns, GougeRuns]:  # fmt: skip
    """Shear layers, each from a key of its own; what the folder holds is not made again.

    A layer is kept when it is whole: a killed call loses what its threads were at.

    Arguments:
        out: a folder, new or of an earlier call, also for fewer or more layers.
        layers: how many are drawn; the last is the long one.
        seed: of all that is random.
        samples: of a chunk.
        long: chunks of the last layer; the others have one.
        progress: called at the start and after every layer.

    Returns:
        `GougeRuns` of the layers but the long one, and of that alone.

    Raises:
        RuntimeError: no layer, or not the long one, came out whole.
    """
    out.mkdir(parents=True, exist_ok=True)
    began, tell = time.monotonic(), progress or (lambda _: None)
    # The last of one call is no longer the last, and long one, of a call for more layers
    chunks = [1] * (layers - 1) + [long]
    paths = [out / f"layer-{seed}-{i:03d}-{samples}x{n}.npz" for i, n in enumerate(chunks)]
    missing = [i for i in range(layers) if not paths[i].exists()]
    tell(Told(layers - len(missing), layers, np.nan))
    made = 0

    def make(i: int) -> None:
        nonlocal made
        # Shearing needs float64; the setting holds for one thread
        with jax.enable_x64(True):
            arrays = sheared_layer(jax.random.fold_in(jax.random.key(seed), i), samples, chunks[i])
        write_arrays(paths[i], arrays)
        made += 1
        hours = (time.monotonic() - began) / 3600 / made * (len(missing) - made)
        tell(Told(layers - len(missing) + made, layers, hours))

    if missing:
        # One by itself, so that no two threads compile the same program; then the longest first
        make(missing[0])
        in_threads(make, missing[:0:-1])
    files = dict(enumerate(paths))
    last = {layers - 1: files.pop(layers - 1)}
    return gathered(files), gathered(last)


def sheared_layer(key: Key[Array, ""], samples: int, chunks: int) -> dict[str, np.ndarray]:
    """Friction and kinetic energy of one layer without its start, and what was drawn of it."""
    poured, drawn_key = jax.random.split(key)
    drawn = Drawn.of(drawn_key)
    contact, load = drawn.contact(), drawn.load()
    layer = gouge.layer(contact, pressure=PRESSURE, key=poured, length=LENGTH, height=HEIGHT)
    interval = INTERVAL * TIME
    t = interval * np.arange(samples + 1)
    steps = gouge.steps_between(layer, contact, t)
    parts, state = [], None
    for k in range(chunks):
        history = gouge.shear(
            layer, contact, load, t + k * samples * interval, steps=steps, start=state
        )
        parts.append(history)
        state = history.end
    history = gouge.joined(parts) if chunks > 1 else parts[0]
    pulled = np.asarray(jax.vmap(load.velocity.displacement)(history.time))
    assert load.stiffness is not None
    spring = np.asarray(load.stiffness) / PRESSURE * (pulled - np.asarray(history.slip))
    kinetic = np.asarray(history.kinetic_energy)
    return {
        "friction": spring[SETTLING:].astype(np.float32),
        "kinetic_energy": kinetic[SETTLING:].astype(np.float32),
        "start": np.stack([spring[:BEGIN], kinetic[:BEGIN]]).astype(np.float32),
        "stiffness": np.asarray(drawn.stiffness), "velocity": np.asarray(drawn.velocity),
        "ok": np.asarray(history.status.ok),
    }  # fmt: skip


def gathered(paths: Mapping[int, Path]) -> GougeRuns:
    """Layers of the folder as one, by number; those that went wrong are left out."""
    number, arrays = [], []
    for i, path in paths.items():
        with np.load(path) as file:
            if bool(file["ok"]):
                number.append(i)
                arrays.append({name: file[name] for name in NAMES})
    if not arrays:
        raise RuntimeError(f"none of {len(paths)} layers came out whole; choose another seed")
    stacked = {name: np.stack([one[name] for one in arrays]) for name in NAMES}
    return GougeRuns(**stacked, number=np.array(number))


def save_gouge(path: Path, runs: GougeRuns, long: GougeRuns) -> None:
    """The compact set: the layers, and the long one."""
    fields = (*NAMES, "number")
    arrays = {name: np.asarray(getattr(runs, name)) for name in fields}
    arrays |= {f"long_{name}": np.asarray(getattr(long, name)) for name in fields}
    write_arrays(path, arrays)


def facts(runs: GougeRuns, long: GougeRuns) -> dict[str, object]:
    """What a reader of the set wants to know first."""
    return {
        "numbers": runs.number.tolist(), "whole_layers": int(runs.number.size),
        "samples": int(runs.friction.shape[1]),
        "long_samples": int(long.friction.shape[1]) if long.number.size else 0,
        "friction_mean": float(runs.friction.mean()),
        "friction_5_95": np.percentile(runs.friction, [5, 95]).tolist(),
        "kinetic_energy_decades": float(
            np.log10(np.divide(*np.percentile(runs.kinetic_energy, [99.9, 0.1])))
        ),
    }  # fmt: skip


@cache
def kept_gouge(long: bool = False) -> GougeRuns:
    """The layers that come with the package, or the long one of them."""
    head = "long_" if long else ""
    with (resources.files(__package__) / FILE).open("rb") as file, np.load(file) as stored:
        return GougeRuns(**{name: stored[head + name] for name in (*NAMES, "number")})

"""`jaxfric gouge`: a layer of grains that sticks and slips."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import gouge
from jaxfric._files import write_arrays, write_json
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import publish
from jaxfric.cli._gouge_results import Run, contents, summary, told

if TYPE_CHECKING:
    from rich.progress import Progress

REQUEST = "request.json"
PIECE = 10  # samples between two times that the run is kept


class Request(NamedTuple):
    """What decides the numbers of a run, but for how long it goes on.

    Attributes:
        length: of the period along the walls, m.
        height: of the layer, m.
        layers: how many, each with a seed of its own.
        seed: of the first.
        pressure: Pa.
        stiffness_ratio: of a contact, over the pressure.
        friction: between grains.
        rotating: whether grains turn.
        velocity: of the load point, m/s.
        stiffness: of the spring that pulls, Pa/m.
        wall_mass: kg/m².
        sample_every: travel of the load point between two samples, m.
    """

    length: float = 0.03
    height: float = 0.006
    layers: int = 1
    seed: int = 0
    pressure: float = 1e6
    stiffness_ratio: float = 1e3
    friction: float = 0.5
    rotating: bool = True
    velocity: float = 0.4
    stiffness: float = 3e7
    wall_mass: float = 75.0
    sample_every: float = 2.5e-5

    def check(self, slip: float) -> None:
        """Raise for what the library would not name."""
        for name in ("velocity", "sample_every", "stiffness_ratio"):
            if not (math.isfinite(value := getattr(self, name)) and value > 0):
                raise ValueError(f"{name} must be positive; got {value}")
        if self.layers < 1:
            raise ValueError(f"layers must be at least 1; got {self.layers}")
        if not (math.isfinite(slip) and slip >= self.sample_every):
            raise ValueError(f"slip must be at least a sample of {self.sample_every} m; got {slip}")

    def contact(self) -> gouge.Contact:
        """The law of contact; numbers as arrays, so that others need no other program."""
        stiffness = self.stiffness_ratio * self.pressure
        return gouge.Contact(jnp.asarray(stiffness), friction=jnp.asarray(self.friction))

    def load(self) -> gouge.Load:
        """What pulls the wall."""
        return gouge.Load(
            jnp.asarray(self.pressure), self.velocity, stiffness=jnp.asarray(self.stiffness),
            wall_mass=jnp.asarray(self.wall_mass),
        )  # fmt: skip


def run_gouge(
    out: Path,
    request: Request = Request(),  # noqa: B008 (frozen)
    slip: float = 0.05,
    painter: Painter | None = None,
) -> gouge.GougeHistory:
    """Shear layers of grains in pieces, go on where a killed run stood, write all to `out`.

    Arguments:
        out: folder of the results; its folder `run` holds the pieces.
        request: see `Request`.
        slip: travel of the load point, m.
        painter: of the figures.

    Raises:
        ValueError: a bad number, or a folder of another run.
        RuntimeError: a layer that went wrong; what was good is written.
    """
    request.check(slip)
    kept = out / "run"
    _check_same(out, kept / REQUEST, request)
    contact, load = request.contact(), request.load()
    layers = _layers(kept / "layers.npz", request, contact)
    first = jax.tree_util.tree_map(lambda x: x[0], layers)
    pieces = max(math.ceil(slip / request.sample_every / PIECE - 1e-9), 1)
    interval = request.sample_every / request.velocity
    t = interval * np.arange(pieces * PIECE + 1)
    steps = gouge.steps_between(first, contact, t)
    print(_cost(request, first, steps, pieces))
    with _bar(pieces) as progress:
        history = gouge.shear_in_pieces(
            kept / "pieces", layers, contact, load, t, samples=PIECE, steps=steps,
            rotating=request.rotating, progress=progress,
        )  # fmt: skip
    if history.time.shape[-1] == 0:
        raise RuntimeError(f"the first piece went wrong, and nothing was written: {history.status}")
    numbers = _numbers(request, first)
    run = Run(
        history, gouge.read_moments(kept / "pieces"), layers, request.velocity, request.pressure,
        request.stiffness_ratio * request.pressure, request.stiffness,
    )  # fmt: skip
    facts = summary(run, request._asdict(), numbers, steps)
    print(f"\n{told(facts)}")
    files = publish(out, contents(run, facts, painter or Painter(apart=False)))
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    if not bool(history.status.ok.all()):
        raise RuntimeError(f"{history.status}. What was good is in {out}")
    return history


def _check_same(out: Path, stamp: Path, request: Request) -> None:
    """Refuse a folder whose run was asked for in other words."""
    asked = request._asdict()
    if stamp.exists():
        before = json.loads(stamp.read_text("utf-8"))
        odd = [_flag(name, before.get(name)) for name in asked if before.get(name) != asked[name]]
        if odd:
            raise ValueError(
                f"{out} holds another run, of {', '.join(odd)}; ask for the same to go on with it, "
                "or choose another folder with --out"
            )


def _flag(name: str, value: object) -> str:
    if name == "rotating":
        return "grains that turn" if value else "--no-rotation"
    return f"--{name.replace('_', '-')} {value}"


def _layers(path: Path, request: Request, contact: gouge.Contact) -> gouge.Layer:
    """Packed layers, kept: packing takes a while, and a resumed run needs the same bits."""
    if path.exists():
        with np.load(path) as file:
            found = [
                gouge.Layer(
                    gouge.Grains(file[f"position_{i}"], file[f"radius_{i}"]),
                    jnp.asarray(file[f"wall_{i}"]), jnp.asarray(request.length),
                    jnp.asarray(request.pressure),
                )
                for i in range(request.layers)
            ]  # fmt: skip
        return gouge.stacked(found)
    print(f"packing {request.layers} layer{'s' if request.layers > 1 else ''}", flush=True)
    made = [
        gouge.layer(
            contact, pressure=jnp.asarray(request.pressure), key=jax.random.key(request.seed + i),
            length=request.length, height=request.height,
        )
        for i in range(request.layers)
    ]  # fmt: skip
    arrays: dict[str, np.ndarray] = {}
    for i, x in enumerate(made):
        arrays |= {f"position_{i}": np.asarray(x.grains.position), f"wall_{i}": np.asarray(x.wall)}
        arrays[f"radius_{i}"] = np.asarray(x.grains.radius)
    # Only now, for a request that cannot be met should leave no folder
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path.with_name(REQUEST), request._asdict())
    write_arrays(path, arrays)
    # Read back, so that a run that was killed and one that was not start from the same
    return _layers(path, request, contact)


def _numbers(request: Request, layer: gouge.Layer) -> dict[str, float]:
    """What decides how the layer moves, without units."""
    d = 2 * float(np.mean(np.asarray(layer.grains.radius)))
    density = float(layer.grains.density)
    speed = math.sqrt(request.pressure / density)  # at which the pressure moves a grain
    return {
        # γ̇ √(m/P) of discs, with m = ρ d² a metre of thickness
        "inertial_number": request.velocity / float(layer.thickness) * d / speed,
        "drive_stiffness_over_pressure_per_diameter": request.stiffness * d / request.pressure,
        "wall_mass_in_rows_of_grains": request.wall_mass / (density * d),
        "mean_diameter_m": d,
    }


def _cost(request: Request, layer: gouge.Layer, steps: int, pieces: int) -> str:
    numbers = _numbers(request, layer)
    free = int(np.asarray(layer.free).sum())
    glued = layer.wall.size - free
    many = f"{request.layers} layers of " if request.layers > 1 else ""
    return (
        f"{many}{free} grains and {glued} of the walls; inertial number "
        f"{numbers['inertial_number']:.2g}, a spring of "
        f"{numbers['drive_stiffness_over_pressure_per_diameter']:.2g} of the pressure per diameter"
        f"\n{steps * PIECE * pieces:,} steps in {pieces} pieces, each kept when it is done"
    )


@contextmanager
def _bar(pieces: int) -> Iterator["_Bar"]:
    from rich.console import Console
    from rich.progress import Progress

    # On stderr, so that what a command prints can be piped; off where nobody watches
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Bar(bar, pieces)


class _Bar:
    """A bar, and one line that says how long the run will take."""

    def __init__(self, bar: "Progress", pieces: int):
        self.bar, self.task = bar, bar.add_task("shearing", total=pieces)
        self.began: int | None = None

    def __call__(self, now: gouge.Progress) -> None:
        self.bar.update(self.task, completed=now.done)
        if self.began is None:
            self.began = now.done
            if now.done:
                print(f"{now.done} of {now.pieces} pieces are there already")
        # The first piece compiles as well, and says nothing about the others
        elif now.done == self.began + 2 and now.done < now.pieces:
            left = (now.pieces - now.done) * now.seconds / 60
            print(f"about {left:.1f} min to go ({now.seconds:.2f} s a piece)", flush=True)

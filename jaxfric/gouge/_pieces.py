"""Long runs in pieces that are kept: one that was killed goes on where its last piece ended."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._types import Vector
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._folder import Folder, facts_of
from jaxfric.gouge._grains import Layer
from jaxfric.gouge._history import GougeHistory
from jaxfric.gouge._load import Load
from jaxfric.gouge._run import SKIN, SLOTS
from jaxfric.gouge._shear import at_rest, shear_layers, sizes
from jaxfric.gouge._state import LayerState


class Progress(NamedTuple):
    """What `shear_in_pieces` tells: once at its start, and after every piece.

    Attributes:
        done: pieces in the folder.
        pieces: of the whole run.
        seconds: that the last piece took; 0 at the start. The first one compiles too.
    """

    done: int
    pieces: int
    seconds: float


class Moments(eqx.Module):
    """The grains as they stood at the end of every piece: what `read_moments` returns.

    Attributes:
        time: (p,), s.
        position: (p, layers, n, 2), m; along the strip not folded back into its period.
        velocity: (p, layers, n, 2), m/s.
    """

    time: Float[Array, " p"]
    position: Float[Array, "p layers n 2"]
    velocity: Float[Array, "p layers n 2"]


def shear_in_pieces(
    out: str | os.PathLike[str],
    layers: Layer | Sequence[Layer],
    contact: AbstractContact,
    load: Load,
    t: Vector,
    *,
    samples: int,
    steps: int | None = None,
    rotating: bool = True,
    slots: int = SLOTS,
    skin: float = SKIN,
    keep_grains: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> GougeHistory:
    """`shear_batch` for hours: in pieces, each kept in a folder as soon as it is computed.

    The same call goes on after the last whole piece and ends with the same bits as one that was
    never killed, on one machine. Times that go on beyond those of an earlier call prolong its run.
    All pieces are calls of one compiled program.

    Where a layer goes wrong the others go on; its samples from that piece on are NaN, and its
    status says why. The run ends before the piece in which the last layer goes wrong.

    Arguments:
        out: a folder, new or of the same run.
        layers: see `shear_batch`, as the others.
        contact: the law of contact.
        load: of all layers.
        t: (m,), sampling times in equal steps, s; m − 1 is a multiple of `samples`.
        samples: of a piece.
        steps: of the solver in an interval; 25 of a contact's duration if None.
        rotating: False keeps grains from turning.
        slots: places for the neighbours of a grain.
        skin: see `shear`.
        keep_grains: whether positions and forces on the grains are kept at every sample: the
            folder then takes 32 bytes a grain and sample. `read_moments` has the positions at the
            end of each piece in any case.
        progress: called at the start and after every piece.

    Returns:
        `GougeHistory` with a leading axis of layers, of all pieces.

    Raises:
        ValueError: as `shear_batch`; a folder of another run, or times that make no whole pieces.

    Example:
        >>> import tempfile
        >>> import jax
        >>> from jaxfric.gouge import Contact, Load, layer
        >>> law = Contact(1e8, friction=0.5)
        >>> small = layer(law, pressure=1e5, key=jax.random.key(0), length=0.012, height=6e-3)
        >>> load = Load(1e5, 0.1, wall_mass=74.0)
        >>> t = np.linspace(0.0, 2e-3, 5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(shear_in_pieces(folder, [small], law, load, t, samples=2).status)
        all 1 runs successful
    """
    layers, steps, room = sizes(layers, contact, t, steps, slots, skin)
    pieces, dt = _pieces(t, samples, steps)
    dtype = layers.grains.radius.dtype
    settings = {
        "interval_s": steps * dt, "samples": samples, "steps": steps, "rotating": rotating,
        "slots": slots, "skin": skin, "keep_grains": keep_grains,
    }  # fmt: skip
    folder = Folder(Path(out), facts_of(layers, contact, load, settings))
    rest = at_rest(layers, contact, rotating, room, skin)
    begin = jnp.full(layers.wall.shape[0], np.asarray(t)[0], dtype)
    done, state = folder.resume(LayerState(begin, rest, skin))
    tell = progress or (lambda _: None)
    tell(Progress(min(done, pieces), pieces, 0.0))
    failed, wrong = None, folder.failures(done, layers.wall.shape[0])
    while done < pieces:
        began = time.perf_counter()
        here = jnp.asarray(np.asarray(t)[done * samples : (done + 1) * samples + 1], dtype)
        found: GougeHistory = shear_layers(
            state.motion, layers, contact, load, here, jnp.asarray(dt, dtype), steps, rotating,
            room, skin, keep_grains,
        )  # fmt: skip
        codes = np.asarray(found.status.code)
        wrong |= codes > 0
        if found.end is None or wrong.all():
            failed = codes
            break
        state = found.end
        folder.keep(done, found)
        done += 1
        tell(Progress(done, pieces, time.perf_counter() - began))
    return folder.history(min(done, pieces), state if done <= pieces else None, failed)


def read_moments(out: str | os.PathLike[str]) -> Moments:
    """The grains at the end of every piece that a folder holds.

    Arguments:
        out: of `shear_in_pieces`.

    Returns:
        `Moments`.

    Raises:
        ValueError: a folder that holds no run.
    """
    return Moments(*map(jnp.asarray, Folder.moments(Path(out))))


def _pieces(t: Vector, samples: int, steps: int) -> tuple[int, float]:
    """How many pieces there are, and the step of the solver, s."""
    if not _checks.is_concrete(t):
        raise ValueError("a run in pieces writes files: call it outside of jit, grad and vmap")
    if samples < 1:
        raise ValueError(f"samples must be at least 1; got {samples}")
    intervals = np.shape(t)[0] - 1
    pieces, left = divmod(intervals, samples)
    if left:
        raise ValueError(
            f"t has {intervals} intervals, which do not make whole pieces of {samples} samples: "
            f"end it {samples - left} samples later, or choose another number"
        )
    # Of the first interval, so that times which go on for longer have the same step
    times = np.asarray(t, float)
    return pieces, float(times[1] - times[0]) / steps

"""Traced programs on disk: tracing one takes seconds, reading it a tenth of one.

A program is written by `jax.export` as StableHLO, which later versions of JAX read for some months.
Beside it stands a note of what it was made of: what cannot be read, or is of other code, is traced
anew.
"""

import collections
import hashlib
import json
import os
import pickle
import sys
import threading
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PyTree

from jaxfric._files import written_whole
from jaxfric.programs._describe import UnknownStructureError, describe
from jaxfric.programs._sources import PACKAGE, digest

if TYPE_CHECKING:
    from jaxfric.programs._program import Program

Platforms = tuple[str, ...]  # those that one module of StableHLO is for
Content = tuple[PyTree, dict[Platforms, bytes]]  # the result with places, and the modules
# One file serves every platform. A processor has a module of its own, which is read in two thirds
# of the time of one for several; accelerators, which are waited for less often, share one.
EVERYWHERE: tuple[Platforms, ...] = (("cpu",), ("cuda", "tpu"))
SHIPPED = PACKAGE / "programs" / "shipped"


class _Slot(NamedTuple):
    """The place of an array in a result."""

    place: int


class Note(NamedTuple):
    """What a kept program was made of."""

    name: str
    arguments: str
    sources: str  # hash of the files it was traced from
    jax: str


class Keeper:
    """Where programs are looked for, and where new ones are written.

    Arguments:
        folder: for new programs; None keeps none.
        platforms: those that a new program is written for, a module for each group; the one at
            hand if None.
        anew: whether to trace what is there already: the shipped ones are made so.
    """

    def __init__(
        self, folder: Path | None, platforms: Sequence[Platforms] | None = None, anew: bool = False
    ):
        self.folder, self.platforms, self.anew = folder, platforms, anew
        self.used: dict[str, str] = {}  # name of each program: where it came from
        self.keys: set[str] = set()  # names of their files
        self._ready: dict[str, _Compiled] = {}
        self._locks: dict[str, threading.Lock] = collections.defaultdict(threading.Lock)

    def run(self, program: "Program", args: tuple[PyTree, ...]) -> PyTree:
        """The result of a program, by a kept one if its arguments can be described."""
        call = self.prepare(program, args)
        return program.at_level(*args) if call is None else call(args)

    def prepare(self, program: "Program", args: tuple[PyTree, ...]) -> "_Compiled | None":
        """The compiled program; None if its arguments cannot be described."""
        try:
            # Where float64 is off the same code lowers to another program
            x64 = jax.dtypes.canonicalize_dtype(np.float64) == np.float64
            arguments = f"x64={x64} {describe(args)}"
        except UnknownStructureError:
            return None
        # The name says which program, by its structure; the note beside it says of which sources.
        # So a program of older sources is overwritten, and the folder does not grow with edits.
        key = hashlib.sha256(f"{program.name}({arguments})".encode()).hexdigest()[:24]
        with self._locks[key]:  # whoever wants what another thread is compiling waits for it
            if key not in self._ready:
                self._ready[key] = self._find(key, program, arguments, args)
        return self._ready[key]

    def _find(
        self, key: str, program: "Program", arguments: str, args: tuple[PyTree, ...]
    ) -> "_Compiled":
        """From the shipped programs, from the folder, or traced, in this order."""
        self.keys.add(key)
        note = Note(program.name, arguments, digest(program.module), jax.__version__)
        folders = [] if self.anew else [SHIPPED, *([] if self.folder is None else [self.folder])]
        for folder in folders:
            # Whichever version of JAX wrote it: StableHLO is made to be read by later ones
            if _noted(folder / f"{key}.json") == note._replace(jax=""):
                content = _read(folder / f"{key}.program")
                call = None if content is None else _compiled(content, program.level, args)
                if call is not None:
                    self.used[program.name] = "shipped" if folder == SHIPPED else "kept"
                    return call
        # Written before it is compiled: what a user stops then is not traced again
        content = trace(program.function, args, self.platforms)
        if self.folder is not None:
            _write(self.folder / key, note, content)
        self.used[program.name] = "traced"
        call = _compiled(content, program.level, args)
        assert call is not None  # this version of JAX wrote it a moment ago
        return call


_KEEPER: list[Keeper] = []  # the application's, at most one


def keep(
    folder: str | os.PathLike[str] | None,
    *,
    platforms: Sequence[Platforms] | None = None,
    anew: bool = False,
) -> Keeper:
    """Keep traced programs in a folder; a library never does that by itself.

    Arguments:
        folder: is made where it is missing; None reads the shipped ones and keeps none.
        platforms: see `Keeper`.
        anew: see `Keeper`.

    Returns:
        The `Keeper` in use from now on.
    """
    made = Keeper(None if folder is None else Path(folder).expanduser(), platforms, anew)
    _KEEPER[:] = [made]
    return made


def keeper() -> Keeper | None:
    """The one in use."""
    return _KEEPER[0] if _KEEPER else None


def forget() -> None:
    """Keep programs no longer."""
    _KEEPER.clear()


def trace(
    function: Callable[..., PyTree],
    args: tuple[PyTree, ...],
    platforms: Sequence[Platforms] | None = None,
) -> Content:
    """Trace a function for arguments like these.

    Returns:
        The result with the places of its arrays in their stead, and, for each group of platforms,
        StableHLO of a function from the arrays of the arguments to those of the result.
    """
    # `jax.export` knows functions of arrays, not our modules. So the program is one of flat arrays.
    # The structure of the arguments is the caller's, call after call; that of the result is kept
    # beside the program, with a mark where each array stands.
    dynamic, static = eqx.partition(args, eqx.is_array)
    leaves, tree = jax.tree_util.tree_flatten(dynamic)
    results: list[PyTree] = []

    def flat(*leaves: Array) -> list[Array | np.ndarray]:
        result = function(*eqx.combine(jax.tree_util.tree_unflatten(tree, leaves), static))
        arrays, rest = eqx.partition(result, eqx.is_array)
        values, structure = jax.tree_util.tree_flatten(arrays)
        places = jax.tree_util.tree_unflatten(structure, map(_Slot, range(len(values))))
        # Traced for several platforms it may run more than once, with the same structure each time
        results.append(eqx.combine(places, rest, is_leaf=_is_slot))
        return values

    jitted = jax.jit(flat)
    modules = {}
    for group in [None] if platforms is None else platforms:
        exported = jax.export.export(jitted, platforms=group)(*leaves)
        modules[tuple(exported.platforms)] = bytes(exported.serialize())
    return results[-1], modules


def _is_slot(x: object) -> bool:
    return isinstance(x, _Slot)


class _Compiled(NamedTuple):
    """A function of arguments of one kind."""

    result: PyTree  # with the places of its arrays in their stead
    function: Callable[..., Sequence[Array]]  # of the arrays

    def __call__(self, args: tuple[PyTree, ...]) -> PyTree:
        values = self.function(*jax.tree_util.tree_leaves(eqx.filter(args, eqx.is_array)))
        return jax.tree_util.tree_map(
            lambda x: values[x.place] if _is_slot(x) else x, self.result, is_leaf=_is_slot
        )


def _compiled(content: Content, level: int | None, args: tuple[PyTree, ...]) -> _Compiled | None:
    """A kept program, compiled; None if this version of JAX cannot run it here."""
    result, modules = content
    # JAX calls the backend "gpu", `jax.export` the platform "cuda"
    here = "cuda" if jax.default_backend() == "gpu" else jax.default_backend()
    module = next((m for platforms, m in modules.items() if here in platforms), None)
    if module is None:
        return None
    try:
        exported = jax.export.deserialize(bytearray(module))
    except Exception:  # whatever a version of JAX says of a format it does not know
        return None
    options = None if level is None else {"xla_backend_optimization_level": level}
    leaves = jax.tree_util.tree_leaves(eqx.filter(args, eqx.is_array))
    # XLA compiles in each process anew, unless JAX's own cache has it: machine code is of one
    # machine, StableHLO of all
    lowered = jax.jit(exported.call, compiler_options=options).lower(*leaves)
    return _Compiled(result, lowered.compile())


def _noted(path: Path) -> Note | None:
    """What a program was made of, whatever the version of JAX; None where nothing is kept."""
    try:
        return Note(**json.loads(path.read_text("utf-8")))._replace(jax="")
    except (OSError, ValueError, TypeError):
        return None


def _read(path: Path) -> Content | None:
    """A kept program; None where it cannot be read, or was written by another version of ours."""
    try:
        content = pickle.loads(zlib.decompress(path.read_bytes()))
    except Exception:  # of a file that is damaged, or of classes that are no more
        return None
    return content if isinstance(content[1], dict) else None


def _write(path: Path, note: Note, content: Content) -> None:
    """Whole files or none; a program that says the same stays as it is.

    A folder that cannot be written to costs the next run some seconds, no more.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The bytes of a program hold line numbers and differ after any edit: leaving an equal one
        # alone keeps the shipped files, which are under version control, from changing with it
        if not _same(_read(path.with_suffix(".program")), content):
            _replace(path.with_suffix(".program"), zlib.compress(pickle.dumps(content), 9))
        # The note comes last: a program without one is not looked at
        text = json.dumps(note._asdict(), indent=1) + "\n"
        _replace(path.with_suffix(".json"), text.encode("utf-8"))
    except OSError as error:
        print(f"programs are not kept: {error}", file=sys.stderr)


def _replace(path: Path, content: bytes) -> None:
    with written_whole(path) as part:
        part.write_bytes(content)


def _same(old: Content | None, new: Content) -> bool:
    """Whether two programs compute the same; lines of the code they came from do not matter."""
    if old is None or old[1].keys() != new[1].keys():
        return False
    if pickle.dumps(old[0]) != pickle.dumps(new[0]):
        return False
    try:
        return all(_text(old[1][group]) == _text(new[1][group]) for group in new[1])
    except Exception:  # of a format that this version of JAX does not know
        return False


def _text(module: bytes) -> str:
    return jax.export.deserialize(bytearray(module)).mlir_module()

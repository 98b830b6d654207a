"""Traced programs on disk: tracing one takes seconds, reading it a tenth of one.

A program is written by `jax.export` as StableHLO, which later versions of JAX read for some months;
beside it stand the files whose lines were traced, so that a change of the code is noticed. What
cannot be read, or is of other code, is traced anew.
"""

import hashlib
import json
import os
import pickle
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax

from jaxfric.programs._describe import CannotDescribe, describe

PACKAGE = Path(__file__).resolve().parents[1]
EVERYWHERE = ("cpu", "cuda", "tpu")


class _Slot(NamedTuple):
    """The place of an array in a result."""

    index: int


class Kept(NamedTuple):
    """A traced program as it stands in a file."""

    name: str
    arguments: str
    jax: str
    sources: dict[str, str]  # file under the package: hash of its content
    result: bytes  # pickled pytree of the result, arrays replaced by their places
    program: bytes  # StableHLO of a function of the arrays alone


class Keeper:
    """Where programs are looked for, and where new ones are written.

    Arguments:
        folder: for new programs; None keeps none.
        platforms: those that a new program is written for; the one at hand if None.
    """

    def __init__(self, folder: Path | None, platforms: tuple[str, ...] | None = None):
        self.folder, self.platforms = folder, platforms
        self.used: dict[str, str] = {}  # key: where it came from, for those who want to know
        self._ready: dict[str, Callable[..., Any]] = {}

    def run(self, program: Any, args: tuple[Any, ...]) -> Any:
        """The result of a `Program`, by a kept one if its arguments can be described."""
        try:
            arguments = f"x64={jax.config.jax_enable_x64} {describe(args)}"  # type: ignore[attr-defined]
        except CannotDescribe:
            return program.jitted(*args)
        key = hashlib.sha256(f"{program.name}({arguments})".encode()).hexdigest()[:24]
        if key not in self._ready:
            self._ready[key] = self._find(key, program, arguments, args)
        return self._ready[key](args)

    def _find(self, key: str, program: Any, arguments: str, args: Any) -> Callable[..., Any]:
        folders = [shipped_folder()] if self.platforms is None else []
        for folder in [*folders, *([] if self.folder is None else [self.folder])]:
            kept = read(folder / f"{key}.program")
            if kept is None or not is_current(kept):
                continue
            call = _callable(kept, program.level)
            if call is not None:
                self.used[key] = str(folder)
                return call
        kept = trace(program.name, arguments, program.function, args, self.platforms)
        if self.folder is not None:
            _write(self.folder / f"{key}.program", kept)
        self.used[key] = "traced"
        call = _callable(kept, program.level)
        assert call is not None
        return call


_KEEPER: list[Keeper] = []  # the application's, at most one


def keep(folder: str | os.PathLike[str] | None, platforms: tuple[str, ...] | None = None) -> Keeper:
    """Keep traced programs in a folder; a library never does that by itself.

    Arguments:
        folder: is made where it is missing; None reads the shipped ones and keeps none.
        platforms: see `Keeper`.

    Returns:
        The `Keeper` in use from now on.
    """
    made = Keeper(None if folder is None else Path(folder).expanduser(), platforms)
    _KEEPER[:] = [made]
    return made


def keeper() -> Keeper | None:
    """The one in use."""
    return _KEEPER[0] if _KEEPER else None


def shipped_folder() -> Path:
    """Of the programs that come with the package."""
    return PACKAGE / "programs" / "shipped"


def trace(
    name: str, arguments: str, function: Any, args: Any, platforms: tuple[str, ...] | None = None
) -> Kept:
    """Trace a function for arguments like these."""
    dynamic, static = eqx.partition(args, eqx.is_array)
    leaves, tree = jax.tree_util.tree_flatten(dynamic)
    shapes: list[Any] = []

    def flat(*leaves: Any) -> list[Any]:
        result = function(*eqx.combine(jax.tree_util.tree_unflatten(tree, leaves), static))
        arrays, rest = eqx.partition(result, eqx.is_array)
        values, structure = jax.tree_util.tree_flatten(arrays)
        places = jax.tree_util.tree_unflatten(structure, map(_Slot, range(len(values))))
        shapes.append(eqx.combine(places, rest, is_leaf=lambda x: isinstance(x, _Slot)))
        return values

    with _Sources() as sources:
        exported = jax.export.export(jax.jit(flat), platforms=platforms)(*leaves)
    return Kept(
        name, arguments, jax.__version__, sources.hashes(), pickle.dumps(shapes[-1]),
        bytes(exported.serialize()),
    )  # fmt: skip


def read(path: Path) -> Kept | None:
    """A kept program; None where there is none that can be read."""
    try:
        return Kept(*pickle.loads(zlib.decompress(path.read_bytes())))
    except (OSError, zlib.error, pickle.UnpicklingError, EOFError, TypeError, ValueError):
        return None


def is_current(kept: Kept) -> bool:
    """Whether the files that were traced are still the same."""
    return all(_hash(PACKAGE / name) == value for name, value in kept.sources.items())


def _callable(kept: Kept, level: int | None) -> Callable[..., Any] | None:
    """A function of the arguments; None if this version of JAX cannot read the program."""
    try:
        exported = jax.export.deserialize(bytearray(kept.program))
        result = pickle.loads(kept.result)
    except Exception:  # whatever a version of JAX or of a class of ours makes of an old file
        return None
    backend = jax.default_backend()
    if backend not in exported.platforms and not (backend == "gpu" and "cuda" in exported.platforms):
        return None
    options = None if level is None else {"xla_backend_optimization_level": level}
    compiled = jax.jit(exported.call, compiler_options=options)

    def call(args: Any) -> Any:
        leaves = jax.tree_util.tree_leaves(eqx.filter(args, eqx.is_array))
        values = compiled(*leaves)
        return jax.tree_util.tree_map(
            lambda x: values[x.index] if isinstance(x, _Slot) else x,
            result,
            is_leaf=lambda x: isinstance(x, _Slot),
        )

    return call


def _write(path: Path, kept: Kept) -> None:
    """The whole file or none; a folder that cannot be written to costs the next run some seconds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(zlib.compress(pickle.dumps(tuple(kept)), 9))
        os.replace(file.name, path)
    except OSError as error:
        print(f"programs are not kept: {error}", file=sys.stderr)


class _Sources:
    """The files of this package whose functions are called inside the block."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def __enter__(self) -> "_Sources":
        self._before = sys.getprofile()
        sys.setprofile(lambda frame, event, _: self.files.add(frame.f_code.co_filename))
        return self

    def __exit__(self, *_: Any) -> None:
        sys.setprofile(self._before)

    def hashes(self) -> dict[str, str]:
        """Each with the hash of its content, by its path under the package."""
        own = [Path(f) for f in self.files if f.startswith(str(PACKAGE) + os.sep)]
        own = [path for path in own if path.parent.name != "programs"]
        return {path.relative_to(PACKAGE).as_posix(): _hash(path) for path in sorted(own)}


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""

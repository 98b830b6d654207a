"""The folder of a long run: what it was asked for, its pieces, and where the last one ended."""

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric._files import write_arrays, write_json
from jaxfric.gouge._contact import AbstractContact
from jaxfric.gouge._grains import Layer
from jaxfric.gouge._history import SAMPLED, GougeHistory, first_failure
from jaxfric.gouge._load import Load
from jaxfric.gouge._state import LayerState, read_state, state_arrays

# Raised whenever the same arguments would give other numbers or other files
FORMAT = "jaxfric gouge run, 1"
FACTS, STATE = "run.json", "state.npz"
GRAINS = ("position", "force")
Fact = str | int | float | bool | None


class Folder:
    """A folder that belongs to one run.

    `samples-00000.npz` and so on hold the pieces, `state.npz` where the last whole one ended. The
    state is written after the samples and counts them: a kill between the two makes that piece
    again, to the same bits.

    Arguments:
        path: new, or of the same run.
        facts: everything that the numbers of the run depend on.

    Raises:
        ValueError: a folder of anything else.
    """

    def __init__(self, path: Path, facts: Mapping[str, Fact]):
        self.path = path
        stamp = path / FACTS
        if stamp.exists():
            _check_same(path, json.loads(stamp.read_text("utf-8")), facts)
        elif path.exists() and any(path.iterdir()):
            raise ValueError(
                f"{path} is not empty and holds no run of grains; choose another folder"
            )
        else:
            path.mkdir(parents=True, exist_ok=True)
            write_json(stamp, facts)

    def resume(self, start: LayerState) -> tuple[int, LayerState]:
        """How many whole pieces there are, and the state to go on from; `start` if there is none.

        Raises:
            ValueError: files that are missing or cannot be read.
        """
        if not (self.path / STATE).exists():
            return 0, start
        try:
            arrays = _read(self.path / STATE)
            done = int(arrays["pieces"])
            state = read_state(arrays, start)
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{self.path / STATE} cannot be used ({error}); choose another folder, or delete "
                "this one to begin anew"
            ) from error
        missing = [k for k in range(done) if not self._samples(k).exists()]
        if missing:
            raise ValueError(
                f"{self._samples(missing[0])} is missing; put it back, or delete the folder to "
                "begin anew"
            )
        return done, state

    def keep(self, k: int, history: GougeHistory) -> None:
        """Write a piece, and the state after it."""
        end = history.end
        if end is None:
            raise ValueError("the history has no state at its end to go on from")
        arrays = {name: np.asarray(getattr(history, name)) for name in ("time", *SAMPLED)}
        for name in GRAINS:
            if getattr(history, name) is not None:
                arrays[name] = np.asarray(getattr(history, name))
        arrays |= {
            "status": np.asarray(history.status.code),
            "end_position": np.asarray(end.position), "end_velocity": np.asarray(end.velocity),
        }  # fmt: skip
        write_arrays(self._samples(k), arrays)
        write_arrays(self.path / STATE, state_arrays(end) | {"pieces": np.asarray(k + 1)})

    def failures(self, pieces: int, layers: int) -> np.ndarray:
        """(layers,), whether anything went wrong in the pieces."""
        codes = [_read(self._samples(k))["status"] for k in range(pieces)]
        return np.asarray(np.any([np.zeros(layers, int), *codes], 0))

    def history(
        self, pieces: int, end: LayerState | None, failed: np.ndarray | None
    ) -> GougeHistory:
        """All pieces as one history; `failed` are the codes of a piece that was not kept."""
        parts = [_read(self._samples(k)) for k in range(pieces)]
        if not parts and failed is not None:
            nothing = np.zeros((failed.size, 0))
            parts = [{name: nothing for name in ("time", *SAMPLED)} | {"status": 0 * failed}]
        codes = np.stack([part["status"] for part in parts])
        status = first_failure(codes if failed is None else np.concatenate([codes, [failed]]))
        # What a layer does after something went wrong means nothing
        wrong = np.maximum.accumulate(codes > 0)
        joined = {
            name: np.concatenate(
                [
                    np.where(_like(bad, part[name]), np.nan, part[name])
                    for bad, part in zip(wrong, parts, strict=True)
                ],
                1,
            )
            for name in (*SAMPLED, *(name for name in GRAINS if name in parts[0]))
        }
        time = np.concatenate([part["time"] for part in parts], 1)
        return GougeHistory(
            time=jnp.asarray(time), **{name: jnp.asarray(x) for name, x in joined.items()},
            status=status, end=end,
        )  # fmt: skip

    @staticmethod
    def moments(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Time, positions and velocities of the grains at the end of every piece."""
        if not (path / STATE).exists():
            raise ValueError(f"{path} holds no piece of a run of grains")
        count = int(_read(path / STATE)["pieces"])
        parts = [_read(path / f"samples-{k:05d}.npz") for k in range(count)]
        time = np.stack([part["time"][0, -1] for part in parts])
        position, velocity = (
            np.stack([part[name] for part in parts]) for name in ("end_position", "end_velocity")
        )
        return time, position, velocity

    def _samples(self, k: int) -> Path:
        return self.path / f"samples-{k:05d}.npz"


def facts_of(
    layers: Layer, contact: AbstractContact, load: Load, settings: Mapping[str, Fact]
) -> dict[str, Fact]:
    """Everything that the numbers of a run depend on, numbers as such and arrays as a digest."""
    facts: dict[str, Fact] = {
        "format": FORMAT,
        "precision": str(layers.grains.radius.dtype),
        "layers": _fact(layers),
        "contact": type(contact).__name__,
    }
    for name, module in (("contact", contact), ("load", load)):
        for field in dataclasses.fields(module):
            facts[f"{name}.{field.name}"] = _fact(getattr(module, field.name))
    return facts | dict(settings)


def _fact(value: object) -> Fact:
    """A number as it is; of anything else the digest of all its arrays and fields."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.ndim == 0:
            return float(array)
        content = f"{array.dtype}{array.shape}".encode() + array.tobytes()
    elif dataclasses.is_dataclass(value):
        fields = [(field.name, _fact(getattr(value, field.name)))
                  for field in dataclasses.fields(value)]  # fmt: skip
        content = f"{type(value).__name__}{fields}".encode()
    else:
        content = repr(value).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _check_same(path: Path, before: Mapping[str, Fact], facts: Mapping[str, Fact]) -> None:
    if before.get("format") != facts["format"]:
        raise ValueError(
            f"{path} was written by another version ({before.get('format')!r}; this one writes "
            f"{FORMAT!r}); choose another folder, or go on with the version that began it"
        )
    odd = sorted(x for x in {*before, *facts} if before.get(x) != facts.get(x))
    if odd:
        raise ValueError(
            f"{path} holds another run; it differs in {', '.join(odd)}. Choose another folder, or "
            "delete this one to begin anew"
        )


def _like(layers: np.ndarray, array: np.ndarray) -> np.ndarray:
    return layers.reshape(-1, *[1] * (array.ndim - 1))


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no whole file: {error}") from error

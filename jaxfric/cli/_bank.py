"""The bank of random laws, kept as data beside the programs: making it takes seconds."""

import contextlib
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxfric import contact
from jaxfric._files import written_whole
from jaxfric.cli._setup import cache_folder
from jaxfric.programs._sources import digest

LAWS = 20_000
FIELDS = ("shape", "load", "area", "radii")


def kept_bank(asperities: int, seed: int) -> contact.Bank:
    """A bank that the same code made before, or else a new one."""
    path = _path(asperities, seed)
    if path is not None:
        with contextlib.suppress(OSError, ValueError, KeyError):  # none, or a damaged one
            with np.load(path, allow_pickle=False) as file:
                return _bank([file[name] for name in FIELDS], asperities, seed)
    bank = contact.make_bank(LAWS, key=jax.random.key(seed), asperities=asperities)
    jax.block_until_ready(bank.shape)
    if path is not None:
        with contextlib.suppress(OSError):  # the next run makes it again
            _write(path, bank)
    return bank


def stand_in(asperities: int, seed: int) -> contact.Bank:
    """A bank of equal laws: programs are compiled for it while the real one is being made."""
    count = -(-LAWS // contact.Bank.MULTIPLE) * contact.Bank.MULTIPLE
    shapes = ((count, contact.Bank.LOADS), (count,), (count,), (count, 2))
    dtype = jax.dtypes.canonicalize_dtype(float)
    return _bank([np.full(shape, 1e-4, dtype) for shape in shapes], asperities, seed)


def _bank(arrays: list[Any], asperities: int, seed: int) -> contact.Bank:
    shape, load, area, radii = map(jax.device_put, arrays)
    bounds = contact.MixtureBounds()
    return contact.Bank(shape, load, area, radii, jax.random.key(seed), bounds, asperities)


def _write(path: Path, bank: contact.Bank) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: Any = {name: np.asarray(getattr(bank, name)) for name in FIELDS}
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def _path(asperities: int, seed: int) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    bits = jax.dtypes.canonicalize_dtype(float).itemsize * 8
    name = f"bank-{LAWS}-{asperities}-{seed}-{bits}-{digest('jaxfric.contact._bank')}.npz"
    return folder / "banks" / name

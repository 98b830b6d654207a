"""The bank of random laws, kept as data beside the programs: making it takes seconds."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from jaxfric import contact
from jaxfric._files import written_whole
from jaxfric.cli._cache import cache_folder
from jaxfric.programs._sources import digest

# Laws of random surfaces that a design starts from: the nearest in shape is refined
LAWS = 20_000
FIELDS = ("shape", "load", "area", "radii")


def kept_bank(asperities: int, seed: int) -> contact.Bank:
    """A bank that the same code made before, or else a new one."""
    # The name of the file says of which code and which numbers; a bank of others is not found
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
    # As many rows as the real one, which is made in whole batches: a program is compiled for shapes
    count = -(-LAWS // contact.Bank.MULTIPLE) * contact.Bank.MULTIPLE
    shapes = ((count, contact.Bank.LOADS), (count,), (count,), (count, 2))
    dtype = jax.dtypes.canonicalize_dtype(float)
    return _bank([np.full(shape, 1e-4, dtype) for shape in shapes], asperities, seed)


def _bank(arrays: Sequence[np.ndarray], asperities: int, seed: int) -> contact.Bank:
    # `device_put` rather than `jnp.asarray`: a copy that nothing has to be compiled for
    shape, load, area, radii = map(jax.device_put, arrays)
    bounds = contact.MixtureBounds()
    return contact.Bank(
        shape=shape, load=load, area=area, radii=radii, key=jax.random.key(seed), bounds=bounds,
        asperities=asperities,
    )  # fmt: skip


def _write(path: Path, bank: contact.Bank) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape, load, area, radii = (np.asarray(getattr(bank, name)) for name in FIELDS)
    # An open file, for NumPy would add an ending to the name of another
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, shape=shape, load=load, area=area, radii=radii)


def _path(asperities: int, seed: int) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    bits = jax.dtypes.canonicalize_dtype(float).itemsize * 8
    name = f"bank-{LAWS}-{asperities}-{seed}-{bits}-{digest('jaxfric.contact._bank')}.npz"
    return folder / "banks" / name

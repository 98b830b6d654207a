"""A stored data set for those who want files: Zarr through tensorstore, in shards, resumable."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import contact
from jaxfric._files import write_json
from jaxfric.studies.metainterface._paper import ASPERITIES, BOUNDS, MATERIAL, study_loads

if TYPE_CHECKING:
    import tensorstore

FORMAT = "jaxfric metainterface samples, 1"
SHARD = 8192  # samples simulated and written at once


class Facts(TypedDict):
    """What facts.json says of an export; two exports with the same facts are the same."""

    format: str
    samples: int
    seed: int
    shard: int
    asperities: list[int]
    bounds_m: dict[str, list[float]]
    modulus_Pa: float
    shear_strength_Pa: float
    precision: str


@dataclass(frozen=True)
class Check:
    """What `check_export` found.

    Attributes:
        samples: number of samples of the export.
        missing: shards that are not there or not whole.
        shards: number of all shards.
    """

    samples: int
    missing: tuple[int, ...]
    shards: int

    @property
    def complete(self) -> bool:
        """True if every shard is there."""
        return not self.missing

    def __str__(self) -> str:
        if self.complete:
            return f"complete: {self.samples:,} samples in {self.shards} shards"
        return (
            f"{len(self.missing)} of {self.shards} shards are missing (the first is "
            f"{self.missing[0]}): export again to the same folder to resume"
        )


def export(
    out: str | os.PathLike[str],
    samples: int,
    *,
    seed: int = 0,
    shard: int = SHARD,
    asperities: tuple[int, int] = ASPERITIES,
    progress: bool = False,
) -> Check:
    """Write mixtures, numbers of asperities and friction laws, as the training stream makes them.

    `out` gets the Zarr arrays parameters (samples, 23), count (samples,), friction (samples, 128)
    and load (128,), and facts.json: bounds, material, seed. Shard k is a function of the seed and
    k, so that a killed export resumes where it stood and ends with the same bytes.

    Arguments:
        out: a folder, new or of the same export.
        samples: how many; the last shard may be smaller.
        seed: of the key that everything is drawn from.
        shard: samples in a chunk of the arrays.
        asperities: fewest and most of a surface.
        progress: print a line for each shard.

    Returns:
        `Check`.

    Raises:
        ValueError: bad numbers, or a folder of another export.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(export(f"{folder}/set", 20, shard=16))
        ...     print(read_export(f"{folder}/set")["friction"].shape)
        complete: 20 samples in 2 shards
        (20, 128)
    """
    if samples < 1 or shard < 1:
        raise ValueError(f"samples and shard must be at least 1; got {samples} and {shard}")
    out = Path(out)
    facts = _facts(samples, seed, shard, asperities)
    stamp = out / "facts.json"
    if stamp.exists():
        before = json.loads(stamp.read_text())
        if before != facts:
            odd = [name for name, fact in facts.items() if before.get(name) != fact]
            raise ValueError(
                f"{out} holds another export; it differs in {', '.join(odd)}. Choose another folder"
            )
    elif out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty and holds no export; choose another folder")
    (out / "done").mkdir(parents=True, exist_ok=True)
    if not stamp.exists():
        write_json(stamp, facts)
    draw = jax.jit(
        contact.law_stream(
            MATERIAL, study_loads(), batch=shard, asperities=asperities, bounds=BOUNDS
        )
    )
    arrays = {name: _open(out, name, facts, create=True) for name in ARRAYS}
    arrays["load"].write(np.asarray(study_loads(), np.float32)).result()
    for k in check_export(out).missing:
        # A key of the shard's own: which shards were written before does not matter. Every shard is
        # simulated whole, as another size would be another program, and the last is cut
        batch = draw(jax.random.fold_in(jax.random.key(seed), k))
        low, high = k * shard, min((k + 1) * shard, samples)
        for name in ("parameters", "count", "friction"):
            values = np.asarray(getattr(batch, name))[: high - low]
            arrays[name][low:high].write(values.astype(ARRAYS[name][1])).result()
        # The mark comes last: a shard without it is written again
        (out / "done" / f"{k}").touch()
        if progress:
            print(f"{high:,} of {samples:,} samples", flush=True)
    return check_export(out)


def check_export(out: str | os.PathLike[str]) -> Check:
    """Which shards an export lacks.

    Raises:
        ValueError: a folder that holds no export.
    """
    out = Path(out)
    facts = _read_facts(out)
    shards = -(-facts["samples"] // facts["shard"])  # rounded up
    present = {int(p.name) for p in (out / "done").glob("*") if p.name.isdigit()}
    missing = []
    for k in range(shards):
        # The mark alone would do for a kill; the chunks are looked for as files get lost in copies
        whole = k in present and all((out / name / _chunk(name, k)).exists() for name in SHARDED)
        if not whole:
            missing.append(k)
    return Check(facts["samples"], tuple(missing), shards)


def read_export(out: str | os.PathLike[str]) -> dict[str, "tensorstore.TensorStore"]:
    """The arrays of a complete export as lazy tensorstore arrays; slice and `.read().result()`.

    Raises:
        ValueError: a folder that holds no export, or not all of one.
    """
    out = Path(out)
    found = check_export(out)
    if not found.complete:
        raise ValueError(f"{out} is not whole: {found}")
    facts = _read_facts(out)
    return {name: _open(out, name, facts) for name in ARRAYS}


# Of each array, the axes that follow that of the samples, and the type as Zarr names it: float32
# and int32, little-endian
ARRAYS: dict[str, tuple[tuple[int, ...], str]] = {
    "parameters": ((contact.SurfaceMixture.SIZE,), "<f4"),
    "count": ((), "<i4"),
    "friction": ((128,), "<f4"),
    "load": ((), "<f4"),
}
SHARDED = ("parameters", "count", "friction")  # the loads are the same for all samples


def _chunk(name: str, k: int) -> str:
    """The file of shard k of an array: Zarr names a chunk by its place along every axis."""
    return ".".join([str(k), *("0" for _ in ARRAYS[name][0])])


def _facts(samples: int, seed: int, shard: int, asperities: tuple[int, int]) -> Facts:
    return {
        "format": FORMAT,
        "samples": samples,
        "seed": seed,
        "shard": shard,
        "asperities": list(asperities),
        "bounds_m": {k: list(v) for k, v in vars(BOUNDS).items()},
        "modulus_Pa": float(MATERIAL.modulus),
        "shear_strength_Pa": float(MATERIAL.shear_strength),
        # That of the simulation, which changes the last digits that are written
        "precision": str(jnp.zeros(()).dtype),
    }


def _read_facts(out: Path) -> Facts:
    message = f"{out} holds no export of samples (no facts.json that says so)"
    try:
        facts: Facts = json.loads((out / "facts.json").read_text())
    except (OSError, ValueError):
        raise ValueError(message) from None
    if facts.get("format") != FORMAT:
        raise ValueError(message)
    return facts


def _open(out: Path, name: str, facts: Facts, create: bool = False) -> "tensorstore.TensorStore":
    # Imported here: who trains or designs needs no files
    import tensorstore

    rest, kind = ARRAYS[name]
    rows, chunk = (facts["samples"], facts["shard"]) if name != "load" else (128, 128)
    spec = {
        "driver": "zarr",
        "kvstore": {"driver": "file", "path": str((out / name).resolve())},
        "metadata": {
            "shape": [rows, *rest],
            # A chunk is a shard: written once, by one process, and never read to be changed
            "chunks": [min(chunk, rows), *rest],
            "dtype": kind,
            "compressor": {"id": "zlib", "level": 1},
            "fill_value": None,
            "filters": None,
            "order": "C",
        },
    }
    return tensorstore.open(spec, create=create, open=True).result()

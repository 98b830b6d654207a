"""A stored data set for those who want files: Zarr through tensorstore, in shards, resumable."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import contact
from jaxfric._files import write_json
from jaxfric.studies.metainterface._paper import ASPERITIES, BOUNDS, MATERIAL, study_loads

FORMAT = "jaxfric metainterface samples, 1"
SHARD = 8192  # samples simulated and written at once


@dataclass(frozen=True)
class Check:
    """What `check_export` found.

    Arguments:
        samples: wanted.
        missing: shards that are not there or not whole.
        shards: all of them.
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
        seed: of the key.
        shard: samples in a chunk of the arrays.
        asperities: fewest and most.
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
            odd = [k for k in facts if before.get(k) != facts[k]]
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
    shards = -(-facts["samples"] // facts["shard"])
    present = {int(p.name) for p in (out / "done").glob("*") if p.name.isdigit()}
    missing = []
    for k in range(shards):
        whole = k in present and all((out / name / _chunk(name, k)).exists() for name in SHARDED)
        if not whole:
            missing.append(k)
    return Check(facts["samples"], tuple(missing), shards)


def read_export(out: str | os.PathLike[str]) -> dict[str, Any]:
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


ARRAYS: dict[str, tuple[tuple[int, ...], str]] = {  # what follows the samples, and the type
    "parameters": ((contact.SurfaceMixture.SIZE,), "<f4"),
    "count": ((), "<i4"),
    "friction": ((128,), "<f4"),
    "load": ((), "<f4"),
}
SHARDED = ("parameters", "count", "friction")


def _chunk(name: str, k: int) -> str:
    return ".".join([str(k), *("0" for _ in ARRAYS[name][0])])


def _facts(samples: int, seed: int, shard: int, asperities: tuple[int, int]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "samples": samples,
        "seed": seed,
        "shard": shard,
        "asperities": list(asperities),
        "bounds_m": {k: list(v) for k, v in vars(BOUNDS).items()},
        "modulus_Pa": float(MATERIAL.modulus),
        "shear_strength_Pa": float(MATERIAL.shear_strength),
        "precision": str(jnp.zeros(()).dtype),
    }


def _read_facts(out: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((out / "facts.json").read_text())
    except (OSError, ValueError):
        facts = {}
    if facts.get("format") != FORMAT:
        raise ValueError(f"{out} holds no export of samples (no facts.json that says so)")
    return facts


def _open(out: Path, name: str, facts: dict[str, Any], create: bool = False) -> Any:
    import tensorstore

    rest, kind = ARRAYS[name]
    rows, chunk = (facts["samples"], facts["shard"]) if name != "load" else (128, 128)
    spec = {
        "driver": "zarr",
        "kvstore": {"driver": "file", "path": str((out / name).resolve())},
        "metadata": {
            "shape": [rows, *rest],
            "chunks": [min(chunk, rows), *rest],
            "dtype": kind,
            "compressor": {"id": "zlib", "level": 1},
            "fill_value": None,
            "filters": None,
            "order": "C",
        },
    }
    return tensorstore.open(spec, create=create, open=True).result()

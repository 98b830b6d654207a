"""The folder of a study, and where its numbers were made."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from jaxfric._files import write_json


def begin(
    out: Path, preset: str, presets: Collection[str], resume: bool, force: bool
) -> dict[str, Any] | None:
    """The metrics of a finished study, or None and a folder that is ready for its runs."""
    if preset not in presets:
        raise ValueError(f"preset must be one of {', '.join(presets)}; got {preset!r}")
    _prepare(out, preset, resume, force)
    metrics = out / "metrics.json"
    found: dict[str, Any] | None = json.loads(metrics.read_text()) if metrics.exists() else None
    return found


def _prepare(out: Path, preset: str, resume: bool, force: bool) -> None:
    """An empty folder, or one whose runs belong to this preset."""
    stamp = out / "preset.json"
    if force and stamp.exists():
        for name in ("runs", "metrics.json", "preset.json", "networks"):
            target = out / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    if stamp.exists():
        before = json.loads(stamp.read_text())["preset"]
        if before != preset:
            raise ValueError(f"{out} holds the preset {before!r}; choose another folder or --force")
        if not resume:
            raise ValueError(f"{out} holds a study already; --resume continues it, --force begins "
                             "anew, --out takes another folder")  # fmt: skip
    (out / "runs").mkdir(parents=True, exist_ok=True)
    (out / "networks").mkdir(exist_ok=True)
    write_json(stamp, {"preset": preset})


def environment() -> dict[str, Any]:
    """Commit, versions, device."""
    return {
        "commit": _commit(),
        "versions": {name: version(name) for name in ("jaxfric", "jax", "flax", "optax")},
        "python": platform.python_version(),
        "device": f"{jax.devices()[0].device_kind} x {jax.device_count()}",
        "cores": os.cpu_count(),
    }


def _commit() -> str | None:
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()

"""What every study writes: JSON written whole, and where it was made."""

import json
import math
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole, or not at all; numbers that JSON does not know become null."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(_known(content), indent=1, ensure_ascii=False) + "\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _known(x: Any) -> Any:
    if isinstance(x, dict):
        return {str(k): _known(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_known(v) for v in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x


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

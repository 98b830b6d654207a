"""What numbers depend on beside the code: versions, device, cores."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import jax


def environment() -> dict[str, object]:
    """Commit, versions of the libraries that compute, device and cores, for metrics.json."""
    return {
        "commit": _commit(),
        "versions": {name: version(name) for name in ("jaxfric", "jax", "flax", "optax")},
        "python": platform.python_version(),
        "device": f"{jax.devices()[0].device_kind} x {jax.device_count()}",
        "cores": os.cpu_count(),
    }


def _commit() -> str | None:
    # An installed package has no repository, and a container may have no git: no reason to fail
    # after hours of training
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()

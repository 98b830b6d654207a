"""Compiled programs on disk, for this machine alone.

JAX's own cache finds a compiled program only after the traced one has been read and lowered again,
which takes as long as loading what it finds. Here both are skipped.
"""

import contextlib
import functools
import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import jax
import jaxlib


def load(path: Path, note: Any) -> tuple[Any, Any] | None:
    """(result, compiled function) of a file; None where it is missing or of another program.

    Arguments:
        path: of the file.
        note: what the program must have been made of.
    """
    from jax.experimental import serialize_executable

    try:
        kept, result, executable = pickle.loads(path.read_bytes())
        if kept != tuple(note):
            return None
        return result, serialize_executable.deserialize_and_load(*executable)
    except Exception:  # whatever becomes of a damaged file, or of one that this JAX cannot load
        return None


def dump(note: Any, result: Any, compiled: Any) -> bytes | None:
    """The content of a file; None for a compiled program that cannot be written."""
    from jax.experimental import serialize_executable

    with contextlib.suppress(Exception):  # backends differ in what they can write
        executable = serialize_executable.serialize(compiled)
        return pickle.dumps((tuple(note), result, executable))
    return None


@functools.cache
def machine() -> str:
    """A text that differs between machines and settings that need other executables."""
    device = jax.devices()[0]
    parts = [
        jax.__version__, jaxlib.__version__, device.platform, device.device_kind,
        str(jax.device_count()), os.environ.get("XLA_FLAGS", ""), os.uname().machine, _processor(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _processor() -> str:
    """What the processor can do, where the system tells: code for another may not run."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return os.uname().nodename

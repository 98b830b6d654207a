"""Results into a folder."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any


def publish(out: Path, contents: dict[str, Any]) -> list[Path]:
    """Texts and figures into a folder: all of them, whole, or none."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".part-") as folder:
        for name, content in contents.items():
            if isinstance(content, str):
                (Path(folder) / name).write_text(content, encoding="utf-8")
            elif isinstance(content, bytes):
                (Path(folder) / name).write_bytes(content)
            else:
                content.savefig(Path(folder) / name)
        for name in contents:
            os.replace(Path(folder) / name, out / name)
    return [out / name for name in contents]


def load_figures() -> None:
    """Import what draws, in a thread, while the compiler works outside of Python.

    Where it is missing, that is said when a figure is made.
    """
    with contextlib.suppress(ImportError):
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401

"""Results into a folder."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Figure(Protocol):
    """Matplotlib's, which is imported no sooner than it is drawn with."""

    def savefig(self, fname: Path, /) -> object:
        """Write it to a file, in the format of its ending."""
        ...


Content = str | bytes | Figure


def publish(out: Path, contents: Mapping[str, Content]) -> list[Path]:
    """Texts and figures into a folder: all of them, whole, or none."""
    # A table beside the figure of an earlier run would be worse than neither. So all are made in a
    # hidden folder first, where an error (a full disk, a figure that fails) leaves what was there
    # before, and then moved; the folder lies inside `out`, for a move is whole on one disk only.
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

"""Files are written whole or not at all."""

import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Another name in the folder of `path`; what is written there takes the place of `path`.

    A block that ends with an error leaves what was there before. The name holds process and thread,
    so that two writers of one file do not meet; it keeps the ending, which tells some writers the
    format.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_whole(f"{folder}/law.csv") as part:
        ...         _ = part.write_text("load,friction")
        ...     print([file.name for file in Path(folder).iterdir()])
        ['law.csv']
    """
    path = Path(path)
    # In the same folder, for a rename is one step of the file system on one disk only: whoever
    # reads at the same time finds the old file or the new one, and so does who was killed
    writer = f"{os.getpid()}-{threading.get_ident()}"
    part = path.with_name(f".{path.stem}.{writer}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:  # after a rename nothing is there; after an error, a part that nobody wants
        part.unlink(missing_ok=True)


def write_json(path: Path, content: object) -> None:
    """JSON of dictionaries and lists; numbers that JSON does not know become null."""
    # Python would write NaN and Infinity as such, which other readers refuse
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n"
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_arrays(path: Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Arrays by name, as a file of NumPy's."""
    import numpy as np  # a command that prints its version writes none

    with written_whole(path) as part, part.open("wb") as file:
        # The stub would give any name to savez's own options
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _finite(x: object) -> object:
    """The same with None for what is not finite, and keys that are texts."""
    if isinstance(x, dict):
        return {str(k): _finite(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_finite(v) for v in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x

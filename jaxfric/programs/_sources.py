"""Which files a program was made of, and whether they are still the same."""

import functools
import hashlib
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_FROM = re.compile(r"^\s*from (jaxfric[\w.]*) import ([\w \t,]+|\()", re.MULTILINE)


@functools.cache
def digest(module: str) -> str:
    """A hash of the source of a module and of all of this package that it imports.

    Arguments:
        module: dotted name, such as "jaxfric.ratestate._slide".

    Returns:
        Hexadecimal text.

    Example:
        >>> digest("jaxfric._checks") == digest("jaxfric._status")
        False
    """
    found, waiting = {}, [module]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if path is None or path in found or path.parent.name == "programs":
            continue
        content = path.read_bytes()
        found[path] = hashlib.sha256(content).digest()
        for package, names in _FROM.findall(content.decode("utf-8")):
            waiting.append(package)
            waiting += [f"{package}.{n.strip().split(' ')[0]}" for n in names.split(",")]
    total = hashlib.sha256()
    for path in sorted(found):
        total.update(path.relative_to(PACKAGE).as_posix().encode() + found[path])
    return total.hexdigest()[:24]


def _path(module: str) -> Path | None:
    """The file of a module or of a package; None for any other name, such as a function's."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file() and place != PACKAGE:
            return path
    return None

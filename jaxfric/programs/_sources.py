"""Which files a program was made of, and whether they are still the same."""

import functools
import hashlib
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# The one form in which this package imports itself. An opening bracket stands for names on the
# lines below, which all belong to a package that is followed as a whole.
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
    # From the text rather than from `sys.modules`: what a process happens to have imported, and in
    # which order, must not change the answer
    found, waiting = {}, [module]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        # This room decides where programs lie, not what they compute
        if path is None or path in found or path.parent.name == "programs":
            continue
        content = path.read_bytes()
        found[path] = hashlib.sha256(content).digest()
        for package, names in _FROM.findall(content.decode("utf-8")):
            # A name may be a module of that package or something inside it; `_path` tells
            waiting.append(package)
            waiting += [f"{package}.{n.strip().split(' ')[0]}" for n in names.split(",")]
    total = hashlib.sha256()
    # By paths inside the package, so that two installations of one version agree
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

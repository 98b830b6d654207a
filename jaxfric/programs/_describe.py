"""A text that tells one kind of arguments from another, the same in every process."""

import dataclasses
import enum
import types
from typing import Any

import jax
import numpy as np


class UnknownStructureError(Exception):
    """The arguments hold something whose meaning another process could not know."""


def describe(x: Any) -> str:
    """Structure, types, shapes and static values of a pytree; no value of an array.

    Arguments:
        x: modules, dataclasses, tuples, lists, dictionaries, arrays, Python numbers and strings,
            functions at the top of a module.

    Returns:
        Text, equal for arguments that one compiled program serves.

    Raises:
        UnknownStructureError: for a closure, a lambda, or an object of unknown structure.

    Example:
        >>> import numpy as np
        >>> describe((np.zeros(3, np.float32), 2, "free"))
        "(float32[3], 2, 'free')"
    """
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes, np.dtype)):
        return repr(x)
    if isinstance(x, (jax.Array, np.ndarray, np.generic)):
        dtype = x.dtype if isinstance(x, jax.Array) else jax.dtypes.canonicalize_dtype(x.dtype)
        return f"{dtype}{list(x.shape)}"
    if isinstance(x, enum.Enum):
        return f"{_name(type(x))}.{x.name}"
    if isinstance(x, jax.tree_util.Partial):
        return f"Partial({describe(x.func)}, {describe(x.args)}, {describe(x.keywords)})"
    if isinstance(x, (types.FunctionType, type)) or hasattr(x, "__wrapped__"):
        return _name(x)
    if isinstance(x, dict):
        parts = [f"{key!r}: {describe(value)}" for key, value in sorted(x.items())]
        return "{" + ", ".join(parts) + "}"
    if isinstance(x, (tuple, list)):
        kind = "" if type(x) in (tuple, list) else _name(type(x))
        inside = ", ".join(map(describe, x))
        return f"{kind}[{inside}]" if isinstance(x, list) else f"{kind}({inside})"
    if dataclasses.is_dataclass(x):
        fields = [f"{f.name}={describe(getattr(x, f.name))}" for f in dataclasses.fields(x)]
        return f"{_name(type(x))}({', '.join(fields)})"
    raise UnknownStructureError(f"{type(x).__module__}.{type(x).__qualname__}")


def _name(x: Any) -> str:
    """Where a class or a function is defined, if it can be found again by that."""
    module, name = getattr(x, "__module__", None), getattr(x, "__qualname__", "<unknown>")
    if module is None or "<" in name or module == "__main__":
        raise UnknownStructureError(f"{module}.{name}")
    return f"{module}.{name}"

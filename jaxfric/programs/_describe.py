"""A text that tells one kind of arguments from another, the same in every process."""

import dataclasses
import enum
import types

import jax
import numpy as np
from jaxtyping import PyTree


class UnknownStructureError(Exception):
    """The arguments hold something whose meaning another process could not know."""


def describe(x: PyTree) -> str:
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
    # A compiled program serves every value of its arrays, and one value of everything else. So an
    # array is told by its type and shape, and a number of Python by what it is.
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes, np.dtype)):
        return repr(x)
    if isinstance(x, (jax.Array, np.ndarray, np.generic)):
        # NumPy's float64 becomes float32 on its way into a program where float64 is off
        dtype = x.dtype if isinstance(x, jax.Array) else jax.dtypes.canonicalize_dtype(x.dtype)
        return f"{dtype}{list(x.shape)}"
    if isinstance(x, enum.Enum):
        return f"{_name(type(x))}.{x.name}"
    if isinstance(x, jax.tree_util.Partial):
        # A function with its arguments as data: the arrays among them may differ
        return f"Partial({describe(x.func)}, {describe(x.args)}, {describe(x.keywords)})"
    # `__wrapped__`: a function that jit, or `program`, stands around
    if isinstance(x, (types.FunctionType, type)) or hasattr(x, "__wrapped__"):
        return _name(x)
    if isinstance(x, dict):
        # Sorted, as JAX sorts them: the order in which they were filled changes no program
        parts = [f"{key!r}: {describe(value)}" for key, value in sorted(x.items())]
        return "{" + ", ".join(parts) + "}"
    if isinstance(x, (tuple, list)):
        # The type of a named tuple is part of its structure
        kind = "" if type(x) in (tuple, list) else _name(type(x))
        inside = ", ".join(map(describe, x))
        return f"{kind}[{inside}]" if isinstance(x, list) else f"{kind}({inside})"
    if dataclasses.is_dataclass(x):
        fields = [f"{f.name}={describe(getattr(x, f.name))}" for f in dataclasses.fields(x)]
        return f"{_name(type(x))}({', '.join(fields)})"
    raise UnknownStructureError(f"{type(x).__module__}.{type(x).__qualname__}")


def _name(x: object) -> str:
    """Where a class or a function is defined, if it can be found again by that."""
    module, name = getattr(x, "__module__", None), getattr(x, "__qualname__", "<unknown>")
    # "<lambda>" and "<locals>" name many functions, and "__main__" is another file in every process
    if module is None or "<" in name or module == "__main__":
        raise UnknownStructureError(f"{module}.{name}")
    return f"{module}.{name}"

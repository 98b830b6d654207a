"""Optimisers that are equal, though made anew: optax gives tuples of closures."""

import functools
import types
from collections.abc import Hashable
from typing import Any

import jax
import numpy as np
import optax

# Functions of these do not change while a process runs, and neither does what they read. One of
# the user's may read a number that changes.
LIBRARIES = ("optax", "jax", "jaxlib", "flax", "equinox", "chex", "jaxfric")
DEEPEST = 40  # a structure that holds itself ends here


class _UnknownError(Exception):
    """Something whose meaning its parts do not show."""


class Optimiser:
    """An optax transformation that equals another with the same code and the same numbers.

    A compiled training loop belongs to its optimiser; `optax.adam(1e-3)` called twice gives two,
    which JAX takes for different ones. Here they are compared by the code of their functions and by
    all that those close over, as it is now. An optimiser with a function of the user's, or with
    anything else that cannot be compared so, equals itself only: it is compiled anew.

    Arguments:
        transformation: any optax transformation.
    """

    def __init__(self, transformation: optax.GradientTransformation):
        self.init = transformation.init
        self.update = optax.with_extra_args_support(transformation).update
        try:
            self.meaning: Hashable = _meaning(transformation, DEEPEST)
            hash(self.meaning)
        except (_UnknownError, TypeError):
            self.meaning = _Itself(transformation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Optimiser) and self.meaning == other.meaning

    def __hash__(self) -> int:
        return hash(self.meaning)


class _Itself:
    """Equal to the same object only, which it keeps alive."""

    def __init__(self, thing: Any):
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def _meaning(x: Any, depth: int) -> Hashable:
    """Nested tuples that are equal if what they were made of means the same."""
    if depth == 0:
        raise _UnknownError(type(x))
    inner = functools.partial(_meaning, depth=depth - 1)
    if x is None or isinstance(x, (bool, int, str, bytes, np.dtype)):
        return type(x), x
    if isinstance(x, (float, complex)):
        return type(x), repr(x)  # tells 0 from −0, and one NaN is another's equal
    if isinstance(x, (np.ndarray, np.generic)) or (
        isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer)
    ):
        return _array(x)
    if isinstance(x, types.FunctionType):
        return _function(x, inner)
    if isinstance(x, functools.partial):
        return type(x), inner(x.func), inner(x.args), inner(x.keywords)
    if isinstance(x, type):
        return _of_a_library(x), x
    if type(x) is dict:
        return dict, tuple((inner(key), inner(value)) for key, value in x.items())
    if isinstance(x, (tuple, list)):
        return type(x), tuple(map(inner, x))
    leaves, structure = jax.tree_util.tree_flatten(x)
    if len(leaves) == 1 and leaves[0] is x:
        raise _UnknownError(type(x))
    return structure, tuple(map(inner, leaves))


def _function(f: types.FunctionType, inner: Any) -> Hashable:
    _of_a_library(f)
    try:
        cells = tuple(cell.cell_contents for cell in f.__closure__ or ())
    except ValueError as error:  # a cell that is not filled yet
        raise _UnknownError(f) from error
    return f.__code__, inner(f.__defaults__), inner(f.__kwdefaults__), inner(cells)


def _of_a_library(x: Any) -> str:
    module = str(getattr(x, "__module__", None))
    if module.split(".")[0] not in LIBRARIES:
        raise _UnknownError(x)
    return module


def _array(x: Any) -> Hashable:
    if isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended):
        raise _UnknownError(x)
    host = np.asarray(x)
    if host.dtype.hasobject:
        raise _UnknownError(x)
    weak = isinstance(x, jax.Array) and x.weak_type
    return type(x), host.shape, host.dtype, weak, host.tobytes()

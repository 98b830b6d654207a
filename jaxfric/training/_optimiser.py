"""Optimisers that are equal, though made anew: optax gives tuples of closures.

A training loop is compiled for its plan, and JAX looks a program up by comparing what is static in
it. Two closures are never equal to it, though they come from the same line with the same numbers;
each call of `train` with a fresh `optax.adam(1e-3)` would compile the loop again.

The comparison may err to one side only. Optimisers that are called different compile once more;
those that are called equal and are not would train with the wrong numbers. Everything of which the
meaning is not known for sure therefore raises `_UnknownError`, and the optimiser equals itself.
"""

import functools
import types
from collections.abc import Callable, Hashable

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
        # One way to call all of them: those that take no `value` and `grad` are given a layer that
        # drops them
        self.update = optax.with_extra_args_support(transformation).update
        try:
            # Taken now: an array that the user changes later must not change an optimiser which is
            # the key of a compiled program
            self.meaning: Hashable = _meaning(transformation, DEEPEST)
            hash(self.meaning)  # raises where some part of it cannot be hashed
        except (_UnknownError, TypeError):
            self.meaning = _Itself(transformation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Optimiser) and self.meaning == other.meaning

    def __hash__(self) -> int:
        return hash(self.meaning)


class _Itself:
    """Equal to the same object only, which it keeps alive."""

    def __init__(self, thing: object):
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)  # no other object gets it while this one is alive


def _meaning(x: object, depth: int) -> Hashable:
    """Nested tuples that are equal if what they were made of means the same."""
    if depth == 0:
        raise _UnknownError(type(x))
    inner = functools.partial(_meaning, depth=depth - 1)
    # With the type, since 1, 1.0 and True are equal in Python and not to JAX
    if x is None or isinstance(x, (bool, int, str, bytes, np.dtype)):
        return type(x), x
    if isinstance(x, (float, complex)):
        return type(x), repr(x)  # tells 0 from −0, and one NaN is another's equal
    # A tracer has no value yet: it falls through to what is unknown
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
    # Exactly a dictionary: a subclass may do more than hold items. In another order it is another
    # one, at the cost of a compilation
    if type(x) is dict:
        return dict, tuple((inner(key), inner(value)) for key, value in x.items())
    if isinstance(x, (tuple, list)):
        return type(x), tuple(map(inner, x))
    # Other pytrees by their parts; what is a leaf of itself shows none
    leaves, structure = jax.tree_util.tree_flatten(x)
    if len(leaves) == 1 and leaves[0] is x:
        raise _UnknownError(type(x))
    return structure, tuple(map(inner, leaves))


def _function(f: types.FunctionType, inner: Callable[[object], Hashable]) -> Hashable:
    """Code, defaults and what it closes over; its globals are those of a library."""
    _of_a_library(f)
    try:
        cells = tuple(cell.cell_contents for cell in f.__closure__ or ())
    except ValueError as error:  # a cell that is not filled yet
        raise _UnknownError(f) from error
    return f.__code__, inner(f.__defaults__), inner(f.__kwdefaults__), inner(cells)


def _of_a_library(x: object) -> str:
    """The module it comes from; raises if that may change."""
    module = str(getattr(x, "__module__", None))
    if module.split(".")[0] not in LIBRARIES:
        raise _UnknownError(x)
    return module


def _array(x: np.ndarray | np.generic | jax.Array) -> Hashable:
    """Kind, shape and bytes."""
    # Keys have no bytes of their own, and those of Python objects are addresses
    if isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended):
        raise _UnknownError(x)
    host = np.asarray(x)
    if host.dtype.hasobject:
        raise _UnknownError(x)
    # Weak types give way in a promotion: the same number leads to another program
    weak = isinstance(x, jax.Array) and x.weak_type
    return type(x), host.shape, host.dtype, weak, host.tobytes()

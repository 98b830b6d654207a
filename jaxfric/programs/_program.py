"""Functions that are compiled once for a kind of arguments, however they are called."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np

from jaxfric.programs import _kept

# Functions of these packages do not change while a process runs. One of the user's may read a
# number that changes, and what was traced would not know.
LIBRARIES = ("jax", "jaxlib", "equinox", "diffrax", "optimistix", "lineax", "jaxfric")


class Program:
    """A pure function of pytrees, compiled once for each kind of arguments.

    Arrays are data; everything else (numbers of Python too) is static, as in `equinox.filter_jit`.
    Under a transformation of the caller's it is an ordinary jitted function. Arguments that hold a
    function of the user's own are traced at every call, as the function may have changed.
    """

    def __init__(self, function: Callable[..., Any], level: int | None = None):
        functools.update_wrapper(self, function)
        self.function, self.level = function, level
        self.module = function.__module__
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.jitted = eqx.filter_jit(function)

    def __call__(self, *args: Any) -> Any:
        """The function's result."""
        static = [x for x in jax.tree_util.tree_leaves(args) if not eqx.is_array(x)]
        if not all(map(_lasting, static)):
            return self.function(*args)
        keeper = _kept.keeper()
        if keeper is not None and not _traced(args):
            return keeper.run(self, args)
        return self.jitted(*args)


def program(function: Callable[..., Any], *, level: int | None = None) -> Program:
    """Make a `Program` of a function at the top of a module.

    Arguments:
        function: pure, of pytrees; positional arguments.
        level: of XLA's optimisation where the program is kept: an application that compiles at
            level 0, for the sake of the first answer, names here what computes for seconds.

    Returns:
        `Program`.

    Example:
        >>> import jax.numpy as jnp
        >>> twice = program(lambda x: 2 * x)
        >>> print(twice(jnp.ones(2)))
        [2. 2.]
    """
    return Program(function, level)


def _traced(args: Any) -> bool:
    return any(isinstance(x, jax.core.Tracer) for x in jax.tree_util.tree_leaves(args))


def _lasting(x: Any) -> bool:
    """Whether an argument that is no array means the same as long as it is the same object."""
    if isinstance(x, (bool, int, float, complex, str, bytes, np.generic, np.dtype, type)):
        return True
    module = getattr(x, "__module__", None) or type(x).__module__
    return module.split(".")[0] in LIBRARIES

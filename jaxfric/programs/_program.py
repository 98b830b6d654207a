"""Functions that are compiled once for a kind of arguments, however they are called."""

import contextlib
import functools
import threading
from collections.abc import Callable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from jaxfric.programs import _store

# Functions of these packages do not change while a process runs. One of the user's may read a
# number that changes, and what was traced would not know.
LIBRARIES = ("jax", "jaxlib", "equinox", "diffrax", "optimistix", "lineax", "jaxfric")


class Program:
    """A pure function of pytrees, compiled once for each kind of arguments.

    Arrays are data; everything else (numbers of Python too) is static, as in `equinox.filter_jit`.
    Under a transformation of the caller's it is an ordinary jitted function. Arguments that hold a
    function of the user's own are traced at every call, as the function may have changed.
    """

    def __init__(self, function: Callable[..., PyTree], level: int | None = None):
        functools.update_wrapper(self, function)
        self.function, self.level = function, level
        self.module = function.__module__
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.jitted = eqx.filter_jit(function)
        # A second one, for where programs are kept but not this one (its arguments cannot be
        # described): it is compiled at the level that a kept one would be. Without a keeper the
        # user's own XLA flags decide.
        self.at_level = self.jitted
        if level is not None:
            options = {"xla_backend_optimization_level": level}
            self.at_level = eqx.filter_jit(  # type: ignore[call-overload] # stub lacks jit's options
                function, compiler_options=options
            )

    def __call__(self, *args: PyTree) -> PyTree:
        """The function's result."""
        # A function that lasts is found again by what it is; any other would be looked up by its
        # object in the cache of jit, and a closure that has changed would go on as it was.
        static = [x for x in jax.tree_util.tree_leaves(args) if not eqx.is_array(x)]
        if not all(map(_lasting, static)):
            return self.function(*args)
        # Inside the caller's own jit, grad or vmap there are no numbers to run a kept program on
        keeper = _store.keeper()
        if keeper is not None and not _traced(args):
            # `prepare` asked this thread for the program alone: what comes after needs its result,
            # so the call ends here
            if getattr(_THREAD, "prepares", False):
                _THREAD.prepares = False
                keeper.prepare(self, args)
                raise _PreparedError
            return keeper.run(self, args)
        return self.jitted(*args)


def program(function: Callable[..., PyTree], *, level: int | None = None) -> Program:
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


def prepare(function: Callable[..., object], *args: object, **kwargs: object) -> None:
    """Compile, but do not run, the first program that a call would run.

    For a thread, while another computes: XLA compiles side by side, but programs that run side by
    side were seen to wait for each other for ever on two cores. Does nothing where no programs are
    kept.

    Arguments:
        function: any that calls a `Program`.
        args: of the function, of the kind it will be called with.
        kwargs: the same.
    """
    if _store.keeper() is None:
        return
    # The function runs as far as its first program, with whatever it does before: nobody else knows
    # which arguments that program will be given
    _THREAD.prepares = True
    with contextlib.suppress(_PreparedError):
        function(*args, **kwargs)
    _THREAD.prepares = False


class _PreparedError(Exception):
    """Ends a call whose program is ready."""


# Of this thread alone: another may run programs at the same time
_THREAD = threading.local()


def _traced(args: PyTree) -> bool:
    """Whether an argument stands in a transformation of the caller's."""
    return any(isinstance(x, jax.core.Tracer) for x in jax.tree_util.tree_leaves(args))


def _lasting(x: object) -> bool:
    """Whether an argument that is no array means the same as long as it is the same object."""
    if isinstance(x, (bool, int, float, complex, str, bytes, np.generic, np.dtype, type)):
        return True
    # A function names its module; of any other object the class does
    module = getattr(x, "__module__", None) or type(x).__module__
    return module.split(".")[0] in LIBRARIES

"""Parameters of a law: numbers, or functions of velocity that are pytrees."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Real

from jaxfric._types import Number

# a(V) and so on: a `jax.tree_util.Partial`, an equinox or flax module
VelocityFunction = Callable[[Any], Any]
# A number, a function of velocity that is a pytree, or a tuple of these, one for each state
if TYPE_CHECKING:
    State = jax.Array | np.ndarray | float
    OneParameter = Number | VelocityFunction
    Parameter = OneParameter | tuple[OneParameter, ...]
    Coefficient = Number | tuple[Number, ...]  # no function of velocity
else:
    State = Real[ArrayLike, "*states"]  # () for one state, (n,) for several
    # Not checked at run time: the law checks its parameters and names the remedy
    OneParameter = object
    Parameter = object
    Coefficient = object


def as_tuple(x: Parameter) -> tuple[OneParameter, ...]:
    """One entry for each state, where a single one is given without a tuple."""
    return x if isinstance(x, tuple) else (x,)


def value_at(parameter: OneParameter, V: Number) -> Number:
    """A parameter at velocity V, in V's dtype where it is a function."""
    if not callable(parameter):
        return parameter
    dtype = jnp.result_type(V)
    found: Array = jnp.asarray(parameter(V)).astype(dtype)
    return found


def check_parameter(name: str, value: object, check: Callable[[str, object], None]) -> None:
    """Numbers by `check`; of functions, that jit can take them as data."""
    if not callable(value):
        check(name, value)
    elif jax.tree_util.all_leaves([value]):
        # A plain function is a leaf that is no array, so a compiled program could not tell it from
        # another one; a pytree shows the arrays that it holds
        raise ValueError(
            f"{name} is a plain function, which jit cannot take as data; wrap it: "
            f"{name}=jax.tree_util.Partial(function, ...)"
        )

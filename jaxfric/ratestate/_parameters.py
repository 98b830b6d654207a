"""Parameters of a law: numbers, or functions of velocity that are pytrees."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import ArrayLike, Real

from jaxfric._types import Number

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    State = Any
else:
    State = Real[ArrayLike, "*states"]  # () for one state, (n,) for several

# A number, a function of velocity that is a pytree, or a tuple of these, one for each state;
# checked by the law, which names the remedy.
Parameter = Any


def value_at(parameter: Any, V: Number) -> Any:
    """A parameter at velocity V, in V's dtype where it is a function."""
    return jnp.asarray(parameter(V)).astype(V.dtype) if callable(parameter) else parameter


def check_parameter(name: str, value: Any, check: Callable[[str, Any], None]) -> None:
    """Numbers by `check`; of functions, that jit can take them as data."""
    if not callable(value):
        check(name, value)
    elif jax.tree_util.all_leaves([value]):
        raise ValueError(
            f"{name} is a plain function, which jit cannot take as data; wrap it: "
            f"{name}=jax.tree_util.Partial(function, ...)"
        )

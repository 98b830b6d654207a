"""Parameters of a law: numbers, or functions of velocity that are pytrees."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxfric.ratestate._types import Number


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

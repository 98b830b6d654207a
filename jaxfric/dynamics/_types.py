"""Types of arguments: Python numbers, numpy and JAX arrays alike."""

from typing import TYPE_CHECKING, Any

from jaxtyping import ArrayLike, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Numbers = Any
else:
    Number = Real[ArrayLike, ""]  # one number
    Numbers = Real[ArrayLike, "..."]

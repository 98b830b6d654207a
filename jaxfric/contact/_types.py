"""Types of arguments: Python numbers, numpy and JAX arrays alike."""

from typing import TYPE_CHECKING, Any

from jaxtyping import ArrayLike, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Vector = Any
else:
    Number = Real[ArrayLike, ""]
    Vector = Real[ArrayLike, "..."]  # (m,); checked by the function, which names the remedy

"""Types of arguments: Python numbers, numpy and JAX arrays alike."""

from typing import TYPE_CHECKING, Any

from jaxtyping import ArrayLike, Bool, Float, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Series = Any
    Mask = Any
else:
    Number = Real[ArrayLike, ""]
    Series = Float[ArrayLike, "..."]  # (n,); checked by the function, which names the remedy
    Mask = Bool[ArrayLike, "..."]  # (n,), likewise

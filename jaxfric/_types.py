"""Types of arguments: Python numbers, NumPy's and JAX's arrays alike.

What a type checker sees is the wide union; what is checked at run time (by the tests) is the shape
and the kind of number.
"""

from typing import TYPE_CHECKING, Any

from jaxtyping import ArrayLike, Bool, Float, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Numbers = Any
    Vector = Any
    Series = Any
    Mask = Any
else:
    Number = Real[ArrayLike, ""]  # one number
    Numbers = Real[ArrayLike, "..."]
    # One-dimensional; checked by the function that takes it, which names the remedy
    Vector = Real[ArrayLike, "..."]
    Series = Float[ArrayLike, "..."]
    Mask = Bool[ArrayLike, "..."]

"""Types of arguments: Python numbers, numpy and JAX arrays alike."""

from typing import TYPE_CHECKING, Any

from jaxtyping import ArrayLike, Real

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Number = Any
    Numbers = Any
    State = Any
else:
    Number = Real[ArrayLike, ""]  # one number
    Numbers = Real[ArrayLike, "..."]
    State = Real[ArrayLike, "*states"]  # () for one state, (n,) for several

# A number, a function of velocity that is a pytree, or a tuple of these, one for each state;
# checked by the law, which names the remedy.
Parameter = Any

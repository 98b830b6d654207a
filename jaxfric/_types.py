"""Types of arguments: Python numbers, NumPy's and JAX's arrays alike.

A type checker sees a plain union, since no checker of today reads shapes; what is checked at run
time (by the tests) is the shape and the kind of number.
"""

from typing import TYPE_CHECKING

import jax
import numpy as np
from jaxtyping import ArrayLike, Bool, Float, Real

if TYPE_CHECKING:
    # Not jaxtyping's `ArrayLike`: that union holds `complex` and `numpy.number`, on which a type
    # checker knows neither order nor arithmetic with arrays.
    Number = jax.Array | np.ndarray | float
    Numbers = jax.Array | np.ndarray | float
    Vector = jax.Array | np.ndarray
    Series = jax.Array | np.ndarray
    Mask = jax.Array | np.ndarray
else:
    Number = Real[ArrayLike, ""]  # one number
    Numbers = Real[ArrayLike, "..."]  # one number or an array of them
    # One-dimensional. Any shape passes here, because the function that takes it checks the shape
    # itself and names the remedy (a batch wants jax.vmap).
    Vector = Real[ArrayLike, "..."]
    Series = Float[ArrayLike, "..."]
    Mask = Bool[ArrayLike, "..."]

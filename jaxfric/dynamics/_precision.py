"""One floating dtype for a whole run."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import DTypeLike, PyTree

if TYPE_CHECKING:
    FloatType = np.dtype
else:
    FloatType = DTypeLike  # `float` and `jnp.float32` too


def widest_float(*trees: PyTree) -> np.dtype:
    """The widest floating dtype among the arrays; the default one when there is none.

    Python numbers do not count: they follow the arrays, as everywhere in JAX.
    """
    dtypes = [
        jax.dtypes.canonicalize_dtype(x.dtype)
        for x in jax.tree_util.tree_leaves(trees)
        if hasattr(x, "dtype")
        and jnp.issubdtype(x.dtype, jnp.floating)
        and not getattr(x, "weak_type", False)  # a Python number that jit turned into an array
    ]
    # `float` is float64 or float32, whichever JAX was configured for
    default = jax.dtypes.canonicalize_dtype(float)
    return max(dtypes, key=lambda d: jnp.finfo(d).bits) if dtypes else default

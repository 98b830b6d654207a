"""One floating dtype for a whole run."""

from typing import Any

import jax
import jax.numpy as jnp


def widest_float(*trees: Any) -> Any:
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
    default = jax.dtypes.canonicalize_dtype(float)
    return max(dtypes, key=lambda d: jnp.finfo(d).bits) if dtypes else default

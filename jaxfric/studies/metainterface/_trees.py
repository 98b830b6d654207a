"""Gradient-boosted trees of scikit-learn, one of the paper's baselines (the `bench` extra)."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric._types import Vector
from jaxfric.studies.metainterface._paper import samples

SEED = 5  # of the samples: no other training draws with it


def trees_installed() -> bool:
    """Whether scikit-learn is there."""
    return find_spec("sklearn") is not None


@cache
def train_trees(count: int) -> Callable[[Array], Array]:
    """Condition (129,) → scaled parameters (23,), trained on `count` samples.

    Arguments:
        count: samples; trees are trained once for a number of them.

    Returns:
        A function for jit and vmap, that asks scikit-learn on the host.

    Raises:
        ImportError: without scikit-learn.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    data = jax.jit(samples(count))(jax.random.key(SEED))
    x, y = np.asarray(data.condition, np.float32), np.asarray(data.theta, np.float32)
    # One model for each parameter: scikit-learn's boosting answers with one number
    trees = [
        HistGradientBoostingRegressor(max_iter=50, random_state=0).fit(x, y[:, k])
        for k in range(y.shape[1])
    ]

    # JAX hands a callback its own arrays or NumPy's, of whatever shape vmap has made of (129,)
    def on_host(x: Vector) -> np.ndarray:
        rows = np.asarray(x, np.float32).reshape(-1, x.shape[-1])
        found = np.stack([tree.predict(rows) for tree in trees], -1)
        return found.reshape(*x.shape[:-1], y.shape[1]).astype(np.float32)

    def predict(x: Float[Array, "129"]) -> Float[Array, "23"]:
        # Once for a whole batch, not for each of its rows: trees predict many rows at once
        shape = jax.ShapeDtypeStruct((y.shape[1],), jnp.float32)
        return jax.pure_callback(on_host, shape, x, vmap_method="expand_dims")

    return predict

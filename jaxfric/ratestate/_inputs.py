"""Law, load and samples of a run in one dtype."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import _checks
from jaxfric.dynamics import VelocityProtocol, as_data, check_load, widest_float
from jaxfric.ratestate._law import RateStateLaw


def check_run(law: Any, velocity: Any, t: Any, *others: Any) -> None:
    """Raise for a batch, samples that are not sorted, or samples outside the protocol."""
    own = [law] if isinstance(law, RateStateLaw) else []
    for x in jax.tree_util.tree_leaves((own, others), is_leaf=callable):
        if not callable(x):
            _checks.scalar("each parameter of the law and the spring", x)
    check_load(velocity, t)


def one_dtype(law: Any, velocity: Any, t: Any, *others: Any) -> tuple[Any, ...]:
    """The arguments of a run as arrays of the widest dtype among them.

    A law of the user's own and functions of velocity or time keep their arrays (the weights of a
    network, say); their outputs are cast where they are used.
    """
    own = [law] if isinstance(law, RateStateLaw) else []
    protocol = isinstance(velocity, VelocityProtocol)
    dtype = widest_float(_numbers((own, others)), velocity if protocol else (), t)
    return (
        law_as_data(law, dtype) if own else law,
        as_data(velocity, dtype, inside=True) if protocol else velocity,
        jnp.asarray(t, dtype),
        *(as_data(x, dtype) for x in others),
    )


def law_as_data(law: RateStateLaw, dtype: Any) -> RateStateLaw:
    """The law's numbers as arrays, but for an alpha of zero, which stands for no such effect."""
    alpha = law.alpha
    law = as_data(law, dtype)
    if _checks.is_concrete(alpha) and not np.any(alpha):
        none = (0.0,) * len(alpha) if isinstance(alpha, tuple) else 0.0
        law = dataclasses.replace(law, alpha=none)
    return law


def _numbers(tree: Any) -> list[Any]:
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=callable)
    return [x for x in leaves if not callable(x)]

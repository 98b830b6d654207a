"""Law, load and samples of a run: checked, and in one dtype."""

import dataclasses
from typing import TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from jaxfric import _checks
from jaxfric._types import Numbers, Vector
from jaxfric.dynamics import (
    FloatType,
    LoadVelocity,
    VelocityProtocol,
    as_data,
    check_load,
    widest_float,
)
from jaxfric.ratestate._coordinates import FrictionLaw, SteppedFrictionLaw
from jaxfric.ratestate._law import RateStateLaw

Law = TypeVar("Law", bound=FrictionLaw | SteppedFrictionLaw)
Load = TypeVar("Load", bound=LoadVelocity | None)
Others = TypeVar("Others")


def check_run(
    law: FrictionLaw | SteppedFrictionLaw, velocity: LoadVelocity, t: Vector, *others: PyTree
) -> None:
    """Raise for a batch, samples that are not sorted, or samples outside the protocol."""
    # Parameters that were checked as numbers have an axis more after jax.vmap. A law of the user's
    # own is left alone: the weights of a network have any shape
    ours = [law] if isinstance(law, RateStateLaw) else []
    for x in _numbers((ours, others)):
        _checks.scalar("each parameter of the law and the spring", x)
    check_load(velocity, t)


def one_dtype(
    law: Law, velocity: Load, t: Numbers, others: Others
) -> tuple[Law, Load, Array, Others]:
    """The arguments of a run as arrays of the widest dtype among them.

    A law of the user's own and functions of velocity or time keep their arrays (the weights of a
    network, say); their outputs are cast where they are used.
    """
    ours = isinstance(law, RateStateLaw)
    protocol = isinstance(velocity, VelocityProtocol)
    parameters = _numbers(((law,) if ours else (), others))
    dtype = widest_float(parameters, velocity if protocol else (), t)
    return (
        cast(Law, law_as_data(law, dtype)) if isinstance(law, RateStateLaw) else law,
        as_data(velocity, dtype, inside=True) if protocol else velocity,
        jnp.asarray(t, dtype),
        as_data(others, dtype),
    )


def law_as_data(law: RateStateLaw, dtype: FloatType) -> RateStateLaw:
    """The law's numbers as arrays, but for an alpha of zero, which stands for no such effect."""
    # As an array it would be traced inside a compiled program, which then could not tell that the
    # terms in σ' may be left out
    alpha = law.alpha
    law = as_data(law, dtype)
    if _checks.is_concrete(alpha) and not np.any(cast(Numbers, alpha)):
        none = (0.0,) * len(alpha) if isinstance(alpha, tuple) else 0.0
        law = dataclasses.replace(law, alpha=none)
    return law


def _numbers(tree: PyTree) -> list[PyTree]:
    """The leaves of a tree, without functions of velocity and what they hold."""
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=callable)
    return [x for x in leaves if not callable(x)]

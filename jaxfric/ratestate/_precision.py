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


def one_dtype(law: Any, protocol: Any, t: Any, *others: Any) -> tuple[Any, ...]:
    """The arguments of a run in the widest dtype among them.

    A law of the user's own and functions of velocity or time keep their arrays (the weights of a
    network, say); their outputs are cast where they are used.
    """
    own = [law] if hasattr(law, "evolution") else []
    dtype = widest_float(_numbers((own, _arrays(protocol), others)), t)
    cast_law = _cast(law, dtype) if own else law
    cast_protocol = _cast(protocol, dtype, inside=True) if _arrays(protocol) else protocol
    return cast_law, cast_protocol, jnp.asarray(t, dtype), *(_cast(x, dtype) for x in others)


def _arrays(protocol: Any) -> Any:
    times = getattr(protocol, "times", None)
    return [] if times is None else [times, protocol.velocities]


def _numbers(tree: Any) -> list[Any]:
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=callable)
    return [x for x in leaves if not callable(x)]


def _cast(tree: Any, dtype: Any, inside: bool = False) -> Any:
    def convert(x: Any) -> Any:
        floating = hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating)
        return jnp.asarray(x, dtype) if floating else x

    return jax.tree_util.tree_map(convert, tree, is_leaf=None if inside else callable)

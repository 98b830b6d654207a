"""Transfer: train one part of a network and leave the rest as it is."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import PyTree, PyTreeDef


def parts(network: PyTree, part: str | Sequence[str]) -> PyTree:
    """Which parameters belong to a part: a pytree of booleans, for `freeze`, `mix` and `share`.

    A network names its parts by its attributes (a dictionary by its keys): `encoder`, `latent`,
    `decoder`, `head`, `level`. Members of an ensemble (leading axes) share one mask.

    Arguments:
        network: any pytree; only its floating-point arrays count.
        part: a name, several, "all" or "none".

    Returns:
        True or False in place of every floating-point array, None in place of other leaves.

    Raises:
        ValueError: a name that the network does not have.

    Example:
        >>> import jax.numpy as jnp
        >>> network = {"encoder": jnp.ones(3), "latent": jnp.ones(2)}
        >>> parts(network, "latent")
        {'encoder': False, 'latent': True}

    Source: ours.
    """
    wanted = {part} if isinstance(part, str) else set(part)
    arrays = eqx.filter(network, eqx.is_inexact_array)
    names = {_first(path) for path, _ in jax.tree_util.tree_leaves_with_path(arrays)}
    if unknown := wanted - names - {"all", "none"}:
        raise ValueError(
            f"no part {', '.join(sorted(unknown))} with parameters; this network has "
            f'{", ".join(sorted(names))}, and "all" and "none" are understood'
        )
    # By name and not by array, so that members of an ensemble and a network cast to another
    # precision have the same mask
    return jax.tree_util.tree_map_with_path(
        lambda path, _: "all" in wanted or _first(path) in wanted, arrays
    )


def share(network: PyTree, part: str | Sequence[str]) -> float:
    """Parameters of a part over all parameters.

    Arguments:
        network: see `parts`.
        part: see `parts`.

    Raises:
        ValueError: see `parts`, or a network without parameters.

    Example:
        >>> import jax.numpy as jnp
        >>> share({"encoder": jnp.ones(3), "latent": jnp.ones(1)}, "latent")
        0.25
    """
    arrays = jax.tree_util.tree_leaves(eqx.filter(network, eqx.is_inexact_array))
    chosen = jax.tree_util.tree_leaves(parts(network, part))
    total = sum(x.size for x in arrays)
    if total == 0:
        raise ValueError("network holds no floating-point array: nothing to share")
    return sum(x.size for x, is_in in zip(arrays, chosen, strict=True) if is_in) / total


def freeze(optimiser: optax.GradientTransformation, mask: PyTree) -> optax.GradientTransformation:
    """The optimiser for the parameters where the mask is True; all others stay as they are.

    Weight decay and the moments of Adam touch the chosen parameters alone. The gradient of the
    others is still computed, and `training.train(clip=...)` counts it: to leave it out of both,
    hold them in the loss with `mix(jax.lax.stop_gradient(network), network, mask)`.

    Arguments:
        optimiser: any optax transformation.
        mask: of `parts`, True to train.

    Raises:
        ValueError: a mask with leaves that are not booleans.

    Example:
        >>> import jax.numpy as jnp, optax
        >>> p = {"encoder": jnp.ones(1), "latent": jnp.ones(1)}
        >>> optimiser = freeze(optax.sgd(0.5), parts(p, "latent"))
        >>> update, _ = optimiser.update(p, optimiser.init(p), p)
        >>> print(*update["encoder"], *update["latent"])
        0.0 -0.5

    Source: ours, on optax.masked.
    """
    _checked(mask)
    # optax.masked passes the gradient of what it leaves out on as the update: that has to be set
    # to zero by a second transformation
    others = jax.tree_util.tree_map(lambda trains: not trains, mask)
    return optax.chain(optax.masked(optimiser, mask), optax.masked(optax.set_to_zero(), others))


def mix(network: PyTree, other: PyTree, mask: PyTree) -> PyTree:
    """`network` with the parameters of `other` where the mask is True.

    A control for tuning a part: `mix(trained, fresh, parts(trained, "latent"))` draws that part
    anew, and `mix(fresh, trained, ...)` keeps it and draws all else anew.

    Arguments:
        network: any pytree.
        other: one of the same structure and shapes.
        mask: of `parts`.

    Raises:
        ValueError: another structure or shape, or a mask with leaves that are not booleans.

    Example:
        >>> import jax.numpy as jnp
        >>> trained = {"encoder": jnp.ones(1), "latent": jnp.ones(1)}
        >>> fresh = {"encoder": jnp.zeros(1), "latent": jnp.zeros(1)}
        >>> mixed = mix(trained, fresh, parts(trained, "latent"))
        >>> print(*mixed["encoder"], *mixed["latent"])
        1.0 0.0

    Source: ours.
    """
    _checked(mask)
    arrays, static = eqx.partition(network, eqx.is_inexact_array)
    others = eqx.filter(other, eqx.is_inexact_array)
    if _form(arrays) != _form(others):
        raise ValueError("both networks must have the same parts and shapes: make them alike")
    if _form(arrays)[0] != _form(mask)[0]:
        raise ValueError("the mask is of another network: make it with parts(network, ...)")
    # Chosen when tracing, leaf by leaf: no gradient flows into the network that is not taken
    chosen = jax.tree_util.tree_map(lambda swap, a, b: b if swap else a, mask, arrays, others)
    return eqx.combine(chosen, static)


def _first(path: tuple[object, ...]) -> str:
    """The attribute, key or index of the network under which a leaf lies."""
    # JAX has a class of path entry for each of the three, with another name for what it holds
    for name in ("name", "key", "idx"):
        if path and hasattr(path[0], name):
            return str(getattr(path[0], name))
    return ""


def _form(tree: PyTree) -> tuple[PyTreeDef, list[tuple[int, ...]]]:
    """Structure and shapes: what two networks must share to take each other's parameters."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    return structure, [jnp.shape(x) for x in leaves]


def _checked(mask: PyTree) -> None:
    # A network handed over in place of its mask has the structure of one, and would pass further on
    if not all(isinstance(x, (bool, np.bool_)) for x in jax.tree_util.tree_leaves(mask)):
        raise ValueError("the mask must hold booleans: make it with parts(network, ...)")

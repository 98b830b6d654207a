"""Before the first step: arguments checked, the plan made, everything put on the devices."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, ArrayLike, PyTree

from jaxfric.training._optimiser import Optimiser
from jaxfric.training._plan import Loss, Metric, Plan, Stream


def make_plan(
    loss: Loss,
    arrays: PyTree,
    static: PyTree,
    data: PyTree | Stream,
    *,
    key: Array,
    optimiser: optax.GradientTransformation,
    epochs: int,
    batch_size: int | None,
    metric: Metric | None,
    patience: int | None,
    clip: float | None,
    evaluate_every: int,
    explosion: float,
    mesh: Mesh | None,
) -> Plan:
    """The plan of a run; see `train` for the arguments.

    Raises:
        ValueError: for arguments that do not fit each other.
    """
    _check(arrays, key, epochs, evaluate_every)
    if isinstance(data, Stream):
        # A stream has no rows to choose from: its own `draw` decides how many a batch has
        batch_size, steps_per_epoch = 0, data.steps
    else:
        rows = _rows(data)
        batch_size = rows if batch_size is None else min(batch_size, rows)
        steps_per_epoch = rows // batch_size
    if mesh is not None and batch_size % mesh.devices.size:
        raise ValueError(
            f"a batch of {batch_size} cannot be spread over {mesh.devices.size} devices; choose a "
            "batch_size that their number divides"
        )
    return Plan(
        loss=loss,
        metric=metric,
        optimiser=Optimiser(optimiser),
        clip=clip,
        static=static,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        epochs_per_call=evaluate_every,
        patience=patience,
        explosion=explosion,
        mesh=mesh,
        draw=data.draw if isinstance(data, Stream) else None,
    )


def _check(arrays: PyTree, key: Array, epochs: int, evaluate_every: int) -> None:
    if key.ndim > 1 or not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        raise ValueError("key must be a typed key, jax.random.key(0), or a vector of them")
    if not jax.tree_util.tree_leaves(arrays):
        raise ValueError("parameters hold no floating-point array: nothing to train")
    # Calls of a fixed number of epochs are one program; a shorter last one would be another
    if epochs < 1 or evaluate_every < 1 or epochs % evaluate_every:
        raise ValueError(
            f"epochs must be a positive multiple of evaluate_every; got {epochs} and "
            f"{evaluate_every}"
        )
    if key.ndim == 1:
        for x in jax.tree_util.tree_leaves(arrays):
            if x.ndim == 0 or x.shape[0] != key.shape[0]:
                raise ValueError(
                    f"with {key.shape[0]} keys every array of the parameters needs a leading axis "
                    f"of {key.shape[0]}; got shape {x.shape}. Make them with jax.vmap over keys"
                )


def _rows(data: PyTree) -> int:
    """Their number, which all arrays of the data share."""
    sizes = {np.shape(x)[:1] for x in jax.tree_util.tree_leaves(data)}
    if len(sizes) != 1 or () in sizes or (0,) in sizes:
        raise ValueError(
            f"data must be arrays with one common leading axis; their first axes are {sizes or 0}"
        )
    return int(sizes.pop()[0])


def automatic(mesh: Mesh | None) -> Mesh | None:
    """The same devices, with the compiler to choose how what is between is spread."""
    if mesh is None:
        return None
    # With explicit axes a loss would have to say how its results are spread; one that was written
    # for a single device says nothing
    kinds = (AxisType.Auto,) * len(mesh.axis_names)
    return Mesh(mesh.devices, mesh.axis_names, axis_types=kinds)


def place(mesh: Mesh | None, tree: PyTree) -> PyTree:
    """Everything on every device of the mesh, those of other processes included."""
    if mesh is None:
        return jax.tree_util.tree_map(jnp.asarray, tree)
    everywhere = NamedSharding(mesh, PartitionSpec())

    def put(x: ArrayLike) -> Array:
        # Keys have no numbers of their own to copy from the host, only the data they wrap
        if jax.dtypes.issubdtype(jnp.asarray(x).dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(
                put(jax.random.key_data(x)), impl=jax.random.key_impl(x)
            )
        host = np.asarray(x)
        # Each process makes the part of its own devices; none may put data on another's
        return jax.make_array_from_callback(host.shape, everywhere, lambda rows: host[rows])

    return jax.tree_util.tree_map(put, tree)

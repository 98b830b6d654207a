"""What a run of training is made of: its batches, the state that steps change, the fixed plan."""

from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from jaxfric.training._optimiser import Optimiser

Metrics: TypeAlias = dict[str, Array]
# (parameters, batch, key) → loss, or (loss, {name: term})
Loss: TypeAlias = Callable[[PyTree, PyTree, Key[Array, ""]], Array | tuple[Array, Metrics]]
# (parameters, validation) → number to be minimised
Metric: TypeAlias = Callable[[PyTree, PyTree], Array]
Draw: TypeAlias = Callable[[Key[Array, ""]], PyTree]


class Stream(eqx.Module):
    """An endless source of batches that are simulated on the device.

    Arguments:
        draw: key → batch, jittable; every step gets its own key.
        steps: gradient steps that make an epoch.

    Example:
        >>> import jax
        >>> stream = Stream(lambda key: jax.random.normal(key, (32, 2)), steps=100)
        >>> print(stream.draw(jax.random.key(0)).shape)
        (32, 2)
    """

    draw: Draw = eqx.field(static=True)
    steps: int = eqx.field(static=True)


class TrainState(eqx.Module):
    """Everything that a step changes; what a checkpoint holds.

    A killed run resumes to the same bits because nothing else decides what a step does. The order
    of the rows and the noise of an epoch are drawn from `key`, which never changes, and `epoch`:
    there is no generator whose position would have to be restored.
    """

    parameters: PyTree
    optimiser: PyTree
    key: Key[Array, "..."]
    step: Int[Array, "..."]  # gradient steps taken
    epoch: Int[Array, "..."]  # epochs done
    best: PyTree
    best_metric: Float[Array, "..."]
    best_epoch: Int[Array, "..."]
    first_loss: Float[Array, "..."]  # of the very first step; NaN before it
    failed: Bool[Array, "..."]  # a step was not finite: the state is that before it
    stopped: Bool[Array, "..."]


class Plan(eqx.Module):
    """What stays the same over a run; static, so that it names the compiled program.

    Two runs whose plans are equal share a program: functions are compared by identity, optimisers
    by what they do (`Optimiser`), numbers by value.
    """

    loss: Loss
    metric: Metric | None
    optimiser: Optimiser
    clip: float | None
    static: PyTree  # what is not trained of the parameters
    batch_size: int
    steps_per_epoch: int
    epochs_per_call: int
    patience: int | None
    explosion: float
    mesh: Mesh | None
    draw: Draw | None

    def value(
        self, parameters: PyTree, batch: PyTree, key: Key[Array, ""]
    ) -> tuple[Array, Metrics]:
        """Loss and its terms."""
        found = self.loss(eqx.combine(parameters, self.static), batch, key)
        return found if isinstance(found, tuple) else (found, {})

    def start(self, parameters: PyTree, key: Key[Array, ""]) -> TrainState:
        """The state before the first step."""
        dtype = jnp.result_type(*jax.tree_util.tree_leaves(parameters))
        none, zero = jnp.zeros((), bool), jnp.zeros((), jnp.int32)
        return TrainState(
            parameters=parameters,
            optimiser=self.optimiser.init(parameters),
            key=key,
            step=zero,
            epoch=zero,
            best=parameters,
            best_metric=jnp.asarray(jnp.inf, dtype),  # so that any first score is better
            best_epoch=zero,
            first_loss=jnp.asarray(jnp.nan, dtype),
            failed=none,
            stopped=none,
        )

    def shard(self, batch: PyTree) -> PyTree:
        """A batch spread over the devices of the mesh, by its leading axis."""
        if self.mesh is None:
            return batch
        spread = NamedSharding(self.mesh, PartitionSpec(self.mesh.axis_names[0]))
        # A single number of a batch, such as a time step, has no rows to spread
        return jax.tree_util.tree_map(
            lambda x: jax.lax.with_sharding_constraint(x, spread) if x.ndim else x, batch
        )

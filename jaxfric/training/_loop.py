"""The compiled part of training: steps under `lax.scan`, with the data on the device."""

import os
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int, Key, PyTree

from jaxfric import programs
from jaxfric.training._optimiser import Optimiser

Metrics = dict[str, Array]
QUICK = "--xla_backend_optimization_level=0"


class Stream(eqx.Module):
    """An endless source of batches that are simulated on the device.

    Arguments:
        draw: key → batch, jittable; every step gets its own key.
        steps: steps that make an epoch.

    Example:
        >>> import jax
        >>> stream = Stream(lambda key: jax.random.normal(key, (32, 2)), steps=100)
        >>> print(stream.draw(jax.random.key(0)).shape)
        (32, 2)
    """

    draw: Callable[[Key[Array, ""]], PyTree] = eqx.field(static=True)
    steps: int = eqx.field(static=True)


class TrainState(eqx.Module):
    """Everything that a step changes; what a checkpoint holds."""

    parameters: PyTree
    optimiser: PyTree
    key: Key[Array, "..."]
    step: Int[Array, "..."]
    epoch: Int[Array, "..."]
    best: PyTree
    best_metric: Float[Array, "..."]
    best_epoch: Int[Array, "..."]
    first_loss: Float[Array, "..."]  # of the very first step; NaN before it
    failed: Bool[Array, "..."]  # a step was not finite: the state is that before it
    stopped: Bool[Array, "..."]


class Plan(eqx.Module):
    """What stays the same over a run; static, so that it names the compiled program."""

    loss: Callable[..., Any]
    metric: Callable[..., Any] | None
    optimiser: Optimiser
    clip: float | None
    static: Any  # what is not trained of the parameters
    batch_size: int
    steps: int
    epochs: int  # per call
    patience: int | None
    explosion: float
    mesh: Mesh | None
    draw: Callable[..., Any] | None

    def value(self, parameters: PyTree, batch: PyTree, key: Any) -> tuple[Array, Metrics]:
        """Loss and its terms."""
        found = self.loss(eqx.combine(parameters, self.static), batch, key)
        return found if isinstance(found, tuple) else (found, {})

    def start(self, parameters: PyTree, key: Key[Array, ""]) -> TrainState:
        dtype = jnp.result_type(*jax.tree_util.tree_leaves(parameters))
        none, zero = jnp.zeros((), bool), jnp.zeros((), jnp.int32)
        return TrainState(
            parameters, self.optimiser.init(parameters), key, zero, zero, parameters,
            jnp.asarray(jnp.inf, dtype), zero, jnp.asarray(jnp.nan, dtype), none, none,
        )  # fmt: skip

    def shard(self, batch: PyTree) -> PyTree:
        """A batch spread over the devices of the mesh, by its leading axis."""
        if self.mesh is None:
            return batch
        spread = NamedSharding(self.mesh, PartitionSpec(self.mesh.axis_names[0]))
        return jax.tree_util.tree_map(
            lambda x: jax.lax.with_sharding_constraint(x, spread) if x.ndim else x, batch
        )


def one_step(plan: Plan, state: TrainState, batch: PyTree, key: Any) -> tuple[TrainState, Metrics]:
    """A gradient step; a step that is not finite, or explodes, leaves the state as it was."""
    batch = plan.shard(batch)
    differentiate = jax.value_and_grad(plan.value, has_aux=True)
    (loss, terms), gradient = differentiate(state.parameters, batch, key)
    norm = optax.tree.norm(gradient)
    if plan.clip is not None:
        shrink = jnp.minimum(1, plan.clip / jnp.maximum(norm, 1e-12))
        gradient = jax.tree_util.tree_map(lambda g: (shrink * g).astype(g.dtype), gradient)
    updates, optimiser = plan.optimiser.update(
        gradient, state.optimiser, state.parameters, value=loss, grad=gradient,
        value_fn=lambda p: plan.value(p, batch, key)[0],
    )  # fmt: skip
    first = jnp.where(
        jnp.isnan(state.first_loss), loss.astype(state.first_loss.dtype), state.first_loss
    )
    bounded = jnp.abs(loss) <= plan.explosion * jnp.maximum(jnp.abs(first), 1e-6)
    good = jnp.isfinite(loss) & jnp.isfinite(norm) & bounded
    going = good & ~state.failed & ~state.stopped

    def keep(new: Array, old: Array) -> Array:
        return jnp.where(going, new, old)

    new = TrainState(
        jax.tree_util.tree_map(keep, optax.apply_updates(state.parameters, updates),
                               state.parameters),
        jax.tree_util.tree_map(keep, optimiser, state.optimiser),
        state.key, state.step + going, state.epoch, state.best, state.best_metric,
        state.best_epoch, keep(first, state.first_loss),
        state.failed | (~good & ~state.stopped), state.stopped,
    )  # fmt: skip
    # Once a step failed, its numbers are the ones to report
    return new, {"loss": loss, "gradient_norm": norm, **terms}


def one_epoch(plan: Plan, state: TrainState, data: PyTree) -> tuple[TrainState, Metrics]:
    """A pass over shuffled data, or `steps` batches of a stream; metrics are means over it."""
    key = jax.random.fold_in(state.key, state.epoch)
    shuffle, noise = jax.random.split(key)
    keys = jax.random.split(noise, plan.steps)
    if plan.draw is None:
        size = jax.tree_util.tree_leaves(data)[0].shape[0]
        order = jax.random.permutation(shuffle, size)[: plan.steps * plan.batch_size]
        rows = order.reshape(plan.steps, plan.batch_size)
    else:
        rows = jnp.zeros((plan.steps, 0), jnp.int32)

    def body(state: TrainState, each: tuple[Array, Any]) -> tuple[TrainState, Metrics]:
        chosen, key = each
        if plan.draw is None:
            batch = jax.tree_util.tree_map(lambda x: x[chosen], data)
            own = key
        else:
            simulate, own = jax.random.split(key)
            batch = plan.draw(simulate)
        before = state.failed
        state, metrics = one_step(plan, state, batch, own)
        return state, metrics | {"counts": ~before}

    state, metrics = jax.lax.scan(body, state, (rows, keys))
    counts = metrics.pop("counts")
    # The mean of an epoch that went well; after a failure, the step that failed
    last = jnp.maximum(jnp.sum(counts) - 1, 0)
    summary = {
        name: jnp.where(state.failed, x[last], jnp.mean(x, axis=0)) for name, x in metrics.items()
    }
    return eqx.tree_at(lambda s: s.epoch, state, state.epoch + ~(state.stopped | state.failed)), (
        summary
    )


def some_epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    """`plan.epochs` epochs and one evaluation: best weights kept, patience counted."""
    state, metrics = jax.lax.scan(
        lambda s, _: one_epoch(plan, s, data), state, None, length=plan.epochs
    )
    metrics = {name: x[-1] for name, x in metrics.items()}
    if plan.metric is None:
        score = metrics["loss"]
    else:
        score = plan.metric(eqx.combine(state.parameters, plan.static), validation)
    active = ~(state.stopped | state.failed)
    better = active & (score < state.best_metric)
    best = jax.tree_util.tree_map(
        lambda new, old: jnp.where(better, new, old), state.parameters, state.best
    )
    best_epoch = jnp.where(better, state.epoch, state.best_epoch)
    stopped = state.stopped
    if plan.patience is not None:
        stopped = stopped | (active & (state.epoch - best_epoch >= plan.patience))
    score = score.astype(state.best_metric.dtype)
    state = TrainState(
        state.parameters, state.optimiser, state.key, state.step, state.epoch, best,
        jnp.where(better, score, state.best_metric), best_epoch, state.first_loss, state.failed,
        stopped,
    )  # fmt: skip
    return state, metrics | {"metric": score, "step": state.step, "epoch": state.epoch}


@eqx.filter_jit
def begin(plan: Plan, arrays: PyTree, key: Key[Array, "..."]) -> TrainState:
    """The state before the first step, of one run or of several members."""
    return (jax.vmap(plan.start) if key.ndim else plan.start)(arrays, key)


def run_epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    """`some_epochs` of one run, or of several members at once.

    Compiled once for the same functions, equal optimisers and shapes.
    """
    # Training computes for longer than it compiles: an application that compiles everything else
    # at level 0 (the command line does) would wait ten times as long
    quick = programs.keeper() is not None and QUICK in os.environ.get("XLA_FLAGS", "")
    return (_at_one if quick else _as_set)(plan, state, data, validation)


def _run_epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    def single(state: TrainState) -> tuple[TrainState, Metrics]:
        return some_epochs(plan, state, data, validation)

    found = jax.vmap(single)(state) if state.step.ndim else single(state)
    if plan.mesh is None:
        return found
    everywhere = NamedSharding(plan.mesh, PartitionSpec())
    return jax.tree_util.tree_map(lambda x: jax.lax.with_sharding_constraint(x, everywhere), found)


_as_set = eqx.filter_jit(_run_epochs)
_level: Any = {"compiler_options": {"xla_backend_optimization_level": 1}}
_at_one = eqx.filter_jit(_run_epochs, **_level)

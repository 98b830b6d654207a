"""The compiled part of training: steps under `lax.scan`, with the data on the device."""

import os
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Key, PyTree

from jaxfric import programs
from jaxfric.training._plan import Metrics, Plan, TrainState

QUICK = "--xla_backend_optimization_level=0"


def one_step(
    plan: Plan, state: TrainState, batch: PyTree, key: Key[Array, ""]
) -> tuple[TrainState, Metrics]:
    """A gradient step; a step that is not finite, or explodes, leaves the state as it was."""
    batch = plan.shard(batch)
    differentiate = jax.value_and_grad(plan.value, has_aux=True)
    (loss, terms), gradient = differentiate(state.parameters, batch, key)
    norm = optax.tree.norm(gradient)
    if plan.clip is not None:
        # Not optax.clip_by_global_norm: the norm is wanted for the history anyway, and its product
        # in another order rounds differently. The small number keeps 0/0 out of a zero gradient
        shrink = jnp.minimum(1, plan.clip / jnp.maximum(norm, 1e-12))
        gradient = jax.tree_util.tree_map(lambda g: (shrink * g).astype(g.dtype), gradient)
    # The last three are for optimisers with a line search (L-BFGS), which try other parameters on
    # the same batch; the others ignore them
    updates, optimiser = plan.optimiser.update(
        gradient, state.optimiser, state.parameters, value=loss, grad=gradient,
        value_fn=lambda p: plan.value(p, batch, key)[0],
    )  # fmt: skip
    good, first = _is_good(plan, state, loss, norm)
    # One of several members that failed or stopped stands still while the others go on: under vmap
    # its step is computed all the same, and thrown away
    going = good & ~state.failed & ~state.stopped

    def keep(new: Array, old: Array) -> Array:
        return jnp.where(going, new, old)

    parameters = optax.apply_updates(state.parameters, updates)
    new = replace(
        state,
        parameters=jax.tree_util.tree_map(keep, parameters, state.parameters),
        optimiser=jax.tree_util.tree_map(keep, optimiser, state.optimiser),
        step=state.step + going,
        first_loss=keep(first, state.first_loss),
        failed=state.failed | (~good & ~state.stopped),
    )
    # Once a step failed, its numbers are the ones to report
    return new, {"loss": loss, "gradient_norm": norm, **terms}


def _is_good(plan: Plan, state: TrainState, loss: Array, norm: Array) -> tuple[Array, Array]:
    """Whether a step may be taken, and the loss of the run's first step.

    A diverging run takes long to reach infinity, if it does, and every step and checkpoint on the
    way there is worse than the one before. A loss far above that of the first step, at weights
    that had learned nothing, is the sign of it.
    """
    first = jnp.where(
        jnp.isnan(state.first_loss), loss.astype(state.first_loss.dtype), state.first_loss
    )
    # In magnitude, as a loss may be negative (a logarithm of a density); the small number stands in
    # for a first loss of zero, of which no multiple would be allowed
    bounded = jnp.abs(loss) <= plan.explosion * jnp.maximum(jnp.abs(first), 1e-6)
    # The gradient is checked on its own: it can be NaN where the loss is finite
    return jnp.isfinite(loss) & jnp.isfinite(norm) & bounded, first


def one_epoch(plan: Plan, state: TrainState, data: PyTree) -> tuple[TrainState, Metrics]:
    """A pass over shuffled data, or the steps of a stream's epoch; metrics are means over it."""
    # From the run's key and the number of the epoch alone: a resumed run draws what it would have
    # drawn, however often it was killed
    key = jax.random.fold_in(state.key, state.epoch)
    shuffle, noise = jax.random.split(key)
    keys = jax.random.split(noise, plan.steps_per_epoch)
    if plan.draw is None:
        size = jax.tree_util.tree_leaves(data)[0].shape[0]
        # What is left over after whole batches waits for another shuffle: every step has one shape
        order = jax.random.permutation(shuffle, size)[: plan.steps_per_epoch * plan.batch_size]
        rows = order.reshape(plan.steps_per_epoch, plan.batch_size)
    else:
        rows = jnp.zeros((plan.steps_per_epoch, 0), jnp.int32)  # the scan wants some

    def body(state: TrainState, inputs: tuple[Array, Array]) -> tuple[TrainState, Metrics]:
        chosen, key = inputs
        if plan.draw is None:
            batch = jax.tree_util.tree_map(lambda x: x[chosen], data)
            loss_key = key
        else:
            draw_key, loss_key = jax.random.split(key)
            batch = plan.draw(draw_key)
        before = state.failed
        state, metrics = one_step(plan, state, batch, loss_key)
        return state, metrics | {"counts": ~before}

    state, metrics = jax.lax.scan(body, state, (rows, keys))
    counts = metrics.pop("counts")
    # The mean of an epoch that went well; after a failure, the step that failed
    last = jnp.maximum(jnp.sum(counts) - 1, 0)
    summary = {
        name: jnp.where(state.failed, x[last], jnp.mean(x, axis=0)) for name, x in metrics.items()
    }
    return replace(state, epoch=state.epoch + ~(state.stopped | state.failed)), summary


def epochs_and_score(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    """The epochs of a call and one evaluation: best weights kept, patience counted."""
    state, metrics = jax.lax.scan(
        lambda s, _: one_epoch(plan, s, data), state, None, length=plan.epochs_per_call
    )
    metrics = {name: x[-1] for name, x in metrics.items()}  # of the newest epoch
    if plan.metric is None:
        score = metrics["loss"]
    else:
        score = plan.metric(eqx.combine(state.parameters, plan.static), validation)
    active = ~(state.stopped | state.failed)
    # A score that is NaN is not smaller: it never is the best, and counts against the patience
    better = active & (score < state.best_metric)
    best = jax.tree_util.tree_map(
        lambda new, old: jnp.where(better, new, old), state.parameters, state.best
    )
    best_epoch = jnp.where(better, state.epoch, state.best_epoch)
    stopped = state.stopped
    if plan.patience is not None:
        stopped = stopped | (active & (state.epoch - best_epoch >= plan.patience))
    score = score.astype(state.best_metric.dtype)
    state = replace(
        state,
        best=best,
        best_metric=jnp.where(better, score, state.best_metric),
        best_epoch=best_epoch,
        stopped=stopped,
    )
    return state, metrics | {"metric": score, "step": state.step, "epoch": state.epoch}


@eqx.filter_jit
def begin(plan: Plan, arrays: PyTree, key: Key[Array, "..."]) -> TrainState:
    """The state before the first step, of one run or of several members."""
    # Compiled, as optimisers make their moments array by array: one program in place of dozens
    return (jax.vmap(plan.start) if key.ndim else plan.start)(arrays, key)


def run_epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    """`epochs_and_score` of one run, or of several members at once.

    Compiled once for the same functions, equal optimisers and shapes.
    """
    # An application that keeps its programs and has XLA optimise nothing (the command line does)
    # wants to start fast. Training computes for longer than it compiles: at level 0 it would take
    # ten times as long
    quick = programs.keeper() is not None and QUICK in os.environ.get("XLA_FLAGS", "")
    return (_at_one if quick else _as_set)(plan, state, data, validation)


def _run_epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree
) -> tuple[TrainState, Metrics]:
    def single(state: TrainState) -> tuple[TrainState, Metrics]:
        return epochs_and_score(plan, state, data, validation)

    # Members share the data; each has a state of its own
    found = jax.vmap(single)(state) if state.step.ndim else single(state)
    if plan.mesh is None:
        return found
    # Every process writes the same log and decides the same: the result is whole on each device
    everywhere = NamedSharding(plan.mesh, PartitionSpec())
    return jax.tree_util.tree_map(lambda x: jax.lax.with_sharding_constraint(x, everywhere), found)


_as_set = eqx.filter_jit(_run_epochs)
# equinox hands what it does not know on to jax.jit, though its signature does not say so
_level: dict[str, Any] = {"compiler_options": {"xla_backend_optimization_level": 1}}
_at_one = eqx.filter_jit(_run_epochs, **_level)

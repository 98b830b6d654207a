"""Training from the user's side: one call, resumable, with early stopping."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree

from jaxfric.training._checkpoint import Checkpoints
from jaxfric.training._log import Log
from jaxfric.training._loop import Plan, Stream, TrainState, begin, run_epochs
from jaxfric.training._optimiser import Optimiser


class TrainingError(RuntimeError):
    """The loss or its gradient was not finite, or exploded.

    Arguments:
        step: the step that failed (the state before it is kept).
        terms: loss, its terms and the gradient's norm at that step.
        checkpoint: folder of the last good checkpoint, if any.
    """

    def __init__(self, step: int, terms: dict[str, float], checkpoint: Path | None):
        values = ", ".join(f"{name} {value:.4g}" for name, value in terms.items())
        kept = (
            f"the last good checkpoint is in {checkpoint}"
            if checkpoint
            else "no checkpoint was kept (give checkpoint=FOLDER)"
        )
        super().__init__(
            f"training failed at step {step}: {values}; {kept}. Lower the learning rate, clip the "
            "gradient, or look for bad values in the data"
        )
        self.step, self.terms, self.checkpoint = step, terms, checkpoint


class Trained(eqx.Module):
    """What training gives.

    Arguments:
        parameters: the best by the metric.
        last: those after the last step.
        history: name → (evaluations,) or (evaluations, members): epoch, step, loss, its terms,
            gradient_norm, metric.
        best_metric: the smallest metric.
        best_epoch: where it was reached.
        steps: gradient steps taken.
        stopped: whether patience ended the run.
        failed: members (of several) whose loss was not finite; their best is from before.
    """

    parameters: PyTree
    last: PyTree
    history: dict[str, np.ndarray]
    best_metric: Array
    best_epoch: Array
    steps: Array
    stopped: Array
    failed: Array

    def __str__(self) -> str:
        steps, epoch = np.asarray(self.steps), np.asarray(self.best_epoch)
        metric = np.asarray(self.best_metric)
        if metric.ndim:
            return (
                f"{metric.size} members, {steps.max()} steps, best metrics "
                f"{metric.min():.4g} to {metric.max():.4g}, {int(np.sum(self.failed))} failed"
            )
        why = "stopped early" if self.stopped else "all epochs done"
        return f"{steps} steps, {why}, best metric {metric:.4g} at epoch {epoch}"


def train(
    loss: Callable[..., Any],
    parameters: PyTree,
    data: PyTree | Stream,
    *,
    key: Array,
    optimiser: optax.GradientTransformation,
    epochs: int,
    batch_size: int | None = None,
    validation: PyTree = None,
    metric: Callable[..., Array] | None = None,
    patience: int | None = None,
    clip: float | None = None,
    evaluate_every: int = 1,
    explosion: float = 1e6,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: int = 1,
    keep: int = 3,
    config: dict[str, Any] | None = None,
    progress: bool = False,
    mesh: Mesh | None = None,
) -> Trained:
    """Minimise a loss over data on the device, or over an endless stream of simulations.

    Epochs are compiled with `lax.scan`. With `checkpoint`, a run that was killed at any moment
    resumes where the newest good checkpoint stands and ends as if it had not been killed, to the
    last bit on the same machine; one that is finished is read back.

    Arguments:
        loss: (parameters, batch, key) → loss, or (loss, {name: term}).
        parameters: any pytree; its floating-point arrays are trained. With several keys, every
            one of them has a leading axis of members.
        data: arrays with a common leading axis, or a `Stream`.
        key: typed key; with shape (n,), n members train at once (vmap), each with its own order.
        optimiser: any optax transformation (`optax.lbfgs` too, with batch_size=None). An equal one
            made anew runs the same program, unless it holds a function of your own.
        epochs: passes over the data; a remainder smaller than a batch waits for another shuffle.
        batch_size: rows per step; all if None.
        validation: passed to `metric`.
        metric: (parameters, validation) → number to be minimised; the epoch's mean loss if None.
        patience: stop after as many epochs without a smaller metric; never if None.
        clip: largest global norm of the gradient.
        evaluate_every: epochs per compiled call and per evaluation.
        explosion: fail when the loss exceeds that of the first step so many times.
        checkpoint: folder for checkpoints and `history.jsonl`.
        save_every: evaluations between checkpoints.
        keep: checkpoints kept.
        config: facts (JSON) to store; a resumed run must have the same.
        progress: show a progress bar (rich).
        mesh: devices over whose first axis each batch is spread; one device if None.

    Returns:
        `Trained`.

    Raises:
        ValueError: for bad arguments, or a checkpoint of another configuration.
        TrainingError: if a step is not finite (of a single run; of members, see `Trained.failed`).

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> x = jnp.linspace(-1.0, 1.0, 64)
        >>> data = {"x": x, "y": 3 * x + 1}
        >>> def loss(p, batch, key):
        ...     return jnp.mean((p["slope"] * batch["x"] + p["shift"] - batch["y"]) ** 2)
        >>> start = {"slope": jnp.zeros(()), "shift": jnp.zeros(())}
        >>> trained = train(loss, start, data, key=jax.random.key(0),
        ...                 optimiser=optax.adam(0.05), epochs=300, batch_size=16)
        >>> print(f"{trained.parameters['slope']:.3f} {trained.parameters['shift']:.3f}")
        3.000 1.000

    Source: ours.
    """
    arrays, static = eqx.partition(parameters, eqx.is_inexact_array)
    mesh = _automatic(mesh)
    plan = _plan(
        loss, arrays, static, data, key, optimiser, epochs, batch_size, metric, patience, clip,
        evaluate_every, explosion, mesh,
    )  # fmt: skip
    state = begin(plan, arrays, key)
    store = None if checkpoint is None else Checkpoints(checkpoint, keep)
    own = json.loads(json.dumps(config or {}))  # as it will be read back: tuples become lists
    facts = {"config": own, "batch_size": plan.batch_size, "steps": plan.steps}
    rows: list[dict[str, Any]] = []
    if store is not None and (found := store.restore(state)) is not None:
        _, state, stored = found
        rows = stored.pop("rows")
        if stored != facts:
            raise ValueError(
                f"the checkpoints in {checkpoint} belong to another configuration: {stored}; this "
                f"run has {facts}. Use another folder"
            )
    tensors = None if isinstance(data, Stream) else jax.tree_util.tree_map(jnp.asarray, data)
    state, tensors, validation = _place(plan.mesh, (state, tensors, validation))
    state, rows = _epochs(
        plan, state, tensors, validation, rows, epochs // evaluate_every, store, save_every, facts,
        Log(checkpoint, rows, epochs, progress),
    )  # fmt: skip
    return _result(state, static, rows)


def _epochs(
    plan: Plan, state: TrainState, data: PyTree, validation: PyTree, rows: list[dict[str, Any]],
    evaluations: int, store: Checkpoints | None, save_every: int, facts: dict[str, Any], log: Log,
) -> tuple[TrainState, list[dict[str, Any]]]:  # fmt: skip
    """The loop on the host: one compiled call per evaluation."""
    saved = len(rows)

    def save() -> None:
        nonlocal saved
        if store is not None and len(rows) > saved:
            store.save(len(rows), state, {**facts, "rows": rows})
            saved = len(rows)

    with log:
        try:
            while len(rows) < evaluations and not _over(state):
                new, metrics = run_epochs(plan, state, data, validation)
                row = {name: np.asarray(x).tolist() for name, x in metrics.items()}
                if np.ndim(new.failed) == 0 and bool(new.failed):
                    save()
                    names = [n for n in row if n not in ("metric", "epoch", "step")]
                    folder = None if store is None or not saved else store.folder
                    raise TrainingError(row["step"] + 1, {n: row[n] for n in names}, folder)
                state = new
                rows.append(row)
                log.write(row)
                if len(rows) % save_every == 0:
                    save()
        except KeyboardInterrupt:
            save()
            raise
        save()
    return state, rows


def _over(state: TrainState) -> bool:
    return bool(np.all(np.asarray(state.stopped) | np.asarray(state.failed)))


def _plan(
    loss: Any, arrays: PyTree, static: PyTree, data: PyTree | Stream, key: Array,
    optimiser: optax.GradientTransformation, epochs: int, batch_size: int | None, metric: Any,
    patience: int | None, clip: float | None, evaluate_every: int, explosion: float,
    mesh: Mesh | None,
) -> Plan:  # fmt: skip
    if key.ndim > 1 or not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        raise ValueError("key must be a typed key, jax.random.key(0), or a vector of them")
    if not jax.tree_util.tree_leaves(arrays):
        raise ValueError("parameters hold no floating-point array: nothing to train")
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
    if isinstance(data, Stream):
        size, steps = 0, data.steps
    else:
        size = _rows(data)
        batch = size if batch_size is None else min(batch_size, size)
        steps, size = size // batch, batch
    if mesh is not None and size % mesh.devices.size:
        raise ValueError(
            f"a batch of {size} cannot be spread over {mesh.devices.size} devices; choose a "
            "batch_size that their number divides"
        )
    return Plan(
        loss, metric, Optimiser(optimiser), clip, static, size, steps, evaluate_every, patience,
        explosion, mesh, data.draw if isinstance(data, Stream) else None,
    )  # fmt: skip


def _rows(data: PyTree) -> int:
    sizes = {np.shape(x)[:1] for x in jax.tree_util.tree_leaves(data)}
    if len(sizes) != 1 or () in sizes or (0,) in sizes:
        raise ValueError(
            f"data must be arrays with one common leading axis; their first axes are {sizes or 0}"
        )
    return int(sizes.pop()[0])


def _automatic(mesh: Mesh | None) -> Mesh | None:
    """The same devices, with the compiler to choose how what is between is spread."""
    if mesh is None:
        return None
    kinds = (AxisType.Auto,) * len(mesh.axis_names)
    return Mesh(mesh.devices, mesh.axis_names, axis_types=kinds)


def _place(mesh: Mesh | None, tree: PyTree) -> PyTree:
    """Everything on every device of the mesh, those of other processes included."""
    if mesh is None:
        return jax.tree_util.tree_map(jnp.asarray, tree)
    everywhere = NamedSharding(mesh, PartitionSpec())

    def place(x: Any) -> Array:
        if jax.dtypes.issubdtype(jnp.asarray(x).dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(
                place(jax.random.key_data(x)), impl=jax.random.key_impl(x)
            )
        host = np.asarray(x)
        return jax.make_array_from_callback(host.shape, everywhere, lambda rows: host[rows])

    return jax.tree_util.tree_map(place, tree)


def _result(state: TrainState, static: PyTree, rows: list[dict[str, Any]]) -> Trained:
    history = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    return Trained(
        eqx.combine(state.best, static), eqx.combine(state.parameters, static), history,
        state.best_metric, state.best_epoch, state.step, state.stopped, state.failed,
    )  # fmt: skip

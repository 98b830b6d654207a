"""Training from the user's side: one call, resumable, with early stopping."""

import json
import os
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, PyTree

from jaxfric.training._checkpoint import Checkpoints
from jaxfric.training._log import Log, Row
from jaxfric.training._loop import begin, run_epochs
from jaxfric.training._outcome import Trained, TrainingError, trained
from jaxfric.training._plan import Loss, Metric, Plan, Stream, TrainState
from jaxfric.training._prepare import automatic, make_plan, place


def train(
    loss: Loss,
    parameters: PyTree,
    data: PyTree | Stream,
    *,
    key: Array,
    optimiser: optax.GradientTransformation,
    epochs: int,
    batch_size: int | None = None,
    validation: PyTree = None,
    metric: Metric | None = None,
    patience: int | None = None,
    clip: float | None = None,
    evaluate_every: int = 1,
    explosion: float = 1e6,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: int = 1,
    keep: int = 3,
    config: Mapping[str, object] | None = None,
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
    # Floating-point arrays are trained; functions, sizes and integers of a network are not
    arrays, static = eqx.partition(parameters, eqx.is_inexact_array)
    mesh = automatic(mesh)
    plan = make_plan(
        loss, arrays, static, data, key=key, optimiser=optimiser, epochs=epochs,
        batch_size=batch_size, metric=metric, patience=patience, clip=clip,
        evaluate_every=evaluate_every, explosion=explosion, mesh=mesh,
    )  # fmt: skip
    state = begin(plan, arrays, key)
    # As it will be read back: JSON turns tuples into lists, and the two must compare as equal
    stored_config = json.loads(json.dumps(dict(config or {})))
    facts = {
        "config": stored_config, "batch_size": plan.batch_size, "steps": plan.steps_per_epoch,
    }  # fmt: skip
    store = None if checkpoint is None else Checkpoints(checkpoint, keep)
    state, rows = _resumed(store, state, facts, checkpoint)
    tensors = None if isinstance(data, Stream) else jax.tree_util.tree_map(jnp.asarray, data)
    state, tensors, validation = place(plan.mesh, (state, tensors, validation))
    state, rows = _run(
        plan, state, tensors, validation, rows=rows, evaluations=epochs // evaluate_every,
        store=store, save_every=save_every, facts=facts,
        log=Log(checkpoint, rows, epochs, progress),
    )  # fmt: skip
    return trained(state, static, rows)


def _resumed(
    store: Checkpoints | None,
    state: TrainState,
    facts: Mapping[str, object],
    folder: str | os.PathLike[str] | None,
) -> tuple[TrainState, list[Row]]:
    """State and history of the newest good checkpoint; without one, the state that is given."""
    found = None if store is None else store.restore(state)
    if found is None:
        return state, []
    _, state, stored = found
    rows = stored.pop("rows")
    # The epochs may differ, so that a run can be made longer; what shapes a step may not
    if stored != facts:
        raise ValueError(
            f"the checkpoints in {folder} belong to another configuration: {stored}; this run has "
            f"{facts}. Use another folder"
        )
    return state, rows


def _run(
    plan: Plan,
    state: TrainState,
    data: PyTree,
    validation: PyTree,
    *,
    rows: list[Row],
    evaluations: int,
    store: Checkpoints | None,
    save_every: int,
    facts: Mapping[str, object],
    log: Log,
) -> tuple[TrainState, list[Row]]:
    """The loop on the host: one compiled call per evaluation."""
    saved = len(rows)

    def save() -> None:
        nonlocal saved
        if store is not None and len(rows) > saved:
            # With the history, so that a resumed run has the whole of it; numbered by evaluations
            store.save(len(rows), state, {**facts, "rows": rows})
            saved = len(rows)

    with log:
        try:
            while len(rows) < evaluations and not _over(state):
                new, metrics = run_epochs(plan, state, data, validation)
                row: Row = {name: np.asarray(x).tolist() for name, x in metrics.items()}
                # Of several members the others go on; a single run has nothing left to do. What
                # was good is saved first, since `save_every` may have left it out
                if np.ndim(new.failed) == 0 and bool(new.failed):
                    save()
                    folder = None if store is None or not saved else store.folder
                    raise TrainingError(int(new.step) + 1, _terms(row), folder)
                state = new
                rows.append(row)
                log.write(row)
                if len(rows) % save_every == 0:
                    save()
        except KeyboardInterrupt:
            # A call that was interrupted has changed neither state nor rows: they still belong
            # together, and the resumed run repeats that call
            save()
            raise
        save()
    return state, rows


def _terms(row: Row) -> dict[str, float]:
    """Loss, its terms and the gradient's norm."""
    counters = ("metric", "epoch", "step")
    return {name: x for name, x in row.items() if name not in counters and isinstance(x, float)}


def _over(state: TrainState) -> bool:
    """Whether no member has a step left to take."""
    return bool(np.all(np.asarray(state.stopped) | np.asarray(state.failed)))

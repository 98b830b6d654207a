"""How training ends: with parameters and a history, or with an error that names the step."""

from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Array, PyTree

from jaxfric.training._log import Row
from jaxfric.training._plan import TrainState


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


def trained(state: TrainState, static: PyTree, rows: list[Row]) -> Trained:
    """The result of a run that has come to its end."""
    history = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    return Trained(
        parameters=eqx.combine(state.best, static),
        last=eqx.combine(state.parameters, static),
        history=history,
        best_metric=state.best_metric,
        best_epoch=state.best_epoch,
        steps=state.step,
        stopped=state.stopped,
        failed=state.failed,
    )

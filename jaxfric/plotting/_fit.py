"""Figures of inversions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxfric.inversion import StepFit
from jaxfric.plotting._style import COLOURS, DATA, STYLES, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_fits(fits: Sequence[StepFit], *, title: str | None = None) -> "Figure":
    """Data and fits of one record, the step close up, and the residuals.

    Arguments:
        fits: `StepFit`s of the same record.
        title: of the figure; the record's name if None.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: without a fit.
        ImportError: without matplotlib.
    """
    if not fits:
        raise ValueError("plot_fits needs at least one fit")
    first = min(fits, key=lambda fit: fit.rms)
    figure, axes = new_figure(size=(7.0, 7.2), ratios=(3.0, 3.0, 1.4), share=False)
    whole, close, residual = axes
    residual.sharex(whole)
    step = float(np.asarray(first.protocol.times)[1])
    t = first.time - step
    lengths = [row["value"] for row in first.table() if row["unit"] == "m"]
    width = min(12 * max(lengths) / float(first.protocol.velocities[1]), t[-1])
    near = (t > -0.35 * width) & (t < width)
    for axis, keep in ((whole, slice(None)), (close, near)):
        axis.plot(t[keep], first.observed[keep], ".", color=DATA, ms=2, alpha=0.6, label="measured")
    for fit, colour, style in zip(fits, COLOURS, STYLES, strict=False):
        label = _label(fit)
        for axis, keep in ((whole, slice(None)), (close, near)):
            axis.plot(
                fit.time[keep] - step, fit.model[keep], style, color=colour, lw=1.6, label=label
            )
        residual.plot(
            fit.time - step, _smooth(fit.residual) * 1e3, color=colour, lw=0.9, label=label
        )
    residual.plot(t, first.residual * 1e3, ".", color=DATA, ms=1, alpha=0.35, zorder=0)
    residual.axhline(0, color="black", lw=0.6)
    residual.set(xlabel="time since the velocity step (s)", ylabel="residual (10⁻³)")
    whole.set(ylabel="friction", title=title or first.title)
    close.set(ylabel="friction")
    close.annotate(
        "the step, close up", (0.99, 0.94), xycoords="axes fraction", ha="right", fontsize=8
    )
    whole.legend(frameon=False, fontsize=8, loc="upper right")
    return figure


def _label(fit: StepFit) -> str:
    return (
        f"{fit.law_name}: a = {float(fit.law.a):.4f}, a−b = {fit.value('a-b'):+.4f}, "
        f"rms {fit.rms * 1e3:.2f}·10⁻³"
    )


def _smooth(x: np.ndarray) -> np.ndarray:
    width = max(x.size // 150, 1)
    kernel = np.ones(2 * width + 1) / (2 * width + 1)
    return np.convolve(np.pad(x, width, mode="edge"), kernel, mode="valid")

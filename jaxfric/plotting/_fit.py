"""Figures of inversions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxfric.inversion import StepFit
from jaxfric.plotting._style import DATA, legend_below, looks, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of the critical slip: after 12 Dc the slower of the two curves differs from its end by e^−12.
_CLOSE_UP = 12
_BEFORE = 0.35  # of the close-up's length: what is shown before the step
_SMOOTHED = 150  # windows in a record: wide enough for a line, narrow enough for its misfit


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
    # The data are those of the best fit: its step time is the zero of the time axis.
    best = min(fits, key=lambda fit: fit.rms)
    figure, (whole, close, residual) = new_figure(
        size=(7.0, 7.2), ratios=(3.0, 3.0, 1.4), share=False
    )
    residual.sharex(whole)
    step = float(np.asarray(best.protocol.times)[1])
    t = best.time - step
    lengths = [row["value"] for row in best.table() if row["unit"] == "m"]
    width = min(_CLOSE_UP * max(lengths) / float(best.protocol.velocities[1]), t[-1])
    near = (t > -_BEFORE * width) & (t < width)
    for axis, keep in ((whole, slice(None)), (close, near)):
        axis.plot(t[keep], best.observed[keep], ".", color=DATA, ms=2, alpha=0.6, label="measured")
    for fit, (colour, style) in zip(fits, looks(), strict=False):
        label = _label(fit)
        for axis, keep in ((whole, slice(None)), (close, near)):
            axis.plot(
                fit.time[keep] - step, fit.model[keep], style, color=colour, lw=1.6, label=label
            )
        residual.plot(
            fit.time - step, _smooth(fit.residual) * 1e3, color=colour, lw=0.9, label=label
        )
    residual.plot(t, best.residual * 1e3, ".", color=DATA, ms=1, alpha=0.35, zorder=0)
    residual.axhline(0, color="black", lw=0.6)
    residual.set(xlabel="time since the velocity step (s)", ylabel="residual (10⁻³)")
    whole.set(ylabel="friction", title=title or best.title)
    close.set(ylabel="friction")
    close.set_title("the step, close up", fontsize=8, loc="right")
    # A step up peaks upwards and a step down downwards, anywhere along the record.
    legend_below(figure, whole, columns=2)
    return figure


def _label(fit: StepFit) -> str:
    return (
        f"{fit.law_name}: a = {float(np.asarray(fit.law.a)):.4f}, a−b = {fit.value('a-b'):+.4f}, "
        f"rms {fit.rms * 1e3:.2f}·10⁻³"
    )


def _smooth(x: np.ndarray) -> np.ndarray:
    """A moving mean, its ends over what the last value repeated would give."""
    width = max(x.size // _SMOOTHED, 1)
    kernel = np.ones(2 * width + 1) / (2 * width + 1)
    return np.convolve(np.pad(x, width, mode="edge"), kernel, mode="valid")

"""Figures of inversions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxfric.plotting._style import DATA, legend_below, looks, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxfric.inversion import StepFit

# Of the critical slip: after 12 Dc the slower of the two curves differs from its end by e^−12.
_CLOSE_UP = 12
_BEFORE = 0.35  # of the close-up's length: what is shown before the step
_SMOOTHED = 150  # windows in a record: wide enough for a line, narrow enough for its misfit


class FitCurves(NamedTuple):
    """What is drawn of a fit: numbers of NumPy, so that another process may draw them.

    Attributes:
        label: law and parameters, for the legend.
        title: the record's name.
        rms: of the residual.
        step: time of the (first) velocity step, s.
        decay: time in which the state forgets, s.
        time: (n,), s.
        observed: (n,), friction.
        model: (n,), friction.
    """

    label: str
    title: str
    rms: float
    step: float
    decay: float
    time: np.ndarray
    observed: np.ndarray
    model: np.ndarray


def fit_curves(fit: "StepFit") -> FitCurves:
    """What `draw_fits` needs of a fit."""
    lengths = [row["value"] for row in fit.table() if row["unit"] == "m"]
    return FitCurves(
        label=(
            f"{fit.law_name}: a = {float(np.asarray(fit.law.a)):.4f}, "
            f"a−b = {fit.value('a-b'):+.4f}, rms {fit.rms * 1e3:.2f}·10⁻³"
        ),
        title=fit.title,
        rms=fit.rms,
        step=float(np.asarray(fit.protocol.times)[1]),
        decay=max(lengths) / float(np.asarray(fit.protocol.velocities)[1]),
        time=np.asarray(fit.time),
        observed=np.asarray(fit.observed),
        model=np.asarray(fit.model),
    )


def plot_fits(fits: "Sequence[StepFit]", *, title: str | None = None) -> "Figure":
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
    return draw_fits([fit_curves(fit) for fit in fits], title=title)


def draw_fits(fits: Sequence[FitCurves], *, title: str | None = None) -> "Figure":
    """`plot_fits` of what was taken from the fits."""
    # The data are those of the best fit: its step time is the zero of the time axis.
    best = min(fits, key=lambda fit: fit.rms)
    figure, (whole, close, residual) = new_figure(
        size=(7.0, 7.2), ratios=(3.0, 3.0, 1.4), share=False
    )
    residual.sharex(whole)
    t = best.time - best.step
    width = min(_CLOSE_UP * best.decay, t[-1])
    near = (t > -_BEFORE * width) & (t < width)
    for axis, keep in ((whole, slice(None)), (close, near)):
        axis.plot(t[keep], best.observed[keep], ".", color=DATA, ms=2, alpha=0.6, label="measured")
    for fit, (colour, style) in zip(fits, looks(), strict=False):
        own = fit.time - best.step
        for axis, keep in ((whole, slice(None)), (close, near)):
            axis.plot(own[keep], fit.model[keep], style, color=colour, lw=1.6, label=fit.label)
        misfit = _smooth(fit.observed - fit.model) * 1e3
        residual.plot(own, misfit, color=colour, lw=0.9, label=fit.label)
    points = (best.observed - best.model) * 1e3
    residual.plot(t, points, ".", color=DATA, ms=1, alpha=0.35, zorder=0)
    residual.axhline(0, color="black", lw=0.6)
    residual.set(xlabel="time since the velocity step (s)", ylabel="residual (10⁻³)")
    whole.set(ylabel="friction", title=title or best.title)
    close.set(ylabel="friction")
    close.set_title("the step, close up", fontsize=8, loc="right")
    # A step up peaks upwards and a step down downwards, anywhere along the record.
    legend_below(figure, whole, columns=2)
    return figure


def _smooth(x: np.ndarray) -> np.ndarray:
    """A moving mean, its ends over what the last value repeated would give."""
    width = max(x.size // _SMOOTHED, 1)
    kernel = np.ones(2 * width + 1) / (2 * width + 1)
    return np.convolve(np.pad(x, width, mode="edge"), kernel, mode="valid")

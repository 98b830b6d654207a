"""Figures of the study Predicting fault slip, and of a prediction."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from jaxfric.plotting._fault_slip_errors import IMAGES, SEQUENCE, plot_cycles, plot_loads
from jaxfric.plotting._studies import (
    FaultSlipRow,
    FaultSlipScalograms,
    FaultSlipShown,
    read_shown,
    require,
)
from jaxfric.plotting._style import (
    COLOURS,
    DATA,
    legend_below,
    new_figure,
    new_panels,
    plot_band,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# s between samples of the simulated fault that is shown: every second one at 10 Hz.
SIMULATED_STEP = 0.2
# Of the colours of a scalogram: a few samples at a failure are far stronger than all others, and
# would leave the rest white.
PERCENTILE = 99.5


def plot_fault_slip(metrics: Mapping[str, object], folder: Path) -> "dict[str, Figure]":
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        signals.png, scalograms.png, friction.png, cycles.png, time-to-failure.png and, with a
        series of loads, loads.png.

    Raises:
        ValueError: for metrics without rows or laboratories.
        FileNotFoundError: for a folder without shown.json.
        ImportError: without matplotlib.
    """
    require(metrics, ("rows", "laboratory"), "fault-slip")
    rows = cast("list[FaultSlipRow]", metrics["rows"])
    laboratory = cast("list[str]", metrics["laboratory"])
    shown = cast("FaultSlipShown", read_shown(folder, "fault-slip"))
    figures = {
        "signals.png": _signals(shown),
        "scalograms.png": _scalograms(shown["scalograms"], shown["name"]),
        "friction.png": _friction(shown),
        "cycles.png": plot_cycles(rows, laboratory),
        "time-to-failure.png": _time(shown),
    }
    if any(row.get("load") for row in rows):
        figures["loads.png"] = plot_loads(rows)
    return figures


def _signals(shown: FaultSlipShown) -> "Figure":
    """Simulation and laboratory, emission above friction, with the splits."""
    figure, axes = new_panels(size=(12.0, 5.4), ratios=(1.0, 1.0), columns=2)
    time = np.asarray(shown["time"])
    simulated = SIMULATED_STEP * np.arange(len(shown["simulated_energy"]))
    axes[0][0].semilogy(simulated, shown["simulated_energy"], color=DATA, lw=0.7)
    axes[1][0].plot(simulated, shown["simulated_friction"], color="black", lw=0.8)
    axes[0][0].set_title("one of the simulated faults (training)", fontsize=10)
    axes[0][1].semilogy(time, shown["energy"], color=DATA, lw=0.7)
    axes[1][1].plot(time, shown["friction"], color="black", lw=0.8)
    axes[0][1].set_title(f"{shown['name']}", fontsize=10)
    spans = {"seen": (0, shown["seen"], COLOURS[2]),
             "tested": (shown["test_from"], time[-1], COLOURS[0])}  # fmt: skip
    for axis in (row[1] for row in axes):
        for name, (begin, end, colour) in spans.items():
            axis.axvspan(begin, end, color=colour, alpha=0.12, lw=0, label=name)
    legend_below(figure, axes[1][1])
    axes[0][0].set_ylabel("emission (as recorded)")
    axes[1][0].set_ylabel("friction")
    for axis in axes[1]:
        axis.set_xlabel("time (s)")
    return figure


def _scalograms(images: FaultSlipScalograms, name: str) -> "Figure":
    """Input, target and prediction, each column as it is read, with the cone of influence."""
    figure, axes = new_figure(size=(11.0, 7.6), ratios=(1.0, 1.0, 1.0))
    time, period = np.asarray(images["time"]), np.asarray(images["period"])
    target = np.asarray(images["target"])
    # Friction as it is and as it is predicted share one scale of colours, so that they compare.
    friction_limit = float(np.percentile(np.abs(target), PERCENTILE))
    emission = np.asarray(images["input"])
    panels = (
        (emission, f"emission of {name} (causal)",
         float(np.percentile(np.abs(emission), PERCENTILE))),
        (target, "friction (whole record)", friction_limit),
        (np.asarray(images["predicted"]), "friction, predicted (causal)", friction_limit),
    )  # fmt: skip
    for axis, (image, title, top) in zip(axes, panels, strict=True):
        mesh = axis.pcolormesh(time, period, image, cmap="RdBu_r", vmin=-top, vmax=top,
                               shading="nearest", rasterized=True)  # fmt: skip
        # Hatched: outside the cone of influence the transform sees beyond the record's ends.
        axis.fill_between(time, images["cone"], period[-1], facecolor="none", edgecolor="black",
                          hatch="//", lw=0.0, alpha=0.4)  # fmt: skip
        axis.set(yscale="log", ylim=(period[0], period[-1]), ylabel="period (s)")
        axis.grid(False)
        axis.set_title(title, fontsize=10)
        figure.colorbar(mesh, ax=axis, pad=0.01)
    axes[-1].set_xlabel("time (s)")
    return figure


def _friction(shown: FaultSlipShown) -> "Figure":
    """Measured and predicted, with the band of the ensemble."""
    figure, axes = new_figure(size=(12.0, 6.4), ratios=(1.6, 0.8))
    time, truth = np.asarray(shown["time"]), np.asarray(shown["friction"])
    axes[0].plot(time, truth, color="black", lw=1.0, label="measured")
    plot_band(
        axes[0], time, shown["predicted"], shown["band"], colour=SEQUENCE, label="sequence network"
    )
    axes[0].plot(time, shown["encoder_decoder"], color=IMAGES, lw=0.8, label="encoder-decoder")
    for axis in axes:
        axis.axvspan(0, shown["seen"], color=DATA, alpha=0.2, lw=0)
        axis.axvline(shown["test_from"], color="black", lw=0.8, ls=":")
    axes[0].set(ylabel="friction",
                title=f"{shown['name']}: tuned on {shown['cycles']} cycles (grey), tested right "
                "of the dotted line")  # fmt: skip
    legend_below(figure, axes[0], columns=3)
    for friction, colour in ((shown["predicted"], SEQUENCE), (shown["encoder_decoder"], IMAGES)):
        axes[1].plot(time, 100 * (np.asarray(friction) / truth - 1), color=colour, lw=0.7)
    # At a failure a prediction that is a sample late is off by the whole drop: spikes are cut.
    axes[1].set(ylabel="error (%)", xlabel="time (s)", ylim=(-10, 10))
    return figure


def _time(shown: FaultSlipShown) -> "Figure":
    """Time to failure, told and true."""
    figure, (axis,) = new_figure(size=(12.0, 3.6), ratios=(1.0,))
    # JSON knows no NaN: null is where the time is not known, and the line is broken there.
    truth = np.array([np.nan if x is None else x for x in shown["time_to_failure"]], float)
    axis.plot(shown["time"], truth, color="black", lw=0.9, label="measured")
    if shown["predicted_time"] is not None:
        axis.plot(shown["time"], shown["predicted_time"], color=SEQUENCE, lw=0.9, label="predicted")
    axis.axvspan(0, shown["seen"], color=DATA, alpha=0.2, lw=0)
    axis.axvline(shown["test_from"], color="black", lw=0.8, ls=":")
    axis.set(xlabel="time (s)", ylabel="time to failure (s)")
    legend_below(figure, axis)
    return figure

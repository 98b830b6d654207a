"""Figures of the study Predicting fault slip, and of a prediction."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEQUENCE, IMAGES = COLOURS[0], COLOURS[1]
ERRORS = {"mape": "MAPE of friction (%)", "ttf_mae": "error of time to failure (s)"}


def plot_fault_slip(metrics: dict[str, Any], folder: Path) -> dict[str, "Figure"]:
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        signals.png, scalograms.png, friction.png, cycles.png, time-to-failure.png and, with a
        series of loads, loads.png.

    Raises:
        ImportError: without matplotlib.
    """
    shown = json.loads((Path(folder) / "shown.json").read_text())
    figures = {
        "signals.png": _signals(shown),
        "scalograms.png": _scalograms(shown["scalograms"], shown["name"]),
        "friction.png": _friction(shown),
        "cycles.png": _cycles(metrics),
        "time-to-failure.png": _time(shown),
    }
    if any(row.get("load") for row in metrics["rows"]):
        figures["loads.png"] = _loads(metrics)
    return figures


def plot_slip_prediction(found: Any, record: Any) -> "Figure":
    """Emission, friction with its band, and time to failure of one record.

    Arguments:
        found: `fault_slip.Prediction`.
        record: the `LabquakeRecord` it was made from.

    Returns:
        A matplotlib figure.

    Raises:
        ImportError: without matplotlib.
    """
    figure, axes = new_figure(size=(11.0, 7.0), ratios=(1.0, 1.6, 1.0))
    axes[0].semilogy(record.time, record.energy, color=DATA, lw=0.7)
    axes[0].set_ylabel("emission")
    _band(axes[1], found.time, found.predicted, found.band, SEQUENCE, "predicted")
    if found.measured is not None:
        axes[1].plot(found.time, found.measured, color="black", lw=0.9, label="measured")
    stress = found.measured is not None and np.median(found.measured) > 10
    unit = "friction" if found.measured is not None else "friction (spreads)"
    axes[1].set_ylabel("shear stress (Pa)" if stress else unit)
    if found.seen:
        axes[1].axvspan(found.time[0], found.time[0] + found.seen, color=DATA, alpha=0.2,
                        label="tuned on", lw=0)  # fmt: skip
    axes[1].legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    axes[2].plot(found.time, found.time_to_failure, color=SEQUENCE, lw=0.9)
    axes[2].set(ylabel="time to failure (s)", xlabel="time (s)")
    return figure


def _band(axis: Any, time: Any, mean: Any, band: Any, colour: str, label: str) -> None:
    mean, band = np.asarray(mean, float), np.asarray(band, float)
    axis.fill_between(time, mean - band, mean + band, color=colour, alpha=0.25, lw=0)
    axis.plot(time, mean, color=colour, lw=1.0, label=label)


def _signals(shown: dict[str, Any]) -> "Figure":
    """Simulation and laboratory, emission above friction, with the splits."""
    figure, axes = new_figure(size=(12.0, 5.4), ratios=(1.0, 1.0), columns=2)
    time = np.asarray(shown["time"])
    simulated = 0.2 * np.arange(len(shown["simulated_energy"]))
    axes[0][0].semilogy(simulated, shown["simulated_energy"], color=DATA, lw=0.7)
    axes[1][0].plot(simulated, shown["simulated_friction"], color="black", lw=0.8)
    axes[0][0].set_title("one of the simulated faults (training)", fontsize=10)
    axes[0][1].semilogy(time, shown["energy"], color=DATA, lw=0.7)
    axes[1][1].plot(time, shown["friction"], color="black", lw=0.8)
    axes[0][1].set_title(f"{shown['name']}", fontsize=10)
    spans = {"seen": (0, shown["seen"], COLOURS[2]),
             "tested": (shown["test_from"], time[-1], COLOURS[0])}  # fmt: skip
    for axis in axes[:, 1]:
        for name, (begin, end, colour) in spans.items():
            axis.axvspan(begin, end, color=colour, alpha=0.12, lw=0, label=name)
    axes[1][1].legend(frameon=False, fontsize=8, loc="lower right")
    axes[0][0].set_ylabel("emission")
    axes[1][0].set_ylabel("friction")
    for axis in axes[1]:
        axis.set_xlabel("time (s)")
    return figure


def _scalograms(images: dict[str, Any], name: str) -> "Figure":
    """Input, target and prediction, each column as it is read, with the cone of influence."""
    figure, axes = new_figure(size=(11.0, 7.6), ratios=(1.0, 1.0, 1.0))
    time, period = np.asarray(images["time"]), np.asarray(images["period"])
    titles = {"input": f"emission of {name} (causal)", "target": "friction (whole record)",
              "predicted": "friction, predicted (causal)"}  # fmt: skip
    limit = float(np.percentile(np.abs(images["target"]), 99.5))
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        image = np.asarray(images[key])
        top = float(np.percentile(np.abs(image), 99.5)) if key == "input" else limit
        mesh = axis.pcolormesh(time, period, image, cmap="RdBu_r", vmin=-top, vmax=top,
                               shading="nearest", rasterized=True)  # fmt: skip
        axis.fill_between(time, images["cone"], period[-1], facecolor="none", edgecolor="black",
                          hatch="//", lw=0.0, alpha=0.4)  # fmt: skip
        axis.set(yscale="log", ylim=(period[0], period[-1]), ylabel="period (s)")
        axis.grid(False)
        axis.set_title(title, fontsize=10)
        figure.colorbar(mesh, ax=axis, pad=0.01)
    axes[-1].set_xlabel("time (s)")
    return figure


def _friction(shown: dict[str, Any]) -> "Figure":
    """Measured and predicted, with the band of the ensemble."""
    figure, axes = new_figure(size=(12.0, 6.4), ratios=(1.6, 0.8))
    time, truth = np.asarray(shown["time"]), np.asarray(shown["friction"])
    axes[0].plot(time, truth, color="black", lw=1.0, label="measured")
    _band(axes[0], time, shown["predicted"], shown["band"], SEQUENCE, "sequence network")
    axes[0].plot(time, shown["encoder_decoder"], color=IMAGES, lw=0.8, label="encoder-decoder")
    for axis in axes:
        axis.axvspan(0, shown["seen"], color=DATA, alpha=0.2, lw=0)
        axis.axvline(shown["test_from"], color="black", lw=0.8, ls=":")
    axes[0].set(ylabel="friction",
                title=f"{shown['name']}: tuned on {shown['cycles']} cycles (grey), tested right "
                "of the dotted line")  # fmt: skip
    axes[0].legend(frameon=False, fontsize=8, ncols=3, loc="lower right")
    for key, colour in (("predicted", SEQUENCE), ("encoder_decoder", IMAGES)):
        axes[1].plot(time, 100 * (np.asarray(shown[key]) / truth - 1), color=colour, lw=0.7)
    axes[1].set(ylabel="error (%)", xlabel="time (s)", ylim=(-10, 10))
    return figure


def _cycles(metrics: dict[str, Any]) -> "Figure":
    """Error against the cycles that were seen."""
    figure, axes = new_figure(size=(10.0, 4.6), ratios=(1.0,), share=False, columns=2)
    lines = {
        ("constant", "-", "inferred"): ("black", ":"),
        ("clock", "-", "inferred"): ("black", "--"),
        ("onset clock", "-", "inferred"): ("black", "-."),
        ("sequence", "none", "inferred"): (COLOURS[3], "-"),
        ("sequence", "latent", "inferred"): (COLOURS[4], "-"),
        ("sequence", "all", "inferred"): (SEQUENCE, "-"),
        ("sequence", "all", "given"): (SEQUENCE, "--"),
        ("encoder-decoder", "none", "inferred"): (IMAGES, ":"),
        ("encoder-decoder", "latent", "inferred"): (IMAGES, "--"),
        ("encoder-decoder", "all", "inferred"): (IMAGES, "-"),
        ("both", "latent", "inferred"): (COLOURS[2], "-"),
    }
    for axis, (number, label) in zip(axes[0], ERRORS.items(), strict=True):
        for (method, part, level), (colour, style) in lines.items():
            points = _against_cycles(metrics, method, part, level, number)
            if not points or (number == "ttf_mae" and level == "given"):
                continue
            x, low, mean, high = (np.array(v) for v in zip(*points, strict=True))
            name = method if part == "-" else f"{method}, {part} tuned"
            name += ", level given" if level == "given" else ""
            axis.plot(x, mean, color=colour, ls=style, marker="o", ms=3, label=name)
            axis.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
        axis.set(xlabel="cycles seen", ylabel=label, xscale="log")
        axis.set_xticks([1, 3, 6, 12], labels=["1", "3", "6", "12"])
        axis.minorticks_off()
    axes[0][0].set_yscale("log")
    axes[0][0].set_yticks([1, 2, 5], labels=["1", "2", "5"])
    axes[0][0].minorticks_off()
    handles = axes[0][0].get_legend_handles_labels()
    axes[0][1].legend(*handles, frameon=False, fontsize=7, loc="center right", handlelength=4)
    return figure


def _against_cycles(
    metrics: dict[str, Any], method: str, part: str, level: str, number: str
) -> list[tuple[float, float, float, float]]:
    """(cycles, smallest, mean, largest) over seeds and laboratories."""
    points: list[tuple[float, float, float, float]] = []
    for cycles in (1, 3, 6, 12):
        values = [
            r[number] for r in metrics["rows"]
            if (r["method"], r["part"], r["level"], r["cycles"]) == (method, part, level, cycles)
            and r["record"] in metrics["laboratory"] and r.get(number) is not None
        ]  # fmt: skip
        if values:
            points.append(
                (float(cycles), float(min(values)), float(np.mean(values)), float(max(values)))
            )
    return points


def _time(shown: dict[str, Any]) -> "Figure":
    """Time to failure, told and true."""
    figure, (axis,) = new_figure(size=(12.0, 3.6), ratios=(1.0,))
    truth = np.array([np.nan if x is None else x for x in shown["time_to_failure"]], float)
    axis.plot(shown["time"], truth, color="black", lw=0.9, label="measured")
    if shown["predicted_time"] is not None:
        axis.plot(shown["time"], shown["predicted_time"], color=SEQUENCE, lw=0.9, label="predicted")
    axis.axvspan(0, shown["seen"], color=DATA, alpha=0.2, lw=0)
    axis.axvline(shown["test_from"], color="black", lw=0.8, ls=":")
    axis.set(xlabel="time (s)", ylabel="time to failure (s)")
    axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    return figure


def _loads(metrics: dict[str, Any]) -> "Figure":
    """Errors on simulated faults against the normal stress."""
    figure, axes = new_figure(size=(9.0, 3.8), ratios=(1.0,), share=False, columns=2)
    rows = [r for r in metrics["rows"] if r.get("load")]
    for axis, (number, label) in zip(axes[0], ERRORS.items(), strict=True):
        for seed in sorted({r["seed"] for r in rows}):
            own = [r for r in rows if r["seed"] == seed]
            axis.plot([r["load"] / 1e6 for r in own], [r[number] for r in own], marker="o", ms=3,
                      color=SEQUENCE, alpha=0.7, lw=1.0)  # fmt: skip
        axis.set(xlabel="normal stress (MPa)", ylabel=label, ylim=(0, None))
        axis.set_title("tuned at the lowest load, other faults; a line a seed", fontsize=9)
    return figure

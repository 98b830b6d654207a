"""Figures of the study Friction on Demand."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "random, 64"
KINDS = {  # the beginning of a method's name: colour, name in the legend
    "ours": (COLOURS[0], "ours"),
    "bank": (COLOURS[1], "retrieval"),
    "CVAE": (COLOURS[3], "the paper's networks"),
    "VAE": (COLOURS[4], "CMA-ES"),
    "CMA": (COLOURS[4], "CMA-ES"),
    "MLP": (COLOURS[3], "the paper's networks"),
    "trees": (COLOURS[3], "the paper's networks"),
    "GAN": (COLOURS[3], "the paper's networks"),
}
YARDSTICKS = {"constant": "--", "random surface": ":", "true mixture, redrawn": "-."}


def plot_metainterface(metrics: dict[str, Any], folder: Path) -> dict[str, "Figure"]:
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        designs.png, time.png, diversity.png, plane.png.

    Raises:
        ImportError: without matplotlib.
    """
    shown = json.loads((Path(folder) / "shown.json").read_text())
    return {
        "designs.png": _designs(shown),
        "time.png": _against(metrics, "ms_per_design", "time for one design (ms)"),
        "diversity.png": _against(metrics, "diversity", "diversity (random surfaces: 1)"),
        "plane.png": _plane(metrics["analyses"]["plane"]),
    }


def _designs(shown: list[dict[str, Any]]) -> "Figure":
    """Six targets: the laws above, the asperities that touch below."""
    figure, axes = new_figure(size=(12.0, 5.2), ratios=(1.6, 1.0), share=False, columns=len(shown))
    for i, one in enumerate(shown):
        top, bottom = axes[0][i], axes[1][i]
        load = np.asarray(one["load"]) * 1e3
        top.plot(load, np.asarray(one["target"]) * 1e3, color="black", lw=3, alpha=0.3)
        for k, friction in enumerate(one["friction"]):
            top.plot(load, np.asarray(friction) * 1e3, color=COLOURS[0] if k == 0 else DATA, lw=0.8)
        name = one["name"].replace(" times", "").replace("second slope", "second slope\n")
        top.set_title(f"{name}\n{min(one['error']):.2g} to {max(one['error']):.2g} %",
                      fontsize=9)  # fmt: skip
        top.set_xlabel("load (mN)", fontsize=8)
        for k, (depth, radius) in enumerate(zip(one["depth"], one["radius"], strict=True)):
            sizes: Any = 30 * (np.asarray(radius) / 1e-3) ** 2 + 2
            bottom.scatter(np.asarray(depth) * 1e6, np.full(len(depth), k), s=sizes,
                           color=COLOURS[0] if k == 0 else DATA, lw=0)  # fmt: skip
        bottom.set_xlabel("depth (µm)", fontsize=8)
        bottom.set_ylim(len(one["depth"]) - 0.4, -0.6)
        bottom.set_yticks([])
        for axis in (top, bottom):
            axis.tick_params(labelsize=7)
    axes[0][0].set_ylabel("friction (mN)")
    axes[1][0].set_ylabel("designs; size: radius")
    return figure


def _against(metrics: dict[str, Any], key: str, label: str) -> "Figure":
    """Error of each method on random laws of 64 asperities against something else of it."""
    figure, (axis,) = new_figure(size=(7.2, 5.0), ratios=(1.0,))
    rows = [r for r in metrics["rows"] if r["group"] == GROUP]
    named: set[str] = set()
    for row in rows:
        kind = next((k for k in KINDS if row["method"].startswith(k)), None)
        if kind is None or row.get(key) is None or row[key] <= 0:
            continue
        colour, name = KINDS[kind]
        axis.plot(row[key], row["median"], "o", color=colour, ms=6,
                  label=None if name in named else name)  # fmt: skip
        named.add(name)
        short = row["method"].removeprefix("ours").removeprefix("bank").strip(" ,") or "as found"
        axis.annotate(short, (row[key], row["median"]), xytext=(5, 4),
                      textcoords="offset points", fontsize=7, color=colour)  # fmt: skip
    for name, style in YARDSTICKS.items():
        median = [r["median"] for r in rows if r["method"] == name]
        if median:
            axis.axhline(median[0], color="black", lw=0.9, ls=style, label=name)
    axis.set(xlabel=label, ylabel="sMAPE of the friction law, median (%)", yscale="log")
    if key != "diversity":
        axis.set_xscale("log")
    axis.margins(x=0.15)
    axis.legend(frameon=False, fontsize=8)
    return figure


def _plane(plane: dict[str, list[float]]) -> "Figure":
    """Error of one pass over friction and the number of asperities."""
    figure, (axis,) = new_figure(size=(6.4, 4.6), ratios=(1.0,))
    from matplotlib.colors import LogNorm

    error = np.asarray(plane["error"])
    points = axis.scatter(
        plane["asperities"], plane["friction_over_load"], c=error, s=10, cmap="viridis",
        norm=LogNorm(*np.percentile(error, [2, 98])),
    )  # fmt: skip
    figure.colorbar(points, ax=axis, label="sMAPE in one pass (%)")
    axis.set(xscale="log", yscale="log", xlabel="asperities",
             ylabel="friction over load, at the largest load")  # fmt: skip
    return figure

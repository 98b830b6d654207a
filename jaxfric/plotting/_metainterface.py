"""Figures of the study Friction on Demand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from jaxfric.plotting._labels import Label, label_points
from jaxfric.plotting._studies import DesignRow, Plane, ShownDesigns, read_shown, require
from jaxfric.plotting._style import COLOURS, DATA, legend_below, new_figure, new_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "random, 64"  # the targets of which every method has a row
KINDS = {  # of a method: colour, name in the legend
    "ours": (COLOURS[0], "ours"),
    "bank": (COLOURS[1], "retrieval"),
    "CVAE": (COLOURS[3], "the paper's networks"),
    "MLP": (COLOURS[3], "the paper's networks"),
    "trees": (COLOURS[3], "the paper's networks"),
    "GAN": (COLOURS[3], "the paper's networks"),
    "VAE + CMA-ES": (COLOURS[4], "CMA-ES"),
    "CMA-ES on parameters": (COLOURS[4], "CMA-ES"),
}
NAMED_BY_COLOUR = ("ours", "bank")  # their points are labelled with the way alone
YARDSTICKS = {"constant": "--", "random surface": ":", "true mixture, redrawn": "-."}


def plot_metainterface(metrics: Mapping[str, object], folder: Path) -> "dict[str, Figure]":
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        designs.png, time.png, diversity.png, plane.png.

    Raises:
        ValueError: for metrics without rows or analyses.
        FileNotFoundError: for a folder without shown.json.
        ImportError: without matplotlib.
    """
    require(metrics, ("rows", "analyses"), "metainterface")
    rows = cast("list[DesignRow]", metrics["rows"])
    analyses = cast("dict[str, Plane]", metrics["analyses"])
    require(analyses, ("plane",), "metainterface")
    shown = cast("list[ShownDesigns]", read_shown(folder, "metainterface"))
    return {
        "designs.png": _designs(shown),
        "time.png": _against(rows, "ms_per_design", "time for one design (ms)"),
        "diversity.png": _against(rows, "diversity", "diversity (random surfaces: 1)"),
        "plane.png": _plane(analyses["plane"]),
    }


def _designs(shown: Sequence[ShownDesigns]) -> "Figure":
    """Six targets: the laws above, the asperities that touch below."""
    figure, axes = new_panels(size=(12.0, 5.2), ratios=(1.6, 1.0), share=False, columns=len(shown))
    for top, bottom, designs in zip(axes[0], axes[1], shown, strict=True):
        load = np.asarray(designs["load"]) * 1e3
        top.plot(load, np.asarray(designs["target"]) * 1e3, color="black", lw=3, alpha=0.3)
        for k, friction in enumerate(designs["friction"]):
            top.plot(load, np.asarray(friction) * 1e3, color=COLOURS[0] if k == 0 else DATA, lw=0.8)
        name = designs["name"].replace(" times", "").replace("second slope", "second slope\n")
        top.set_title(f"{name}\n{min(designs['error']):.2g} to {max(designs['error']):.2g} %",
                      fontsize=9)  # fmt: skip
        top.set_xlabel("load (mN)", fontsize=8)
        for k, (depth, radius) in enumerate(zip(designs["depth"], designs["radius"], strict=True)):
            # The area grows with the area of the sphere, 30 square points for a radius of 1 mm; two
            # more keep the smallest in sight.
            sizes = (30 * (np.asarray(radius) / 1e-3) ** 2 + 2).tolist()
            bottom.scatter(np.asarray(depth) * 1e6, np.full(len(depth), k), s=sizes,
                           color=COLOURS[0] if k == 0 else DATA, lw=0)  # fmt: skip
        bottom.set_xlabel("depth (µm)", fontsize=8)
        bottom.set_ylim(len(designs["depth"]) - 0.4, -0.6)
        bottom.set_yticks([])
        for axis in (top, bottom):
            axis.tick_params(labelsize=7)
    axes[0][0].set_ylabel("friction (mN)")
    axes[1][0].set_ylabel("designs; size: radius")
    return figure


def _against(
    rows: Sequence[DesignRow], key: Literal["ms_per_design", "diversity"], label: str
) -> "Figure":
    """Error of each method on random laws of 64 asperities against something else of it."""
    figure, (axis,) = new_figure(size=(7.2, 5.4), ratios=(1.0,))
    of_group = [row for row in rows if row["group"] == GROUP]
    kinds: set[str] = set()
    names: list[Label] = []
    for row in of_group:
        kind, control = row["kind"], row["control"]
        value = row.get(key)
        # Yardsticks are no method; a method that was not timed has no place on a logarithmic axis.
        if kind not in KINDS or value is None or value <= 0:
            continue
        colour, name = KINDS[kind]
        axis.plot(value, row["median"], "o", color=colour, ms=6,
                  label=None if name in kinds else name)  # fmt: skip
        kinds.add(name)
        parts = [control] if kind in NAMED_BY_COLOUR else [kind, control]
        short = ", ".join(part for part in parts if part)
        names.append(Label(value, row["median"], short, colour))
    heights: list[float] = []
    for name, style in YARDSTICKS.items():
        medians = [row["median"] for row in of_group if row["kind"] == name]
        if medians:
            axis.axhline(medians[0], color="black", lw=0.9, ls=style, label=name)
            heights.append(medians[0])
    axis.set(xlabel=label, ylabel="sMAPE of the friction law, median (%)", yscale="log")
    if key != "diversity":
        axis.set_xscale("log")
    axis.margins(x=0.15)
    legend_below(figure, axis, columns=4)
    label_points(figure, axis, names, lines=heights)  # last, when nothing moves any more
    return figure


def _plane(plane: Plane) -> "Figure":
    """Error of one pass over friction and the number of asperities."""
    figure, (axis,) = new_figure(size=(6.4, 4.6), ratios=(1.0,))
    from matplotlib.colors import LogNorm

    error = np.asarray(plane["error"])
    # A few laws that fail would take most of the colours for themselves.
    points = axis.scatter(
        plane["asperities"], plane["friction_over_load"], c=error, s=10, cmap="viridis",
        norm=LogNorm(*np.percentile(error, [2, 98])),
    )  # fmt: skip
    figure.colorbar(points, ax=axis, label="sMAPE in one pass (%)")
    axis.set(xscale="log", yscale="log", xlabel="asperities",
             ylabel="friction over load, at the largest load")  # fmt: skip
    return figure

"""One look for all figures, without touching matplotlib's global state."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jaxfric._files import written_whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Dark enough for a thin line on white.
COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#6c3483")
STYLES = ("-", "--", "-.", ":", "-")
DATA = "#8a8f94"  # of what was measured: grey, behind the models
# Text and lines are measured in points, so this changes how sharp a file is, not how it looks.
DOTS_PER_INCH = 150


def looks() -> Iterator[tuple[str, str]]:
    """Colours and line styles without end: a sixth curve looks like the first, but is drawn."""
    return itertools.cycle(zip(COLOURS, STYLES, strict=True))


def new_figure(
    *, size: tuple[float, float], ratios: tuple[float, ...], share: bool = True
) -> "tuple[Figure, list[Axes]]":
    """A figure of one column and its axes from top to bottom, which share the x axis if asked."""
    figure, rows = new_panels(size=size, ratios=ratios, columns=1, share=share)
    return figure, [row[0] for row in rows]


def new_panels(
    *, size: tuple[float, float], ratios: tuple[float, ...], columns: int, share: bool = True
) -> "tuple[Figure, list[list[Axes]]]":
    """A figure and its axes, rows by columns, which share the x axis of a column if asked.

    Arguments:
        size: inches, width and height.
        ratios: heights of the rows, relative.
        columns: of axes.
        share: one x axis for each column.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("figures need matplotlib: pip install 'jaxfric[app]'") from error
    # A Figure of its own and not pyplot's: pyplot keeps every figure alive and looks for a screen.
    figure = Figure(figsize=size, layout="constrained", dpi=DOTS_PER_INCH)
    axes = figure.subplots(
        len(ratios), columns, sharex="col" if share else False, height_ratios=ratios, squeeze=False
    )
    # Set on each of the axes in place of rcParams, which would change the user's figures too.
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.6)
    return figure, [list(row) for row in axes]


def legend_below(figure: "Figure", *axes: "Axes", columns: int = 2) -> None:
    """One legend below all axes, where no data can be, of every name that they hold.

    A legend inside the axes covers data sooner or later: a friction curve fills its axes, and
    whether its peak points up or down, left or right, depends on the experiment.
    """
    handles: dict[str, Artist] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        # Handles long enough for a line that is dashed and dotted to show its pattern.
        figure.legend(
            list(handles.values()), list(handles), loc="outside lower center", ncols=columns,
            frameon=False, fontsize=8, handlelength=3.5,
        )  # fmt: skip


def plot_band(
    axis: "Axes",
    time: npt.ArrayLike,
    mean: npt.ArrayLike,
    band: npt.ArrayLike,
    *,
    colour: str,
    label: str,
) -> None:
    """A curve and the band of one deviation on both sides of it."""
    mean, band = np.asarray(mean, float), np.asarray(band, float)
    axis.fill_between(np.asarray(time), mean - band, mean + band, color=colour, alpha=0.25, lw=0)
    axis.plot(np.asarray(time), mean, color=colour, lw=1.0, label=label)


def save(figure: "Figure", path: str | os.PathLike[str]) -> Path:
    """Write a figure whole: to a temporary name first, then moved into place.

    Arguments:
        figure: any matplotlib figure.
        path: where to; its ending chooses the format.

    Returns:
        The path.
    """
    path = Path(path)
    with written_whole(path) as part:
        figure.savefig(part)
    return path

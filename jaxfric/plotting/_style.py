"""One look for all figures, without touching matplotlib's global state."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxfric._files import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#6c3483")
STYLES = ("-", "--", "-.", ":", "-")
DATA = "#8a8f94"


def new_figure(
    *, size: tuple[float, float], ratios: tuple[float, ...], share: bool = True, columns: int = 1
) -> Any:
    """Figure and its axes, rows by columns, which share the x axis of a column if asked."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("figures need matplotlib: pip install 'jaxfric[app]'") from error
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    axes = figure.subplots(
        len(ratios), columns, sharex="col" if share else False, height_ratios=ratios, squeeze=False
    )
    if columns == 1:
        axes = axes[:, 0]
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.6)
    return figure, axes


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

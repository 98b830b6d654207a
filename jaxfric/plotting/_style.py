"""One look for all figures, without touching matplotlib's global state."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#b9770e", "#6c3483")
STYLES = ("-", "--", "-.", ":", "-")
DATA = "#8a8f94"


def new_figure(*, size: tuple[float, float], ratios: tuple[float, ...], share: bool = True) -> Any:
    """Figure and column of axes, which share the x axis if asked."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("figures need matplotlib: pip install 'jaxfric[app]'") from error
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    axes = figure.subplots(len(ratios), 1, sharex=share, height_ratios=ratios)
    for axis in axes:
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
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        figure.savefig(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path

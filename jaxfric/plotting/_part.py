"""The drawing of a part: its caps from above, and a row of them from the side."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jaxfric.contact import Part

# Of the height of the drawing: the strip of the block that is shown below its face
_BLOCK = 0.12
_POINTS = 81  # of a cap's outline, enough for a smooth line


class PartCurves(NamedTuple):
    """What is drawn of a part: numbers of NumPy, so that another process may draw them.

    Attributes:
        height: (n,), of each tip above the block, m.
        radius: (n,), m.
        approach: how far the flat comes down below the highest tip at the largest load, m.
        clearance: between flat and block at that load, m.
        load: the largest, N.
    """

    height: np.ndarray
    radius: np.ndarray
    approach: float
    clearance: float
    load: float


def part_curves(part: "Part") -> PartCurves:
    """What `draw_part` needs of a part."""
    load = float(np.max(np.asarray(part.design.load)))
    return PartCurves(part.height, part.radius, part.approach, part.clearance, load)


def plot_part(part: "Part", *, spacing: float, title: str = "") -> "Figure":
    """The caps on their lattice, from above and from the side, with the flat that presses on them.

    From above: depth below the highest tip in colour, radius as size, ringed where it touches at
    the largest load. From the side: the row of the highest tip, heights drawn larger than widths.

    Arguments:
        part: from `contact.part`.
        spacing: of the lattice, m.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: a spacing that is not positive.
        ImportError: without matplotlib.
    """
    if not spacing > 0:
        raise ValueError(
            f"spacing must be a positive number of metres, such as 1.5e-3; got {spacing}"
        )
    from jaxfric.records import lattice

    return draw_part(part_curves(part), lattice(part.height.size, spacing), title=title)


def draw_part(part: PartCurves, position: np.ndarray, *, title: str = "") -> "Figure":
    """`plot_part` of what was taken from the part; positions (n, 2) in m."""
    figure, (above, side) = new_figure(size=(6.2, 7.4), ratios=(3.0, 1.3), share=False)
    depth = (part.height.max() - part.height) * 1e6
    touching = depth < part.approach * 1e6
    # Areas in square points: the smallest is still seen, the largest stays in its cell.
    size = (40 + 260 * part.radius / part.radius.max()).tolist()
    ring = ["black" if touches else "none" for touches in touching]
    x, y = 1e3 * position.T
    points = above.scatter(x, y, s=size, c=depth, cmap="viridis_r", edgecolors=ring)
    figure.colorbar(points, ax=above, label="depth below the highest tip (µm)")
    above.set(xlabel="x (mm)", ylabel="y (mm)", aspect="equal", title=title)
    above.annotate(
        f"size: radius, {part.radius.min() * 1e6:.4g} to {part.radius.max() * 1e6:.4g} µm; ringed: "
        f"{touching.sum()} of {depth.size} touch",
        (0.0, -0.2), xycoords="axes fraction", fontsize=8,
    )  # fmt: skip
    _side_view(side, part, position)
    return figure


def _side_view(axis: "Axes", part: PartCurves, position: np.ndarray) -> None:
    """The row of the lattice in which the highest tip stands, and the flat at the largest load."""
    row = np.isclose(position[:, 1], position[np.argmax(part.height), 1])
    top, flat = part.height.max() * 1e6, (part.height.max() - part.approach) * 1e6
    for centre, z, R in zip(position[row, 0], part.height[row], part.radius[row], strict=True):
        # A cap that is higher than its radius stands on a column
        foot = np.sqrt(2 * R * z - z**2) if z < R else R
        r = np.linspace(-foot, foot, _POINTS)
        outline = np.maximum(z - R + np.sqrt(np.maximum(R**2 - r**2, 0.0)), 0.0)
        axis.fill_between(1e3 * (centre + r), 1e6 * outline, color=DATA, alpha=0.75, lw=0)
    below = _BLOCK * top
    edge = 1e3 * np.abs(position[:, 0]).max() + 0.5e3 * float(part.radius.max())
    axis.fill_between([-edge, edge], -below, 0.0, color=DATA, lw=0)
    axis.axhline(flat, color=COLOURS[0], lw=1.2)
    axis.annotate(
        f"flat at {part.load:.3g} N: pressed in by {part.approach * 1e6:.3g} µm, clear of the "
        f"block by {part.clearance * 1e6:.3g} µm",
        (0.0, 1.04), xycoords="axes fraction", fontsize=8, color=COLOURS[0],
    )  # fmt: skip
    axis.set(
        xlabel="x (mm), the row of the highest tip", ylabel="above the block (µm)",
        xlim=(-edge, edge), ylim=(-below, 1.1 * top),
    )  # fmt: skip

"""Names beside the points of a scatter, placed so that they do not cover one another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HorizontalSide = Literal["left", "center", "right"]
VerticalSide = Literal["bottom", "center", "top"]

# Where a name may stand, in order of preference: the direction from its point, and the side of the
# text that faces the point. To the right it reads as an annotation of the point; above and below it
# may be taken for one of its neighbour.
_SIDES: tuple[tuple[float, float, HorizontalSide, VerticalSide], ...] = (
    (0.8, 0.6, "left", "bottom"),
    (1.0, 0.0, "left", "center"),
    (0.8, -0.6, "left", "top"),
    (-0.8, 0.6, "right", "bottom"),
    (-1.0, 0.0, "right", "center"),
    (-0.8, -0.6, "right", "top"),
    (0.0, 1.0, "center", "bottom"),
    (0.0, -1.0, "center", "top"),
)
_NEAR = 6.0  # points (1/72 inch) from the middle of a marker of 6 points to a name at its side
# Further out a thin line leads back to the point. Beyond the last a name would seem to stand alone.
_DISTANCES = (_NEAR, 14.0, 24.0, 36.0, 50.0)
_MARKER = 4.0  # half the width of what a marker covers, with a little air
_LINE = 1.0  # half the width of what a horizontal line covers

# A rectangle in pixels: left, bottom, right, top.
Box = tuple[float, float, float, float]


class Label(NamedTuple):
    """The name of a point, in the coordinates of the data."""

    x: float
    y: float
    text: str
    colour: str


def label_points(
    figure: "Figure",
    axis: "Axes",
    labels: Sequence[Label],
    *,
    lines: Sequence[float] = (),
    size: float = 7.0,
) -> None:
    """Write a name beside each point; no two overlap while there is room.

    One after the other, from the top down, each takes the first place that is free of markers, of
    horizontal lines and of the names before it. The order is fixed, so a figure of the same numbers
    is the same figure.

    Arguments:
        figure: that the axes belong to.
        axis: with all its data, limits and scales set: a later change would move the points.
        labels: names of points.
        lines: heights of horizontal lines that no name should cross.
        size: of the font, points.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not labels:
        return
    renderer = FigureCanvasAgg(figure).get_renderer()
    # The layout is made when a figure is drawn; before, the axes are not where they will be.
    figure.draw_without_rendering()
    scale = figure.dpi / 72  # pixels in a point
    border = axis.get_window_extent(renderer)
    frame: Box = (border.x0, border.y0, border.x1, border.y1)
    middles = axis.transData.transform([(label.x, label.y) for label in labels])
    taken: list[Box] = [
        (x - _MARKER * scale, y - _MARKER * scale, x + _MARKER * scale, y + _MARKER * scale)
        for x, y in middles
    ]
    for height in lines:
        y = axis.transData.transform((labels[0].x, height))[1]
        taken.append((frame[0], y - _LINE * scale, frame[2], y + _LINE * scale))
    order = sorted(range(len(labels)), key=lambda i: (-middles[i][1], middles[i][0]))
    for i in order:
        label = labels[i]
        probe = figure.text(0, 0, label.text, fontsize=size)
        extent = probe.get_window_extent(renderer)
        probe.remove()
        places = _places(middles[i], extent.width, extent.height, scale)
        # The cost is the area that is covered: zero for a free place, else the least of all.
        costs = [_cost(box, taken, frame) for box, *_ in places]
        box, offset, side, distance = places[int(np.argmin(costs))]
        taken.append(box)
        leader = {"arrowstyle": "-", "lw": 0.5, "color": label.colour, "shrinkA": 0, "shrinkB": 2}
        name = axis.annotate(
            label.text, (label.x, label.y), xytext=offset, textcoords="offset points",
            fontsize=size, color=label.colour, ha=side[0], va=side[1],
            arrowprops=leader if distance > _NEAR else None,
        )  # fmt: skip
        # Else the layout would shrink the axes for a name at its border, and move the points.
        name.set_in_layout(False)


def _places(
    middle: np.ndarray, width: float, height: float, scale: float
) -> list[tuple[Box, tuple[float, float], tuple[HorizontalSide, VerticalSide], float]]:
    """Boxes where a text may stand, with offset in points, sides, and distance; best first."""
    places = []
    for distance in _DISTANCES:
        for across, up, horizontal, vertical in _SIDES:
            offset = (distance * across, distance * up)
            x, y = middle[0] + offset[0] * scale, middle[1] + offset[1] * scale
            left = x - {"left": 0.0, "center": width / 2, "right": width}[horizontal]
            bottom = y - {"bottom": 0.0, "center": height / 2, "top": height}[vertical]
            box = (left, bottom, left + width, bottom + height)
            places.append((box, offset, (horizontal, vertical), distance))
    return places


def _cost(box: Box, taken: Sequence[Box], frame: Box) -> float:
    """The area of a box that is taken or lies outside the frame."""
    inside = _overlap(box, frame)
    outside = (box[2] - box[0]) * (box[3] - box[1]) - inside
    return max(outside, 0.0) + sum(_overlap(box, other) for other in taken)


def _overlap(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)

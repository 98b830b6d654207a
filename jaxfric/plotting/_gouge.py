"""Figures of sheared grains: the record, and the grains themselves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PatchCollection
    from matplotlib.figure import Figure

FREE = 0  # what `Layer.wall` says of a grain that belongs to no wall
MOST = 4  # layers whose curves can be told apart
DECADES = 4  # of speed in the colours of a picture
WIDEST = 4.0  # points, of the line of the largest force between two grains


def draw_gouge(
    load_point: np.ndarray,
    pull: np.ndarray,
    friction: np.ndarray,
    energy: np.ndarray,
    thickness: np.ndarray,
) -> "Figure":
    """Friction, kinetic energy and thickness against the travel of the load point.

    Arguments:
        load_point: (m,), m.
        pull: (layers, m), of the spring over the normal load.
        friction: (layers, m), of the grains on the wall; that of the first layer is drawn.
        energy: (layers, m), J/m².
        thickness: (layers, m), m.
    """
    figure, axes = new_figure(size=(7.0, 6.4), ratios=(1.4, 1.2, 0.9))
    x = 1e3 * load_point
    # The blows of grains on a wall in flight are larger than what a spring of it can show
    axes[0].plot(x, friction[0], color=DATA, lw=0.5, label="grains on the wall")
    shown = min(friction.shape[0], MOST)
    for i in range(shown):
        colour, wide = COLOURS[i], 1.2 if i == 0 else 0.7
        label = "pull of the spring" + (f", layer {i}" if shown > 1 else "")
        axes[0].plot(x, pull[i], color=colour, lw=wide, label=label)
        axes[1].semilogy(x, energy[i], color=colour, lw=wide)
        axes[2].plot(x, 1e3 * thickness[i], color=colour, lw=wide)
    axes[0].set(ylabel="friction", xlim=(0, x[-1]), ylim=_limits(pull))
    axes[0].legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(shown + 1, 3), frameon=False,
        fontsize=8,
    )  # fmt: skip
    axes[1].set(ylabel="kinetic energy (J/m²)")
    axes[2].set(ylabel="thickness (mm)", xlabel="travel of the load point (mm)")
    figure.align_ylabels(axes)
    return figure


def _limits(pull: np.ndarray) -> tuple[float, float]:
    """Room for the spring's pull; blows that go beyond are cut off."""
    finite = pull[np.isfinite(pull)]
    extent = max(float(np.ptp(finite)), 1e-6)
    return float(finite.min()) - 0.15 * extent, float(finite.max()) + 0.4 * extent


def draw_grains(
    position: np.ndarray,
    velocity: np.ndarray,
    radius: np.ndarray,
    wall: np.ndarray,
    length: float,
    *,
    stiffness: float,
    force: float,
    titles: Sequence[str],
) -> "Figure":
    """Pictures of one layer: grains in the colour of their speed, lines for what contacts carry.

    Arguments:
        position: (k, n, 2), m.
        velocity: (k, n, 2), m/s.
        radius: (n,), m.
        wall: (n,), 0 for a free grain.
        length: of the period, m.
        stiffness: of a contact, Pa; its force is taken as stiffness times overlap.
        force: pressure times diameter, N/m, which the widths of lines are measured in.
        titles: (k,).
    """
    from matplotlib.colors import LogNorm

    speed = np.hypot(velocity[..., 0], velocity[..., 1])
    free = wall == FREE
    fastest = max(float(speed[:, free].max()), 1e-30)
    colours = LogNorm(fastest / 10**DECADES, fastest)
    low = position[..., 1].min() - radius.max()
    high = position[..., 1].max() + radius.max()
    # As high as the strip is on the page, and room for titles and the bar of colours
    row = 6.6 * (high - low) / length + 0.35
    figure, axes = new_figure(size=(7.2, row * len(titles) + 0.8), ratios=(1.0,) * len(titles))
    for axis, places, v, title in zip(axes, position, speed, titles, strict=True):
        discs = _draw_discs(axis, places, v, radius, free, length, colours)
        _draw_forces(axis, places, radius, free, length, stiffness, force)
        axis.set(xlim=(0, 1e3 * length), ylim=(1e3 * low, 1e3 * high), aspect="equal")
        axis.set_ylabel("y (mm)")
        axis.set_title(title, fontsize=9)
        axis.grid(False)
    axes[-1].set_xlabel("x (mm); lines: forces between grains, wider where they are larger")
    bar = figure.colorbar(discs, ax=axes, location="bottom", shrink=0.6, aspect=40, extend="min")
    bar.set_label("speed of grains (m/s)")
    return figure


def _draw_discs(
    axis: "Axes", places: np.ndarray, speed: np.ndarray, radius: np.ndarray, free: np.ndarray,
    length: float, colours: object,
) -> "PatchCollection":  # fmt: skip
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    discs: list[Circle] = []
    walls: list[Circle] = []
    values = []
    for (x, y), v, R, moves in zip(places, speed, radius, free, strict=True):
        inside = x % length
        # A grain at one end of the period is seen at the other too
        for image in (inside - length, inside, inside + length):
            if -R < image < length + R:
                disc = Circle((1e3 * image, 1e3 * y), 1e3 * R)
                (discs if moves else walls).append(disc)
                if moves:
                    values.append(v)
    axis.add_collection(PatchCollection(walls, facecolor="#b0b4b8", edgecolor="white", lw=0.3))
    made = PatchCollection(discs, cmap="viridis", norm=colours, edgecolor="white", lw=0.3)
    made.set_array(np.asarray(values))
    axis.add_collection(made)
    return made


def _draw_forces(
    axis: "Axes", places: np.ndarray, radius: np.ndarray, free: np.ndarray, length: float,
    stiffness: float, force: float,
) -> None:  # fmt: skip
    from matplotlib.collections import LineCollection

    first, second = np.triu_indices(radius.size, 1)
    dx = places[second, 0] - places[first, 0]
    dx -= length * np.round(dx / length)
    dy = places[second, 1] - places[first, 1]
    overlap = radius[first] + radius[second] - np.hypot(dx, dy)
    touching = (overlap > 0) & (free[first] | free[second])
    first, dx, dy = first[touching], dx[touching], dy[touching]
    # A force of three times the mean is far along the exponential tail that packings have
    width = WIDEST * np.minimum(stiffness * overlap[touching] / (3 * force), 1.0)
    x, y = places[first, 0] % length, places[first, 1]
    begin = np.stack([x, y], -1)
    lines = np.stack([begin, begin + np.stack([dx, dy], -1)], 1)
    shift = np.array([length, 0.0])
    # Lines over an end of the period are seen at the other too; the axes cut what is outside
    every = np.concatenate([lines, lines - shift, lines + shift])
    axis.add_collection(
        LineCollection(
            list(1e3 * every), colors="#c0392b", linewidths=np.tile(width, 3), capstyle="round"
        )
    )

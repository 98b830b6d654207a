"""The figure of a measured surface: its friction law, and where it touches."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxfric.plotting._style import COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jaxfric.contact import FrictionCurve, UnderLoad
    from jaxfric.records import HeightMap

# Pixels on a side of a map as it is drawn: a figure shows no more
_PIXELS = 512


class LawCurves(NamedTuple):
    """What is drawn of a law: numbers of NumPy, so that another process may draw them.

    Attributes:
        load: (m,), N.
        friction: (m,), N.
        contacts: (m,), asperities that touch.
    """

    load: np.ndarray
    friction: np.ndarray
    contacts: np.ndarray


class Places(NamedTuple):
    """Where a surface touches at the largest load.

    Attributes:
        position: (k, 2), of asperities that touch, m.
        doubtful: (k,), whether the contact bears any flag.
        image: (ny, nx), heights, m; None for a list.
        size: x and y of the last pixel, m.
    """

    position: np.ndarray
    doubtful: np.ndarray
    image: np.ndarray | None
    size: tuple[float, float]


def law_curves(curve: "FrictionCurve") -> LawCurves:
    """What `draw_contact` needs of a law."""
    return LawCurves(*map(np.asarray, (curve.load, curve.friction, curve.contact_count)))


def places(
    position: np.ndarray, loaded: "UnderLoad", doubtful: np.ndarray, level: "HeightMap | None"
) -> Places:
    """What `draw_contact` needs of a surface; `doubtful` (n,) of its asperities."""
    on = loaded.touching
    if level is None:
        return Places(position[on], doubtful[on], None, (0.0, 0.0))
    rows, columns = level.height.shape
    image = level.height[:: -(-rows // _PIXELS), :: -(-columns // _PIXELS)]
    size = ((columns - 1) * level.dx, (rows - 1) * level.dy)
    return Places(position[on], doubtful[on], image, size)


def draw_contact(law: LawCurves, where: Places | None, *, title: str = "") -> "Figure":
    """Friction and contacts against the load, and the places of the contacts, if known."""
    size, ratios = ((6.2, 8.6), (1.6, 0.9, 3.0)) if where else ((6.2, 4.6), (1.8, 1.0))
    figure, axes = new_figure(size=size, ratios=ratios, share=False)
    axes[0].plot(law.load, law.friction, color=COLOURS[0], lw=1.4)
    axes[0].set(ylabel="friction (N)", title=title, xlim=(0, law.load.max() * 1.01))
    axes[0].set_ylim(bottom=0)
    axes[1].step(law.load, law.contacts, color=COLOURS[2], lw=1.2, where="post")
    axes[1].set(xlabel="load (N)", ylabel="contacts", xlim=(0, law.load.max() * 1.01))
    axes[1].set_ylim(bottom=0)
    if where is not None:
        _draw_places(figure, axes[2], where)
    return figure


def _draw_places(figure: "Figure", axis: "Axes", where: Places) -> None:
    if where.image is not None:
        wide, long = (1e3 * x for x in where.size)
        # Rows run downwards in a file, and so they do in the image
        image = axis.imshow(1e6 * where.image, cmap="viridis", extent=(0, wide, long, 0))
        # Below: beside a map that is square it would push the other axes out of the figure
        bar = figure.colorbar(image, ax=axis, location="bottom", shrink=0.5, aspect=40)
        bar.set_label("height (µm)")
        axis.grid(False)
    for doubtful, colour, label in (
        (False, COLOURS[0], "contacts"), (True, "black", "contacts with a flag"),
    ):  # fmt: skip
        x, y = 1e3 * where.position[where.doubtful == doubtful].T
        if x.size:
            axis.plot(x, y, "o", mfc="none", mec=colour, ms=5, mew=1.0, label=f"{x.size} {label}")
    axis.set(xlabel="x (mm)", ylabel="y (mm)", aspect="equal")
    if where.position.size:
        axis.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8
        )

"""Figures of designed surfaces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxfric.contact import Design, Tolerance
from jaxfric.plotting._style import COLOURS, DATA, new_figure
from jaxfric.records import lattice

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_design(design: Design, spread: Tolerance | None = None, *, title: str = "") -> "Figure":
    """The law of a design against its target, its error, and when contacts are made.

    Arguments:
        design: one `Design`.
        spread: how manufacture spreads it; a band of 95 % about the error.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: for a batch of designs.
        ImportError: without matplotlib.
    """
    _one(design, "plot_design")
    figure, (law, error, count) = new_figure(size=(6.5, 7.0), ratios=(2.6, 1.6, 1.4))
    load, target, friction = (np.asarray(x) for x in (design.load, design.target, design.friction))
    law.plot(load, target, color="black", lw=3, alpha=0.3, label="target")
    law.plot(load, friction, color=COLOURS[0], lw=1.2, label=f"design, {float(design.error):.2g} %")
    law.set(ylabel="friction (N)", title=title)
    law.set_ylim(bottom=0)
    law.legend(frameon=False)
    # Where no friction is wanted, as at zero load, a relative error has no meaning: no line there.
    wanted = np.where(target > 0, target, np.nan)
    if spread is not None:
        low, high = (100 * (np.asarray(x) / wanted - 1) for x in (spread.low, spread.high))
        error.fill_between(
            load, low, high, color=COLOURS[1], alpha=0.2, lw=0, label="95 % of surfaces as made"
        )
    error.plot(load, 100 * (friction / wanted - 1), color=COLOURS[0], lw=1)
    if spread is not None:
        error.legend(frameon=False, fontsize=8)
    error.axhline(0, color="black", lw=0.6)
    error.set_ylabel("error (%)")
    count.step(load, np.asarray(design.curve.contact_count), color=COLOURS[2], lw=1.2, where="post")
    count.set(xlabel="load (N)", ylabel="contacts", xlim=(0, load.max() * 1.01))
    count.set_ylim(bottom=0)
    return figure


def plot_surface(design: Design, *, spacing: float, title: str = "") -> "Figure":
    """The asperities on their lattice: depth below the highest in colour, radius as size.

    Arguments:
        design: one `Design`.
        spacing: of the lattice, m.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: for a batch of designs, or a spacing that is not positive.
        ImportError: without matplotlib.
    """
    _one(design, "plot_surface")
    if not spacing > 0:
        raise ValueError(
            f"spacing must be a positive number of metres, such as 1.5e-3; got {spacing}"
        )
    figure, (axis,) = new_figure(size=(6.2, 5.2), ratios=(1.0,))
    surface = design.surface
    used = np.asarray(surface.used)
    depth = (float(surface.top) - np.asarray(surface.height)[used]) * 1e6
    radius = np.asarray(surface.radius)[used]
    position = lattice(depth.size, spacing) * 1e3
    touching = depth < float(np.max(np.asarray(design.curve.indentation))) * 1e6
    # Areas in square points: the smallest is still seen, the largest stays in its cell.
    size = (40 + 260 * radius / radius.max()).tolist()
    ring = ["black" if touches else "none" for touches in touching]
    x, y = position.T
    points = axis.scatter(x, y, s=size, c=depth, cmap="viridis_r", edgecolors=ring)
    figure.colorbar(points, ax=axis, label="depth below the highest tip (µm)")
    axis.set(xlabel="x (mm)", ylabel="y (mm)", aspect="equal", title=title)
    axis.annotate(
        f"size: radius, {radius.min() * 1e6:.0f} to {radius.max() * 1e6:.0f} µm; ringed: "
        f"{touching.sum()} of {depth.size} touch",
        (0.0, -0.14), xycoords="axes fraction", fontsize=8,
    )  # fmt: skip
    return figure


def plot_designs(designs: Sequence[Design], *, title: str = "") -> "Figure":
    """Several designs for one law: their errors, and where each has its asperities.

    Arguments:
        designs: ranked, for the same loads and target.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: without a design.
        ImportError: without matplotlib.
    """
    if not designs:
        raise ValueError("plot_designs needs at least one design")
    figure, (law, error, heights) = new_figure(size=(6.5, 8.0), ratios=(2.0, 1.6, 2.4), share=False)
    load, target = (np.asarray(x) for x in (designs[0].load, designs[0].target))
    law.plot(load, target, color="black", lw=3, alpha=0.3, label="target")
    wanted = np.where(target > 0, target, np.nan)
    for rank, design in enumerate(designs):
        friction = np.asarray(design.friction)
        colour = COLOURS[0] if rank == 0 else DATA
        name = {0: f"best, {float(design.error):.2g} %", 1: "others"}.get(rank)
        over = len(designs) - rank  # the best on top
        law.plot(load, friction, color=colour, lw=1, label=name, zorder=over)
        error.plot(load, 100 * (friction / wanted - 1), color=colour, lw=0.8, zorder=over)
        # Only what touches at the largest load has been designed; the rest is out of reach.
        gap = np.sort(float(design.surface.top) - np.asarray(design.surface.height)) * 1e6
        reach = float(np.max(np.asarray(design.curve.indentation))) * 1e6
        heights.plot(gap[gap < reach], 1 + np.arange((gap < reach).sum()), ".-", color=colour,
                     lw=0.8, ms=3, zorder=over)  # fmt: skip
    law.set(xlabel="load (N)", ylabel="friction (N)", title=title)
    law.legend(frameon=False)
    error.axhline(0, color="black", lw=0.6)
    error.set(xlabel="load (N)", ylabel="error (%)")
    heights.set(xlabel="depth below the highest tip (µm)", ylabel="asperities above, that touch")
    return figure


def _one(design: Design, name: str) -> None:
    if np.ndim(design.load) != 1 or np.ndim(design.friction) != 1:
        raise ValueError(
            f"{name} draws one design, but its friction has shape {np.shape(design.friction)}; "
            "take one with jax.tree_util.tree_map(lambda x: x[0], designs)"
        )

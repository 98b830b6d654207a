"""Figures of designed surfaces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxfric.contact import Design, Tolerance


class DesignCurves(NamedTuple):
    """What is drawn of a design: numbers of NumPy, so that another process may draw them.

    Attributes:
        load: (m,), N.
        target: (m,), N.
        friction: (m,), N.
        error: sMAPE, percent.
        contacts: (m,), asperities that touch.
        depth: (n,), m below the highest tip, in the surface's own order.
        radius: (n,), m.
        deepest: largest indentation, m: what lies deeper never touches.
    """

    load: np.ndarray
    target: np.ndarray
    friction: np.ndarray
    error: float
    contacts: np.ndarray
    depth: np.ndarray
    radius: np.ndarray
    deepest: float


def design_curves(design: "Design") -> DesignCurves:
    """What the functions that draw need of a design."""
    surface = design.surface
    used = np.asarray(surface.used)
    return DesignCurves(
        load=np.asarray(design.load),
        target=np.asarray(design.target),
        friction=np.asarray(design.friction),
        error=float(np.asarray(design.error)),
        contacts=np.asarray(design.curve.contact_count),
        depth=(float(np.asarray(surface.top)) - np.asarray(surface.height))[used],
        radius=np.asarray(surface.radius)[used],
        deepest=float(np.max(np.asarray(design.curve.indentation))),
    )


Band = tuple[np.ndarray, np.ndarray]  # friction of the 2.5th and the 97.5th surface of a hundred


def spread_band(spread: "Tolerance | None") -> Band | None:
    """The band of surfaces as made, of what `contact.tolerance` returns."""
    return None if spread is None else (np.asarray(spread.low), np.asarray(spread.high))


def plot_design(
    design: "Design", spread: "Tolerance | None" = None, *, title: str = ""
) -> "Figure":
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
    return draw_design(design_curves(design), spread_band(spread), title=title)


def draw_design(design: DesignCurves, band: Band | None = None, *, title: str = "") -> "Figure":
    """`plot_design` of what was taken from the design."""
    figure, (law, error, count) = new_figure(size=(6.5, 7.0), ratios=(2.6, 1.6, 1.4))
    load, target, friction = design.load, design.target, design.friction
    law.plot(load, target, color="black", lw=3, alpha=0.3, label="target")
    law.plot(load, friction, color=COLOURS[0], lw=1.2, label=f"design, {design.error:.2g} %")
    law.set(ylabel="friction (N)", title=title)
    law.set_ylim(bottom=0)
    law.legend(frameon=False)
    # Where no friction is wanted, as at zero load, a relative error has no meaning: no line there.
    wanted = np.where(target > 0, target, np.nan)
    if band is not None:
        low, high = (100 * (x / wanted - 1) for x in band)
        error.fill_between(
            load, low, high, color=COLOURS[1], alpha=0.2, lw=0, label="95 % of surfaces as made"
        )
    error.plot(load, 100 * (friction / wanted - 1), color=COLOURS[0], lw=1)
    if band is not None:
        error.legend(frameon=False, fontsize=8)
    error.axhline(0, color="black", lw=0.6)
    error.set_ylabel("error (%)")
    count.step(load, design.contacts, color=COLOURS[2], lw=1.2, where="post")
    count.set(xlabel="load (N)", ylabel="contacts", xlim=(0, load.max() * 1.01))
    count.set_ylim(bottom=0)
    return figure


def plot_designs(designs: "Sequence[Design]", *, title: str = "") -> "Figure":
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
    return draw_designs([design_curves(design) for design in designs], title=title)


def draw_designs(designs: Sequence[DesignCurves], *, title: str = "") -> "Figure":
    """`plot_designs` of what was taken from the designs."""
    figure, (law, error, heights) = new_figure(size=(6.5, 8.0), ratios=(2.0, 1.6, 2.4), share=False)
    load, target = designs[0].load, designs[0].target
    law.plot(load, target, color="black", lw=3, alpha=0.3, label="target")
    wanted = np.where(target > 0, target, np.nan)
    for rank, design in enumerate(designs):
        friction = design.friction
        colour = COLOURS[0] if rank == 0 else DATA
        name = {0: f"best, {design.error:.2g} %", 1: "others"}.get(rank)
        over = len(designs) - rank  # the best on top
        law.plot(load, friction, color=colour, lw=1, label=name, zorder=over)
        error.plot(load, 100 * (friction / wanted - 1), color=colour, lw=0.8, zorder=over)
        # Only what touches at the largest load has been designed; the rest is out of reach.
        gap, reach = np.sort(design.depth) * 1e6, design.deepest * 1e6
        heights.plot(gap[gap < reach], 1 + np.arange((gap < reach).sum()), ".-", color=colour,
                     lw=0.8, ms=3, zorder=over)  # fmt: skip
    law.set(xlabel="load (N)", ylabel="friction (N)", title=title)
    law.legend(frameon=False)
    error.axhline(0, color="black", lw=0.6)
    error.set(xlabel="load (N)", ylabel="error (%)")
    heights.set(xlabel="depth below the highest tip (µm)", ylabel="asperities above, that touch")
    return figure


def _one(design: "Design", name: str) -> None:
    if np.ndim(design.load) != 1 or np.ndim(design.friction) != 1:
        raise ValueError(
            f"{name} draws one design, but its friction has shape {np.shape(design.friction)}; "
            "take one with jax.tree_util.tree_map(lambda x: x[0], designs)"
        )

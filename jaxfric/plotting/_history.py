"""Figures of simulations."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jaxfric.plotting._style import COLOURS, looks, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxfric.ratestate import Catalogue, History


def plot_stick_slip(
    history: "History", events: "Catalogue | None" = None, *, title: str = ""
) -> "Figure":
    """Friction, velocity and slip of a stick-slip run, its events marked.

    Arguments:
        history: a `History` of one run.
        events: its catalogue; event times become vertical lines.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: for a batch of runs.
        ImportError: without matplotlib.
    """
    if np.ndim(history.time) != 1:
        raise ValueError(
            f"plot_stick_slip draws one run, but time has shape {np.shape(history.time)}; take one "
            "with jax.tree_util.tree_map(lambda x: x[0], history)"
        )
    # A catalogue has a fixed length; what follows its events is padding.
    onsets = [] if events is None else np.asarray(events.time)[np.asarray(events.valid)]
    return draw_stick_slip(
        time=np.asarray(history.time),
        friction=np.asarray(history.friction),
        velocity=np.asarray(history.velocity),
        slip=np.asarray(history.slip),
        onsets=np.asarray(onsets),
        title=title,
    )


def draw_stick_slip(
    time: np.ndarray,
    friction: np.ndarray,
    velocity: np.ndarray,
    slip: np.ndarray,
    onsets: np.ndarray,
    *,
    title: str = "",
) -> "Figure":
    """`plot_stick_slip` of plain arrays (m,) and the times of the events (n,)."""
    figure, axes = new_figure(size=(7.0, 6.0), ratios=(2.0, 2.0, 1.3))
    columns = ((friction, "friction"), (velocity, "velocity (m/s)"), (slip * 1e3, "slip (mm)"))
    for axis, (values, label) in zip(axes, columns, strict=True):
        axis.plot(time, values, color=COLOURS[1], lw=1.3)
        axis.set_ylabel(label)
        for onset in onsets:
            axis.axvline(onset, color=COLOURS[0], lw=0.7, ls=":", zorder=0)
    axes[1].set_yscale("log")  # between locked and slipping lie many decades
    axes[0].set_title(title)
    axes[-1].set_xlabel("time (s)")
    return figure


def plot_sensitivity(
    time: npt.ArrayLike, friction: npt.ArrayLike, slopes: Mapping[str, npt.ArrayLike], *,
    title: str = "",
) -> "Figure":  # fmt: skip
    """Friction and its derivatives with respect to parameters, over time.

    Arguments:
        time: (m,), s.
        friction: (m,).
        slopes: name → (m,), ∂μ/∂ln(parameter), dimensionless.
        title: of the figure.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: without a slope, or unless all are (m,).
        ImportError: without matplotlib.
    """
    if not slopes:
        raise ValueError("plot_sensitivity needs the derivative by at least one parameter")
    shapes = {"time": np.shape(time), "friction": np.shape(friction)}
    shapes |= {name: np.shape(slope) for name, slope in slopes.items()}
    if len(set(shapes.values())) > 1 or len(np.shape(time)) != 1:
        raise ValueError(f"time, friction and the slopes must have one shape (m,); got {shapes}")
    figure, axes = new_figure(size=(7.0, 5.0), ratios=(1.0, 1.3))
    axes[0].plot(np.asarray(time), np.asarray(friction), color="black", lw=1.3)
    axes[0].set(ylabel="friction", title=title)
    for (name, slope), (colour, _) in zip(slopes.items(), looks(), strict=False):
        axes[1].plot(np.asarray(time), np.asarray(slope), color=colour, lw=1.3, label=name)
    axes[1].set(xlabel="time (s)", ylabel="∂μ / ∂ ln(parameter)")
    # Few curves of few points: matplotlib finds the corner with the fewest of them.
    axes[1].legend(frameon=False, fontsize=8)
    return figure

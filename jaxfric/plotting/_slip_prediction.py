"""The figure of a prediction of fault slip."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, legend_below, new_figure, plot_band

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxfric.records import LabquakeRecord
    from jaxfric.studies.fault_slip import Prediction

# Friction is a number near one, a shear stress some 1e6 Pa: what lies between tells them apart.
_LARGEST_FRICTION = 10


class SlipCurves(NamedTuple):
    """What is drawn of a prediction: numbers of NumPy, so that another process may draw them.

    Attributes:
        recorded: (n,), s, of the record.
        energy: (n,), of its emission.
        time: (m,), s, of the prediction.
        predicted: (m,), friction.
        band: (m,), standard deviation.
        measured: (m,), friction or shear stress; None where there is none.
        time_to_failure: (m,), s.
        seen: s at the start that was tuned on.
    """

    recorded: np.ndarray
    energy: np.ndarray
    time: np.ndarray
    predicted: np.ndarray
    band: np.ndarray
    measured: np.ndarray | None
    time_to_failure: np.ndarray
    seen: float


def slip_curves(found: "Prediction", record: "LabquakeRecord") -> SlipCurves:
    """What `draw_slip_prediction` needs of a prediction and its record."""
    measured = None if found.measured is None else np.asarray(found.measured)
    return SlipCurves(
        recorded=np.asarray(record.time),
        energy=np.asarray(record.energy),
        time=np.asarray(found.time),
        predicted=np.asarray(found.predicted),
        band=np.asarray(found.band),
        measured=measured,
        time_to_failure=np.asarray(found.time_to_failure),
        seen=float(found.seen),
    )


def plot_slip_prediction(found: "Prediction", record: "LabquakeRecord") -> "Figure":
    """Emission, friction with its band, and time to failure of one record.

    Arguments:
        found: `fault_slip.Prediction`.
        record: the `LabquakeRecord` it was made from.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: for a prediction without samples.
        ImportError: without matplotlib.
    """
    if np.size(found.time) == 0:
        raise ValueError("plot_slip_prediction needs a prediction of at least one sample")
    return draw_slip_prediction(slip_curves(found, record))


def draw_slip_prediction(curves: SlipCurves) -> "Figure":
    """`plot_slip_prediction` of what was taken from the prediction."""
    figure, axes = new_figure(size=(11.0, 7.0), ratios=(1.0, 1.6, 1.0))
    time, measured = curves.time, curves.measured
    axes[0].semilogy(curves.recorded, curves.energy, color=DATA, lw=0.7)
    axes[0].set_ylabel("emission (as recorded)")
    plot_band(axes[1], time, curves.predicted, curves.band, colour=COLOURS[0], label="predicted")
    if measured is not None:
        axes[1].plot(time, measured, color="black", lw=0.9, label="measured")
    stress = measured is not None and np.median(measured) > _LARGEST_FRICTION
    # Without a measurement the level is not known: the network's own unit is spreads of a record.
    unit = "friction" if measured is not None else "friction (spreads)"
    axes[1].set_ylabel("shear stress (Pa)" if stress else unit)
    if curves.seen:
        axes[1].axvspan(time[0], time[0] + curves.seen, color=DATA, alpha=0.2, label="tuned on",
                        lw=0)  # fmt: skip
    axes[2].plot(time, curves.time_to_failure, color=COLOURS[0], lw=0.9)
    axes[2].set(ylabel="time to failure (s)", xlabel="time (s)")
    # Stick-slip fills its axes from end to end, so the legend stands outside.
    legend_below(figure, axes[1], columns=3)
    return figure

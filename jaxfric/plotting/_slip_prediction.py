"""The figure of a prediction of fault slip."""

from typing import TYPE_CHECKING

import numpy as np

from jaxfric.plotting._style import COLOURS, DATA, legend_below, new_figure, plot_band
from jaxfric.records import LabquakeRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jaxfric.studies.fault_slip import Prediction

# Friction is a number near one, a shear stress some 1e6 Pa: what lies between tells them apart.
_LARGEST_FRICTION = 10


def plot_slip_prediction(found: "Prediction", record: LabquakeRecord) -> "Figure":
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
    figure, axes = new_figure(size=(11.0, 7.0), ratios=(1.0, 1.6, 1.0))
    axes[0].semilogy(record.time, record.energy, color=DATA, lw=0.7)
    axes[0].set_ylabel("emission (as recorded)")
    plot_band(
        axes[1], found.time, found.predicted, found.band, colour=COLOURS[0], label="predicted"
    )
    if found.measured is not None:
        axes[1].plot(found.time, found.measured, color="black", lw=0.9, label="measured")
    stress = found.measured is not None and np.median(found.measured) > _LARGEST_FRICTION
    # Without a measurement the level is not known: the network's own unit is spreads of a record.
    unit = "friction" if found.measured is not None else "friction (spreads)"
    axes[1].set_ylabel("shear stress (Pa)" if stress else unit)
    if found.seen:
        axes[1].axvspan(found.time[0], found.time[0] + found.seen, color=DATA, alpha=0.2,
                        label="tuned on", lw=0)  # fmt: skip
    axes[2].plot(found.time, found.time_to_failure, color=COLOURS[0], lw=0.9)
    axes[2].set(ylabel="time to failure (s)", xlabel="time (s)")
    # Stick-slip fills its axes from end to end, so the legend stands outside.
    legend_below(figure, axes[1], columns=3)
    return figure

"""Figures of records, fits and simulations (the `app` extra: matplotlib).

from jaxfric import plotting

figure = plotting.plot_fits([fit_aging, fit_slip])     # data, fits, residuals
figure = plotting.plot_stick_slip(history, events)     # friction, velocity, slip
plotting.save(figure, "fit.png")                       # written whole or not at all
"""

from typing import TYPE_CHECKING

from jaxfric._lazy import lazy

if TYPE_CHECKING:
    from jaxfric.plotting._design import (
        plot_design as plot_design,
        plot_designs as plot_designs,
    )
    from jaxfric.plotting._fault_slip import plot_fault_slip as plot_fault_slip
    from jaxfric.plotting._fit import plot_fits as plot_fits
    from jaxfric.plotting._history import (
        plot_sensitivity as plot_sensitivity,
        plot_stick_slip as plot_stick_slip,
    )
    from jaxfric.plotting._metainterface import plot_metainterface as plot_metainterface
    from jaxfric.plotting._part import plot_part as plot_part
    from jaxfric.plotting._slide_hold_learn import plot_slide_hold_learn as plot_slide_hold_learn
    from jaxfric.plotting._slip_prediction import plot_slip_prediction as plot_slip_prediction
    from jaxfric.plotting._style import save as save

# Loaded with the physics that they draw when first asked for: one figure needs not all of it.
_MODULES = {
    "plot_design": "_design",
    "plot_designs": "_design",
    "plot_part": "_part",
    "plot_fault_slip": "_fault_slip",
    "plot_slip_prediction": "_slip_prediction",
    "plot_fits": "_fit",
    "plot_sensitivity": "_history",
    "plot_stick_slip": "_history",
    "plot_metainterface": "_metainterface",
    "plot_slide_hold_learn": "_slide_hold_learn",
    "save": "_style",
}

__getattr__, __dir__ = lazy(__name__, _MODULES)

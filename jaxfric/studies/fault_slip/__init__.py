"""Predicting fault slip via transfer learning: emission of a fault → its friction.

from jaxfric import records
from jaxfric.studies import fault_slip

record = records.read_labquake("p4581.csv", normal_stress=8e6)
found = fault_slip.predict_slip(record, tune=6)         # shipped networks, tuned on six cycles
print(found)                                            # MAPE, R² beside constant, clocks, ridge
found.time, found.predicted, found.band, found.time_to_failure
metrics = fault_slip.run("laptop", "fault-slip", record)             # the whole study
"""

from typing import TYPE_CHECKING

from jaxfric._lazy import lazy
from jaxfric.studies.fault_slip._laboratory import (
    Laboratory as Laboratory,
    laboratory as laboratory,
)
from jaxfric.studies.fault_slip._level import (
    EVEN as EVEN,
    RISING as RISING,
    Level as Level,
    Prior as Prior,
    fit_level as fit_level,
)
from jaxfric.studies.fault_slip._predict import (
    Prediction as Prediction,
    predict_slip as predict_slip,
)
from jaxfric.studies.fault_slip._reading import trained as trained

if TYPE_CHECKING:
    from jaxfric.studies.fault_slip._data import (
        Records as Records,
        simulate_records as simulate_records,
    )
    from jaxfric.studies.fault_slip._study import read_back as read_back, run as run
    from jaxfric.studies.fault_slip._summary import table as table

# A prediction starts without the simulator of faults and the libraries that train: what needs them
# is imported when it is first asked for (PEP 562).
_LATER = {
    "Records": "_data",
    "simulate_records": "_data",
    "read_back": "_study",
    "run": "_study",
    "table": "_summary",
}

__getattr__, __dir__ = lazy(__name__, _LATER)

"""What simulators share: loading histories, the one adaptive solve, sampling, outcome.

protocol = VelocityProtocol.step(1e-6, 1e-5, at=10.0)           # what the machine imposes
schedule = Schedule.of(protocol, None, t)                       # its segments as one time axis
time, y, status = integrate(field, y0, schedule, t, Options())  # field(τ, y, schedule) is dy/dτ
"""

from jaxfric.dynamics._inputs import (
    as_data as as_data,
    check_load as check_load,
)
from jaxfric.dynamics._options import Options as Options
from jaxfric.dynamics._outcome import (
    Outcome as Outcome,
    is_valid as is_valid,
    outcome as outcome,
    traced_inputs as traced_inputs,
)
from jaxfric.dynamics._precision import FloatType as FloatType, widest_float as widest_float
from jaxfric.dynamics._protocol import (
    LoadStress as LoadStress,
    LoadVelocity as LoadVelocity,
    NormalStress as NormalStress,
    VelocityProtocol as VelocityProtocol,
)
from jaxfric.dynamics._schedule import Load as Load, Schedule as Schedule
from jaxfric.dynamics._solve import integrate as integrate, stiff_solver as stiff_solver

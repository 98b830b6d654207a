"""Rate-and-state friction.

law = RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6, evolution=Aging())
protocol = VelocityProtocol.step(1e-6, 1e-5, at=10.0)
history = slide(law, protocol, t)                                  # imposed velocity
history = spring_slider(law, Spring(stiffness=1e3), protocol, t)   # through a spring
"""

from jaxfric.dynamics import (
    NormalStress as NormalStress,
    Options as Options,
    VelocityProtocol as VelocityProtocol,
    stiff_solver as stiff_solver,
)
from jaxfric.ratestate._catalogue import Catalogue as Catalogue, catalogue as catalogue
from jaxfric.ratestate._coordinates import FrictionLaw as FrictionLaw
from jaxfric.ratestate._evolution import (
    PRZ as PRZ,
    AbstractEvolution as AbstractEvolution,
    Aging as Aging,
    Composite as Composite,
    Nagata as Nagata,
    Slip as Slip,
)
from jaxfric.ratestate._history import History as History
from jaxfric.ratestate._law import RateStateLaw as RateStateLaw
from jaxfric.ratestate._outcome import Outcome as Outcome
from jaxfric.ratestate._sampling import (
    sample_protocol as sample_protocol,
    slide_hold_learn_law as slide_hold_learn_law,
)
from jaxfric.ratestate._slide import slide as slide
from jaxfric.ratestate._spring import Spring as Spring
from jaxfric.ratestate._spring_slider import spring_slider as spring_slider
from jaxfric.ratestate._stability import (
    CriticalStiffness as CriticalStiffness,
    Eigenvalues as Eigenvalues,
    SteadyState as SteadyState,
    critical_stiffness as critical_stiffness,
    eigenvalues as eigenvalues,
    steady_state as steady_state,
)

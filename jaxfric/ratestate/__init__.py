"""Rate-and-state friction.

law = RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6, evolution=Aging())
protocol = VelocityProtocol.step(1e-6, 1e-5, at=10.0)
history = slide(law, protocol, t)                                  # imposed velocity
history = spring_slider(law, Spring(stiffness=1e3), protocol, t)   # through a spring
fit = fit_step(record, law, Spring(stiffness=1e3)); print(fit)     # a laboratory record
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
from jaxfric.ratestate._fit import fit_joint as fit_joint, fit_step as fit_step
from jaxfric.ratestate._fit_result import (
    Identifiability as Identifiability,
    JointFit as JointFit,
    StepFit as StepFit,
    compare as compare,
)
from jaxfric.ratestate._guess import guess as guess
from jaxfric.ratestate._healing import (
    Healing as Healing,
    healing as healing,
    holds_from_displacement as holds_from_displacement,
)
from jaxfric.ratestate._history import History as History
from jaxfric.ratestate._law import RateStateLaw as RateStateLaw
from jaxfric.ratestate._loading import protocol_from_displacement as protocol_from_displacement
from jaxfric.ratestate._posterior import Posterior as Posterior, posterior as posterior
from jaxfric.ratestate._sampling import (
    sample_protocol as sample_protocol,
    slide_hold_learn_law as slide_hold_learn_law,
)
from jaxfric.ratestate._sensitivity import (
    Sensitivity as Sensitivity,
    sensitivity as sensitivity,
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

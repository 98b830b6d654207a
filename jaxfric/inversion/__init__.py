"""Friction parameters of laboratory records, with honest errors.

record = records.read_velocity_step("run.txt").crop(100.0, 140.0)
law, spring = guess(record, ratestate.Slip())                  # read off the curve
fit = fit_step(record, law, spring, free=("stiffness",))       # a, b, a-b, Dc and their errors
print(fit, fit.identifiability(), compare([fit, another]))
"""

from jaxfric.inversion._compare import (
    Compared as Compared,
    Comparison as Comparison,
    compare as compare,
)
from jaxfric.inversion._fit import fit_joint as fit_joint, fit_step as fit_step
from jaxfric.inversion._guess import guess as guess
from jaxfric.inversion._healing import (
    Healing as Healing,
    healing as healing,
    holds_from_displacement as holds_from_displacement,
)
from jaxfric.inversion._identifiability import Identifiability as Identifiability
from jaxfric.inversion._loading import protocol_from_displacement as protocol_from_displacement
from jaxfric.inversion._posterior import Posterior as Posterior, posterior as posterior
from jaxfric.inversion._result import JointFit as JointFit, StepFit as StepFit
from jaxfric.inversion._sensitivity import Sensitivity as Sensitivity, sensitivity as sensitivity

"""jaxfric: differentiable physics and machine learning for friction, in JAX.

from jaxfric import ratestate

law = ratestate.RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
protocol = ratestate.VelocityProtocol.step(1e-6, 1e-5, at=10.0)
history = ratestate.slide(law, protocol, t)      # pure: jit it, vmap it, differentiate it
"""

from importlib.metadata import PackageNotFoundError, version

from jaxfric import (
    contact as contact,
    fault as fault,
    ratestate as ratestate,
    records as records,
    signals as signals,
)
from jaxfric._status import Status as Status

try:
    __version__ = version("jaxfric")
except PackageNotFoundError:  # a source tree on the path that was never installed
    __version__ = "0+unknown"

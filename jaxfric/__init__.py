"""jaxfric: differentiable physics and machine learning for friction, in JAX.

from jaxfric import ratestate

law = ratestate.RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
protocol = ratestate.VelocityProtocol.step(1e-6, 1e-5, at=10.0)
history = ratestate.slide(law, protocol, t)      # pure: jit it, vmap it, differentiate it
"""

import importlib
from typing import TYPE_CHECKING

# For type checkers and editors, which read names and run nothing
if TYPE_CHECKING:
    from jaxfric import (
        contact as contact,
        dynamics as dynamics,
        fault as fault,
        forecast as forecast,
        gouge as gouge,
        inversion as inversion,
        networks as networks,
        plotting as plotting,
        programs as programs,
        ratestate as ratestate,
        records as records,
        search as search,
        signals as signals,
        studies as studies,
        training as training,
    )
    from jaxfric._status import Status as Status

    __version__: str

# Loaded when they are first asked for (PEP 562), so that `jaxfric --help` starts without JAX, and a
# user of one room does not wait for the imports of another.
_ROOMS = (
    "contact",
    "dynamics",
    "fault",
    "forecast",
    "gouge",
    "inversion",
    "networks",
    "plotting",
    "programs",
    "ratestate",
    "records",
    "search",
    "signals",
    "studies",
    "training",
)


def __getattr__(name: str) -> object:
    """What `import jaxfric` left out; Python asks here for names that the module lacks."""
    # The import makes a room an attribute of the package, so each is asked for here only once
    if name in _ROOMS:
        return importlib.import_module(f"jaxfric.{name}")
    if name == "Status":
        return importlib.import_module("jaxfric._status").Status
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("jaxfric")
        except PackageNotFoundError:  # a source tree on the path that was never installed
            return "0+unknown"
    raise AttributeError(f"module 'jaxfric' has no attribute {name!r}")


def __dir__() -> list[str]:
    """With what is not loaded yet, so that completion in a notebook offers it."""
    return sorted([*globals(), *_ROOMS, "Status", "__version__"])

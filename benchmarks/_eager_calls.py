"""Simulators called as a user types them, outside of `jax.jit`, beside the same call under it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _common import Timing, compiled, timed

from jaxfric import fault, ratestate

_COMPILED: list[str] = []
STEP_AT = 10.0  # s


def _note(event: str, _seconds: float, **_: Any) -> None:
    if event == "/jax/core/compile/backend_compile_duration":
        _COMPILED.append(event)


jax.monitoring.register_event_duration_secs_listener(_note)


def slide(V: Any, t: Any) -> jax.Array:
    law = ratestate.RateStateLaw(mu0=0.6, a=0.01, b=0.015, Dc=1e-5, V0=1e-6)
    protocol = ratestate.VelocityProtocol.step(1e-6, V, at=STEP_AT)
    return ratestate.slide(law, protocol, t).friction


def spring_slider(V: Any, t: Any) -> jax.Array:
    law = ratestate.RateStateLaw(mu0=0.6, a=0.01, b=0.015, Dc=1e-5, V0=1e-6)
    protocol = ratestate.VelocityProtocol.step(1e-6, V, at=STEP_AT)
    return ratestate.spring_slider(law, ratestate.Spring(2e3), protocol, t).friction


def simulate(V: Any, t: Any) -> jax.Array:
    law = fault.patches(mu0=0.6, a=0.01, b=0.015, Dc=1e-6, V0=1e-6)
    chain = fault.FaultChain(law, 5e6, loader=1e10, leaf=1e10, coupling=0.0, damping=1e6)
    return fault.simulate(chain, V, t).friction


CALLS = {"slide": slide, "spring_slider": spring_slider, "fault.simulate": simulate}


def measure(function: Callable[..., Any], repeats: int) -> dict[str, Any]:
    """Timing of calls with ever other velocities, what they compile, and the jitted call's time.

    The law and the protocol are made anew in each call. The first call is not measured.
    """
    t = jnp.linspace(0.0, 20.0, 101)
    speeds = iter(np.geomspace(5e-6, 1.5e-5, repeats + 3))
    jax.block_until_ready(function(float(next(speeds)), t))
    _COMPILED.clear()
    _, eager = timed(lambda: function(float(next(speeds)), t), repeats)
    compilations = len(_COMPILED)
    program, _ = compiled(function, jnp.array(1e-5), t)
    _, jitted = timed(lambda: program(jnp.array(1e-5), t), repeats)
    return {
        "timing": Timing(None, eager.runs, eager.cpu),
        "compilations": compilations,
        "jitted_ms": 1e3 * jitted.median,
        "over_ms": 1e3 * (eager.median - jitted.median),
    }

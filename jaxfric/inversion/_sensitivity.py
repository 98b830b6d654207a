"""What each sample of a velocity step tells about each parameter."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float64

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric._types import Vector
from jaxfric.dynamics import VelocityProtocol
from jaxfric.inversion._model import friction_and_slopes, padded
from jaxfric.inversion._names import EFFECTS, kind, law_names
from jaxfric.inversion._problem import LENGTHS, bucket
from jaxfric.ratestate import RateStateLaw, Spring
from jaxfric.ratestate._inputs import check_run


class Sensitivity(eqx.Module):
    """What `sensitivity` returns.

    Attributes:
        time: (m,), s.
        friction: (m,).
        by_log: ∂μ/∂ln p of each parameter p by its name, (m,) each.
        by_step_time: (m, steps), ∂μ/∂t_k of each velocity step, 1/s.
    """

    time: Float64[np.ndarray, " m"]
    friction: Float64[np.ndarray, " m"]
    by_log: dict[str, Float64[np.ndarray, " m"]]
    by_step_time: Float64[np.ndarray, "m steps"]

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        time, size = self.time, self.time.size
        lines = [f"sensitivity of {size} samples from {time[0]:.6g} to {time[-1]:.6g} s"]
        for name, slope in self.by_log.items():
            k = int(np.argmax(np.abs(slope)))
            lines.append(f"  ∂μ/∂ln {name:<10} at most {slope[k]:>10.3g} at {time[k]:.6g} s")
        for step, slope in enumerate(self.by_step_time.T, start=1):
            k = int(np.argmax(np.abs(slope)))
            label = f"∂μ/∂t of step {step}"
            lines.append(f"  {label:<16} at most {slope[k]:>10.3g} 1/s at {time[k]:.6g} s")
        return "\n".join(lines)


def sensitivity(
    law: RateStateLaw, spring: Spring, protocol: VelocityProtocol, t: Vector
) -> Sensitivity:
    """Friction of a spring-slider and its derivatives by a, b, Dc, stiffness and step times.

    In forward mode, by the program that `fit_step` runs: where records are fitted, nothing more is
    compiled. Under a transformation of your own differentiate `spring_slider` itself.

    Arguments:
        law: a `RateStateLaw` of numbers.
        spring: the loading.
        protocol: load-point velocities.
        t: (m,), s, sorted sample times.

    Returns:
        `Sensitivity`.

    Raises:
        ValueError: in float32, or for samples outside the protocol.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> law = RateStateLaw(mu0=0.6, a=0.010, b=0.014, Dc=1e-5, V0=1e-6)
        >>> protocol = VelocityProtocol.step(1e-6, 1e-5, at=10.0)
        >>> if jax.config.jax_enable_x64:
        ...     found = sensitivity(law, Spring(1e3), protocol, jnp.linspace(0.0, 60.0, 61))
        ...     direct, length = found.by_log["a"], found.by_log["Dc"]
        ...     # a steady step ends (a - b) ln 10 away, whatever Dc is
        ...     assert abs(length[-1]) < 1e-3 * abs(direct[-1])

    Source: ours.
    """
    check_run(law, protocol, t, spring)
    _checks.float64("sensitivity", jax.dtypes.canonicalize_dtype(float))
    time = np.asarray(t, float)
    # To the length of the program of a fit, so that none is compiled for this number of samples
    longer = np.pad(time, (0, bucket(time.size, LENGTHS) - time.size), mode="edge")
    found: tuple[Array, Array] = friction_and_slopes(*padded(law, spring, protocol), longer)
    friction, slopes = (np.asarray(x)[: time.size] for x in found)
    names = [*law_names(law), "stiffness"]
    by_log = {}
    for k, name in enumerate(names):
        # p ∂μ/∂p = ∂μ/∂ln p; the program's slopes by Dc and stiffness are by their logarithms
        # already
        by_log[name] = slopes[:, k] * (_value(law, name) if kind(name) in EFFECTS else 1.0)
    # The program has more velocity steps than the protocol; those that never come are left out
    steps = slopes[:, len(names) : len(names) + protocol.times.shape[0] - 1]
    return Sensitivity(time, friction, by_log, steps)


def _value(law: RateStateLaw, name: str) -> float:
    """Of a or b, or of the b of one of several states."""
    value = getattr(law, kind(name))
    if isinstance(value, tuple):
        value = value[int(name.removeprefix(kind(name))) - 1]
    return float(value)

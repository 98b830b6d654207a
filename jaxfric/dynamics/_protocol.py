"""Load-point velocity protocols and normal-stress histories: what the machine imposes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _checks, _show
from jaxfric._types import Number, Numbers, Vector
from jaxfric.dynamics._precision import widest_float

# At run time shapes pass here, for the constructors check them and name the remedy
if TYPE_CHECKING:
    Values = Vector | Sequence[Number]
else:
    Values = Vector | Sequence


class VelocityProtocol(eqx.Module):
    """Piecewise-constant velocity: `velocities[k]` holds on [times[k], times[k+1]).

    The last velocity is open-ended and samples at a jump take the new velocity. `times[0]` is the
    start. The length is static: pad with `times = inf` (the padded velocities are ignored).

    Arguments:
        times: (n,), s, strictly increasing up to the padding.
        velocities: (n,), m/s, >= 0; 0 is a hold.

    Raises:
        ValueError: if a time is unsorted, repeated or NaN, a velocity is negative or not finite,
            the shapes differ or are not (n,).

    Example:
        >>> import jax.numpy as jnp
        >>> protocol = VelocityProtocol([0.0, 10.0], [1e-6, 1e-5])
        >>> print(protocol(jnp.array(10.0)))
        1e-05
    """

    times: Float[Array, "*n"]
    velocities: Float[Array, "*n"]

    def __init__(self, times: Values, velocities: Values):
        # Times and velocities meet in one expression, x = V t, so they share a dtype from the start
        dtype = widest_float(times, velocities)
        self.times = jnp.asarray(_plain(times), dtype)
        self.velocities = jnp.asarray(_plain(velocities), dtype)
        _checks.vector("protocol times", self.times)
        if self.times.shape != self.velocities.shape:
            raise ValueError(
                "a protocol needs one velocity for every time; got "
                f"{self.times.shape[0]} times and velocities of shape {self.velocities.shape}"
            )
        if _checks.is_concrete(self.times, self.velocities):
            _check_values(np.asarray(self.times), np.asarray(self.velocities))

    @classmethod
    def step(
        cls, before: Numbers, after: Numbers, *, at: Numbers, start: Numbers = 0.0
    ) -> "VelocityProtocol":  # fmt: skip
        """One velocity step from `before` to `after` (m/s) at time `at` (s)."""
        return cls(_stack(start, at), _stack(before, after))

    @classmethod
    def steps(
        cls, velocities: Sequence[Number], durations: Sequence[Number], *, start: Number = 0.0
    ) -> "VelocityProtocol":  # fmt: skip
        """A sequence of velocities (m/s), each held for its duration (s); the last is open-ended.

        `durations` has one entry per velocity; the last one may be left out.
        """
        if len(durations) not in (len(velocities), len(velocities) - 1):
            raise ValueError(
                f"give one duration per velocity; got {len(velocities)} velocities and "
                f"{len(durations)} durations"
            )
        # The first segment begins after no time; how long the last one lasts has no effect
        kept = _stack(0.0, *durations[: len(velocities) - 1])
        return cls(start + jnp.cumsum(kept), _stack(*velocities))

    @classmethod
    def slide_hold_slide(
        cls, velocity: Number, holds: Sequence[Number], *, slide: Number,
        hold_velocity: Number = 0.0, start: Number = 0.0,
    ) -> "VelocityProtocol":  # fmt: skip
        """Sliding at `velocity` (m/s) for `slide` seconds before each of the `holds` (s)."""
        velocities = [v for _ in holds for v in (velocity, hold_velocity)] + [velocity]
        durations = [d for hold in holds for d in (slide, hold)]
        return cls.steps(velocities, durations, start=start)

    def segment(self, t: Numbers) -> Array:
        """Index of the segment that holds at time `t` (s)."""
        # side="right" gives a sample at a jump to the segment that starts there
        index = jnp.searchsorted(self.times, t, side="right") - 1
        return jnp.clip(index, 0, self.times.shape[-1] - 1)

    def __call__(self, t: Numbers) -> Float[Array, "..."]:
        """Velocity (m/s) at time `t` (s)."""
        return self.velocities[self.segment(t)]

    def displacement(self, t: Numbers) -> Float[Array, "..."]:
        """Displacement (m) since `times[0]` at time `t` (s)."""
        # x(t) = Σ_{j<k} V_j (t_{j+1} − t_j) + V_k (t − t_k) in segment k
        start = jnp.concatenate([jnp.zeros_like(self.times[:1]), self._travel()])
        k = self.segment(t)
        return start[k] + self.velocities[k] * (t - self.times[k])

    def _travel(self) -> Float[Array, " m"]:
        """Displacement (m) at the end of each segment but the last."""
        # Padding has no length. The inner `where` keeps inf − inf out of the unused branch, whose
        # derivative would be NaN and times 0 remain NaN
        real = jnp.isfinite(self.times[1:])
        duration = jnp.where(real, jnp.where(real, self.times[1:], 0) - self.times[:-1], 0)
        return jnp.cumsum(duration * self.velocities[:-1])

    def holds(self, ratio: float = 1e-5) -> Bool[Array, " n"]:
        """Segments slower than `ratio` times the fastest one: holds, creeping or at rest."""
        real = jnp.isfinite(self.times)
        # A hold need not be at rest, where the classical form has no friction: the data of "Slide,
        # Hold, Learn" creep at 1e-8 in it, beside velocities of the order of one
        fastest = jnp.max(jnp.where(real, self.velocities, 0))
        return real & (self.velocities <= ratio * fastest)

    @property
    def valid(self) -> Bool[Array, ""]:
        """False when traced values break the rules that concrete ones are raised for."""
        # The rules of `_check_values`, for values on which nothing may branch
        real = jnp.isfinite(self.times)
        allowed = jnp.all(~real | ((self.velocities >= 0) & jnp.isfinite(self.velocities)))
        increasing = jnp.all(~real[1:] | (self.times[1:] > self.times[:-1]))
        padded_at_end = jnp.all(real | (self.times == jnp.inf)) & jnp.all(~real[1:] | real[:-1])
        return allowed & increasing & padded_at_end & real[0]

    def __repr__(self) -> str:
        return _show.fields(
            "VelocityProtocol", {"times": (self.times, "s"), "velocities": (self.velocities, "m/s")}
        )


class NormalStress(eqx.Module):
    """Normal-stress history σ(t)/σ0, piecewise linear; constant outside its times.

    Arguments:
        times: (n,), s, strictly increasing; a sudden change is a short ramp.
        ratios: (n,), σ/σ0, dimensionless, > 0.

    Raises:
        ValueError: if the times are not increasing, a ratio is not positive, or the shapes differ.

    Example:
        >>> import jax.numpy as jnp
        >>> print(NormalStress([0.0, 1.0], [1.0, 1.2])(jnp.array(0.5)))
        1.1
    """

    times: Float[Array, " n"]
    ratios: Float[Array, " n"]

    def __init__(self, times: Values, ratios: Values):
        dtype = widest_float(times, ratios)
        self.times = jnp.asarray(_plain(times), dtype)
        self.ratios = jnp.asarray(_plain(ratios), dtype)
        _checks.vector("normal-stress times", self.times)
        if self.times.shape != self.ratios.shape:
            raise ValueError("a normal-stress history needs one ratio for every time")
        if _checks.is_concrete(self.times, self.ratios):
            if not np.all(np.diff(self.times) > 0):
                raise ValueError("normal-stress times must increase strictly")
            if not np.all((self.ratios > 0) & np.isfinite(self.ratios)):
                raise ValueError("normal-stress ratios σ/σ0 must be positive and finite")

    def __call__(self, t: Numbers) -> Float[Array, "..."]:
        """σ/σ0 at time `t` (s)."""
        return jnp.interp(t, self.times, self.ratios)

    def __repr__(self) -> str:
        return _show.fields(
            "NormalStress", {"times": (self.times, "s"), "ratios": (self.ratios, "")}
        )


# What a load point may do, and σ(t)/σ0: a function must be smooth, since its derivative enters the
# equations of motion
LoadVelocity = VelocityProtocol | Callable[[Array], Array]
LoadStress = NormalStress | Callable[[Array], Array]


def _check_values(times: np.ndarray, velocities: np.ndarray) -> None:
    """Raise for a protocol that breaks the rules, with the place of the first fault."""
    real = np.isfinite(times)
    n = int(real.sum())
    if n == 0 or not real[:n].all() or not np.all(times[n:] == np.inf):
        raise ValueError("protocol times must be finite, with inf only as padding at the end")
    # A segment of no length would hold no time, though its velocity was asked for
    repeated = np.flatnonzero(~(np.diff(times[:n]) > 0))
    if repeated.size:
        k = int(repeated[0])
        raise ValueError(
            f"protocol times must increase strictly; times[{k + 1}] = {times[k + 1]} follows "
            f"times[{k}] = {times[k]}. Sort them and drop repeated ones"
        )
    bad = np.flatnonzero(~((velocities[:n] >= 0) & np.isfinite(velocities[:n])))
    if bad.size:
        k = int(bad[0])
        raise ValueError(
            f"protocol velocities must be finite and >= 0 (0 is a hold); velocities[{k}] = "
            f"{velocities[k]}"
        )


def _stack(*values: Numbers) -> Array:
    for value in values:
        _checks.scalar("a velocity or time of a protocol", value)
    return jnp.stack([jnp.asarray(v, widest_float(*values)) for v in values])


def _plain(x: Values) -> Vector:
    """Lists of numbers as one array, so that weak Python numbers do not fix a dtype."""
    return x if isinstance(x, (jax.Array, np.ndarray)) else jnp.asarray(x)

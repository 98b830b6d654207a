"""Evolution laws of the state variable θ: how an interface ages and forgets.

Every law gives θ' at a velocity V, the same in ln θ (what the solvers integrate: θ spans ten
decades in a stick-slip cycle), its steady state and, where one is known, the exact solution at
constant V. `q = Vθ/Dc` throughout.
"""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from jaxfric import _checks
from jaxfric._types import Number, Numbers

# A rejected trial step may carry any velocity and state. Beyond these exponents (no friction
# experiment spans them) exp and ln q are held: an overflow would turn the step control and the
# reverse-mode gradient into NaN.
SMALLEST_EXPONENT, LARGEST_EXPONENT = -100.0, 50.0


def safe_exp(x: Numbers) -> Array:
    """exp(x), held constant outside the range of exponents."""
    return jnp.exp(jnp.clip(x, SMALLEST_EXPONENT, LARGEST_EXPONENT))


def safe_log(x: Numbers) -> Array:
    """ln(x) for x > 0 and 0 elsewhere, with gradients that stay finite."""
    return jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1)), 0)


def _decay(r: Number) -> Number:
    """(1 − e^{−r})/r, 1 at r = 0."""
    small = r < 1e-4
    full = jnp.where(small, 1, r)
    return jnp.where(small, 1 - r / 2 + r * r / 6, -jnp.expm1(-full) / full)


class AbstractEvolution(eqx.Module):
    """How one state variable θ (s) changes at a sliding velocity V (m/s).

    A law of your own is a subclass with the four methods; nothing else needs to know of it. If its
    state also changes with the friction itself, θ' = rate − (c/b) θ μ', set `coupled` and return c
    from `weakening`: the law object solves for μ', which all states share, so `rate`, `log_rate`
    and `log_steady` stay those without the term, and only `advance` holds it, for a single state
    of the classical form.
    """

    exact: ClassVar[bool] = True  # has a closed form at constant velocity
    length_factor: ClassVar[float] = 1.0  # the friction term is b ln(V0 θ / (factor · Dc))
    coupled: ClassVar[bool] = False  # whether θ' holds a term in μ'

    @property
    def weakening(self) -> Number:
        """c of a coupled law, dimensionless."""
        return 0.0

    @abstractmethod
    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        """θ' at constant V, dimensionless."""

    @abstractmethod
    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        """(ln θ)' at constant V, 1/s."""

    @abstractmethod
    def log_steady(self, V: Number, Dc: Number) -> Number:
        """ln θ at steady state."""

    @abstractmethod
    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        """θ after `dt` at constant V, exactly."""


class Aging(AbstractEvolution):
    """Aging (Dieterich) law: θ' = 1 − q; heals with time at rest.

    Example:
        >>> import jax.numpy as jnp
        >>> theta = Aging().advance(jnp.array(10.0), jnp.array(0.0), jnp.array(90.0), 1e-5)
        >>> print(theta)  # at rest, age is time
        100.0

    Source: Dieterich (1979); Ruina (1983).
    """

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        return 1 - V * theta / Dc

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        return safe_exp(-log_theta) - V / Dc

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        r = V * dt / Dc
        # Not Dc/V + (θ0 − Dc/V) e^{−r}: that cancels in float32 during holds.
        return theta * jnp.exp(-r) + dt * _decay(r)


class Slip(AbstractEvolution):
    """Slip (Ruina) law: θ' = −q ln q; evolves only with slip.

    Example:
        >>> import jax.numpy as jnp
        >>> theta = Slip().advance(jnp.array(10.0), jnp.array(0.0), jnp.array(90.0), 1e-5)
        >>> print(theta)  # no healing at rest
        10.0

    Source: Ruina (1983).
    """

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        q = V * theta / Dc
        return -q * safe_log(q)

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        return -(V / Dc) * _log_q(V, log_theta, Dc)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # ln q relaxes: ln q = e^{−r} ln q0
        return theta * jnp.exp(jnp.expm1(-V * dt / Dc) * safe_log(V * theta / Dc))


class PRZ(AbstractEvolution):
    """Perrin–Rice–Zheng law: θ' = 1 − (q/2)², friction term b ln(V0 θ / 2Dc).

    Example:
        >>> import jax.numpy as jnp
        >>> print(jnp.exp(PRZ().log_steady(jnp.array(1.0), 10.0)))  # 2 Dc / V
        20.0

    Source: Perrin, Rice & Zheng (1995).
    """

    length_factor: ClassVar[float] = 2.0

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        return 1 - (V * theta / (2 * Dc)) ** 2

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        return safe_exp(-log_theta) - (V / (2 * Dc)) ** 2 * safe_exp(log_theta)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(2 * Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # u = (u0 + T)/(1 + u0 T), T = tanh r, times 2Dc/V; one form on both sides of steady state
        r = V * dt / (2 * Dc)
        small = r < 1e-4
        full = jnp.where(small, 1, r)
        tanh_ratio = jnp.where(small, 1 - r * r / 3, jnp.tanh(full) / full)  # 1 at V = 0
        return (theta + dt * tanh_ratio) / (1 + V * theta / (2 * Dc) * jnp.tanh(r))


class Nagata(AbstractEvolution):
    """Nagata law: θ' = 1 − q − (c/b) θ μ'; the state also weakens with stress.

    Here stands the aging part; the law object adds the term in μ'. At constant V a single state
    follows θ' = (1 − q)/(1 + c).

    Arguments:
        c: weakening coefficient, dimensionless, >= 0; 2.0 is what Nagata et al. found.

    Raises:
        ValueError: if `c` is negative.

    Example:
        >>> print(Nagata(c=2.0).c)
        2.0

    Source: Nagata, Nakatani & Yoshida (2012).
    """

    c: Number = 2.0

    coupled: ClassVar[bool] = True

    def __check_init__(self) -> None:
        _checks.non_negative("Nagata c", self.c)

    @property
    def weakening(self) -> Number:
        return self.c

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        return 1 - V * theta / Dc

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        return safe_exp(-log_theta) - V / Dc

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        slowed = dt / (1 + self.c)
        r = V * slowed / Dc
        return theta * jnp.exp(-r) + slowed * _decay(r)


class Composite(AbstractEvolution):
    """Composite (Kato–Tullis) law: θ' = exp(−V/Vc) − q ln q.

    Heals like the aging law below `Vc`, evolves like the slip law above. Steady state:
    q = exp(W(e^{−V/Vc})), W the Lambert function.

    Arguments:
        Vc: cut-off velocity, m/s, > 0.

    Raises:
        ValueError: if `Vc` is not positive.

    Example:
        >>> print(Composite(Vc=1e-8).exact)
        False

    Source: Kato & Tullis (2001).
    """

    Vc: Number = 1e-8

    exact: ClassVar[bool] = False

    def __check_init__(self) -> None:
        _checks.positive("Composite Vc", self.Vc)

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        q = V * theta / Dc
        return jnp.exp(-V / self.Vc) - q * safe_log(q)

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        healing = jnp.exp(-V / self.Vc) * safe_exp(-log_theta)
        return healing - (V / Dc) * _log_q(V, log_theta, Dc)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V) + _lambert_w(jnp.exp(-V / self.Vc))

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        raise ValueError("the composite law has no closed form; pass a diffrax solver")


def _log_q(V: Number, log_theta: Number, Dc: Number) -> Number:
    """ln(Vθ/Dc), held within the range of exponents."""
    return jnp.clip(safe_log(V / Dc) + log_theta, SMALLEST_EXPONENT, -SMALLEST_EXPONENT)


def _lambert_w(x: Number) -> Number:
    """W(x) on [0, 1] by Halley's iteration, differentiated through: converged to every order."""
    w = x / (1 + x)
    for _ in range(5):
        fall = x * jnp.exp(-w)
        excess, slope = w - fall, 1 + fall
        w = w - excess / (slope + excess * fall / (2 * slope))
    return w

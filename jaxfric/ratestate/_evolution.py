"""Evolution laws of the state variable θ: how an interface ages and forgets.

Every law gives θ' at a velocity V, the same in ln θ (what the solvers integrate: θ spans ten
decades in a stick-slip cycle), its steady state and, where one is known, the exact solution at
constant V. `q = Vθ/Dc` throughout: at steady state q = 1 (PRZ: 2), and r = V dt/Dc is the slip of
a step in units of Dc.
"""

import dataclasses
from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from jaxfric import _checks, _show
from jaxfric._types import Number
from jaxfric.ratestate._numerics import (
    SMALLEST_EXPONENT,
    decay,
    lambert_w,
    safe_exp,
    safe_log,
    tanh_ratio,
)


class AbstractEvolution(eqx.Module):
    """How one state variable θ (s) changes at a sliding velocity V (m/s).

    A law of your own is a subclass with the four methods; nothing else needs to know of it. If its
    state also changes with the friction itself, θ' = rate − (c/b) θ μ', set `coupled` and return c
    from `weakening`: the law object solves for μ', which all states share, so `rate`, `log_rate`
    and `log_steady` stay those without the term, and only `advance` holds it, for a single state
    of the classical form.
    """

    # Whether `advance` is a closed form at constant velocity
    exact: ClassVar[bool] = True
    # f in the friction term b ln(V0 θ/(f Dc)), which makes it vanish in steady sliding at V0
    length_factor: ClassVar[float] = 1.0
    # Whether θ' holds a term in μ'
    coupled: ClassVar[bool] = False

    def __repr__(self) -> str:
        # Fields of a class of the user's own too; units are not known here
        values = {f.name: (getattr(self, f.name), "") for f in dataclasses.fields(self)}
        return _show.fields(type(self).__name__, values)

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


class _AgingRates(AbstractEvolution):
    """The rates that the aging law and Nagata's share."""

    def rate(self, V: Number, theta: Number, Dc: Number) -> Number:
        return 1 - V * theta / Dc

    def log_rate(self, V: Number, log_theta: Number, Dc: Number) -> Number:
        # θ'/θ = 1/θ − V/Dc
        return safe_exp(-log_theta) - V / Dc

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V)


class Aging(_AgingRates):
    """Aging (Dieterich) law: θ' = 1 − q; heals with time at rest.

    Example:
        >>> import jax.numpy as jnp
        >>> theta = Aging().advance(jnp.array(10.0), jnp.array(0.0), jnp.array(90.0), 1e-5)
        >>> print(theta)  # at rest, age is time
        100.0

    Source: Dieterich (1979); Ruina (1983).
    """

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # θ = θ0 e^{−r} + dt (1 − e^{−r})/r. Not Dc/V + (θ0 − Dc/V) e^{−r}: in a hold both terms
        # are huge and cancel in float32, and V = 0 divides by zero
        r = V * dt / Dc
        return theta * jnp.exp(-r) + dt * decay(r)


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
        # θ'/θ = −(V/Dc) ln q
        return -(V / Dc) * _log_q(V, log_theta, Dc)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # (ln q)' = −(V/Dc) ln q, so ln q = e^{−r} ln q0 and θ = θ0 exp((e^{−r} − 1) ln q0)
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
        # θ'/θ = 1/θ − (V/2Dc)² θ
        return safe_exp(-log_theta) - (V / (2 * Dc)) ** 2 * safe_exp(log_theta)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        return jnp.log(2 * Dc / V)

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # u = q/2 obeys u' = (V/2Dc)(1 − u²), whose solution is u = (u0 + T)/(1 + u0 T) with
        # T = tanh r, r = V dt/2Dc, on both sides of steady state; times 2Dc/V, and with T = r · T/r
        # so that V = 0 gives θ0 + dt
        r = V * dt / (2 * Dc)
        return (theta + dt * tanh_ratio(r)) / (1 + V * theta / (2 * Dc) * jnp.tanh(r))


class Nagata(_AgingRates):
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

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        # At constant V friction changes with the state alone, μ' = b θ'/θ: θ' = 1 − q − c θ', which
        # is the aging law in a time that runs slower by 1 + c
        slowed = dt / (1 + self.c)
        r = V * slowed / Dc
        return theta * jnp.exp(-r) + slowed * decay(r)


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
        # θ'/θ = e^{−V/Vc}/θ − (V/Dc) ln q
        healing = jnp.exp(-V / self.Vc) * safe_exp(-log_theta)
        return healing - (V / Dc) * _log_q(V, log_theta, Dc)

    def log_steady(self, V: Number, Dc: Number) -> Number:
        # e^{−V/Vc} = q ln q has the solution ln q = W(e^{−V/Vc}), between 0 and W(1) = 0.567
        return jnp.log(Dc / V) + lambert_w(jnp.exp(-V / self.Vc))

    def advance(self, theta: Number, V: Number, dt: Number, Dc: Number) -> Number:
        raise ValueError("the composite law has no closed form; pass a diffrax solver")


def _log_q(V: Number, log_theta: Number, Dc: Number) -> Number:
    """ln(Vθ/Dc), held within the range of exponents."""
    # A sum of logarithms: ln θ is what is integrated, and Vθ may overflow. V = 0 gives 0, which
    # V ln q multiplies by zero
    return jnp.clip(safe_log(V / Dc) + log_theta, SMALLEST_EXPONENT, -SMALLEST_EXPONENT)

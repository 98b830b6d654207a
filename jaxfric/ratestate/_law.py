"""Rate-and-state friction laws: the friction coefficient of a velocity and a state."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxfric import _checks, _show
from jaxfric._types import Number, Numbers, Vector
from jaxfric.ratestate._evolution import AbstractEvolution, Aging
from jaxfric.ratestate._law_checks import check_law
from jaxfric.ratestate._numerics import asinh_exp, safe_log
from jaxfric.ratestate._parameters import (
    Coefficient,
    OneParameter,
    Parameter,
    State,
    as_tuple,
    value_at,
)

T = TypeVar("T")

if TYPE_CHECKING:
    Evolutions = AbstractEvolution | tuple[AbstractEvolution, ...]
else:
    Evolutions = object  # checked by the law, which names the remedy


class RateStateLaw(eqx.Module):
    """Rate-and-state friction with one or several states.

    classical:    μ = μ0 + a ln(V/V0) + Σ_i b_i ln(V0 θ_i / Dc_i)
    regularised:  μ = a asinh[ V/(2 V0) · exp((μ0 + Σ_i b_i ln(V0 θ_i / Dc_i)) / a) ]

    PRZ states carry 2Dc in place of Dc in the friction term. `a`, `b` and `Dc` may be functions of
    the velocity (`jax.tree_util.Partial`, an equinox or flax module); the terms are a(V) ln(V/V0)
    and so on. The state is θ in seconds: shape `()` when `b` is one number, `(n,)` when it is a
    tuple of n.

    Arguments:
        mu0: friction coefficient of steady sliding at V0, dimensionless.
        a: direct effect, dimensionless.
        b: evolution effect, dimensionless; a tuple for several states.
        Dc: critical slip distance, m; a tuple for several states.
        V0: reference velocity, m/s.
        evolution: `Aging()`, `Slip()`, `PRZ()`, `Nagata(c)` or `Composite(Vc)`; with several
            states, one for all or a tuple.
        form: "classical" or "regularised" (defined down to V = 0).
        alpha: Linker–Dieterich coefficient: θ_i' gains −α_i θ_i σ'/(b_i σ) under a changing normal
            stress σ; a tuple for several states.

    Raises:
        ValueError: if Dc or V0 is not positive, a value is not finite, the numbers of states
            differ, a batch is given, or a function of velocity is not a pytree.

    Example:
        >>> import jax.numpy as jnp
        >>> law = RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
        >>> theta = law.initial(jnp.array(1e-6))
        >>> print(f"{law.friction(jnp.array(1e-5), theta):.4f}")  # 0.6 + a ln 10
        0.6138

    Source: Dieterich (1979), Ruina (1983); regularised form: Rice & Ben-Zion (1996); normal
    stress: Linker & Dieterich (1992).
    """

    mu0: Number
    a: OneParameter
    b: Parameter
    Dc: Parameter
    V0: Number
    evolution: AbstractEvolution | tuple[AbstractEvolution, ...] = Aging()
    form: str = eqx.field(static=True, default="classical")
    alpha: Coefficient = 0.0

    def __init__(
        self,
        mu0: Number,
        a: OneParameter,
        b: Parameter,
        Dc: Parameter,
        V0: Number,
        evolution: Evolutions = Aging(),  # noqa: B008 (immutable)
        form: str = "classical",
        alpha: Coefficient = 0.0,
    ):
        self.mu0, self.a, self.V0 = mu0, a, V0
        self.b, self.Dc = _from_list(b), _from_list(Dc)
        self.evolution, self.alpha = _from_list(evolution), _from_list(alpha)
        if form not in ("classical", "regularised"):
            raise ValueError(f"form must be 'classical' or 'regularised'; got {form!r}")
        self.form = form
        # One evolution serves all states, and an alpha of zero is no effect on any of them; another
        # alpha must say how it divides among the states
        if isinstance(self.b, tuple) and isinstance(self.Dc, tuple):
            if not isinstance(self.evolution, tuple):
                self.evolution = (self.evolution,) * len(self.b)
            if not self._linker:
                self.alpha = (0.0,) * len(self.b)
        check_law(
            mu0=self.mu0, a=self.a, b=self.b, Dc=self.Dc, V0=self.V0, evolution=self.evolution,
            alpha=self.alpha,
        )  # fmt: skip

    # The law protocol ------------------------------------------------------------------------

    def initial(self, V: Number) -> State:
        """θ of steady sliding at velocity `V` (m/s), in s."""
        return jnp.exp(self._stack(lambda i: self._evolutions[i].log_steady(V, self._Dc(i, V))))

    def friction(self, V: Number, state: State) -> Number:
        """Friction coefficient at velocity `V` (m/s) and state θ (s)."""
        return self.log_friction(V, jnp.log(state))

    def rate(self, V: Number, state: State) -> State:
        """θ' at constant velocity and normal stress, dimensionless."""
        if self._coupled:
            # μ' must be solved for, which is done once, in ln θ: θ' = θ (ln θ)'
            return state * self.log_rate(V, jnp.log(state))
        return self._stack(
            lambda i: self._evolutions[i].rate(V, self._part(state, i), self._Dc(i, V))
        )

    def advance(self, state: State, V: Number, dt: Number) -> State:
        """θ after `dt` (s) at constant velocity: the closed form, where `exact` is true."""
        if not self.exact:
            raise ValueError(
                "this law has no closed form at constant velocity; pass a diffrax solver"
            )
        return self._stack(
            lambda i: self._evolutions[i].advance(self._part(state, i), V, dt, self._Dc(i, V))
        )

    # What the simulators use besides -----------------------------------------------------------

    @property
    def exact(self) -> bool:
        """Whether `advance` is a closed form for every state."""
        unsolved = self._coupled and (self.form != "classical" or len(self._evolutions) > 1)
        return all(e.exact for e in self._evolutions) and not unsolved

    @property
    def jumps(self) -> bool:
        """Whether the state jumps where an imposed velocity steps."""
        return self._coupled

    @property
    def valid(self) -> Bool[Array, ""]:
        """False when traced values break the rules that concrete ones are raised for."""
        # Dc and V0 stand in a logarithm; a bad value of another one shows in what is not finite
        lengths = [Dc for Dc in as_tuple(self.Dc) if not callable(Dc)]
        found = jnp.asarray(self.V0) > 0
        for Dc in lengths:
            found = found & (jnp.asarray(Dc) > 0)
        return found

    @property
    def states(self) -> int | None:
        """Number of states when `b` is a tuple, else None (the state has shape `()`)."""
        return len(self.b) if isinstance(self.b, tuple) else None

    def log_friction(self, V: Number, log_state: State) -> Number:
        """Friction coefficient of velocity `V` and ln θ."""
        # ψ = μ0 + Σ_i b_i ln(V0 θ_i / (f_i Dc_i)), f = 2 for PRZ and 1 for the others. A difference
        # of logarithms, for θ itself would overflow where ln θ does not
        a = value_at(self.a, V)
        psi = self.mu0 + sum(
            value_at(b, V)
            * (self._part(log_state, i) - jnp.log(e.length_factor * self._Dc(i, V) / self.V0))
            for i, (b, e) in enumerate(zip(as_tuple(self.b), self._evolutions, strict=True))
        )
        if self.form == "classical":
            return psi + a * jnp.log(V / self.V0)
        # μ = a asinh(e^{log_x}), with log_x = ψ/a + ln(V/2V0): e^{ψ/a} alone is e^{60} at μ = 0.6
        # and a = 0.01. At V = 0 the friction is 0, and 0 ψ keeps its shape and its gradient
        log_x = psi / a + safe_log(V / (2 * self.V0))
        return jnp.where(V > 0, a * asinh_exp(log_x), 0 * psi)

    def log_rate(self, V: Number, log_state: State) -> State:
        """(ln θ)' at constant velocity and normal stress, 1/s."""
        rates = self._stack(
            lambda i: self._evolutions[i].log_rate(V, self._part(log_state, i), self._Dc(i, V))
        )
        if not self._coupled:
            return rates
        # z_i = ln θ_i, μ_i = ∂μ/∂z_i, g_i = the rate without the term in μ':
        # μ' = Σ μ_i z_i',  z_i' = g_i − (c_i/b_i) μ'  ⇒  μ' = Σ μ_i g_i / (1 + Σ μ_i c_i/b_i)
        _, mu_rate = jax.jvp(lambda z: self.log_friction(V, z), (log_state,), (rates,))
        return rates - self._weakening(V) * mu_rate / self._stiffening(V, log_state)

    def log_response(
        self, V: Number, log_state: State, log_V_rate: Number, log_stress_rate: Number
    ) -> State:
        """What (ln θ)' gains from (ln V)' (coupled states) and (ln σ)' (Linker–Dieterich), 1/s."""
        # Zeros of the state's shape and dtype
        response = 0 * log_state
        if self._linker:
            # Linker & Dieterich (1992): (ln θ_i)' gains −(α_i/b_i) (ln σ)'
            response = response - log_stress_rate * self._stack(
                lambda i: jnp.asarray(self._alpha_over_b(i, V), jnp.result_type(log_state))
            )
        if self._coupled:
            # As in `log_rate`, with what changes friction here: (ln V)' and the response so far
            _, mu_rate = jax.jvp(
                lambda w, z: self.log_friction(V * jnp.exp(w), z),
                (0 * V, log_state),
                (log_V_rate + 0 * V, response),
            )
            response = response - self._weakening(V) * mu_rate / self._stiffening(V, log_state)
        return response

    def log_jump(self, V_before: Number, V_after: Number) -> State | None:
        """Change of ln θ when an imposed velocity steps; None where θ is continuous."""
        if not self._coupled:
            return None
        if callable(self.a):
            raise ValueError(
                "a state that weakens with stress, with a(V) under an imposed velocity step, "
                "depends on the path of the step; load through spring_slider instead"
            )
        # z_i' = g_i − (c_i/b_i) μ' over a step of no duration: z_i + (c_i/b_i) μ is continuous, so
        # Δz_i = −(c_i/b_i) Δμ. With Δμ = a Δ ln V + Σ b_i Δz_i, Δμ = a Δ ln V/(1 + Σ c_i), which
        # gives Δz_i as below. The same in the regularised form, whose derivatives differ from the
        # classical ones by tanh(μ/a): 1 to rounding for μ > 20 a
        weakening = self._weakening(V_after)
        total = 1 + sum(e.weakening for e in self._evolutions if e.coupled)
        return -weakening * value_at(self.a, V_after) / total * jnp.log(V_after / V_before)

    # Pieces --------------------------------------------------------------------------------------

    @property
    def _evolutions(self) -> tuple[AbstractEvolution, ...]:
        return self.evolution if isinstance(self.evolution, tuple) else (self.evolution,)

    @property
    def _coupled(self) -> bool:
        return any(e.coupled for e in self._evolutions)

    @property
    def _linker(self) -> bool:
        """Whether the state feels a changing normal stress; a traced alpha may do so."""
        return not _checks.is_concrete(self.alpha) or bool(np.any(cast(Numbers, self.alpha)))

    def __repr__(self) -> str:
        units = {"mu0": "", "a": "", "b": "", "Dc": "m", "V0": "m/s", "evolution": "", "form": ""}
        if self._linker:
            units["alpha"] = ""
        return _show.fields("RateStateLaw", {x: (getattr(self, x), units[x]) for x in units})

    def _Dc(self, i: int, V: Number) -> Number:
        return value_at(as_tuple(self.Dc)[i], V)

    def _part(self, state: State, i: int) -> Number:
        return state if self.states is None else cast(Vector, state)[i]

    def _stack(self, part: Callable[[int], Number]) -> State:
        """One value for each state, in the shape of the state."""
        if self.states is None:
            return part(0)
        return jnp.stack([part(i) for i in range(self.states)])

    def _alpha_over_b(self, i: int, V: Number) -> Number:
        alpha = self.alpha[i] if isinstance(self.alpha, tuple) else self.alpha
        b = value_at(as_tuple(self.b)[i], V)
        off = jnp.asarray(alpha) == 0  # b may then be zero too
        return jnp.where(off, 0, alpha / jnp.where(off, 1, b))

    def _weakening(self, V: Number) -> State:
        """c_i/b_i of the coupled states, 0 of the others."""

        def part(i: int) -> Number:
            evolution = self._evolutions[i]
            # b of an uncoupled state may be zero: nothing is divided by it
            if not evolution.coupled:
                return jnp.zeros((), jnp.result_type(V))
            ratio = evolution.weakening / value_at(as_tuple(self.b)[i], V)
            return jnp.asarray(ratio, jnp.result_type(V))

        return self._stack(part)

    def _stiffening(self, V: Number, log_state: State) -> Number:
        """1 + Σ (∂μ/∂ψ_i) c_i/b_i."""
        _, coupling = jax.jvp(
            lambda z: self.log_friction(V, z), (log_state,), (self._weakening(V),)
        )
        return 1 + coupling


def _from_list(x: T) -> T:
    """A list of one entry for each state is a tuple: it then is part of the law's structure."""
    return cast(T, tuple(x)) if isinstance(x, list) else x

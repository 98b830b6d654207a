"""Rate-and-state friction laws: the friction coefficient of a velocity and a state."""

from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxfric import _checks
from jaxfric._types import Number
from jaxfric.ratestate._evolution import (
    AbstractEvolution,
    Aging,
    safe_log,
)
from jaxfric.ratestate._parameters import Parameter, State, check_parameter, value_at


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
    a: Parameter
    b: Parameter
    Dc: Parameter
    V0: Number
    evolution: AbstractEvolution | tuple[AbstractEvolution, ...] = Aging()
    form: Literal["classical", "regularised"] = eqx.field(static=True, default="classical")
    alpha: Parameter = 0.0

    def __init__(
        self,
        mu0: Number,
        a: Parameter,
        b: Parameter,
        Dc: Parameter,
        V0: Number,
        evolution: Any = Aging(),  # noqa: B008 (immutable)
        form: str = "classical",
        alpha: Parameter = 0.0,
    ):
        self.mu0, self.a, self.V0 = mu0, a, V0
        self.b, self.Dc, self.evolution, self.alpha = (
            tuple(x) if isinstance(x, list) else x for x in (b, Dc, evolution, alpha)
        )
        if form not in ("classical", "regularised"):
            raise ValueError(f"form must be 'classical' or 'regularised'; got {form!r}")
        self.form = form  # type: ignore[assignment]
        if isinstance(self.b, tuple) and isinstance(self.Dc, tuple):
            if not isinstance(self.evolution, tuple):
                self.evolution = (self.evolution,) * len(self.b)
            if _checks.is_concrete(self.alpha) and not np.any(self.alpha):
                self.alpha = (0.0,) * len(self.b)
        self._check()

    def _check(self) -> None:
        _checks.finite("mu0", self.mu0)
        _checks.positive("V0", self.V0)
        check_parameter("a", self.a, _checks.finite)
        several = {
            "b": self.b,
            "Dc": self.Dc,
            "evolution": self.evolution,
        }
        counts = {k: len(v) if isinstance(v, tuple) else None for k, v in several.items()}
        if isinstance(self.alpha, tuple):
            counts["alpha"] = len(self.alpha)
        elif counts["b"] is not None and counts["Dc"] is not None:
            raise ValueError("alpha needs one value per state: give a tuple as long as b")
        if len(set(counts.values())) > 1 or 0 in counts.values():
            raise ValueError(
                "b, Dc and evolution must all be single or tuples of one length (one entry a "
                f"state); got {', '.join(f'{k}: {v or 1}' for k, v in counts.items())}"
            )
        for b in _as_tuple(self.b):
            check_parameter("b", b, _checks.finite)
        for Dc in _as_tuple(self.Dc):
            check_parameter("Dc", Dc, _checks.positive)
        for alpha in _as_tuple(self.alpha):
            _checks.finite("alpha", alpha)
        for evolution in _as_tuple(self.evolution):
            if not isinstance(evolution, AbstractEvolution):
                raise ValueError(
                    "evolution must be an instance of Aging, Slip, PRZ, Nagata, Composite or a "
                    f"class of your own under AbstractEvolution; got {evolution!r}"
                )
        for evolution, b in zip(self._evolutions, _as_tuple(self.b), strict=True):
            if evolution.coupled and callable(b):
                raise ValueError(
                    f"{type(evolution).__name__} divides by b: give b as a number, not a function "
                    "of V"
                )

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
    def invalid(self) -> Bool[Array, ""] | bool:
        """True when traced values break the rules that concrete ones are raised for."""
        lengths = [Dc for Dc in _as_tuple(self.Dc) if not callable(Dc)]
        bad: Any = ~(jnp.asarray(self.V0) > 0)
        for Dc in lengths:
            bad = bad | ~(jnp.asarray(Dc) > 0)
        return bad

    @property
    def states(self) -> int | None:
        """Number of states when `b` is a tuple, else None (the state has shape `()`)."""
        return len(self.b) if isinstance(self.b, tuple) else None

    def log_friction(self, V: Number, log_state: State) -> Number:
        """Friction coefficient of velocity `V` and ln θ."""
        a = value_at(self.a, V)
        psi = self.mu0 + sum(
            value_at(b, V)
            * (self._part(log_state, i) - jnp.log(e.length_factor * self._Dc(i, V) / self.V0))
            for i, (b, e) in enumerate(zip(_as_tuple(self.b), self._evolutions, strict=True))
        )
        if self.form == "classical":
            return psi + a * jnp.log(V / self.V0)
        log_x = psi / a + safe_log(V / (2 * self.V0))
        return jnp.where(V > 0, a * _asinh_exp(log_x), 0 * psi)

    def log_rate(self, V: Number, log_state: State) -> State:
        """(ln θ)' at constant velocity and normal stress, 1/s."""
        rates = self._stack(
            lambda i: self._evolutions[i].log_rate(V, self._part(log_state, i), self._Dc(i, V))
        )
        if not self._coupled:
            return rates
        # μ' = Σ μ_ψ ψ', ψ_i' = g_i − (c_i/b_i) μ'  ⇒  μ' = Σ μ_ψ g / (1 + Σ μ_ψ c/b)
        _, mu_rate = jax.jvp(lambda z: self.log_friction(V, z), (log_state,), (rates,))
        return rates - self._weakening(V) * mu_rate / self._stiffening(V, log_state)

    def log_response(
        self, V: Number, log_state: State, log_V_rate: Any, log_stress_rate: Any
    ) -> State:
        """What (ln θ)' gains from (ln V)' (coupled states) and (ln σ)' (Linker–Dieterich), 1/s."""
        response = 0 * log_state
        if self._linker:
            response = response - log_stress_rate * self._stack(
                lambda i: jnp.asarray(self._alpha_over_b(i, V), jnp.result_type(log_state))
            )
        if self._coupled:
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
        # φ = ψ + (c/b) μ is continuous; tanh(μ/a) = 1 in the regularised form
        weakening = self._weakening(V_after)
        total = 1 + sum(e.weakening for e in self._evolutions if e.coupled)
        return -weakening * value_at(self.a, V_after) / total * jnp.log(V_after / V_before)

    # Pieces --------------------------------------------------------------------------------------

    @property
    def _evolutions(self) -> tuple[AbstractEvolution, ...]:
        return _as_tuple(self.evolution)

    @property
    def _coupled(self) -> bool:
        return any(e.coupled for e in self._evolutions)

    @property
    def _linker(self) -> bool:
        return not _checks.is_concrete(self.alpha) or bool(np.any(self.alpha))

    def _Dc(self, i: int, V: Number) -> Any:
        return value_at(_as_tuple(self.Dc)[i], V)

    def _part(self, state: State, i: int) -> Number:
        return state if self.states is None else state[i]

    def _stack(self, part: Callable[[int], Any]) -> Array:
        if self.states is None:
            return part(0)
        return jnp.stack([part(i) for i in range(self.states)])

    def _alpha_over_b(self, i: int, V: Number) -> Any:
        alpha, b = _as_tuple(self.alpha)[i], value_at(_as_tuple(self.b)[i], V)
        off = jnp.asarray(alpha) == 0  # b may then be zero too
        return jnp.where(off, 0, alpha / jnp.where(off, 1, b))

    def _weakening(self, V: Number) -> Array:
        """c_i/b_i of the coupled states, 0 of the others."""

        def part(i: int) -> Array:
            evolution = self._evolutions[i]
            ratio = evolution.weakening / _as_tuple(self.b)[i] if evolution.coupled else 0.0
            return jnp.asarray(ratio, jnp.result_type(V))

        return self._stack(part)

    def _stiffening(self, V: Number, log_state: State) -> Number:
        """1 + Σ (∂μ/∂ψ_i) c_i/b_i."""
        _, coupling = jax.jvp(
            lambda z: self.log_friction(V, z), (log_state,), (self._weakening(V),)
        )
        return 1 + coupling


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _asinh_exp(x: Number) -> Number:
    """asinh(e^x) without overflow for any x."""
    high, low = jnp.maximum(x, 0), jnp.minimum(x, 0)
    return jnp.where(
        x > 0, high + jnp.log1p(jnp.sqrt(1 + jnp.exp(-2 * high))), jnp.arcsinh(jnp.exp(low))
    )

"""A fault of several patches between a compliant loader and its neighbours."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric.ratestate import RateStateLaw

Vector = Float[Array, " n"]


class FaultChain(eqx.Module):
    """Patches of rate-and-state friction in a row, pulled by a plate on a compliant loader.

    Each patch i carries the shear stress of its leaf spring and of its neighbours,

    τ_i = f_i + c (u_{i+1} − 2 u_i + u_{i−1}) = σ_i μ_i(V_i, θ_i) + η V_i,
    f_i = l_i (1 − exp(−k (X − u_i) / l_i)),    df_i/d(X − u_i) = k (1 − f_i/l_i),

    the plate X is pulled by the load point x through the loader, F = mean τ_i,

    F = L (1 − exp(−K (x − X) / L)),    dF/d(x − X) = K (1 − F/L),

    which holds without delay if the plate has no mass; with one,

    M X'' = F − mean τ_i + C (x' − X'),

    it overshoots: an event that starts higher stops lower, as on a laboratory's frame of steel.

    and the strength of a patch may change along its path and drift with time,

    μ_i → μ_i + r Σ_j sin(2π u_i/λ_j + φ_ij)/√m + d_i (1 − exp(−t/T)).

    A loader with a limit L and leaves with limits l_i, gouge that softens towards its strength,
    make curved loading; a spring whose limit is ∞ is linear. Roughness of wavelengths that have
    no common multiple makes events aperiodic.

    Arguments:
        law: `RateStateLaw` with parameters of shape (n,): `patches(...)` makes one.
        normal_stress: σ, (n,) or one number, Pa.
        loader: K, Pa/m.
        leaf: k, Pa/m.
        coupling: c, Pa/m; the ends of the row are free.
        damping: η, Pa s/m; (shear modulus)/(2 shear velocity) for radiation into two half-spaces.
        limit: L, Pa.
        leaf_limit: l, (n,) or one number, Pa.
        roughness: r, dimensionless.
        wavelengths: λ, (m,), m.
        phases: φ, (n, m), radians.
        drift: d, (n,) or one number, dimensionless.
        drift_time: T, s.
        mass: per unit area, kg/m²: turns V² into kinetic energy; no inertia.
        plate_mass: M, kg/m²; None for a plate that is always in balance. The solver follows the
            plate's oscillations, of period 2π √(M/(K + k)) while the patches hold.
        plate_damping: C, Pa s/m, of those.

    Raises:
        ValueError: for shapes that do not fit, or values out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.fault import patches
        >>> law = patches(mu0=0.6, a=0.01, b=jnp.array([0.015, 0.016]), Dc=1e-6, V0=1e-6)
        >>> chain = FaultChain(law, 5e6, loader=1e10, leaf=1e10, coupling=1e9, damping=1e6)
        >>> chain.patches, chain.normal_stress.shape
        (2, (2,))

    Source: Burridge & Knopoff (1967) with the friction of Dieterich and Ruina, quasi-dynamic as in
    Rice (1993); the limit of the loader and the drift are ours.
    """

    law: RateStateLaw
    normal_stress: Vector
    loader: Any
    leaf: Any
    coupling: Any
    damping: Any
    limit: Any
    leaf_limit: Vector
    roughness: Any
    wavelengths: Float[Array, " m"]
    phases: Float[Array, "n m"]
    drift: Vector
    drift_time: Any
    mass: Any
    plate_mass: Any
    plate_damping: Any

    def __init__(
        self,
        law: RateStateLaw,
        normal_stress: Any,
        *,
        loader: Any,
        leaf: Any,
        coupling: Any,
        damping: Any,
        limit: Any = np.inf,
        leaf_limit: Any = np.inf,
        roughness: Any = 0.0,
        wavelengths: Any = (1.0,),
        phases: Any = 0.0,
        drift: Any = 0.0,
        drift_time: Any = 1.0,
        mass: Any = 1.0,
        plate_mass: Any = None,
        plate_damping: Any = 0.0,
    ):
        if np.ndim(law.Dc) != 1:
            raise ValueError(
                f"the law needs parameters of shape (patches,); Dc has shape {np.shape(law.Dc)}. "
                "Make it with fault.patches; for a batch of chains, use jax.vmap"
            )
        shape = np.shape(law.Dc)
        dtype = jnp.result_type(law.Dc)
        self.law = law
        self.normal_stress = _spread("normal_stress", normal_stress, shape, dtype)
        self.drift = _spread("drift", drift, shape, dtype)
        self.leaf_limit = _spread("leaf_limit", leaf_limit, shape, dtype)
        self.loader, self.leaf, self.coupling = loader, leaf, coupling
        self.damping, self.limit, self.roughness = damping, limit, roughness
        self.wavelengths = jnp.asarray(wavelengths, dtype)
        if self.wavelengths.ndim != 1 or self.wavelengths.size == 0:
            raise ValueError(f"wavelengths must have shape (m,); got {self.wavelengths.shape}")
        several = (*shape, self.wavelengths.size)
        if np.shape(phases) not in ((), several):
            raise ValueError(f"phases must have shape {several}; got {np.shape(phases)}")
        self.phases = jnp.broadcast_to(jnp.asarray(phases, dtype), several)
        self.drift_time, self.mass = drift_time, mass
        self.plate_mass, self.plate_damping = plate_mass, plate_damping
        self._check()

    def _check(self) -> None:
        for name, value in self._positive().items():
            if not isinstance(value, jax.core.Tracer) and not np.all(np.asarray(value) > 0):
                raise ValueError(f"{name} must be positive; got {np.asarray(value).tolist()}")
        for name, value in self._not_negative().items():
            if not isinstance(value, jax.core.Tracer) and not value >= 0:
                raise ValueError(f"{name} must not be negative; got {value}")

    def _positive(self) -> dict[str, Any]:
        names = ["normal_stress", "loader", "leaf", "damping", "limit", "leaf_limit",
                 "drift_time", "wavelengths", "mass"]  # fmt: skip
        names += [] if self.plate_mass is None else ["plate_mass"]
        return {name: getattr(self, name) for name in names}

    def _not_negative(self) -> dict[str, Any]:
        return {"coupling": self.coupling, "plate_damping": self.plate_damping}

    @property
    def invalid(self) -> Bool[Array, ""]:
        """Whether a parameter is out of range: what could not be checked while it was traced."""
        good = [jnp.all(jnp.asarray(x) > 0) for x in self._positive().values()]
        good += [jnp.all(jnp.asarray(x) >= 0) for x in self._not_negative().values()]
        return ~jnp.all(jnp.stack(good))

    @property
    def patches(self) -> int:
        """Number of patches."""
        return int(self.normal_stress.shape[0])

    def friction(self, V: Vector, log_state: Vector) -> Vector:
        """μ_i without drift."""
        return jax.vmap(lambda law, v, z: law.log_friction(v, z))(self.law, V, log_state)

    def log_state_rate(self, V: Vector, log_state: Vector) -> Vector:
        """(ln θ_i)' at constant velocity and normal stress, 1/s."""
        return jax.vmap(lambda law, v, z: law.log_rate(v, z))(self.law, V, log_state)

    def log_state_response(
        self, V: Vector, log_state: Vector, log_V_rate: Any, log_stress_rate: Any
    ) -> Vector:
        """What (ln θ_i)' gains from (ln V)' (Nagata) and (ln σ)' (Linker–Dieterich), 1/s."""
        return jax.vmap(lambda law, v, z: law.log_response(v, z, log_V_rate, log_stress_rate))(
            self.law, V, log_state
        )

    def added(self, t: Any, slip: Vector) -> Vector:
        """What roughness and drift add to the strength at time `t`."""
        path = 2 * jnp.pi * slip[:, None] / self.wavelengths[None] + self.phases
        rough = jnp.sum(jnp.sin(path), axis=1) / self.wavelengths.size**0.5
        return self.roughness * rough + self.drift * self._drifted(t)

    def level(self, t: Any) -> Array:
        """What the drift adds to the bulk friction at times `t`, dimensionless."""
        mean = jnp.mean(self.normal_stress * self.drift) / jnp.mean(self.normal_stress)
        return mean * self._drifted(t)

    def _drifted(self, t: Any) -> Any:
        """Share of its drift that the strength has undergone."""
        return 1 - jnp.exp(-t / self.drift_time)

    def stress(
        self, t: Any, V: Vector, log_state: Vector, slip: Vector, ratio: Any = 1.0
    ) -> Vector:
        """τ_i, Pa; `ratio` is the normal stress over that of the chain."""
        strength = self.friction(V, log_state) + self.added(t, slip)
        return ratio * self.normal_stress * strength + self.damping * V

    def pulled(self, X_rate: Any, V: Vector, leaves: Vector) -> Vector:
        """τ_i', Pa/s, by leaves of tangent stiffness `leaves` and by the neighbours."""
        return leaves * (X_rate - V) + self.coupling * _bend(V)

    def tangents(self, stress: Vector, slip: Vector) -> Vector:
        """k (1 − f_i/l_i), Pa/m: stiffness of the leaves, f_i being what neighbours do not pull."""
        return self.leaf * (1 - (stress - self.coupling * _bend(slip)) / self.leaf_limit)

    def overloaded(self, stress: Vector, slip: Vector) -> Bool[Array, ""]:
        """Whether a spring is at or past its limit, where it would pull backwards."""
        leaves = stress - self.coupling * _bend(slip)
        return (jnp.mean(stress) >= self.limit) | jnp.any(leaves >= self.leaf_limit)

    def plate_start(self, load: Any, V: Vector, force: Any, leaves: Vector) -> Array:
        """Stretch and velocity of a plate with a mass that begins in balance; () of one without."""
        if self.plate_mass is None:
            return jnp.zeros(0, V.dtype)
        linear, limit = self._limit()
        share = jnp.where(linear | (force >= limit), 0.0, force / limit)  # `overloaded` tells
        curved = -limit / self.loader * jnp.log1p(-share)
        stretch = jnp.where(linear, force / self.loader, curved)
        return jnp.stack([stretch, self._in_balance(load, V, force, leaves)]) / self._units()

    def plate_rates(
        self, load: Any, V: Vector, force: Any, leaves: Vector, plate: Array
    ) -> tuple[Any, Array]:
        """X', and the rates of the plate's state; `force` is the mean stress of the patches."""
        if self.plate_mass is None:
            return self._in_balance(load, V, force, leaves), plate
        stretch, velocity = plate * self._units()
        lag = load - velocity
        # The state is the stretch, so that no trial step pulls beyond the limit
        linear, limit = self._limit()
        # without a limit the other branch must not overflow: its gradient would be NaN
        share = jnp.where(linear, 0.0, self.loader * stretch / limit)
        curved = -limit * jnp.expm1(-share)
        pull = jnp.where(linear, self.loader * stretch, curved)
        rates = jnp.stack([lag, (pull - force + self.plate_damping * lag) / self.plate_mass])
        return velocity, rates / self._units()

    def _units(self) -> Array:
        """Of x − X and X': those that change the friction by one, for the solver's tolerance."""
        normal = jnp.mean(self.normal_stress)
        impedance = jnp.sqrt(self.plate_mass * (self.loader + self.leaf))
        return jnp.stack([normal / self.loader, normal / impedance])

    def _limit(self) -> tuple[Any, Any]:
        """Whether the loader is linear, and its limit, or any number if it is."""
        linear = jnp.isinf(self.limit)
        return linear, jnp.where(linear, 1.0, self.limit)

    def _in_balance(self, load: Any, V: Vector, force: Any, leaves: Vector) -> Any:
        """X' from F' = K (1 − F/L) (x' − X') = mean k_i (X' − V_i)."""
        tangent = self.loader * (1 - force / self.limit)
        return (tangent * load + jnp.mean(leaves * V)) / (tangent + jnp.mean(leaves))


def _bend(u: Vector) -> Vector:
    """u_{i+1} − 2 u_i + u_{i−1} of a row with free ends."""
    row = jnp.concatenate([u[:1], u, u[-1:]])
    return row[2:] - 2 * u + row[:-2]


def _spread(name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    value = jnp.asarray(value, dtype)
    if value.shape not in ((), shape):
        raise ValueError(
            f"{name} must be one number or have shape {shape}, one for each patch; got shape "
            f"{value.shape}. For a batch of chains, use jax.vmap"
        )
    return jnp.broadcast_to(value, shape)

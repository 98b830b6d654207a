"""A fault of several patches between a compliant loader and its neighbours."""

from collections.abc import Sequence
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _show
from jaxfric._types import Number, Numbers, Vector
from jaxfric.fault._chain_inputs import check_signs, spread
from jaxfric.ratestate import RateStateLaw

PerPatch = Float[Array, " n"]
# As it is printed, in the order of the arguments
UNITS = {
    "law": "", "normal_stress": "Pa", "loader": "Pa/m", "leaf": "Pa/m", "coupling": "Pa/m",
    "damping": "Pa s/m", "limit": "Pa", "leaf_limit": "Pa", "roughness": "", "wavelengths": "m",
    "phases": "rad", "drift": "", "drift_time": "s", "mass": "kg/m²", "plate_mass": "kg/m²",
    "plate_damping": "Pa s/m",
}  # fmt: skip


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
    normal_stress: PerPatch
    loader: Number
    leaf: Number
    coupling: Number
    damping: Number
    limit: Number
    leaf_limit: PerPatch
    roughness: Number
    wavelengths: Float[Array, " m"]
    phases: Float[Array, "n m"]
    drift: PerPatch
    drift_time: Number
    mass: Number
    plate_mass: Number | None
    plate_damping: Number

    def __init__(
        self,
        law: RateStateLaw,
        normal_stress: Numbers,
        *,
        loader: Number,
        leaf: Number,
        coupling: Number,
        damping: Number,
        limit: Number = np.inf,
        leaf_limit: Numbers = np.inf,
        roughness: Number = 0.0,
        wavelengths: Vector | Sequence[Number] = (1.0,),
        phases: Numbers = 0.0,
        drift: Numbers = 0.0,
        drift_time: Number = 1.0,
        mass: Number = 1.0,
        plate_mass: Number | None = None,
        plate_damping: Number = 0.0,
    ):
        if np.ndim(_Dc(law)) != 1:
            raise ValueError(
                f"the law needs parameters of shape (patches,); Dc has shape {np.shape(_Dc(law))}. "
                "Make it with fault.patches; for a batch of chains, use jax.vmap"
            )
        # The law's patches say how many there are, and in which precision all of it is held
        shape = np.shape(_Dc(law))
        dtype = jnp.result_type(_Dc(law))
        self.law = law
        self.normal_stress = spread("normal_stress", normal_stress, shape, dtype)
        self.drift = spread("drift", drift, shape, dtype)
        self.leaf_limit = spread("leaf_limit", leaf_limit, shape, dtype)
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
        check_signs(positive=self._positive(), not_negative=self._not_negative())

    def _positive(self) -> dict[str, Numbers]:
        names = ["normal_stress", "loader", "leaf", "damping", "limit", "leaf_limit",
                 "drift_time", "wavelengths", "mass"]  # fmt: skip
        names += [] if self.plate_mass is None else ["plate_mass"]
        return {name: getattr(self, name) for name in names}

    def _not_negative(self) -> dict[str, Numbers]:
        return {"coupling": self.coupling, "plate_damping": self.plate_damping}

    @property
    def valid(self) -> Bool[Array, ""]:
        """Whether every parameter is in range: what could not be checked while it was traced."""
        found = [jnp.all(jnp.asarray(x) > 0) for x in self._positive().values()]
        found += [jnp.all(jnp.asarray(x) >= 0) for x in self._not_negative().values()]
        return jnp.all(jnp.stack(found))

    @property
    def patches(self) -> int:
        """Number of patches."""
        return int(self.normal_stress.shape[0])

    def __repr__(self) -> str:
        lines = [
            f"  {name} = {_show.shown(getattr(self, name), unit)}"
            for name, unit in UNITS.items()
            if getattr(self, name) is not None
        ]
        return "\n".join([f"FaultChain of {self.normal_stress.shape[-1]} patches", *lines])

    def friction(self, V: PerPatch, log_state: PerPatch) -> PerPatch:
        """μ_i without roughness and drift."""
        # The law's arrays have a leading axis of patches; it is a law of one state to each of them
        return jax.vmap(lambda law, v, z: law.log_friction(v, z))(self.law, V, log_state)

    def log_state_rate(self, V: PerPatch, log_state: PerPatch) -> PerPatch:
        """(ln θ_i)' at constant velocity and normal stress, 1/s."""
        return jax.vmap(lambda law, v, z: law.log_rate(v, z))(self.law, V, log_state)

    def log_state_response(
        self, V: PerPatch, log_state: PerPatch, log_V_rate: Number, log_stress_rate: Number
    ) -> PerPatch:
        """What (ln θ_i)' gains from (ln V)' (Nagata) and (ln σ)' (Linker–Dieterich), 1/s."""
        return jax.vmap(lambda law, v, z: law.log_response(v, z, log_V_rate, log_stress_rate))(
            self.law, V, log_state
        )

    def added(self, t: Number, slip: PerPatch) -> PerPatch:
        """What roughness and drift add to the strength at time `t`."""
        # r Σ_j sin(2π u_i/λ_j + φ_ij)/√m + d_i (1 − exp(−t/T)): of variance r²/2, whatever m
        path = 2 * jnp.pi * slip[:, None] / self.wavelengths[None] + self.phases
        rough = jnp.sum(jnp.sin(path), axis=1) / self.wavelengths.size**0.5
        return self.roughness * rough + self.drift * self._drifted(t)

    def level(self, t: Numbers) -> Array:
        """What the drift adds to the bulk friction at times `t`, dimensionless."""
        # Patches share the load by their normal stress: Σ σ_i d_i/Σ σ_i
        mean = jnp.mean(self.normal_stress * self.drift) / jnp.mean(self.normal_stress)
        return mean * self._drifted(t)

    def _drifted(self, t: Numbers) -> Array:
        """Share of its drift that the strength has undergone."""
        return 1 - jnp.exp(-t / self.drift_time)

    def stress(
        self, t: Number, V: PerPatch, log_state: PerPatch, slip: PerPatch, ratio: Number = 1.0
    ) -> PerPatch:
        """τ_i, Pa; `ratio` is the normal stress over that of the chain."""
        # τ_i = σ_i (μ_i + what is added) + η V_i
        strength = self.friction(V, log_state) + self.added(t, slip)
        return jnp.asarray(ratio * self.normal_stress * strength + self.damping * V)

    def pulled(self, X_rate: Number, V: PerPatch, leaves: PerPatch) -> PerPatch:
        """τ_i', Pa/s, by leaves of tangent stiffness `leaves` and by the neighbours."""
        # τ_i' = k_i (X' − V_i) + c (V_{i+1} − 2 V_i + V_{i−1}), k_i the tangent of leaf i
        return leaves * (X_rate - V) + self.coupling * _bend(V)

    def tangents(self, stress: PerPatch, slip: PerPatch) -> PerPatch:
        """k (1 − f_i/l_i), Pa/m: tangent stiffness of the leaves."""
        # A leaf carries what the neighbours do not: f_i = τ_i − c (u_{i+1} − 2 u_i + u_{i−1}). By
        # its force rather than its stretch, so that the plate's position need not be known
        force = stress - self.coupling * _bend(slip)
        return jnp.asarray(self.leaf * (1 - force / self.leaf_limit))

    def overloaded(self, stress: PerPatch, slip: PerPatch) -> Bool[Array, ""]:
        """Whether a spring is at or past its limit, where it would pull backwards."""
        # F = mean τ_i is the loader's, f_i a leaf's. Past a limit the tangent is negative, so that
        # stretching the spring would lower its force
        leaves = stress - self.coupling * _bend(slip)
        return (jnp.mean(stress) >= self.limit) | jnp.any(leaves >= self.leaf_limit)


def _bend(u: PerPatch) -> PerPatch:
    """u_{i+1} − 2 u_i + u_{i−1} of a row with free ends."""
    # A free end has a neighbour that moves along, and pulls at nothing
    row = jnp.concatenate([u[:1], u, u[-1:]])
    return row[2:] - 2 * u + row[:-2]


def _Dc(law: RateStateLaw) -> Numbers:
    """Dc of the patches, (n,): one state each."""
    return cast(Numbers, law.Dc)

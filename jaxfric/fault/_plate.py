"""The plate between the loader and the patches.

Without a mass it is in balance at every instant, and has a velocity but no state. With one,

(1)  M X'' = F − mean τ_i + C (x' − X'),    F = L (1 − exp(−K (x − X)/L)),

its state are the stretch of the loader x − X and the velocity X'. The stretch, not the force: no
trial step of the solver can then pull beyond the limit L, which a force that is integrated might
overshoot.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric._types import Number
from jaxfric.fault._chain import FaultChain, PerPatch

Scalar = Float[Array, ""]
Plate = Float[Array, " plate"]  # (2,), or (0,) of a plate without mass


def plate_start(
    chain: FaultChain, load: Scalar, V: PerPatch, force: Scalar, leaves: PerPatch
) -> Plate:
    """The plate's state where it begins in balance.

    Arguments:
        chain: the chain.
        load: x', m/s.
        V: V_i, m/s.
        force: F = mean τ_i, Pa.
        leaves: tangent stiffness of the leaves, Pa/m.
    """
    if chain.plate_mass is None:
        return jnp.zeros(0, V.dtype)
    linear, limit = _limit(chain)
    # F = L (1 − exp(−K s/L)) solved for the stretch s. A force at or past the limit has none: it is
    # replaced here, and refused by `FaultChain.overloaded`
    share = jnp.where(linear | (force >= limit), 0.0, force / limit)
    curved = -limit / chain.loader * jnp.log1p(-share)
    stretch = jnp.where(linear, force / chain.loader, curved)
    velocity = _in_balance(chain, load, V, force, leaves)
    return jnp.stack([stretch, velocity]) / _units(chain, chain.plate_mass)


def plate_rates(
    chain: FaultChain, load: Scalar, V: PerPatch, force: Scalar, leaves: PerPatch, plate: Plate
) -> tuple[Scalar, Plate]:
    """X' and the rates of the plate's state; the arguments are those of `plate_start`."""
    if chain.plate_mass is None:
        return _in_balance(chain, load, V, force, leaves), plate
    units = _units(chain, chain.plate_mass)
    stretch, velocity = plate * units
    lag = load - velocity  # (x − X)'
    linear, limit = _limit(chain)
    # Without a limit the other branch must not overflow: its gradient would be NaN
    share = jnp.where(linear, 0.0, chain.loader * stretch / limit)
    curved = -limit * jnp.expm1(-share)
    pull = jnp.where(linear, chain.loader * stretch, curved)
    # (1)
    acceleration = (pull - force + chain.plate_damping * lag) / chain.plate_mass
    return velocity, jnp.stack([lag, acceleration]) / units


def _units(chain: FaultChain, plate_mass: Number) -> Float[Array, "2"]:
    """Of x − X and X': those that change the friction by one, for the solver's tolerance."""
    # A stretch s pulls by K s; a velocity V, stopped by both springs, by V √(M (K + k))
    normal = jnp.mean(chain.normal_stress)
    impedance = jnp.sqrt(plate_mass * (chain.loader + chain.leaf))
    return jnp.stack([normal / chain.loader, normal / impedance])


def _limit(chain: FaultChain) -> tuple[Array, Array]:
    """Whether the loader is linear, and its limit, or any number if it is."""
    linear = jnp.isinf(chain.limit)
    return linear, jnp.where(linear, 1.0, chain.limit)


def _in_balance(
    chain: FaultChain, load: Scalar, V: PerPatch, force: Scalar, leaves: PerPatch
) -> Scalar:
    """X' of a plate in balance."""
    # F' = K (1 − F/L) (x' − X') = mean k_i (X' − V_i), solved for X'. The neighbours pull at each
    # other and add nothing to the mean
    tangent = chain.loader * (1 - force / chain.limit)
    return jnp.asarray((tangent * load + jnp.mean(leaves * V)) / (tangent + jnp.mean(leaves)))

"""The force between two grains in contact: normal, tangential with history, rolling."""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._types import Number
from jaxfric.gouge._touch import Forces, Limits, Springs, Stiffness, Touch

# Keeps roots and quotients finite where nothing touches; their results are not used there
TINY = 1e-300


class AbstractContact(eqx.Module):
    """A law of contact: stiffness and damping along the normal and the tangent.

    What comes of them is the same for every law: no attraction, a tangential spring that is as
    long as Coulomb's cap allows, and a rolling spring likewise.
    """

    @abc.abstractmethod
    def limits(self) -> "Limits":
        """What the normal force allows along the tangent."""

    @abc.abstractmethod
    def stiffness(self, touch: Touch) -> Stiffness:
        """Of each pair."""

    @abc.abstractmethod
    def duration(self, mass: Number, radius: Number, speed: Number) -> Float[Array, ""]:
        """How long a contact of a pair lasts, s."""

    def forces(self, touch: Touch, springs: Springs, dt: Number) -> tuple[Forces, Springs]:
        """Forces after a step of time in which the springs are stretched.

        F_n = max(k_n δ + γ_n δ', 0)
        F_t = k_t ξ + γ_t v_t, |F_t| <= μ F_n, and ξ shortened to what carries the cap
        """
        touching, limits = touch.overlap > 0, self.limits()
        k = self.stiffness(touch)
        normal = jnp.where(touching, k.normal * touch.overlap + k.damping * touch.closing, 0.0)
        pressing = jnp.maximum(normal, 0.0)
        normal = normal if limits.pulls else pressing
        stretched = springs.shear + touch.shear * dt
        if isinstance(limits.rate, (int, float)) and limits.rate == 0:
            cap = jnp.asarray(limits.friction * pressing)
            viscous = k.tangential_damping * touch.shear
            shear, tangential = _capped(stretched, viscous, k.tangential, cap)
        else:
            shear = _relaxed(springs.shear, touch.shear, k.tangential, pressing, limits, dt)
            tangential = k.tangential * shear
        # A capped spring and no constant torque, which would turn a grain at rest
        rolled = springs.rolling + touch.rolling * dt
        cap = jnp.asarray(limits.rolling * pressing)
        rolling, resisting = _capped(rolled, 0.0, k.tangential, cap)
        kept = Springs(jnp.where(touching, shear, 0.0), jnp.where(touching, rolling, 0.0))
        # The second surface that moves along the tangent is held back, and drags the first along
        force = jnp.where(touching, -tangential, 0.0)
        torque = jnp.where(touching, -resisting * touch.radius, 0.0)
        return Forces(normal, force, torque), kept


class Contact(AbstractContact):
    """Discs whose overlap is resisted in proportion: F_n = k δ + γ δ'.

    The damping makes a head-on collision of restitution e while the normal force is not cut at
    zero: β = −ln e/√(π² + ln² e), γ = 2 β √(k m). With the cut (no attraction at the end of a
    contact) the restitution is a little above e.

    Arguments:
        normal_stiffness: k, Pa for discs (force a metre of thickness over m), N/m for spheres; > 0.
        tangential_ratio: k_t/k_n, >= 0.
        restitution: e, in (0, 1].
        friction: μ of Coulomb's cap, >= 0.
        tangential_damping: γ_t/γ_n, >= 0.
        rolling: cap of the rolling resistance over the normal force, >= 0.
        rate: ã of the friction μ + ã ln(V/V_ref), >= 0; 0 is Coulomb's.
        reference: V_ref of that, m/s, > 0.
        pulls: whether damping may pull grains together at the end of a contact: then the
            restitution is e, and grains that leave each other slowly stick a little.

    Raises:
        ValueError: a (concrete) number out of range.

    Example:
        >>> contact = Contact(1e6, friction=0.5)
        >>> print(f"{contact.damping_ratio:.4f}")
        0.2155

    Source: P. A. Cundall and O. D. L. Strack, Géotechnique 29 (1979) 47.
    """

    normal_stiffness: Number
    tangential_ratio: Number = 2 / 3
    restitution: Number = 0.5
    friction: Number = 0.5
    tangential_damping: Number = 0.0
    rolling: Number = 0.0
    rate: Number = 0.0
    reference: Number = 1.0
    pulls: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        _checks.positive("normal_stiffness", self.normal_stiffness)
        _check_common(self)
        _checks.non_negative("tangential_ratio", self.tangential_ratio)

    @property
    def damping_ratio(self) -> Number:
        """β, the share of critical damping."""
        return damping_ratio(self.restitution)

    def limits(self) -> Limits:
        """What the normal force allows along the tangent."""
        return Limits(self.friction, self.rolling, self.rate, self.reference, self.pulls)

    def stiffness(self, touch: Touch) -> Stiffness:
        """k, γ, k_t and γ_t, which are those of every pair but for its mass."""
        k = jnp.asarray(self.normal_stiffness, touch.overlap.dtype)
        damping = 2 * self.damping_ratio * jnp.sqrt(k * touch.mass)
        along = self.tangential_ratio * k, self.tangential_damping * damping
        return Stiffness(k, *map(jnp.asarray, (damping, *along)))

    def duration(self, mass: Number, radius: Number, speed: Number) -> Float[Array, ""]:
        """π/√(k/m − (γ/2m)²) = π √(m/k)/√(1 − β²), s."""
        del radius, speed
        beta = self.damping_ratio
        return jnp.asarray(math.pi * jnp.sqrt(mass / self.normal_stiffness / (1 - beta**2)))


class HertzContact(AbstractContact):
    """Elastic spheres: Hertz along the normal, Mindlin along the tangent.

        k_n = 4/3 E* √(R δ),  k_t = 8 G* √(R δ),  γ = 2 √(5/6) β √(2 E* √(R δ) m)

    Arguments:
        young_modulus: E of both, Pa, > 0.
        poisson_ratio: ν of both, in [0, 0.5].
        restitution: e, in (0, 1].
        friction: see `Contact`, as the others.
        tangential_damping: over that of the normal.
        rolling: cap over the normal force.
        rate: ã.
        reference: V_ref, m/s.
        pulls: whether damping may pull.

    Raises:
        ValueError: a (concrete) number out of range.

    Source: R. D. Mindlin, J. Appl. Mech. 16 (1949) 259; Y. Tsuji et al., Powder Technol. 71 (1992)
    239.
    """

    young_modulus: Number
    poisson_ratio: Number
    restitution: Number = 0.5
    friction: Number = 0.5
    tangential_damping: Number = 0.0
    rolling: Number = 0.0
    rate: Number = 0.0
    reference: Number = 1.0
    pulls: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        _checks.positive("young_modulus", self.young_modulus)
        _checks.non_negative("poisson_ratio", self.poisson_ratio)
        _check_common(self)

    def limits(self) -> Limits:
        """What the normal force allows along the tangent."""
        return Limits(self.friction, self.rolling, self.rate, self.reference, self.pulls)

    def stiffness(self, touch: Touch) -> Stiffness:
        """Secant stiffness of the normal, so that F = k δ; damping; both along the tangent."""
        nu = self.poisson_ratio
        plane = self.young_modulus / (2 * (1 - nu**2))  # E* of two equal grains
        shear = self.young_modulus / (4 * (1 + nu) * (2 - nu))  # G* = G/(2 (2 − ν))
        # The contact radius; its root is not differentiable where nothing touches
        touching = touch.overlap > 0
        a = jnp.sqrt(jnp.where(touching, touch.radius * touch.overlap, 1.0))
        a = jnp.where(touching, a, 0.0)
        stiff = jnp.where(touching, 2 * plane * a * touch.mass, 1.0)
        damping = 2 * math.sqrt(5 / 6) * damping_ratio(self.restitution) * jnp.sqrt(stiff)
        along = 8 * shear * a, self.tangential_damping * damping
        return Stiffness(*map(jnp.asarray, (4 / 3 * plane * a, damping, *along)))

    def duration(self, mass: Number, radius: Number, speed: Number) -> Float[Array, ""]:
        """2.87 (m²/(R E*² v))^(1/5), s, of an elastic collision at that speed."""
        plane = self.young_modulus / (2 * (1 - self.poisson_ratio**2))
        # K. L. Johnson, Contact Mechanics (1985), eq. 11.24, with m and R of the pair
        return jnp.asarray(2.87 * (mass**2 / (radius * plane**2 * speed)) ** 0.2)


def damping_ratio(restitution: Number) -> Number:
    """β = −ln e/√(π² + ln² e): the share of critical damping that makes a restitution e."""
    log = (
        -jnp.log(jnp.asarray(restitution))
        if hasattr(restitution, "dtype")
        else -math.log(restitution)
    )
    return log / (math.pi**2 + log**2) ** 0.5


def _check_common(contact: Contact | HertzContact) -> None:
    _checks.positive("restitution", contact.restitution)
    if _checks.is_concrete(contact.restitution) and contact.restitution > 1:
        raise ValueError(f"restitution must be at most 1; got {contact.restitution}")
    for name in ("friction", "tangential_damping", "rolling", "rate"):
        _checks.non_negative(name, getattr(contact, name))
    _checks.positive("reference", contact.reference)


def _capped(
    stretch: Array, viscous: Array | float, stiffness: Array, cap: Array
) -> tuple[Array, Array]:
    """A spring and a dashpot whose force is at most `cap`: its length, and the force."""
    wanted = stiffness * stretch + viscous
    # Where no force is wanted there is no direction, and the derivative of a size would be NaN
    size = jnp.abs(wanted)
    slides = size > cap
    force = jnp.where(slides, cap * jnp.sign(wanted), wanted)
    # The spring is shortened to what carries the cap, without the dashpot
    carrying = (force - viscous) / jnp.where(stiffness > 0, stiffness, 1.0)
    return jnp.where(slides & (stiffness > 0), carrying, stretch), force


def _relaxed(
    stretch: Array, velocity: Array, stiffness: Array, normal: Array, law: Limits,
    dt: Number,
) -> Array:  # fmt: skip
    """The tangential spring after a step of creep, F_t/F_n = μ + ã ln(V/V_ref), exactly.

    Regularised as V = 2 W sinh(y), with y = F_t/(ã F_n) and W = V_ref e^(−μ/ã), so that it has
    both directions and rest. Then z = e^y obeys Riccati's equation z' = λ (v z − W z² + W), where
    λ = k_t/(ã F_n): for a velocity v that is constant over the step z is known in closed form.
    """
    pressed = normal > 0
    scale = jnp.where(pressed, law.rate * normal, 1.0)  # ã F_n
    rate = stiffness / scale
    W = law.reference * jnp.exp(-law.friction / jnp.asarray(law.rate))
    y = jnp.where(pressed, stiffness * stretch / scale, 0.0)
    # A normal force that falls within a step leaves a spring longer than any creep could: the bound
    # keeps e^y finite and relaxes at once to what the creep allows
    y = jnp.clip(y, -2 * law.friction / law.rate - 20, 2 * law.friction / law.rate + 20)
    # Backward sliding is forward sliding seen in a mirror: computed as that, nothing cancels
    side = jnp.where(velocity < 0, -1.0, 1.0)
    v, z = jnp.abs(velocity), jnp.exp(side * y)
    root = jnp.sqrt(v**2 + 4 * W**2)
    # The two fixed points, whose product is −1
    up = (v + root) / (2 * W)
    down = -1 / up
    decayed = -jnp.expm1(-rate * root * dt)
    new = down + (up - down) * (z - down) / ((up - down) + (z - up) * decayed)
    y = side * jnp.log(new)
    return jnp.where(pressed, y * scale / jnp.where(stiffness > 0, stiffness, 1.0), 0.0)

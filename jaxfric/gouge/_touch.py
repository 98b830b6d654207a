"""What a law of contact is given, what it gives back, and what it remembers."""

from typing import NamedTuple

from jaxtyping import Array, Float

from jaxfric._types import Number


class Touch(NamedTuple):
    """How two grains meet: arrays with one entry a pair.

    The tangent is the normal (from the first grain to the second) turned by 90° to the left.
    """

    overlap: Float[Array, " pairs"]  # m; at most 0 where they do not touch
    closing: Float[Array, " pairs"]  # its rate, m/s
    shear: Float[Array, " pairs"]  # velocity of the second surface past the first, m/s
    rolling: Float[Array, " pairs"]  # of the first surface on the second, m/s
    radius: Float[Array, " pairs"]  # R_i R_j/(R_i + R_j), m
    mass: Float[Array, " pairs"]  # m_i m_j/(m_i + m_j), kg


class Springs(NamedTuple):
    """What a contact remembers: how far its springs are stretched, m."""

    shear: Float[Array, " pairs"]
    rolling: Float[Array, " pairs"]


class Forces(NamedTuple):
    """Of the first grain on the second: along the normal, along the tangent, and rolling torque."""

    normal: Float[Array, " pairs"]
    tangential: Float[Array, " pairs"]
    torque: Float[Array, " pairs"]


class Stiffness(NamedTuple):
    """Of springs and dashpots: N/m and N s/m (of discs a metre of thickness)."""

    normal: Float[Array, "..."]
    damping: Float[Array, "..."]
    tangential: Float[Array, "..."]
    tangential_damping: Float[Array, "..."]


class Limits(NamedTuple):
    """What a normal force allows: see `Contact`, whose arguments these are."""

    friction: Number
    rolling: Number
    rate: Number
    reference: Number
    pulls: bool

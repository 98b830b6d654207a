"""What drives the top wall of a layer."""

import equinox as eqx

from jaxfric import _checks
from jaxfric._types import Number
from jaxfric.dynamics import VelocityProtocol


class Load(eqx.Module):
    """What drives the top wall.

    M x'' = K (x_lp − x) − shear force,  M y'' = normal force − P − c y', over the wall's area:
    the length of the strip (a metre of thickness). The load point moves at the velocity of the
    protocol.

    Arguments:
        pressure: P, Pa, > 0.
        velocity: a `VelocityProtocol`, or one velocity, m/s.
        stiffness: K, Pa/m; None moves the wall itself at the velocity.
        wall_mass: M, kg/m², > 0.
        damping: c, Pa s/m, along the normal; √(M P/d) of grains of diameter d if None.

    Raises:
        ValueError: a (concrete) number out of range.
    """

    pressure: Number
    velocity: VelocityProtocol
    stiffness: Number | None
    wall_mass: Number
    damping: Number | None

    def __init__(
        self,
        pressure: Number,
        velocity: VelocityProtocol | Number,
        *,
        stiffness: Number | None = None,
        wall_mass: Number,
        damping: Number | None = None,
    ) -> None:
        _checks.positive("pressure", pressure)
        _checks.positive("wall_mass", wall_mass)
        if stiffness is not None:
            _checks.positive("stiffness", stiffness)
        if damping is not None:
            _checks.non_negative("damping", damping)
        if not isinstance(velocity, VelocityProtocol):
            velocity = VelocityProtocol([0.0], [velocity])
        self.pressure, self.velocity, self.stiffness = pressure, velocity, stiffness
        self.wall_mass, self.damping = wall_mass, damping

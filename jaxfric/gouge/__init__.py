"""Granular fault gouge: discs with frictional contacts between rough walls.

contact = Contact(normal_stiffness=1e8, friction=0.5)       # law of contact
grains = layer(contact, pressure=1e6, key=key)               # a packed strip between rough walls
load = Load(1e6, 0.2, stiffness=1e7, wall_mass=74.0)        # a spring pulls its top wall
history = shear(grains, contact, load, t)                    # friction, kinetic energy, slip
history = shear_in_pieces("run", [grains], contact, load, t, samples=20)  # for hours; resumes
"""

from jaxfric.gouge._collide import Flight as Flight, collide as collide
from jaxfric.gouge._contact import (
    AbstractContact as AbstractContact,
    Contact as Contact,
    HertzContact as HertzContact,
)
from jaxfric.gouge._grains import Grains as Grains, Layer as Layer
from jaxfric.gouge._history import GougeHistory as GougeHistory, joined as joined
from jaxfric.gouge._layer import layer as layer
from jaxfric.gouge._load import Load as Load
from jaxfric.gouge._outcome import Outcome as Outcome
from jaxfric.gouge._pieces import (
    Moments as Moments,
    Progress as Progress,
    read_moments as read_moments,
    shear_in_pieces as shear_in_pieces,
)
from jaxfric.gouge._shear import (
    shear as shear,
    shear_batch as shear_batch,
    stacked as stacked,
    steps_between as steps_between,
)
from jaxfric.gouge._state import LayerState as LayerState
from jaxfric.gouge._touch import Springs as Springs, Touch as Touch

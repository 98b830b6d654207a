"""Friction on Demand: rough surfaces for a wanted friction law, from networks and searches.

from jaxfric.studies import metainterface

found = metainterface.design_many(material, loads, target, key=key)   # 16 designs, ranked
make = metainterface.generator()                                      # the network that ships
surface = make(material, loads, target, z)                            # one pass: jit, vmap, grad
"""

from jaxfric.studies.metainterface._canonical import Canonical as Canonical
from jaxfric.studies.metainterface._designs import (
    Generated as Generated,
    design_many as design_many,
    designs as designs,
    diversity as diversity,
)
from jaxfric.studies.metainterface._export import (
    check_export as check_export,
    export as export,
    read_export as read_export,
)
from jaxfric.studies.metainterface._model import (
    Generator as Generator,
    generator as generator,
    load_generator as load_generator,
    save_generator as save_generator,
)
from jaxfric.studies.metainterface._presets import PRESETS as PRESETS, Preset as Preset
from jaxfric.studies.metainterface._study import run as run
from jaxfric.studies.metainterface._summary import table as table
from jaxfric.studies.metainterface._training import train_generator as train_generator

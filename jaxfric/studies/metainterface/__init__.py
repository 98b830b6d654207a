"""Friction on Demand: rough surfaces for a wanted friction law, from networks and searches.

from jaxfric.studies import metainterface

found = metainterface.design_many(material, loads, target, key=key)   # 16 designs, ranked
make = metainterface.trained()                                      # the network that ships
surface = make(material, loads, target, z)                            # one pass: jit, vmap, grad
"""

from typing import TYPE_CHECKING

from jaxfric._lazy import lazy

if TYPE_CHECKING:
    from jaxfric.studies.metainterface._canonical import Canonical as Canonical
    from jaxfric.studies.metainterface._designs import (
        design_many as design_many,
        designs as designs,
    )
    from jaxfric.studies.metainterface._diversity import diversity as diversity
    from jaxfric.studies.metainterface._export import (
        check_export as check_export,
        export as export,
        read_export as read_export,
    )
    from jaxfric.studies.metainterface._generated import Generated as Generated
    from jaxfric.studies.metainterface._model import (
        Generator as Generator,
        load_generator as load_generator,
        save_generator as save_generator,
        trained as trained,
    )
    from jaxfric.studies.metainterface._presets import PRESETS as PRESETS, Preset as Preset
    from jaxfric.studies.metainterface._study import run as run
    from jaxfric.studies.metainterface._summary import table as table
    from jaxfric.studies.metainterface._training import train_generator as train_generator

# Loaded when first asked for: designs need neither the networks of the study nor its optimisers.
_MODULES = {
    "_canonical": ("Canonical",),
    "_designs": ("design_many", "designs"),
    "_diversity": ("diversity",),
    "_export": ("check_export", "export", "read_export"),
    "_generated": ("Generated",),
    "_model": ("Generator", "load_generator", "save_generator", "trained"),
    "_presets": ("PRESETS", "Preset"),
    "_study": ("run",),
    "_summary": ("table",),
    "_training": ("train_generator",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__getattr__, __dir__ = lazy(__name__, _HOMES)

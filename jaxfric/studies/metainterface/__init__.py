"""Friction on Demand: rough surfaces for a wanted friction law, from networks and searches.

from jaxfric.studies import metainterface

found = metainterface.design_many(material, loads, target, key=key)   # 16 designs, ranked
make = metainterface.generator()                                      # the network that ships
surface = make(material, loads, target, z)                            # one pass: jit, vmap, grad
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxfric.studies.metainterface._canonical import Canonical as Canonical
    from jaxfric.studies.metainterface._designs import (
        Generated as Generated,
        design_many as design_many,
        designs as designs,
    )
    from jaxfric.studies.metainterface._diversity import diversity as diversity
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

# Loaded when first asked for: designs need neither the networks of the study nor its optimisers.
_MODULES = {
    "_canonical": ("Canonical",),
    "_designs": ("Generated", "design_many", "designs"),
    "_diversity": ("diversity",),
    "_export": ("check_export", "export", "read_export"),
    "_model": ("Generator", "generator", "load_generator", "save_generator"),
    "_presets": ("PRESETS", "Preset"),
    "_study": ("run",),
    "_summary": ("table",),
    "_training": ("train_generator",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it; Python asks here for what is not loaded."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])

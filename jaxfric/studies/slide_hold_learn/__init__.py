"""Slide, Hold, Learn: networks that learn rate-and-state friction from velocity histories.

from jaxfric.studies import slide_hold_learn

data = slide_hold_learn.sequences(1000, key=key)        # the paper's protocols and friction
network, facts = slide_hold_learn.trained()
error = slide_hold_learn.score(network, data)           # rel-μ and rel-Δμ, mean and median
"""

from jaxfric.studies.slide_hold_learn._data import (
    Sequences as Sequences,
    best_estimate as best_estimate,
    sequences as sequences,
)
from jaxfric.studies.slide_hold_learn._metrics import errors as errors, score as score
from jaxfric.studies.slide_hold_learn._presets import PRESETS as PRESETS, Preset as Preset
from jaxfric.studies.slide_hold_learn._printed import table as table
from jaxfric.studies.slide_hold_learn._recipes import RECIPES as RECIPES, Recipe as Recipe
from jaxfric.studies.slide_hold_learn._study import run as run
from jaxfric.studies.slide_hold_learn._trained import trained as trained

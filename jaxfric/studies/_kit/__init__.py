"""What the studies share: data → models → methods → report, and a folder that outlives a kill.

study = Study("my study", PRESETS, NORM, PAPER, answer, headline)
metrics = study.run("smoke", "out")              # answer(keeper) makes the rows
rows = keeper.step("rows", lambda: [...])        # taken once, however often the study is killed
Method("sequence", part="latent", level="given") # one line of a table; a name is never parsed
"""

from jaxfric.studies._kit._keeper import Keeper as Keeper
from jaxfric.studies._kit._method import Method as Method
from jaxfric.studies._kit._study import (
    FolderInUseError as FolderInUseError,
    Metrics as Metrics,
    Study as Study,
)

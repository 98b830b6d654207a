"""Published studies end to end, and the networks that they trained.

from jaxfric.studies import slide_hold_learn

metrics = slide_hold_learn.run("smoke", "out")          # a table, figures, metrics.json
network, facts = slide_hold_learn.trained()             # the small network that ships
"""

from jaxfric.studies._kit import FolderInUseError as FolderInUseError

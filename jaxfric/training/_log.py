"""What a run tells while it goes: a JSONL file and a progress bar."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

import jax
import numpy as np

from jaxfric._files import written_whole

if TYPE_CHECKING:  # rich is an extra of the application
    from rich.progress import Progress

# Of one evaluation: name → number, or a list with one for each member
Row: TypeAlias = dict[str, int | float | list]


class Log:
    """Rows to `history.jsonl` in a folder, and a bar on the terminal.

    Arguments:
        folder: of the file; none is written if None.
        rows: what is known already (of a resumed run); later rows in the file are dropped.
        epochs: length of the bar.
        progress: whether to show it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        rows: list[Row],
        epochs: int,
        progress: bool,
    ):
        # Of several processes the first one writes: all have the same to say
        self.path = None if folder is None or jax.process_index() else Path(folder)
        self.rows, self.epochs, self.progress = list(rows), epochs, progress
        self.file: TextIO | None = None
        self.bar: Progress | None = None

    def __enter__(self) -> "Log":
        if self.path is not None:
            self.path.mkdir(parents=True, exist_ok=True)
            # Rewritten at the start: a killed run has logged evaluations after its last checkpoint,
            # which the resumed one is going to log again
            target = self.path / "history.jsonl"
            with written_whole(target) as part:
                part.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
            self.file = target.open("a")
        if self.progress and not jax.process_index():
            from rich.console import Console
            from rich.progress import Progress

            # On stderr, so that what a command prints can be piped; off where nobody watches
            console = Console(stderr=True)
            self.bar = Progress(console=console, transient=True, disable=not console.is_terminal)
            self.bar.start()
            done = int(np.max(self.rows[-1]["epoch"])) if self.rows else 0
            self.task = self.bar.add_task("training", total=self.epochs, completed=done)
        return self

    def write(self, row: Row) -> None:
        """One evaluation."""
        if self.file is not None:
            self.file.write(json.dumps(row) + "\n")
            self.file.flush()  # whoever follows the file sees every evaluation, a killed run's too
        if self.bar is not None:
            # Of several members the best loss, and the one that has come furthest
            loss = float(np.min(row["loss"]))
            self.bar.update(
                self.task, completed=float(np.max(row["epoch"])), description=f"loss {loss:.3g}"
            )

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()
        if self.bar is not None:
            self.bar.stop()

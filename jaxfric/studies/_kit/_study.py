"""A study from its preset to metrics.json."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from jaxfric._files import write_json
from jaxfric.studies._kit._environment import environment
from jaxfric.studies._kit._keeper import Keeper

Plan = TypeVar("Plan")  # the preset of a study
# What metrics.json holds, by name. A study that was finished before is read back from its file, and
# JSON keeps no types: a reader has to know the shape of what it asks for
Metrics = dict[str, Any]
# Whatever a study writes into its folder, and so all that `force` may delete
WRITTEN = ("runs", "networks", "metrics.json", "shown.json", "preset.json")


class FolderInUseError(ValueError):
    """The folder holds a study, and the caller did not say whether to resume or replace it."""


class Study(NamedTuple, Generic[Plan]):
    """What makes a study.

    Attributes:
        name: as the command line calls it.
        presets: sizes of a run by name.
        norm: what the numbers are, in a sentence.
        paper: the numbers that the paper printed.
        answer: keeper → everything measured, by name; "rows" is the table.
        headline: metrics → one number for each goal.
    """

    name: str
    presets: Mapping[str, Plan]
    norm: str
    paper: Mapping[str, object]
    answer: Callable[[Keeper[Plan]], Metrics]
    headline: Callable[[Metrics], Metrics]

    def run(
        self, preset: str, out: str | os.PathLike[str], *, resume: bool = False,
        force: bool = False, progress: bool = False,
    ) -> Metrics:  # fmt: skip
        """Take every step that the folder does not have, and write metrics.json.

        Arguments:
            preset: a name of `presets`.
            out: folder for metrics.json, shown.json (what figures need), runs/ and networks/.
            resume: continue what is there; done if it is finished.
            force: begin anew, whatever is there.
            progress: print a line for each step.

        Returns:
            What metrics.json holds.

        Raises:
            ValueError: for an unknown preset.
            FolderInUseError: for a folder that holds a study, unless resume or force is true.
        """
        out = Path(out)
        if preset not in self.presets:
            raise ValueError(f"preset must be one of {', '.join(self.presets)}; got {preset!r}")
        _prepare(out, preset, resume, force)
        # metrics.json is written last, and whole: where it is, every step was taken
        metrics_file = out / "metrics.json"
        if metrics_file.exists():
            finished: Metrics = json.loads(metrics_file.read_text("utf-8"))
            return finished
        began = time.perf_counter()
        keeper = Keeper(self.presets[preset], out, progress)
        metrics: Metrics = {"study": self.name, "preset": preset, "norm": self.norm}
        metrics |= self.answer(keeper)
        metrics |= {
            "paper": self.paper,
            "seconds": keeper.seconds(),
            "seconds_of_this_call": time.perf_counter() - began,
            "environment": environment(),
        }
        # As the file will give it back, where keys are texts and what is not finite is None: the
        # first call returns what later ones do, and a headline is of the same numbers
        partial = out / "partial.json"
        write_json(partial, metrics)
        metrics = json.loads(partial.read_text("utf-8"))
        partial.unlink()
        metrics["headline"] = self.headline(metrics)
        write_json(metrics_file, metrics)
        return metrics


def _prepare(out: Path, preset: str, resume: bool, force: bool) -> None:
    """Make the folder empty, or sure that the runs in it belong to this preset."""
    # The stamp is written before any step, so that a folder without one holds nothing of a study's
    # and nothing in it is ever deleted
    stamp = out / "preset.json"
    if force and stamp.exists():
        for name in WRITTEN:
            target = out / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    if stamp.exists():
        before = json.loads(stamp.read_text("utf-8"))["preset"]
        if before != preset:
            raise FolderInUseError(
                f"{out} holds the preset {before!r}; choose another folder, or force=True to "
                "begin anew"
            )
        if not resume:
            raise FolderInUseError(
                f"{out} holds a study already; resume=True continues it, force=True begins anew, "
                "another folder leaves it alone"
            )
    out.mkdir(parents=True, exist_ok=True)
    write_json(stamp, {"preset": preset})

"""The whole study: every network trained, every method asked for the same laws."""

import os

from jaxfric._files import write_json
from jaxfric.studies._kit import Keeper, Metrics, Study
from jaxfric.studies.metainterface._lines import Line, Lines
from jaxfric.studies.metainterface._presets import PRESETS, Preset
from jaxfric.studies.metainterface._questions import Questions, shown
from jaxfric.studies.metainterface._rows import Row, ask
from jaxfric.studies.metainterface._summary import PAPER, headline
from jaxfric.studies.metainterface._targets import Group, families, random_group
from jaxfric.studies.metainterface._trained import Trained

NORM = (
    "sMAPE = 200 mean |F − T| / (F + T) over 128 evenly spaced loads, percent, of every design; "
    "diversity = RMS difference of the heights that touch between designs of one target, over that "
    "between random surfaces"
)


def run(
    preset: str, out: str | os.PathLike[str], *, resume: bool = False, force: bool = False,
    progress: bool = False,
) -> Metrics:  # fmt: skip
    """Train everything, ask every method for the same laws.

    Every training and every method's rows are kept in `out/runs`, so that a killed study goes on
    where it stopped.

    Arguments:
        preset: "smoke", "laptop" or "paper".
        out: folder for metrics.json, shown.json, runs/, networks/.
        resume: continue what is there.
        force: begin anew.
        progress: print a line for each step.

    Returns:
        What metrics.json holds: rows, analyses, paper, headline, environment.

    Raises:
        ValueError: an unknown preset, or a folder in use.
    """
    return STUDY.run(preset, out, resume=resume, force=force, progress=progress)


def groups(plan: Preset) -> list[list[Group]]:
    """Lists of groups that one program can answer: of the same number of asperities."""
    first, *others = plan.counts
    random = random_group(plan.targets, first)
    # The middle size gets most of the targets, and all of the families; the others tell whether
    # what holds for it holds for few and many asperities too
    half = max(plan.targets // 2, 2)
    return [[random, *families(plan.family, random)], *([random_group(half, n)] for n in others)]


def _answer(keeper: Keeper[Preset]) -> Metrics:
    """Rows of all lines, analyses and training times; and shown.json, for the figures."""
    plan, trained = keeper.plan, Trained(keeper)
    targets = groups(plan)
    rows: list[Row] = []
    for seed in range(plan.seeds):
        for same_size in targets:
            for line in Lines(trained, same_size[0].asperities, seed):
                rows += _rows(keeper, line, same_size, seed)
    few = min(plan.designs, 8)  # that a figure can show beside each other
    write_json(keeper.out / "shown.json", shown(trained.generator(0), targets[0], few))
    return {
        "rows": rows,
        "analyses": Questions(trained, targets).answers(),
        "training_seconds": keeper.training_seconds(),
    }


def _rows(keeper: Keeper[Preset], line: Line, same_size: list[Group], seed: int) -> list[Row]:
    """The rows of one line, a group each; none where the line is not asked."""
    plan, n = keeper.plan, same_size[0].asperities
    asked = [group for group in same_size if group.known or not line.known]
    if line.searched:
        # Tenths of a second for each target, where other lines take milliseconds at the most: fewer
        # targets, and those of the first size alone
        if n != plan.counts[0]:
            return []
        asked = [group.first(plan.searched) for group in asked]

    def make() -> list[Row]:
        # Trains the network first, so that its time is there to be read
        answering = line.build()
        spent = keeper.training_seconds().get(line.network or "")
        return ask(
            line.method, answering, asked, seed=seed, twice=line.twice, training_seconds=spent
        )

    return keeper.step(f"rows_{seed}_{n}_{line.method.file_name}", make)


STUDY = Study(
    name="metainterface",
    presets=PRESETS,
    norm=NORM,
    paper=PAPER,
    answer=_answer,
    headline=headline,
)

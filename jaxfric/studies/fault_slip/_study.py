"""The whole study: networks trained on simulated faults, asked about a laboratory."""

import json
import os
from functools import partial
from pathlib import Path

from jaxtyping import PyTree

from jaxfric._files import write_json
from jaxfric.records import LabquakeRecord
from jaxfric.studies._kit import Keeper, Method, Metrics, Study
from jaxfric.studies.fault_slip import _analyses as analyses
from jaxfric.studies.fault_slip._in_time import in_time
from jaxfric.studies.fault_slip._laboratory import Laboratory, laboratory
from jaxfric.studies.fault_slip._lines import KINDS, MIDDLE, Answers, methods
from jaxfric.studies.fault_slip._presets import PRESETS, Preset
from jaxfric.studies.fault_slip._rows import Row, rows_of, yardsticks
from jaxfric.studies.fault_slip._shown import shown
from jaxfric.studies.fault_slip._summary import PAPER, headline
from jaxfric.studies.fault_slip._trained import Trained

# A sentence for metrics.json and the table. Percentages of friction are small whatever the method,
# as friction itself is far from zero: R² and the yardsticks beside them tell more. What is known of
# the future and of the level is said, because either makes the task easier: the paper's images
# know the one, and it gives the other.
NORM = (
    "MAPE = 100 mean |μ − μ̂| / |μ|, percent, R² and the mean absolute error of the time to failure "
    "(TTF, s) over the last 60 % of the record; causal: nothing after a sample is read for it; "
    "'inferred': the level comes from the cycles seen, 'given': mean and spread of the record are"
)


def run(
    preset: str, out: str | os.PathLike[str], record: LabquakeRecord | None = None, *,
    resume: bool = False, force: bool = False, progress: bool = False,
) -> Metrics:  # fmt: skip
    """Train on simulated faults, tune on a few cycles of a record, predict the rest of it.

    Arguments:
        preset: "smoke", "laptop" or "paper"; "chains", "gouge" or "both" for networks of one size
            that learn from chains of patches, from sheared grains, or from both.
        out: folder for metrics.json, shown.json, runs/, networks/.
        record: a laboratory's, with friction or shear stress; simulated ones outside the training
            ranges take its place if None.
        resume: continue what is there.
        force: begin anew.
        progress: print a line for each step.

    Returns:
        What metrics.json holds: laboratory, rows, paper, headline, environment.

    Raises:
        ValueError: an unknown preset, a folder in use, or a record with too few cycles.
    """
    lab = None if record is None else laboratory(record)
    if lab is not None and preset in PRESETS:
        lab.end_of(max(PRESETS[preset].cycles))  # before hours of training
    study = Study("fault-slip", PRESETS, NORM, PAPER, partial(_answer, lab), headline)
    return study.run(preset, out, resume=resume, force=force, progress=progress)


def _answer(lab: Laboratory | None, keeper: Keeper[Preset]) -> Metrics:
    """Every row of the table; what the figures show is written beside it."""
    plan, step, trained = keeper.plan, keeper.step, Trained(keeper)
    labs = [lab] if lab is not None else analyses.simulated_laboratories(plan)
    trained.train()
    answers = Answers(trained)
    rows: list[Row] = []
    for one in labs:
        rows += _rows(keeper, answers, one)
    # What takes long is asked of one laboratory alone
    first = labs[0]
    rows += step("simulations", lambda: analyses.on_simulations(trained))
    if plan.ablation_steps:
        rows += step("parts", lambda: analyses.parts_of_a_cycle(trained, first))
        rows += step("ablations", lambda: analyses.ablations(trained, first, MIDDLE))
    if plan.time_steps:
        rows += step("times", lambda: analyses.times_by_images(trained, first))
    if plan.simulations == "gouge":
        rows += step("in_time", lambda: in_time(trained))
    if plan.loads:
        rows += step("loads", lambda: analyses.load_series(trained))
    most = MIDDLE if MIDDLE in plan.cycles else plan.cycles[-1]
    by_kind = [answers.ask(Method(kind, "all", "inferred"), first, most) for kind in KINDS]
    write_json(keeper.out / "shown.json", shown(trained, first, most, *by_kind))
    return {"laboratory": [one.name for one in labs], "rows": rows}


def _rows(keeper: Keeper[Preset], answers: Answers, lab: Laboratory) -> list[Row]:
    """Every row of one laboratory."""
    rows: list[Row] = []
    word = lab.name.replace(" ", "-")
    for cycles in keeper.plan.cycles:
        rows += keeper.step(
            f"yardsticks_{word}_{cycles}", partial(yardsticks, lab, cycles, lab.test)
        )
        for method in methods(cycles, keeper.plan):
            # Defaults bind what the loop has now: a closure would see its last method
            def make(method: Method = method, cycles: int = cycles) -> list[Row]:
                answer = answers.ask(method, lab, cycles)
                return rows_of(answer, lab, lab.test, method, cycles)

            rows += keeper.step(f"{word}_{method.file_name}_{cycles}", make)
    return rows


def read_back(out: str | os.PathLike[str]) -> tuple[PyTree, PyTree]:
    """The networks of a finished study.

    Arguments:
        out: folder of the study.

    Returns:
        (`networks.EmissionGRU`, `networks.EncoderDecoder`), each with a leading axis of seeds.

    Raises:
        FileNotFoundError: for a folder without a finished study.
    """
    preset = json.loads((Path(out) / "preset.json").read_text("utf-8"))["preset"]
    trained = Trained(Keeper(PRESETS[preset], Path(out)))
    return trained.sequence(), trained.images()

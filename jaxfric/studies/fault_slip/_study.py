"""The whole study: networks trained on simulated faults, asked about a laboratory."""

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from jaxfric import training
from jaxfric._files import write_json
from jaxfric.records import LabquakeRecord
from jaxfric.studies._files import begin, environment
from jaxfric.studies.fault_slip import _analyses as analyses
from jaxfric.studies.fault_slip._ask import Answer, ask_images, ask_sequence, mean_of
from jaxfric.studies.fault_slip._kept import Kept
from jaxfric.studies.fault_slip._laboratory import Laboratory, laboratory
from jaxfric.studies.fault_slip._presets import PRESETS
from jaxfric.studies.fault_slip._rows import Row, rows_of, yardsticks
from jaxfric.studies.fault_slip._shown import shown
from jaxfric.studies.fault_slip._summary import PAPER, headline
from jaxfric.studies.fault_slip._training import image_network, members, sequence_network

NORM = (
    "MAPE = 100 mean |μ − μ̂| / |μ|, percent, R² and the mean absolute error of the time to failure "
    "(TTF, s) over the last 60 % of the record; causal: nothing after a sample is read for it; "
    "'inferred': the level comes from the cycles seen, 'given': mean and spread of the record are"
)
_METHODS = ("sequence", "encoder-decoder")
MIDDLE = 6  # cycles of the paper's cross-training


def run(
    preset: str, out: str | os.PathLike[str], record: LabquakeRecord | None = None, *,
    resume: bool = False, force: bool = False, progress: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Train on simulated faults, tune on a few cycles of a record, predict the rest of it.

    Arguments:
        preset: "smoke", "laptop" or "paper".
        out: folder for metrics.json, shown.json, runs/, networks/.
        record: a laboratory's, with friction or shear stress; simulated ones outside the training
            ranges take its place if None.
        resume: continue what is there.
        force: begin anew.
        progress: print a line for each step.

    Returns:
        What metrics.json holds: rows, paper, headline, environment.

    Raises:
        ValueError: an unknown preset, a folder in use, or a record with too few cycles.
    """
    out = Path(out)
    plan = PRESETS.get(preset)
    lab = None if record is None else laboratory(record)
    if lab is not None and plan is not None:
        lab.end_of(max(plan.cycles))  # before hours of training
    if (found := begin(out, preset, PRESETS, resume, force)) is not None:
        return found
    began = time.perf_counter()
    kept = Kept(PRESETS[preset], out, progress)
    labs = [lab] if lab is not None else analyses.simulated_laboratories(kept.plan)
    kept.train()
    rows: list[Row] = []
    for each in labs:
        rows += _on(kept, each)
    rows += kept.steps.step("simulations", lambda: analyses.on_simulations(kept))
    first = labs[0]
    if kept.plan.ablation_steps:
        rows += kept.steps.step("parts", lambda: analyses.parts_of_a_cycle(kept, first))
        rows += kept.steps.step("ablations", lambda: analyses.ablations(kept, first, MIDDLE))
    if kept.plan.time_steps:
        rows += kept.steps.step("times", lambda: analyses.times_by_images(kept, first))
    if kept.plan.loads:
        rows += kept.steps.step("loads", lambda: analyses.load_series(kept))
    most = MIDDLE if MIDDLE in kept.plan.cycles else kept.plan.cycles[-1]
    pair = [_answer(kept, first, method, "all", most, False) for method in _METHODS]
    write_json(out / "shown.json", shown(kept, first, most, *pair))
    metrics: dict[str, Any] = {
        "study": "fault-slip",
        "preset": preset,
        "norm": NORM,
        "laboratory": [lab.name for lab in labs],
        "rows": rows,
        "paper": PAPER,
        "seconds": kept.steps.seconds(),
        "seconds_of_this_call": time.perf_counter() - began,
        "environment": environment(),
    }
    metrics["headline"] = headline(rows, [lab.name for lab in labs])
    write_json(out / "metrics.json", metrics)
    return metrics


def _on(kept: Kept, lab: Laboratory) -> list[Row]:
    """Every row of one laboratory."""
    rows: list[Row] = []
    plain = lab.name.replace(" ", "-")
    for cycles in kept.plan.cycles:
        rows += kept.steps.step(
            f"yardsticks_{plain}_{cycles}", partial(yardsticks, lab, cycles, lab.test)
        )
        for method, part, given in _asked(kept, cycles):
            level = "given" if given else "inferred"
            name = f"{method}_{part}_{cycles}_{level}".replace(" ", "-").replace(",", "")

            def make(
                method: str = method, part: str = part, given: bool = given, n: int = cycles
            ) -> list[Row]:
                answer = _answer(kept, lab, method, part, n, given)
                return rows_of(answer, lab, lab.test, method=method, part=part, cycles=n,
                               level="given" if given else "inferred")  # fmt: skip

            rows += kept.steps.step(f"{plain}_{name}", make)
    return rows


def _asked(kept: Kept, cycles: int) -> list[tuple[str, str, bool]]:
    """Method, part that is tuned, whether the level is given."""
    asked = [
        ("sequence", "none", False), ("sequence", "none", True), ("sequence", "latent", False),
        ("sequence", "all", False), ("sequence", "all", True),
        ("encoder-decoder", "none", False), ("encoder-decoder", "latent", False),
        ("encoder-decoder", "all", False), ("both", "none", False), ("both", "latent", False),
        ("both", "all", False),
    ]  # fmt: skip
    if cycles == MIDDLE:
        asked += [("sequence", part, False) for part in kept.plan.controls]
        asked += [
            ("sequence", "latent", True), ("sequence, from scratch", "all", False),
            ("sequence, from scratch, no level path", "all", False),
            ("sequence, random", "latent", False), ("encoder-decoder", "none", True),
            ("both", "none", True), ("encoder-decoder", "latent", True),
            ("encoder-decoder, from scratch", "all", False),
        ]  # fmt: skip
    return asked


def _answer(
    kept: Kept, lab: Laboratory, method: str, part: str, cycles: int, given: bool
) -> Answer:
    """Asked once: a figure shows what a row has measured."""
    key = (lab.name, method, part, cycles, given)
    if key not in kept.answers:
        kept.answers[key] = _asking(kept, lab, method, part, cycles, given)
    return kept.answers[key]


def _asking(
    kept: Kept, lab: Laboratory, method: str, part: str, cycles: int, given: bool
) -> Answer:
    if method == "both":
        return mean_of([_answer(kept, lab, kind, part, cycles, given) for kind in _METHODS])
    kind, _, control = method.partition(", ")
    if kind == "sequence":
        network = kept.sequence()
        fresh = members(sequence_network, tuple(100 + s for s in kept.seeds))
        if control.startswith("from scratch"):
            network = fresh
        if control == "random":  # the trained latent part is tuned between frozen random parts
            network = training.mix(fresh, network, training.parts(network, "latent"))
        return ask_sequence(
            network, lab, cycles, part, given=given, steps=kept.plan.tuning,
            drift=not control.endswith("no level path"),
        )  # fmt: skip
    network, said = kept.images(), None
    if control:
        network = members(image_network, tuple(100 + s for s in kept.seeds))
    elif part != "none":
        said = _answer(kept, lab, method, "none", cycles, given).said
    return ask_images(network, lab, cycles, part, given=given, steps=kept.plan.tuning, said=said)


def read_back(out: str | os.PathLike[str]) -> tuple[Any, Any]:
    """(sequence networks, encoder-decoders) of a finished study, with leading axes of seeds."""
    import json

    preset = json.loads((Path(out) / "preset.json").read_text())["preset"]
    kept = Kept(PRESETS[preset], Path(out), False)
    return kept.sequence(), kept.images()

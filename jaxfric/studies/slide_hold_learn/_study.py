"""The whole study: every case trained and tested."""

import os
from typing import Any

import jax

from jaxfric.studies._kit import Keeper, Study
from jaxfric.studies.slide_hold_learn._appendix import appendix, healing_in_holds
from jaxfric.studies.slide_hold_learn._data import Sequences, best_estimate
from jaxfric.studies.slide_hold_learn._figures import Shown, write_shown
from jaxfric.studies.slide_hold_learn._metrics import summary
from jaxfric.studies.slide_hold_learn._presets import PRESETS, Case, Preset
from jaxfric.studies.slide_hold_learn._summary import PAPER, headline, rows_of
from jaxfric.studies.slide_hold_learn._training import EVOLUTIONS, draw, train_case

TEST_SEED = 2_000_000  # no choice of ours was made on these sequences
NORM = (
    "rel_mu = 100 mean|ŷ−y|/mean|μ|, rel_change = 100 ‖ŷ−y‖/‖y‖ of Δμ; percent, means over test "
    "sequences, then over seeds; the paper does not say which norm it prints"
)


def run(
    preset: str, out: str | os.PathLike[str], *, resume: bool = False, force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Train and test every case of a preset.

    Every finished training is kept in `out/runs`, so that a killed study goes on where it stopped.

    Arguments:
        preset: "smoke", "laptop" or "paper".
        out: folder for metrics.json, shown.json (what the figures need), runs/, networks/.
        resume: continue what is there; start if there is nothing; done if it is finished.
        force: begin anew, whatever is there.
        progress: print a line for each training.

    Returns:
        What metrics.json holds: rows, floors, paper, headline, environment.

    Raises:
        ValueError: for an unknown preset, or a folder in use.
    """
    return STUDY.run(preset, out, resume=resume, force=force, progress=progress)


def _answer(keeper: Keeper[Preset]) -> dict[str, Any]:
    plan = keeper.plan
    tests = {
        (jumps, evolution): draw(jumps, evolution, "clean", plan.tests, TEST_SEED)
        for jumps in plan.jumps for evolution in plan.evolutions
    }  # fmt: skip
    runs, shown = [], []
    for case in plan.cases():

        def make(case: Case = case) -> dict[str, Any]:
            return train_case(case, keeper, tests[case.jumps, case.evolution])

        made = keeper.step(case.name, make)
        runs.append(made["row"])
        if case.shown(plan):
            shown.append(_for_figures(case, made))
    write_shown(keeper.out, shown)
    test = tests["free", "aging"]
    return {
        "rows": rows_of(runs),
        "floors": _floors(plan, tests),
        "appendix": keeper.step("appendix", lambda: _appendix(keeper, test)),
        "healing": healing_in_holds(keeper, max(plan.sizes)),
        "training_seconds": sum(run["seconds"] for run in runs),
    }


def _appendix(keeper: Keeper[Preset], test: Sequences) -> list[dict[str, Any]]:
    """The appendix's stages on free, clean data of the aging law."""
    n, epochs = keeper.plan.appendix
    return appendix(draw("free", "aging", "clean", n, 0), test, epochs, keeper)


def _for_figures(case: Case, made: dict[str, Any]) -> Shown:
    row = made["row"]
    return Shown(
        jumps=case.jumps, recipe=case.recipe, size=case.size, **made["shown"],
        loss=row["loss"], steps=row["steps"], seconds=row["seconds"],
    )  # fmt: skip


def _floors(plan: Preset, tests: dict[tuple[str, str], Sequences]) -> dict[str, Any]:
    """Errors of the best estimator that knows the law and not where jumps fell."""
    return {
        evolution: summary(
            best_estimate(data, key=jax.random.key(3), evolution=EVOLUTIONS[evolution],
                          draws=plan.draws),
            data.change,
        )
        for (jumps, evolution), data in tests.items() if jumps == "free"
    }  # fmt: skip


STUDY = Study("slide-hold-learn", PRESETS, NORM, PAPER, _answer, headline)

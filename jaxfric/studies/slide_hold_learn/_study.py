"""The whole study: every case trained and tested."""

import os

import jax

from jaxfric._files import write_json
from jaxfric.studies._kit import Keeper, Metrics, Study
from jaxfric.studies.slide_hold_learn._appendix import appendix, healing_in_holds
from jaxfric.studies.slide_hold_learn._data import Sequences, best_estimate
from jaxfric.studies.slide_hold_learn._metrics import summary
from jaxfric.studies.slide_hold_learn._presets import PRESETS, Case, Preset
from jaxfric.studies.slide_hold_learn._summary import PAPER, Row, headline, rows_of
from jaxfric.studies.slide_hold_learn._training import (
    EVOLUTIONS,
    TrainedCase,
    draw,
    train_case,
)

# Of the test sequences. Networks and numbers of steps were chosen on others; these were drawn
# afterwards, and nothing was changed since. Training and validation draw from seeds far below.
TEST_SEED = 2_000_000
NORM = (
    "rel_mu = 100 mean|ŷ−y|/mean|μ|, rel_change = 100 ‖ŷ−y‖/‖y‖ of Δμ; percent, means over test "
    "sequences, then over seeds; the paper does not say which norm it prints"
)


def run(
    preset: str, out: str | os.PathLike[str], *, resume: bool = False, force: bool = False,
    progress: bool = False,
) -> Metrics:  # fmt: skip
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


def _answer(keeper: Keeper[Preset]) -> Metrics:
    """Every training of the preset, the floors, the appendix; what figures show beside it."""
    plan = keeper.plan
    tests = {
        (jumps, evolution): draw(jumps, evolution, "clean", plan.tests, TEST_SEED)
        for jumps in plan.jumps for evolution in plan.evolutions
    }  # fmt: skip
    runs, shown = [], []
    for case in plan.cases():
        # The default binds the case of this turn: a closure would see that of the last
        def make(case: Case = case) -> TrainedCase:
            return train_case(case, keeper, tests[case.jumps, case.evolution])

        made = keeper.step(case.name, make)
        runs.append(made["row"])
        if case.shown(plan):
            shown.append(_for_figures(case, made))
    write_json(keeper.out / "shown.json", shown)
    test = tests["free", "aging"]
    return {
        "rows": rows_of(runs),
        "floors": _floors(plan, tests),
        "appendix": keeper.step("appendix", lambda: _appendix(keeper, test)),
        "healing": healing_in_holds(keeper, max(plan.sizes)),
        "training_seconds": sum(run["seconds"] for run in runs),
    }


def _appendix(keeper: Keeper[Preset], test: Sequences) -> list[Row]:
    """The appendix's stages on free, clean data of the aging law."""
    n, epochs = keeper.plan.appendix
    return appendix(draw("free", "aging", "clean", n, 0), test, epochs, keeper)


def _for_figures(case: Case, made: TrainedCase) -> dict[str, object]:
    """One training as shown.json holds it; `plotting` says what it reads of it."""
    row, sequences = made["row"], made["shown"]
    assert sequences is not None  # see `Case.shown`
    facts = {name: row[name] for name in ("jumps", "recipe", "size", "loss", "steps", "seconds")}
    return {**facts, **sequences}


def _floors(plan: Preset, tests: dict[tuple[str, str], Sequences]) -> dict[str, dict[str, float]]:
    """Errors of the best estimator that knows the law and not where jumps fell, by law.

    On a grid nothing is hidden, and the floor is zero.
    """
    return {
        evolution: summary(
            best_estimate(data, key=jax.random.key(3), evolution=EVOLUTIONS[evolution],
                          draws=plan.draws),
            data.change,
        )
        for (jumps, evolution), data in tests.items() if jumps == "free"
    }  # fmt: skip


STUDY = Study(
    name="slide-hold-learn", presets=PRESETS, norm=NORM, paper=PAPER, answer=_answer,
    headline=headline,
)  # fmt: skip

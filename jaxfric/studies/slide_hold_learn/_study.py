"""The whole study: every case trained and tested, resumable, one metrics.json."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxfric import ratestate, training
from jaxfric._files import write_json
from jaxfric.studies._files import begin, environment
from jaxfric.studies.slide_hold_learn._appendix import appendix, healing_in_holds
from jaxfric.studies.slide_hold_learn._data import NOISE, Sequences, best_estimate, sequences
from jaxfric.studies.slide_hold_learn._metrics import errors, peak_after_hold, predict, summary
from jaxfric.studies.slide_hold_learn._presets import PRESETS, Case, Preset
from jaxfric.studies.slide_hold_learn._recipes import RECIPES
from jaxfric.studies.slide_hold_learn._summary import PAPER, headline, rows_of

EVOLUTIONS = {"aging": ratestate.Aging(), "slip": ratestate.Slip()}
SHOWN = 4  # test sequences kept for figures
TEST_SEED = 2_000_000  # no choice of ours was made on these sequences


def run(
    preset: str, out: str | os.PathLike[str], *, resume: bool = False, force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Train and test every case of a preset.

    Every finished training is kept in `out/runs`, so that a killed study goes on where it stopped.

    Arguments:
        preset: "smoke", "laptop" or "paper".
        out: folder for metrics.json, runs/ and what the figures need.
        resume: continue what is there; start if there is nothing; done if it is finished.
        force: begin anew, whatever is there.
        progress: print a line for each training.

    Returns:
        What metrics.json holds: rows, floors, paper, headline, environment.

    Raises:
        ValueError: for an unknown preset, or a folder in use.
    """
    out = Path(out)
    if (found := begin(out, preset, PRESETS, resume, force)) is not None:
        return found
    plan, began = PRESETS[preset], time.perf_counter()
    tests = {
        (jumps, evolution): _draw(jumps, evolution, "clean", plan.tests, TEST_SEED)
        for jumps in plan.jumps for evolution in plan.evolutions
    }  # fmt: skip
    runs = []
    cases = list(plan.cases())
    for number, case in enumerate(cases):
        path = out / "runs" / f"{case.name}.json"
        if not path.exists():
            write_json(path, _train(case, plan, tests[case.jumps, case.evolution], out))
        runs.append(json.loads(path.read_text()))
        if progress:
            print(f"{number + 1}/{len(cases)} {case.name}: rel-μ {runs[-1]['rel_mu']:.4f} %",
                  flush=True)  # fmt: skip
    metrics = {
        "study": "slide-hold-learn",
        "preset": preset,
        "norm": "rel_mu = 100 mean|ŷ−y|/mean|μ|, rel_change = 100 ‖ŷ−y‖/‖y‖ of Δμ; percent, means "
        "over test sequences, then over seeds; the paper does not say which norm it prints",
        "rows": rows_of(runs),
        "floors": _floors(plan, tests),
        "appendix": _appendix(plan, tests, out),
        "healing": healing_in_holds(out, max(plan.sizes)),
        "paper": PAPER,
        "seconds": sum(r["seconds"] for r in runs),
        "seconds_of_this_call": time.perf_counter() - began,
        "environment": environment(),
    }
    metrics["headline"] = headline(metrics)
    write_json(out / "metrics.json", metrics)
    return metrics


def _draw(jumps: str, evolution: str, noise: str, n: int, seed: int) -> Sequences:
    data: Sequences = jax.tree_util.tree_map(
        lambda x: x.astype(jnp.float32),
        sequences(
            n, key=jax.random.key(seed), evolution=EVOLUTIONS[evolution], grid=jumps == "grid",
            noise=NOISE if noise == "noisy" else 0.0,
        ),
    )  # fmt: skip
    return data


def _train(case: Case, plan: Preset, test: Sequences, out: Path) -> dict[str, Any]:
    """One training and its errors; the network of the first seed is kept."""
    recipe, steps = RECIPES[case.recipe], plan.gradient_steps(case)
    data = _draw(case.jumps, case.evolution, case.noise, case.size, case.seed)
    validation = _draw(case.jumps, case.evolution, case.noise, 200, 10**5 + case.seed)
    network = jax.tree_util.tree_map(
        lambda x: x.astype(jnp.float32), recipe.build(nnx.Rngs(case.seed))
    )
    own, metric = None, None
    if recipe.patience is not None:  # a fifth of the training sequences decides when to stop
        held = max(case.size // 5, 1)
        own = jax.tree_util.tree_map(lambda x: x[:held], data)
        data = jax.tree_util.tree_map(lambda x: x[held:], data)
        metric = _held_out
    n = data.velocity.shape[0]
    batch = min(recipe.batch(case.size), n)
    per_epoch = n // batch
    epochs = max(steps // per_epoch, 1)
    every = 1 if recipe.patience is not None else max(epochs // 20, 1)
    epochs -= epochs % every
    began = time.perf_counter()
    trained = training.train(
        recipe.noisy_loss if case.noise == "noisy" else recipe.loss, network, data,
        key=jax.random.key(case.seed), optimiser=_optimiser(case.recipe, epochs * per_epoch),
        epochs=epochs, batch_size=batch, validation=own, metric=metric,
        patience=recipe.patience, clip=1.0, evaluate_every=every,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    best = trained.parameters if recipe.patience is not None else trained.last
    predicted = predict(best, test, recipe.slip)
    if case.seed == 0:
        training.save_arrays(out / "networks" / f"{case.name}.npz", best, **asdict(case))
        shown = {"predicted": predicted, "change": test.change, "velocity": test.velocity}
        shown = {name: x[:SHOWN] for name, x in shown.items()}
        shown["rel_mu"] = errors(predicted, test.change)[1]
        training.save_arrays(out / "networks" / f"{case.name}.test.npz", shown)
    return {
        **asdict(case),
        **summary(predicted, test.change),
        "peak_after_hold": peak_after_hold(predicted, test),
        "validation_rel_mu": summary(predict(best, validation, recipe.slip), validation.target)[
            "rel_mu"
        ],
        "minimal_loss": float(trained.best_metric),
        "loss": np.asarray(trained.history["loss"], float).tolist(),
        "steps": int(trained.steps),
        "seconds": seconds,
    }


_OPTIMISERS: dict[tuple[str, int], Any] = {}


def _optimiser(recipe: str, steps: int) -> Any:
    """The same object for the same schedule, so that seeds share a compiled program."""
    if (recipe, steps) not in _OPTIMISERS:
        _OPTIMISERS[recipe, steps] = RECIPES[recipe].optimiser(steps)
    return _OPTIMISERS[recipe, steps]


def _held_out(network: Any, data: Sequences) -> Any:
    predicted = jax.vmap(lambda v: network(v, data.dt))(data.velocity)
    return jnp.mean(jnp.abs(predicted - data.target))


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


def _appendix(
    plan: Preset, tests: dict[tuple[str, str], Sequences], out: Path
) -> list[dict[str, Any]]:
    """The appendix's stages on free, clean data of the aging law."""
    path, (n, epochs) = out / "runs" / "appendix.json", plan.appendix
    if not path.exists():
        data = _draw("free", "aging", "clean", n, 0)
        write_json(path, appendix(data, tests["free", "aging"], epochs, out))
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found

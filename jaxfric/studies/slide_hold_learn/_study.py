"""The whole study: every case trained and tested, resumable, one metrics.json."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxfric import ratestate, training
from jaxfric.studies._files import environment, write_json
from jaxfric.studies.slide_hold_learn._appendix import appendix, healing_in_holds
from jaxfric.studies.slide_hold_learn._data import NOISE, Sequences, best_estimate, sequences
from jaxfric.studies.slide_hold_learn._metrics import errors, peak_after_hold, predict, summary
from jaxfric.studies.slide_hold_learn._recipes import RECIPES

EVOLUTIONS = {"aging": ratestate.Aging(), "slip": ratestate.Slip()}
# Average errors in percent that the paper prints; which norm is not known
PAPER = {
    "clean_aging": {10: 4.6, 100: 1.2, 1000: 0.62, 10000: 0.67},
    "noisy_aging": {10: 7.2, 100: 1.9, 1000: 2.2, 10000: 1.0},
    "noisy_slip": {10: 4.42, 100: 2.9, 1000: 3.7, 10000: 2.5},
}


MEANS = (
    "rel_mu", "rel_mu_median", "rel_change", "rel_change_median", "peak_after_hold",
    "validation_rel_mu", "minimal_loss", "seconds",
)  # fmt: skip
OTHERS = ("stacked gru", "lstm", "transformer")  # on the largest clean set of the aging law
SHOWN = 4  # test sequences kept for figures


@dataclass(frozen=True, order=True)
class Case:
    """One training: which data, how much, which network, which seed."""

    jumps: str
    evolution: str
    noise: str
    size: int
    recipe: str
    seed: int

    @property
    def name(self) -> str:
        recipe = self.recipe.replace(" ", "-")
        return f"{self.jumps}_{self.evolution}_{self.noise}_{self.size}_{recipe}_{self.seed}"


@dataclass(frozen=True)
class Preset:
    """How much of the study to run.

    Arguments:
        sizes: training sequences.
        seeds: trainings of each case, each with its own data and weights.
        tests: test sequences.
        steps: gradient steps of each recipe.
        long_gru: gradient steps of the GRU on 1,000 clean sequences of the aging law on the grid.
        evolutions: laws.
        noises: "clean", "noisy".
        jumps: "free", "grid".
        draws: of hidden jump positions for the floor, per test sequence.
        appendix: sequences and epochs of the appendix's study.
    """

    sizes: tuple[int, ...]
    seeds: int
    tests: int
    steps: dict[str, int]
    long_gru: int
    evolutions: tuple[str, ...] = ("aging", "slip")
    noises: tuple[str, ...] = ("clean", "noisy")
    jumps: tuple[str, ...] = ("free", "grid")
    draws: int = field(default=256)
    appendix: tuple[int, int] = (12_000, 50)  # sequences and epochs

    def cases(self) -> Iterator[Case]:
        """Every training, in the order in which they run."""
        for size in self.sizes:
            for recipe in ("cell", "gru", "paper"):
                for noise in self.noises:
                    for jumps in self.jumps:
                        for evolution in self.evolutions:
                            for seed in range(self.seeds):
                                yield Case(jumps, evolution, noise, size, recipe, seed)
            if "free" in self.jumps:
                for evolution in self.evolutions:
                    for seed in range(self.seeds):
                        yield Case("free", evolution, "clean", size, "cell with slip", seed)

        for recipe in OTHERS:
            for jumps in self.jumps:
                for seed in range(self.seeds):
                    yield Case(jumps, "aging", "clean", max(self.sizes), recipe, seed)

    def gradient_steps(self, case: Case) -> int:
        if case.recipe == "gru" and (case.jumps, case.evolution, case.noise, case.size) == (
            "grid", "aging", "clean", 1000,
        ):  # fmt: skip
            return self.long_gru
        return self.steps["gru" if case.recipe in OTHERS else case.recipe]


_SHORT = {"cell": 2000, "cell with slip": 2000, "gru": 1500, "paper": 800}
_LONG = {"cell": 20_000, "cell with slip": 20_000, "gru": 50_000, "paper": 100_000}
PRESETS = {
    "smoke": Preset(
        (10,),
        1,
        50,
        dict.fromkeys(_SHORT, 40),
        40,
        ("aging",),
        ("clean",),
        draws=4,
        appendix=(40, 2),
    ),
    "laptop": Preset((10, 100, 1000), 3, 3000, _SHORT, 54_000, appendix=(1000, 10)),
    "paper": Preset((10, 100, 1000, 10_000), 5, 3000, _LONG, 100_000),
}


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
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {preset!r}")
    out = Path(out)
    _prepare(out, preset, resume, force)
    if (out / "metrics.json").exists():
        found: dict[str, Any] = json.loads((out / "metrics.json").read_text())
        return found
    plan, began = PRESETS[preset], time.perf_counter()
    tests = {
        (jumps, evolution): _draw(jumps, evolution, "clean", plan.tests, 10**6)
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
        "rows": _rows(runs),
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


def _prepare(out: Path, preset: str, resume: bool, force: bool) -> None:
    """An empty folder, or one whose runs belong to this preset."""
    stamp = out / "preset.json"
    if force and stamp.exists():
        for name in ("runs", "metrics.json", "preset.json", "networks"):
            target = out / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    if stamp.exists():
        before = json.loads(stamp.read_text())["preset"]
        if before != preset:
            raise ValueError(f"{out} holds the preset {before!r}; choose another folder or --force")
        if not resume:
            raise ValueError(f"{out} holds a study already; --resume continues it, --force begins "
                             "anew, --out takes another folder")  # fmt: skip
    (out / "runs").mkdir(parents=True, exist_ok=True)
    (out / "networks").mkdir(exist_ok=True)
    write_json(stamp, {"preset": preset})


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


def _rows(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over seeds, and the spread of rel-μ."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    names = ("jumps", "evolution", "noise", "size", "recipe")
    for each in runs:
        groups.setdefault(tuple(each[name] for name in names), []).append(each)
    rows = []
    for key, group in groups.items():
        row: dict[str, Any] = dict(zip(names, key, strict=True)) | {"seeds": len(group)}
        for name in MEANS:
            row[name] = float(np.mean([each[name] for each in group]))
        row["rel_mu_spread"] = float(np.std([each["rel_mu"] for each in group]))
        row["steps"] = max(each["steps"] for each in group)
        rows.append(row)
    return rows


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


def headline(metrics: dict[str, Any]) -> dict[str, float | None]:
    """The numbers to compare; None where the preset ran nothing."""

    def value(jumps: str, evolution: str, noise: str, size: int, *recipes: str) -> float | None:
        found = [
            row for row in metrics["rows"]
            if (row["jumps"], row["evolution"], row["noise"], row["size"])
            == (jumps, evolution, noise, size) and row["recipe"] in recipes
        ]  # fmt: skip
        if not found:
            return None
        return float(min(found, key=lambda row: row["validation_rel_mu"])["rel_mu"])

    ours = ("cell", "gru")
    found: dict[str, float | None] = {}
    for jumps in ("free", "grid"):
        for noise, sizes in (("clean", (10, 100, 1000)), ("noisy", (100, 1000))):
            for size in sizes:
                key = f"{jumps}_aging_{noise}_{size}_rel_mu"
                found[key] = value(jumps, "aging", noise, size, *ours)
    for noise in ("clean", "noisy"):
        found[f"grid_slip_{noise}_1000_rel_mu"] = value("grid", "slip", noise, 1000, *ours)
    found["grid_gru_aging_clean_1000_rel_mu"] = value("grid", "aging", "clean", 1000, "gru")
    found["free_slip_increments_100_rel_mu"] = value(
        "free", "aging", "clean", 100, "cell with slip"
    )
    found["paper_recipe_free_aging_clean_1000_rel_mu"] = value(
        "free", "aging", "clean", 1000, "paper"
    )
    floor = metrics["floors"].get("aging")
    found["free_floor_rel_mu"] = floor and floor["rel_mu"]
    return found

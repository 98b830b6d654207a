"""The whole study: every network trained, every method asked for the same laws."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxfric import contact
from jaxfric._files import write_json
from jaxfric.studies._files import begin, environment
from jaxfric.studies.metainterface import _methods as methods
from jaxfric.studies.metainterface._kept import Kept
from jaxfric.studies.metainterface._presets import PRESETS, Preset
from jaxfric.studies.metainterface._questions import questions, shown
from jaxfric.studies.metainterface._rows import ask
from jaxfric.studies.metainterface._summary import PAPER, headline
from jaxfric.studies.metainterface._targets import Group, families, random_group
from jaxfric.studies.metainterface._trees import train_trees, trees_installed

SEARCH_LATENT = 16  # of the VAE that is searched: small enough for CMA-ES
BRIEF = (
    "bank", "bank + 3 LM", "bank + 10 LM", "MLP", "trees", "GAN", "CMA-ES on parameters",
    "ours + 1 LM", "ours + 10 LM",
)  # fmt: skip
UNASKED = 4_000  # seed of random laws that are nobody's target
NORM = (
    "sMAPE = 200 mean |F − T| / (F + T) over 128 evenly spaced loads, percent, of every design; "
    "diversity = RMS difference of the heights that touch between designs of one target, over that "
    "between random surfaces"
)


def run(
    preset: str, out: str | os.PathLike[str], *, resume: bool = False, force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:  # fmt: skip
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
    out = Path(out)
    if (found := begin(out, preset, PRESETS, resume, force)) is not None:
        return found
    began = time.perf_counter()
    plan = PRESETS[preset]
    kept = Kept(plan, out, progress)
    targets = groups(plan)
    rows: list[dict[str, Any]] = []
    for seed in range(plan.seeds):
        for same_size in targets:
            rows += _rows(kept, same_size, seed)
    write_json(out / "shown.json", shown(kept.generator(0), targets[0], min(plan.designs, 8)))
    metrics: dict[str, Any] = {
        "study": "metainterface",
        "preset": preset,
        "norm": NORM,
        "rows": rows,
        "analyses": questions(kept, targets),
        "training_seconds": kept.training_seconds(),
        "paper": PAPER,
        "seconds": kept.seconds(),
        "seconds_of_this_call": time.perf_counter() - began,
        "environment": environment(),
    }
    metrics["headline"] = headline(metrics)
    write_json(out / "metrics.json", metrics)
    return metrics


def groups(plan: Preset) -> list[list[Group]]:
    """Lists of groups that one program can answer: of the same number of asperities."""
    first, *others = plan.counts
    random = random_group(plan.targets, first)
    half = max(plan.targets // 2, 2)
    return [[random, *families(plan.family, random)], *([random_group(half, n)] for n in others)]


class _Asked(NamedTuple):
    """A method, and how to ask it."""

    build: Callable[[], methods.Method]
    network: str | None = None  # whose training it needs
    known: bool = False  # only of targets whose mixture is known
    searched: bool = False  # too slow for all targets and sizes
    twice: bool = False


def _rows(kept: Kept, same_size: list[Group], seed: int) -> list[dict[str, Any]]:
    """The table of one seed and size."""
    n, plan = same_size[0].asperities, kept.plan
    rows: list[dict[str, Any]] = []
    for name, asked in _methods(kept, n, seed).items():
        if (plan.brief and name in BRIEF) or (name == "trees" and not trees_installed()):
            continue
        some = [g for g in same_size if g.known or not asked.known]
        if asked.searched:
            if n != plan.counts[0]:
                continue
            some = [g.first(plan.searched) for g in some]

        def make(
            name: str = name, asked: _Asked = asked, some: list[Group] = some
        ) -> list[dict[str, Any]]:
            method = asked.build()
            spent = kept.training_seconds().get(asked.network or "")
            return ask(name, method, some, seed=seed, twice=asked.twice, training_seconds=spent)

        plain = "-".join(name.replace("+", "").replace(",", "").split())
        rows += kept.step(f"rows_{seed}_{n}_{plain}", make)
    return rows


def _methods(kept: Kept, n: int, seed: int) -> dict[str, _Asked]:
    """Every row of the table; networks are trained when a method that needs them is built."""
    plan, k = kept.plan, kept.plan.designs
    search = {"generations": plan.generations, "restarts": plan.restarts}

    @cache
    def bank() -> contact.Bank:
        return contact.make_bank(plan.bank, key=jax.random.key(0), asperities=n)

    @cache
    def laws() -> Any:
        return random_group(1000, n, seed=UNASKED).friction

    def cvae() -> Any:
        return kept.network("cvae", seed, plan.paper)

    def vae() -> Any:
        return kept.network("vae", seed, plan.paper, SEARCH_LATENT)

    def gan() -> Any:
        return kept.network("gan", seed, plan.others)

    def mlp() -> Any:
        return kept.network("mlp", seed, plan.others)

    def ours(count: int, steps: int, best: bool = False) -> _Asked:
        def build() -> methods.Method:
            return methods.ours(kept.generator(seed), n, count, steps, best)

        return _Asked(build, f"generator_{seed}")

    def retrieval(steps: int, best: bool = False) -> _Asked:
        return _Asked(lambda: methods.retrieval(bank(), k, steps, best))

    return {
        "constant": _Asked(lambda: methods.constant),
        "random surface": _Asked(lambda: methods.best_random(laws(), 1)),
        "best of 1,000 random": _Asked(lambda: methods.best_random(laws(), 1000)),
        "true mixture, redrawn": _Asked(lambda: methods.redrawn(n), known=True),
        "bank": retrieval(0),
        "bank + 3 LM": retrieval(3),
        "bank + 10 LM": retrieval(10),
        f"bank, best of {k}": retrieval(10, best=True),
        "MLP": _Asked(
            lambda: methods.regressed(methods.bounded(mlp()), n), f"mlp_56_{plan.others}_{seed}"
        ),
        "trees": _Asked(lambda: methods.regressed(train_trees(plan.trees), n)),
        "GAN": _Asked(
            lambda: methods.generated(gan().generate, gan().latent, n, k),
            f"gan_56_{plan.others}_{seed}",
        ),
        "CVAE, prior": _Asked(
            lambda: methods.generated(cvae().decode, cvae().latent, n, k),
            f"cvae_56_{plan.paper}_{seed}",
        ),
        "CVAE, posterior": _Asked(
            lambda: methods.reconstructed(cvae(), n), f"cvae_56_{plan.paper}_{seed}", known=True,
            twice=True,
        ),
        "VAE + CMA-ES": _Asked(
            lambda: methods.searched(n, vae(), **search),
            f"vae_{SEARCH_LATENT}_{plan.paper}_{seed}", searched=True, twice=True,
        ),
        "CMA-ES on parameters": _Asked(
            lambda: methods.searched(n, None, **search), searched=True, twice=True
        ),
        "ours, one pass": ours(1, 0),
        "ours, drawn": ours(k, 0),
        "ours + 1 LM": ours(k, 1),
        "ours + 3 LM": ours(k, 3),
        "ours + 10 LM": ours(k, 10),
        f"ours, best of {k}": ours(k, 10, best=True),
    }  # fmt: skip

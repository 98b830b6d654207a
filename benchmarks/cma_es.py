"""CMA-ES of `jaxfric.search` beside pycma: evaluations to 1e-8, and the time of 64 searches.

Ten dimensions, the same start and step, the default population of both. pycma runs its searches
one after another in Python; ours run as one program.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import time  # noqa: E402
import warnings  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _common import Table, Timing, arguments, installed, timed_jit  # noqa: E402

from jaxfric import search  # noqa: E402

N, STEP, GOAL = 10, 0.5, 1e-8
SCALES = 10.0 ** (6 * np.arange(N) / (N - 1))
DECADES = 10.0 ** np.linspace(-6, 3, N)
COLUMNS = {
    "compile_s": "compile",
    "min_s": "64 searches",
    "evaluations": "evaluations",
    "reached": "reached",
    "ratio": "time / ours",
    "share": "evaluations / ours",
}


def sphere(x, np=jnp):
    return np.sum(x**2)


def ellipsoid(x, np=jnp):
    return np.sum(np.asarray(SCALES) * x**2)


def nine_decades(x, np=jnp):
    """Scales from 1e-6 to 1e3, and one step for all."""
    return np.sum((x / np.asarray(DECADES)) ** 2)


def rosenbrock(x, np=jnp):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def ours(function, start: np.ndarray, count: int, generations: int):
    def one(key):
        found = search.minimise(
            function, jnp.asarray(start), key=key, step_size=STEP, generations=generations,
            goal=GOAL,
        )  # fmt: skip
        return found.evaluations, found.value

    keys = jax.random.split(jax.random.key(0), count)
    (evaluations, value), timing = timed_jit(jax.vmap(one), keys, repeats=3)
    return np.asarray(evaluations), np.asarray(value), timing


def pycma(function, start: np.ndarray, count: int, generations: int):
    import cma

    began, found = time.perf_counter(), []
    for seed in range(1, count + 1):
        options = {"ftarget": GOAL, "verbose": -9, "seed": seed, "maxiter": generations}
        strategy = cma.CMAEvolutionStrategy(start, STEP, options)
        result = strategy.optimize(lambda x: function(x, np)).result
        found.append((result.evaluations, result.fbest))
    evaluations, value = map(np.array, zip(*found, strict=True))
    return evaluations, value, Timing(None, (time.perf_counter() - began,))


def main() -> None:
    smoke = arguments(__doc__).smoke
    count, generations = (4, 40) if smoke else (64, 2000)
    table = Table("cma_es", COLUMNS, smoke)
    for function, start in (
        (sphere, 0.5),
        (ellipsoid, 0.5),
        (rosenbrock, 0.0),
        (nine_decades, 1.0),
    ):
        x0 = np.full(N, start)
        medians = {}
        for name, run in (("jaxfric", ours), ("pycma", pycma)):
            what = f"{function.__name__}, {name}"
            if name == "pycma" and (smoke or not installed("cma")):
                table.absent(what)
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pycma warns of Python's own division
                evaluations, value, timing = run(function, x0, count, generations)
            reached = value <= GOAL
            median = float(np.median(evaluations[reached])) if reached.any() else float("nan")
            medians[name] = (median, timing.best)
            evaluations_of_ours, time_of_ours = medians["jaxfric"]
            row = {"share": median / evaluations_of_ours, "ratio": timing.best / time_of_ours}
            row = {} if name == "jaxfric" else row
            table.add(what, timing, evaluations=median, reached=float(reached.mean()), **row)
    table.finish()


if __name__ == "__main__":
    main()

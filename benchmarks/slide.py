"""Imposed sliding: random protocols of "Slide, Hold, Learn", a hundred samples each.

Beside torch-friction in every way it can be called, SciPy's LSODA, and the closed form written by
hand in NumPy. Errors are the largest over all samples, against closed forms in extended precision.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import diffrax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _common import (  # noqa: E402
    Table,
    Timing,
    arguments,
    copy_bandwidth,
    elementary_rate,
    installed,
    timed,
    timed_jit,
)
from _slide_peers import closed_form, scipy_rows, torch_rows  # noqa: E402

from jaxfric import ratestate  # noqa: E402

SAMPLES = 100
# time, velocity, friction, state and slip; vmap gives every trajectory its own time as well.
ARRAYS = 5
# Elementary functions that a sample needs at the least: ln V, ln θ and the closed form's own,
# exp(-r) and expm1(-r), expm1(-r) and exp, tanh(r).
ELEMENTARY = {"aging": 4, "slip": 4, "PRZ": 3}
COLUMNS = {
    "trajectories": "runs",
    "compile_s": "compile",
    "min_s": "min",
    "median_s": "median",
    "each_us": "µs/run",
    "error": "max error",
    "typical_error": "median run's",
    "failed": "NaN runs",
    "ratio": "time / ours",
    "over_limit": "time / limit",
}


def rounded(tree, dtype):
    return jax.tree_util.tree_map(lambda x: jnp.asarray(x, dtype), tree)


def slide_all(law, protocols, t, **options):
    return jax.vmap(lambda p: ratestate.slide(law, p, t, **options))(protocols)


def errors(friction, exact):
    """Largest error, that of the median trajectory, and how many trajectories are not finite."""
    worst = np.abs(np.asarray(friction, np.longdouble) - exact).max(axis=1)
    finite = np.isfinite(worst)
    return {
        "error": float(worst[finite].max()),
        "typical_error": float(np.median(worst[finite])),
        "failed": int((~finite).sum()),
    }


class Problem:
    """The protocols, their exact friction, and the rows that ours and the peers add."""

    def __init__(self, smoke: bool):
        self.smoke = smoke
        self.size = 200 if smoke else 13_000
        self.repeats = 3 if smoke else 15
        keys = jax.random.split(jax.random.key(0), self.size)
        self.sample = jax.vmap(lambda k: ratestate.sample_protocol(key=k))
        self.keys, self.protocols = keys, jax.jit(self.sample)(keys)
        self.t = jnp.arange(SAMPLES) / SAMPLES
        self.law = ratestate.slide_hold_learn_law()
        self.exact = closed_form(self.law, self.protocols, self.t, np.longdouble)
        self.bandwidth = copy_bandwidth(smoke)
        self.rates = {d: elementary_rate(smoke, d) for d in (jnp.float64, jnp.float32)}
        self.ours_each: float | None = None
        self.table = Table("slide", COLUMNS, smoke)

    def add(self, what: str, timing: Timing, size: int, friction, exact, limit=None, **numbers):
        each = timing.best / size
        self.ours_each = self.ours_each or each  # the first row is ours
        quality = {} if friction is None else errors(friction, exact[:size])
        return self.table.add(
            what,
            timing,
            trajectories=size,
            each_us=1e6 * each,
            ratio=each / self.ours_each,
            over_limit=each / (limit or self.limit()),
            **quality,
            **numbers,
        )

    def writing(self, dtype=jnp.float64) -> float:
        """Seconds that the arrays of one trajectory take to write."""
        return ARRAYS * SAMPLES * jnp.dtype(dtype).itemsize / self.bandwidth

    def evaluating(self, law="aging", dtype=jnp.float64) -> float:
        """Seconds that the elementary functions of one trajectory take."""
        return ELEMENTARY[law] * SAMPLES / self.rates[dtype]

    def limit(self, law="aging", dtype=jnp.float64) -> float:
        """The larger of the two."""
        return max(self.writing(dtype), self.evaluating(law, dtype))


def our_rows(problem: Problem) -> None:
    laws = {
        "aging": ratestate.Aging(),
        "slip": ratestate.Slip(),
        "PRZ": ratestate.PRZ(),
    }
    if problem.smoke:
        laws = {"aging": ratestate.Aging()}
    for name, evolution in laws.items():
        for dtype in (jnp.float64, jnp.float32):
            law = rounded(ratestate.slide_hold_learn_law(evolution), dtype)
            protocols, t = rounded(problem.protocols, dtype), problem.t.astype(dtype)
            exact = closed_form(law, protocols, t, np.longdouble)
            history, timing = timed_jit(slide_all, law, protocols, t, repeats=problem.repeats)
            what = f"ours, exact, {name}, {dtype.__name__}"
            limit = problem.limit(name, dtype)
            problem.add(what, timing, problem.size, history.friction, exact, limit)

    def draw_and_slide(keys):
        return slide_all(problem.law, problem.sample(keys), problem.t).friction

    friction, timing = timed_jit(draw_and_slide, problem.keys, repeats=problem.repeats)
    what = "ours, drawing the protocols too, aging"
    problem.add(what, timing, problem.size, friction, problem.exact)

    size = min(problem.size, 1000)
    some = jax.tree_util.tree_map(lambda x: x[:size], problem.protocols)
    history, timing = timed_jit(
        lambda protocols: slide_all(
            problem.law, protocols, problem.t, options=ratestate.Options(diffrax.Tsit5())
        ),
        some,
        repeats=3,
    )
    problem.add("ours, diffrax Tsit5, aging", timing, size, history.friction, problem.exact)


def peer_rows(problem: Problem) -> None:
    by_hand, timing = timed(
        lambda: closed_form(problem.law, problem.protocols, problem.t, np.float64), repeats=3
    )
    problem.add(
        "NumPy, closed form by hand, vectorised", timing, problem.size, by_hand, problem.exact
    )
    if installed("torch_friction"):
        torch_rows(problem)
    else:
        problem.table.absent("torch-friction")
    if installed("scipy"):
        scipy_rows(problem)
    else:
        problem.table.absent("SciPy")


def main() -> None:
    problem = Problem(arguments(__doc__).smoke)
    our_rows(problem)
    peer_rows(problem)
    table, size, limit = problem.table, problem.size, problem.limit()
    limits = {
        "limit: writing the five arrays": problem.writing(),
        "limit: ln V, ln θ, exp, expm1 of every sample": problem.evaluating(),
    }
    for what, each in limits.items():
        numbers = {"ratio": each / problem.ours_each, "over_limit": each / limit}
        table.add(what, trajectories=size, each_us=1e6 * each, **numbers)
    rates = [rate / 1e9 for rate in problem.rates.values()]
    table.note(
        f"Measured: copies move {problem.bandwidth / 1e9:.1f} GB/s; all cores together evaluate "
        f"{rates[0]:.2f} (float64), {rates[1]:.2f} (float32) G exp/s."
    )
    table.note(
        "Limit of a row: the larger of the two for its law and dtype (peers: aging, float64)"
    )
    table.finish()


if __name__ == "__main__":
    main()

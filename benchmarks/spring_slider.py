"""Velocity steps of 256 spring-sliders, from over-damped to nearly unstable, 200 samples each.

Every solver runs at the loosest tolerance that keeps the friction of every slider within 1e-6 of a
reference at 1e-11; ours also as it comes. SciPy runs one slider after the other, as it must. A loop
of JAX that can do these sliders and nothing else shows what a general solver costs.
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
    compiled,
    elementary_rate,
    installed,
    timed,
    timed_jit,
)
from _spring_slider_loop import friction_in_one_loop  # noqa: E402
from _spring_slider_scipy import METHODS, friction_of_all, with_jacobian  # noqa: E402

from jaxfric import ratestate  # noqa: E402

SAMPLES, MU0, V0 = 200, 0.6, 1e-6
GOAL = 1e-6  # largest error of friction that is accepted
# Loosest first; half decades
TOLERANCES = tuple(float(f"{m}e-{n}") for n in range(4, 12) for m in (3, 1))
STAGES, ELEMENTARY = 6, 2  # a step of Tsit5 is six new stages; a stage needs exp(w) and exp(-ln θ)
COLUMNS = {
    "trajectories": "runs",
    "rtol": "rtol",
    "compile_s": "compile",
    "min_s": "min",
    "median_s": "median",
    "cpu_s": "cpu, s",
    "each_us": "µs/run",
    "error": "max error",
    "typical_error": "median run's",
    "ratio": "time / default",
    "ratio_tuned": "time / tuned",
    "over_limit": "time / limit",
}


def draw(size: int) -> dict[str, np.ndarray]:
    """Sliders of laboratory size: both signs of a - b, stiffness from 1.05 to 10 of the critical.

    Velocity-strengthening ones have no critical stiffness; 0.1 a/Dc stands in for it. The load
    point steps from 1 µm/s by up to a decade up or down and then moves 50 Dc.
    """
    rng = np.random.default_rng(0)
    a = rng.uniform(0.005, 0.015, size)
    b = a * rng.uniform(0.6, 1.8, size)
    Dc = 10 ** rng.uniform(-6, -4, size)
    k = np.maximum(b - a, 0.1 * a) / Dc * 10 ** rng.uniform(np.log10(1.05), 1, size)
    V = V0 * 10 ** rng.uniform(-1, 1, size)
    at = 2 * Dc / V0
    return {"a": a, "b": b, "Dc": Dc, "k": k, "V": V, "at": at, "end": at + 50 * Dc / V}


def slider(p, steps: bool = False, end_only: bool = False, **options) -> ratestate.History:
    law = ratestate.RateStateLaw(mu0=MU0, a=p["a"], b=p["b"], Dc=p["Dc"], V0=V0)
    protocol = ratestate.VelocityProtocol.step(V0, p["V"], at=p["at"])
    t = p["end"][None] if end_only else jnp.linspace(0, 1, SAMPLES) * p["end"]
    return ratestate.spring_slider(
        law, ratestate.Spring(p["k"]), protocol, t, steps=steps,
        options=ratestate.Options(**options),
    )  # fmt: skip


def errors(friction, reference):
    worst = np.abs(np.asarray(friction) - reference).max(axis=1)
    return {"error": float(worst.max()), "typical_error": float(np.median(worst))}


class Problem:
    """The sliders, the reference, and the rows."""

    def __init__(self, smoke: bool):
        self.smoke, self.size = smoke, 8 if smoke else 256
        self.parameters = draw(self.size)
        self.arrays = jax.tree_util.tree_map(jnp.asarray, self.parameters)
        self.t = np.linspace(0, 1, SAMPLES) * self.parameters["end"][:, None]
        tight = {"solver": diffrax.Dopri8(), "adjoint": diffrax.ForwardMode()}
        run = jax.jit(jax.vmap(lambda p: slider(p, rtol=1e-11, atol=1e-11, **tight)))
        self.reference = np.asarray(run(self.arrays).friction)
        self.steps = self._steps()
        self.limit = float(self.steps.mean()) * STAGES * ELEMENTARY / elementary_rate(smoke)
        self.default: float | None = None
        self.tuned: float | None = None
        self.loop: float | None = None
        self.table = Table("spring_slider", COLUMNS, smoke)

    def _steps(self) -> np.ndarray:
        """Accepted steps of each slider at our default tolerance."""
        options = {"steps": True, "max_steps": 2048, "adjoint": diffrax.ForwardMode()}
        time = jax.jit(jax.vmap(lambda p: slider(p, **options).time))(self.arrays)
        return (np.diff(np.asarray(time), axis=1) > 0).sum(axis=1)

    def add(self, what: str, timing: Timing, friction, size: int, **numbers):
        each = timing.best / size
        self.default = self.default or each  # the first row is ours as it comes
        return self.table.add(
            what,
            timing,
            trajectories=size,
            each_us=1e6 * each,
            ratio=each / self.default,
            ratio_tuned=each / self.tuned if self.tuned else None,
            over_limit=each / self.limit,
            # The reference is as long as the samples, or has the last one alone
            **errors(friction, self.reference[:size, -friction.shape[1] :]),
            **numbers,
        )


# ---------------------------------------------------------------- ours


def our_rows(problem: Problem) -> None:
    solvers = {"Tsit5": diffrax.Tsit5(), "Dopri5": diffrax.Dopri5(), "Dopri8": diffrax.Dopri8()}
    adjoints = {
        "DirectAdjoint": diffrax.DirectAdjoint(),
        "ForwardMode": diffrax.ForwardMode(),
        "RecursiveCheckpoint": diffrax.RecursiveCheckpointAdjoint(),
    }
    repeats = 2 if problem.smoke else 11
    history, timing = timed_jit(jax.vmap(slider), problem.arrays, repeats=repeats)
    what = "ours, default: Tsit5, DirectAdjoint, atol 1e-10"
    problem.add(what, timing, history.friction, problem.size, rtol="1e-08")

    # The tolerance is an argument of the program: one compilation for the whole search
    found = []
    for name in ("Tsit5",) if problem.smoke else solvers:
        for adjoint in ("ForwardMode",) if problem.smoke else adjoints:
            options = {"solver": solvers[name], "adjoint": adjoints[adjoint]}
            row = _loosest(problem, _batch(**options), repeats)
            found.append((f"ours, {name}, {adjoint}", options, *row))
    best = min(found, key=lambda row: row[3].best)
    problem.tuned = best[3].best / problem.size
    for what, _, friction, timing, tolerance in found:
        mark = " (tuned)" if what == best[0] else ""
        problem.add(what + mark, timing, friction, problem.size, rtol=f"{tolerance:.0e}")
    _, options, *_, tolerance = best
    program = _batch(end_only=True, **options)
    friction, timing = timed_jit(program, problem.arrays, jnp.array(tolerance), repeats=repeats)
    what = "ours, tuned, the last sample alone"
    problem.add(what, timing, friction, problem.size, rtol=f"{tolerance:.0e}")
    loop_row(problem, repeats)

    one = jax.tree_util.tree_map(lambda x: x[0], problem.arrays)
    alone, timing = timed_jit(slider, one, repeats=repeats)
    problem.add("ours, default, a single slider", timing, alone.friction[None], 1, rtol="1e-08")


def loop_row(problem: Problem, repeats: int) -> None:
    """The same sliders and tableau in a loop that is written for them."""
    t = jnp.asarray(problem.t)

    def run(p, tolerance):
        return friction_in_one_loop(p, t, tolerance)

    friction, timing, tolerance = _loosest(problem, run, repeats)
    what = "one loop for these sliders alone, Tsit5"
    row = problem.add(what, timing, friction, problem.size, rtol=f"{tolerance:.0e}")
    problem.loop = row["each_us"]


def _batch(**options):
    """Friction of all sliders at a tolerance."""

    def run(p, tolerance):
        one = lambda q: slider(q, rtol=tolerance, atol=tolerance, **options).friction  # noqa: E731
        return jax.vmap(one)(p)

    return run


def _loosest(problem: Problem, run, repeats: int):
    """Friction, timing and value of the loosest tolerance that meets the goal."""
    program, seconds = compiled(run, problem.arrays, jnp.array(1e-8))
    for tolerance in TOLERANCES:
        friction = program(problem.arrays, jnp.array(tolerance))
        if errors(friction, problem.reference)["error"] <= GOAL:
            break
    _, timing = timed(lambda: program(problem.arrays, jnp.array(tolerance)), repeats)
    return friction, timing._replace(compile=seconds), tolerance


# ---------------------------------------------------------------- SciPy


def scipy_rows(problem: Problem) -> None:
    parameters = problem.parameters
    for method in METHODS:
        for tolerance in TOLERANCES:
            friction = friction_of_all(parameters, problem.t, method, tolerance)
            if friction is not None and errors(friction, problem.reference)["error"] <= GOAL:
                break
        _, timing = timed(
            lambda: friction_of_all(parameters, problem.t, method, tolerance),  # noqa: B023
            repeats=1 if problem.smoke else 5,
            budget=8.0,
        )
        name = f"SciPy {method}" + (", Jacobian given" if method in with_jacobian else "")
        row = problem.add(name, timing, friction, problem.size, rtol=f"{tolerance:.0e}")
        if method == "odeint":
            problem.table.note(
                f"odeint takes {row['ratio']:.1f} times as long as ours as it comes, "
                f"{row['ratio_tuned']:.1f} times as ours tuned, "
                f"{row['each_us'] / problem.loop:.1f} times as the loop."
            )


def agreement(problem: Problem) -> str:
    """How far three SciPy solvers at 1e-11 lie from the reference, on some of the sliders."""
    some = slice(None, None, 4 if problem.smoke else 16)
    parameters = {name: x[some] for name, x in problem.parameters.items()}
    found = []
    for method in ("LSODA", "Radau", "DOP853"):
        friction = friction_of_all(parameters, problem.t[some], method, 1e-11)
        found.append(f"{method} {np.abs(friction - problem.reference[some]).max():.1e}")
    return ", ".join(found)


def main() -> None:
    problem = Problem(arguments(__doc__).smoke)
    our_rows(problem)
    table = problem.table
    if installed("scipy"):
        scipy_rows(problem)
        table.note(
            f"Reference: ours, Dopri8 at 1e-11; SciPy at 1e-11 lies within {agreement(problem)}."
        )
    else:
        table.absent("SciPy")
    table.add(
        "limit: exponentials of the steps taken",
        trajectories=problem.size,
        each_us=1e6 * problem.limit,
        ratio=problem.limit / problem.default,
        ratio_tuned=problem.limit / problem.tuned,
        over_limit=1.0,
        mean_steps=float(problem.steps.mean()),
        most_steps=int(problem.steps.max()),
    )
    table.note(
        f"Steps a slider at the default tolerance: mean {problem.steps.mean():.0f}, most "
        f"{problem.steps.max()}. A vmapped batch runs until its slowest member is done."
    )
    table.finish()


if __name__ == "__main__":
    main()

"""What a gradient costs beside the value: imposed sliding and a spring-slider's velocity step.

The loss is the mean square of friction against a record made with other parameters. Gradients are
with respect to five parameters; their errors are against closed forms in extended precision
(sliding) and a solve at 1e-12 (spring-slider).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

from types import SimpleNamespace  # noqa: E402

import diffrax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _common import Table, arguments, compiled, installed, timed, timed_jit  # noqa: E402
from _slide_peers import Torch, closed_form  # noqa: E402
from _spring_slider_scipy import friction_of  # noqa: E402

from jaxfric import ratestate  # noqa: E402

STEP = 1e-5  # of ln(parameter), for central differences: rounding and curvature balance
COLUMNS = {
    "runs_of": "runs",
    "compile_s": "compile",
    "min_s": "min",
    "median_s": "median",
    "each_us": "µs/run",
    "gradient_error": "gradient error",
    "over_value": "gradient / value",
    "ratio": "time / ours",
}


def differences_of(loss):
    """Central differences, one parameter after the other in one program."""

    def gradient(x, *rest):
        shifts = STEP * jnp.concatenate([jnp.eye(x.size), -jnp.eye(x.size)])
        values = jax.lax.map(lambda shift: loss(x + shift, *rest), shifts)
        return (values[: x.size] - values[x.size :]) / (2 * STEP)

    return gradient


def relative(gradient, exact) -> float:
    """Largest error in units of the largest component."""
    return float(np.abs(np.asarray(gradient) - exact).max() / np.abs(exact).max())


class Group:
    """The rows of one problem: a value, then gradients compared with it."""

    def __init__(self, table: Table, name: str, size: int, exact):
        self.table, self.name, self.size, self.exact = table, name, size, np.asarray(exact)
        self.best: float | None = None

    def add(self, what: str, timing, gradient=None, value=None, size=None, **numbers) -> None:
        size = size or self.size
        each = timing.best / size
        if gradient is not None:
            self.best = self.best or each  # the first gradient is ours as it comes
            numbers |= {
                "gradient_error": relative(gradient, self.exact),
                "over_value": each / value,
                "ratio": each / self.best,
            }
        self.table.add(f"{self.name}: {what}", timing, runs_of=size, each_us=1e6 * each, **numbers)


# ---------------------------------------------------------------- imposed sliding


NAMES = ("mu0", "a", "b", "Dc", "V0")
SLIDE = np.log([0.415, 0.006, 0.016, 1 / 30, 1.0])
RECORD = np.array([0.0, 0.1, -0.1, 0.2, 0.0])  # ln(parameters of the record / of the model)


class SlideProblem:
    """As `slide.py` has it, for the loss of all protocols together."""

    def __init__(self, smoke: bool):
        self.smoke, self.size = smoke, 200 if smoke else 13_000
        keys = jax.random.split(jax.random.key(0), self.size)
        self.protocols = jax.jit(jax.vmap(lambda k: ratestate.sample_protocol(key=k)))(keys)
        self.t, self.law = jnp.arange(100) / 100, ratestate.RateStateLaw(*np.exp(SLIDE))
        self.target = self.by_hand(SLIDE + RECORD)
        self.exact = self.by_hand(SLIDE)

    def by_hand(self, x):
        """Friction in extended precision, written apart from jaxfric."""
        numbers = dict(zip(NAMES, np.exp(np.asarray(x, np.longdouble)), strict=True))
        law = SimpleNamespace(**numbers, evolution=ratestate.Aging())
        return closed_form(law, self.protocols, self.t, np.longdouble)

    def gradient_by_hand(self):
        """Central differences in extended precision, which bears a step of 1e-7."""
        step = np.longdouble(1e-7)

        def loss(x):
            return np.mean((self.by_hand(x) - self.target) ** 2)

        shifts = step * np.eye(SLIDE.size, dtype=np.longdouble)
        pairs = [(loss(SLIDE + s), loss(SLIDE - s)) for s in shifts]
        return np.array([(up - down) / (2 * step) for up, down in pairs], float)


def slide_loss(x, protocols, t, target):
    law = ratestate.RateStateLaw(*jnp.exp(x))
    friction = jax.vmap(lambda p: ratestate.slide(law, p, t).friction)(protocols)
    return jnp.mean((friction - target) ** 2)


def slide_rows(table: Table, smoke: bool) -> None:
    problem, repeats = SlideProblem(smoke), 3 if smoke else 11
    args = jnp.array(SLIDE), problem.protocols, problem.t, jnp.array(problem.target, float)
    group = Group(table, "slide", problem.size, problem.gradient_by_hand())
    _, timing = timed_jit(slide_loss, *args, repeats=repeats)
    group.add("ours, value", timing)
    value = timing.best / problem.size
    kinds = {"reverse": jax.grad, "forward": jax.jacfwd, "central differences": differences_of}
    if smoke:
        kinds = {"reverse": jax.grad}
    for what, transform in kinds.items():
        gradient, timing = timed_jit(transform(slide_loss), *args, repeats=repeats)
        group.add(f"ours, {what}", timing, gradient, value)
    if installed("torch_friction"):
        _torch_rows(group, problem)
    else:
        table.absent("slide: torch-friction")


def _torch_rows(group: Group, problem: SlideProblem) -> None:
    """Its gradient of the same loss: V0 is no parameter there, and dt = 1/100 is its error."""
    import torch

    peer = Torch(problem, "float64")
    torch.set_num_threads(os.cpu_count() or 1)
    size = min(problem.size, 1000)  # faster a trajectory than all at once
    velocities, start = peer.velocities(size, 1), peer.tensor(peer.theta[:size])
    target = peer.tensor(problem.target[:size, 1:])
    sampled = peer.tensor(np.log(peer.V[:size, 1:]))
    layer = peer.layer

    def loss():
        _, states = layer.forward_trajectory(velocities, 1 / 100, start)
        states = states[:, :-1].clamp(min=1e-12)
        friction = layer.mu0 + layer.a * sampled + layer.b * torch.log(states / layer.Dc)
        return ((friction - target) ** 2).mean()

    def value():
        with torch.no_grad():
            return float(loss())

    def reverse():
        layer.zero_grad()
        loss().backward()

    repeats = 2 if problem.smoke else 7
    _, timing = timed(value, repeats, 10.0)
    group.add("torch-friction, value", timing, size=size)
    each = timing.best / size
    _, timing = timed(reverse, repeats, 20.0)
    # Its parameters are other than ours (softplus), so only the time is compared.
    ratio = timing.best / size / group.best
    group.add("torch-friction, reverse", timing, size=size, over_value=timing.best / size / each,
              ratio=ratio)  # fmt: skip


# ---------------------------------------------------------------- a velocity step through a spring

V0, V1, AT, END = 1e-6, 1e-5, 10.0, 60.0
TIMES = np.linspace(0, END, 200)


def step_friction(x, **options):
    """Friction of one velocity step, under-damped: k is 1.5 times the critical stiffness."""
    mu0, a, b, Dc, k = jnp.exp(x)
    law = ratestate.RateStateLaw(mu0=mu0, a=a, b=b, Dc=Dc, V0=V0)
    protocol = ratestate.VelocityProtocol.step(V0, V1, at=AT)
    return ratestate.spring_slider(
        law, ratestate.Spring(k), protocol, jnp.asarray(TIMES),
        options=ratestate.Options(**options),
    ).friction  # fmt: skip


def spring_slider_rows(table: Table, smoke: bool) -> None:
    x = jnp.log(jnp.array([0.6, 0.01, 0.014, 1e-5, 600.0]))
    adjoints = {
        "DirectAdjoint": diffrax.DirectAdjoint(),
        "RecursiveCheckpoint": diffrax.RecursiveCheckpointAdjoint(),
        "ForwardMode": diffrax.ForwardMode(),
    }

    def loss_with(adjoint):
        def loss(x, target, rtol=1e-8, atol=1e-10):
            friction = step_friction(x, adjoint=adjoints[adjoint], rtol=rtol, atol=atol)
            return jnp.mean((friction - target) ** 2)

        return loss

    record = jax.jit(lambda x: step_friction(x, adjoint=adjoints["ForwardMode"]))
    target = record(x + RECORD)
    tolerance = jnp.array(1e-8), jnp.array(1e-10)
    forward, seconds = compiled(jax.jacfwd(loss_with("ForwardMode")), x, target, *tolerance)
    exact = forward(x, target, jnp.array(1e-12), jnp.array(1e-13))
    group, repeats = Group(table, "spring_slider", 1, exact), 3 if smoke else 15
    plans = {
        "DirectAdjoint": (("reverse", jax.grad), ("forward", jax.jacfwd)),
        "RecursiveCheckpoint": (("reverse", jax.grad),),
        "ForwardMode": (("central differences", differences_of),),
    }
    if smoke:
        plans = {"ForwardMode": ()}
    for adjoint, kinds in plans.items():
        loss = loss_with(adjoint)
        _, timing = timed_jit(loss, x, target, repeats=repeats)
        group.add(f"ours, {adjoint}, value", timing)
        value = timing.best
        for kind, transform in kinds:
            gradient, timing = timed_jit(transform(loss), x, target, repeats=repeats)
            group.add(f"ours, {adjoint}, {kind}", timing, gradient, value)
    gradient, timing = timed(lambda: forward(x, target, *tolerance), repeats)
    group.add("ours, ForwardMode, forward", timing._replace(compile=seconds), gradient, value)
    if installed("scipy"):
        _scipy_rows(group, np.asarray(x), np.asarray(target), repeats)
    else:
        table.absent("spring_slider: SciPy odeint, central differences")


def _scipy_rows(group: Group, x, target, repeats: int) -> None:
    def loss(x):
        mu0, a, b, Dc, k = np.exp(x).tolist()
        parameters = {"a": a, "b": b, "Dc": Dc, "k": k, "V": V1, "at": AT}
        friction = friction_of(parameters, TIMES, "odeint", 1e-10)
        return np.mean((friction - 0.6 + mu0 - target) ** 2)

    def gradient(size=1e-4):  # the solver's own error asks for a larger step than ours
        shifts = size * np.eye(x.size)
        return np.array([(loss(x + s) - loss(x - s)) / (2 * size) for s in shifts])

    _, timing = timed(lambda: loss(x), repeats)
    group.add("SciPy odeint, rtol 1e-10, value", timing)
    value = timing.best
    found, timing = timed(gradient, repeats)
    group.add("SciPy odeint, central differences", timing, found, value)


def main() -> None:
    smoke = arguments(__doc__).smoke
    table = Table("gradients", COLUMNS, smoke)
    slide_rows(table, smoke)
    spring_slider_rows(table, smoke)
    table.note("Limits: reverse mode costs two values at the least (forward and back), central")
    table.note("differences ten, five forward derivatives share one value and its steps.")
    table.finish()


if __name__ == "__main__":
    main()

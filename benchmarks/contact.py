"""Friction laws of rough surfaces: curves a second beside NumPy and PyTorch, and direct design.

Work of the first table: 64 spheres, 128 loads, float32, heights of deviation 15 µm, radii 0.1 to
1 mm, the top load such that some 10 of them touch; errors are sMAPE against float64. The peers do
the same Newton iteration on the whole array, with as many steps as the same error takes.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import functools  # noqa: E402

import _common  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from jaxfric import contact  # noqa: E402

E, STRENGTH = 1.4e6, 4e5
MATERIAL = contact.Material(modulus=E, shear_strength=STRENGTH)
ROOTS = 64 * 128 * 5  # square roots a curve, when four steps reach the last digit
SIZES = [(16, 128), (64, 128), (256, 128), (1024, 128), (64, 32), (64, 512)]
BLOCK = 512  # surfaces a turn: what stays in the cache, and keeps both cores busy


def surfaces(count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 15e-6, (count, n)), rng.uniform(1e-4, 1e-3, (count, n))


def ours(h: jax.Array, R: jax.Array, loads: jax.Array, block: int = BLOCK) -> jax.Array:
    """Block after block."""

    def law(x: tuple[jax.Array, jax.Array]) -> jax.Array:
        return contact.friction_law(contact.Asperities(*x), MATERIAL, loads).friction

    return jax.lax.map(law, (h, R), batch_size=min(block, h.shape[0]))


def with_gradient(h: jax.Array, R: jax.Array, loads: jax.Array, target: jax.Array) -> jax.Array:
    """Loss and its gradient with respect to every height and radius."""

    def loss(x: tuple[jax.Array, jax.Array]) -> jax.Array:
        F = contact.friction_law(contact.Asperities(*x), MATERIAL, loads).friction
        return jnp.mean((F - target) ** 2)

    return jax.lax.map(jax.value_and_grad(loss), (h, R), batch_size=min(64, h.shape[0]))


def newton(xp, h, R, loads, steps):  # type: ignore[no-untyped-def]
    """The plain method on (batch, load, sphere) arrays; xp is numpy or torch."""
    C = 4 / 3 * E * R**0.5
    single = h[:, None, :] - (loads[None, :, None] / C[:, None, :]) ** (2 / 3)
    d = xp.amax(single, 2)
    for _ in range(steps):
        delta = (h[:, None, :] - d[:, :, None]).clip(0)
        root = delta**0.5
        P = (C[:, None, :] * delta * root).sum(2)
        d = d + (P - loads) / (1.5 * C[:, None, :] * root).sum(2)
    delta = (h[:, None, :] - d[:, :, None]).clip(0)
    return STRENGTH * np.pi * (R[:, None, :] * delta).sum(2)


def root_rate(smoke: bool) -> float:
    """Square roots a second, of an array that stays in the cache."""
    x = jnp.linspace(1, 2, 2**14, dtype=jnp.float32)

    def repeat(x: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, 256, lambda _, y: jnp.sqrt(y + 1), x)

    _, timing = _common.timed_jit(repeat, x, repeats=5 if smoke else 50)
    return 256 * x.size / timing.best


def smape(F: np.ndarray, true: np.ndarray) -> float:
    """The worst curve, percent."""
    F = np.asarray(F, np.float64)
    return float((200 * np.abs(F - true) / (F + true)).mean(1).max())


COLUMNS = {
    "curves": "curves",
    "per_second": "curves/s",
    "median_per_second": "median",
    "ratio": "ours / this",
    "worst_error": "worst sMAPE, %",
    "compile_s": "compile",
    "limit_share": "of the limit",
}


class Rates:
    """Rows of curves a second."""

    def __init__(self, table: _common.Table, limit: float) -> None:
        self.table, self.limit = table, limit
        self.first: dict[str, float] = {}

    def add(self, who: str, what: str, count: int, timing: _common.Timing, error) -> None:  # type: ignore[no-untyped-def]
        rate = count / timing.best
        base = self.first.setdefault(what, rate)
        share = rate * ROOTS / self.limit if (who, what) == ("ours", "forward") else None
        self.table.add(
            f"{who}: {what}", timing, curves=count, per_second=rate,
            median_per_second=count / timing.median, ratio=base / rate, worst_error=error,
            limit_share=share,
        )  # fmt: skip


def forward(table: Rates, smoke: bool) -> None:
    count, n, m = (256, 64, 128) if smoke else (16_384, 64, 128)
    h, R = surfaces(count, n)
    loads = 0.02 * np.arange(1, m + 1) / m
    h32, R32, P32 = (jnp.asarray(x, jnp.float32) for x in (h, R, loads))
    exact = np.asarray(ours(*(jnp.asarray(np.asarray(x), float) for x in (h32, R32, P32))))
    repeats = 3 if smoke else 15
    F, timing = _common.timed_jit(ours, h32, R32, P32, repeats=repeats)
    table.add("ours", "forward", count, timing, smape(F, exact))
    target = jnp.asarray(exact[0], jnp.float32)
    _, timing = _common.timed_jit(with_gradient, h32, R32, P32, target, repeats=repeats)
    table.add("ours", "loss and gradient", count, timing, None)

    few = count // 16
    a, b, c = (np.asarray(x)[: few if x.ndim == 2 else m] for x in (h32, R32, P32))
    steps = steps_for(np, a, b, c, exact[:few])
    F, timing = _common.timed(lambda: newton(np, a, b, c, steps), repeats)
    table.add(f"NumPy, {steps} steps", "forward", few, timing, smape(F, exact[:few]))
    if _common.installed("torch"):
        import torch

        def tensors() -> list:
            return [torch.from_numpy(x.copy()) for x in (a, b, c)]

        x = tensors()
        with torch.no_grad():
            F, timing = _common.timed(lambda: newton(torch, *x, steps), repeats)
        name = f"PyTorch, {steps} steps, {torch.get_num_threads()} threads"
        table.add(name, "forward", few, timing, smape(F.numpy(), exact[:few]))

        def step() -> torch.Tensor:
            h, R, P = tensors()
            h.requires_grad_(True)
            R.requires_grad_(True)
            loss = ((newton(torch, h, R, P, steps) - F) ** 2).mean()
            loss.backward()
            return h.grad

        _, timing = _common.timed(step, repeats)
        table.add(name, "loss and gradient", few, timing, None)


def steps_for(xp, h, R, loads, exact):  # type: ignore[no-untyped-def]
    """The fewest Newton steps with a worst sMAPE of 0.001 %."""
    for steps in range(1, 30):
        if smape(newton(xp, h, R, loads, steps), exact) <= 1e-3:
            return steps
    return 30


def scaling(table: Rates, smoke: bool) -> None:
    """Cost against spheres and loads."""
    for n, m in SIZES[:2] if smoke else SIZES:
        count = max(64, (2**15 if smoke else 2**20) * 16 // (n * m))
        h, R = surfaces(count, n)
        loads = 0.02 * np.arange(1, m + 1) / m
        arrays = [jnp.asarray(x, jnp.float32) for x in (h, R, loads)]
        block = max(1, 2**16 // m)
        _, timing = _common.timed_jit(functools.partial(ours, block=block), *arrays, repeats=5)
        table.add("ours", f"forward, n = {n}, {m} loads", count, timing, None)


def draw(rows: list[dict]) -> None:
    """Microseconds a curve against spheres and loads."""
    from jaxfric.plotting._style import COLOURS, new_panels, save

    cost = {row["what"]: 1e6 / row["per_second"] for row in rows if "per_second" in row}
    figure, axes = new_panels(size=(8.0, 3.6), ratios=(1.0,), columns=2, share=False)
    left, right = axes[0]
    for axis, points, label in (
        (left, [(n, n, 128) for n in (16, 64, 256, 1024)], "spheres (128 loads)"),
        (right, [(m, 64, m) for m in (32, 128, 512)], "loads (64 spheres)"),
    ):
        x = [p[0] for p in points]
        y = [cost[f"ours: forward, n = {n}, {m} loads"] for _, n, m in points]
        axis.plot(x, y, "o-", color=COLOURS[1], label="measured")
        axis.plot(x, [y[1] * v / x[1] for v in x], "k--", lw=0.8, label="in proportion")
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.set_xticks(x, [str(v) for v in x])
        axis.minorticks_off()
    left.set(ylabel="µs a curve")
    left.legend(frameon=False)
    figure.suptitle("Friction laws, float32, two cores", fontsize=10)
    save(figure, _common.ROOT / "docs" / "images" / "contact-cost.png")


def main() -> None:
    smoke = _common.arguments(__doc__).smoke
    table = _common.Table("contact", COLUMNS, smoke)
    rates = Rates(table, root_rate(smoke))
    forward(rates, smoke)
    scaling(rates, smoke)
    if not smoke:
        draw(table.rows)
    table.finish()


if __name__ == "__main__":
    main()

"""Direct design: random targets and target families, errors and time for each, with yardsticks.

64 asperities, radii 0.1 to 1 mm, E* = 1.4 MPa, 128 loads evenly from 1/128 to 1 of the largest,
float32. Random targets: laws of surfaces drawn from random mixtures (a Sobol' set apart from the
bank's), cut to the same radii. Errors are sMAPE in percent over all 128 loads.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import functools  # noqa: E402

import _common  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from jaxfric import contact  # noqa: E402

N, RADII = 64, (1e-4, 1e-3)
SOFT = contact.Material(modulus=1.4e6, shear_strength=4e5)
STIFF = contact.Material(modulus=1.4e6, shear_strength=1e5)
COLUMNS = {
    "targets": "targets",
    "p50": "median",
    "mean": "mean",
    "p95": "95th",
    "worst": "worst",
    "per_target_ms": "ms a target",
    "feasible": "feasible",
    "floor_ratio": "floor, predicted / reached",
    "compile_s": "compile",
}


def grid(top: float) -> jax.Array:
    return jnp.asarray(top * np.arange(1, 129) / 128, jnp.float32)


def random_targets(count: int, loads: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Laws, and how many asperities touch at the largest load."""
    mixtures = contact.sample_mixtures(count, key=jax.random.key(99))
    keys = jax.random.split(jax.random.key(98), count)

    def law(mixture, key):  # type: ignore[no-untyped-def]
        curve = contact.friction_law(mixture.sample(N, key=key, radii=RADII), SOFT, loads)
        return curve.friction, curve.contact_count[-1]

    return jax.vmap(law)(mixtures, keys)


def spread(errors: jax.Array) -> dict[str, float]:
    e = np.asarray(errors, float)
    p50, p95 = np.percentile(e, [50, 95])
    return {"p50": p50, "mean": e.mean(), "p95": p95, "worst": e.max()}


def add(table: _common.Table, what: str, errors, count: int, timing=None, **more) -> None:  # type: ignore[no-untyped-def]
    each = {} if timing is None else {"per_target_ms": 1e3 * timing.best / count}
    table.add(what, timing, targets=count, **spread(errors), **each, **more)


def yardsticks(table: _common.Table, bank: contact.Bank, loads: jax.Array, targets) -> None:  # type: ignore[no-untyped-def]
    """What takes no thought: a constant, another surface, the best of 1,000."""
    count = targets.shape[0]
    laws, _ = random_targets(1000, loads)
    errors = jax.vmap(lambda t: jax.vmap(lambda F: contact.smape(F, t))(laws[::-1]))(targets)
    constant = jax.vmap(lambda t: contact.smape(jnp.full_like(t, jnp.median(t)), t))(targets)
    add(table, "constant curve", constant, count)
    add(table, "unrelated random surface", errors[:, 0], count)
    # the targets themselves are among the thousand: leave them out
    others = jnp.where(errors < 1e-4, jnp.inf, errors)
    add(table, "best of 1,000 random", jnp.min(others, 1), count)


def random_laws(table: _common.Table, smoke: bool, top: float, bank: contact.Bank) -> None:
    count = 4 if smoke else 200
    loads = grid(top)
    targets, touching = random_targets(count, loads)
    where = f"random, to {top:g} N"
    if top == 0.05:
        yardsticks(table, bank, loads, targets)

    def best(target):  # type: ignore[no-untyped-def]
        return contact.design(SOFT, loads, target, bank=bank, radius_bounds=RADII).error

    errors, timing = _common.timed_jit(
        lambda T: jax.lax.map(best, T, batch_size=4), targets, repeats=1 if smoke else 3
    )
    low, half, high = np.percentile(touching, [5, 50, 95])
    add(table, where, errors, count, timing)
    table.note(f"{where}: {low:.0f} / {half:.0f} / {high:.0f} asperities touch (5, 50, 95 %)")


def families(smoke: bool) -> dict[str, jax.Array]:
    """Twenty of each: levels, exponents, slopes and places of the kink."""
    k = 2 if smoke else 20
    P, even = grid(1.0), np.linspace
    return {
        "linear, 0.35 to 0.7": jnp.stack([contact.linear_law(P, m) for m in even(0.35, 0.7, k)]),
        "power 2/3 to 1": jnp.stack(
            [contact.power_law(P, m, 0.5, 1.0) for m in even(2 / 3, 1.0, k)]
        ),
        "power 1 to 1.35": jnp.stack(
            [contact.power_law(P, m, 0.5, 1.0) for m in even(1.0, 1.35, k)]
        ),
        "second slope 1.05 to 1.5 times": jnp.stack(
            [contact.bilinear_law(P, 0.4, 0.4 * r, 0.5) for r in even(1.05, 1.5, k)]
        ),
        "second slope 0.5 to 0.95 times": jnp.stack(
            [contact.bilinear_law(P, 0.5, 0.5 * r, 0.5) for r in even(0.5, 0.95, k)]
        ),
    }


def target_families(table: _common.Table, smoke: bool, bank: contact.Bank) -> None:
    loads = grid(1.0)

    def both(target):  # type: ignore[no-untyped-def]
        told = contact.feasibility(STIFF, loads, target, bank=bank, radius_bounds=RADII)
        found = contact.design(STIFF, loads, target, bank=bank, radius_bounds=RADII)
        return found.error, told.floor, told.floor < 0.3

    program = jax.jit(lambda T: jax.lax.map(both, T, batch_size=4))
    for name, targets in families(smoke).items():
        run = functools.partial(program, targets)
        (errors, floors, feasible), timing = _common.timed(run, 1)
        ratio = np.asarray(floors / errors)[~np.asarray(feasible)]
        shown = "-" if ratio.size == 0 else f"{ratio.min():.2f} to {ratio.max():.2f}"
        yes = np.asarray(feasible)
        add(table, name, errors, len(targets), timing, feasible=f"{yes.sum()} of {yes.size}",
            floor_ratio=shown)  # fmt: skip
        if yes.any():
            table.note(f"{name}: worst of the feasible {np.asarray(errors)[yes].max():.3f} %")


def main() -> None:
    smoke = _common.arguments(__doc__).smoke
    table = _common.Table("contact_design", COLUMNS, smoke)
    count = 1024 if smoke else 100_000
    bank, timing = _common.timed(lambda: contact.make_bank(count, key=jax.random.key(0)), 1)
    table.note(f"bank of {count:,} laws: {timing.best:.1f} s")
    for top in (0.05, 1.0):
        random_laws(table, smoke, top, bank)
    target_families(table, smoke, bank)
    table.finish()


if __name__ == "__main__":
    main()

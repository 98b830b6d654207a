"""Derivatives through the grains: their error, their reach, their memory, and one use of them."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from _gouge_kit import PRESSURE, SPEED, STIFFNESS, TIME, WALL, Cases, D, law, packed, table

from jaxfric import gouge

LOAD = gouge.Load(PRESSURE, 0.05 * SPEED, wall_mass=WALL)
SHORT = dict(length=0.012, height=6e-3)  # 37 grains, as in the tests
STEPS, GAP = 50, 0.1  # between samples, and d √(ρ/P): 27 steps a contact


def softened(mu, kappa) -> gouge.Contact:
    """The law of the study with a friction and a stiffness over that of the study."""
    return eqx.tree_at(
        lambda c: (c.friction, c.normal_stiffness), law(), (mu, STIFFNESS * kappa)
    )  # fmt: skip


def outcome(layer, p, samples: int):
    """Friction, thickness and kinetic energy at the end, in their units."""
    t = np.linspace(0, GAP * samples * TIME, samples + 1)
    found = gouge.shear(layer, softened(p[0], p[1]), LOAD, t, steps=STEPS)
    return jnp.stack([
        found.friction_now[-1], found.thickness[-1] / D,
        found.kinetic_energy_now[-1] / (PRESSURE * D),
    ])  # fmt: skip


def contacts(layer, samples: int) -> dict:
    """How many contacts are made and broken, by where the grains are at the samples."""
    t = np.linspace(0, GAP * samples * TIME, samples + 1)
    found = gouge.shear(layer, law(), LOAD, t, steps=STEPS, keep_grains=True)
    places = [layer.grains.position, *found.position]
    touching = [_touching(layer, np.asarray(p)) for p in places]
    made = sum(int((b & ~a).sum()) // 2 for a, b in zip(touching, touching[1:], strict=False))
    broken = sum(int((a & ~b).sum()) // 2 for a, b in zip(touching, touching[1:], strict=False))
    return {"contacts": int(touching[0].sum()) // 2, "made": made, "broken": broken}


def _touching(layer, position: np.ndarray) -> np.ndarray:
    x, y = position.T
    radius, wall = np.asarray(layer.grains.radius), np.asarray(layer.wall)
    dx = x[:, None] - x
    dx -= float(layer.length) * np.round(dx / float(layer.length))
    pairs = (wall[:, None] == 0) | (wall == 0)
    np.fill_diagonal(pairs, False)
    return pairs & (np.hypot(dx, y[:, None] - y) < radius[:, None] + radius)


def compared(samples: int) -> dict:
    """Forward and reverse mode against central differences; and how much a derivative is."""
    layer = packed(1, **SHORT)[0]
    function = jax.jit(lambda p: outcome(layer, p, samples))
    p, h = jnp.array([0.5, 1.0]), 1e-6
    forward = np.asarray(jax.jit(jax.jacfwd(lambda p: outcome(layer, p, samples)))(p))

    def differences(h: float) -> np.ndarray:
        return np.stack(
            [np.asarray(function(p.at[i].add(h)) - function(p.at[i].add(-h))) / (2 * h)
             for i in range(2)], -1,
        )  # fmt: skip

    narrow, wide = differences(h), differences(0.05)
    result = {
        "steps": samples * STEPS,
        "size": np.abs(forward).max(),
        "error": np.abs(forward - narrow).max(),
        "relative_error": np.abs(forward - narrow).max() / np.abs(forward).max(),
        "friction_by_friction": forward[0, 0],
        "difference_of_0.05": wide[0, 0],
    }
    if samples <= 4:
        reverse = np.asarray(jax.jit(jax.jacrev(lambda p: outcome(layer, p, samples)))(p))
        result["reverse_minus_forward"] = np.abs(reverse - forward).max()
        # The part of the cap: without sliding nothing would depend on the grains' friction
        result |= contacts(layer, samples) | {"by_friction": np.abs(forward[:, 0]).max()}
    return result


def search(seeds: int, samples: int = 8) -> dict:
    """Friction and stiffness of the grains from a short noisy record, by Gauss–Newton."""
    layer = packed(1, **SHORT)[0]
    t = np.linspace(0, GAP * samples * TIME, samples + 1)

    def seen(p):
        # As logarithms, which keeps both positive
        found = gouge.shear(layer, softened(jnp.exp(p[0]), jnp.exp(p[1])), LOAD, t, steps=STEPS)
        return jnp.concatenate([found.friction, found.thickness / D])

    both = jax.jit(lambda p: (seen(p), jax.jacfwd(seen)(p)))
    truth = np.log([0.35, 1.2])
    clean = np.asarray(both(jnp.asarray(truth))[0])
    # A thousandth of the load and of a grain's diameter
    noise = 1e-3
    found, rounds = [], []
    for seed in range(seeds):
        target = clean + noise * np.random.default_rng(seed).normal(size=clean.size)
        p, k = _gauss_newton(both, target, np.log([0.6, 1.0]))
        found.append(np.exp(p))
        rounds.append(k)
    return {
        "steps": samples * STEPS, "records": seeds, "noise": noise,
        "start": [0.6, 1.0], "truth": np.exp(truth), "mean": np.mean(found, 0),
        "spread": np.std(found, 0, ddof=1) if seeds > 1 else 0.0, "rounds": max(rounds),
    }  # fmt: skip


def _gauss_newton(both, target: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, int]:
    """Damped least squares; a step that makes it worse is taken back."""
    damping, (value, slope) = 1e-3, map(np.asarray, both(jnp.asarray(p)))
    for k in range(40):
        residual = value - target
        normal = slope.T @ slope
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slope.T @ residual)
        trial = p + np.clip(step, -0.3, 0.3)
        new, new_slope = map(np.asarray, both(jnp.asarray(trial)))
        if np.sum((new - target) ** 2) < np.sum(residual**2):
            moved = np.abs(trial - p).max()
            p, value, slope, damping = trial, new, new_slope, damping / 5
            if moved < 1e-6:
                return p, k + 1
        else:
            damping *= 10
            if damping > 1e8:
                return p, k + 1
    return p, 40


def gradient(cases: Cases, smoke: bool) -> None:
    """Errors at 200 steps, sizes at more, and the search."""
    for samples in (4,) if smoke else (4, 20, 100):
        cases(f"{samples * STEPS} steps", lambda n=samples: compared(n))
    if not smoke:
        cases("search", lambda: search(8))


def reverse_pass(samples: int) -> dict:
    """A gradient in friction, stiffness and all places, in this process: seconds and memory."""
    import time

    layer = packed(1, length=0.072, height=0.011)[0]
    t = np.linspace(0, 0.25 * samples * TIME, samples + 1)
    steps = 100

    def mean_friction(p, position):
        moved = eqx.tree_at(lambda x: x.grains.position, layer, position)
        found = gouge.shear(moved, softened(p[0], p[1]), LOAD, t, steps=steps)
        return found.friction.mean()

    slope = jax.jit(jax.grad(mean_friction, argnums=(0, 1)))
    p = jnp.array([0.5, 1.0])
    compiled = slope.lower(p, layer.grains.position).compile()
    before = _resident_peak()
    began = time.perf_counter()
    by_law, by_place = jax.block_until_ready(compiled(p, layer.grains.position))
    return {
        "grains": int(layer.wall.size), "steps": samples * steps,
        "resident_gb": _resident_peak(), "before_gb": before,
        "buffers_gb": compiled.memory_analysis().temp_size_in_bytes / 1e9,
        "run_seconds": time.perf_counter() - began,
        "finite": bool(np.isfinite(by_law).all() and np.isfinite(by_place).all()),
    }  # fmt: skip


def _resident_peak() -> float:
    """GB, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def memory(cases: Cases, smoke: bool) -> None:
    """In a fresh process, so that nothing else is in its peak."""
    if smoke:  # reverse mode runs in the part `gradient`
        return
    samples = 100
    here = Path(__file__).resolve().parent

    def apart() -> dict:
        code = f"import json, _gouge_derivatives as d; print(json.dumps(d.rounded_pass({samples})))"
        found = subprocess.run(
            [sys.executable, "-c", code], cwd=here, env=os.environ, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return json.loads(found.stdout.splitlines()[-1])

    cases("reverse mode", apart)


def rounded_pass(samples: int) -> dict:
    from _gouge_kit import rounded

    return rounded(reverse_pass(samples))


def derivatives_table(parts: dict) -> str:
    rows = [
        [case["steps"], f"{case['size']:.3g}", f"{case['error']:.1e}",
         f"{case['relative_error']:.1e}", f"{case['friction_by_friction']:.3g}",
         f"{case['difference_of_0.05']:.3g}"]
        for name, case in parts.get("gradient", {}).items() if name.endswith("steps")
    ]  # fmt: skip
    return table(
        ("steps", "largest derivative", "error", "relative", "∂ friction/∂ friction of grains",
         "difference of ± 0.05"), rows,
    )  # fmt: skip


def headline(parts: dict) -> dict:
    case = parts.get("gradient", {}).get("200 steps")
    return {"gradient_error": None if case is None else case["error"]}

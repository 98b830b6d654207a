"""What `slide.py` measures itself against: closed forms by hand, torch-friction, SciPy."""

import math
import os
import time

import jax
import numpy as np
from _common import timed

SAMPLES_A_STEP = (1, 4, 16, 64)  # torch-friction's steps per sample interval


def pieces(protocols, i):
    """Start times and velocities of protocol i, without its padding."""
    real = np.isfinite(protocols.times[i])
    return np.asarray(protocols.times[i])[real], np.asarray(protocols.velocities[i])[real]


# ---------------------------------------------------------------- closed forms in NumPy


def closed_form(law, protocols, t, dtype):
    """Friction of every protocol by the closed form, in `dtype`; written apart from jaxfric."""
    times, V = np.asarray(protocols.times, dtype), np.asarray(protocols.velocities, dtype)
    V = np.where(np.isfinite(times), V, 1)  # padding, never used
    t = np.asarray(t, dtype)
    mu0, a, b, Dc, V0 = (np.asarray(x, dtype) for x in (law.mu0, law.a, law.b, law.Dc, law.V0))
    kind = type(law.evolution).__name__
    factor = dtype(2 if kind == "PRZ" else 1)
    theta = factor * Dc / V[:, :1]  # steady state, one column to broadcast over samples
    friction = np.empty((len(V), len(t)), dtype)
    for k in range(times.shape[1]):
        used = np.isfinite(times[:, k])
        if not used.any():
            break
        v = V[:, k : k + 1]
        begin = np.where(used, times[:, k], 0)[:, None]
        inside = used[:, None] & (t >= begin)
        now = _advance(kind, theta, v, np.where(inside, t - begin, 0), Dc)
        value = mu0 + a * np.log(v / V0) + b * np.log(now * V0 / (factor * Dc))
        friction = np.where(inside, value, friction)
        if k + 1 < times.shape[1]:
            ends = np.isfinite(times[:, k + 1])
            length = np.where(ends, times[:, k + 1] - begin[:, 0], 0)[:, None]
            theta = _advance(kind, theta, v, length, Dc)
    return friction


def _advance(kind, theta, V, dt, Dc):
    r = V * dt / Dc
    if kind == "Aging":
        return theta * np.exp(-r) - Dc / V * np.expm1(-r)
    if kind == "Slip":
        return Dc / V * np.exp(np.exp(-r) * np.log(V * theta / Dc))
    u0, T = V * theta / (2 * Dc), np.tanh(r / 2)
    return 2 * Dc / V * (u0 + T) / (1 + u0 * T)


# ---------------------------------------------------------------- torch-friction


class Torch:
    """torch-friction with the law of the problem; velocity constant over each of its steps."""

    def __init__(self, problem, dtype):
        import torch
        from torch_friction import FrictionLayer

        law = problem.law
        self.torch, self.problem, self.dtype = torch, problem, dtype
        self.layer = FrictionLayer(law.mu0, law.a, law.b, law.Dc, law.V0, law="aging")
        self.layer = self.layer.to(getattr(torch, dtype))
        protocols, t = problem.protocols, np.asarray(problem.t)
        self.V = np.asarray(jax.vmap(lambda p: p(t))(protocols))
        self.theta = law.Dc / self.V[:, 0]

    def tensor(self, x):
        return self.torch.tensor(np.asarray(x, float), dtype=getattr(self.torch, self.dtype))

    def velocities(self, size, steps):
        """Mean velocity over each step: the slip is then right where a jump falls inside one."""
        count = steps * self.V.shape[1]
        grid = np.arange(count + 1) / count
        protocols = jax.tree_util.tree_map(lambda x: x[:size], self.problem.protocols)
        travelled = np.asarray(jax.vmap(lambda p: p.displacement(grid))(protocols))
        return self.tensor(np.diff(travelled, axis=1) * count)

    def run(self, velocities, steps, chunk):
        """States after every step, `chunk` trajectories a call."""
        torch, dt = self.torch, 1 / velocities.shape[1]
        start = self.tensor(self.theta[: len(velocities)])
        with torch.no_grad():
            calls = [
                self.layer.forward_trajectory(velocities[i : i + chunk], dt, start[i : i + chunk])
                for i in range(0, len(velocities), chunk)
            ]
        return torch.cat([states for _, states in calls])[:, steps - 1 :: steps]

    def friction(self, states):
        """Friction at the samples from its states and the velocity of the sample.

        Its own friction pairs the state after a step with the velocity before it, which is off by
        a ln(V2/V1) after every jump; that is not held against it.
        """
        law = self.problem.law
        states = states.double().numpy()
        with np.errstate(invalid="ignore"):
            later = law.mu0 + law.a * np.log(self.V[: len(states), 1:] / law.V0)
            later = later + law.b * np.log(states[:, :-1] * law.V0 / law.Dc)
        return np.concatenate([np.asarray(self.problem.exact[: len(states), :1]), later], axis=1)


def torch_rows(problem) -> None:
    import torch

    smoke, name = problem.smoke, "torch-friction"
    for dtype in ("float64", "float32"):
        peer = Torch(problem, dtype)
        velocities = peer.velocities(problem.size, 1)
        threads, chunk = _fastest(peer, velocities, (1,) if smoke else (1, os.cpu_count()))
        torch.set_num_threads(threads)
        states, timing = timed(lambda: peer.run(velocities, 1, chunk), problem.repeats, 20.0)  # noqa: B023
        what = f"{name}, all in batches, dt = 1/100, {dtype}"
        _add(problem, what, timing, peer, states, chunk=chunk, threads=threads)
        if dtype == "float32":
            continue
        _one_by_one(problem, peer)
        for steps in SAMPLES_A_STEP[1:2] if smoke else SAMPLES_A_STEP[1:]:
            size = min(problem.size, 13_000 // steps)
            fine = peer.velocities(size, steps)
            states, timing = timed(lambda: peer.run(fine, steps, chunk), 3, 20.0)  # noqa: B023
            what = f"{name}, all in batches, dt = 1/{100 * steps:,}"
            _add(problem, what, timing, peer, states, chunk=chunk, threads=threads)
        _own_grid(problem, peer, 0.25)


def _add(problem, what, timing, peer, states, **numbers) -> None:
    problem.add(what, timing, len(states), peer.friction(states), problem.exact, **numbers)


def _fastest(peer, velocities, threads):
    """The number of threads and of trajectories a call that are fastest here."""
    trials = {}
    for count in threads:
        peer.torch.set_num_threads(count)
        for chunk in (500, 13_000) if peer.problem.smoke else (500, 1000, 2000, 13_000):
            _, timing = timed(lambda: peer.run(velocities, 1, chunk), 2)  # noqa: B023
            trials[count, chunk] = timing.best
    return min(trials, key=trials.get)


def _one_by_one(problem, peer) -> None:
    """One trajectory a call, as in its README, on as many as fit in the time."""
    size = 5 if problem.smoke else 400
    velocities = peer.velocities(size, 1)
    states, timing = timed(lambda: peer.run(velocities, 1, 1), 3, 15.0)
    _add(problem, "torch-friction, one a call, dt = 1/100", timing, peer, states)


def _own_grid(problem, peer, largest) -> None:
    """Only its `rk4_step`, on a grid of ours: no jump inside a step, V dt/Dc <= `largest`.

    The most that can be had from it, by a user who writes the loop and the grid himself.
    """
    torch, layer = peer.torch, peer.layer
    size = 20 if problem.smoke else 2000
    grids = [_grid(problem, i, largest) for i in range(size)]
    steps = max(len(dt) for dt, _, _ in grids)
    dts, velocities = np.zeros((2, size, steps))
    velocities += 1
    for i, (dt, v, _) in enumerate(grids):
        dts[i, : len(dt)], velocities[i, : len(v)] = dt, v
    marks = np.stack([mark for _, _, mark in grids])
    by_step = [peer.tensor(x.T).contiguous() for x in (velocities, dts)]
    start = peer.tensor(peer.theta[:size])

    def run():
        with torch.no_grad():
            theta, Dc, states = start, layer.Dc, torch.empty_like(by_step[0])
            for k, (v, dt) in enumerate(zip(*by_step, strict=True)):
                theta = layer.rk4_step(0.0, theta, v, dt, Dc)
                states[k] = theta
        return states

    states, timing = timed(run, 5, 20.0)
    at_samples = torch.tensor(np.take_along_axis(states.numpy().T, marks, axis=1))
    what = f"torch-friction's rk4_step on our grid, V dt/Dc <= {largest}"
    _add(problem, what, timing, peer, at_samples, steps=steps)


def _grid(problem, i, largest):
    """Steps, velocities, and the index of the last step before each sample from t = 1/100 to 1."""
    starts, V = pieces(problem.protocols, i)
    samples = np.append(np.asarray(problem.t), 1.0)
    breaks = np.union1d(samples, starts)
    length = np.diff(breaks)
    v = V[np.searchsorted(starts, breaks[:-1], side="right") - 1]
    count = np.maximum(1, np.ceil(v * length / problem.law.Dc / largest)).astype(int)
    last = np.cumsum(count) - 1
    return np.repeat(length / count, count), np.repeat(v, count), last[np.isin(breaks[1:], samples)]


# ---------------------------------------------------------------- SciPy


def scipy_rows(problem) -> None:
    from scipy.integrate import odeint, solve_ivp

    def with_solve_ivp(rate, span, y0, t):
        return solve_ivp(rate, span, [y0], method="LSODA", t_eval=t, rtol=1e-8, atol=1e-10).y[0]

    def with_odeint(rate, span, y0, t):
        return odeint(rate, [y0], t, tfirst=True, rtol=1e-8, atol=1e-10)[:, 0]

    size = 2 if problem.smoke else 48
    for what, solve in (("odeint", with_odeint), ("solve_ivp LSODA", with_solve_ivp)):
        start = time.perf_counter()
        friction, timing = timed(
            lambda: np.stack([_by_segments(problem, i, solve) for i in range(size)]),  # noqa: B023
            repeats=3,
        )
        seconds = time.perf_counter() - start
        row = f"SciPy {what}, one solve a segment, rtol 1e-8"
        problem.add(row, timing, size, friction, problem.exact, total_s=seconds)


def _by_segments(problem, i, solve):
    """Friction of protocol i: ln θ integrated from jump to jump, scalar arithmetic in `math`."""
    law, t = problem.law, np.asarray(problem.t)
    starts, V = pieces(problem.protocols, i)
    ends = np.append(starts[1:], np.inf)
    y, friction, exp, Dc = math.log(law.Dc / V[0]), np.empty(len(t)), math.exp, law.Dc
    for begin, end, v in zip(starts.tolist(), ends.tolist(), V.tolist(), strict=True):
        inside = (t >= begin) & (t < end)
        last = end if math.isfinite(end) else float(t[-1])
        if last <= begin:
            continue
        where = np.unique(np.concatenate([[begin], t[inside], [last]]))

        def rate(_, y, q=v / Dc):
            return (exp(-y[0]) - q,)

        ys = solve(rate, (begin, last), y, where)
        theta = np.exp(ys[np.searchsorted(where, t[inside])])
        friction[inside] = (
            law.mu0 + law.a * math.log(v / law.V0) + law.b * np.log(theta * law.V0 / Dc)
        )
        y = float(ys[-1])
    return friction

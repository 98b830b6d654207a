"""The published numbers: reference curves, closed forms, precision, the real records."""

import json
from pathlib import Path

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs, records

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "data" / "spring_slider_reference.json").read_text()
)
CASES = [name for name, case in REFERENCE.items() if isinstance(case, dict) and "friction" in case]
EVOLUTIONS = {"aging": rs.Aging(), "slip": rs.Slip(), "prz": rs.PRZ()}


@pytest.mark.x64
@pytest.mark.parametrize("curve", CASES)
def test_reference_curve(curve):
    case = REFERENCE[curve]
    evolution = tuple(EVOLUTIONS[x] for x in case["laws"])
    b, Dc = tuple(case["b"]), tuple(case["Dc"])
    if len(evolution) == 1:
        evolution, b, Dc = evolution[0], b[0], Dc[0]
    law = rs.RateStateLaw(case["mu0"], case["a"], b, Dc, case["V_ref"], evolution)
    load = rs.VelocityProtocol.step(*case["load_velocity"], at=case["step_time"])
    t = jnp.asarray(case["times"], float)
    history = rs.spring_slider(law, rs.Spring(case["k"]), load, t)
    assert history.status.ok
    np.testing.assert_allclose(history.friction, case["friction"], rtol=0, atol=1e-7)


@pytest.mark.x64
@pytest.mark.parametrize("kind", ["aging", "slip", "prz"])
def test_closed_form_against_diffrax(kind):
    law = rs.slide_hold_learn_law(EVOLUTIONS[kind])
    keys = jax.random.split(jax.random.key(0), 50)
    protocols = jax.vmap(lambda key: rs.sample_protocol(key=key))(keys)
    t = jnp.arange(100) / 100
    exact = jax.vmap(lambda p: rs.slide(law, p, t))(protocols)
    solved = jax.jit(jax.vmap(lambda p: rs.slide(law, p, t, solver=diffrax.Tsit5())))(protocols)
    np.testing.assert_allclose(solved.friction, exact.friction, rtol=0, atol=1e-8)


@pytest.mark.x64
@pytest.mark.parametrize(
    ("title", "before", "after"), [("basalt", 10, 20), ("sepiolite", 600, 600)]
)
def test_better_law_reaches_the_noise_of_a_real_record(title, before, after):
    record = records.sample(title)
    step = float(rs.protocol_from_displacement(record).times[1])
    record = record.crop(step - before, step + after)
    fits = [
        rs.fit_step(record, *rs.guess(record, e), free=("stiffness", "step_time"))
        for e in (rs.Aging(), rs.Slip())
    ]
    best = min(fits, key=lambda fit: fit.bic)
    assert best.rms <= 1.1 * best.steady_noise
    assert all(fit.error("a") > 0 for fit in fits)


@pytest.mark.x64
def test_gradients_at_a_velocity_step():
    t = jnp.linspace(0.0, 30.0, 31)

    def total(x):
        a, b, Dc, k, at = x
        law = rs.RateStateLaw(0.6, a, b, Dc * 1e-5, 1e-6)
        load = rs.VelocityProtocol.step(1e-6, 1e-5, at=at)
        return jnp.mean(rs.spring_slider(law, rs.Spring(k * 1e3), load, t).friction)

    x = jnp.array([0.01, 0.006, 1.0, 1.0, 5.05])
    value = jax.jit(total)
    h = 1e-5 * x
    slopes = [(value(x.at[i].add(h[i])) - value(x.at[i].add(-h[i]))) / (2 * h[i]) for i in range(5)]
    np.testing.assert_allclose(jax.jit(jax.grad(total))(x), slopes, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(total))(x), slopes, rtol=1e-5)

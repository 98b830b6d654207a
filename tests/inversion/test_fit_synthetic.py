"""Do the errors of a fit mean what they say? Coverage of 95 % intervals on synthetic steps.

One law, one sampling, so one compilation; only the noise differs from fit to fit. There are as many
samples as the smallest program has: no fit computes what is padded.
"""

import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

TIME = np.linspace(0.0, 60.0, 256)
FREE = ("stiffness", "step_time")
TRUTH = {"a": 0.010, "b": 0.014, "Dc": 2e-5, "a-b": -0.004, "stiffness": 2000.0, "step_time": 20.0}
LAW = rs.RateStateLaw(0.6, TRUTH["a"], TRUTH["b"], TRUTH["Dc"], 1e-6)
PROTOCOL = rs.VelocityProtocol([0.0, 20.0], [1e-6, 1e-5])
NOISE = 5e-4


@functools.cache
def clean():
    """Displacement and friction without noise."""
    simulate = eqx.filter_jit(rs.spring_slider)
    history = simulate(LAW, rs.Spring(TRUTH["stiffness"]), PROTOCOL, jnp.asarray(TIME))
    return np.asarray(PROTOCOL.displacement(jnp.asarray(TIME))), np.asarray(history.friction)


def correlated(rng, rho, sd=NOISE, n=TIME.size):
    """Autoregressive noise of first order and standard deviation sd."""
    e = sd * np.sqrt(1 - rho**2) * rng.normal(size=n)
    x = np.empty(n)
    x[0] = sd * rng.normal()
    for t in range(1, n):
        x[t] = rho * x[t - 1] + e[t]
    return x


def fit(noise):
    slip, friction = clean()
    record = records.VelocityStepRecord(TIME, slip, friction + noise)
    spring = rs.Spring(TRUTH["stiffness"])
    return inversion.fit_step(record, LAW, spring, free=FREE, protocol=PROTOCOL)


@pytest.fixture
def coverage(unchecked_types):
    """Of so many fits: share of 95 % intervals that hold the truth; spread of scaled errors."""

    def of(number, draw, seed):
        fit(np.zeros(TIME.size))  # with its types checked
        with unchecked_types():
            return _coverage(number, draw, seed)

    return of


def _coverage(number, draw, seed):
    rng = np.random.default_rng(seed)
    inside, scaled = {name: 0 for name in TRUTH}, {name: [] for name in TRUTH}
    for _ in range(number):
        found = fit(draw(rng))
        for name, truth in TRUTH.items():
            low, high = found.interval(name)
            inside[name] += low <= truth <= high
            scaled[name].append((found.value(name) - truth) / found.error(name))
    return {k: v / number for k, v in inside.items()}, {k: np.std(v) for k, v in scaled.items()}


def white(rng):
    return NOISE * rng.normal(size=TIME.size)


def coloured(rng):
    return correlated(rng, rng.uniform(0.7, 0.9))


@pytest.mark.x64
@pytest.mark.parametrize(("draw", "seed"), [(white, 0), (coloured, 1)], ids=["white", "coloured"])
def test_intervals_cover_the_truth(coverage, draw, seed):
    """43 of 50: one binomial draw in a thousand is lower at 95 %, one in 130 at 92 %."""
    shares, _ = coverage(50, draw, seed)
    assert all(shares[name] >= 43 / 50 for name in TRUTH), shares


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize(("draw", "seed"), [(white, 2), (coloured, 3)], ids=["white", "coloured"])
def test_intervals_of_500_steps_cover_the_truth(coverage, draw, seed):
    shares, scaled = coverage(500, draw, seed)
    for name in ("a", "b", "Dc", "a-b"):
        assert 0.92 <= shares[name] <= 0.98, shares
        assert 0.9 < scaled[name] < 1.12, scaled


@pytest.mark.x64
def test_errors_grow_with_the_noise():
    noise = white(np.random.default_rng(4))
    small, large = fit(noise / 10), fit(noise)
    for name in TRUTH:
        assert large.error(name) == pytest.approx(10 * small.error(name), rel=0.1)


@pytest.mark.x64
def test_errors_fall_as_the_root_of_the_number_of_samples():
    """The mean of four records of white noise is one record of half the noise."""
    rng = np.random.default_rng(5)
    draws = [white(rng) for _ in range(4)]
    single = np.mean([[fit(x).error(name) for name in TRUTH] for x in draws], axis=0)
    mean = fit(np.mean(draws, axis=0))
    np.testing.assert_allclose([mean.error(name) for name in TRUTH], single / 2, rtol=0.1)


@pytest.mark.slow
@pytest.mark.x64
def test_errors_fall_as_the_root_of_the_sampling_rate():
    """Sixteen times as many samples of white noise over the same time: a quarter of the error."""
    rng = np.random.default_rng(6)
    time = np.linspace(0.0, 60.0, 16 * TIME.size)
    slip, friction = clean()
    history = eqx.filter_jit(rs.spring_slider)(
        LAW, rs.Spring(TRUTH["stiffness"]), PROTOCOL, jnp.asarray(time)
    )
    dense = records.VelocityStepRecord(
        time,
        np.asarray(PROTOCOL.displacement(jnp.asarray(time))),
        np.asarray(history.friction) + NOISE * rng.normal(size=time.size),
    )
    spring = rs.Spring(TRUTH["stiffness"])
    many = inversion.fit_step(dense, LAW, spring, free=FREE, protocol=PROTOCOL)
    few = np.mean([[fit(white(rng)).error(name) for name in TRUTH] for _ in range(4)], axis=0)
    np.testing.assert_allclose([many.error(name) for name in TRUTH], few / 4, rtol=0.15)


@pytest.mark.x64
def test_correlated_noise_counts_for_fewer_samples():
    """At a correlation ρ, an error from slow changes grows by √((1 + ρ)/(1 − ρ))."""
    rng = np.random.default_rng(7)
    rho = 0.8
    plain = np.mean([fit(white(rng)).error("a-b") for _ in range(4)])
    noisy = np.mean([fit(correlated(rng, rho)).error("a-b") for _ in range(8)])
    assert noisy / plain == pytest.approx(np.sqrt((1 + rho) / (1 - rho)), rel=0.3)

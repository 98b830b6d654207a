"""Posterior samples of a fit: Gaussian where the fit is, refused where they cannot be drawn."""

import functools
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

TIME = np.linspace(0.0, 60.0, 200)
LAW = rs.RateStateLaw(0.6, 0.010, 0.014, 2e-5, 1e-6)


@functools.cache
def fitted():
    """A step with little noise, so that the posterior is nearly Gaussian."""
    protocol = rs.VelocityProtocol([0.0, 20.0], [1e-6, 1e-5])
    simulate = eqx.filter_jit(rs.spring_slider)
    history = simulate(LAW, rs.Spring(2000.0), protocol, jnp.asarray(TIME))
    noise = 3e-4 * np.random.default_rng(0).normal(size=TIME.size)
    slip = np.asarray(protocol.displacement(jnp.asarray(TIME)))
    record = records.VelocityStepRecord(50.0 + TIME, slip, np.asarray(history.friction) + noise)
    return inversion.fit_step(record, LAW, rs.Spring(2000.0), free=("step_time",))


@pytest.fixture
def made():
    """A posterior by hand."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 3)) * [0.001, 0.002, 1e-6] + [0.010, 0.014, 2e-5]
    return inversion.Posterior(("a", "b", "Dc"), draws, 0.85, 2)


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.lenient  # blackjax mixes dtypes
def test_posterior_agrees_with_the_fit():
    fit = fitted()
    drawn = inversion.posterior(fit, key=jax.random.key(0), samples=400, warmup=150)
    assert drawn.names == ("a", "b", "Dc", "step_time") and drawn.samples.shape == (400, 4)
    assert drawn.acceptance > 0.6 and drawn.divergent <= 4
    for name in (*drawn.names, "a-b"):
        low, high = drawn.interval(name)
        assert (high - low) / (2 * 1.96) == pytest.approx(fit.error(name), rel=0.25), name
        assert (low + high) / 2 == pytest.approx(fit.value(name), abs=0.4 * fit.error(name)), name
        assert low < {"a": 0.01, "b": 0.014, "Dc": 2e-5, "a-b": -0.004, "step_time": 70.0}[name]
    # neighbours in the chain are not copies of each other
    assert np.unique(drawn.samples[:, 0]).size > 350


def test_intervals_of_a_posterior(made):
    low, high = made.interval("a")
    assert (low, high) == pytest.approx((0.010 - 0.00196, 0.010 + 0.00196), rel=0.05)
    low, high = made.interval("a-b", level=0.68)
    assert high - low == pytest.approx(2 * 0.9945 * np.hypot(0.001, 0.002), rel=0.05)
    with pytest.raises(ValueError, match="no sampled parameter is called 'c'"):
        made.interval("c")


def test_posterior_prints_its_intervals(made):
    lines = str(made).splitlines()
    assert lines[0] == "posterior: 4000 samples, acceptance 0.85, 2 divergent"
    assert [line.split()[0] for line in lines[1:]] == ["a", "b", "Dc", "a-b"]
    assert repr(made) == str(made)


def test_sensitivity_prints_where_each_parameter_counts_most():
    time = np.array([0.0, 1.0, 2.0])
    slopes = {"a": np.array([0.0, -0.02, 0.01]), "Dc": np.array([0.0, 0.0, 0.003])}
    found = inversion.Sensitivity(time, np.full(3, 0.6), slopes, np.array([[0.0], [4.0], [0.0]]))
    lines = repr(found).splitlines()
    assert lines[0] == "sensitivity of 3 samples from 0 to 2 s" and str(found) == repr(found)
    assert lines[1].split() == ["∂μ/∂ln", "a", "at", "most", "-0.02", "at", "1", "s"]
    assert lines[2].split()[-5:] == ["most", "0.003", "at", "2", "s"]
    assert lines[3].split()[-6:] == ["most", "4", "1/s", "at", "1", "s"]


@pytest.mark.slow
@pytest.mark.x64
def test_posterior_needs_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "blackjax", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxfric\[bayes\]'"):
        inversion.posterior(fitted(), key=jax.random.key(0))


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("numbers", [{"samples": 0}, {"warmup": 0}])
def test_numbers_of_samples_must_be_positive(numbers):
    with pytest.raises(ValueError, match="samples and warmup must be at least 1"):
        inversion.posterior(fitted(), key=jax.random.key(0), **numbers)

"""Instruments and random faults."""

import diffrax
import equinox as eqx
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from jaxfric import Status, fault

DT = 0.1


@given(window=st.floats(0.05, 5.0), slope=st.floats(0.1, 10.0))
def test_the_average_of_a_constant_is_the_constant_and_of_a_ramp_its_middle(window, slope):
    t = jnp.arange(200.0) * DT
    constant = fault.window_average(slope * t, DT, window)
    np.testing.assert_allclose(constant, slope, rtol=2e-4)
    # of x = s t from its exact integral: interpolated linearly where the window begins
    ramp = fault.window_average(slope * t**2 / 2, DT, window)
    full = np.asarray(t) > window + DT
    np.testing.assert_allclose(ramp[full], (slope * (t - window / 2))[full], atol=slope * DT)


def test_an_event_fills_one_window_and_keeps_its_integral():
    integral = jnp.where(jnp.arange(100) >= 40, 3.0, 0.0)
    mean = np.asarray(fault.window_average(integral, DT, 1.0))
    np.testing.assert_allclose(mean[40:50], 3.0, rtol=1e-5)
    assert np.all(mean[:40] == 0) and np.all(mean[51:] == 0)
    assert np.sum(mean) * DT == pytest.approx(3.0, rel=1e-5)


def test_compression_orders_and_scales():
    energy = jnp.array([0.0, 1e-6, 1e-3, 1.0]) * 7.0
    out = fault.compress(energy, 0.5)
    np.testing.assert_allclose(out, [0.0, 1e-3, 10**-1.5, 1.0], rtol=1e-5)
    slope = jax.grad(lambda e: jnp.sum(fault.compress(e, 0.5)))(energy)
    assert bool(jnp.all(jnp.isfinite(slope)))


def test_the_background_grows_with_the_exponential_of_the_stress():
    """ln of what is added rises by the growth from the least stress to the largest."""
    signal = jnp.abs(jnp.sin(jnp.arange(400.0) / 7.0))
    stress = 3e6 + 1e6 * jnp.sin(jnp.arange(400.0) / 30.0)
    constant = np.asarray(fault.add_background(signal, 0.5) - signal)
    np.testing.assert_allclose(constant, 0.5 * np.median(signal), rtol=1e-4)
    grown = np.asarray(fault.add_background(signal, 0.5, stress=stress, growth=3.0) - signal)
    share = np.asarray((stress - jnp.mean(stress)) / (jnp.max(stress) - jnp.min(stress)))
    np.testing.assert_allclose(np.log(grown / constant), 3.0 * share, atol=1e-4)
    assert np.ptp(np.log(grown)) == pytest.approx(3.0, abs=1e-3)
    # a stress that does not change adds the constant, and has a derivative
    flat = jnp.full(400, 3e6)
    np.testing.assert_allclose(
        fault.add_background(signal, 0.5, stress=flat, growth=3.0) - signal, constant, rtol=1e-4
    )
    slope = jax.grad(lambda s: jnp.sum(fault.add_background(signal, 0.5, stress=s, growth=3.0)))
    assert bool(jnp.all(jnp.isfinite(slope(flat))))


def test_the_quiet_of_a_record_follows_the_stress_above_the_level():
    """A drift of the strength is no reason for grains to crack more often."""
    t = np.arange(600) * DT
    saw = 0.5 + 0.05 * ((t / 6.0) % 1.0)
    level = 0.2 * t / 60.0
    zero = np.zeros(600)
    status = Status(fault.Outcome.successful, fault.Outcome)
    both, total = saw + level, np.cumsum(saw + level) * DT
    columns = (t, both, total, zero, zero, zero, 1e-9 * t, zero, level, zero, zero)
    drifting = fault.FaultHistory(*map(jnp.asarray, columns), status)
    quiet = fault.Instrument(
        window=DT, exponent=1.0, background=1.0, growth=2.0, noise=0.0, correlation=0.0,
        burst_rate=0.0, burst_size=0.0, gains=jnp.ones(2),
    )  # fmt: skip
    key = jax.random.key(0)
    heard = fault.record(drifting, quiet, DT, key=key)
    loud = np.log(np.asarray(heard.emission[5:, 0]))
    assert np.corrcoef(loud, saw[5:])[0, 1] > 0.97
    # ignorant of the level, it drifts with it
    ignorant = eqx.tree_at(lambda h: h.level, drifting, jnp.zeros(600))
    drifts = np.log(np.asarray(fault.record(ignorant, quiet, DT, key=key).emission[5:, 0]))
    assert np.corrcoef(drifts, t[5:])[0, 1] > 0.9 > 0.2 > abs(np.corrcoef(loud, t[5:])[0, 1])


def test_noise_has_the_spread_and_the_memory_that_it_says():
    noisy = fault.add_noise(jnp.ones(40_000), 0.2, 0.9, key=jax.random.key(1))
    n = np.log(np.asarray(noisy, np.float64)) / 0.2
    assert n.std() == pytest.approx(1.0, abs=0.05)
    assert np.mean(n[1:] * n[:-1]) == pytest.approx(0.9, abs=0.05)


def test_bursts_last_one_window_and_come_at_their_rate():
    x = np.asarray(fault.add_bursts(jnp.zeros(50_000), DT, 1.0, 0.05, 1.0, key=jax.random.key(2)))
    assert np.mean(np.diff(x) > 1e-5) == pytest.approx(0.05 * DT, rel=0.2)
    assert x.max() < 2.5 and x.min() > -1e-4


def test_channels_differ_by_gain_and_noise():
    signal = jnp.exp(jnp.sin(jnp.arange(600) / 30))
    both = fault.channels(signal, jnp.array([1.0, 5.0]), 0.01, key=jax.random.key(3))
    assert both.shape == (600, 2)
    ratio = np.asarray(both[:, 1] / both[:, 0])
    assert ratio.mean() == pytest.approx(5.0, rel=0.01) and 0.005 < ratio.std() / 5 < 0.03


def test_bad_windows_and_gains_are_refused():
    with pytest.raises(ValueError, match="window must be positive"):
        fault.window_average(jnp.zeros(3), DT, 0.0)
    with pytest.raises(ValueError, match="stress must have the signal's shape"):
        fault.add_background(jnp.zeros(3), 1.0, stress=jnp.zeros(2))
    with pytest.raises(ValueError, match="needs the stress"):
        fault.add_background(jnp.zeros(3), 1.0, growth=1.0)
    with pytest.raises(ValueError, match="gains"):
        fault.channels(jnp.zeros(3), 1.0, 0.1, key=jax.random.key(0))


@pytest.mark.x64
@pytest.mark.slow
def test_random_faults_slip_in_the_ranges_that_were_asked_for():
    """Recurrence and drop follow the request within a factor; what is recorded is finite."""
    ranges = fault.FaultRanges(recurrence=(6.0, 6.0001), drop=(0.05, 0.050001))
    t = jnp.arange(0.0, 120.0, DT)

    def run(key):
        chain, velocity = fault.sample_fault(key=key, patches=4, ranges=ranges)
        options = fault.Options(
            rtol=1e-4, atol=1e-4, max_steps=32768, adjoint=diffrax.ForwardMode()
        )
        history = fault.simulate(chain, velocity, t, options=options)
        seen = fault.record(history, fault.sample_instrument(key=key), DT, key=key)
        return history.friction, seen.friction, seen.emission, history.status.code

    keys = jax.random.split(jax.random.key(11), 16)
    raw, friction, emission, code = (np.asarray(x) for x in jax.jit(jax.vmap(run))(keys))
    assert not code.any()
    assert np.isfinite(emission).all() and (emission > 0).all()
    late = raw[:, 400:]
    drops = np.ptp(late, axis=1)
    fell = np.diff(late, axis=1) < -0.3 * drops[:, None]
    events = np.sum(fell, axis=1)
    slips = events >= 2  # the others creep: the study leaves them out
    assert slips.mean() > 0.7
    assert 0.5 * 0.05 < np.median(drops[slips]) < 3 * 0.05
    assert 0.4 * 6 < np.median(80 / events[slips]) < 3 * 6
    # the instrument smooths the drop over its window, and keeps the mean
    assert np.all(np.abs(np.diff(friction[slips], axis=1)).max(1) < drops[slips])
    np.testing.assert_allclose(friction[:, 400:].mean(1), late.mean(1), rtol=0.02)


@pytest.mark.x64
def test_the_same_key_is_the_same_fault():
    one, V = fault.sample_fault(key=jax.random.key(5), patches=3)
    other, W = fault.sample_fault(key=jax.random.key(5), patches=3)
    for x, y in zip(*(jax.tree_util.tree_leaves(chain) for chain in (one, other)), strict=True):
        np.testing.assert_array_equal(x, y)
    assert V == W

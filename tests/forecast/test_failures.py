"""Slip events of known records, of the real one, and the time until the next."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import forecast, records

pick = jax.jit(forecast.failures)  # one program a shape, not one an operation


def sawtooth(n=600, period=100, drop=0.1, fall=3, dtype=None):
    """Friction that rises over a period and falls within a few samples; starts are known."""
    phase = np.arange(n) % period
    top = period - fall
    rise, down = phase / top, (period - phase) / fall
    return jnp.asarray(0.5 + drop * np.where(phase <= top, rise, down), dtype)


def starts(found):
    return np.flatnonzero(np.asarray(found.start)).tolist()


@pytest.mark.parametrize("dtype", [jnp.float32, pytest.param(jnp.float64, marks=pytest.mark.x64)])
def test_known_events(dtype):
    found = pick(sawtooth(dtype=dtype), 0.1)
    assert starts(found) == [97, 197, 297, 397, 497, 597]
    # The last one has not reached its lowest point: it ends with the record.
    assert np.flatnonzero(found.end).tolist() == [100, 200, 300, 400, 500, 599]
    assert int(found.count) == 6
    np.testing.assert_allclose(found.time[:6], 0.1 * np.array(starts(found)), rtol=1e-6)
    np.testing.assert_allclose(found.drop[:5], 0.1, rtol=1e-5)
    np.testing.assert_allclose(found.drop[5], 0.1 * 2 / 3, rtol=1e-5)
    assert np.isinf(found.time[6:]).all() and (found.drop[6:] == 0).all()
    assert found.drop.dtype == dtype
    assert found.time.shape == (300,)


@pytest.mark.parametrize("reading", ["constant", "rising", "falling"])
def test_no_event(reading):
    line = {"constant": jnp.zeros(50), "rising": jnp.arange(50.0), "falling": -jnp.arange(50.0)}
    found = pick(line[reading], 0.1)
    assert int(found.count) == 0 and not found.start.any() and not found.end.any()


def test_an_event_under_way_at_the_first_sample_is_not_counted():
    friction = sawtooth()[98:]
    assert starts(pick(friction, 0.1)) == [99, 199, 299, 399, 499]


def test_threshold_separates_large_from_small():
    small = sawtooth(drop=0.02)
    friction = jnp.concatenate([sawtooth(), small, sawtooth()])
    assert int(pick(friction, 0.1).count) == 12
    assert int(pick(friction, 0.1, threshold=0.01).count) == 18
    assert int(pick(friction, 0.1, threshold=0.2).count) == 0


def test_rate_is_the_papers_rule():
    """Drops of 0.1 in 3 ms and in 300 ms, sampled at 1 kHz: 33 and 0.33 per second."""
    fast, slow = sawtooth(2000, 1000, fall=3), sawtooth(2000, 1000, fall=300)
    friction = jnp.concatenate([fast, slow])
    assert starts(pick(friction, 1e-3)) == [997, 1997, 2700, 3700]
    assert starts(pick(friction, 1e-3, rate=10.0)) == [997, 1997]
    assert starts(pick(friction, 1e-3, rate=0.3)) == [997, 1997, 2700, 3700]


def test_refractory():
    friction = sawtooth()
    assert starts(pick(friction, 0.1, refractory=15.0)) == [97, 297, 497]
    assert len(starts(pick(friction, 0.1, refractory=9.9))) == 6


@settings(max_examples=15)
@given(
    st.floats(0.01, 100.0), st.floats(-10.0, 10.0), st.floats(1e-4, 10.0), st.integers(0, 2**31 - 1)
)
def test_picks_do_not_depend_on_units(factor, shift, dt, seed):
    noise = np.random.default_rng(seed).normal(size=600) * 0.01
    friction = np.asarray(sawtooth(), np.float32).astype(np.float64) + noise
    # Numbers that float32 and float64 hold exactly, so that ties do not break differently
    friction = np.round(friction * 1024) / 1024
    factor, shift = 2.0 ** round(np.log2(factor)), round(shift)
    plain = pick(jnp.asarray(friction), 0.1, threshold=0.03)
    other = pick(jnp.asarray(factor * (friction + shift)), dt, threshold=factor * 0.03)
    np.testing.assert_array_equal(plain.start, other.start)
    np.testing.assert_allclose(factor * plain.drop, other.drop, rtol=1e-4, atol=1e-5 * factor)


@settings(max_examples=15)
@given(st.integers(0, 2**31 - 1), st.floats(0.5, 5.0))
def test_every_drop_exceeds_the_threshold_and_events_alternate(seed, threshold):
    walk = np.cumsum(np.random.default_rng(seed).normal(size=300))
    found = pick(jnp.asarray(walk), 0.1, threshold=threshold)
    count = int(found.count)
    first, last = (np.flatnonzero(np.asarray(x)) for x in (found.start, found.end))
    assert count == first.size == last.size
    assert (last > first).all() and (last[:-1] < first[1:]).all()
    assert (np.asarray(found.drop)[:count] > threshold * (1 - 1e-5)).all()
    for a, b in zip(first, last, strict=True):  # turning points: nothing higher or lower between
        assert walk[a] == walk[a : b + 1].max() and walk[b] == walk[a : b + 1].min()


def test_under_jit_and_vmap():
    batch = jnp.stack([sawtooth(), sawtooth(period=150), jnp.ones(600)])
    one = jax.jit(lambda x: pick(x, 0.1))
    many = jax.jit(jax.vmap(lambda x: pick(x, 0.1)))(batch)
    assert many.count.tolist() == [6, 4, 0]
    for i in range(3):
        np.testing.assert_array_equal(many.start[i], one(batch[i]).start)


@pytest.mark.x64
def test_drop_has_the_gradient_of_its_two_samples():
    friction = sawtooth()

    def total(x):
        return jnp.sum(pick(x, 0.1).drop)

    gradient = np.asarray(jax.grad(total)(friction))
    expected = np.zeros(600)
    expected[[97, 197, 297, 397, 497, 597]] = 1
    expected[[100, 200, 300, 400, 500, 599]] = -1
    np.testing.assert_array_equal(gradient, expected)
    bump = 1e-6 * jnp.zeros(600).at[100].set(1.0)
    slope = (total(friction + bump) - total(friction - bump)) / 2e-6
    np.testing.assert_allclose(slope, gradient[100], rtol=1e-6)


def test_time_to_failure():
    start = jnp.zeros(10, bool).at[jnp.array([2, 7])].set(True)
    left, known = forecast.time_to_failure(start, 0.5)
    np.testing.assert_allclose(left, [1, 0.5, 0, 2, 1.5, 1, 0.5, 0, 1, 0.5], rtol=1e-6)
    assert known.tolist() == [True] * 8 + [False] * 2
    left, known = forecast.time_to_failure(jnp.zeros(4, bool), 0.5)
    assert not known.any() and np.isfinite(left).all()


@pytest.mark.parametrize(
    "friction, options, message",
    [
        (jnp.zeros((3, 9)), {}, "use jax.vmap"),
        (jnp.zeros(1), {}, "two samples"),
        (jnp.array([0.1, jnp.nan, 0.2]), {}, "finite"),
        (jnp.zeros(9), {"dt": 0.0}, "dt must be positive"),
        (jnp.zeros(9), {"threshold": -1.0}, "threshold must not be negative"),
        (jnp.zeros(9), {"rate": -10.0}, "rate must not be negative"),
        (jnp.zeros(9), {"refractory": float("nan")}, "refractory must be finite"),
    ],
)
def test_bad_input(friction, options, message):
    with pytest.raises(ValueError, match=message):
        forecast.failures(friction, **({"dt": 0.1} | options))


def test_prints():
    text = str(pick(sawtooth(), 0.1))
    assert "6 events" in text and "every 10 s" in text
    two = jax.vmap(lambda x: pick(x, 0.1))(jnp.stack([sawtooth(), 0 * sawtooth()]))
    assert re.fullmatch(r"Failures \(batched, 2\): 0 to \d+ events each", str(two))
    assert repr(two) == str(two) and repr(pick(sawtooth(), 0.1)) == text
    shapes = jax.eval_shape(lambda x: pick(x, 0.1), sawtooth())
    assert repr(shapes) == "Failures (no numbers)"


def test_real_record_against_its_own_labels(data_dir):
    """The file's column reaches 0 at 31 starts (and at its end); the picks are within a sample."""
    record = records.read_labquake(data_dir / "p4581_8MPa_labquakes.csv", normal_stress=8e6)
    left = record.time_to_failure
    # Inside the record: the first sample and the end of the file are no failures.
    jumps = np.flatnonzero((left[:-1] < 0.1) & (np.diff(left) > 1.0))
    labels = record.time[jumps[jumps > 0]] + left[jumps[jumps > 0]]
    found = pick(jnp.asarray(record.friction), record.dt)
    picks = record.time[np.flatnonzero(found.start)]
    assert labels.size == picks.size == int(found.count) == 31
    assert np.abs(picks - labels).max() < 1.5 * record.dt
    counted, known = forecast.time_to_failure(found.start, record.dt)
    inside = np.asarray(known) & (np.arange(left.size) > 0)
    assert np.abs(np.asarray(counted) - left)[inside].mean() < 0.1

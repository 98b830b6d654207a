"""Random slide-hold-slide protocols: the statistics that the paper states."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs

N = 4000


@functools.cache
def compiled(**options):
    """Protocols of a batch of keys, and whether each is valid; compiled once per options."""

    def one(key):
        protocol = rs.sample_protocol(key=key, **options)
        return protocol, protocol.valid

    return jax.jit(jax.vmap(one))


def draw(seed=0, **options):
    """N protocols as NumPy arrays, with the index of the last segment of each."""
    keys = jax.random.split(jax.random.key(seed), N)
    protocols, valid = compiled(**options)(keys)
    assert np.all(valid)
    times, velocities = np.asarray(protocols.times), np.asarray(protocols.velocities)
    return times, velocities, np.isfinite(times).sum(axis=1) - 1


def inner(times, last):
    """The jump times of all protocols in one array."""
    k = np.arange(times.shape[1])
    return times[(k > 0) & (k <= last[:, None])]


def test_number_of_jumps_is_uniform():
    times, _, last = draw()
    assert times.shape == (N, 6)
    counts = np.bincount(last, minlength=6)
    assert counts[:2].sum() == 0
    np.testing.assert_allclose(counts[2:] / N, 0.25, atol=4 * np.sqrt(0.25 * 0.75 / N))


def test_jump_times_are_uniform():
    times, _, last = draw()
    assert np.all(times[:, 0] == 0)
    assert np.all(np.diff(np.where(np.isfinite(times), times, 2 + np.arange(6))) > 0)
    jumps = np.sort(inner(times, last))
    assert jumps[0] > 0 and jumps[-1] < 1
    # Kolmogorov–Smirnov at the 1e-4 level; the gap of 1e-4 is far below it
    distance = np.max(np.abs(jumps - (np.arange(jumps.size) + 0.5) / jumps.size))
    assert distance < 2.23 / np.sqrt(jumps.size)
    gaps = np.diff(np.where(np.isfinite(times), times, np.nan), append=np.nan)
    last_gap = 1 - times[np.arange(N), last]
    assert np.nanmin(gaps) > 0.99e-4 and last_gap.min() > 0.99e-4


def test_exactly_one_hold_inside():
    _, velocities, last = draw()
    k = np.arange(velocities.shape[1])
    hold = (velocities < 1e-6) & (k <= last[:, None])
    assert np.all(hold.sum(axis=1) == 1)
    place = hold.argmax(axis=1)
    assert np.all((place > 0) & (place < last))
    np.testing.assert_allclose(velocities[hold], 1e-8, rtol=1e-6)
    # uniform over the inner segments
    counts = np.bincount(place[last == 5], minlength=5)[1:]
    np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=4 * 0.43 / np.sqrt(counts.sum()))
    protocols = rs.VelocityProtocol([0.0, 0.2, 0.5], velocities[last == 2][0][:3])
    np.testing.assert_array_equal(protocols.holds(), [False, True, False])


def test_total_slip_is_fixed(eps):
    for options in ({}, {"duration": 0.013, "slip": 2e-3, "hold_velocity": 1e-9}):
        times, velocities, last = draw(**options)
        duration, slip = options.get("duration", 1.0), options.get("slip", 1.0)
        ends = np.append(times[:, 1:], np.full((N, 1), np.inf), axis=1)
        lengths = np.clip(ends, None, duration) - np.clip(times, None, duration)
        sliding = velocities > 1e-5 * slip / duration
        total = np.sum(np.where(sliding, lengths * velocities, 0), axis=1)
        np.testing.assert_allclose(total, slip, rtol=5e3 * eps)
        used = np.arange(6) <= last[:, None]
        assert np.all(velocities[used] > 0)


def test_grid_puts_jumps_on_samples(eps):
    times, _, last = draw(grid=100)
    jumps = inner(times, last)
    np.testing.assert_allclose(jumps * 100, np.round(jumps * 100), atol=1000 * eps)
    assert jumps.min() > 0.009 and jumps.max() < 0.991
    assert np.all(np.diff(np.where(np.isfinite(times), times, 2 + np.arange(6))) > 0.009)
    share = np.bincount(np.round(jumps * 100).astype(int), minlength=100)[1:100] / jumps.size
    np.testing.assert_allclose(share, 1 / 99, atol=5 * np.sqrt(1 / 99 / jumps.size))
    tight, _, last = draw(grid=6)  # five jumps fill every inner point
    np.testing.assert_allclose(tight[last == 5][0] * 6, np.arange(6), atol=1e-5)


@pytest.mark.x64  # in float32, XLA divides k by the grid inexactly
def test_grid_samples_take_the_new_velocity():
    """A sample k/100 that meets a jump belongs to the segment it starts."""
    times, velocities, _ = draw(grid=100)
    segment = jax.jit(jax.vmap(lambda T, V, t: rs.VelocityProtocol(T, V).segment(t), (0, 0, None)))
    expected = (np.round(times * 100)[:, None, :] <= np.arange(100)[:, None]).sum(-1) - 1
    # However the samples were rounded
    k = np.arange(100)
    for t in (k / 100, k * 0.01, np.linspace(0, 1, 101)[:-1], jnp.linspace(0, 1, 101)[:-1]):
        found = segment(jnp.asarray(times), jnp.asarray(velocities), jnp.asarray(t, times.dtype))
        np.testing.assert_array_equal(found, expected)


def test_keys_decide():
    first, again, other = draw(1), draw(1), draw(2)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.any(np.all(first[1] == other[1], axis=1))


def test_a_batch_draws_what_single_calls_draw():
    times, velocities, _ = draw(3)
    key = jax.random.split(jax.random.key(3), N)[7]
    one = rs.sample_protocol(key=key)
    np.testing.assert_allclose(times[7], one.times, rtol=1e-6)
    np.testing.assert_allclose(velocities[7], one.velocities, rtol=1e-5)
    assert one.times.dtype == jnp.zeros(()).dtype


def test_number_of_jumps_can_be_fixed():
    times, _, last = draw(jumps=(3, 3))
    assert times.shape == (N, 4)
    assert np.all(last == 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jumps": (1, 5)}, r"2 <= low <= high; got \(1, 5\)"),
        ({"jumps": (4, 3)}, "2 <= low <= high"),
        ({"duration": 0.0}, "duration must be positive"),
        ({"slip": -1.0}, "slip must be positive"),
        ({"hold_velocity": 0.0}, "hold_velocity must be positive"),
        ({"min_gap": 0.2}, r"min_gap must lie in \(0, 1/6\); got 0.2"),
        ({"grid": 5}, "grid must exceed the largest number of jumps, 5; got 5"),
    ],
)
def test_bad_arguments_raise(options, words):
    with pytest.raises(ValueError, match=words):
        rs.sample_protocol(key=jax.random.key(0), **options)


def test_the_law_of_the_figures():
    law = rs.slide_hold_learn_law(rs.Slip())
    assert (law.mu0, law.a, law.b, law.Dc) == (0.415, 0.006, 0.016, 1 / 30)
    assert isinstance(law.evolution, rs.Slip)

"""Windows of a record and the record of windows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxfric import signals


def draw(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


def by_hand(windows, step):
    """Every sample's windows, listed."""
    count, length = windows.shape[0], windows.shape[-1]
    n = (count - 1) * step + length
    held = [
        [windows[i, ..., k - i * step] for i in range(count) if 0 <= k - i * step < length]
        for k in range(n)
    ]
    mean = np.stack([np.mean(values, 0) for values in held], -1)
    return mean, np.stack([np.std(values, 0) for values in held], -1)


@pytest.mark.parametrize("length, step", [(5, 1), (5, 2), (5, 5), (5, 7), (23, 3), (1, 1)])
def test_windows(length, step):
    x = np.arange(2 * 23).reshape(2, 23)
    expected = np.lib.stride_tricks.sliding_window_view(x, length, -1)[:, ::step]
    found = signals.windows(x, length, step)
    assert found.dtype == x.dtype or found.dtype == jnp.int32
    np.testing.assert_array_equal(found, np.moveaxis(expected, 1, 0))
    np.testing.assert_array_equal(signals.windows(x[0], length, step), expected[0])


@pytest.mark.parametrize("length, step", [(6, 1), (6, 3), (6, 4), (6, 6), (1, 1)])
@pytest.mark.parametrize("middle", [(), (2, 3)])
def test_average_by_hand(length, step, middle):
    values = draw(5, *middle, length)
    mean, deviation = signals.overlap_average(values, step)
    expected = by_hand(np.asarray(values), step)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(deviation, expected[1], rtol=1e-5, atol=1e-6)


def test_windows_of_a_record_average_to_it():
    x = draw(4, 50)
    mean, deviation = signals.overlap_average(signals.windows(x, 12, 5), 5)
    assert mean.shape == (4, 47)  # the last three samples are in no window
    np.testing.assert_allclose(mean, x[:, :47], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(deviation, 0, atol=1e-6)


def test_samples_after_the_last_window_are_flagged():
    x = draw(50)
    mean, deviation = signals.overlap_average(signals.windows(x, 12, 5), 5, n=50)
    assert mean.shape == deviation.shape == (50,)
    np.testing.assert_array_equal(mean[47:], mean[46])
    assert np.isinf(deviation[47:]).all() and np.isfinite(deviation[:47]).all()
    slope = jax.grad(lambda w: jnp.sum(signals.overlap_average(w, 5, n=50)[1][:47]))
    assert np.isfinite(slope(signals.windows(x, 12, 5))).all()


def test_a_large_level_does_not_cancel():
    values = 1000 + draw(5, 6).astype(jnp.float32)
    deviation = signals.overlap_average(values, 2)[1]
    expected = by_hand(np.asarray(values, np.float64), 2)[1]
    np.testing.assert_allclose(deviation, expected, atol=2e-4)
    assert deviation.dtype == jnp.float32


@pytest.mark.x64
def test_derivatives():
    values = draw(4, 2, 6)

    def loss(values):
        mean, deviation = signals.overlap_average(values, 2)
        return jnp.sum(mean**2) + jnp.sum(deviation)

    def cubes(x):
        return jnp.sum(signals.windows(x, 6, 4) ** 3)

    for function, at in ((loss, values), (cubes, draw(2, 21))):
        check_grads(jax.jit(function), (at,), order=1, modes=["fwd", "rev"])


def test_no_spread_has_no_nan_derivative():
    same = jnp.ones((4, 6))

    def loss(values):
        return jnp.sum(signals.overlap_average(values, 2)[1])

    np.testing.assert_array_equal(jax.grad(loss)(same), 0)
    np.testing.assert_array_equal(jax.jvp(loss, (same,), (same,))[1], 0)


def test_a_batch_is_its_members():
    values = draw(3, 5, 6)
    mean, deviation = jax.jit(jax.vmap(lambda w: signals.overlap_average(w, 4)))(values)
    for i in range(3):
        alone = signals.overlap_average(values[i], 4)
        np.testing.assert_allclose(mean[i], alone[0], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(deviation[i], alone[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: signals.windows(jnp.ones(4), 5, 1), "shorten the window"),
        (lambda: signals.windows(jnp.ones(4), 0, 1), "length and step"),
        (lambda: signals.windows(jnp.ones(4), 2, 0), "length and step"),
        (lambda: signals.windows(jnp.ones(()), 1, 1), "0 samples"),
        (lambda: signals.overlap_average(jnp.ones(4), 1), "windows must have shape"),
        (lambda: signals.overlap_average(jnp.ones((2, 4), complex), 2), "must be real"),
        (lambda: signals.overlap_average(jnp.ones((2, 4)), 5), "step must be 1 to 4"),
        (lambda: signals.overlap_average(jnp.ones((2, 4)), 3, n=6), "cover 7 samples"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()

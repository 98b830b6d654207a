"""Velocity protocols and normal-stress histories: what holds when, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import ratestate as rs


@pytest.fixture
def protocol():
    return rs.VelocityProtocol([0.0, 10.0, 15.0], [1.0, 0.0, 3.0])


def test_samples_at_a_jump_take_the_new_velocity(protocol):
    t = jnp.array([0.0, 9.9, 10.0, 14.9, 15.0, 1e6])
    np.testing.assert_array_equal(protocol(t), [1.0, 1.0, 0.0, 0.0, 3.0, 3.0])
    np.testing.assert_array_equal(protocol.segment(t), [0, 0, 1, 1, 2, 2])
    assert protocol(jnp.asarray(10.0)).shape == ()


def test_displacement(protocol, eps):
    t = jnp.array([0.0, 4.0, 10.0, 12.0, 15.0, 20.0])
    np.testing.assert_allclose(protocol.displacement(t), [0, 4, 10, 10, 10, 25], rtol=4 * eps)
    late = rs.VelocityProtocol([-5.0, 5.0], [2.0, 1.0])
    np.testing.assert_allclose(late.displacement(jnp.array([-5.0, 6.0])), [0, 21], rtol=4 * eps)


@given(seed=st.integers(0, 10_000))
def test_displacement_is_the_integral_of_velocity(random_loading, eps, seed):
    (times,), (velocities,) = random_loading(1, seed)
    t = np.linspace(0, 1, 201)
    displacement = travelled(rs.VelocityProtocol(times, velocities), jnp.asarray(t))
    fine = np.unique(np.concatenate([t, times[np.isfinite(times)]]))
    k = np.searchsorted(times, fine[:-1], side="right") - 1
    expected = np.concatenate([[0], np.cumsum(np.diff(fine) * velocities[k])])
    np.testing.assert_allclose(
        displacement, expected[np.searchsorted(fine, t)], rtol=100 * eps, atol=100 * eps
    )


@jax.jit
def travelled(protocol, t):
    return protocol.displacement(t)


def test_padding_changes_nothing(protocol):
    padded = rs.VelocityProtocol(
        [0.0, 10.0, 15.0, jnp.inf, jnp.inf], [1.0, 0.0, 3.0, -7.0, jnp.nan]
    )
    t = jnp.linspace(0, 30, 31)
    np.testing.assert_array_equal(padded(t), protocol(t))
    np.testing.assert_array_equal(padded.displacement(t), protocol.displacement(t))
    np.testing.assert_array_equal(padded.holds(), [False, True, False, False, False])
    assert padded.valid
    slope = jax.grad(lambda T: padded_to(T).displacement(jnp.asarray(20.0)))(jnp.asarray(10.0))
    np.testing.assert_allclose(slope, 2.0)


def padded_to(jump):
    times = jnp.stack([jnp.zeros_like(jump), jump, jnp.full_like(jump, jnp.inf)])
    return rs.VelocityProtocol(times, jnp.array([3.0, 1.0, 1.0]))


def test_constructors():
    step = rs.VelocityProtocol.step(1e-6, 1e-5, at=10.0, start=-5.0)
    np.testing.assert_allclose(step.times, [-5, 10])
    np.testing.assert_allclose(step.velocities, [1e-6, 1e-5])
    steps = rs.VelocityProtocol.steps([1.0, 3.0, 2.0], [10.0, 5.0], start=1.0)
    np.testing.assert_allclose(steps.times, [1, 11, 16])
    np.testing.assert_allclose(steps.velocities, [1, 3, 2])
    same = rs.VelocityProtocol.steps([1.0, 3.0, 2.0], [10.0, 5.0, 99.0], start=1.0)
    np.testing.assert_array_equal(same.times, steps.times)


def test_slide_hold_slide():
    protocol = rs.VelocityProtocol.slide_hold_slide(1e-5, [10.0, 100.0], slide=30.0)
    np.testing.assert_allclose(protocol.times, [0, 30, 40, 70, 170])
    np.testing.assert_allclose(protocol.velocities, [1e-5, 0, 1e-5, 0, 1e-5], rtol=1e-6)
    np.testing.assert_array_equal(protocol.holds(), [False, True, False, True, False])
    creeping = rs.VelocityProtocol.slide_hold_slide(
        1e-5, [10.0], slide=30.0, hold_velocity=1e-9, start=7.0
    )
    np.testing.assert_allclose(creeping.times, [7, 37, 47])
    np.testing.assert_array_equal(creeping.holds(), [False, False, False])
    np.testing.assert_array_equal(creeping.holds(ratio=1e-3), [False, True, False])


def test_constructors_are_differentiable():
    def displacement(x):
        before, after, at = x
        return rs.VelocityProtocol.step(before, after, at=at).displacement(jnp.asarray(10.0))

    slope = jax.jit(jax.grad(displacement))(jnp.array([1.0, 3.0, 4.0]))
    np.testing.assert_allclose(slope, [4.0, 6.0, -2.0], rtol=1e-6)


def test_dtype_follows_the_arrays():
    assert rs.VelocityProtocol(np.float32([0, 1]), [1.0, 2.0]).velocities.dtype == jnp.float32
    assert rs.VelocityProtocol([0, 1], [1, 2]).times.dtype == jnp.zeros(()).dtype
    assert rs.NormalStress(np.float32([0, 1]), [1.0, 2.0]).ratios.dtype == jnp.float32


@pytest.mark.parametrize(
    ("times", "velocities", "words"),
    [
        ([0.0, 2.0, 1.0], [1.0] * 3, r"times\[2\] = 1.0 follows times\[1\] = 2.0. Sort them"),
        ([0.0, 1.0, 1.0], [1.0] * 3, "increase strictly.*drop repeated ones"),
        ([0.0, 1.0], [1.0, -1.0], r">= 0 \(0 is a hold\); velocities\[1\] = -1.0"),
        ([0.0, 1.0], [1.0, np.nan], r"velocities\[1\] = nan"),
        ([0.0, 1.0], [np.inf, 1.0], r"velocities\[0\] = inf"),
        ([0.0, np.nan], [1.0, 1.0], "inf only as padding at the end"),
        ([0.0, np.inf, 2.0], [1.0] * 3, "inf only as padding at the end"),
        ([-np.inf, 0.0], [1.0, 1.0], "inf only as padding at the end"),
        ([np.inf, np.inf], [1.0, 1.0], "must be finite"),
        ([], [], r"must have shape \(n,\), n >= 1"),
        (0.0, 1.0, r"must have shape \(n,\)"),
        ([0.0, 1.0], [1.0], "one velocity for every time; got 2 times"),
        (np.zeros((5, 3)), np.ones((5, 3)), r"got \(5, 3\).*for a batch, use jax.vmap"),
    ],
)
def test_bad_protocols_raise(times, velocities, words):
    with pytest.raises(ValueError, match=words):
        rs.VelocityProtocol(times, velocities)


def test_bad_constructors_raise():
    with pytest.raises(ValueError, match="one duration per velocity; got 2 velocities and 3"):
        rs.VelocityProtocol.steps([1.0, 2.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="jax.vmap"):
        rs.VelocityProtocol.step(np.ones(3), 1.0, at=1.0)
    with pytest.raises(ValueError, match="increase strictly"):
        rs.VelocityProtocol.step(1.0, 2.0, at=-1.0)
    with pytest.raises(ValueError, match=">= 0"):
        rs.VelocityProtocol.slide_hold_slide(-1.0, [10.0], slide=5.0)


@pytest.mark.parametrize(
    ("times", "velocities"),
    [
        ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0]),
        ([0.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
        ([0.0, 1.0, 2.0], [1.0, -1.0, 1.0]),
        ([0.0, 1.0, 2.0], [1.0, np.nan, 1.0]),
        ([0.0, 1.0, 2.0], [1.0, np.inf, 1.0]),
        ([0.0, np.nan, 2.0], [1.0, 1.0, 1.0]),
        ([0.0, np.inf, 2.0], [1.0, 1.0, 1.0]),
        ([np.inf, np.inf, np.inf], [1.0, 1.0, 1.0]),
        ([-np.inf, 1.0, 2.0], [1.0, 1.0, 1.0]),
    ],
)
def test_traced_bad_protocols_are_not_valid(times, velocities):
    assert not valid(jnp.array(times), jnp.array(velocities))
    assert valid(jnp.array([0.0, 1.0, jnp.inf]), jnp.array([1.0, 0.0, -1.0]))


@jax.jit
def valid(times, velocities):
    return rs.VelocityProtocol(times, velocities).valid


def test_normal_stress_is_linear_between_its_times():
    stress = rs.NormalStress([1.0, 2.0], [1.0, 1.2])
    np.testing.assert_allclose(
        stress(jnp.array([0.0, 1.0, 1.5, 2.0, 9.0])), [1, 1, 1.1, 1.2, 1.2], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("times", "ratios", "words"),
    [
        ([0.0, 0.0], [1.0, 1.0], "must increase strictly"),
        ([0.0, 1.0], [1.0, 0.0], "positive and finite"),
        ([0.0, 1.0], [1.0, np.nan], "positive and finite"),
        ([0.0, 1.0], [1.0], "one ratio for every time"),
        ([[0.0, 1.0]], [[1.0, 1.0]], "jax.vmap"),
    ],
)
def test_bad_normal_stress_raises(times, ratios, words):
    with pytest.raises(ValueError, match=words):
        rs.NormalStress(times, ratios)

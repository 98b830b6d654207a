"""Frictional healing: Δμ = b ln(1 + t/θ0) of the aging law, none of the slip law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

A, B, DC, V = 0.006, 0.016, 1e-6, 1e-6
HOLDS = [10.0, 100.0, 1000.0, 10000.0]
SLIDE = 50.0


@jax.jit
def friction(law, protocol, t):
    return rs.slide(law, protocol, t).friction


def record_of(evolution, hold_velocity=1e-20, holds=HOLDS):
    """Rigid loading, sampled evenly and about every change of velocity."""
    law = rs.RateStateLaw(0.6, A, B, DC, V, evolution)
    protocol = rs.VelocityProtocol.slide_hold_slide(
        V, holds, slide=SLIDE, hold_velocity=hold_velocity
    )
    end = float(protocol.times[-1]) + SLIDE
    changes = np.asarray(protocol.times)
    t = np.sort(np.concatenate([np.linspace(0, end, 8000), changes, changes[1:] - 1]))
    return t, np.asarray(friction(law, protocol, jnp.asarray(t))), protocol


@pytest.mark.x64
def test_aging_heals_by_b_ln_of_the_hold():
    t, mu, protocol = record_of(rs.Aging())
    found = inversion.healing(t, mu, protocol)
    expected = B * np.log(1 + np.array(HOLDS) / (DC / V))  # θ0 = Dc/V = 1 s
    np.testing.assert_allclose(found.delta_mu, expected, atol=1e-6)
    np.testing.assert_allclose(found.hold_time, HOLDS, rtol=1e-9)
    basis = np.stack([np.ones(4), np.log(HOLDS)], axis=1)
    intercept, slope = np.linalg.lstsq(basis, expected, rcond=None)[0]
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.intercept == pytest.approx(intercept, abs=1e-5)
    assert found.slope == pytest.approx(B, rel=0.02)  # long holds: b ln t
    assert found.per_decade == pytest.approx(found.slope * np.log(10))
    assert 0 < found.slope_error < 0.01 * B


@pytest.mark.x64
def test_slip_law_does_not_heal_at_rest():
    found = inversion.healing(*record_of(rs.Slip()))
    np.testing.assert_allclose(found.delta_mu, 0, atol=1e-9)
    assert found.slope == pytest.approx(0, abs=1e-9)


@pytest.mark.x64
def test_creep_in_the_hold_heals_the_slip_law():
    """With slip V_h t in the hold, ln q relaxes: Δμ = b ln(V/V_h) (1 − e^{−V_h t/Dc})."""
    creep, holds = 1e-11, [1e3, 1e4, 1e5, 1e6]
    found = inversion.healing(*record_of(rs.Slip(), hold_velocity=creep, holds=holds))
    expected = -B * np.log(V / creep) * np.expm1(-creep * np.array(holds) / DC)
    np.testing.assert_allclose(found.delta_mu, expected, atol=1e-6)


@pytest.mark.x64
def test_composite_law_heals_as_the_aging_law():
    holds = [10.0, 100.0, 1000.0]
    found = inversion.healing(*record_of(rs.Composite(Vc=1e-8), holds=holds))
    np.testing.assert_allclose(found.delta_mu, B * np.log1p(np.array(holds)), atol=2e-5)


@pytest.mark.x64
def test_regularised_law_heals_at_zero_velocity():
    law = rs.RateStateLaw(0.6, A, B, DC, V, form="regularised")
    protocol = rs.VelocityProtocol.slide_hold_slide(V, [100.0, 1000.0], slide=SLIDE)
    t = jnp.sort(jnp.concatenate([jnp.linspace(0.0, 1300.0, 500), protocol.times]))
    found = inversion.healing(t, friction(law, protocol, t), protocol)
    np.testing.assert_allclose(found.delta_mu, B * np.log1p([100.0, 1000.0]), rtol=1e-4)


@pytest.mark.x64
def test_compliant_loading_heals_a_little_less():
    """Through a spring the slider creeps in the hold and slides before the peak."""
    law = rs.RateStateLaw(0.6, 0.010, 0.012, 1e-5, V)
    protocol = rs.VelocityProtocol.slide_hold_slide(V, [30.0, 300.0], slide=100.0)
    t = jnp.linspace(0.0, 700.0, 4001)
    run = jax.jit(rs.spring_slider)(law, rs.Spring(5e3), protocol, t)
    assert bool(run.status.ok)
    found = inversion.healing(t, run.friction, protocol)
    rigid = 0.012 * np.log1p(np.array([30.0, 300.0]) / 10)
    assert np.all(found.delta_mu > 0.2 * rigid) and np.all(found.delta_mu < rigid)
    assert found.slope > 0


def test_slope_error_is_that_of_a_straight_line():
    rng = np.random.default_rng(0)
    protocol = rs.VelocityProtocol.slide_hold_slide(1.0, [1.0, 3.0, 10.0, 30.0, 100.0], slide=5.0)
    times, ends = np.asarray(protocol.times, float), np.asarray(protocol.times, float)[1:]
    holds = ends[1::2] - times[1::2][: ends[1::2].size]
    slopes, errors = [], []
    for _ in range(200):
        t, mu = [0.0], [0.6]
        for k, hold in enumerate(holds):
            start, end = times[2 * k + 1], ends[2 * k + 1]
            peak = 0.6 + 0.01 * np.log(hold) + 1e-3 * rng.normal()
            t += [start - 0.1, end + 0.1]
            mu += [0.6, peak]
        found = inversion.healing(np.array(t), np.array(mu), protocol)
        slopes.append(found.slope)
        errors.append(found.slope_error)
    assert np.mean(slopes) == pytest.approx(0.01, abs=5e-5)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(slopes), rel=0.15)


@pytest.mark.parametrize("number", [1, 2])
def test_one_or_two_holds_have_no_slope_error(number):
    protocol = rs.VelocityProtocol.slide_hold_slide(1.0, [1.0, 10.0][:number], slide=5.0)
    t = np.arange(0, 30, 0.5)
    found = inversion.healing(t, 0.6 + 0.001 * t, protocol)
    assert np.isnan(found.slope_error) and np.isnan(found.slope) == (number == 1)
    assert "Healing" in str(found)


def test_table_of_holds():
    protocol = rs.VelocityProtocol.slide_hold_slide(1.0, [1.0, 10.0, 100.0], slide=5.0)
    t = np.arange(0, 140, 0.5)
    lines = str(inversion.healing(t, 0.6 + 0.001 * t, protocol)).splitlines()
    assert repr(inversion.healing(t, 0.6 + 0.001 * t, protocol)).splitlines() == lines
    assert "per decade" in lines[0] and "hold time" in lines[1] and len(lines) == 5


# Bad input ---------------------------------------------------------------------------------------


def test_a_protocol_without_holds():
    t = np.arange(10.0)
    with pytest.raises(ValueError, match="no hold between two slides"):
        inversion.healing(t, t, rs.VelocityProtocol.step(1.0, 10.0, at=5.0))
    with pytest.raises(ValueError, match="no hold between two slides"):  # none after the last
        inversion.healing(t, t, rs.VelocityProtocol([0.0, 5.0], [1.0, 0.0]))


def test_slides_without_samples():
    protocol = rs.VelocityProtocol.slide_hold_slide(1.0, [5.0], slide=5.0)
    for t in (np.arange(5.5, 20.0), np.arange(0.0, 9.0)):
        with pytest.raises(ValueError, match="no samples in the slide"):
            inversion.healing(t, t, protocol)


def test_columns_of_one_shape():
    protocol = rs.VelocityProtocol.slide_hold_slide(1.0, [5.0], slide=5.0)
    for t, mu in ((np.arange(9.0), np.arange(8.0)), (np.ones((2, 9)), np.ones((2, 9)))):
        with pytest.raises(ValueError, match="one shape"):
            inversion.healing(t, mu, protocol)


# Holds from the displacement ---------------------------------------------------------------------


def displacement_record(holds, slide=20.0, creep=0.0, noise=0.0):
    protocol = rs.VelocityProtocol.slide_hold_slide(
        1e-5, holds, slide=slide, hold_velocity=creep, start=700.0
    )
    t = np.linspace(700.0, float(protocol.times[-1]) + slide, 3001)
    x = np.interp(  # NumPy's float64 whatever JAX's is
        t,
        np.append(np.asarray(protocol.times), t[-1]),
        np.append(0, np.cumsum(np.diff(np.append(protocol.times, t[-1])) * protocol.velocities)),
    )
    x = x + noise * np.random.default_rng(0).normal(size=t.size)
    return records.VelocityStepRecord(t, x, 0.6 + 1e-3 * np.sin(t)), protocol


@pytest.mark.parametrize(("creep", "noise"), [(0.0, 0.0), (1e-8, 0.0), (0.0, 1e-8)])
def test_holds_are_found_in_the_displacement(creep, noise):
    record, truth = displacement_record([10.0, 30.0, 100.0], creep=creep, noise=noise)
    found = inversion.holds_from_displacement(record)
    assert found.times.shape == truth.times.shape
    spacing = record.time[1] - record.time[0]
    np.testing.assert_allclose(found.times, truth.times, atol=2.5 * spacing)
    velocities = np.asarray(found.velocities)
    np.testing.assert_allclose(velocities[0::2], 1e-5, rtol=0.01)
    np.testing.assert_array_equal(velocities[1::2], 0)
    assert inversion.healing(record.time, record.friction, found).hold_time.size == 3


@pytest.mark.parametrize("holds", [[], [1e9]])
def test_a_displacement_without_holds_or_slides(holds):
    t = np.linspace(0.0, 10.0, 500)
    x = 1e-5 * t if not holds else np.zeros(500)
    with pytest.raises(ValueError, match="no holds in the displacement"):
        inversion.holds_from_displacement(records.VelocityStepRecord(t, x, np.full(500, 0.6)))

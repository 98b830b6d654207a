"""The load-point protocol of a record: broken lines found in the displacement column."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

START = 500.0


@pytest.fixture(scope="module")
def broken_line():
    """A record whose displacement follows given velocities (µm/s) from given times (s)."""

    def make(velocities, breaks, *, rows=601, noise=0.0, time=None, seed=0):
        t = np.linspace(0.0, 60.0, rows) if time is None else time
        speed = np.array(velocities) * 1e-6
        x = speed[0] * t
        for k, change in zip(breaks, np.diff(speed), strict=True):
            x = x + change * np.maximum(t - k, 0)
        x = x + noise * np.random.default_rng(seed).normal(size=t.size)
        return records.VelocityStepRecord(START + t, x, np.full(t.size, 0.6), name="made")

    return make


def assert_found(protocol, velocities, breaks, relative, absolute):
    found, times = np.asarray(protocol.velocities), np.asarray(protocol.times)
    np.testing.assert_allclose(found, np.array(velocities) * 1e-6, rtol=relative)
    np.testing.assert_allclose(times, START + np.array([0.0, *breaks]), rtol=0, atol=absolute)


@pytest.mark.x64
@pytest.mark.parametrize(
    ("velocities", "breaks"),
    [
        ([1.0, 10.0], [20.0]),
        ([10.0, 1.0], [20.013]),
        ([1.0, 1.2], [30.0]),  # a step of 20 %
        ([3.0, 10.0], [5.55]),  # near the beginning
        ([3.0, 10.0], [54.321]),  # near the end
        ([1.0, 10.0, 1.0], [15.0, 35.0]),
        ([1.0, 3.0, 10.0, 3.0], [12.3, 27.0, 44.4]),
    ],
)
def test_breaks_of_an_exact_displacement(broken_line, velocities, breaks):
    record = broken_line(velocities, breaks)
    protocol = inversion.protocol_from_displacement(record, steps=len(breaks))
    assert_found(protocol, velocities, breaks, 1e-7, 1e-6)


@pytest.mark.x64
def test_breaks_between_uneven_samples(broken_line):
    time = np.sort(np.random.default_rng(1).uniform(0, 60, 500))
    time[0] = 0.0
    record = broken_line([0.2, 2.0], [33.3], time=time)
    assert_found(inversion.protocol_from_displacement(record), [0.2, 2.0], [33.3], 1e-7, 1e-6)


@pytest.mark.x64
def test_breaks_of_a_noisy_displacement(broken_line):
    errors = []
    for seed in range(20):
        record = broken_line([1.0, 10.0], [20.0], noise=0.2e-6, seed=seed)
        protocol = inversion.protocol_from_displacement(record)
        assert_found(protocol, [1.0, 10.0], [20.0], 0.02, 0.05)
        errors.append(float(protocol.times[1]) - START - 20)
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(20)


@pytest.mark.parametrize(
    ("sample", "velocities", "window"),
    [("basalt", (3.0, 10.0), (11670, 11680)), ("sepiolite", (0.2, 2.0), (21300, 21340))],
)
def test_breaks_of_the_shipped_records(sample, velocities, window):
    protocol = inversion.protocol_from_displacement(records.sample(sample))
    np.testing.assert_allclose(np.asarray(protocol.velocities) * 1e6, velocities, rtol=0.02)
    assert window[0] < float(protocol.times[1]) < window[1]


def test_dtype_of_the_protocol_follows_jax(broken_line):
    protocol = inversion.protocol_from_displacement(broken_line([1.0, 10.0], [20.0]))
    assert protocol.times.dtype == jnp.zeros(()).dtype


# Bad input ---------------------------------------------------------------------------------------


def test_constant_velocity_has_no_step(broken_line):
    with pytest.raises(ValueError, match="no 1 velocity step") as error:
        inversion.protocol_from_displacement(broken_line([2.0], []))
    assert "record 'made'" in str(error.value) and "protocol=" in str(error.value)


def test_more_steps_than_there_are(broken_line):
    with pytest.raises(ValueError, match="no 2 velocity step|rows before it"):
        inversion.protocol_from_displacement(broken_line([1.0, 10.0], [20.0]), steps=2)


@pytest.mark.parametrize("velocities", [[-1.0, -10.0], [1.0, -5.0], [0.0, 1.0]])
def test_displacement_must_increase(broken_line, velocities):
    with pytest.raises(ValueError, match="does not increase throughout") as error:
        inversion.protocol_from_displacement(broken_line(velocities, [20.0]))
    assert "crop" in str(error.value)


def test_constant_displacement(broken_line):
    with pytest.raises(ValueError, match="does not increase throughout"):
        inversion.protocol_from_displacement(broken_line([0.0], []))


def test_step_needs_rows_on_both_sides(broken_line):
    with pytest.raises(ValueError, match="rows before it"):
        inversion.protocol_from_displacement(broken_line([1.0, 10.0], [0.5]))


def test_number_of_steps_must_be_positive(broken_line):
    with pytest.raises(ValueError, match="steps must be at least 1"):
        inversion.protocol_from_displacement(broken_line([1.0, 10.0], [20.0]), steps=0)


def test_given_protocol_is_held_against_the_record(broken_line):
    record = broken_line([1.0, 10.0], [20.0])
    cases = [
        ([START + 5, START + 20], [1e-6, 1e-5], "after the record's first row"),
        ([START, START + 100], [1e-6, 1e-5], "lies outside the record"),
        ([START, START + 0.3], [1e-6, 1e-5], "rows before it"),
        ([START], [1e-6], "at least one velocity step"),
        ([START, np.inf], [1e-6, 1e-5], "at least one velocity step"),
    ]
    for times, velocities, message in cases:
        with pytest.raises(ValueError, match=message):
            inversion.guess(record, protocol=rs.VelocityProtocol(times, velocities))


@pytest.mark.x64
def test_padding_of_a_given_protocol_is_dropped(broken_line):
    record = broken_line([1.0, 10.0], [20.0])
    times, velocities = [START - 3, START + 20], [1e-6, 1e-5]
    plain = inversion.guess(record, protocol=rs.VelocityProtocol(times, velocities))
    padded = inversion.guess(
        record, protocol=rs.VelocityProtocol([*times, np.inf], [*velocities, 7.0])
    )
    assert str(plain) == str(padded)

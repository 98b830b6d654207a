"""Several records, one law: shared parameters are known better, the others stay each record's."""

import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

LAW = rs.RateStateLaw(0.6, 0.010, 0.014, 2e-5, 1e-6)
SPRINGS = (rs.Spring(2000.0), rs.Spring(3000.0))
# different velocities, sampling and noise; as many rows, so that their fits are one program
RUNS = (((1e-6, 1e-5), 60.0, 300, 1e-3), ((1e-5, 3e-6), 80.0, 300, 1e-3))


@functools.cache
def made(noise_factor=1.0):
    """Two records of one interface, with drifts and levels of their own."""
    simulate, found = eqx.filter_jit(rs.spring_slider), []
    for i, (velocities, duration, n, noise) in enumerate(RUNS):
        t = np.linspace(0.0, duration, n)
        protocol = rs.VelocityProtocol([0.0, 20.0], velocities)
        law = rs.RateStateLaw(0.6 + 0.01 * i, LAW.a, LAW.b, LAW.Dc, LAW.V0)
        history = simulate(law, SPRINGS[i], protocol, jnp.asarray(t))
        friction = np.asarray(history.friction) + 0.002 * (i - 0.5) * t / duration
        friction = friction + noise_factor * noise * np.random.default_rng(i).normal(size=n)
        slip = np.asarray(protocol.displacement(jnp.asarray(t)))
        found.append(
            records.VelocityStepRecord(1000.0 * i + t, slip, friction, name=f"run {i + 1}")
        )
    return found


def protocols():
    return [
        rs.VelocityProtocol([1000.0 * i, 1000.0 * i + 20.0], velocities)
        for i, (velocities, *_) in enumerate(RUNS)
    ]


# The stiffness is free in every fit: other free parameters would be another program.
SHARED = ("a", "b", "Dc", "stiffness[1]", "stiffness[2]")


def joint(records_, law, springs, **options):
    return inversion.fit_joint(
        records_, law, springs, protocols=protocols(), free=("stiffness",), **options
    )


@functools.cache
def alone_fits():
    return [
        inversion.fit_step(record, LAW, spring, protocol=protocol, free=("stiffness",))
        for record, spring, protocol in zip(made(), SPRINGS, protocols(), strict=True)
    ]


@pytest.mark.slow
@pytest.mark.x64
def test_shared_parameters_are_known_better():
    together = joint(made(), LAW, SPRINGS)
    assert together.names == SHARED and len(together.fits) == 2
    errors = np.sqrt(np.diag(together.covariance))
    alone = alone_fits()
    # The records' information about the shared three adds up.
    information = sum(np.linalg.inv(np.asarray(fit.covariance)[:3, :3]) for fit in alone)
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    for i, name in enumerate(("a", "b", "Dc")):
        assert alone[0].names[i] == name
        assert errors[i] == pytest.approx(expected[i], rel=0.1)
        assert together.values[i] == pytest.approx(float(getattr(LAW, name)), abs=4 * errors[i])
        assert [fit.value(name) for fit in together.fits] == [together.values[i]] * 2
    # every record keeps its own level
    levels = [fit.value("mu0") for fit in together.fits]
    assert levels[1] - levels[0] == pytest.approx(0.01, abs=2e-3)
    n = [fit.time.size for fit in together.fits]
    squares = sum(k * fit.rms**2 for k, fit in zip(n, together.fits, strict=True))
    assert together.rms == pytest.approx(np.sqrt(squares / sum(n)))
    text = str(together)
    assert "joint fit of 2 records" in text and "±" in text and repr(together) == text
    page = together._repr_html_()
    assert page.startswith("<table>") and all(f"<th>{name}</th>" in page for name in SHARED)
    np.testing.assert_array_equal(together.fits[1].time, made()[1].time)


@pytest.mark.slow
@pytest.mark.x64
def test_noiseless_records_with_a_stiffness_each():
    guess = rs.RateStateLaw(0.6, 0.008, 0.011, 3e-5, 1e-6)
    fit = joint(made(0.0), guess, [rs.Spring(2500.0), rs.Spring(2500.0)])
    assert fit.names == SHARED
    np.testing.assert_allclose(fit.values, [0.010, 0.014, 2e-5, 2000, 3000], rtol=1e-5)
    assert [x.value("stiffness") for x in fit.fits] == pytest.approx([2000, 3000], rel=1e-5)
    assert [float(x.spring.stiffness) for x in fit.fits] == pytest.approx([2000, 3000], rel=1e-5)


@pytest.mark.slow
@pytest.mark.x64
def test_nothing_shared_is_two_fits():
    together = joint(made(), LAW, SPRINGS, shared=())
    names = ("a", "b", "Dc", "stiffness")
    assert together.names == tuple(f"{name}[{i}]" for i in (1, 2) for name in names)
    alone = alone_fits()
    expected = np.concatenate([fit.values[:4] for fit in alone])
    np.testing.assert_allclose(together.values, expected, rtol=1e-4)
    errors = np.concatenate([np.sqrt(np.diag(fit.covariance))[:4] for fit in alone])
    np.testing.assert_allclose(np.sqrt(np.diag(together.covariance)), errors, rtol=0.02)


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize(
    ("springs", "loads", "options", "message"),
    [
        (1, 2, {}, "one spring for each record; got 2 and 1"),
        (2, 1, {}, "one protocol for each record; got 1"),
        (2, 2, {"shared": ("nonsense",)}, "no parameter is called 'nonsense'"),
        (2, 2, {"shared": ("Dc2",)}, "no parameter is called 'Dc2'"),
        (2, 2, {"fixed": ("a", "b", "Dc")}, "fixed names every parameter"),
        (2, 2, {"free": ("mass",)}, "free may name"),
    ],
)
def test_bad_arguments(springs, loads, options, message):
    with pytest.raises(ValueError, match=message):
        inversion.fit_joint(
            ideal_records(), LAW, SPRINGS[:springs], protocols=protocols()[:loads], **options
        )


@pytest.mark.x64
def test_no_records():
    with pytest.raises(ValueError, match="one spring for each record; got 0 and 0"):
        inversion.fit_joint([], LAW, [])


def ideal_records():
    """Records as the real ones, without friction: nothing is simulated."""
    found = []
    for i, (_, duration, n, _) in enumerate(RUNS):
        t = np.linspace(0.0, duration, n)
        found.append(records.VelocityStepRecord(1000.0 * i + t, 1e-6 * t, np.full(n, 0.6)))
    return found

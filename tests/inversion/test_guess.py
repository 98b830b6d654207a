"""Starting values of the inversion, read off synthetic steps."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

TIME = np.linspace(0.0, 60.0, 400)
EVOLUTIONS = {"aging": rs.Aging(), "slip": rs.Slip(), "prz": rs.PRZ(), "nagata": rs.Nagata(c=2.0)}


@pytest.fixture(scope="module")
def step():
    """A synthetic velocity step from 1 µm/s (or `before`) to 10 µm/s after 20 s."""

    def make(law, stiffness=2000.0, noise=0.0, before=1e-6, after=1e-5):
        protocol = rs.VelocityProtocol([0.0, 20.0], [before, after])
        history = rs.spring_slider(law, rs.Spring(stiffness), protocol, jnp.asarray(TIME))
        assert bool(history.status.ok)
        friction = np.asarray(history.friction)
        friction = friction + noise * np.random.default_rng(0).normal(size=TIME.size)
        return records.VelocityStepRecord(
            100.0 + TIME, np.asarray(protocol.displacement(TIME)), friction
        )

    return make


def law(evolution="aging", a=0.010, b=0.014, Dc=2e-5):
    return rs.RateStateLaw(0.6, a, b, Dc, 1e-6, EVOLUTIONS[evolution])


@pytest.mark.x64
@pytest.mark.parametrize("evolution", list(EVOLUTIONS))
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_guess_is_near(step, evolution, noise):
    record = step(law(evolution), noise=noise)
    guess, spring = inversion.guess(record, EVOLUTIONS[evolution])
    assert type(guess.evolution) is type(EVOLUTIONS[evolution])
    assert float(guess.mu0) == pytest.approx(0.6, abs=1e-3)
    assert float(guess.V0) == pytest.approx(1e-6, rel=1e-3)
    assert float(guess.a) - float(guess.b) == pytest.approx(-0.004, abs=1e-3)
    assert 0.005 < float(guess.a) < 0.02
    assert 2e-5 / 4 < float(guess.Dc) < 2e-5 * 4
    assert 500 < float(spring.stiffness) < 8000


@pytest.mark.x64
@pytest.mark.parametrize("evolution", list(EVOLUTIONS))
def test_the_guess_can_be_simulated(step, evolution):
    """An unstable guess leaves nothing to start the inversion from."""
    record = step(law(evolution))
    guess, spring = inversion.guess(record, EVOLUTIONS[evolution])
    protocol = rs.VelocityProtocol([0.0, 20.0], [1e-6, 1e-5])
    assert bool(rs.spring_slider(guess, spring, protocol, jnp.asarray(TIME)).status.ok)


@pytest.mark.x64
def test_guess_of_a_strengthening_material(step):
    record = step(law(a=0.012, b=-0.004, Dc=4e-5), noise=2e-4)
    guess, _ = inversion.guess(record)
    assert float(guess.a) - float(guess.b) == pytest.approx(0.016, rel=0.05)
    assert float(guess.b) < 0 and float(guess.a) > 0


@pytest.mark.x64
def test_guess_of_a_step_down(step):
    record = step(law(), before=1e-5, after=1e-6)
    guess, _ = inversion.guess(record)
    assert float(guess.V0) == pytest.approx(1e-5, rel=1e-3)
    assert float(guess.a) > 0 and float(guess.Dc) > 0
    # 40 µm of slip are too few to be steady, so a − b comes out rough
    assert -0.008 < float(guess.a) - float(guess.b) < 0.002


@pytest.mark.x64
def test_guess_reads_only_the_first_step(step):
    one = step(law())
    protocol = rs.VelocityProtocol([100.0, 120.0, 150.0], [1e-6, 1e-5, 1e-6])
    first = inversion.guess(one.crop(-np.inf, 149.99))[0]
    both = inversion.guess(one, protocol=protocol)[0]
    for name in ("a", "b", "Dc"):
        assert float(getattr(both, name)) == pytest.approx(float(getattr(first, name)), rel=0.2)


@pytest.mark.x64
def test_guess_of_a_flat_record_is_still_a_law(step):
    record = dataclasses.replace(step(law()))
    flat = records.VelocityStepRecord(record.time, record.displacement, np.full(TIME.size, 0.6))
    guess, spring = inversion.guess(flat)
    assert float(guess.a) > 0 and float(guess.Dc) > 0 and float(spring.stiffness) > 0

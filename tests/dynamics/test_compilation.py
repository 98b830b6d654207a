"""Simulators compile once however they are called; padding changes no result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import fault, inversion, ratestate as rs, records

pytestmark = pytest.mark.x64
T = jnp.linspace(0.0, 40.0, 101)


def law(k=0, evolution=None, **options):
    evolution = rs.Aging() if evolution is None else evolution
    return rs.RateStateLaw(0.6 + 0.01 * k, 0.01, 0.014, 1e-5, 1e-6, evolution, **options)


def protocol(k=0):
    return rs.VelocityProtocol.step(1e-6, (1 + k) * 1e-5, at=10.0 + k)


def faults(k=0):
    patches = fault.patches(0.6, 0.01, jnp.array([0.014, 0.015]), 2e-6, 1e-6)
    return fault.FaultChain(
        patches, 5e6 + 1e5 * k, loader=2e10, leaf=2e10, coupling=1e9, damping=1e6 * (1 + k)
    )


CALLS = {
    "slide": lambda k: rs.slide(law(k), protocol(k), T),
    "slide by a solver": lambda k: rs.slide(
        law(k, rs.Composite(1e-8 * (1 + k))), protocol(k), T, options=rs.Options(rtol=1e-8 + 0 * k)
    ),
    "spring_slider": lambda k: rs.spring_slider(law(k), rs.Spring(1e3, float(k)), protocol(k), T),
    "spring_slider, linker": lambda k: rs.spring_slider(
        law(k, alpha=0.2 + 0.1 * k),
        rs.Spring(1e3),
        protocol(k),
        T,
        normal_stress=rs.NormalStress([5.0, 6.0 + k], [1.0, 1.1]),
    ),  # fmt: skip
    "steady_state": lambda k: rs.steady_state(law(k), 1e-6 * (1 + k)),
    "critical_stiffness": lambda k: rs.critical_stiffness(law(k), 1e-6, damping=float(k)),
    "eigenvalues": lambda k: rs.eigenvalues(law(k), rs.Spring(100.0 + k), 1e-6),
    "fault": lambda k: fault.simulate(faults(k), 1e-5 * (1 + k), T),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_eager_call_with_other_numbers_compiles_nothing(call, compilations):
    call(0)
    assert compilations(call, 1) == 0


@pytest.fixture(scope="module")
def record():
    """A step with a little noise, long enough to be cut."""
    t = np.linspace(0.0, 60.0, 601)
    load = rs.VelocityProtocol.step(1e-6, 1e-5, at=20.0)
    history = rs.spring_slider(law(), rs.Spring(2e3), load, jnp.asarray(t))
    noise = 1e-4 * np.random.default_rng(0).normal(size=t.size)
    slip = np.asarray(load.displacement(jnp.asarray(t)))
    return records.VelocityStepRecord(t, slip, np.asarray(history.friction) + noise)


def test_a_record_of_another_length_compiles_nothing(record, compilations):
    def fit(end, **options):
        part = record.crop(0.0, end)
        return inversion.fit_step(part, law(), rs.Spring(2e3), **options)

    fit(60.0, free=("stiffness",))
    assert compilations(lambda: fit(45.0, free=("stiffness",))) == 0
    assert compilations(lambda: fit(50.0, free=("step_time",), fixed=("Dc",))) == 0


def test_padding_changes_no_fit(record, monkeypatch):
    from jaxfric.inversion import _problem

    def fit():
        return inversion.fit_step(record, law(), rs.Spring(2e3), free=("stiffness", "step_time"))

    padded = fit()
    monkeypatch.setattr(_problem, "LENGTHS", (record.time.size,))
    unpadded = fit()
    np.testing.assert_allclose(padded.model, unpadded.model, rtol=0, atol=1e-12)
    np.testing.assert_allclose(padded.values, unpadded.values, rtol=1e-9)


def test_more_places_for_steps_change_no_friction():
    """Velocity steps at infinity are no steps."""
    two = rs.VelocityProtocol([0.0, 10.0, 20.0], [1e-6, 1e-5, 1e-6])
    four = rs.VelocityProtocol([0.0, 10.0, 20.0, np.inf, np.inf], [1e-6, 1e-5, 1e-6, 0.0, 0.0])
    one, other = (rs.spring_slider(law(), rs.Spring(1e3), p, T) for p in (two, four))
    np.testing.assert_allclose(one.friction, other.friction, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_a_load_that_jumps_is_sampled_right_between_steps():
    """A chain of one patch under a velocity step is a spring-slider, samples at the jump too."""
    chain = fault.FaultChain(
        fault.patches(0.6, 0.01, 0.012, 2e-6, 1e-6), 5e6, loader=2e10, leaf=2e10, coupling=0.0,
        damping=1e6,
    )  # fmt: skip
    load = rs.VelocityProtocol([0.0, 10.0, 20.0], [1e-6, 1e-5, 2e-6])
    stress = rs.NormalStress([24.0, 26.0], [1.0, 1.1])
    t = jnp.sort(jnp.concatenate([jnp.linspace(0.0, 30.0, 301), 10.0 + jnp.geomspace(1e-6, 1, 9)]))
    start = (jnp.full(1, 1e-6), jnp.full(1, 2.0))
    history = fault.simulate(chain, load, t, initial=start, normal_stress=stress)
    single = rs.RateStateLaw(0.6, 0.01, 0.012, 2e-6, 1e-6)
    spring = rs.Spring.from_stress(1e10, 1e6, normal_stress=5e6)
    expected = rs.spring_slider(single, spring, load, t, initial=(1e-6, 2.0), normal_stress=stress)
    assert history.status.ok and expected.status.ok
    # the bulk friction carries the radiation damping, and is over the normal stress of the moment
    bulk = expected.friction + 1e6 / 5e6 * expected.velocity / jax.vmap(stress)(t)
    np.testing.assert_allclose(history.friction, bulk, rtol=0, atol=2e-7)
    # between steps the slip grows exponentially, which is right to the fourth order
    np.testing.assert_allclose(history.slip, expected.slip, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        history.log_velocity_rate[40:90], expected.log_velocity_rate[40:90], rtol=1e-3, atol=1e-4
    )


def test_an_invalid_fault_of_a_batch_stands_still():
    run = jax.vmap(lambda eta: fault.simulate(eqx_damping(eta), 1e-5, T).status.code)
    assert run(jnp.array([1e6, -1.0, jnp.nan])).tolist() == [0, 5, 5]


def eqx_damping(eta):
    patches = fault.patches(0.6, 0.01, jnp.array([0.014, 0.015]), 2e-6, 1e-6)
    return fault.FaultChain(patches, 5e6, loader=2e10, leaf=2e10, coupling=1e9, damping=eta)

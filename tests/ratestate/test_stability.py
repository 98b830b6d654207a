"""Steady sliding and its stability: closed forms, eigenvalues, and growth in simulations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs

A, B, DC = 0.011, 0.016, 0.1  # the defaults of make_law, V0 = 1
DAMPING, MASS = 0.002, 0.003  # half of (b − a)/V; a third on top of K_c
SEVERAL = [("aging", "slip"), ("prz", "aging", "composite"), ("nagata", "slip")]


@eqx.filter_jit
def critical(law, V, damping, mass):
    return rs.critical_stiffness(law, V, damping=damping, mass=mass).value


@eqx.filter_jit
def growth_rates(law, stiffness, V, damping, mass):
    return rs.eigenvalues(law, rs.Spring(stiffness, damping, mass), V).values


def leading(law, stiffness, V=1.0, damping=0.0, mass=None):
    """The eigenvalue of largest real part, upper half plane."""
    found = growth_rates(
        law, *(x if x is None else jnp.asarray(x) for x in (stiffness, V, damping, mass))
    )
    found = np.asarray(found)
    top = found[np.argmax(found.real)]
    return complex(top.real, abs(top.imag))


def k_c(law, V=1.0, damping=0.0, mass=0.0):
    return float(critical(law, *(jnp.asarray(x) for x in (V, damping, mass))))


# Steady sliding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["classical", "regularised"])
@pytest.mark.parametrize("V", [1e-3, 1.0, 50.0])
def test_steady_friction_is_mu0_plus_a_minus_b_times_ln_V(make_law, name, form, V, eps):
    steady = rs.steady_state(make_law(name, form=form), V)
    q = 1.0
    if name == "composite":  # q = exp(W(x)), W e^W = x: Newton in ln q
        x, log_q = np.exp(-V / 0.5), 0.0
        for _ in range(60):
            log_q -= (log_q * np.exp(log_q) - x) / (np.exp(log_q) * (1 + log_q))
        q = np.exp(log_q)
    expected = 0.6 + (A - B) * np.log(V) + B * np.log(q)
    assert steady.friction == pytest.approx(expected, abs=30 * eps)
    length = 2 * DC if name == "prz" else DC
    assert float(steady.state) == pytest.approx(q * length / V, rel=100 * eps)


def test_steady_state_of_several_states_adds_up(make_law):
    law = make_law("aging", "slip", "prz")
    steady = rs.steady_state(law, 10.0)
    assert steady.state.shape == (3,)
    assert float(steady.friction) == pytest.approx(0.6 + (A - sum(law.b)) * np.log(10), rel=1e-5)


def test_steady_state_leaves_the_state_at_rest(make_law, name, eps):
    law = make_law(name)
    steady = rs.steady_state(law, 0.4)
    assert abs(float(law.rate(jnp.asarray(0.4), steady.state))) < 30 * eps


# Critical stiffness ------------------------------------------------------------------------------


@pytest.mark.parametrize("damping", [0.0, DAMPING])
@pytest.mark.parametrize("mass", [0.0, MASS])
@pytest.mark.parametrize("V", [0.5, 1.0])
@pytest.mark.parametrize("evolution", ["aging", "slip", "prz"])
def test_critical_stiffness_in_closed_form(make_law, evolution, damping, mass, V, eps):
    inertia = 1 + mass * V**2 / ((A + damping * V) * DC)
    expected = ((B - A) - damping * V) / DC * inertia
    assert k_c(make_law(evolution), V, damping, mass) == pytest.approx(expected, rel=100 * eps)


@pytest.mark.parametrize("c", [0.0, 0.5, 2.0])
def test_critical_stiffness_of_nagatas_law(make_law, c, eps):
    law = make_law(rs.Nagata(c=c))
    assert k_c(law) == pytest.approx((B - A) / DC / (1 + c), rel=100 * eps)


@pytest.mark.parametrize(("V", "healing"), [(1e-4, 0.5671432904), (20.0, 0.0)])
def test_composite_law_far_from_its_cut_off(make_law, V, healing):
    # Below Vc = 0.5, ln q = W(1) at steady state and θ relaxes (1 + W)-fold; above it, slip law
    assert k_c(make_law("composite"), V) == pytest.approx((B - A) / DC * (1 + healing), rel=1e-3)


@pytest.mark.x64
@pytest.mark.parametrize("evolution", ["aging", "slip", "prz"])
def test_frequency_at_the_critical_stiffness(make_law, evolution):
    law = make_law(evolution)
    for V in (0.1, 3.0):
        found = leading(law, k_c(law, V), V)
        assert abs(found.real) < 1e-9 * V / DC
        assert found.imag == pytest.approx(V / DC * np.sqrt((B - A) / A), rel=1e-9)


@pytest.mark.x64
@pytest.mark.parametrize("form", ["classical", "regularised"])
@pytest.mark.parametrize(("damping", "mass"), [(0.0, None), (DAMPING, None), (DAMPING, MASS)])
def test_sliding_turns_unstable_at_the_critical_stiffness(make_law, name, form, damping, mass):
    law = make_law(name, form=form)
    critical_k = k_c(law, damping=damping, mass=mass or 0.0)
    at, below, above = (
        leading(law, f * critical_k, damping=damping, mass=mass) for f in (1.0, 0.999, 1.001)
    )
    assert abs(at.real) < 1e-8 * at.imag
    assert below.real > 0 > above.real


@pytest.mark.x64
@pytest.mark.parametrize("names", SEVERAL, ids="+".join)
@pytest.mark.parametrize(("damping", "mass"), [(0.0, None), (DAMPING, None), (DAMPING, MASS)])
def test_several_states_turn_unstable_at_the_critical_stiffness(make_law, names, damping, mass):
    law = make_law(*names)
    critical_k = k_c(law, damping=damping, mass=mass or 0.0)
    assert critical_k > 0
    assert abs(leading(law, critical_k, damping=damping, mass=mass).real) < 1e-8
    # above it, stable at every stiffness: there is no second, higher window
    for factor in np.geomspace(1.001, 1e3, 25):
        assert leading(law, factor * critical_k, damping=damping, mass=mass).real < 0
    assert leading(law, 0.999 * critical_k, damping=damping, mass=mass).real > 0


@pytest.mark.x64
def test_states_of_one_length_act_as_one(make_law):
    law = make_law("aging", "aging", b=(0.006, 0.010), Dc=(DC, DC))
    assert k_c(law, 1.0, DAMPING) == pytest.approx((B - A - DAMPING) / DC, rel=1e-9)


@pytest.mark.x64
def test_direct_effect_that_depends_on_velocity():
    slope = 0.0004
    a = jax.tree_util.Partial(lambda s, V: A + s * jnp.log(V), jnp.asarray(slope))
    law = rs.RateStateLaw(0.6, a, B, DC, 1.0)
    for V in (0.2, 1.0, 5.0):
        # ∂μ/∂ln V = d[(A + s w) w]/dw at w = ln V
        direct = A + 2 * slope * np.log(V)
        assert k_c(law, V) == pytest.approx((B - direct) / DC, rel=1e-9)
        assert abs(leading(law, k_c(law, V), V).real) < 1e-9 * V / DC


@pytest.mark.parametrize("names", [("aging",), ("aging", "slip")], ids="+".join)
def test_velocity_strengthening_is_stable_at_every_stiffness(make_law, names):
    law = make_law(*names, a=0.05)
    assert k_c(law) <= 0
    for stiffness in (1e-3, 1.0, 1e3):
        assert leading(law, stiffness).real < 0


@pytest.mark.parametrize("names", [("slip",), ("aging", "slip")], ids="+".join)
def test_critical_stiffness_is_vmapped(make_law, names):
    law = make_law(*names)
    V = jnp.array([0.1, 1.0, 2.0])
    batch = jax.jit(jax.vmap(lambda v: rs.critical_stiffness(law, v, damping=DAMPING).value))(V)
    single = [k_c(law, float(v), DAMPING) for v in V]
    np.testing.assert_allclose(batch, single, rtol=1e-5)


@pytest.mark.x64
@pytest.mark.parametrize("names", [("aging",), ("nagata",), ("aging", "slip")], ids="+".join)
def test_derivatives_of_the_critical_stiffness(make_law, names, central_differences):
    template = make_law(*names)

    def stiffness(p):
        a, b, Dc, V, damping, mass = p
        parts = template.states or 0
        spread = lambda x: tuple(x / (i + 1) for i in range(parts)) if parts else x  # noqa: E731
        law = rs.RateStateLaw(0.6, a, spread(b), spread(Dc), 1.0, template.evolution)
        return rs.critical_stiffness(law, V, damping=damping, mass=mass).value

    p = jnp.array([A, B, DC, 0.8, DAMPING, MASS])
    (expected,) = central_differences(lambda p: stiffness(p)[None], p)
    for derivative in (jax.jacrev, jax.jacfwd):
        np.testing.assert_allclose(jax.jit(derivative(stiffness))(p), expected, rtol=1e-5)


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("V", [0.0, -1.0, np.nan, np.inf])
def test_velocity_must_be_positive(make_law, V):
    law = make_law("aging")
    for ask in (
        rs.steady_state,
        rs.critical_stiffness,
        lambda law, V: rs.eigenvalues(law, rs.Spring(1.0), V),
    ):
        with pytest.raises(ValueError, match="V must be"):
            ask(law, V)


@pytest.mark.parametrize("argument", ["damping", "mass"])
def test_damping_and_mass_must_not_be_negative(make_law, argument):
    with pytest.raises(ValueError, match=f"{argument} must not be negative"):
        rs.critical_stiffness(make_law("aging"), 1.0, **{argument: -1.0})


# Simulations -------------------------------------------------------------------------------------


@eqx.filter_jit
def perturbed(law, stiffness, damping, mass, t):
    """ln V and ln θ about steady sliding at V = 1, from a velocity 1e-5 too high; vmapped."""
    V = jnp.ones(())
    steady = law.initial(V)
    load = rs.VelocityProtocol(jnp.zeros(1), jnp.ones(1))

    def one(k, eta):
        history = rs.spring_slider(
            law, rs.Spring(k, eta, mass), load, t, initial=(V * (1 + 1e-5), steady),
            options=rs.Options(rtol=1e-9, atol=1e-12),
        )  # fmt: skip
        state = jnp.log(history.state) - jnp.log(steady)
        return jnp.log(history.velocity), state, history.status

    return jax.vmap(one)(stiffness, damping)


def growth(x, dt):
    """Growth rate and frequency of (x1, x2)(t) sampled every dt: ln of its propagator, fitted."""
    propagator = x[:, 1:] @ np.linalg.pinv(x[:, :-1])
    found = np.log(np.linalg.eigvals(propagator) + 0j) / dt
    return found[np.argmax(found.imag)]


def assert_grows_as_linearised(law, mass):
    damping = np.array([0.0, 0.0, DAMPING, DAMPING])
    stiffness = np.array(
        [
            f * k_c(law, 1.0, eta, mass or 0.0)
            for f, eta in zip((0.9, 1.1) * 2, damping, strict=True)
        ]
    )
    expected = [leading(law, k, 1.0, e, mass) for k, e in zip(stiffness, damping, strict=True)]
    t = np.linspace(0, 8 * 2 * np.pi / max(x.imag for x in expected), 801)
    mass = mass if mass is None else jnp.asarray(mass)
    log_V, log_state, status = perturbed(
        law, jnp.asarray(stiffness), jnp.asarray(damping), mass, jnp.asarray(t)
    )
    assert np.all(status.ok)
    for w, y, truth in zip(np.asarray(log_V), np.asarray(log_state), expected, strict=True):
        x = np.stack([w, y])[:, 400:]  # the fast modes have gone by then
        assert np.max(np.abs(x)) < 1e-3
        found = growth(x, t[1])
        assert found.real == pytest.approx(truth.real, rel=0.01)
        assert found.imag == pytest.approx(truth.imag, rel=0.01)


# A case is a program. Inertia and the regularised form change the force balance, and reach the
# evolution law through the rate of stress alone: Nagata's law stands for those that feel it.
SLOW = pytest.mark.slow


@pytest.mark.x64
@pytest.mark.parametrize(
    ("law_name", "form", "mass"),
    [
        ("aging", "classical", None),
        *(
            pytest.param(law_name, "classical", None, marks=SLOW)
            for law_name in ("slip", "prz", "nagata", "composite")
        ),
        pytest.param("aging", "classical", MASS, marks=SLOW),
        pytest.param("nagata", "regularised", MASS, marks=SLOW),
        pytest.param("aging", "regularised", None, marks=SLOW),
    ],
)
def test_growth_of_small_perturbations(make_law, law_name, form, mass):
    assert_grows_as_linearised(make_law(law_name, form=form), mass)

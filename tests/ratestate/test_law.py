"""The friction law: its two forms, several states, parameters that are functions, bad values."""

import json
import os
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import ratestate as rs

MU0, A, B, DC, V0 = 0.6, 0.011, 0.016, 0.1, 1.0  # the defaults of make_law


def scalar(x):
    return jnp.asarray(x, float)


@jax.jit
def friction(law, V, state):
    return law.friction(V, state)


@jax.jit
def steady_friction(law, V):
    return jax.vmap(lambda V: law.friction(V, law.initial(V)))(V)


# The two forms ---------------------------------------------------------------------------------


@given(log_V=st.floats(-20, 4), log_theta=st.floats(-6, 12))
def test_both_forms_are_the_textbook_formula(make_law, eps, log_V, log_theta):
    V, theta = np.exp(log_V), np.exp(log_theta)
    for name, length in (("aging", DC), ("prz", 2 * DC)):
        psi = MU0 + B * np.log(V0 * theta / length)
        expected = psi + A * np.log(V / V0)
        mu = friction(make_law(name), scalar(V), scalar(theta))
        np.testing.assert_allclose(mu, expected, rtol=20 * eps, atol=20 * eps)
        # asinh(x) = ln(2x) to rounding: the forms agree wherever friction is well above a
        x = V / (2 * V0) * np.exp(psi / A)
        expected = A * np.arcsinh(x)
        mu = friction(make_law(name, form="regularised"), scalar(V), scalar(theta))
        np.testing.assert_allclose(mu, expected, rtol=100 * eps, atol=100 * eps)


def test_several_states_add_up(make_law, eps):
    law = make_law("aging", "slip", "prz")
    theta = jnp.array([0.2, 3.0, 0.7])
    lengths = np.array([0.1, 0.2, 0.6])  # the PRZ state counts 2 Dc
    expected = MU0 + A * np.log(2.0) + np.sum(B / np.arange(1, 4) * np.log(theta / lengths))
    np.testing.assert_allclose(friction(law, scalar(2.0), theta), expected, rtol=20 * eps)
    assert law.initial(scalar(2.0)).shape == (3,)
    assert make_law("aging").initial(scalar(2.0)).shape == ()


def test_direct_effect_and_steady_state(name, make_law, eps):
    V = jnp.array([0.01, 1.0, 30.0]) if name != "composite" else jnp.array([20.0, 50.0, 80.0])
    for form in ("classical", "regularised"):
        law = make_law(name, form=form)
        theta = law.initial(scalar(2.0))
        jump = friction(law, V[2], theta) - friction(law, V[0], theta)
        np.testing.assert_allclose(jump, A * np.log(V[2] / V[0]), atol=30 * eps)
        mu = steady_friction(law, V)
        np.testing.assert_allclose(mu - mu[0], (A - B) * np.log(V / V[0]), atol=30 * eps)


def test_composite_steady_state_differs_below_the_cutoff(make_law):
    """q = exp(W(e^{−V/Vc})) → e^{W(1)} = 1.763 for V ≪ Vc: friction is b W(1) higher."""
    mu = steady_friction(make_law("composite"), jnp.array([1e-6]))
    slope_only = MU0 + (A - B) * np.log(1e-6)
    np.testing.assert_allclose(mu[0] - slope_only, B * 0.5671432904, rtol=1e-4)


def test_regularised_form_at_rest(name, make_law):
    law = make_law(name, form="regularised")

    def at(V, theta):
        return law.friction(V, theta)

    mu, slopes = jax.value_and_grad(at, argnums=(0, 1))(scalar(0.0), scalar(0.3))
    assert mu == 0.0
    assert np.all(np.isfinite(slopes))


def test_regularised_form_does_not_overflow(make_law):
    law = make_law("aging", form="regularised", a=1e-4, b=0.0)  # exp(ψ/a) = e^6000
    mu, slope = jax.value_and_grad(law.friction)(scalar(3.0), scalar(1.0))
    np.testing.assert_allclose(mu, 0.6 + 1e-4 * np.log(3.0), rtol=1e-6)
    np.testing.assert_allclose(slope, 1e-4 / 3.0, rtol=1e-3)


# Rates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["classical", "regularised"])
def test_nagata_state_weakens_with_stress(make_law, form):
    """θ_i' = 1 − q_i − (c_i/b_i) θ_i μ', with μ' of all states together."""
    law = make_law("nagata", "aging", "nagata", form=form)
    V, theta = scalar(0.7), jnp.array([0.5, 0.01, 2.0])
    rate = law.rate(V, theta)
    _, mu_rate = jax.jvp(lambda s: law.friction(V, s), (theta,), (rate,))
    c, b = np.array([2.0, 0.0, 2.0]), np.array(law.b)
    expected = 1 - V * theta / jnp.array(law.Dc) - c / b * theta * mu_rate
    tight = 1e-12 if rate.dtype == jnp.float64 else 1e-4
    np.testing.assert_allclose(rate, expected, rtol=tight)
    np.testing.assert_allclose(law.log_rate(V, jnp.log(theta)) * theta, rate, rtol=tight)


def test_one_nagata_state_is_aging_slowed_down(make_law):
    law = make_law("nagata")
    theta = scalar(0.03)
    np.testing.assert_allclose(law.rate(scalar(2.0), theta), (1 - 2 * 0.03 / DC) / 3, rtol=1e-5)


def test_linker_dieterich_response(make_law):
    """(ln θ)' gains −(α/b) (ln σ)'."""
    law = make_law("aging", alpha=0.2)
    zero, one = scalar(0.0), scalar(1.0)
    np.testing.assert_allclose(law.log_response(one, zero, zero, one), -0.2 / B, rtol=1e-6)
    law = make_law("aging", "slip", alpha=(0.2, 0.0))
    response = law.log_response(one, jnp.zeros(2), zero, one)
    np.testing.assert_allclose(response, [-0.2 / B, 0.0], rtol=1e-6)
    zero, one = jnp.float32(0.0), jnp.float32(1.0)
    assert law.log_response(one, jnp.zeros(2, "f4"), zero, one).dtype == jnp.float32


# Parameters as functions of velocity -------------------------------------------------------------


class Ramp(eqx.Module):
    """A parameter linear in ln V."""

    at_one: jax.Array
    slope: jax.Array

    def __call__(self, V):
        return self.at_one + self.slope * jnp.log(V)


@pytest.mark.parametrize("kind", ["partial", "module"])
def test_parameters_as_functions(make_law, kind, eps):
    def ramp(at_one, slope):
        if kind == "module":
            return Ramp(scalar(at_one), scalar(slope))
        return jax.tree_util.Partial(lambda c, V: c[0] + c[1] * jnp.log(V), (at_one, slope))

    law = make_law("aging", a=ramp(0.01, 1e-3), b=ramp(0.02, -1e-3), Dc=ramp(0.1, 0.01))
    fixed = make_law(
        "aging", a=0.01 + 1e-3 * np.log(5), b=0.02 - 1e-3 * np.log(5), Dc=0.1 + 0.01 * np.log(5)
    )
    V = scalar(5.0)
    np.testing.assert_allclose(law.initial(V), fixed.initial(V), rtol=5 * eps)
    theta = scalar(0.4)
    np.testing.assert_allclose(friction(law, V, theta), friction(fixed, V, theta), rtol=5 * eps)
    np.testing.assert_allclose(law.rate(V, theta), fixed.rate(V, theta), rtol=20 * eps)
    np.testing.assert_allclose(law.advance(theta, V, V), fixed.advance(theta, V, V), rtol=5 * eps)


@pytest.mark.x64
def test_float32_network_in_a_float64_law(make_law):
    network = Ramp(jnp.float32(0.01), jnp.float32(1e-3))
    wrapped = jax.tree_util.Partial(lambda f, V: f(V.astype(jnp.float32)), network)
    mu = friction(make_law("aging", a=wrapped), scalar(5.0), scalar(0.4))
    assert mu.dtype == jnp.float64
    expected = MU0 + (0.01 + 1e-3 * np.log(5)) * np.log(5) + B * np.log(0.4 / DC)
    np.testing.assert_allclose(mu, expected, rtol=1e-7)


# As data -----------------------------------------------------------------------------------------


def test_a_law_is_data(make_law):
    """Batches of laws go through vmap, and derivatives come back as a law."""
    laws = jax.vmap(lambda a: make_law("aging", a=a))(jnp.array([0.01, 0.02]))
    mu = jax.vmap(friction, in_axes=(0, None, None))(laws, scalar(np.e), scalar(DC))
    np.testing.assert_allclose(mu, [0.61, 0.62], rtol=1e-6)
    law = jax.tree_util.tree_map(scalar, make_law("aging"))
    slope = jax.grad(friction)(law, scalar(np.e), scalar(DC * np.e))
    np.testing.assert_allclose([slope.mu0, slope.a, slope.b], 1.0, rtol=1e-6)
    np.testing.assert_allclose(slope.Dc, -B / DC, rtol=1e-5)


def test_several_states_as_data(make_law, eps):
    """Under jit every number of the law is traced, the unused alpha too."""
    law, V = make_law("aging", "slip"), scalar(2.0)
    rates = jax.jit(lambda law: law.log_rate(V, jnp.zeros(2)))(law)
    np.testing.assert_allclose(rates, law.log_rate(V, jnp.zeros(2)), rtol=10 * eps)
    response = jax.jit(lambda law: law.log_response(V, jnp.zeros(2), V, V))(law)
    np.testing.assert_array_equal(response, 0.0)
    batch = jax.vmap(lambda b: make_law("aging", "slip", b=(b, b)).friction(V, jnp.ones(2)))
    assert batch(jnp.array([0.01, 0.02])).shape == (2,)


def test_plain_numbers_serve_as_velocity(make_law, eps):
    law = make_law("aging")
    np.testing.assert_allclose(law.initial(2.0), DC / 2, rtol=4 * eps)


def test_numbers_follow_the_dtype_of_the_velocity(name, make_law):
    for form in ("classical", "regularised"):
        law = make_law(name, form=form)
        V, theta = jnp.float32(2.0), jnp.float32(0.3)
        assert law.initial(V).dtype == law.friction(V, theta).dtype == jnp.float32
        assert law.rate(V, theta).dtype == law.log_rate(V, theta).dtype == jnp.float32


def test_traced_bad_values_show_in_the_law(make_law):
    assert jax.jit(lambda Dc: jnp.asarray(make_law("aging", Dc=Dc).valid))(0.1)
    for bad in ({"Dc": -0.1}, {"Dc": 0.0}, {"V0": -1.0}, {"Dc": np.nan}):
        found = jax.jit(lambda x: jnp.asarray(make_law("aging", **x).valid))(bad)
        assert not found, bad


# Bad values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Dc": -1e-5}, "Dc must be positive; got -1e-05"),
        ({"Dc": 0.0}, "Dc must be positive; got 0.0"),
        ({"V0": 0.0}, "V0 must be positive; got 0.0"),
        ({"V0": -1e-6}, "V0 must be positive; got -1e-06"),
        ({"mu0": np.inf}, "mu0 must be finite; got inf"),
        ({"a": np.nan}, "a must be finite; got nan"),
        ({"b": np.nan}, "b must be finite"),
        ({"alpha": np.nan}, "alpha must be finite"),
        ({"form": "regularized"}, "form must be 'classical' or 'regularised'; got 'regularized'"),
        ({"b": (0.01, 0.02)}, "b: 2, Dc: 1, evolution: 1"),
        ({"b": ()}, "one entry a state"),
        ({"evolution": rs.Aging}, "an instance of Aging, Slip, PRZ, Nagata, Composite"),
        ({"a": lambda V: 0.01}, r"wrap it: a=jax.tree_util.Partial\(function"),
        ({"Dc": lambda V: 0.01}, "Dc is a plain function"),
        ({"evolution": rs.Nagata(2.0), "b": Ramp(1.0, 0.0)}, "give b as a number"),
        (
            {"b": (0.1, 0.1), "Dc": (1.0, 1.0), "evolution": (rs.Aging(),) * 2, "alpha": 0.2},
            "alpha needs one value per state",
        ),
        (
            {"b": (0.1, 0.1), "Dc": (1.0, -1.0), "evolution": (rs.Aging(), rs.Aging())},
            "Dc must be positive",
        ),
    ],
)
def test_bad_values_raise(changes, words):
    values = {"mu0": MU0, "a": A, "b": B, "Dc": DC, "V0": V0} | changes
    with pytest.raises(ValueError, match=words):
        rs.RateStateLaw(**values)


def test_no_closed_form_to_advance_with(make_law):
    for law in (make_law("composite"), make_law("nagata", form="regularised")):
        with pytest.raises(ValueError, match="pass a diffrax solver"):
            law.advance(scalar(1.0), scalar(1.0), scalar(1.0))


BATCHES = {
    "RateStateLaw(0.6, np.ones(5), 0.016, 0.1, 1.0)": "a must be one number",
    "RateStateLaw(0.6, 0.01, np.ones(5), 0.1, 1.0)": "b must be one number",
    "RateStateLaw(0.6, 0.01, 0.016, np.ones(5), 1.0)": "Dc must be one number",
    "RateStateLaw(np.ones(5), 0.01, 0.016, 0.1, 1.0)": "mu0 must be one number",
    "RateStateLaw(0.6, 0.01, 0.016, 0.1, np.ones(5))": "V0 must be one number",
    "Composite(Vc=np.ones(5))": "Composite Vc must be one number",
    "Spring(np.ones(5))": "stiffness must be one number",
    "slide(law, 1.0, [0.0])": "the load must be a VelocityProtocol or a function of time V(t)",
    "RateStateLaw(0.6, '0.01', 0.016, 0.1, 1.0)": "a must be a real number; got '0.01'",
    "RateStateLaw(0.6, 0.01, 0.016, True, 1.0)": "Dc must be a real number; got True",
}


def test_batches_and_text_raise_sentences(pytestconfig):
    """In a process without the type checks of this suite: what a user sees."""
    script = f"""
import json, numpy as np
from jaxfric.ratestate import Composite, RateStateLaw, Spring, slide
law = RateStateLaw(0.6, 0.01, 0.016, 0.1, 1.0)
messages = {{}}
for code in {list(BATCHES)!r}:
    try:
        eval(code)
    except ValueError as error:
        messages[code] = str(error)
print(json.dumps(messages))
"""
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=pytestconfig.rootpath, env=os.environ, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    messages = json.loads(result.stdout)
    for code, words in BATCHES.items():
        assert words in messages.get(code, "no error"), code
        assert "one number" not in words or "jax.vmap" in messages[code], code

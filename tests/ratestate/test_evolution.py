"""The evolution laws alone: rates, steady states, and the closed forms at constant velocity."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from jaxtyping import Array
from scipy.special import lambertw

from jaxfric import ratestate as rs

DC = 0.1


@pytest.fixture(scope="module")
def grid():
    """V, θ0 and t over the decades from deep hold to fast slip."""
    V, theta, t = np.meshgrid(np.logspace(-8, 1, 10), np.logspace(-4, 3, 8), np.logspace(-4, 2, 7))
    return [jnp.asarray(x.ravel()) for x in (V, theta, t)]


# Textbook forms, with expm1 where e^{−r} − 1 cancels.
CLOSED_FORMS = {
    "aging": lambda V, th, t: th * np.exp(-V * t / DC) - DC / V * np.expm1(-V * t / DC),
    "slip": lambda V, th, t: th * np.exp(np.log(V * th / DC) * np.expm1(-V * t / DC)),
    "prz": lambda V, th, t: (
        2 * DC / V * (V * th / (2 * DC) + np.tanh(V * t / (2 * DC)))
        / (1 + V * th / (2 * DC) * np.tanh(V * t / (2 * DC)))
    ),
    "nagata": lambda V, th, t: (
        th * np.exp(-V * t / (3 * DC)) - DC / V * np.expm1(-V * t / (3 * DC))
    ),
}  # fmt: skip


def test_advance_is_the_textbook_solution(exact_name, evolutions, grid, eps):
    advance = jax.jit(jax.vmap(lambda V, th, t: evolutions[exact_name].advance(th, V, t, DC)))
    expected = CLOSED_FORMS[exact_name](*(np.asarray(x, np.float64) for x in grid))
    np.testing.assert_allclose(advance(*grid), expected, rtol=max(1e-13, 60 * eps))


def test_advance_solves_the_rate_equation(exact_name, evolutions, grid):
    evolution = evolutions[exact_name]
    slowed = 3.0 if exact_name == "nagata" else 1.0  # θ' = (1 − q)/(1 + c), c = 2

    def both(V, theta, t):
        after, rate = jax.jvp(lambda s: evolution.advance(theta, V, s, DC), (t,), (0 * t + 1,))
        return rate, evolution.rate(V, after, DC) / slowed, V * after / DC

    rate, expected, q = jax.jit(jax.vmap(both))(*grid)
    loose = 1e-9 if rate.dtype == jnp.float64 else 1e-3
    assert jnp.all(jnp.abs(rate - expected) <= loose * (1 + q**2))


@given(
    log_V=st.floats(-16, 3), log_theta=st.floats(-8, 8), log_t=st.floats(-8, 5),
    share=st.floats(0, 1),
)  # fmt: skip
def test_two_advances_are_one(evolutions, log_V, log_theta, log_t, share):
    V, theta, t = (jnp.exp(jnp.asarray(x)) for x in (log_V, log_theta, log_t))
    for whole, halves in both_ways(tuple(evolutions.values())[:4], V, theta, t, share * t):
        np.testing.assert_allclose(halves, whole, rtol=1e-11 if V.dtype == jnp.float64 else 1e-4)


@jax.jit
def both_ways(evolutions, V, theta, t, first):
    return [
        (
            evolution.advance(theta, V, t, DC),
            evolution.advance(evolution.advance(theta, V, first, DC), V, t - first, DC),
        )
        for evolution in evolutions
    ]


def test_log_rate_is_rate_over_theta(name, evolutions, grid, eps):
    V, theta, _ = grid
    evolution = evolutions[name]
    rate = jax.vmap(lambda V, th: evolution.rate(V, th, DC) / th)(V, theta)
    log_rate = jax.vmap(lambda V, th: evolution.log_rate(V, jnp.log(th), DC))(V, theta)
    q = V * theta / DC
    scale = (1 + q * jnp.abs(jnp.log(q)) + q * q) / theta
    assert jnp.all(jnp.abs(log_rate - rate) <= 50 * eps * scale)


def test_steady_state_does_not_evolve(name, evolutions, grid, eps):
    V = jnp.unique(grid[0])
    evolution = evolutions[name]
    log_theta = jax.vmap(lambda V: evolution.log_steady(V, DC))(V)
    rate = jax.vmap(lambda V, x: evolution.rate(V, jnp.exp(x), DC))(V, log_theta)
    assert jnp.all(jnp.abs(rate) < 200 * eps)


def test_composite_steady_state_is_lamberts(evolutions, eps):
    V = jnp.logspace(-4, 2, 61)  # Vc = 0.5: from aging-like healing to the slip law
    q = jnp.exp(jax.vmap(lambda V: evolutions["composite"].log_steady(V, DC))(V)) * V / DC
    expected = np.exp(lambertw(np.exp(-np.asarray(V, float) / 0.5)).real)
    np.testing.assert_allclose(q, expected, rtol=20 * eps)
    assert q[0] > 1.7 and q[-1] == pytest.approx(1.0, rel=4 * eps)


@pytest.mark.parametrize(("law", "healing"), [("aging", 1.0), ("prz", 1.0), ("nagata", 1 / 3)])
def test_healing_at_rest(law, healing, evolutions, eps):
    theta = evolutions[law].advance(jnp.asarray(2.0), jnp.asarray(0.0), jnp.asarray(7.0), DC)
    np.testing.assert_allclose(theta, 2 + 7 * healing, rtol=4 * eps)


def test_rates_at_rest(evolutions):
    rest, theta = jnp.asarray(0.0), jnp.asarray(2.0)
    rates = {name: float(e.rate(rest, theta, DC)) for name, e in evolutions.items()}
    assert rates == {"aging": 1.0, "slip": 0.0, "prz": 1.0, "nagata": 1.0, "composite": 1.0}


def test_slip_law_does_not_heal_at_rest():
    theta = rs.Slip().advance(jnp.asarray(2.0), jnp.asarray(0.0), jnp.asarray(1e6), DC)
    assert theta == 2.0


def test_holds_keep_their_digits_in_float32(exact_name, evolutions):
    """θ grows by dt in a slow hold; the textbook form of the aging law rounds that away."""
    V, theta, dt = (jnp.asarray(x, jnp.float32) for x in (1e-9, 0.05, 0.01))
    after = evolutions[exact_name].advance(theta, V, dt, jnp.float32(DC))
    expected = CLOSED_FORMS[exact_name](*(np.float64(x) for x in (V, theta, dt)))
    assert after.dtype == jnp.float32
    np.testing.assert_allclose(after, expected, rtol=3e-7)


def test_no_gradient_is_nan_at_rest(name, evolutions):
    """V = 0 and q = 0 are where ln q, q ln q and (1 − e^−r)/r need care."""
    evolution, start = evolutions[name], (jnp.asarray(2.0), jnp.asarray(0.0))
    checks = [lambda theta, V: evolution.rate(V, theta, DC)]
    checks.append(lambda theta, V: evolution.log_rate(V, jnp.log(theta), DC))
    if evolution.exact:
        checks.append(lambda theta, V: evolution.advance(theta, V, jnp.asarray(3.0), DC))
    for check in checks:
        assert np.all(np.isfinite(jax.grad(check, argnums=(0, 1))(*start)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.Nagata(c=-1.0), "Nagata c must not be negative; got -1.0"),
        (lambda: rs.Nagata(c=np.nan), "Nagata c must be finite"),
        (lambda: rs.Composite(Vc=0.0), "Composite Vc must be positive; got 0.0"),
    ],
)
def test_bad_parameters(make, words):
    with pytest.raises(ValueError, match=words):
        make()


class Peeling(rs.AbstractEvolution):
    """A law of a user's own whose state peels off with the friction, like Nagata's."""

    strength: Array

    coupled: ClassVar[bool] = True

    @property
    def weakening(self):
        return self.strength

    rate = rs.Aging.rate
    log_rate = rs.Aging.log_rate
    log_steady = rs.Aging.log_steady
    advance = rs.Nagata.advance
    c = property(lambda self: self.strength)


class Tinted(rs.Aging):
    """An aging law that happens to call something c."""

    c: float = 7.0


def friction_of(*evolutions):
    n = len(evolutions)
    law = rs.RateStateLaw(0.6, 0.011, (0.016 / n,) * n, (0.1,) * n, 1.0, evolution=evolutions)
    protocol = rs.VelocityProtocol.step(0.1, 1.0, at=0.5)
    return rs.slide(law, protocol, jnp.linspace(0.0, 1.0, 21)).friction


def test_a_coupled_law_of_the_users_own_is_one_class():
    found, expected = friction_of(Peeling(jnp.asarray(2.0))), friction_of(rs.Nagata(c=2.0))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert abs(float(expected[-1] - friction_of(rs.Aging())[-1])) > 1e-4


def test_an_attribute_c_beside_a_coupled_state_means_nothing():
    """It was once read as the other's weakening."""
    found = friction_of(rs.Nagata(c=2.0), Tinted())
    np.testing.assert_array_equal(found, friction_of(rs.Nagata(c=2.0), rs.Aging()))

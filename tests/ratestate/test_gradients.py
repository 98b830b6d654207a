"""Reverse and forward derivatives against central differences, with steps and holds."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs

pytestmark = pytest.mark.x64

EVOLUTIONS = {
    "aging": rs.Aging(),
    "slip": rs.Slip(),
    "prz": rs.PRZ(),
    "nagata": rs.Nagata(c=1.0),
    "composite": rs.Composite(Vc=0.5),
}
FORMS = pytest.mark.parametrize("form", ["classical", "regularised"])
SLOW = pytest.mark.slow


def differences(f, x, relative=1e-4):
    """Central differences, one call at a time: the batch would have to be compiled as well."""
    columns = []
    for i in range(x.size):
        h = relative * abs(x[i])
        up, down = x.copy(), x.copy()
        up[i], down[i] = x[i] + h, x[i] - h
        columns.append((np.asarray(f(up)) - np.asarray(f(down))) / (2 * h))
    return np.stack(columns, axis=-1)


def assert_derivatives(f, x, tight=None, relative=1e-4, usual=(1e-8, 1e-10), reference=None):
    """Both modes of f against differences, to 1e-5 of a column.

    `tight` gives rtol and atol of the differences, `usual` those of the derivatives; f takes them
    traced, so that one program gives the differences and the forward derivatives. `reference`
    takes the place of f in the differences.
    """
    x = np.asarray(x, float)
    names = ("rtol", "atol") if tight else ()
    tight = dict(zip(names, map(np.asarray, tight or ()), strict=True))
    usual = {name: np.asarray(value) for name, value in zip(names, usual, strict=False)}

    @jax.jit
    def pushed(x, direction, tolerances):
        return jax.jvp(lambda x: f(x, **tolerances), (x,), (direction,))

    own = jax.jit(reference) if reference else lambda x: pushed(x, np.zeros_like(x), tight)[0]
    expected = differences(own, x, relative)
    scale = np.abs(expected).max(axis=0)
    assert np.all(scale > 0), "a parameter without influence checks nothing"
    forward = np.stack([pushed(x, row, usual)[1] for row in np.eye(x.size)], axis=-1)
    np.testing.assert_allclose(forward / scale, expected / scale, rtol=0, atol=1e-5)
    weights = np.cos(np.arange(expected.shape[0]))
    reverse = np.asarray(jax.jit(jax.grad(lambda x: jnp.asarray(weights) @ f(x, **usual)))(x))
    bound = 1e-5 * np.abs(weights).sum()
    np.testing.assert_allclose(reverse / scale, weights @ expected / scale, rtol=0, atol=bound)


def law_of(names, form, mu0, a, b, Dc, **options):
    """One state per name; b and Dc are vectors."""
    if len(names) == 1:
        return rs.RateStateLaw(mu0, a, b[0], Dc[0], 1.0, EVOLUTIONS[names[0]], form, **options)
    evolution = tuple(EVOLUTIONS[n] for n in names)
    return rs.RateStateLaw(mu0, a, tuple(b), tuple(Dc), 1.0, evolution, form, **options)


# Imposed sliding ---------------------------------------------------------------------------------

# A step up, a slow hold, a step; samples in every segment, right after jumps and long after.
SLIDE_T = np.array([0.1, 0.31, 0.35, 0.5, 0.61, 0.9, 1.01, 1.3, 2.0])
SLIDE_X = [1.0, 3.0, 1e-3, 2.0, 0.3, 0.6, 1.0]


def sliding(names, form, **options):
    """Friction as a function of (μ0, a, four velocities, three jump times, b…, Dc…)."""
    n = len(names)

    def friction(x, **tolerances):
        law = law_of(names, form, x[0], x[1], x[9 : 9 + n], x[9 + n : 9 + 2 * n])
        times = jnp.concatenate([jnp.zeros(1), x[6:9], jnp.array([jnp.inf])])
        velocities = jnp.concatenate([x[2:6], jnp.zeros(1)])
        protocol = rs.VelocityProtocol(times, velocities)
        how = rs.Options(**options, **tolerances)
        return rs.slide(law, protocol, jnp.asarray(SLIDE_T), options=how).friction

    b, Dc = 0.016 / np.arange(1, n + 1), 0.1 * np.arange(1, n + 1)
    return friction, [0.6, 0.01, *SLIDE_X, *b, *Dc]


@FORMS
def test_closed_forms(form):
    assert_derivatives(*sliding(["aging", "slip", "prz"], form), relative=1e-5)


def test_closed_form_of_nagata():
    assert_derivatives(*sliding(["nagata"], "classical"), relative=1e-5)


@SLOW
def test_imposed_sliding_through_a_solver():
    """All five laws, a state each, coupled by Nagata's, whose jumps are differentiated too."""
    friction, x = sliding(list(EVOLUTIONS), "regularised")
    assert_derivatives(friction, x, (1e-12, 1e-14), 2e-5, usual=(1e-10, 1e-12))


def test_rest_in_the_regularised_form():
    """V = 0 exactly: friction is 0 there, ages grow, and no derivative is NaN."""
    names = ["aging", "slip", "prz"]

    def friction(x):
        law = law_of(names, "regularised", x[0], x[1], x[5:8], x[8:11])
        zero = jnp.zeros(1)
        protocol = rs.VelocityProtocol(
            jnp.concatenate([zero, x[3:5]]), jnp.concatenate([x[2:3], zero, 1.5 * x[2:3]])
        )
        return rs.slide(law, protocol, jnp.array([0.2, 0.5, 0.61, 1.0])).friction

    x = [0.6, 0.01, 2.0, 0.3, 0.6, 0.01, 0.02, 0.01, 0.1, 0.2, 0.3]
    assert_derivatives(friction, x, relative=1e-5)
    # With respect to the velocity of the hold the derivative is one-sided: finite, not NaN.
    law = law_of(names, "regularised", 0.6, 0.01, [0.01] * 3, [0.1] * 3)

    def held(V):
        velocities = jnp.stack([jnp.ones_like(V), V, jnp.ones_like(V)])
        protocol = rs.VelocityProtocol(jnp.array([0.0, 0.3, 0.6]), velocities)
        return jnp.sum(rs.slide(law, protocol, jnp.array([0.3, 0.5, 0.61])).friction)

    derivatives = jax.jit(lambda V: (jax.jacfwd(held)(V), jax.grad(held)(V)))
    assert np.all(np.isfinite(derivatives(jnp.asarray(0.0))))


def test_samples_on_jumps_have_finite_derivatives():
    """With respect to the jump time they are one-sided; the rest are ordinary."""
    friction, x = sliding(["aging", "slip", "prz"], "classical")
    x = np.array(x)
    x[6] = SLIDE_T[3] - 0.15  # 0.35, a sample
    jacobian = np.asarray(jax.jit(jax.jacfwd(friction))(x))
    assert np.all(np.isfinite(jacobian))
    expected = differences(jax.jit(friction), x, 1e-5)
    others = np.arange(x.size) != 6
    np.testing.assert_allclose(jacobian[:, others], expected[:, others], rtol=1e-4, atol=1e-7)


@SLOW
def test_start_restart_and_normal_stress():
    """Initial θ, the θ of a restarted hold; α, the times and the ratios of a stress history."""

    def restarted(x):
        law = law_of(["aging"], "classical", 0.6, 0.01, [0.016], [0.1])
        protocol = rs.VelocityProtocol([0.0, 0.3, 0.6], [1.0, 1e-6, 2.0])
        t = jnp.array([0.1, 0.4, 0.61])
        return rs.slide(law, protocol, t, initial=x[0], hold_state=x[1]).friction

    assert_derivatives(restarted, [0.3, 0.01], relative=1e-5)

    def stressed(x, **options):
        law = law_of(["nagata"], "classical", 0.6, 0.01, [0.016], [0.1], alpha=x[0])
        stress = rs.NormalStress(x[1:4], x[4:7])
        protocol = rs.VelocityProtocol([0.0, 0.5], [1.0, 2.0])
        t = jnp.array([0.1, 0.3, 0.55, 0.9])
        how = rs.Options(**options)
        return rs.slide(law, protocol, t, normal_stress=stress, options=how).friction

    x = [0.3, 0.2, 0.4, 0.7, 1.0, 1.2, 0.9]
    assert_derivatives(stressed, x, (1e-12, 1e-14), usual=(1e-10, 1e-12))


# Spring-slider -----------------------------------------------------------------------------------

LOAD_T = np.array([0.3, 0.55, 0.9, 1.05, 1.4, 1.55, 2.0])


def loaded(names, form, mass=None, **options):
    """Friction and ln V as a function of (μ0, a, k, η, V, V, t, t, t, b…, Dc…); a hold of V = 0."""
    n = len(names)

    def observed(x, **tolerances):
        law = law_of(names, form, x[0], x[1], x[9 : 9 + n], x[9 + n : 9 + 2 * n])
        times = jnp.concatenate([jnp.zeros(1), x[6:9], jnp.array([jnp.inf])])
        velocities = jnp.stack([x[4], x[5], 0 * x[4], x[4], 0 * x[4]])
        protocol = rs.VelocityProtocol(times, velocities)
        spring = rs.Spring(x[2], x[3], None if mass is None else mass * x[2])
        how = rs.Options(**options, **tolerances)
        history = rs.spring_slider(law, spring, protocol, jnp.asarray(LOAD_T), options=how)
        return jnp.concatenate([history.friction, 1e-2 * jnp.log(history.velocity)])

    b = 0.016 / n * np.linspace(0.8, 1.2, n)
    Dc = 0.1 * np.linspace(1, 2, n)
    return observed, [0.6, 0.02, 0.3, 1e-3, 1.0, 3.0, 0.5, 1.0, 1.5, *b, *Dc]


TIGHT = (1e-11, 1e-13)


# Every law, alone or a state each, and both forms: one program a case, and most of it compilation.
# The regularised form with every law is differentiated in imposed sliding above.
@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["aging"], "classical"),
        pytest.param(list(EVOLUTIONS)[1:], "classical", marks=SLOW),
        pytest.param(["nagata"], "regularised", marks=SLOW),
    ],
    ids=["aging", "the others", "regularised"],
)
def test_spring_slider(names, form):
    assert_derivatives(*loaded(names, form), TIGHT)


@SLOW
def test_spring_slider_with_mass():
    options = {"mass": 1e-3, "rtol": 1e-11, "atol": 1e-13}
    tight, _ = loaded(["aging"], "classical", solver=diffrax.Dopri8(), **options)
    assert_derivatives(*loaded(["aging"], "classical", mass=1e-3), reference=tight)


@SLOW
def test_adjoints_are_selectable():
    default, x = loaded(["aging"], "classical")
    x = jnp.asarray(x)
    expected = jax.jit(jax.jacfwd(default))(x)
    for mode, adjoint in (
        (jax.jacrev, diffrax.RecursiveCheckpointAdjoint()),
        (jax.jacfwd, diffrax.ForwardMode()),
    ):
        f, _ = loaded(["aging"], "classical", adjoint=adjoint)
        np.testing.assert_allclose(jax.jit(mode(f))(x), expected, rtol=1e-6, atol=1e-8)


@SLOW
def test_one_stick_slip_cycle():
    """Velocities over many decades: exponents are held in rejected steps, no derivative is NaN."""

    def friction(x, **options):
        law = rs.RateStateLaw(0.6, 0.01, x[0], x[1], 1.0)
        protocol = rs.VelocityProtocol([0.0, 1.0], [1.0, 1.5])
        spring = rs.Spring(x[2], 1e-5)
        t, how = jnp.array([2.0, 4.0, 8.0]), rs.Options(**options)
        return rs.spring_slider(law, spring, protocol, t, options=how).friction

    x = [0.016, 0.1, 0.02]
    assert_derivatives(friction, x, (1e-12, 1e-13), 1e-5, usual=(1e-10, 1e-12))


def test_derivative_of_a_batch_with_a_bad_member():
    """A failed member of a batch must not spread its NaN to the others' derivatives."""

    def friction(Dc, V):
        law = law_of(["aging"], "classical", 0.6, 0.01, [0.016], [Dc])
        protocol = rs.VelocityProtocol(jnp.array([0.0, 0.5]), V)
        return rs.slide(law, protocol, jnp.array([0.6])).friction[0]

    Dc = jnp.array([0.1, -0.1, 0.1])
    V = jnp.array([[1.0, 2.0], [1.0, 2.0], [1.0, -2.0]])
    slopes = jax.jit(jax.vmap(jax.grad(friction, argnums=(0, 1))))
    found, good = slopes(Dc, V), slopes(Dc[jnp.zeros(3, int)], V[jnp.zeros(3, int)])
    np.testing.assert_allclose(found[0][0], good[0][0], rtol=1e-12)
    np.testing.assert_allclose(found[1][0], good[1][0], rtol=1e-12)

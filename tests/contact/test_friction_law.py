"""Hertz and Galin by hand, any surface and load, derivatives of every order, bad input."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import contact

LOADS = np.array([1e-3, 1e-2, 0.1, 0.5, 1.0])
E, SIGMA, B = 1.4e6, 4e5, 0.9  # of the fixture `material`
x64 = pytest.mark.x64
# Loads over many decades press some surfaces past their radius; that is tested on its own.
pytestmark = pytest.mark.filterwarnings("ignore:the highest load presses")


def friction(height, radius, loads, modulus=E, strength=SIGMA, factor=B, **options):
    surface = contact.Asperities(height, radius, **options)
    return contact.friction_law(surface, contact.Material(modulus, strength, factor), loads)


# Closed forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 64])
def test_equal_spheres_are_hertz(n, material, exact):
    """A = n π R (3P / 4nE√R)^(2/3)."""
    R = 5e-4
    curve = contact.friction_law(
        contact.Asperities(jnp.full(n, 3e-5), jnp.full(n, R)), material, jnp.asarray(LOADS)
    )
    area = n * math.pi * R * (3 * LOADS / (4 * n * E * math.sqrt(R))) ** (2 / 3)
    np.testing.assert_allclose(curve.area, area, rtol=exact)
    np.testing.assert_allclose(curve.friction, SIGMA * B * area, rtol=exact)
    delta = area / (n * math.pi * R)
    np.testing.assert_allclose(curve.indentation, delta, rtol=exact)
    np.testing.assert_allclose(curve.separation, 3e-5 - delta, atol=1e-6 * 3e-5 + exact * 1e-5)
    np.testing.assert_allclose(curve.contact_radius, np.sqrt(R * delta), rtol=exact)
    np.testing.assert_allclose(curve.contact_ratio(1e-3), 1e3 * np.sqrt(R * delta), rtol=exact)
    np.testing.assert_allclose(curve.indentation_ratio, delta / R, rtol=exact)
    assert np.all(curve.contact_count == n) and curve.status.ok


@pytest.mark.parametrize("n", [1.0, 1.5, 2.0, 4.0])
def test_power_law_profiles_are_galin(n, material, exact):
    """z = (R/2)(r/R)^n: P ∝ δ^(1 + 1/n), and F ∝ P^(2/(n + 1)); Sneddon's cone for n = 1."""
    R = 5e-4
    surface = contact.Asperities(jnp.zeros(1), jnp.full(1, R), exponent=n)
    curve = contact.friction_law(surface, material, jnp.asarray(LOADS))
    kappa = math.sqrt(math.pi) * math.gamma(n / 2 + 1) / math.gamma((n + 1) / 2)
    a = np.asarray(curve.contact_radius, float)
    delta = kappa / (2 * R ** (n - 1)) * a**n  # Galin: δ = κ c aⁿ, c = 1/(2 R^(n−1))
    np.testing.assert_allclose(curve.indentation, delta, rtol=2 * exact)
    np.testing.assert_allclose(2 * n / (n + 1) * E * delta * a, LOADS, rtol=3 * exact)
    slopes = np.diff(np.log(curve.friction)) / np.diff(np.log(LOADS))
    np.testing.assert_allclose(slopes, 2 / (n + 1), atol=2 * exact)
    if n == 1:  # a cone of slope 1/2: P = E* δ² 2/(π tan β)
        np.testing.assert_allclose(E * 4 / math.pi * delta**2, LOADS, rtol=3 * exact)


def test_exponent_two_is_the_sphere(rough, material, exact):
    sphere = rough(20)
    curve = contact.friction_law(sphere, material, jnp.asarray(LOADS))
    for exponent in (2.0, jnp.full(20, 2.0)):
        other = contact.Asperities(sphere.height, sphere.radius, exponent=exponent)
        found = contact.friction_law(other, material, jnp.asarray(LOADS))
        np.testing.assert_allclose(found.friction, curve.friction, rtol=exact)
        np.testing.assert_allclose(found.contact_radius, curve.contact_radius, rtol=10 * exact)


def test_profiles_of_every_kind_share_a_load(rough, material, exact):
    base = rough(12)
    surface = contact.Asperities(base.height, base.radius, exponent=jnp.linspace(1.0, 4.0, 12))
    curve = contact.friction_law(surface, material, jnp.asarray(LOADS))
    assert curve.status.ok
    np.testing.assert_allclose(
        contact.load_at(surface, material, surface.top - curve.indentation), LOADS, rtol=10 * exact
    )


def test_two_spheres_by_hand(material, exact):
    """The second touches where the first alone carries 4/3 E √R g^1.5."""
    gap, R = 2e-5, np.array([3e-4, 6e-4])
    first = 4 / 3 * E * math.sqrt(R[0]) * gap**1.5
    surface = contact.Asperities(jnp.array([0.0, -gap]), jnp.asarray(R))
    curve = contact.friction_law(surface, material, jnp.asarray(first * np.array([0.99, 1.01])))
    assert curve.contact_count.tolist() == [1, 2]
    d = -1.5 * gap
    load = 4 / 3 * E * (math.sqrt(R[0]) * (1.5 * gap) ** 1.5 + math.sqrt(R[1]) * (0.5 * gap) ** 1.5)
    found = contact.friction_law(surface, material, jnp.asarray([load]))
    np.testing.assert_allclose(found.indentation, -d, rtol=exact)
    area = math.pi * gap * (1.5 * R[0] + 0.5 * R[1])
    np.testing.assert_allclose(found.area, area, rtol=exact)
    np.testing.assert_allclose(contact.area_at(surface, jnp.asarray(d)), area, rtol=10 * exact)
    np.testing.assert_allclose(
        contact.load_at(surface, material, jnp.asarray([d])), load, rtol=10 * exact
    )


# Any surface -------------------------------------------------------------------------------------


# Powers of two and numbers of surfaces, fewer of the largest, which take longest. Sizes fill the
# factor of four between the powers.
TEN_THOUSAND = [(0, 885), (2, 1770), (4, 1770), (6, 1770), (8, 1770), (10, 1770), (12, 300)]


@pytest.mark.slow
@pytest.mark.parametrize(("power", "count"), TEN_THOUSAND)
def test_ten_thousand_surfaces_carry_their_loads(power, count):
    """n to 4,096, radii over 3 decades, loads over 6: residuals of 1e-10, in float32 1e-5."""
    n = 2**power
    dtype = jnp.zeros(()).dtype

    @jax.jit
    def residuals(key):
        key, *keys = jax.random.split(key, 5)
        spread = 10 ** jax.random.uniform(keys[0], (), minval=-7.0, maxval=-4.0)
        shape = jax.random.uniform(keys[1], (), minval=0.5, maxval=3.0)
        height = -spread * jax.random.exponential(keys[2], (n,)) ** shape
        radius = 10 ** jax.random.uniform(keys[3], (n,), minval=-5.0, maxval=-2.0)
        # Evenly in its logarithm, so that no size is left out
        size = jnp.ceil(n * 4 ** -jax.random.uniform(key)).astype(int)
        height = jnp.where(jax.random.uniform(key) < 0.1, 0 * height, height)  # equal heights
        surface = contact.Asperities(height, radius, mask=jnp.arange(n) < size)
        material = contact.Material(1e6, 1e5)
        loads = jnp.logspace(-4, 2, 13, dtype=dtype)
        curve = contact.friction_law(surface, material, loads)
        x = curve.indentation
        # From the highest asperity, as the rounding of d itself would count in float32.
        depth = jnp.where(surface.mask, surface.top - surface.height, jnp.inf)
        delta = jnp.maximum(x[:, None] - depth[None, :], 0)
        carried = 4e6 / 3 * jnp.sum(jnp.sqrt(radius)[None, :] * delta**1.5, -1)
        grad = jax.grad(
            lambda h, R: jnp.sum(
                contact.friction_law(
                    contact.Asperities(h, R, surface.mask), material, loads
                ).friction
            ),
            argnums=(0, 1),
        )(height, radius)
        finite = jnp.all(jnp.isfinite(jnp.stack(grad))) & jnp.all(jnp.isfinite(curve.friction))
        return jnp.max(jnp.abs(carried / loads - 1)), curve.status.code, finite

    keys = jax.random.split(jax.random.key(power), count)
    worst, code, finite = jax.lax.map(residuals, keys, batch_size=max(1, min(count, 2**14 // n)))
    assert np.all(code == 0) and np.all(finite)
    assert worst.max() <= (1e-10 if dtype == jnp.float64 else 1e-5)


@given(
    seed=st.integers(0, 10**6), log_alpha=st.floats(-3, 3), log_beta=st.floats(-3, 3),
    shift=st.floats(-1e-3, 1e-3),
)  # fmt: skip
def test_symmetries(seed, log_alpha, log_beta, shift):
    """Order and level of the heights do not count; heights α, radii β: F → αβ F(P/(α^1.5 √β))."""
    dtype = jnp.zeros(()).dtype
    rng = np.random.default_rng(seed)
    h, R = rng.normal(0, 1e-5, 16), rng.uniform(1e-4, 1e-3, 16)
    loads = np.geomspace(1e-4, 1.0, 7)
    base = friction(jnp.asarray(h), jnp.asarray(R), loads).friction
    order = rng.permutation(16)
    mixed = friction(jnp.asarray(h[order] + shift), jnp.asarray(R[order]), loads).friction
    rounding = 100 * float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(mixed, base, rtol=rounding * (1 + abs(shift) / 1e-7))
    alpha, beta = math.exp(log_alpha), math.exp(log_beta)
    scaled = friction(jnp.asarray(alpha * h), jnp.asarray(beta * R), loads * alpha**1.5 * beta**0.5)
    np.testing.assert_allclose(scaled.friction, alpha * beta * base, rtol=20 * rounding)


def test_a_batch_is_a_loop_and_a_mask_leaves_out(rough, material):
    surfaces = [rough(24, seed) for seed in range(4)]
    height, radius = (jnp.stack([getattr(s, k) for s in surfaces]) for k in ("height", "radius"))
    size = jnp.array([24, 7, 1, 13])

    @jax.jit
    @jax.vmap
    def masked(h, R, size):
        surface = contact.Asperities(h, R, jnp.arange(24) < size)
        return contact.friction_law(surface, material, jnp.asarray(LOADS))

    curves = masked(height, radius, size)
    assert curves.status.ok.all()
    for i, surface in enumerate(surfaces):
        n = int(size[i])
        alone = contact.Asperities(surface.height[:n], surface.radius[:n])
        expected = contact.friction_law(alone, material, jnp.asarray(LOADS))
        np.testing.assert_allclose(curves.friction[i], expected.friction, rtol=1e-5)
        np.testing.assert_array_equal(curves.contact_count[i], expected.contact_count)

    def total(h, R):
        surface = contact.Asperities(h, R, jnp.arange(24) < 7)
        return jnp.sum(contact.friction_law(surface, material, jnp.asarray(LOADS)).friction)

    for slope in jax.grad(total, argnums=(0, 1))(height[1], radius[1]):
        assert np.all(slope[7:] == 0) and np.any(slope[:7] != 0)


@pytest.mark.parametrize("n", [1, 2, 7, 10, 64, 300])
def test_jit_over_scaled_inputs_changes_nothing(n, rough, exact):
    """Where heights are products, the compiler fuses them into differences, each in its own way."""
    surface, loads = rough(n), jnp.asarray(LOADS)
    scale = jnp.asarray(np.full(n, 1e-5))

    def law(h, R, loads):
        return friction(h * scale, R, loads).friction

    h = surface.height / scale
    expected = law(h, surface.radius, loads)
    found = jax.jit(law)(h, surface.radius, loads)
    np.testing.assert_allclose(found, expected, rtol=exact)
    slopes = jax.jit(jax.grad(lambda *x: jnp.sum(law(*x)), argnums=(0, 1)))
    assert all(np.all(np.isfinite(x)) for x in slopes(h, surface.radius, loads))


def test_float32_beside_float64(rough, material):
    if jnp.zeros(()).dtype != jnp.float64:
        pytest.skip("needs both precisions")
    loads = jnp.linspace(0.01, 1.0, 128)
    for seed in range(20):
        surface = rough(64, seed)
        low = jax.tree_util.tree_map(lambda x: x.astype(jnp.float32), surface)
        curve = contact.friction_law(low, material, loads)
        assert curve.friction.dtype == jnp.float32
        again = contact.Asperities(*(x.astype(float) for x in (low.height, low.radius)))
        expected = contact.friction_law(again, material, loads).friction
        assert contact.smape(curve.friction.astype(float), expected) < 1e-3  # percent


# Derivatives -------------------------------------------------------------------------------------


def flat(n, loads):
    """F as a function of all that it depends on, in units near one."""
    scale = np.concatenate([np.full(n, 1e-5), np.full(n, 1e-4), [E, SIGMA, B], loads])

    def law(y):
        x = y * scale
        return friction(x[:n], x[n : 2 * n], x[2 * n + 3 :], *x[2 * n : 2 * n + 3]).friction

    return law, scale


@x64
def test_derivatives_against_central_differences(rough):
    surface, loads = rough(10), np.array([0.01, 0.1, 0.7])
    law, scale = flat(10, loads)
    y = jnp.concatenate(
        [surface.height, surface.radius, jnp.array([E, SIGMA, B]), jnp.asarray(loads)]
    ) / jnp.asarray(scale)
    central = []
    for row in np.eye(y.size) * 1e-5:
        central.append((law(y + row) - law(y - row)) / 2e-5)
    central = np.stack(central, -1)
    size = np.abs(central).max()
    for mode in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(jax.jit(mode(law))(y), central, rtol=1e-6, atol=1e-6 * size)

    def total(y):
        return jnp.sum(law(y)[1:])

    hessian = jax.jit(jax.hessian(total))(y)
    slope = jax.jit(jax.grad(total))
    columns = np.stack([(slope(y + r) - slope(y - r)) / 2e-5 for r in np.eye(y.size) * 1e-5], -1)
    bound = 1e-5 * np.abs(columns).max()
    np.testing.assert_allclose(hessian, columns, rtol=1e-5, atol=bound)


@x64
def test_derivatives_of_profiles(rough):
    base, loads = rough(6), jnp.array([0.01, 0.3])

    def law(x):
        return friction(x[:6] * 1e-5, x[6:12] * 1e-4, loads, exponent=x[12:]).friction

    x = jnp.concatenate([base.height * 1e5, base.radius * 1e4, jnp.linspace(1.2, 3.0, 6)])
    central = np.stack([(law(x + r) - law(x - r)) / 2e-6 for r in np.eye(18) * 1e-6], -1)
    for mode in (jax.jacfwd, jax.jacrev):
        size = np.abs(central).max()
        np.testing.assert_allclose(jax.jit(mode(law))(x), central, rtol=1e-5, atol=1e-6 * size)


@pytest.mark.parametrize("case", ["equal", "one", "first contact", "zero load"])
def test_derivatives_are_finite_and_right_at_corners(case, exact):
    R = jnp.array([2e-4, 3e-4, 4e-4])
    h = {"one": jnp.zeros(3)}.get(case, jnp.zeros(3))
    if case == "one":
        h, R = h[:1], R[:1]
    if case == "first contact":  # the second asperity touches exactly at this load
        gap = 1e-5
        h = jnp.array([0.0, -gap, -3 * gap])
        loads = jnp.array([4 / 3 * E * math.sqrt(2e-4) * gap**1.5])
    else:
        loads = jnp.array([0.0, 0.05]) if case == "zero load" else jnp.array([0.05])

    def law(h, R, P):
        return jnp.sum(friction(h, R, P).friction)

    slopes = jax.grad(law, argnums=(0, 1, 2))(h, R, loads)
    assert all(np.all(np.isfinite(s)) for s in slopes)
    second = jax.jit(jax.hessian(lambda h: law(h, R, loads)))(h)
    assert np.all(np.isfinite(second))
    # Euler: with all heights moved nothing changes
    np.testing.assert_allclose(jnp.sum(slopes[0]), 0, atol=10 * exact * np.abs(slopes[0]).max())
    if case == "zero load":
        assert slopes[2][0] == 0
    if case == "one":  # F ∝ (P √R)^(2/3): ∂lnF/∂lnP = 2/3, ∂lnF/∂lnR = 2/3
        F = law(h, R, loads)
        np.testing.assert_allclose(slopes[2] * loads / F, 2 / 3, rtol=10 * exact)
        np.testing.assert_allclose(slopes[1] * R / F, 2 / 3, rtol=10 * exact)


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: contact.Asperities(jnp.zeros(0), jnp.zeros(0)), "height must have shape"),
        (lambda: contact.Asperities(jnp.zeros((2, 3)), jnp.ones(3)), "use jax.vmap"),
        (lambda: contact.Asperities(jnp.zeros(3), jnp.ones(2)), "one entry for each asperity"),
        (lambda: contact.Asperities([0.0, 0.0], [1e-4, -1e-4]), "asperity 1 has -0.0001"),
        (lambda: contact.Asperities([0.0, np.nan], [1e-4, 1e-4]), "asperity 1 is not"),
        (lambda: contact.Asperities([0.0], [1e-4], mask=[False]), "needs at least one"),
        (lambda: contact.Asperities([0.0], [1e-4], exponent=0.5), "at least 1"),
        (lambda: contact.Material(-1.0, 1.0), "modulus must be positive"),
        (lambda: contact.Material(1.0, -1.0), "shear_strength must not be negative"),
        (lambda: contact.Material(1.0, jnp.ones(2)), "use jax.vmap"),
        (lambda: friction([0.0], [1e-4], jnp.array([-1.0])), "entry 0 is -1"),
        (lambda: friction([0.0], [1e-4], jnp.array([0.1, np.inf])), "entry 1 is inf"),
        (lambda: friction([0.0], [1e-4], jnp.array(1.0)), "loads must have shape"),
    ],
)
def test_bad_values_say_what_to_do(build, says):
    with pytest.raises(ValueError, match=says):
        build()


def test_bad_members_of_a_batch_are_told_apart(material):
    @jax.jit
    @jax.vmap
    def law(R, P):
        return contact.friction_law(contact.Asperities(jnp.zeros(1), R[None]), material, P[None])

    curve = law(jnp.array([1e-4, -1e-4, 1e-4]), jnp.array([0.1, 0.1, -0.1]))
    outcomes = ("successful", "bad_surface", "bad_load")
    for k, name in enumerate(outcomes):
        assert (curve.status.outcome == getattr(contact.Outcome, name))[k]
    assert np.isfinite(curve.friction[0]) and "1" in str(curve.status)


def test_pressed_past_the_radius_is_told():
    with pytest.warns(UserWarning, match="of its radius"):
        curve = friction([0.0], [1e-5], jnp.array([10.0]))
    assert curve.indentation_ratio[0] > 1 and curve.status.ok


def test_prints(rough, material):
    surface = rough(5)
    assert "5, heights over" in str(surface)
    curve = contact.friction_law(surface, material, jnp.asarray(LOADS))
    assert "5 loads" in str(curve) and "successful" in str(curve)


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_bad_members_are_nan_and_leave_the_good_ones_alone():
    """Modulus NaN and negative, a NaN load: NaN in the law, and clean gradients beside it."""
    surface = contact.Asperities(jnp.zeros(2), jnp.full(2, 5e-4))

    @jax.jit
    @jax.vmap
    def law(E, P):
        curve = contact.friction_law(surface, contact.Material(E, 4e5), P)
        slope = jax.grad(
            lambda E: contact.friction_law(surface, contact.Material(E, 4e5), P).friction.sum()
        )(E)
        return curve.friction, curve.area, curve.status, slope

    P = jnp.array([[1e-3, 2e-3]] * 3 + [[jnp.nan, 2e-3]])
    friction, area, status, slope = law(jnp.array([1.4e6, jnp.nan, -1.0, 1.4e6]), P)
    np.testing.assert_array_equal(status.ok, [True, False, False, False])
    assert np.isnan(friction[1:]).all() and np.isnan(area[1:]).all()
    alone = contact.friction_law(surface, contact.Material(1.4e6, 4e5), P[0]).friction
    np.testing.assert_allclose(friction[0], alone, rtol=1e-6)
    # F ∝ E^(−2/3)
    np.testing.assert_allclose(slope[0], -2 / 3 * alone.sum() / 1.4e6, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: contact.Asperities([0.0, 0.0], [1e-4, 1e-4], np.arange(2)), "mask must be bool"),
        (lambda: contact.Asperities(np.array([1j]), [1e-4]), "height must be real"),
        (lambda: contact.Material(1e6, 1e5, 2.0), "share of the area"),
    ],
)
def test_what_is_no_surface_or_material(make, said):
    # With shapes and types checked at run time, that check comes first
    with pytest.raises((ValueError, TypeError), match=f"{said}|typechecking parameter"):
        make()


def test_bad_materials_are_nan_in_every_law():
    surface = contact.Asperities(jnp.zeros(2), jnp.full(2, 5e-4))
    position, loads = np.array([[0.0, 0.0], [4e-4, 0.0]]), jnp.array([1e-3, 4e-3])
    population = contact.ExponentialHeights(1e-5, 5e-4)

    @jax.jit
    def frictions(modulus):
        material = contact.Material(modulus, 1e5)
        together = contact.interacting_friction_law(surface, position, material, loads)
        expected = contact.expected_friction_law(population, 64, material, loads)
        return jnp.stack([together.friction, expected.friction])

    for modulus, known in ((jnp.nan, False), (-1.0, False), (1.4e6, True)):
        assert np.isfinite(frictions(jnp.asarray(modulus))).all() == known
        assert known or np.isnan(frictions(jnp.asarray(modulus))).all()

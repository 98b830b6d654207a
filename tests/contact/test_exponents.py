"""Power-law asperities refined and designed, against Galin's solution and exact derivatives."""

import math

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact
from jaxfric.contact import RADIUS_BOUNDS
from jaxfric.contact._least_squares import Problem

N = 32
LOADS = np.arange(1, 65) / 64
STIFF = contact.Material(modulus=1.4e6, shear_strength=1e5, area_factor=0.9)
MIXED = np.random.default_rng(9).uniform(1.0, 3.0, N)
# F/P of cones z = r/2 of any height and radius: A = π a² and P = E* δ a with δ = π a/4
CONES = 4 * 1e5 * 0.9 / 1.4e6
pytestmark = pytest.mark.filterwarnings("ignore:the highest load presses")


def surface(rough, seed, exponent):
    spheres = rough(N, seed)
    return contact.Asperities(spheres.height, spheres.radius, exponent=exponent)


def law(found):
    return np.asarray(contact.friction_law(found, STIFF, LOADS).friction)


def galin(found):
    """F(P) of a surface in NumPy: a = R (2δ/κR)^(1/n), P = 2n/(n + 1) E* δ a, d by bisection."""
    h, R, n = (np.asarray(x, float) for x in (found.height, found.radius, found.exponent))
    n = np.broadcast_to(n, h.shape)
    kappa = np.array(
        [math.sqrt(math.pi) * math.gamma(k / 2 + 1) / math.gamma((k + 1) / 2) for k in n]
    )
    low, high = np.zeros(LOADS.size), np.full(LOADS.size, 1.0)  # of how far the plane comes down
    for _ in range(200):
        x = (low + high) / 2
        delta = np.maximum(x[:, None] - (h.max() - h), 0)
        a = R * (2 * delta / (kappa * R)) ** (1 / n)
        load = (2 * n / (n + 1) * STIFF.modulus * delta * a).sum(-1)
        low, high = np.where(load < LOADS, x, low), np.where(load < LOADS, high, x)
    return STIFF.shear_strength * STIFF.area_factor * math.pi * (a**2).sum(-1)


def percent(one, other):
    return 200 * np.mean(np.abs(one - other) / (one + other))


# Refine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [1.2, 1.5, 3.0, MIXED], ids=["1.2", "1.5", "3", "mixed"])
def test_a_law_of_power_law_asperities_is_met(exponent, rough):
    """The target, the start and the design by Galin's solution; exponents stay."""
    made_by, start = (surface(rough, seed, exponent) for seed in (1, 2))
    target = galin(made_by)
    design = contact.refine(start, STIFF, LOADS, target, radius_bounds=RADIUS_BOUNDS)
    left = percent(galin(design.surface), target)
    assert design.status.ok and left < 0.1 < 0.2 < percent(galin(start), target)
    np.testing.assert_allclose(design.error, left, atol=2e-3)
    np.testing.assert_array_equal(design.surface.exponent, start.exponent)
    R = np.asarray(design.surface.radius, float)
    assert RADIUS_BOUNDS[0] * (1 - 1e-5) <= R.min() and R.max() <= RADIUS_BOUNDS[1] * (1 + 1e-5)
    assert "exponents" in str(design)


def test_cones_have_one_law_and_stay_as_they_are(rough, exact):
    """F = 4σB/E* P whatever the heights, so nothing is moved, also where another law is wanted."""
    start = surface(rough, 1, 1.0)
    single = contact.Asperities([0.0], [5e-4], exponent=1.0)
    for one in (start, single):
        np.testing.assert_allclose(law(one), CONES * LOADS, rtol=exact)
    # P ∝ δ²
    deep = np.asarray(contact.friction_law(single, STIFF, np.array([1.0, 4.0])).indentation)
    np.testing.assert_allclose(deep[1] / deep[0], 2.0, rtol=exact)
    for factor in (1.0, 1.5):
        design = contact.refine(
            start, STIFF, LOADS, factor * CONES * LOADS, radius_bounds=RADIUS_BOUNDS
        )
        np.testing.assert_allclose(design.error, 200 * (factor - 1) / (factor + 1), atol=1e-2)
        np.testing.assert_allclose(
            design.surface.height, start.height - start.height.max(), rtol=1e-4, atol=1e-10
        )
        np.testing.assert_allclose(design.surface.radius, start.radius, rtol=1e-4)
        assert design.status.ok


def test_exponent_two_is_refined_as_the_sphere(rough):
    target = law(surface(rough, 1, None))
    sphere, other = (
        contact.refine(surface(rough, 2, n), STIFF, LOADS, target, radius_bounds=RADIUS_BOUNDS,
                       steps=4)
        for n in (None, 2.0)
    )  # fmt: skip
    assert sphere.surface.exponent is None
    np.testing.assert_allclose(other.friction, sphere.friction, rtol=1e-3)
    np.testing.assert_allclose(other.surface.radius, sphere.surface.radius, rtol=0.01)


@pytest.mark.parametrize(
    ("radii", "exponent", "share"), [("common", 1.5, None), ("free", MIXED, 0.5)],
    ids=["common", "free"],
)  # fmt: skip
def test_limits_hold(radii, exponent, share, rough):
    """The approach, whose slopes are of Galin's loads, and the indentation."""
    target = law(surface(rough, 1, exponent))
    start = surface(rough, 2, exponent)
    options = {"radius_bounds": (1e-4, 2e-3), "radii": radii}
    free = contact.refine(start, STIFF, LOADS, target, **options)
    limit = 0.9 * float(free.curve.indentation.max())
    ratio = None if share is None else share * float(free.indentation_ratio)
    design = contact.refine(
        start, STIFF, LOADS, target, max_approach=limit, max_indentation=ratio, **options
    )
    assert design.status.ok and design.error < 1
    assert design.curve.indentation.max() <= 1.005 * limit
    if ratio is not None:
        assert design.indentation_ratio <= ratio * 1.02
    if radii == "common":
        np.testing.assert_allclose(design.surface.radius, design.surface.radius[0], rtol=1e-5)


def test_a_batch_of_exponents_is_a_loop(rough):
    target = law(surface(rough, 1, 1.5))
    height, radius = (jnp.asarray(getattr(rough(N, 2), k)) for k in ("height", "radius"))
    mask = jnp.arange(N) < 30

    def refined(n):
        start = contact.Asperities(height, radius, mask, exponent=n)
        return contact.refine(start, STIFF, LOADS, target, radius_bounds=RADIUS_BOUNDS, steps=3)

    batch = jax.jit(jax.vmap(refined))(jnp.array([1.4, 1.7]))
    for i, n in enumerate((1.4, 1.7)):
        np.testing.assert_allclose(batch.error[i], refined(jnp.asarray(n)).error, rtol=0.02)
        np.testing.assert_array_equal(batch.surface.mask[i], mask)


# Derivatives -------------------------------------------------------------------------------------

SMALL, FEW = 8, np.arange(1, 17) / 16


@jax.jit
def slopes(height, radius, exponent):
    """∂F/∂h and ∂F/∂R by automatic differentiation of the friction law."""

    def friction(height, radius):
        one = contact.Asperities(height, radius, exponent=exponent)
        return contact.friction_law(one, STIFF, FEW).friction

    return jax.jacrev(friction, argnums=(0, 1))(height, radius)


@pytest.mark.x64
@hypothesis.settings(max_examples=25)
@hypothesis.given(
    hnp.arrays(float, SMALL, elements=st.floats(0, 1, width=32)),
    hnp.arrays(float, SMALL, elements=st.floats(0, 1, width=32)),
    hnp.arrays(float, SMALL, elements=st.floats(1, 4, width=32)),
)
def test_linearised_spread_is_that_of_exact_slopes(depth, size, exponent):
    """Var F = Σ (∂F/∂h_i)² s_h² + (∂F/∂R_i)² s_R²; equal heights and cones are among them."""
    height, radius = -3e-5 * depth, 1e-4 * 10**size
    one = contact.Asperities(height, radius, exponent=exponent)
    s_h, s_R = 1e-7, 1e-6
    found = contact.tolerance(one, STIFF, FEW, s_h, s_R, key=jax.random.key(0), draws=2)
    by_height, by_radius = slopes(one.height, one.radius, one.exponent)
    exact = np.sqrt(np.sum((by_height * s_h) ** 2 + (by_radius * s_R) ** 2, -1))
    np.testing.assert_allclose(found.deviation, exact, rtol=1e-6, atol=1e-9 * found.friction.max())


@pytest.mark.x64
@pytest.mark.parametrize("exponent", [1.5, MIXED], ids=["1.5", "mixed"])
def test_jacobian_of_the_residuals(exponent, rough):
    """Of laws and approach, against automatic differentiation; of one radius, their sum."""
    one, scale = surface(rough, 1, exponent), jnp.asarray(1e-5)
    y = jnp.concatenate([(one.top - one.height) / scale, jnp.log(one.radius)])

    def problem(radii):
        return Problem(
            material=STIFF, loads=jnp.asarray(LOADS), target=jnp.asarray(0.3 * LOADS),
            weight=jnp.ones(LOADS.size), used=one.used, approach=jnp.asarray(2e-5),
            exponent=one.exponent, radii=radii,
        )  # fmt: skip

    def linearised(y, radii="free"):
        return problem(radii).linearised(y, scale)

    residuals, jacobian, _ = jax.jit(linearised)(y)
    by_rule = jax.jit(jax.jacfwd(lambda y: linearised(y)[0]))(y)
    # The highest asperity stays at depth 0, where automatic differentiation takes it for the level
    others = np.flatnonzero(np.arange(2 * N) != np.argmax(one.height))
    largest = np.abs(by_rule).max(-1, keepdims=True)
    assert residuals[-1] > 0
    np.testing.assert_allclose(
        (jacobian / largest)[:, others], (by_rule / largest)[:, others], atol=1e-9
    )
    common = jax.jit(lambda y: linearised(y, "common"))(y)[1]
    np.testing.assert_allclose(common[:, N:].sum(-1), jacobian[:, N:].sum(-1), rtol=1e-9)


def test_drawn_spread_is_the_linearised_one(rough):
    one = surface(rough, 1, 1.5)
    found = contact.tolerance(one, STIFF, LOADS, 1e-8, 1e-7, key=jax.random.key(0), draws=500)
    np.testing.assert_allclose(found.spread[8:], found.deviation[8:], rtol=0.15)


def refined_error(spread, exponent):
    start = contact.Asperities(
        -1e-6 * jnp.arange(8.0) * spread, jnp.full(8, 4e-4), exponent=exponent
    )
    target = contact.power_law(FEW, 0.85, 0.4, 1.0)
    return contact.refine(start, STIFF, FEW, target, steps=5, radius_bounds=RADIUS_BOUNDS).error


@pytest.fixture(scope="module")
def gradient():
    return jax.jit(jax.value_and_grad(refined_error, argnums=(0, 1)))


@pytest.mark.x64
def test_a_refined_design_is_differentiable(gradient):
    """With respect to the heights of its start and to the exponent, as differences say."""
    x, n, step = jnp.asarray(1.0), jnp.asarray(1.5), 1e-6
    found = gradient(x, n)[1]
    by_spread = (gradient(x + step, n)[0] - gradient(x - step, n)[0]) / (2 * step)
    by_exponent = (gradient(x, n + step)[0] - gradient(x, n - step)[0]) / (2 * step)
    assert by_spread != 0 and by_exponent != 0
    np.testing.assert_allclose(found, (by_spread, by_exponent), rtol=1e-3)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 3.0])
def test_gradients_are_finite(gradient, exponent):
    value, slope = gradient(jnp.asarray(1.0), jnp.asarray(exponent))
    assert np.isfinite(value) and np.isfinite(slope).all()


# The bank ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def banks():
    """Of one exponent, and of one for each asperity; made when first asked for."""
    made = {}

    def bank(exponent):
        key = str(exponent)
        if key not in made:
            made[key] = contact.make_bank(
                1024, key=jax.random.key(0), asperities=N, exponent=exponent
            )
        return made[key]

    return bank


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [1.5, 1.0, MIXED], ids=["1.5", "cones", "mixed"])
def test_a_law_of_power_law_asperities_is_designed(exponent, rough, banks):
    target = galin(surface(rough, 1, exponent))
    design = contact.design(STIFF, LOADS, target, bank=banks(exponent), starts=8, finalists=2)
    assert design.status.ok and percent(galin(design.surface), target) < 0.1
    np.testing.assert_allclose(design.surface.exponent, exponent, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [1.2, 1.5, 3.0])
def test_the_nearest_are_stretched_to_load_and_friction(exponent, banks):
    """Heights times α, radii times β: P and F at the largest load are those asked for."""
    target = 0.3 * LOADS**0.8
    dtype = jnp.zeros(()).dtype
    wanted = (jnp.asarray(x, dtype) for x in (LOADS, target))
    found = contact.nearest(banks(exponent), STIFF.cast(dtype), *wanted, 4, (1e-12, 1e6))
    for i in range(4):
        one = jax.tree_util.tree_map(lambda x, i=i: x[i], found)
        np.testing.assert_allclose(galin(one)[-1], target[-1], rtol=1e-3)


@pytest.mark.slow
def test_a_bank_of_exponent_two_is_the_bank_of_spheres(banks):
    spheres, powers = banks(None), banks(2.0)
    for name in ("shape", "load", "area", "radii"):
        np.testing.assert_allclose(
            getattr(powers, name), getattr(spheres, name), rtol=1e-4, atol=1e-4
        )
    np.testing.assert_allclose(powers.load, spheres.load, rtol=1e-4)
    assert spheres.surface(jnp.uint32(3)).exponent is None
    assert "exponents 2" in str(powers) and "exponent" not in str(spheres)


def test_cones_of_a_bank_have_one_law(banks):
    np.testing.assert_allclose(banks(1.0).area, 4 * banks(1.0).load / np.pi, rtol=1e-4)


# What is refused ---------------------------------------------------------------------------------


def test_a_part_is_of_spheres(rough):
    target = law(surface(rough, 1, 1.5))
    start = surface(rough, 2, 1.5)
    design = contact.refine(start, STIFF, LOADS, target, radius_bounds=RADIUS_BOUNDS)
    with pytest.raises(ValueError, match=r"spherical caps, and this design has exponents 1\.5"):
        contact.part(design)


def test_feasibility_is_of_spheres(banks):
    with pytest.raises(ValueError, match="bounds of spheres alone; .* error and verdict"):
        contact.feasibility(STIFF, LOADS, 0.3 * LOADS, bank=banks(1.5))


@pytest.mark.parametrize(
    ("exponent", "says"),
    [
        (0.5, "at least 1"), (np.nan, "at least 1"), (np.inf, "finite"),
        (np.full(3, 2.0), r"one for each of 32 asperities; got shape \(3,\)"),
    ],
)  # fmt: skip
def test_bad_exponents_of_a_bank(exponent, says):
    with pytest.raises(ValueError, match=says):
        contact.make_bank(256, key=jax.random.key(0), asperities=N, exponent=exponent)

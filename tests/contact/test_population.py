"""Mixtures, Sobol' points, and the law of infinitely many asperities."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from jaxfric import contact

x64 = pytest.mark.x64
LOADS = np.array([0.01, 0.1, 1.0])


draw = jax.jit(contact.SurfaceMixture.sample, static_argnames=("n", "radii"))


@jax.jit
def there_and_back(mixture):
    return (
        contact.SurfaceMixture.from_vector(mixture.to_vector()),
        contact.SurfaceMixture.from_unconstrained(mixture.to_unconstrained()),
    )


@jax.jit
def any_mixture(u):
    mixture = contact.SurfaceMixture.from_unconstrained(u)
    return mixture.valid, mixture.sample(8, key=jax.random.key(0)).height


def first(batch, i=0):
    return jax.tree_util.tree_map(lambda x: x[i], batch)


@pytest.fixture(scope="module")
def mixtures():
    return contact.sample_mixtures(8, key=jax.random.key(0))


# Points and parameters ---------------------------------------------------------------------------


def test_sobol_points_are_those_of_scipy():
    qmc = pytest.importorskip("scipy.stats.qmc")
    expected = qmc.Sobol(23, scramble=False, bits=32).random(512)
    np.testing.assert_allclose(contact.sobol(512, 23), expected, atol=2.0**-23)
    np.testing.assert_allclose(contact.sobol(12, 23, start=500), expected[500:], atol=2.0**-23)


def test_shifted_sobol_points_are_balanced_and_inside():
    points = np.asarray(contact.sobol(256, 23, key=jax.random.key(3)))
    assert points.min() > 0 and points.max() < 1
    for column in points.T:  # a net: one point in each of 256 strips
        assert np.unique((column * 256).astype(int)).size == 256
    with pytest.raises(ValueError, match="1 to 23"):
        contact.sobol(4, 24)


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_drawn_mixtures_lie_in_their_bounds(method):
    bounds = contact.MixtureBounds()
    batch = contact.sample_mixtures(256, key=jax.random.key(1), method=method)
    assert jax.vmap(lambda m: m.valid)(batch).all()
    S = np.asarray(batch.covariances)
    sh, sR = np.sqrt(S[..., 0, 0]), np.sqrt(S[..., 1, 1])
    slack = 1e-5
    for values, (low, high) in (
        (batch.means[..., 0], bounds.height), (batch.means[..., 1], bounds.radius),
        (sh, bounds.height_deviation), (sR, bounds.radius_deviation),
        (S[..., 0, 1] / sh / sR, bounds.correlation),
    ):  # fmt: skip
        width = high - low
        assert low - slack * width <= np.min(values) and np.max(values) <= high + slack * width
        assert np.ptp(values) > 0.9 * width
    np.testing.assert_allclose(np.asarray(batch.weights).mean(0), 0.25, atol=0.06)


def test_vectors_go_there_and_back(mixtures):
    for i in range(8):
        mixture = first(mixtures, i)
        for found in there_and_back(mixture):
            for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(mixture), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-16)


@given(hnp.arrays(np.float64, 23, elements=st.floats(-4, 4)))
def test_any_vector_is_a_mixture(u):
    valid, height = any_mixture(jnp.asarray(u))
    assert bool(valid)
    assert np.all(np.isfinite(height))


def test_orders_of_components_are_one_mixture(mixtures):
    mixture = first(mixtures)
    order = jnp.array([2, 0, 3, 1])
    mixed = contact.SurfaceMixture(
        mixture.weights[order], mixture.means[order], mixture.covariances[order]
    )
    for a, b in zip(
        jax.tree.leaves(mixed.canonical()), jax.tree.leaves(mixture.canonical()), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert np.all(np.diff(mixture.canonical().means[:, 0]) <= 0)


def test_moments_of_a_draw_are_those_of_the_mixture(mixtures):
    mixture = first(mixtures, 1)
    surface = draw(mixture, 200_000, key=jax.random.key(2))
    assert bool((surface.radius > 0).all())
    w, mu, S = (np.asarray(x, float) for x in jax.tree.leaves(mixture))
    mean = w @ mu
    variance = w @ (S[:, [0, 1], [0, 1]] + mu**2) - mean**2
    drawn = np.stack([surface.height, surface.radius], -1).astype(float)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=5 * np.sqrt(variance.max() / 2e5))
    np.testing.assert_allclose(drawn.var(0), variance, rtol=0.03)


def test_draws_are_cut_to_the_radii_allowed():
    mixture = contact.SurfaceMixture(
        jnp.full(4, 0.25), jnp.full((4, 2), 1e-4), jnp.eye(2)[None] * jnp.full((4, 1, 1), 1e-8)
    )
    free = draw(mixture, 5000, key=jax.random.key(0))
    assert float(free.radius.min()) > 0
    cut = draw(mixture, 5000, key=jax.random.key(0), radii=(5e-5, 2e-4))
    assert 5e-5 <= float(cut.radius.min()) and float(cut.radius.max()) <= 2e-4 * (1 + 1e-6)
    with pytest.raises(ValueError, match="0 <= low < high"):
        mixture.sample(5, key=jax.random.key(0), radii=(2.0, 1.0))
    with pytest.raises(ValueError, match="at least one"):
        mixture.sample(0, key=jax.random.key(0))


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: contact.SurfaceMixture.from_vector(jnp.zeros(22)), "23 parameters"),
        (lambda: contact.SurfaceMixture.from_vector(jnp.zeros(23)), "from_unconstrained"),
        (
            lambda: contact.SurfaceMixture(jnp.ones(3), jnp.ones((4, 2)), jnp.ones((4, 2, 2))),
            "(4,)",
        ),
        (lambda: contact.MixtureBounds(radius=(-1e-4, 1e-3)), "bounds of radius"),
        (lambda: contact.MixtureBounds(correlation=(-0.5, 1.0)), "bounds of correlation"),
        (lambda: contact.sample_mixtures(4, key=jax.random.key(0), method="grid"), "'sobol' or"),
    ],
)
def test_what_is_no_mixture(build, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")):
        build()


# The limit of many asperities --------------------------------------------------------------------


def test_exponential_heights_are_linear(material, exact):
    """Greenwood and Williamson: A/P = √(πR/s)/E*."""
    s, R = 1e-5, 5e-4
    population = contact.ExponentialHeights(s, R)
    curve = contact.expected_friction_law(population, 1e4, material, LOADS)
    assert curve.status.ok
    np.testing.assert_allclose(curve.area / LOADS, math.sqrt(math.pi * R / s) / 1.4e6, rtol=exact)
    np.testing.assert_allclose(curve.friction, 4e5 * 0.9 * curve.area, rtol=exact)
    slope = jax.grad(
        lambda s: contact.expected_friction_law(
            contact.ExponentialHeights(s, R), 1e4, material, LOADS
        ).area[0]
    )(jnp.asarray(s))
    np.testing.assert_allclose(slope, -curve.area[0] / (2 * s), rtol=10 * exact)


def quantiles(n, s):
    """Heights that stand for an exponential distribution better than any draw."""
    return -s * np.log((np.arange(n) + 0.5) / n)


def test_many_spheres_with_exponential_heights(material):
    s, R, n = 1e-5, 5e-4, 20_000
    surface = contact.Asperities(jnp.asarray(quantiles(n, s)), jnp.full(n, R))
    curve = contact.friction_law(surface, material, jnp.array([1.0, 3.0, 10.0]))
    assert curve.contact_count[0] > 100
    slope = math.sqrt(math.pi * R / s) / 1.4e6
    np.testing.assert_allclose(curve.area / curve.load, slope, rtol=2e-3)


@x64
def test_gaussian_heights_are_greenwood_and_williamson(material):
    """One radius, one Gaussian, against adaptive quadrature over the heights."""
    quad = pytest.importorskip("scipy.integrate").quad
    R, s, n = 5e-4, 1e-5, 500
    tiny = (1e-5 * R) ** 2
    mixture = contact.SurfaceMixture(
        jnp.full(4, 0.25), jnp.tile(jnp.array([0.0, R]), (4, 1)),
        jnp.tile(jnp.diag(jnp.array([s**2, tiny])), (4, 1, 1)),
    )  # fmt: skip
    curve = contact.expected_friction_law(mixture, n, material, LOADS)
    assert curve.status.ok

    def moment(d, q):
        f = lambda z: (z - d / s) ** q * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        edge = max(d / s, -12.0)
        return s**q * quad(f, edge, max(edge, 0) + 12, epsabs=0, epsrel=1e-12, limit=400)[0]

    for d, P, A in zip(curve.separation, LOADS, curve.area, strict=True):
        np.testing.assert_allclose(n * 4 / 3 * 1.4e6 * math.sqrt(R) * moment(d, 1.5), P, rtol=1e-6)
        np.testing.assert_allclose(n * math.pi * R * moment(d, 1.0), A, rtol=1e-6)


@x64
def test_monte_carlo_tends_to_the_quadrature_as_the_root_of_n(mixtures, material):
    mixture = first(mixtures, 2)
    spread = []
    for n, draws in ((256, 400), (4096, 100)):
        expected = contact.expected_friction_law(mixture, n, material, LOADS * n / 64).friction

        @jax.jit
        def laws(keys, n=n):
            def law(key):
                surface = mixture.sample(n, key=key)
                return contact.friction_law(surface, material, LOADS * n / 64).friction

            return jax.lax.map(law, keys, batch_size=20)

        ratio = np.asarray(laws(jax.random.split(jax.random.key(n), draws)) / expected[None, :])
        # The mean differs by what is second order in 1/√n, beside the error of the mean
        error = ratio.std(0, ddof=1) / math.sqrt(draws)
        assert np.all(np.abs(ratio.mean(0) - 1) < 4 * error + 10 / n)
        spread.append(ratio.std(0, ddof=1))
    np.testing.assert_allclose(spread[0] / spread[1], 4.0, rtol=0.25)


@x64
def test_derivatives_of_the_limit(mixtures, material):
    u = first(mixtures, 3).to_unconstrained()

    @jax.jit
    def law(u):
        mixture = contact.SurfaceMixture.from_unconstrained(u)
        return contact.expected_friction_law(mixture, 64, material, LOADS).friction

    central = np.stack([(law(u + r) - law(u - r)) / 2e-5 for r in np.eye(23) * 1e-5], -1)
    size = np.abs(central).max()
    for mode in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(jax.jit(mode(law))(u), central, rtol=1e-5, atol=1e-7 * size)


def test_bad_loads_and_numbers(mixtures, material):
    mixture = first(mixtures)
    with pytest.raises(ValueError, match="> 0 N"):
        contact.expected_friction_law(mixture, 64, material, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="n must be positive"):
        contact.expected_friction_law(mixture, 0, material, LOADS)


# Streams -----------------------------------------------------------------------------------------


def test_a_stream_holds_surfaces_of_every_size(material):
    stream = contact.law_stream(material, LOADS, batch=32, asperities=(4, 64))
    batch = jax.jit(stream)(jax.random.key(0))
    again = jax.jit(stream)(jax.random.key(0))
    assert batch.parameters.shape == (32, 23) and batch.friction.shape == (32, 3)
    np.testing.assert_array_equal(batch.friction, again.friction)
    assert 4 <= int(batch.count.min()) < int(batch.count.max()) <= 64
    assert np.all(np.isfinite(batch.friction)) and np.all(np.diff(batch.friction, axis=-1) > 0)
    other = jax.jit(stream)(jax.random.key(1))
    assert not np.any(other.friction == batch.friction)
    for bad in ((0, 4), (8, 4)):
        with pytest.raises(ValueError, match="1 <= low <= high"):
            contact.law_stream(material, LOADS, batch=4, asperities=bad)

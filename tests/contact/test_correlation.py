"""Populations whose heights and radii are nearly one number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact

RADIUS, SPREAD, HEIGHT = 6e-4, 7e-5, 1e-5  # mean radius, deviations of radii and heights, m


def by_hand(correlation, separation):
    """E[4/3 √R δ^1.5] and E[R δ]: h = σ z, R = μ + s (ρ z + √(1 − ρ²) z'), z' by Hermite."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    y, w = np.polynomial.legendre.leggauss(400)
    low, high = 0.0, np.sqrt(9 - separation / HEIGHT)
    y, w = (low + high) / 2 + (high - low) / 2 * y, (high - low) / 2 * w
    z = separation / HEIGHT + y**2  # the root at δ = 0 is smooth in y
    density = w * 2 * y * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    R = RADIUS + SPREAD * (correlation * z[:, None] + np.sqrt(1 - correlation**2) * node)
    roots = np.sqrt(np.maximum(R, 0.0))
    root_R, whole_R = (np.sum(weight * v, -1) / weight.sum() for v in (roots, R))
    delta = HEIGHT * y**2
    return np.sum(density * 4 / 3 * root_R * delta**1.5), np.sum(density * whole_R * delta)


@pytest.mark.parametrize("correlation", [-0.9999, -0.99, 0.0, 0.9, 0.99, 0.999, 0.9999])
def test_any_correlation_of_heights_and_radii(correlation):
    covariance = correlation * HEIGHT * SPREAD
    one = [[HEIGHT**2, covariance], [covariance, SPREAD**2]]
    mixture = contact.SurfaceMixture([0.25] * 4, [[0.0, RADIUS]] * 4, [one] * 4)
    material = contact.Material(1.4e6, 1e5)
    for separation in (-1e-5, 5e-6, 2e-5):
        load, area = by_hand(correlation, separation)
        loads = jnp.array([64 * 1.4e6 * load] * 3)
        curve = contact.expected_friction_law(mixture, 64, material, loads)
        single = loads.dtype == jnp.float32
        assert curve.status.ok
        np.testing.assert_allclose(
            curve.friction, 1e5 * 64 * np.pi * area, rtol=2e-4 if single else 1e-6
        )


def test_a_plane_below_the_lowest_sphere():
    """Exponential heights of which all touch: the numbers of adaptive quadrature over h >= 0."""
    population = contact.ExponentialHeights(1e-5, 5e-4)
    material, loads = contact.Material(1.4e6, 1e5), jnp.array([0.01, 0.3, 1.0])
    curve = contact.expected_friction_law(population, 64, material, loads)
    assert curve.status.ok and curve.separation[0] > 0 > curve.separation[1]
    np.testing.assert_allclose(curve.friction[1:], [0.2238, 0.5175], atol=1e-4)

    def friction(mean):
        found = contact.ExponentialHeights(mean, 5e-4)
        return contact.expected_friction_law(found, 64, material, loads).friction[2]

    if loads.dtype == jnp.float64:
        slope = (friction(1e-5 + 1e-10) - friction(1e-5 - 1e-10)) / 2e-10
        np.testing.assert_allclose(jax.grad(friction)(1e-5), slope, rtol=1e-5)


def test_empty_weights_and_tiny_deviations():
    """Numbers to search from are finite, and come back; nanometres are no degenerate matrix."""
    one = [[1e-16, 0.0], [0.0, 1e-10]]
    mixture = contact.SurfaceMixture([1.0, 0.0, 0.0, 0.0], [[0.0, 5e-4]] * 4, [one] * 4)
    u = mixture.to_unconstrained()
    assert jnp.isfinite(u).all()
    back = contact.SurfaceMixture.from_unconstrained(u)
    np.testing.assert_allclose(back.weights, mixture.weights, rtol=1e-6, atol=1e-30)
    tiny = [[1e-20, 0.0], [0.0, 1e-18]]
    assert contact.SurfaceMixture([0.25] * 4, [[0.0, 5e-4]] * 4, [tiny] * 4).valid


@pytest.mark.x64
@pytest.mark.parametrize("correlation", [-0.998, -0.5, 0.5, 0.9958, 0.998])
@pytest.mark.parametrize("deviations", [7.5, 8.2, 21.0])
def test_all_touch(correlation, deviations):
    """E[R (h − d)] = (E[h] − d) E[R] + Cov(h, R) when hardly a sphere is left without contact."""
    spread = RADIUS / deviations
    material, load = contact.Material(1.4e6, 1e5), jnp.array([64 * 1.4e6 * 3e-2 * (8e-5) ** 1.5])

    def curve(correlation):
        covariance = correlation * HEIGHT * spread
        one = jnp.array([[HEIGHT**2, covariance], [covariance, spread**2]])
        mixture = contact.SurfaceMixture([0.25] * 4, [[0.0, RADIUS]] * 4, jnp.stack([one] * 4))
        return contact.expected_friction_law(mixture, 64, material, load)

    found = curve(correlation)
    depth = -found.separation
    assert 7 * HEIGHT < depth[0] < 12 * HEIGHT
    area = depth * RADIUS + correlation * HEIGHT * spread
    np.testing.assert_allclose(found.area, 64 * np.pi * area, rtol=1e-9)
    derivative = jax.jvp(curve, (correlation,), (1.0,))[1]
    change = -derivative.separation * RADIUS + HEIGHT * spread
    np.testing.assert_allclose(
        derivative.area, 64 * np.pi * change, rtol=1e-6, atol=1e-9 * found.area[0]
    )

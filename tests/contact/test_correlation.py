"""Populations whose heights and radii are nearly one number."""

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

"""Surfaces and precision that the contact tests share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact

MATERIAL = contact.Material(modulus=1.4e6, shear_strength=4e5, area_factor=0.9)


@pytest.fixture(scope="session")
def material():
    return MATERIAL


@pytest.fixture(scope="session")
def exact():
    """What a closed form is met to: 1e-6, in float32 1e-4."""
    return 1e-6 if jnp.zeros(()).dtype == jnp.float64 else 1e-4


@pytest.fixture(scope="session")
def rough():
    """n spheres with heights and radii of the default order; NumPy."""

    def draw(n=64, seed=0, deviation=15e-6, low=1e-4, high=1e-3):
        rng = np.random.default_rng(seed)
        height = rng.normal(0, deviation, n)
        radius = np.exp(rng.uniform(np.log(low), np.log(high), n))
        return contact.Asperities(jnp.asarray(height), jnp.asarray(radius))

    return draw


@pytest.fixture(scope="session")
def bank():
    return contact.make_bank(4096, key=jax.random.key(0))

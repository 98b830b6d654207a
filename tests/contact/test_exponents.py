"""Designs of power-law asperities: z = (R/2)(r/R)^n."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact

LOADS = np.arange(1, 49) / 48 * 0.2
MATERIAL = contact.Material(1.4e6, 1e5)
pytestmark = pytest.mark.filterwarnings("ignore:the highest load presses")


def drawn(seed, exponent):
    rng = np.random.default_rng(seed)
    height, radius = -3e-5 * rng.random(24), rng.uniform(2e-4, 9e-4, 24)
    return contact.Asperities(height, radius, exponent=exponent)


@pytest.mark.parametrize("exponent", [1.5, 3.0])
def test_the_law_of_another_surface_is_met(exponent):
    target = contact.friction_law(drawn(0, exponent), MATERIAL, LOADS).friction
    start = drawn(1, exponent)
    found = contact.refine(start, MATERIAL, LOADS, target, radius_bounds=(1e-4, 1e-3))
    before = contact.smape(contact.friction_law(start, MATERIAL, LOADS).friction, target)
    assert found.status.ok and found.error < 0.3 and before > 1
    np.testing.assert_array_equal(found.surface.exponent, exponent)


@pytest.mark.slow
def test_a_bank_of_other_profiles():
    target = contact.friction_law(drawn(0, 1.5), MATERIAL, LOADS).friction
    bank = contact.make_bank(512, key=jax.random.key(0), asperities=24, exponent=1.5)
    found = contact.design(MATERIAL, LOADS, target, bank=bank, starts=4)
    assert found.error < 0.3
    with pytest.raises(ValueError, match="bounds of spheres alone"):
        contact.feasibility(MATERIAL, LOADS, target, bank=bank)


@pytest.mark.x64
def test_the_error_is_differentiable():
    target = contact.friction_law(drawn(0, 1.5), MATERIAL, LOADS).friction
    start = drawn(1, 1.5)

    def error(spread):
        scaled = contact.Asperities(spread * start.height, start.radius, exponent=1.5)
        bounds = (1e-4, 1e-3)
        return contact.refine(scaled, MATERIAL, LOADS, target, radius_bounds=bounds, steps=4).error

    slope = jax.grad(error)(jnp.asarray(1.0))
    assert jnp.isfinite(slope) and slope != 0


def test_a_part_is_of_spheres():
    surface = drawn(0, 1.5)
    curve = contact.friction_law(surface, MATERIAL, LOADS)
    design = contact.Design(surface, MATERIAL, curve.friction, curve, jnp.zeros(()))
    with pytest.raises(ValueError, match="exponent"):
        contact.part(design)

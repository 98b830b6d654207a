"""Parts of Friction on Demand by hand: units, surfaces, targets, the system of the paper."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, strategies as st
from unitless import request

from jaxfric import contact
from jaxfric.networks import CVAE, MLP
from jaxfric.studies.metainterface import (
    _canonical as canonical,
    _generator as generator,
    _paper as paper,
    _targets as targets,
)
from jaxfric.studies.metainterface._presets import PRESETS

LAPTOP, SMOKE = PRESETS["laptop"], PRESETS["smoke"]
FRACTIONS = canonical.FRACTIONS


# ---------------------------------------------------------------- a law without units


def test_the_seen_loads_stand_for_all():
    """48 of 128, each once, the largest last; a mean of a line over them is that over all."""
    assert len(set(canonical.ROWS)) == 48 and np.all(np.diff(canonical.ROWS) >= 1)
    assert canonical.ROWS[0] == 0 and FRACTIONS[-1] == 1.0
    assert canonical.WEIGHTS.sum() == pytest.approx(1.0)
    assert canonical.WEIGHTS.min() >= 1 / 128 - 1e-12
    every = np.arange(1, 129) / 128
    assert canonical.WEIGHTS @ FRACTIONS == pytest.approx(every.mean(), abs=0.01)
    assert canonical.WEIGHTS @ FRACTIONS**2 == pytest.approx((every**2).mean(), abs=0.02)


@given(st.floats(-9, -6), st.floats(-9, -5))
def test_units_make_the_largest_load_and_its_area_one(load, area):
    """α^1.5 β^0.5 = p and α β = a."""
    p, a = 10.0**load, 10.0**area
    height, radius = (float(x) for x in canonical.units(jnp.asarray(p), jnp.asarray(a)))
    assert height**1.5 * radius**0.5 == pytest.approx(p, rel=1e-4)
    assert height * radius == pytest.approx(a, rel=1e-4)


@pytest.mark.parametrize("exponent, below", [(0.8, 0.8), (0.3, 2 / 3), (2.0, 1.35)])
def test_below_its_first_load_a_law_goes_on_as_contacts_allow(exponent, below):
    """As the power law that it is; but never flatter than one sphere, nor steeper than 1.35."""
    P = jnp.asarray(np.linspace(0.25, 1.0, 40))
    found = canonical.canonical(
        contact.Material(1.0, 1.0), P, P**exponent, asperities=8, radius_bounds=(0.1, 1.0)
    )
    at, y = np.log(FRACTIONS), np.asarray(found.shape)
    low = at < np.log(0.25)
    slopes = np.diff(y[low]) / np.diff(at[low])
    np.testing.assert_allclose(slopes, below, rtol=1e-3)
    np.testing.assert_allclose(y[~low], exponent * at[~low], atol=1e-5)


def test_wishes_are_told_in_the_units_of_the_law():
    """E* = 2, σ π = 3, P = 2e-3, F = 3e-2: p = 1e-3, a = 1e-2, H₀ = 1e-2, R₀ = 1."""
    found = canonical.canonical(
        contact.Material(2.0, 3 / np.pi), jnp.asarray([1e-3, 2e-3]), jnp.asarray([1e-2, 3e-2]),
        asperities=9, radius_bounds=(0.5, 4.0), max_height=5e-3, radii=jnp.full(9, 2.0),
    )  # fmt: skip
    assert float(found.unit_height) == pytest.approx(1e-2, rel=1e-5)
    assert float(found.unit_radius) == pytest.approx(1.0, rel=1e-5)
    assert float(found.low) == pytest.approx(-math.log(2), rel=1e-4)
    assert float(found.high) == pytest.approx(math.log(4), rel=1e-4)
    assert float(found.shallow) == pytest.approx(2.0, rel=1e-4)
    assert bool(found.wanted) and int(found.count) == 9
    np.testing.assert_allclose(found.radii, math.log(2), rtol=1e-4)
    np.testing.assert_allclose(found.area, np.exp(found.shape), rtol=1e-6)


# ---------------------------------------------------------------- from numbers to a surface


def test_nodes_are_the_highest_ranks_and_thin_out():
    ranks = generator.node_ranks()
    assert ranks.tolist()[:24] == list(range(24)) and ranks[-1] == 1023 and len(ranks) == 64
    assert np.all(np.diff(ranks) >= 1) and np.all(np.diff(np.diff(ranks[24:])) >= -1)


@pytest.mark.parametrize("count", [8, 24, 25, 64, 1000, 1024])
def test_what_is_linear_in_the_rank_is_interpolated_exactly(count):
    matrix = generator.interpolation(count)
    at = np.arange(count)
    np.testing.assert_allclose(matrix @ (3 + 2.0 * generator.node_ranks()), 3 + 2.0 * at)
    np.testing.assert_allclose(matrix.sum(1), 1.0)
    assert matrix.min() >= 0 and np.all((matrix > 0).sum(1) <= 2)


def test_a_typical_law_is_no_feature_and_one_percent_is_a_twentieth():
    np.testing.assert_allclose(generator.law_features(request()), 0.0, atol=1e-5)
    shape = 0.8 * np.log(FRACTIONS) + 0.01
    np.testing.assert_allclose(generator.law_features(request(shape=shape)), 0.05, rtol=1e-3)


def test_facts_of_a_request_by_hand():
    """ln count − 4, limits, that of the height up to 20, and given radii where there are any."""
    free = np.asarray(generator.facts(request(count=55, low=-3.0, high=1.0, shallow=50.0)))
    assert free[:5].tolist() == pytest.approx([math.log(55) - 4, -1.0, 0.5, 20.0, 0.0], abs=1e-5)
    assert len(free) == generator.FACTS and not np.any(free[5:])
    radii = np.linspace(-9.0, 4.0, 64)
    given_ = np.asarray(generator.facts(request(radii=radii, wanted=True)))
    ranks = np.minimum(generator.node_ranks(), 63)
    np.testing.assert_allclose(given_[5:], np.clip(radii[ranks] + 1, -4, 4), rtol=1e-5)
    assert given_[4] == 1.0


@pytest.mark.parametrize("low, high, expected", [
    # The typical radius where limits have it, else a tenth from the nearer limit
    (-2.0, 0.5, math.log(0.35)), (0.0, 1.0, 0.1), (-5.0, -3.0, -3.2),
])  # fmt: skip
def test_a_head_of_zeros_has_typical_radii(low, high, expected):
    gap, radii = generator.decode(jnp.zeros(128), request(low=low, high=high))
    np.testing.assert_allclose(radii, expected, rtol=1e-4)
    # ln 2 is softplus(0); single ranks are a step apart
    np.testing.assert_allclose(np.diff(gap[:20]), 0.02 * math.log(2), rtol=1e-4)
    assert gap[0] == 0.0


def test_an_error_is_the_mean_over_all_loads():
    errors = jnp.asarray(np.where(canonical.ROWS == 127, -0.5, 0.0))
    draft = generator.Draft(jnp.zeros(8), jnp.zeros(8), jnp.ones(48), errors, jnp.asarray(1.0))
    assert float(draft.error) == pytest.approx(50 * canonical.WEIGHTS[-1], rel=1e-5)


def test_a_surface_is_told_in_metres():
    draft = generator.Draft(
        jnp.asarray([0.0, 2.0]), jnp.asarray([0.0, math.log(3)]), jnp.ones(48), jnp.zeros(48),
        jnp.asarray(1.0),
    )  # fmt: skip
    found = generator.surface(draft, request(unit_height=1e-5, unit_radius=1e-3))
    np.testing.assert_allclose(found.height, [0.0, -2e-5], rtol=1e-5)
    np.testing.assert_allclose(found.radius, [1e-3, 3e-3], rtol=1e-5)


# ---------------------------------------------------------------- targets


def test_random_laws_have_the_law_of_their_mixture_and_key():
    """What is redrawn with the same key is the same surface; with another it is not."""
    group = targets.random_group(3, 16, seed=5)
    assert group.name == "random, 16" and group.known and group.size == 3

    @jax.jit
    def law(theta, key):
        return paper.mixture_law(
            contact.SurfaceMixture.from_vector(theta), 16, key, paper.study_loads()
        )

    np.testing.assert_allclose(law(group.theta[1], group.keys[1]), group.friction[1], rtol=1e-4)
    other = law(group.theta[1], group.keys[0])
    assert float(contact.smape(other, group.friction[1])) > 1
    first = group.first(2)
    assert first.size == 2 and first.name == group.name and first.scale == group.scale
    np.testing.assert_array_equal(first.friction, group.friction[:2])
    assert jnp.array_equal(jax.random.key_data(first.keys), jax.random.key_data(group.keys[:2]))


def test_families_are_their_closed_forms():
    """Of three laws each: the ends of every range, at 50 mN and on the way there."""
    like = targets.Group(
        "random, 16", 16, jnp.ones((1, 128)), jnp.ones((1, 23)),
        jax.random.split(jax.random.key(0), 1), jnp.asarray(0.5),
    )  # fmt: skip
    found = {group.name: group for group in targets.families(3, like)}
    P = 0.05 * np.arange(1, 129) / 128
    linear = found.pop("linear")
    np.testing.assert_allclose(linear.friction, np.outer([3.0, 4.0, 5.0], P), rtol=1e-5)
    for name, exponents in (("power 2/3 to 1", [2 / 3, 5 / 6, 1.0]),
                            ("power 1 to 1.35", [1.0, 1.175, 1.35])):  # fmt: skip
        expected = [0.2 * (P / 0.05) ** m for m in exponents]
        np.testing.assert_allclose(found.pop(name).friction, expected, rtol=1e-4)
    for name, slope, ratios in (
        ("second slope 1.05 to 1.5 times", 3.0, [1.05, 1.275, 1.5]),
        ("second slope 0.5 to 0.95 times", 4.0, [0.5, 0.725, 0.95]),
    ):
        expected = [slope * np.minimum(P, 0.025) + r * slope * np.maximum(P - 0.025, 0)
                    for r in ratios]  # fmt: skip
        np.testing.assert_allclose(found.pop(name).friction, expected, rtol=1e-4)
    assert not found
    assert (linear.asperities, float(linear.scale), linear.known) == (16, 0.5, False)


# ---------------------------------------------------------------- the paper's system


def test_the_box_of_parameters_by_hand():
    """Weights, mean height and radius of four Gaussians, and their variances and covariance."""
    bounds, (low, high) = paper.BOUNDS, paper.parameter_box()
    assert low[:3].tolist() == [0, 0, 0] and high[:3].tolist() == [1, 1, 1]
    for k in range(3, 11, 2):
        assert (low[k], high[k]) == tuple(bounds.height)
        assert (low[k + 1], high[k + 1]) == tuple(bounds.radius)
    most = bounds.height_deviation[1] * bounds.radius_deviation[1]
    for k in range(11, 23, 3):
        assert (low[k], high[k]) == tuple(x**2 for x in bounds.height_deviation)
        assert (low[k + 1], high[k + 1]) == tuple(c * most for c in bounds.correlation)
        assert (low[k + 2], high[k + 2]) == tuple(x**2 for x in bounds.radius_deviation)


def test_the_condition_of_a_typical_law_is_zero():
    """ln F = TYPICAL + ln(σ π P/E*) at the top, F ∝ P^0.8; and e^4.2 asperities."""
    P = np.asarray(paper.study_loads())
    assert P[-1] == pytest.approx(0.05) and P[0] == pytest.approx(0.05 / 128)
    top = np.exp(1.35) * 4e5 * np.pi * 0.05 / 1.4e6
    count = jnp.asarray(67)
    typical = paper.condition(jnp.asarray(top * (P / 0.05) ** 0.8), count)
    np.testing.assert_allclose(typical[:-1], 0.0, atol=1e-4)
    assert float(typical[-1]) == pytest.approx(math.log(67) - 4.2, abs=1e-4)
    # A tenth more friction is 2 ln 1.1 everywhere
    more = paper.condition(jnp.asarray(1.1 * top * (P / 0.05) ** 0.8), count)
    np.testing.assert_allclose(more[:-1], 2 * math.log(1.1), rtol=1e-2)


def test_what_is_cut_to_a_mixture_by_hand():
    """Weights of 0.5, 1.5 (cut to 1) and −1 (to 0): the fourth has nothing; a third, two thirds."""
    bounds = paper.BOUNDS
    theta = jnp.asarray([0.5, 1.5, -1.0] + [1e-6, -1.0] * 4 + [0.0, 1.0, 0.0] * 4)
    made = paper.clamped(theta)
    np.testing.assert_allclose(made.weights, [1 / 3, 2 / 3, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(made.means[:, 1], bounds.radius[0], rtol=1e-5)
    h, r = bounds.height_deviation[0], bounds.radius_deviation[0]
    np.testing.assert_allclose(
        made.covariances[2], [[h**2, 0.95 * h * r], [0.95 * h * r, r**2]], rtol=1e-4
    )


def test_losses_of_the_papers_networks_by_hand():
    """A network of zeros: a regression misses θ, an autoencoder too and has no divergence."""
    data = paper.Samples(jnp.full((2, 23), 0.5), jnp.ones((2, 129)))
    key = jax.random.key(0)

    def zeros(network):
        return jax.tree_util.tree_map(jnp.zeros_like, network)

    regression = zeros(MLP((129, 4, 23), rngs=nnx.Rngs(0)))
    assert float(paper.mlp_loss(regression, data, key)) == pytest.approx(0.25)
    for loss, condition in ((paper.cvae_loss, 129), (paper.vae_loss, 0)):
        network = zeros(
            CVAE(condition=condition, latent=3, encoder=(4,), decoder=(4,), rngs=nnx.Rngs(0))
        )
        found, terms = loss(network, data, key)
        # Smooth L1 of a miss of 0.5 is half its square; ln σ² = 0 and a mean of 0 are N(0, 1)
        assert float(terms["reconstruction"]) == pytest.approx(0.125, rel=1e-4)
        assert float(terms["kl"]) == pytest.approx(0.0, abs=1e-6)
        assert float(found) == pytest.approx(0.125, rel=1e-4)


def test_a_divergence_has_its_weight(monkeypatch):
    monkeypatch.setattr(paper, "kl_divergence", lambda mean, log_variance: jnp.asarray(230.0))
    monkeypatch.setattr(paper, "smooth_l1", lambda a, b: jnp.asarray(1.0))
    data = paper.Samples(jnp.zeros((2, 23)), jnp.zeros((2, 129)))
    network = CVAE(condition=0, latent=2, encoder=(4,), decoder=(4,), rngs=nnx.Rngs(0))
    found, _ = paper.vae_loss(network, data, jax.random.key(0))
    assert float(found) == pytest.approx(1 + 1e-3 * 230 / 23)


@pytest.mark.parametrize("recipe, latent, expected", [
    # Weights and biases of the layers, counted by hand
    (paper.REGRESSION, 56, sum((a + 1) * b for a, b in ((129, 347), (347, 308), (308, 328),
                                                        (328, 23)))),
    (paper.ADVERSARIAL, 56, sum((a + 1) * b for a, b in (
        (185, 347), (347, 308), (308, 328), (328, 23),
        (152, 347), (347, 308), (308, 328), (328, 1)))),
])  # fmt: skip
def test_parameters_of_the_networks_beside_the_papers(recipe, latent, expected):
    like = jax.eval_shape(lambda: recipe.build(latent, nnx.Rngs(0)))
    assert sum(x.size for x in jax.tree_util.tree_leaves(like)) == expected


def test_autoencoders_differ_by_what_they_are_given():
    """129 numbers of the law into the first layer of the encoder and of the decoder."""

    def count(recipe, latent):
        like = jax.eval_shape(lambda: recipe.build(latent, nnx.Rngs(0)))
        return sum(x.size for x in jax.tree_util.tree_leaves(like))

    with_law, without = count(paper.CONDITIONAL, 16), count(paper.UNCONDITIONAL, 16)
    assert with_law > without and (with_law - without) % 129 == 0
    assert count(paper.CONDITIONAL, 56) > with_law

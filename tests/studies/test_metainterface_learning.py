"""What Friction on Demand trains and asks: requests, loss, analyses, networks that are kept."""

import json
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings, strategies as st
from unitless import request

from jaxfric import training
from jaxfric.networks import MLP
from jaxfric.studies._kit import Keeper
from jaxfric.studies.metainterface import (
    _analyses as analyses,
    _canonical as canonical,
    _generator as generator,
    _model as model,
    _paper as paper,
    _questions as questions,
    _requests as requests,
    _targets as targets,
    _trained as of_study,
    _training as training_,
)
from jaxfric.studies.metainterface._presets import PRESETS

LAPTOP, SMOKE = PRESETS["laptop"], PRESETS["smoke"]
FRACTIONS = canonical.FRACTIONS


# ---------------------------------------------------------------- requests and the loss


@settings(max_examples=10)
@given(st.integers(0, 2**31 - 1), st.integers(8, 64))
def test_a_wished_law_is_one_that_asperities_could_make(seed, count):
    """Rising with a slope of 2/3 to 1.3, between one sphere and as many of the largest."""
    low, high = jnp.asarray(-2.0), jnp.asarray(0.5)
    shape = np.asarray(_wished(jax.random.key(seed), jnp.asarray(count), low, high))
    at = np.log(FRACTIONS)
    assert shape[-1] == 0.0
    slopes = np.diff(shape) / np.diff(at)
    assert slopes.min() > 2 / 3 - 1e-3 and slopes.max() < 1.3 + 1e-3


_wished = jax.jit(requests._wished)


@pytest.mark.usefixtures("stand_ins")
def test_lengths_of_a_batch_do_not_share_numbers_of_asperities(monkeypatch):
    asked = []

    def drawn(key, size, fewest):
        asked.append((size, fewest))
        return jnp.asarray(size)

    monkeypatch.setattr(training_, "request", drawn)
    found = training_.batch(jax.random.key(0), (3, 0, 2))
    assert [x.tolist() for x in found] == [[64] * 3, [1024] * 2]
    assert asked == [(64, 8), (1024, 257)]
    asked.clear()
    training_.batch(jax.random.key(0), (1, 1, 1))
    assert asked == [(64, 8), (256, 65), (1024, 257)]


def draft(gap, log_radius, reach, errors=None):
    errors = jnp.zeros(48) if errors is None else errors
    return generator.Draft(
        jnp.asarray(gap, float), jnp.asarray(log_radius, float), jnp.ones(48), errors,
        jnp.asarray(reach, float),
    )  # fmt: skip


def test_distances_of_two_designs_by_hand():
    """Over the mean reach; what touches in neither has no radius to compare; one is masked."""
    a = draft([0.0, 1.0, 5.0, 6.0, 0.0], [0.0, 0.3, 0.5, 9.0, 9.0], 2.0)
    b = draft([0.0, 3.0, 3.5, 7.0, 9.0], [0.4, 0.0, 0.0, 0.0, 0.0], 4.0)
    heights, radii = training_.distances(a, b, jnp.asarray(4))
    # Cut at their reach: 0, 1, 2, 2 and 0, 3, 3.5, 4, over a mean reach of 3. The third touches in
    # one of the two, the fourth in neither
    assert float(heights) == pytest.approx(np.sqrt((0 + 4 + 2.25 + 4) / 9 / 4), rel=1e-4)
    assert float(radii) == pytest.approx(np.sqrt((0.16 + 0.09 + 0.25) / 3), rel=1e-4)


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("wanted, lack", [(False, 0.3 - 0.1 + 0.3 - 0.2), (True, 0.3 - 0.1)])
def test_the_loss_of_a_request_by_hand(monkeypatch, wanted, lack):
    """Errors of 1, 2 and 3 %; two draws 0.1 apart in heights and 0.2 in radii."""
    made = [draft([0, 1], [0, 0], 1.0, jnp.full(48, 0.01)),
            draft([0, 1], [0, 0], 1.0, jnp.full(48, 0.02)),
            draft([0, 1], [0, 0], 1.0, jnp.full(48, -0.03))]  # fmt: skip
    stacked = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *made)
    seen = []

    def generate(network, target, z):
        seen.append(z)
        return jax.tree_util.tree_map(lambda x: x[0], stacked)

    monkeypatch.setattr(training_, "generate", generate)
    monkeypatch.setattr(training_.jax, "vmap", lambda f: lambda z: (f(z), stacked)[1])
    monkeypatch.setattr(training_, "distances", lambda a, b, n: (jnp.asarray(0.1),
                                                               jnp.asarray(0.2)))  # fmt: skip
    network = SimpleNamespace(latent=5)
    loss, terms = training_.one_loss(network, request(wanted=wanted), jax.random.key(0))
    assert float(loss) == pytest.approx((0.01 + 0.02 + 0.03) / 3 + 0.04 * lack, rel=1e-3)
    assert float(terms["error"]) == pytest.approx(1.0, rel=1e-4)
    assert float(terms["drawn_error"]) == pytest.approx(2.5, rel=1e-4)
    (z,) = seen
    assert z.shape == (3, 5) and not np.any(z[0]) and np.all(z[1:] != 0)


@pytest.mark.usefixtures("stand_ins")
def test_the_loss_of_a_batch_is_the_mean_over_its_requests(monkeypatch):
    """Three requests of one length and one of another; the log shows the first length."""

    def one_loss(network, target, key):
        size = jnp.asarray(float(target.radii.shape[0]))
        return size, {"error": size}

    monkeypatch.setattr(training_, "one_loss", one_loss)
    batch = tuple(
        jax.tree_util.tree_map(lambda x, n=n: jnp.stack([x] * n), request(size=size))
        for size, n in ((8, 3), (16, 1))
    )
    loss, terms = training_.loss(None, batch, jax.random.key(0))
    assert float(loss) == (3 * 8 + 16) / 4 and float(terms["error"]) == 8


# ---------------------------------------------------------------- analyses


def test_scores_of_parameters_by_hand():
    """R² over the scaled ones: half the spread explained is 1 − 1/4."""
    theta = jnp.asarray(np.linspace(-0.5, 0.5, 5))[:, None] * jnp.ones(23)
    half = analyses.parameter_scores(theta / 2, theta)
    assert half["r2"] == pytest.approx(0.75, rel=1e-4)
    exact = analyses.parameter_scores(theta, theta)
    assert exact["r2"] == pytest.approx(1.0) and exact["parameter_smape"] == 0.0
    broken = [bool(paper.breaks(paper.unscaled(x))) for x in theta]
    assert exact["broken_percent"] == pytest.approx(100 * np.mean(broken)) and any(broken)


def test_altered_targets_are_still_laws():
    """As they are; noisy, and still rising; and continued as P^0.8 below a fifth of the loads."""
    P = np.asarray(paper.study_loads())
    laws = jnp.asarray([4 * P, 0.2 * (P / 0.05) ** 0.8])
    found = {name: np.asarray(x) for name, x in analyses._altered(laws).items()}
    assert list(found) == ["as it is", "noise of 1 %", "noise of 3 %",
                           "only loads above a fifth, continued as a power law"]  # fmt: skip
    np.testing.assert_array_equal(found["as it is"], laws)
    for level, name in ((0.01, "noise of 1 %"), (0.03, "noise of 3 %")):
        assert np.all(np.diff(found[name], axis=1) > 0)
        odd = found[name] / np.asarray(laws) - 1
        assert 0.3 * level < odd.std() < 2 * level
    cut = found["only loads above a fifth, continued as a power law"]
    above = P > 0.01
    np.testing.assert_array_equal(cut[:, above], np.asarray(laws)[:, above])
    i = int(np.argmax(above))
    expected = 4 * P[i] * (P[:i] / P[i]) ** 0.8
    np.testing.assert_allclose(cut[0, :i], expected, rtol=1e-4)
    np.testing.assert_allclose(cut[1], laws[1], rtol=1e-4)


def test_the_shortest_preset_answers_two_questions_and_others_all(monkeypatch, tmp_path):
    """Each is a step of its own: what was answered before a kill is not asked again."""
    names = ("latents", "plane", "regressions", "broken", "perturbed", "other_requests", "warm")
    asked = []
    for name in names:
        monkeypatch.setattr(questions.Questions, name,
                            lambda self, name=name: asked.append(name) or [name])  # fmt: skip
    few = targets.Group("random, 64", 64, jnp.ones((1, 128)), jnp.ones((1, 23)),
                        jax.random.split(jax.random.key(0), 1), jnp.asarray(1.0))  # fmt: skip

    def answers(plan, folder):
        trained = of_study.Trained(Keeper(plan, tmp_path / folder))
        return questions.Questions(trained, [[few]]).answers()

    assert answers(SMOKE, "smoke") == {"reconstruction": ["latents"], "plane": ["plane"]}
    asked.clear()
    found = answers(LAPTOP, "laptop")
    assert found == {
        "reconstruction": ["latents"], "plane": ["plane"], "regressions": ["regressions"],
        "raw_outputs_broken_percent": ["broken"], "perturbed_parameters": ["perturbed"],
        "other_requests": ["other_requests"], "warm_start": ["warm"],
    }  # fmt: skip
    assert sorted(asked) == sorted(names)
    (tmp_path / "laptop" / "runs" / "analysis_broken.json").unlink()
    asked.clear()
    assert answers(LAPTOP, "laptop") == found and asked == ["broken"]


@pytest.mark.usefixtures("stand_ins")
def test_bottlenecks_are_compared_at_as_many_steps(monkeypatch, tmp_path):
    """The paper's size with its long training first, as the headline takes the first row."""
    trained = []

    def network(self, recipe, seed, steps, latent=56):
        trained.append((recipe.kind, seed, steps, latent))
        return None

    monkeypatch.setattr(of_study.Trained, "network", network)
    monkeypatch.setattr(questions.analyses, "reconstruction", lambda network, n, law: {
        "r2": float(n), "law": law})  # fmt: skip
    study = of_study.Trained(Keeper(LAPTOP, tmp_path))
    few = targets.Group("random, 64", 64, jnp.ones((1, 128)), jnp.ones((1, 23)),
                        jax.random.split(jax.random.key(0), 1), jnp.asarray(1.0))  # fmt: skip
    rows = questions.Questions(study, [[few]]).latents()
    assert [(r["network"], r["latent"], r["steps"], r["law"]) for r in rows] == [
        ("CVAE", 56, 2000, True), ("CVAE", 16, 600, True), ("CVAE", 56, 600, True),
        ("CVAE", 128, 600, True), ("VAE, no condition", 56, 600, False),
    ]  # fmt: skip
    assert trained == [("cvae", 0, 2000, 56), ("cvae", 0, 600, 16), ("cvae", 0, 600, 56),
                       ("cvae", 0, 600, 128), ("vae", 0, 600, 56)]  # fmt: skip
    assert {r["r2"] for r in rows} == {2000.0}


@pytest.mark.usefixtures("stand_ins")
def test_the_plane_of_errors_is_told_in_units_of_friction(monkeypatch):
    """H₀ and R₀ of p = 1e-7 and a = 4e-7: friction over load is σπ/E* a/p, 4 times 0.9."""
    height, radius = 1e-7 / math.sqrt(4e-7), (4e-7) ** 1.5 / 1e-7
    part = jax.tree_util.tree_map(
        lambda x: jnp.stack([x] * 2), request(count=30, unit_height=height, unit_radius=radius)
    )
    asked = []

    def batch(key, shares):
        asked.append(shares)
        return (part,)

    monkeypatch.setattr(questions, "batch", batch)
    monkeypatch.setattr(questions, "generate", lambda network, t, z: SimpleNamespace(
        error=t.shape[0] * 0 + 1.234567))  # fmt: skip
    fake = SimpleNamespace(network=None, latent=8)
    found = questions.plane(fake, 150, (128, 0, 2))
    assert asked == [(150, 0, 100)]
    assert found["asperities"] == [30.0, 30.0] and found["error"] == pytest.approx([1.23457] * 2)
    expected = 4e5 * math.pi / 1.4e6 * 4
    assert found["friction_over_load"] == pytest.approx([expected] * 2, rel=1e-4)


# ---------------------------------------------------------------- trained networks of the study


def test_a_network_is_trained_once_whoever_asks_for_it(monkeypatch, tmp_path):
    asked = []

    def train(recipe, steps, *, seed, size, latent):
        asked.append((recipe.kind, steps, seed, size, latent))
        network = recipe.build(latent, nnx.Rngs(7))
        zero = jnp.zeros(())
        return training.Trained(network, network, {"loss": np.ones(2)}, zero, zero, zero,
                                zero > 1, zero > 1)  # fmt: skip

    monkeypatch.setattr(of_study, "train_paper", train)
    small = paper.Recipe("toy", lambda latent, rngs: MLP((latent, 3), rngs=rngs), paper.mlp_loss)
    keeper = Keeper(LAPTOP, tmp_path)
    one = of_study.Trained(keeper).network(small, 1, 40, 5)
    two = of_study.Trained(keeper).network(small, 1, 40, 5)
    assert asked == [("toy", 40, 1, 256, 5)]
    for a, b in zip(*map(jax.tree_util.tree_leaves, (one, two)), strict=True):
        np.testing.assert_array_equal(a, b)
    expected = small.build(5, nnx.Rngs(7))
    np.testing.assert_array_equal(*(jax.tree_util.tree_leaves(x)[0] for x in (one, expected)))
    assert keeper.training_seconds().keys() == {"toy_5_40_1"}
    # Whatever makes another training makes another file
    for seed, steps, latent in ((2, 40, 5), (1, 41, 5), (1, 40, 6)):
        of_study.Trained(keeper).network(small, seed, steps, latent)
    assert len(asked) == 4


@pytest.mark.usefixtures("stand_ins")
def test_a_generator_is_read_back_as_it_ships(monkeypatch, tmp_path):
    """In half precision, whether it was trained just now or before a kill; its loss is kept."""
    asked = []
    network = generator.new_network(1, latent=2, width=8, blocks=1)

    def train(seed, steps, *, shares, checkpoint):
        asked.append((seed, steps, shares, checkpoint.name))
        return SimpleNamespace(last=network, history={"loss": np.array([2.0, 1.5])})

    def statistics(network, shares):
        m = model.SEEN + model.STRICT
        return model.Generator(of_study.plain(network), jnp.zeros(m), jnp.eye(m), jnp.asarray(2.0))

    monkeypatch.setattr(of_study, "train_generator", train)
    monkeypatch.setattr(of_study, "with_statistics", statistics)
    keeper = Keeper(SMOKE, tmp_path)
    first, again = (of_study.Trained(keeper).generator(3) for _ in "ab")
    assert asked == [(3, SMOKE.generator, SMOKE.shares, "generator_3")]
    for a, b in zip(*map(jax.tree_util.tree_leaves, (first, again)), strict=True):
        np.testing.assert_array_equal(a, b)
    weights = np.asarray(network.first.entry[...])
    np.testing.assert_array_equal(first.network.first.entry, weights.astype(np.float16))
    assert json.loads((tmp_path / "runs/trained_generator_3.json").read_text())["made"] == {
        "loss": [2.0, 1.5]
    }


def test_strange_is_one_request_in_a_thousand(monkeypatch):
    """Features of independent numbers: whitened they have variance one, and 0.1 % lie outside."""
    rng = np.random.default_rng(0)
    count = 2000
    shapes = 0.8 * np.log(FRACTIONS) + 0.4 * rng.standard_normal((count, 48))
    low, high = -2 + rng.standard_normal(count), 0.5 + rng.standard_normal(count)
    part = jax.vmap(
        lambda s, a, b: request(shape=s, low=a, high=b)
    )(*map(jnp.asarray, (shapes, low, high)))  # fmt: skip
    asked = []

    def batch(key, shares):
        asked.append(shares)
        return (part,)

    monkeypatch.setattr(of_study, "batch", batch)
    network = generator.new_network(1, latent=2, width=8, blocks=1)
    made = of_study.with_statistics(network, (4, 1, 0))
    assert asked == [(128, 32, 0)]
    distance = np.asarray(jax.jit(jax.vmap(made.distance))(part))
    assert np.sum(distance > 1) == 2
    x = np.asarray(jax.vmap(model.features)(part))
    white = (x - np.asarray(made.mean)) @ np.asarray(made.whitening)
    # The noise of 0.05 beside a spread of 5 · 0.4 is nothing; the count, which is one number for
    # all, has no variance but the noise
    variances = np.sort(white.var(0))
    np.testing.assert_allclose(variances[1:], 1.0, rtol=5e-3)
    assert variances[0] < 1e-6

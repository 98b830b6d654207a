"""The study: its data against the simulator, its scores by hand, its folder kept safe."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import networks, ratestate as rs
from jaxfric.studies import slide_hold_learn as study

KEY = jax.random.key(5)


def test_sequences_are_the_protocols_and_friction_of_the_paper():
    data = study.sequences(40, key=KEY)
    velocity, change = np.asarray(data.velocity), np.asarray(data.change)
    assert velocity.shape == (40, 100) and data.dt == 0.01
    assert np.all(np.sum(velocity < 1e-6, axis=1) <= 99)
    assert np.all(change[:, 0] == 0) and np.all(data.target == data.change)
    jumps = np.sum(np.diff(velocity, axis=1) != 0, axis=1)
    assert jumps.max() <= 5 and jumps.min() >= 1
    # 99 of 100 intervals of the whole slip 1
    assert np.all(np.sum(data.slip, axis=1) <= 1 + 1e-5) and np.all(data.slip[:, 0] == 0)


def test_noise_is_added_to_targets_only():
    clean, noisy = (study.sequences(200, key=KEY, noise=x) for x in (0.0, 0.005))
    np.testing.assert_array_equal(clean.change, noisy.change)
    assert np.std(noisy.target - noisy.change) == pytest.approx(0.005, rel=0.03)


@pytest.mark.parametrize("samples", [50, 200])
def test_grid_jumps_lie_on_the_samples_of_any_rate(samples):
    """Then the friction of the sampled velocities is the friction."""
    data = study.sequences(20, key=KEY, grid=True, samples=samples)
    law, t = rs.slide_hold_learn_law(), jnp.asarray(np.arange(samples) / samples)

    def held(velocity):
        friction = rs.slide(law, rs.VelocityProtocol(t, velocity), t).friction
        return friction - friction[0]

    np.testing.assert_allclose(jax.vmap(held)(data.velocity), data.change, atol=2e-6)


def test_errors_by_hand():
    true = jnp.array([[0.0, 0.3, 0.4]])
    change, friction = study.errors(true + jnp.array([[0.0, 0.03, -0.04]]), true)
    np.testing.assert_allclose(change, 10, rtol=1e-4)
    np.testing.assert_allclose(friction, 100 * 0.07 / (3 * 0.415 + 0.7), rtol=1e-4)
    # A sequence in which friction does not change has no relative error of its change.
    data = study.sequences(3, key=KEY)
    data = eqx.tree_at(lambda d: d.change, data, data.change.at[1].set(0.0))
    assert study.score(lambda v, dt: 0 * v, data)["rel_change"] == pytest.approx(100)


def test_best_estimate_is_exact_where_nothing_is_hidden_and_a_floor_where_it_is():
    data = study.sequences(60, key=KEY)
    guess = study.best_estimate(data, key=KEY, draws=32)
    held = jax.vmap(lambda v: _held(v))(data.velocity)
    best, naive = (float(jnp.mean(jnp.abs(x - data.change))) for x in (guess, held))
    assert best < 0.7 * naive
    jumped = np.asarray(data.velocity[:, 1:] != data.velocity[:, :-1])
    before = np.cumsum(jumped, axis=1) == 0  # nothing has happened yet
    np.testing.assert_allclose(np.asarray(guess)[:, 1:][before], 0, atol=1e-6)


def _held(velocity):
    t = jnp.asarray(np.arange(100) / 100)
    friction = rs.slide(rs.slide_hold_learn_law(), rs.VelocityProtocol(t, velocity), t).friction
    return friction - friction[0]


# The network that ships --------------------------------------------------------------------------


def test_trained_network_predicts_unseen_sequences_at_any_sampling():
    network, facts = study.trained()
    assert facts["size"] == 1000 and facts["recipe"] == "cell"
    found = [
        study.score(network, study.sequences(300, key=KEY, grid=True, samples=n))["rel_mu"]
        for n in (50, 100, 200, 400)
    ]
    assert found[1] < 0.004
    assert max(found) < 2 * found[1]


@pytest.mark.x64
@pytest.mark.parametrize("velocities", [[0.5, 2.0, 2.0], [1.0, 0.0, 1.0]], ids=["step", "hold"])
def test_trained_network_is_a_law_behind_a_spring(velocities):
    network, _ = study.trained()
    own = networks.CellLaw(network, mu0=0.415)
    protocol, t = rs.VelocityProtocol([0.0, 0.2, 0.5], velocities), jnp.linspace(0, 1, 201)
    law, spring = rs.slide_hold_learn_law(), rs.Spring(0.6)  # twice the critical stiffness
    expected, found = (rs.spring_slider(each, spring, protocol, t) for each in (law, own))
    assert found.status.ok
    assert float(jnp.ptp(expected.friction)) > 0.01
    np.testing.assert_allclose(found.friction, expected.friction, atol=1e-3)


# Running it --------------------------------------------------------------------------------------


def ran(metrics):
    return {name: x for name, x in metrics["headline"].items() if x is not None}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    return out, study.run("smoke", out)


@pytest.mark.slow
def test_smoke_writes_its_headline_without_nan(finished):
    out, metrics = finished
    stored = json.loads((out / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert ran(stored) == pytest.approx(ran(metrics))
    head = stored["headline"]
    assert len(head) == 16 and head["grid_aging_clean_1000_rel_mu"] is None
    assert 0 < head["free_aging_clean_10_rel_mu"] < 20 and 0 < head["free_floor_rel_mu"] < 1
    assert {row["recipe"] for row in stored["rows"]} == set(study.RECIPES)
    assert [row["stage"] for row in stored["appendix"]] == ["ME", "+IC", "+DE", "+DE+H"]
    assert all(np.isfinite(row["minimal_loss"]) for row in stored["appendix"])
    text = study.table(stored)
    assert "floor" in text and "norm is not known" in text


@pytest.mark.slow
def test_healing_is_compared_with_the_law(finished):
    """The law's column is what `slide` gives; networks have theirs."""
    _, metrics = finished
    law = rs.slide_hold_learn_law()
    for row in metrics["healing"]:
        protocol = rs.VelocityProtocol([0.0, 0.2, 0.2 + row["hold"]], [1.0, 1e-8, 1.0])
        friction = rs.slide(law, protocol, jnp.array([0.0, 0.2 + row["hold"]])).friction
        assert row["exact"] == pytest.approx(float(friction[1] - friction[0]), abs=1e-5)
        assert row["logarithm"] < row["exact"]
    assert {"cell", "gru", "paper", "appendix +DE+H"} <= set(metrics["healing"][0])


@pytest.mark.slow
def test_finished_study_is_not_overwritten(finished):
    out, metrics = finished
    with pytest.raises(ValueError, match="resume=True continues it, force=True begins"):
        study.run("smoke", out)
    with pytest.raises(ValueError, match="choose another folder"):
        study.run("laptop", out, resume=True)
    before = (out / "metrics.json").stat().st_mtime_ns
    assert study.run("smoke", out, resume=True)["headline"] == metrics["headline"]
    assert (out / "metrics.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_killed_study_goes_on_where_it_stopped(finished):
    out, metrics = finished
    (out / "metrics.json").unlink()
    kept = sorted((out / "runs").iterdir())
    kept[0].unlink()
    times = [path.stat().st_mtime_ns for path in kept[1:]]
    again = study.run("smoke", out, resume=True)
    assert ran(again) == pytest.approx(ran(metrics), rel=1e-6)
    assert [path.stat().st_mtime_ns for path in kept[1:]] == times


@pytest.mark.slow
def test_figures_are_drawn_from_the_folder(finished):
    from jaxfric import plotting

    out, metrics = finished
    figures = plotting.plot_slide_hold_learn(metrics, out)
    assert set(figures) == {"sequences.png", "training.png", "histogram.png", "size.png"}
    for name, figure in figures.items():
        assert plotting.save(figure, out / name).stat().st_size > 10_000
    truth = figures["sequences.png"].axes[3].lines[0].get_ydata()
    assert truth.shape == (100,)


def test_unknown_preset(tmp_path):
    with pytest.raises(ValueError, match="preset must be one of smoke, laptop, paper"):
        study.run("huge", tmp_path)

"""Trainings of Slide, Hold, Learn without training: losses by hand, data, seeds, kills."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxfric import networks, ratestate as rs, training
from jaxfric.studies import slide_hold_learn as study
from jaxfric.studies._kit import Keeper
from jaxfric.studies.slide_hold_learn import (
    _appendix as appendix,
    _study as whole,
    _training as cases,
)
from jaxfric.studies.slide_hold_learn._data import Sequences
from jaxfric.studies.slide_hold_learn._metrics import summary
from jaxfric.studies.slide_hold_learn._presets import Case
from jaxfric.studies.slide_hold_learn._recipes import PaperNetwork

SMOKE = study.PRESETS["smoke"]


class Constant(eqx.Module):
    """A network that says one number, with every slip added where it is given them."""

    value: jax.Array

    def __call__(self, velocity, dt, slip=None):
        said = self.value + 0 * velocity
        return said if slip is None else said + slip


class Line(PaperNetwork):
    """ŷ = w V + c, without a memory: its slope is w."""

    def __init__(self, w, c):
        self.w, self.c = nnx.Param(jnp.asarray(w)), nnx.Param(jnp.asarray(c))

    def initial(self, V):
        return 0.0 * V

    def step(self, hidden, velocity, dt, slip=None):
        return hidden, self.w[...] * velocity + self.c[...]


def sequences(n, m=5, seed=0):
    rng = np.random.default_rng(seed)
    velocity, slip, change, miss = (jnp.asarray(rng.uniform(0.1, 1.0, (n, m))) for _ in range(4))
    velocity = velocity.at[:, 1].set(1e-8)  # every sequence of the study holds once
    return Sequences(velocity, slip, change, change + 0.01 * miss)


KEY = jax.random.key(0)

# ---------------------------------------------------------------- losses by hand


@pytest.mark.parametrize("name", ["cell", "gru", "lstm", "transformer"])
def test_losses_are_in_percent_of_friction_against_what_was_measured(name):
    data, network = sequences(3), Constant(jnp.asarray(0.2))
    recipe, left = study.RECIPES[name], 0.2 - np.asarray(data.target)
    assert float(recipe.loss(network, data, KEY)) == pytest.approx(100 * np.abs(left).mean())
    if name != "cell":
        found = recipe.noisy_loss(network, data, KEY)
        assert float(found) == pytest.approx(1e4 * (left**2).mean(), rel=1e-5)


def test_a_cell_pays_for_its_tanh_network_where_targets_are_noisy():
    cell = study.RECIPES["cell"].build(nnx.Rngs(0))
    cell.outputs[...] = jnp.full(8, 0.5)
    data = sequences(2)
    said = jax.vmap(lambda v: cell(v, data.dt))(data.velocity)
    # A prediction that misses by 0.001 everywhere: 0.01 beside the price of the weights
    data = Sequences(data.velocity, data.slip, data.change, said + 0.001)
    found = float(study.RECIPES["cell"].noisy_loss(cell, data, KEY))
    assert found == pytest.approx(0.01 + 0.01 * 8 * 0.5**2, rel=1e-3)


def test_a_cell_with_slip_is_given_the_slip():
    data, recipe = sequences(2), study.RECIPES["cell with slip"]
    cell = recipe.build(nnx.Rngs(0))
    said = jax.vmap(lambda v, s: cell(v, data.dt, s))(data.velocity, data.slip)
    without = jax.vmap(lambda v: cell(v, data.dt))(data.velocity)
    assert float(jnp.max(jnp.abs(said - without))) > 1e-3
    expected = 100 * np.abs(np.asarray(said - data.target)).mean()
    for loss in (recipe.loss, recipe.noisy_loss):
        assert float(loss(cell, data, KEY)) == pytest.approx(expected, rel=1e-5)


def test_the_papers_loss_is_its_equation_10():
    """ŷ = w V + c: the slope is w, and V ∂ŷ/∂V changes by w ΔV. Friction over its range of 0.1."""
    w, c = 0.7, 0.1
    data = sequences(3)
    V, y = np.asarray(data.velocity), 10 * np.asarray(data.target)
    absolute = np.abs(w * V + c - y).mean()
    steady, direct = w**2, (w**2 * np.diff(V, axis=1) ** 2).sum(1).mean()
    start = ((w * V[:, 0] + c - y[:, 0]) ** 2).mean()
    recipe = study.RECIPES["paper"]
    clean, terms = recipe.loss(Line(w, c), data, KEY)
    assert set(terms) == {"absolute", "initial_gradient", "direct_effect", "initial_value"}
    assert float(clean) == pytest.approx(absolute + steady + direct + start, rel=1e-5)
    noisy, terms = recipe.noisy_loss(Line(w, c), data, KEY)
    assert set(terms) == {"absolute", "initial_gradient", "direct_effect", "l2"}
    assert float(terms["l2"]) == pytest.approx(1e-5 * (w**2 + c**2), rel=1e-4)
    assert float(noisy) == pytest.approx(absolute + steady + direct + 1e-5 * (w**2 + c**2))


def test_the_papers_network_is_asked_for_friction_and_taught_over_its_range():
    inner = networks.FrictionGRU(4, rngs=nnx.Rngs(0))
    outer = PaperNetwork(inner)
    V = jnp.asarray([1.0, 2.0, 0.5])
    np.testing.assert_allclose(outer(V, 0.1), 0.1 * inner(V, 0.1), rtol=1e-6)
    np.testing.assert_allclose(networks.unroll(outer, V, 0.1), inner(V, 0.1), rtol=1e-6)


@pytest.mark.parametrize("name", list(study.RECIPES))
def test_a_recipe_moves_at_its_rate(name):
    """Of Adam under one gradient for ever a step is the rate: warm-up, its top, and its end."""
    recipe = study.RECIPES[name]
    optimiser = recipe.optimiser(40)
    state = optimiser.init(jnp.zeros(()))
    update = jax.jit(optimiser.update)
    taken = []
    for _ in range(40):
        step, state = update(jnp.ones(()), state, jnp.zeros(()))
        taken.append(-float(step))
    if name == "paper":
        np.testing.assert_allclose(taken, 1e-3, rtol=1e-4)
        return
    # A tenth of the steps warms up from nothing, then half a cosine down to nothing
    expected = [recipe.rate * k / 4 for k in range(4)]
    expected += [recipe.rate * (1 + np.cos(np.pi * k / 36)) / 2 for k in range(36)]
    np.testing.assert_allclose(taken, expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("terms, expected", [
    # By hand of ŷ − y = 1, 1, 3, 2 with a hold at the middle two samples; see below
    (("error",), (1 + 1 + 9 + 4) / 4),
    (("error", "initial"), 15 / 4 + 1),
    (("jumps",), 0.0 + 1.0),
    (("healing",), (2 / np.log(2)) ** 2),
])  # fmt: skip
def test_terms_of_the_appendix_by_hand(terms, expected):
    """Jumps are where velocity differs from the sample before; a hold is slower than 1e-4."""
    velocity = jnp.asarray([[1.0, 1e-8, 1e-8, 1.0]])
    miss = jnp.asarray([[1.0, 1.0, 3.0, 2.0]])
    predicted = 0.5 * velocity + 2.0
    data = Sequences(velocity, 0 * velocity, 0 * velocity, (predicted - miss) / 10)
    loss, found = appendix._loss(terms)(Line(0.5, 2.0), data, KEY)
    assert set(found) == set(terms)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


# ---------------------------------------------------------------- one training


def trained(parameters, last=None):
    zero = jnp.zeros(())
    history = {"loss": np.array([3.0, 2.0])}
    return training.Trained(
        parameters, parameters if last is None else last, history, jnp.asarray(0.125), zero,
        jnp.asarray(77), jnp.asarray(False), jnp.asarray(False),
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """Every drawn set and every call of a training, of which nothing is trained."""
    seen = SimpleNamespace(drawn=[], calls=[])

    def draw(jumps, evolution, noise, n, seed):
        seen.drawn.append((jumps, evolution, noise, n, seed))
        return sequences(min(n, 12), seed=seed % 1000)

    def train(loss, start, data, **options):
        seen.calls.append({"loss": loss, "start": start, "data": data, **options})
        return trained(Constant(jnp.asarray(0.5)), Constant(jnp.asarray(0.25)))

    monkeypatch.setattr(cases, "draw", draw)
    monkeypatch.setattr(cases.training, "train", train)
    return seen


def asking(recipe, seed=0, noise="clean", size=10, steps=45):
    plan = study.Preset((size,), 1, 12, {recipe: steps}, 1)
    return Case("free", "aging", noise, size, recipe, seed), plan


def test_a_training_keeps_the_last_network_and_scores_it(asked, tmp_path):
    case, plan = asking("cell")
    keeper, test = Keeper(plan, tmp_path), sequences(12, seed=9)
    made = cases.train_case(case, keeper, test)
    said = jnp.full_like(test.change, 0.25)
    for key, value in summary(said, test.change).items():
        assert made["row"][key] == pytest.approx(value, rel=1e-5)
    # Validated against what was measured: the truth is for tests alone
    validation = sequences(12, seed=cases.VALIDATION_SEED % 1000)
    expected = summary(jnp.full_like(validation.target, 0.25), validation.target)["rel_mu"]
    assert made["row"]["validation_rel_mu"] == pytest.approx(expected, rel=1e-5)
    assert made["row"]["minimal_loss"] == 0.125 and made["row"]["steps"] == 77
    assert made["row"]["loss"] == [3.0, 2.0]
    assert float(keeper.load(case.name, Constant(jnp.zeros(()))).value) == 0.25
    shown = made["shown"]
    assert np.shape(shown["predicted"]) == np.shape(shown["velocity"]) == (cases.SHOWN, 5)
    assert len(shown["rel_mu"]) == 12 and shown["change"] == test.change[: cases.SHOWN].tolist()


def test_the_network_of_another_seed_is_scored_and_not_kept(asked, tmp_path):
    case, plan = asking("cell", seed=1)
    keeper = Keeper(plan, tmp_path)
    made = cases.train_case(case, keeper, sequences(12))
    assert made["shown"] is None and not keeper.has(case.name)


def test_patience_keeps_the_best_and_takes_its_validation_from_the_training_set(asked, tmp_path):
    """One in five of ten sequences; batches of one; 45 steps are five epochs of eight."""
    case, plan = asking("paper", seed=1)
    made = cases.train_case(case, Keeper(plan, tmp_path), sequences(12))
    (call,) = asked.calls
    drawn = sequences(10, seed=1)
    np.testing.assert_array_equal(call["validation"].velocity, drawn.velocity[:2])
    np.testing.assert_array_equal(call["data"].velocity, drawn.velocity[2:])
    assert (call["epochs"], call["batch_size"], call["evaluate_every"]) == (5, 1, 1)
    assert call["patience"] == 20 and call["clip"] == 1.0
    expected = np.abs(0.5 - np.asarray(drawn.target[:2])).mean()
    found = call["metric"](Constant(jnp.asarray(0.5)), call["validation"])
    assert float(found) == pytest.approx(expected, rel=1e-5)
    best = summary(jnp.full((12, 5), 0.5), sequences(12).change)
    assert made["row"]["rel_mu"] == pytest.approx(best["rel_mu"], rel=1e-5)


def test_without_patience_every_sequence_teaches_and_steps_are_whole_evaluations(asked, tmp_path):
    """45 epochs of one batch, an evaluation every second: the last, odd one is left out."""
    case, plan = asking("cell", seed=1)
    cases.train_case(case, Keeper(plan, tmp_path), sequences(12))
    (call,) = asked.calls
    assert call["data"].velocity.shape[0] == 10 and call["validation"] is None
    assert (call["epochs"], call["batch_size"], call["evaluate_every"]) == (44, 10, 2)
    assert call["patience"] is None and call["metric"] is None
    assert call["loss"] is study.RECIPES["cell"].loss
    leaves = jax.tree_util.tree_leaves(call["start"])
    assert {x.dtype for x in leaves} == {jnp.dtype("float32")}


def test_noisy_targets_have_the_loss_for_noise(asked, tmp_path):
    case, plan = asking("gru", seed=1, noise="noisy")
    cases.train_case(case, Keeper(plan, tmp_path), sequences(12))
    assert asked.calls[0]["loss"] is study.RECIPES["gru"].noisy_loss
    assert [x[2] for x in asked.drawn] == ["noisy", "noisy"]


def test_seeds_share_an_optimiser_and_so_their_program():
    assert cases._optimiser("gru", 30) is cases._optimiser("gru", 30)
    assert cases._optimiser("gru", 30) is not cases._optimiser("gru", 40)


@pytest.mark.parametrize("jumps, grid", [("free", False), ("grid", True)])
@pytest.mark.parametrize("noise, size", [("clean", 0.0), ("noisy", 0.005)])
def test_a_case_draws_its_own_kind_of_sequences(monkeypatch, jumps, grid, noise, size):
    seen = []

    def drawn(n, *, key, **options):
        seen.append((n, key, options))
        return sequences(n)

    monkeypatch.setattr(cases, "sequences", drawn)
    found = cases.draw(jumps, "slip", noise, 3, 8)
    ((n, key, options),) = seen
    assert n == 3 and jnp.array_equal(
        jax.random.key_data(key), jax.random.key_data(jax.random.key(8))
    )
    assert options["grid"] is grid and options["noise"] == size
    assert isinstance(options["evolution"], rs.Slip)
    assert {x.dtype for x in jax.tree_util.tree_leaves(found)} == {jnp.dtype("float32")}


# ---------------------------------------------------------------- the appendix


def test_the_last_two_stages_start_from_the_second(monkeypatch, tmp_path):
    """Every training adds 1 to the weights: how far they are tells what a stage started from."""
    starts, losses = [], []

    def weight(network):
        return float(jax.tree_util.tree_leaves(network)[0].ravel()[0])

    def train(loss, start, data, **options):
        starts.append(weight(start))
        losses.append(loss)
        assert (options["epochs"], options["batch_size"]) == (2, 32)
        return trained(jax.tree_util.tree_map(lambda x: x + 1, start))

    said = []

    def predicted(network, data, slip=False):
        said.append(weight(network))
        return 0 * data.change

    monkeypatch.setattr(appendix.training, "train", train)
    monkeypatch.setattr(appendix, "predict", predicted)
    data, test = sequences(6), sequences(4, seed=1)
    keeper = Keeper(SMOKE, tmp_path)
    rows = appendix.appendix(data, test, 2, keeper)
    steps = np.array(starts) - starts[0]
    np.testing.assert_allclose(steps, [0, 1, 2, 2], atol=1e-5)
    np.testing.assert_allclose(np.array(said) - starts[0], [1, 2, 3, 3], atol=1e-5)
    assert [row["stage"] for row in rows] == ["ME", "+IC", "+DE", "+DE+H"]
    assert [row["paper_minimal_loss"] for row in rows] == [0.064, 0.033, 0.255, 0.271]
    assert [row["paper_error"] for row in rows] == [4.2, 3.4, 3.7, 4.1]
    # Nothing was predicted: all of the change is missed
    assert all(row["rel_change"] == pytest.approx(100, rel=1e-4) for row in rows)
    assert all((row["sequences"], row["epochs"]) == (6, 2) for row in rows)
    assert all(keeper.has(f"appendix_{row['stage']}") for row in rows)


def test_healing_is_read_from_the_last_sample_before_a_hold_to_the_first_after(
    monkeypatch, tmp_path
):
    """A network that counts samples: the difference is the length of the hold and one more."""
    held = []

    def network(velocity, dt):
        held.append(int(jnp.sum(velocity < 1e-4)))
        return jnp.arange(100.0)

    asked = []

    def found(keeper, name, recipe):
        asked.append((name, recipe))
        return network if recipe == "cell" else None

    monkeypatch.setattr(appendix, "_network", found)
    rows = appendix.healing_in_holds(Keeper(SMOKE, tmp_path), 10)
    assert [row["hold"] for row in rows] == [0.02, 0.05, 0.1, 0.2, 0.4, 0.7]
    assert held == [2, 5, 10, 20, 40, 70]
    assert [row["cell"] for row in rows] == [3, 6, 11, 21, 41, 71]
    assert set(rows[0]) == {"hold", "exact", "logarithm", "cell"}
    assert ("grid_aging_clean_10_cell_0", "cell") in asked
    assert ("appendix_+DE+H", "paper") in asked and len(asked) == 7


def test_healing_is_that_of_the_law_of_the_data(tmp_path):
    """b ln(1 + t/θ0), θ0 = 1/30; of a long hold it is b θ0/t above the pure logarithm."""
    law = rs.slide_hold_learn_law()
    assert pytest.approx(float(law.b)) == appendix.B and pytest.approx(float(law.Dc)) == appendix.DC
    (first, *_, last) = appendix.healing_in_holds(Keeper(SMOKE, tmp_path), 10)
    assert first["exact"] == pytest.approx(0.016 * np.log(1.6), rel=1e-6)
    assert last["exact"] - last["logarithm"] == pytest.approx(0.016 / (30 * 0.7), rel=0.03)


# ---------------------------------------------------------------- the whole study


@pytest.fixture
def toy(monkeypatch, killed):
    """The study with trainings that only count; `toy.die` is the step in which it is killed."""
    seen = SimpleNamespace(taken=[], die=None, drawn=[])

    def take(name):
        if seen.die == len(seen.taken):
            seen.die = None
            raise killed
        seen.taken.append(name)

    def draw(jumps, evolution, noise, n, seed):
        seen.drawn.append((n, seed))
        return sequences(4, seed=seed % 997 + (jumps == "grid"))

    def train_case(case, keeper, test):
        take(case.name)
        numbers = dict.fromkeys(
            ("rel_mu", "rel_mu_median", "rel_change", "rel_change_median", "peak_after_hold",
             "validation_rel_mu", "minimal_loss", "seconds"), 1.0 + case.seed,
        )  # fmt: skip
        facts = {k: getattr(case, k)
                 for k in ("jumps", "evolution", "noise", "size", "recipe", "seed")}  # fmt: skip
        shown = {"velocity": [[1.0]], "change": [[0.0]], "predicted": [[0.5]], "rel_mu": [1.0]}
        return {
            "row": {**facts, **numbers, "loss": [2.0, 1.0], "steps": 3},
            "shown": None if case.seed else shown,
        }  # fmt: skip

    def stages(data, test, epochs, keeper):
        take("appendix")
        return [{"stage": "ME", "epochs": epochs}]

    monkeypatch.setattr(whole, "draw", draw)
    monkeypatch.setattr(whole, "train_case", train_case)
    monkeypatch.setattr(whole, "appendix", stages)
    monkeypatch.setattr(whole, "healing_in_holds", lambda keeper, size: [{"hold": size}])
    monkeypatch.setattr(whole, "best_estimate", lambda data, **_: data.change - 0.01)
    return seen


def test_killed_in_any_step_it_ends_with_the_same_numbers_and_none_taken_twice(
    toy, tmp_path, killed
):
    first = study.run("smoke", tmp_path / "whole")
    steps = list(toy.taken)
    assert len(steps) == len(list(SMOKE.cases())) + 1 and steps[-1] == "appendix"
    for k in range(len(steps)):
        toy.taken.clear()
        toy.die = k
        out = tmp_path / f"{k}"
        with pytest.raises(killed):
            study.run("smoke", out)
        assert toy.taken == steps[:k] and not (out / "metrics.json").exists()
        again = study.run("smoke", out, resume=True)
        assert toy.taken == steps
        for name in ("rows", "floors", "appendix", "healing", "headline", "paper"):
            assert again[name] == first[name], name
        shown = [(folder / "shown.json").read_bytes() for folder in (out, tmp_path / "whole")]
        assert shown[0] == shown[1]


def test_what_the_study_comes_to(toy, tmp_path):
    metrics = study.run("smoke", tmp_path)
    assert metrics["study"] == "slide-hold-learn" and "does not say which norm" in metrics["norm"]
    # The floor is that of free jumps alone: on the grid other sequences are missed by as much
    free = sequences(4, seed=whole.TEST_SEED % 997).change
    assert metrics["floors"] == {"aging": pytest.approx(summary(free - 0.01, free), rel=1e-5)}
    assert metrics["headline"]["free_floor_rel_mu"] == metrics["floors"]["aging"]["rel_mu"]
    assert metrics["appendix"] == [{"stage": "ME", "epochs": SMOKE.appendix[1]}]
    assert metrics["healing"] == [{"hold": 10}]
    assert metrics["training_seconds"] == len(list(SMOKE.cases()))


def test_the_test_is_drawn_from_a_seed_that_nothing_learns_from(toy, asked, tmp_path):
    """Of the largest preset: seeds of training, of validation and of the test never meet."""
    study.run("smoke", tmp_path)
    tested = [seed for n, seed in toy.drawn if n == SMOKE.tests]
    assert tested == [whole.TEST_SEED] * 2
    for case in study.PRESETS["paper"].cases():
        if case.recipe != "cell" or case.size != 10 or case.noise == "noisy":
            continue
        cases.train_case(case, Keeper(SMOKE, tmp_path), sequences(12))
    learned = {seed for *_, n, seed in asked.drawn if n == 10}
    validated = {seed for *_, n, seed in asked.drawn if n == cases.VALIDATION}
    assert learned == set(range(5)) and len(validated) == 5
    assert not learned & validated and whole.TEST_SEED not in learned | validated


def test_figures_get_the_loss_and_the_first_sequences_of_the_shown_cases(toy, tmp_path):
    import json

    study.run("smoke", tmp_path)
    shown = json.loads((tmp_path / "shown.json").read_text())
    assert [(x["recipe"], x["jumps"]) for x in shown] == [
        (recipe, jumps) for recipe in ("cell", "gru", "paper") for jumps in ("free", "grid")
    ]
    assert all(x["loss"] == [2.0, 1.0] and x["predicted"] == [[0.5]] for x in shown)
    assert all((x["steps"], x["seconds"], x["size"]) == (3, 1.0, 10) for x in shown)

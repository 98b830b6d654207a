"""Rows, headline and table of Slide, Hold, Learn: from numbers that are made by hand."""

import json
from dataclasses import astuple

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric.studies import slide_hold_learn as study
from jaxfric.studies.slide_hold_learn._data import Sequences
from jaxfric.studies.slide_hold_learn._metrics import peak_after_hold, predict, summary
from jaxfric.studies.slide_hold_learn._presets import OTHERS, SHOWN, Case
from jaxfric.studies.slide_hold_learn._summary import MEANS, PAPER, headline, rows_of


def sequences(velocity, change, target=None, slip=None):
    velocity, change = jnp.asarray(velocity, float), jnp.asarray(change, float)
    slip = jnp.zeros_like(velocity) if slip is None else jnp.asarray(slip, float)
    return Sequences(velocity, slip, change, change if target is None else jnp.asarray(target))


# ---------------------------------------------------------------- which trainings


@pytest.mark.parametrize("name", ["smoke", "laptop", "paper"])
def test_every_training_of_a_preset_has_a_file_of_its_own(name):
    """By hand: three recipes in every case, the cell that knows the slip where jumps are free."""
    plan = study.PRESETS[name]
    cases = list(plan.cases())
    assert len({case.name for case in cases}) == len(cases)
    kinds = len(plan.noises) * len(plan.jumps) * len(plan.evolutions)
    common = 3 * kinds * len(plan.sizes)
    with_slip = len(plan.evolutions) * len(plan.sizes)
    others = len(OTHERS) * len(plan.jumps)
    assert len(cases) == plan.seeds * (common + with_slip + others)
    assert {case.recipe for case in cases} == set(study.RECIPES)
    assert {case.seed for case in cases} == set(range(plan.seeds))


def test_a_name_holds_all_that_tells_trainings_apart():
    case = Case("free", "aging", "noisy", 100, "cell with slip", 2)
    assert case.name == "free_aging_noisy_100_cell-with-slip_2"
    assert astuple(case) == ("free", "aging", "noisy", 100, "cell with slip", 2)


def test_other_networks_learn_the_largest_clean_set_of_the_aging_law_alone():
    plan = study.PRESETS["laptop"]
    others = [case for case in plan.cases() if case.recipe in OTHERS]
    assert {(x.evolution, x.noise, x.size) for x in others} == {("aging", "clean", 1000)}
    assert {(x.recipe, x.jumps) for x in others} == {
        (name, jumps) for name in OTHERS for jumps in ("free", "grid")
    }
    with_slip = [case for case in plan.cases() if case.recipe == "cell with slip"]
    assert {(x.jumps, x.noise) for x in with_slip} == {("free", "clean")}
    on_grid = study.Preset((10,), 1, 1, {}, 1, jumps=("grid",))
    assert "cell with slip" not in {case.recipe for case in on_grid.cases()}


def test_one_case_of_the_gru_is_trained_to_its_end():
    plan = study.PRESETS["laptop"]
    long = [case for case in plan.cases() if plan.gradient_steps(case) == plan.long_gru]
    assert {astuple(case)[:-1] for case in long} == {("grid", "aging", "clean", 1000, "gru")}
    assert len(long) == plan.seeds
    for case in plan.cases():
        if case in long:
            continue
        # The networks that the paper names as next share the steps of the GRU
        assert plan.gradient_steps(case) == plan.steps["gru" if case.recipe in OTHERS else
                                                       case.recipe]  # fmt: skip


def test_figures_show_the_first_seed_of_the_largest_clean_sets():
    plan = study.PRESETS["laptop"]
    shown = [case for case in plan.cases() if case.shown(plan)]
    assert {(case.jumps, case.recipe) for case in shown} == {
        (jumps, recipe) for jumps in ("free", "grid") for recipe in SHOWN
    }
    assert len(shown) == 6
    assert {astuple(x)[1:4] + (x.seed,) for x in shown} == {("aging", "clean", 1000, 0)}


def test_batches_are_those_of_the_paper_where_the_recipe_is():
    """32 / 10 / 1 / 1 for 10,000 / 1,000 / 100 / 10 sequences."""
    sizes = (10, 100, 1000, 10_000)
    batches = {name: [recipe.batch(n) for n in sizes] for name, recipe in study.RECIPES.items()}
    assert batches["paper"] == [1, 1, 10, 32]
    assert batches["cell"] == batches["cell with slip"] == [10, 32, 32, 32]
    for name in ("gru", *OTHERS):
        assert batches[name] == [10, 10, 10, 10]
    assert [name for name, recipe in study.RECIPES.items() if recipe.slip] == ["cell with slip"]
    assert [name for name, recipe in study.RECIPES.items() if recipe.patience] == ["paper"]


# ---------------------------------------------------------------- scores


@given(st.floats(-0.1, 0.1), st.floats(0.01, 0.1))
def test_an_offset_of_every_sample_is_its_share_of_friction(miss, level):
    true = np.full((2, 5), level)
    change, friction = study.errors(jnp.asarray(true + miss), jnp.asarray(true))
    np.testing.assert_allclose(friction, 100 * abs(miss) / (0.415 + level), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(change, 100 * abs(miss) / level, rtol=1e-3, atol=1e-4)


def test_means_and_medians_over_sequences_that_change():
    """Three sequences, misses of 1, 2 and 9 % of the change, and one that does not change."""
    true = np.array([[0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [0.0, 0.0]])
    predicted = true + np.array([[0.001], [0.002], [0.009], [0.004]])
    found = summary(jnp.asarray(predicted), jnp.asarray(true))
    assert found["rel_change"] == pytest.approx(4.0, rel=1e-4)
    assert found["rel_change_median"] == pytest.approx(2.0, rel=1e-4)
    of_friction = [0.1 / 0.515, 0.2 / 0.515, 0.9 / 0.515, 0.4 / 0.415]
    assert found["rel_mu"] == pytest.approx(np.mean(of_friction), rel=1e-4)
    assert found["rel_mu_median"] == pytest.approx(np.median(of_friction), rel=1e-4)


def test_the_peak_is_scored_at_the_first_sample_after_a_hold():
    """Two holds: misses of 0.01 of a jump of 0.1, and of 0.06 of a jump of −0.2."""
    velocity = [[1.0, 1e-8, 1e-8, 2.0, 2.0], [1e-8, 0.5, 0.5, 0.5, 0.5]]
    change = np.array([[0.0, 0.1, 0.2, 0.3, 0.1], [0.0, -0.2, 0.0, 0.0, 0.0]])
    miss = np.array([[9.0, 9.0, 9.0, 0.01, 9.0], [9.0, -0.06, 9.0, 9.0, 9.0]])
    found = peak_after_hold(jnp.asarray(change + miss), sequences(velocity, change))
    assert found == pytest.approx((10 + 30) / 2, rel=1e-4)


def test_slip_reaches_a_network_that_asks_for_it_and_no_other():
    data = sequences(np.ones((3, 4)), np.zeros((3, 4)), slip=np.arange(12.0).reshape(3, 4))
    with_slip = predict(lambda v, dt, s: s + dt, data, slip=True)
    np.testing.assert_allclose(with_slip, data.slip + 0.25)
    without = predict(lambda v, dt, s=None: v if s is None else s, data)
    np.testing.assert_array_equal(without, data.velocity)


# ---------------------------------------------------------------- rows


def run(recipe="cell", seed=0, jumps="free", evolution="aging", noise="clean", size=10, **numbers):
    facts = {"jumps": jumps, "evolution": evolution, "noise": noise, "size": size}
    return {**facts, "recipe": recipe, "seed": seed, "steps": 100, **dict.fromkeys(MEANS, 1.0),
            **numbers}  # fmt: skip


def test_a_row_is_the_mean_over_seeds():
    runs = [
        run(seed=0, rel_mu=1.0, rel_change=None, steps=80),
        run("gru", seed=0, rel_mu=5.0),
        run(seed=1, rel_mu=4.0, rel_change=2.0, steps=120),
    ]
    cell, gru = rows_of(runs)
    assert (cell["recipe"], cell["seeds"], gru["recipe"], gru["seeds"]) == ("cell", 2, "gru", 1)
    assert cell["rel_mu"] == 2.5 and cell["rel_mu_spread"] == 1.5 and cell["steps"] == 120
    # What was not finite in one seed is not hidden by the others
    assert cell["rel_change"] is None and gru["rel_mu_spread"] == 0
    assert "seed" not in cell


@pytest.mark.parametrize("name, other", [
    ("jumps", "grid"), ("evolution", "slip"), ("noise", "noisy"), ("size", 100), ("recipe", "gru"),
])  # fmt: skip
def test_runs_that_differ_in_anything_but_the_seed_are_rows_of_their_own(name, other):
    rows = rows_of([run(), run(**{name: other}), run(seed=1)])
    assert [row["seeds"] for row in rows] == [2, 1]
    assert rows[1][name] == other


def row(recipe, rel_mu, validation, **facts):
    made = run(recipe, rel_mu=rel_mu, validation_rel_mu=validation, rel_mu_spread=0.5, **facts)
    return {**made, "seeds": 3}


def headline_of(*rows, floors=None):
    return headline({"rows": list(rows), "floors": floors or {}})


def test_between_networks_validation_chooses_and_not_the_test():
    """The gru is better on the test, but nobody could have known."""
    found = headline_of(row("cell", 3.0, 1.0), row("gru", 2.0, 1.1), row("paper", 0.1, 0.1))
    assert found["free_aging_clean_10_rel_mu"] == 3.0


@pytest.mark.parametrize("key, recipe, facts", [
    ("free_aging_clean_100_rel_mu", "cell", {"size": 100}),
    ("free_aging_noisy_1000_rel_mu", "gru", {"size": 1000, "noise": "noisy"}),
    ("grid_aging_clean_10_rel_mu", "cell", {"jumps": "grid"}),
    ("grid_aging_noisy_100_rel_mu", "gru", {"jumps": "grid", "size": 100, "noise": "noisy"}),
    ("grid_slip_clean_1000_rel_mu", "cell", {"jumps": "grid", "evolution": "slip", "size": 1000}),
    ("free_slip_increments_100_rel_mu", "cell with slip", {"size": 100}),
    ("paper_recipe_free_aging_clean_1000_rel_mu", "paper", {"size": 1000}),
])  # fmt: skip
def test_each_number_of_the_headline_has_its_case(key, recipe, facts):
    found = headline_of(row(recipe, 7.0, 1.0, **facts))
    assert {name for name, x in found.items() if x is not None} == {key}
    assert found[key] == 7.0


def test_the_gru_on_a_grid_stands_beside_the_best_of_ours():
    facts = {"jumps": "grid", "size": 1000}
    found = headline_of(row("gru", 2.0, 2.0, **facts), row("cell", 1.0, 1.0, **facts))
    assert found["grid_gru_aging_clean_1000_rel_mu"] == 2.0
    assert found["grid_aging_clean_1000_rel_mu"] == 1.0


def test_the_floor_is_that_of_the_aging_law():
    floors = {"aging": {"rel_mu": 0.25}, "slip": {"rel_mu": 9.0}}
    assert headline_of(floors=floors)["free_floor_rel_mu"] == 0.25
    assert headline_of()["free_floor_rel_mu"] is None


# ---------------------------------------------------------------- the table


@pytest.fixture
def metrics():
    stage = {"stage": "+IC", "minimal_loss": 0.0381, "paper_minimal_loss": 0.033, "rel_mu": 3.25,
             "rel_change": 49.57, "paper_error": 3.4, "sequences": 40, "epochs": 2}  # fmt: skip
    rows = [
        row("gru", 2.0, 1.0, jumps="grid", rel_mu_median=0.125),
        row("cell", 0.5, 1.0, size=100, peak_after_hold=6.125, rel_change=None, seconds=12.25),
        row("cell", 1.25, 1.0, size=10),
    ]
    return {
        "rows": rows, "floors": {"aging": {"rel_mu": 0.0883, "rel_change": 3.04}}, "paper": PAPER,
        "appendix": [stage], "healing": [{"hold": 0.02, "exact": 0.00752, "cell": 0.00751}],
    }  # fmt: skip


def test_the_table_is_ordered_by_case(metrics):
    lines = study.table(metrics).splitlines()
    cases = [line.split()[:5] for line in lines[2:5]]
    assert cases == [
        ["free", "aging", "clean", "10", "cell"], ["free", "aging", "clean", "100", "cell"],
        ["grid", "aging", "clean", "10", "gru"],
    ]  # fmt: skip


def test_numbers_stand_below_their_names(metrics):
    """Each number ends where its column's name ends."""
    head, _, _, line, *_ = study.table(metrics).splitlines()
    columns = {"rel-μ %": "0.5000", "± seeds": "0.5000", "rel-Δμ %": "-", "peak %": "6.12",
               "steps": "100", "time s": "12.2"}  # fmt: skip
    for name, number in columns.items():
        end = head.index(name) + len(name)
        assert line[:end].endswith(f" {number}"), name


def test_the_table_says_what_the_numbers_are_beside(metrics):
    text = study.table(metrics)
    assert "rel-μ 0.0883 %, rel-Δμ 3.04 %" in text
    assert "clean, aging: 10: 4.6, 100: 1.2, 1000: 0.62, 10000: 0.67 %" in text
    assert "noisy, slip: 10: 4.42" in text
    assert ("+IC    minimal loss 0.0381 (0.033), rel-Δμ 49.6 %, rel-μ 3.25 % (3.4 %); "
            "40 sequences, 2 epochs") in text  # fmt: skip
    names, numbers = (line.split() for line in text.splitlines()[-2:])
    assert names == ["hold", "exact", "cell"] and numbers == ["0.02000", "0.00752", "0.00751"]


def test_the_table_of_a_file_is_that_of_the_run(metrics):
    """JSON makes texts of sizes, and the table reads either."""
    stored = json.loads(json.dumps(metrics))
    assert study.table(stored) == study.table(metrics)

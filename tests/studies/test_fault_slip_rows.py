"""Rows, methods, headline and table of Predicting fault slip: answers that are made by hand."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sawtooth import TUNED, made, row

from jaxfric import training
from jaxfric.studies import fault_slip
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip import (
    _analyses as analyses,
    _ask as ask,
    _lines as of_methods,
    _rows as of_rows,
    _summary as summary,
)
from jaxfric.studies.fault_slip._ask import Answer
from jaxfric.studies.fault_slip._presets import PRESETS
from jaxfric.studies.fault_slip._training import members, sequence_network


def answer(lab, miss, spread=None, time=None):
    """Friction that misses by a constant, of each seed another."""
    friction = lab.friction + np.asarray(miss)[:, None]
    spread = None if spread is None else np.broadcast_to(np.asarray(spread), friction.shape)
    time = None if time is None else np.broadcast_to(time, friction.shape)
    return Answer(friction, spread, time, None)


# ---------------------------------------------------------------- rows


def test_a_row_of_each_seed_by_hand():
    """Misses of 0.01 and 0.02, times 0.5 s late; the band holds the first half of the test."""
    lab = made(clock=2.0)
    test = lab.test
    late = np.nan_to_num(lab.time_to_failure) + 0.5
    half = np.where(np.arange(lab.samples) < 420, 0.015, 0.005)
    rows = of_rows.rows_of(answer(lab, [0.01, -0.02], half, late), lab, test, TUNED, 6)
    assert [r["seed"] for r in rows] == [0, 1]
    y = lab.friction[test]
    for one, miss in zip(rows, (0.01, 0.02), strict=True):
        assert TUNED.made(one) and one["record"] == "made" and one["cycles"] == 6
        assert one["mape"] == pytest.approx(100 * np.mean(miss / y), rel=1e-3)
        assert one["r2"] == pytest.approx(1 - miss**2 / y.var(), rel=1e-3)
        # Of the networks' clock, one of whose seconds is two of the record
        assert one["ttf_mae"] == pytest.approx(1.0, rel=1e-3)
    assert rows[0]["band_coverage"] == pytest.approx(np.mean(np.arange(600)[test] < 420))
    assert rows[1]["band_coverage"] == 0.0


def test_a_row_has_no_column_for_what_was_not_asked():
    lab = made()
    (row,) = of_rows.rows_of(answer(lab, [0.01]), lab, lab.test, TUNED, 3)
    assert "ttf_mae" not in row and "band_coverage" not in row


def test_the_error_of_the_time_counts_where_the_time_is_known():
    lab = made()
    last = np.arange(lab.samples) > 500  # after the last failure
    time = np.where(last, 1e6, np.nan_to_num(lab.time_to_failure) - 2.0)
    assert of_rows.time_error(time, lab, lab.test) == pytest.approx(2.0)
    assert np.isnan(of_rows.time_error(time, lab, last))


def test_yardsticks_learn_from_the_cycles_seen_and_nothing_later():
    """What comes between them and the test is neither learnt from nor scored."""
    lab = made()
    between = (np.arange(lab.samples) >= 200) & ~lab.test
    changed = lab._replace(friction=np.where(between, 0.9, lab.friction))
    one, two = (of_rows.yardsticks(x, 1, lab.test) for x in (lab, changed))
    assert [r["method"] for r in one] == ["constant", "clock", "onset clock", "ridge"]
    for a, b in zip(one, two, strict=True):
        # Events are picked of the whole record, so that timing and drops may differ
        assert (a["mape"], a["r2"]) == (b["mape"], b["r2"])
    taught = lab._replace(friction=np.where(np.arange(600) < 150, 0.9, lab.friction))
    other = of_rows.yardsticks(taught, 1, lab.test)
    assert all(a["mape"] != b["mape"] for a, b in zip(one, other, strict=True))


def test_a_constant_is_the_mean_of_what_was_seen():
    lab = made(clock=0.5)
    scores, rows = of_rows.compared(lab, 1, lab.test, lab.friction + 0.01)
    seen = slice(ask.IGNORED, 200)
    y, left = lab.friction[lab.test], lab.time_to_failure
    constant = rows[0]
    expected = 100 * np.mean(np.abs(lab.friction[seen].mean() - y) / y)
    assert constant["mape"] == pytest.approx(expected, rel=1e-3)
    known = lab.test & np.isfinite(left)
    late = np.mean(np.abs(left[seen].mean() - left[known]))
    assert constant["ttf_mae"] == pytest.approx(0.5 * late, rel=1e-3)
    assert {r["cycles"] for r in rows} == {1} and {r["level"] for r in rows} == {"inferred"}
    assert scores["mape"] == pytest.approx(100 * np.mean(0.01 / y), rel=1e-3)


# ---------------------------------------------------------------- the lines


def test_lines_of_six_cycles_are_those_of_any_number_and_the_comparisons():
    few = list(of_methods.methods(3, PRESETS["laptop"]))
    six = list(of_methods.methods(6, PRESETS["laptop"]))
    assert few == list(of_methods.METHODS) and six[: len(few)] == few
    assert Method("sequence", "head", "inferred") in six and len(six) == len(few) + 1 + 8
    assert set(PRESETS["laptop"].cycles) >= {1, 3, 6}


def test_the_headline_asks_for_lines_that_exist():
    """A method that no line is would be None for ever."""
    plan = PRESETS["laptop"]
    for key, (method, cycles, _) in summary.HEADLINE.items():
        lines = [*of_methods.methods(cycles, plan)]
        lines += [of_rows.yardstick(kind) for kind in of_rows.YARDSTICKS]
        assert method in lines and cycles in plan.cycles, key


class Networks:
    """Trained networks, and what was asked of them."""

    def __init__(self):
        self.plan, self.seeds = PRESETS["smoke"], (0, 1)
        self.trained = members(sequence_network, self.seeds)

    def sequence(self):
        return self.trained

    def images(self):
        return "trained images"


@pytest.fixture
def asked(monkeypatch):
    seen = []

    def sequence(network, lab, cycles, part, **options):
        seen.append(("sequence", network, cycles, part, options))
        return answer(lab, [0.01, 0.02], 0.01, lab.energy)

    def images(network, lab, cycles, part, **options):
        seen.append(("encoder-decoder", network, cycles, part, options))
        readings = lab.friction[None] if part == "none" else None
        return answer(lab, [0.03, 0.06])._replace(readings=readings)

    monkeypatch.setattr(of_methods, "ask_sequence", sequence)
    monkeypatch.setattr(of_methods, "ask_images", images)
    return seen


@pytest.mark.usefixtures("stand_ins")
def test_a_method_is_asked_once_and_as_its_line_says(asked):
    networks, lab = Networks(), made()
    answers = of_methods.Answers(networks)
    first = answers.ask(Method("sequence", "all", "given"), lab, 3)
    assert answers.ask(Method("sequence", "all", "given"), lab, 3) is first
    ((kind, network, cycles, part, options),) = asked
    assert network is networks.trained and (kind, cycles, part) == ("sequence", 3, "all")
    assert options == {"given": True, "drift": True, "steps": PRESETS["smoke"].tuning}
    answers.ask(Method("sequence", "all", "inferred"), lab, 3)
    assert asked[1][-1]["given"] is False
    answers.ask(Method("sequence", "all", "given"), lab, 6)
    answers.ask(Method("sequence", "all", "given"), made(name="other"), 3)
    assert len(asked) == 4


@pytest.mark.usefixtures("stand_ins")
def test_the_mean_of_both_asks_either_once(asked):
    lab = made()
    answers = of_methods.Answers(Networks())
    one, two = (answers.ask(Method(k, "none", "inferred"), lab, 3) for k in of_methods.KINDS)
    both = answers.ask(Method("both", "none", "inferred"), lab, 3)
    assert len(asked) == 2
    np.testing.assert_allclose(both.friction, (one.friction + two.friction) / 2)
    np.testing.assert_array_equal(both.time, one.time)


@pytest.mark.usefixtures("stand_ins")
def test_untuned_images_are_read_once_for_all_parts(asked):
    """But a control has networks of its own, which nobody has read."""
    lab, answers = made(), of_methods.Answers(Networks())
    for part in ("latent", "all"):
        answers.ask(Method("encoder-decoder", part, "inferred"), lab, 3)
    assert [x[3] for x in asked] == ["none", "latent", "all"]
    for call in asked[1:]:
        np.testing.assert_array_equal(call[-1]["readings"], lab.friction[None])
    assert asked[0][-1]["readings"] is None


@pytest.mark.usefixtures("stand_ins")
def test_controls_take_away_what_they_name(asked):
    """From scratch nothing of the trained networks is left, "random" has their latent part."""
    networks, lab = Networks(), made()
    answers = of_methods.Answers(networks)
    fresh = members(sequence_network, (100, 101))

    def same(a, b):
        return [bool(jnp.array_equal(x, y)) for x, y in zip(
            *map(jax.tree_util.tree_leaves, (a, b)), strict=True)]  # fmt: skip

    for control, drift in (("from scratch", True), ("from scratch, no level path", False)):
        answers.ask(Method("sequence", "all", "inferred", control), lab, 6)
        assert all(same(asked[-1][1], fresh)) and asked[-1][-1]["drift"] is drift
    assert not all(same(fresh, networks.trained))
    answers.ask(Method("sequence", "latent", "inferred", "random"), lab, 6)
    mixed = asked[-1][1]
    latent = jax.tree_util.tree_leaves(training.parts(networks.trained, "latent"))
    assert any(latent) and not all(latent)
    differ = [not x for x in same(fresh, networks.trained)]  # biases begin at zero in either
    for is_latent, as_trained, as_fresh, drawn in zip(
        latent, same(mixed, networks.trained), same(mixed, fresh), differ, strict=True
    ):
        assert as_trained if is_latent else as_fresh
        assert not drawn or as_trained != as_fresh


# ---------------------------------------------------------------- headline and table


def headline_of(*rows):
    found = summary.headline({"rows": list(rows), "laboratory": ["made", "second"]})
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize("key", list(summary.HEADLINE))
def test_each_number_of_the_headline_is_one_column_of_one_method(key):
    method, cycles, column = summary.HEADLINE[key]
    numbers = {"mape": 1.0, "r2": 0.5, "ttf_mae": 3.0}
    mine = row(method, cycles, **numbers)
    others = [
        row(method, cycles + 1, **numbers), row(method, cycles, "held-out simulations", **numbers),
        row(Method(method.kind, method.part, method.level, "odd"), cycles, **numbers),
    ]  # fmt: skip
    assert headline_of(mine, *others)[key] == numbers[column]
    assert key not in headline_of(*others)


def test_the_headline_is_the_mean_of_what_is_finite_over_seeds_and_laboratories():
    rows = [row(TUNED, mape=1.0), row(TUNED, seed=1, mape=None), row(TUNED, seed=2, mape=np.nan),
            row(TUNED, record="second", mape=3.0),
            row(TUNED, record="third", mape=99.0)]  # fmt: skip
    assert headline_of(*rows) == {"latent_6_mape": 2.0}


def test_held_out_simulations_have_numbers_of_their_own():
    rows = [
        row(Method("sequence", "none", "given"), None, "held-out simulations", mape=2.0, r2=0.9),
        row(Method("onset clock", level="first 40 %"), None, "held-out simulations", mape=4.0),
    ]
    assert headline_of(*rows) == {
        "simulation_mape": 2.0, "simulation_r2": 0.9, "simulation_onset_clock_mape": 4.0,
    }  # fmt: skip


def test_the_table_has_a_line_for_each_method_part_level_and_number_of_cycles():
    rows = [
        row(TUNED, mape=1.0, r2=0.9, ttf_mae=0.875, timing=None, missed=0.25, drop_ratio=0.9),
        row(TUNED, seed=1, mape=2.0, r2=0.7, ttf_mae=0.875, timing=0.5, missed=0.0, drop_ratio=1.1),
        row(TUNED, 3, mape=7.0), row(Method("sequence", "all", "inferred"), mape=8.0),
        row(Method("sequence", "latent", "given"), mape=9.0),
        row(Method("ridge", level="first 40 %"), None, "held-out simulations", mape=5.0),
        row(Method("sequence", "latent", "given"), 0.5, mape=6.0),
    ]  # fmt: skip
    metrics = {"norm": "what numbers are", "rows": rows, "paper": {"note": "text", "other": 4.2},
               "headline": {"latent_6_mape": 1.5, "odd": None}}  # fmt: skip
    lines = fault_slip.table(metrics).splitlines()
    assert lines[0] == "what numbers are" and lines[2] == "record: made"
    # Means over seeds, and their range; what is not known in one seed is left out of its mean
    assert lines[4].split() == ["sequence", "latent", "6", "inferred", "1.50", "1.00..2.00",
                                "0.800", "0.88", "0.50", "0.12", "1.00"]  # fmt: skip
    assert [line.split()[1:5] for line in lines[5:9]] == [
        ["latent", "3", "inferred", "7.00"], ["all", "6", "inferred", "8.00"],
        ["latent", "6", "given", "9.00"], ["latent", "0.5", "given", "6.00"],
    ]  # fmt: skip
    assert lines[5].split()[5:] == ["-"] * 5
    assert lines[10] == "record: held-out simulations" and " - " in lines[12]
    assert lines[-2:] == ["paper (other records): other 4.2", "latent_6_mape: 1.5"]
    for name, number in (("MAPE %", "1.50"), ("R²", "0.800"), ("TTF s", "0.88"), ("drop", "1.00"),
                         ("timing s", "0.50"), ("missed", "0.12")):  # fmt: skip
        end = lines[3].index(name) + len(name)
        assert lines[4][:end].endswith(f" {number}"), name


# ---------------------------------------------------------------- analyses


def test_means_are_over_records_and_leave_out_what_is_not_known():
    rows = [
        {"method": "sequence", "seed": 0, "mape": 1.0, "timing": np.nan},
        {"method": "sequence", "seed": 0, "mape": 3.0, "timing": 0.5},
        {"method": "sequence", "seed": 1, "mape": 5.0, "timing": 1.5},
        {"method": "clock", "seed": 0, "mape": 9.0, "timing": None},
        {"method": "clock", "seed": 0, "mape": 7.0, "timing": 2.0},
    ]
    for r in rows:
        r |= {"r2": 0.5, "missed": 0.0, "drop_ratio": 1.0, "ttf_mae": 2.0, "level": "odd"}
    found = analyses._means(rows, "all of them")
    assert [(r["method"], r["seed"], r["records"], r["mape"], r["timing"], r["level"])
            for r in found] == [
        ("sequence", 0, 2, 2.0, 0.5, "given"), ("sequence", 1, 1, 5.0, 1.5, "given"),
        ("clock", 0, 2, 8.0, 2.0, "first 40 %"),
    ]  # fmt: skip
    assert {(r["record"], r["cycles"]) for r in found} == {("all of them", None)}


@pytest.mark.usefixtures("stand_ins")
def test_half_a_cycle_teaches_with_patience(monkeypatch):
    """The second whole cycle, from its first failure to the middle and from there to the next."""
    seen = []

    def sequence(network, lab, cycles, part, **options):
        seen.append((cycles, part, options))
        return answer(lab, [0.01])

    monkeypatch.setattr(analyses, "ask_sequence", sequence)
    rows = analyses.parts_of_a_cycle(SimpleNamespace(sequence=lambda: "networks"), made())
    assert [x[2]["only"] for x in seen] == [(200, 250), (250, 300)]
    assert all(x[:2] == (2, "latent") for x in seen)
    assert all(x[2]["given"] is True and x[2]["patience"] == 100 for x in seen)
    assert [r["control"] for r in rows] == ["post-failure half of one cycle",
                                            "pre-failure half of one cycle"]  # fmt: skip
    assert {r["cycles"] for r in rows} == {0.5}


@pytest.mark.usefixtures("stand_ins")
def test_a_fault_that_is_tuned_on_is_no_test_at_any_load(monkeypatch):
    """Six faults at the first load, of which two teach; one of the others creeps at the second."""
    tuned_on, read = [], []

    def at_loads(loads, count, seconds):
        assert count == 9
        numbers = {2.5e6: range(6), 4e6: (0, 1, 2, 4, 5)}
        return {load: {n: made(name=f"{n} at {load:g}") for n in numbers[load]} for load in loads}

    def sequence(network, lab, cycles, part, **options):
        if part == "latent":
            tuned_on.append((network, lab.name, cycles))
        else:
            read.append((network, lab.name))
        return answer(lab, [0.01])._replace(network=f"tuned on {lab.name}")

    def rows(found, lab, test, method, cycles):
        assert test.sum() == lab.samples - ask.IGNORED
        return [{"method": "sequence", "seed": 0, **dict.fromkeys(analyses.TABLE, 1.0),
                 "name": lab.name}]  # fmt: skip

    monkeypatch.setattr(analyses, "_at_loads", at_loads)
    monkeypatch.setattr(analyses, "ask_sequence", sequence)
    monkeypatch.setattr(analyses, "rows_of", rows)
    trained = SimpleNamespace(plan=PRESETS["smoke"], sequence=lambda: "networks")
    found = analyses.load_series(trained)
    assert tuned_on == [("networks", "0 at 2.5e+06", 6), ("networks", "1 at 2.5e+06", 6)]
    for number in (0, 1):
        names = [x for network, x in read if network == f"tuned on {number} at 2.5e+06"]
        assert names == ["2 at 2.5e+06", "3 at 2.5e+06", "4 at 2.5e+06",
                         "2 at 4e+06", "4 at 4e+06", "5 at 4e+06"]  # fmt: skip
    assert [(r["load"], r["record"], r["records"]) for r in found] == [
        (2.5e6, "2.5 MPa", 6), (4e6, "4 MPa", 6),
    ]  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
def test_ablations_differ_in_one_thing(monkeypatch):
    seen, asked_for = [], []

    class Trained:
        def train_variants(self, names, images):
            asked_for.append((tuple(names), dict(images)))

        def sequence_variant(self, name):
            return f"sequence {name}"

        def image_variant(self, name, **options):
            return f"images {name} {sorted(options)}"

    def sequence(network, lab, cycles, part, **options):
        seen.append((network, cycles, part, options))
        return answer(lab, [0.01])

    monkeypatch.setattr(analyses, "ask_sequence", sequence)
    monkeypatch.setattr(analyses, "ask_images", sequence)
    monkeypatch.setattr(analyses, "in_threads", lambda work, items: [work(x) for x in items])
    rows = analyses.ablations(Trained(), made(), 6)
    ((simulations, images),) = asked_for
    assert simulations == ("as it is", "no averaging", "larger drops", "inertia")
    assert [r["control"] for r in rows] == [f"ablation: {x}" for x in (
        *simulations, "as it is", "no skips", "no level path", "whole record",
        "no relaxation of the level")]  # fmt: skip
    assert [r["kind"] for r in rows] == ["sequence"] * 4 + ["encoder-decoder"] * 4 + ["sequence"]
    assert {(x[1], x[2]) for x in seen} == {(6, "latent")}
    drifts = [x[3].get("drift") for x in seen if x[0].startswith("sequence")]
    assert drifts == [True] * 4 + [False] and seen[-1][0] == "sequence as it is"
    causal = {x[0]: x[3]["causal"] for x in seen if x[0].startswith("images")}
    assert causal == {
        "images as it is []": True, "images no skips ['skips']": True,
        "images no level path ['level']": True, "images whole record ['causal']": False,
    }  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
def test_held_out_faults_are_scored_on_their_last_part(monkeypatch):
    """Yardsticks learn from all cycles that end before it; without one they are left out."""
    seen = []
    records = SimpleNamespace(
        count=2, log_energy=np.zeros((2, 1, 600)), friction=np.stack([[np.full(600, 0.4)]] * 2)
    )

    def laboratory(name, energy, friction):
        return made(name=name, period=100 if name.endswith("0") else 300)

    def yardsticks(lab, cycles, test):
        seen.append((lab.name, cycles))
        return []

    def sequence(network, lab, cycles, part, *, given):
        assert (network, cycles, part, given) == ("networks", 0, "none", True)
        return answer(lab, [0.01], time=lab.energy)

    monkeypatch.setattr(analyses, "simulated_laboratory", laboratory)
    monkeypatch.setattr(analyses, "yardsticks", yardsticks)
    monkeypatch.setattr(analyses, "ask_sequence", sequence)
    asked = []
    trained = SimpleNamespace(
        records=lambda split: asked.append(split) or records, sequence=lambda: "networks"
    )
    (mean,) = analyses.on_simulations(trained)
    # The test begins at 240: of failures at 100 and 200 one cycle is whole; at 300 none
    assert asked == ["test"] and seen == [("simulated 0", 1)]
    assert mean["record"] == "held-out simulations" and mean["records"] == 2


@pytest.mark.usefixtures("stand_ins")
def test_simulated_laboratories_have_cycles_enough(monkeypatch):
    """Faults are drawn from one seed after the other until enough of them slip."""
    seeds = []

    def simulate(seed, count, **options):
        seeds.append((seed, count, options["seconds"], options["drift"]))
        nothing = np.zeros((2, 1, 9))
        return SimpleNamespace(count=2, log_energy=nothing, friction=nothing)

    def laboratory(name, energy, friction):
        # Every second one fails six times, the others five
        slow = len(seeds) * 10 + laboratory.calls
        laboratory.calls += 1
        return made(samples=700 if slow % 2 == 0 else 600, name=name)

    laboratory.calls = 0
    monkeypatch.setattr(analyses, "simulate_records", simulate)
    monkeypatch.setattr(analyses, "simulated_laboratory", laboratory)
    plan = PRESETS["smoke"]._replace(laboratories=3)
    labs = analyses.simulated_laboratories(plan)
    assert [lab.name for lab in labs] == [f"simulated laboratory {k}" for k in (1, 2, 3)]
    assert all(lab.starts.size >= max(plan.cycles) + 3 for lab in labs)
    assert seeds == [(77 + k, 12, plan.seconds, True) for k in range(3)]

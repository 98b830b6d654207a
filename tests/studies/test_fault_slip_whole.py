"""The study Predicting fault slip without training: splits of records, networks, kills."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from sawtooth import made, row

from jaxfric.studies import fault_slip
from jaxfric.studies._kit import Keeper, Method
from jaxfric.studies.fault_slip import (
    _lines as of_methods,
    _rows as of_rows,
    _study as whole,
    _trained as of_study,
)
from jaxfric.studies.fault_slip._data import Records
from jaxfric.studies.fault_slip._presets import PRESETS
from jaxfric.studies.fault_slip._training import Members

# ---------------------------------------------------------------- records and networks


def simulated(n, m=20):
    numbers = jnp.arange(float(n))
    return Records(
        numbers[:, None, None] * jnp.ones((n, 3, m)), numbers[:, None, None] * jnp.ones((n, 3, m)),
        numbers[:, None] * jnp.ones((n, m)), jnp.ones((n, m), bool), 5 + numbers, n + 2,
    )  # fmt: skip


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """A study's networks: the simulator counts its calls."""
    seen = []

    def simulate(seed, count, **options):
        seen.append((seed, count, options))
        return simulated(min(count, 17))

    monkeypatch.setattr(of_study, "simulate_records", simulate)
    plan = PRESETS["laptop"]._replace(ablation_records=10)
    found = of_study.Trained(Keeper(plan, tmp_path))
    found.simulations = seen
    return found


def test_every_fault_is_in_one_part(trained):
    """60, 20 and 20 % of 17 records; each is where it was after a kill."""
    parts = {name: np.asarray(trained.records(name).recurrence) for name in
             ("train", "validate", "test")}  # fmt: skip
    assert {name: len(x) for name, x in parts.items()} == {"train": 10, "validate": 3, "test": 4}
    np.testing.assert_array_equal(np.concatenate(list(parts.values())), 5 + np.arange(17))
    assert len(trained.simulations) == 1 and trained.simulations[0][:2] == (1, 1000)
    again = of_study.Trained(trained.keeper)
    np.testing.assert_array_equal(again.records("test").friction, trained.records("test").friction)
    assert again.all_chains.simulated == 19 and len(trained.simulations) == 1
    made = trained.keeper.step("simulated", pytest.fail)
    assert made == {"simulated": 19, "kept": 17}


def test_ablations_have_as_many_records_each(trained):
    """Six of ten that are drawn, of the study's own or of another kind of fault."""
    own = trained.variant_records("as it is")
    assert own.count == 6 and np.all(np.isin(own.recurrence, trained.records("train").recurrence))
    for name in ("no averaging", "larger drops", "no averaging"):
        assert trained.variant_records(name).count == 6
    first, *others = trained.simulations
    assert [(seed, count) for seed, count, _ in others] == [(2, 10)] * 2
    assert others[0][2] == {"average": False}
    assert others[1][2]["ranges"].drop == (0.04, 0.20)


@pytest.fixture
def jobs(monkeypatch, trained):
    """Trainings that count, of networks with one weight."""
    seen = []

    def sequence(records, seeds, steps, *, checkpoint):
        seen.append((checkpoint.name, records.count, seeds, steps, {}))
        return Members({"w": jnp.full(len(seeds), float(steps))}, {"loss": np.ones((2, 1))})

    def images(records, seeds, steps, *, checkpoint, **options):
        seen.append((checkpoint.name, records.count, seeds, steps, options))
        return Members({"w": jnp.full(len(seeds), float(steps))}, {"loss": np.ones((2, 1))})

    monkeypatch.setattr(of_study, "train_sequence", sequence)
    monkeypatch.setattr(of_study, "train_images", images)
    monkeypatch.setattr(of_study, "members", lambda make, seeds: {"w": jnp.zeros(len(seeds))})
    return seen


@pytest.mark.usefixtures("stand_ins")
def test_networks_learn_from_the_training_part_alone_and_once(trained, jobs):
    trained.train()
    plan = trained.plan
    assert sorted(jobs) == [("images", 10, (0, 1, 2), plan.image_steps, {}),
                            ("sequence", 10, (0, 1, 2), plan.steps, {})]  # fmt: skip
    np.testing.assert_array_equal(trained.sequence()["w"], [plan.steps] * 3)
    np.testing.assert_array_equal(trained.images()["w"], [plan.image_steps] * 3)
    history = trained.keeper.step("trained", pytest.fail)
    assert history == {"sequence": {"loss": [[1.0], [1.0]]}, "images": {"loss": [[1.0], [1.0]]}}
    jobs.clear()
    # Killed after the networks were written and before the step was: nothing is trained again
    (trained.keeper.out / "runs" / "trained.json").unlink()
    of_study.Trained(trained.keeper).train()
    assert not jobs


@pytest.mark.usefixtures("stand_ins")
def test_a_killed_training_keeps_the_network_that_was_done(trained, jobs, monkeypatch, killed):
    whole_images = of_study.train_images

    def dies(*_, **__):
        raise killed

    monkeypatch.setattr(of_study, "train_images", dies)
    monkeypatch.setattr(of_study, "in_threads", lambda work, items: [work(x) for x in items])
    with pytest.raises(killed):
        trained.train()
    assert trained.keeper.has("sequence") and not trained.keeper.has("images")
    monkeypatch.setattr(of_study, "train_images", whole_images)
    of_study.Trained(trained.keeper).train()
    assert [name for name, *_ in jobs] == ["sequence", "images"]


@pytest.mark.usefixtures("stand_ins")
def test_networks_of_ablations_have_files_of_their_own(trained, jobs):
    variants = {"as it is": {}, "no skips": {"skips": False}}
    trained.train_variants(("as it is", "larger drops"), variants)
    steps = trained.plan.ablation_steps
    assert sorted(jobs) == sorted([
        ("sequence_as-it-is", 6, (0,), steps, {}), ("sequence_larger-drops", 6, (0,), steps, {}),
        ("images_as-it-is", 6, (0,), steps, {}), ("images_no-skips", 6, (0,), steps,
                                                  {"skips": False}),
    ])  # fmt: skip
    np.testing.assert_array_equal(trained.sequence_variant("larger drops")["w"], [steps])
    np.testing.assert_array_equal(trained.image_variant("no skips", skips=False)["w"], [steps])
    jobs.clear()
    simulated_before = len(trained.simulations)
    again = of_study.Trained(trained.keeper)
    again.train_variants(("as it is", "larger drops"), variants)
    # Neither trained nor simulated again
    assert not jobs and len(trained.simulations) == simulated_before


@pytest.mark.usefixtures("stand_ins")
def test_an_encoder_decoder_of_times_learns_times(trained, jobs, monkeypatch):
    monkeypatch.setattr(Records, "timed", lambda self: self.subset(slice(0, 7)))
    trained.image_timer()
    assert jobs == [("images_times", 7, (0,), trained.plan.time_steps, {})]


# ---------------------------------------------------------------- the whole study


@pytest.fixture
def toy(monkeypatch, killed):
    """The study with steps that count; `toy.die` is the step in which it is killed."""
    seen = SimpleNamespace(taken=[], die=None)

    def take(name):
        if seen.die == len(seen.taken):
            seen.die = None
            raise killed
        seen.taken.append(name)

    def analysis(name):
        def asked(*_):
            take(name)
            return [row(Method("sequence", "none", "given"), None, name, mape=2.0)]

        return asked

    def yardsticks(lab, cycles, test):
        take(f"yardsticks {cycles}")
        return [row(of_rows.yardstick("clock"), cycles, lab.name, mape=4.0, ttf_mae=1.0)]

    def rows(found, lab, test, method, cycles):
        assert np.array_equal(test, lab.test)
        take((method, cycles))
        return [row(method, cycles, lab.name, seed, mape=1.0 + seed) for seed in (0, 1)]

    class Answers:
        def __init__(self, trained):
            pass

        def ask(self, method, lab, cycles):
            return (method, cycles)

    class Trained:
        def __init__(self, keeper):
            pass

        def train(self):
            take("trained")

    monkeypatch.setattr(whole, "Answers", Answers)
    monkeypatch.setattr(whole, "Trained", Trained)
    monkeypatch.setattr(whole, "yardsticks", yardsticks)
    monkeypatch.setattr(whole, "rows_of", rows)
    monkeypatch.setattr(whole, "laboratory", lambda record: record)
    monkeypatch.setattr(whole, "shown", lambda trained, lab, cycles, *by_kind: {
        "cycles": cycles, "asked": [method.kind for method, _ in by_kind]})  # fmt: skip
    for name in ("parts_of_a_cycle", "ablations", "times_by_images", "load_series"):
        monkeypatch.setattr(whole.analyses, name, analysis(name))
    monkeypatch.setattr(whole.analyses, "on_simulations", analysis("held-out simulations"))
    monkeypatch.setattr(whole.analyses, "simulated_laboratories", lambda plan: [
        made(name=f"simulated laboratory {k + 1}") for k in range(plan.laboratories)])  # fmt: skip
    return seen


@pytest.mark.usefixtures("stand_ins")
def test_killed_in_any_step_it_ends_with_the_same_rows_and_none_taken_twice(toy, tmp_path, killed):
    first = fault_slip.run("smoke", tmp_path / "whole")
    steps = list(toy.taken)
    assert len(steps) == 1 + 1 + len(of_methods.METHODS) + 2
    for k in range(1, len(steps)):
        toy.taken.clear()
        toy.die, out = k, tmp_path / f"{k}"
        with pytest.raises(killed):
            fault_slip.run("smoke", out)
        assert toy.taken == steps[:k] and not (out / "metrics.json").exists()
        again = fault_slip.run("smoke", out, resume=True)
        # Training is a step of its own and asked for at every start
        assert toy.taken[:k] + toy.taken[k + 1 :] == steps and toy.taken[k] == "trained"
        for name in ("rows", "laboratory", "headline"):
            assert again[name] == first[name]
        assert (out / "shown.json").read_bytes() == (tmp_path / "whole/shown.json").read_bytes()


@pytest.mark.usefixtures("stand_ins")
def test_the_laptop_preset_asks_every_line_at_every_number_of_cycles(toy, tmp_path):
    import json

    lab = made(samples=1400, name="my record")
    metrics = fault_slip.run("laptop", tmp_path, lab)
    assert metrics["laboratory"] == ["my record"]
    asked = [x for x in toy.taken if isinstance(x, tuple)]
    assert len(asked) == len(set(asked)) == 4 * len(of_methods.METHODS) + 1 + 8
    assert {"parts_of_a_cycle", "ablations", "times_by_images", "load_series"} <= set(
        x for x in toy.taken if isinstance(x, str)
    )
    assert metrics["headline"]["latent_6_mape"] == 1.5 == metrics["headline"]["any_1_mape"]
    assert metrics["headline"]["clock_6_mape"] == 4.0
    assert metrics["headline"]["simulation_mape"] == 2.0
    shown = json.loads((tmp_path / "shown.json").read_text())
    assert shown == {"cycles": 6, "asked": ["sequence", "encoder-decoder"]}
    assert (tmp_path / "runs/my-record_both_all_inferred_12.json").exists()


@pytest.mark.usefixtures("stand_ins")
def test_a_record_with_too_few_cycles_is_refused_before_anything_is_trained(toy, tmp_path):
    with pytest.raises(ValueError, match="12 cycles to learn from were asked for.*ask for fewer"):
        fault_slip.run("laptop", tmp_path / "out", made())
    assert not toy.taken and not (tmp_path / "out").exists()


def test_a_folder_without_a_study_has_no_networks(tmp_path):
    with pytest.raises(FileNotFoundError):
        fault_slip.read_back(tmp_path)

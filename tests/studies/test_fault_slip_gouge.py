"""Grains that networks learn from: clocks, instruments, parts, and the layers that are kept."""

import hashlib
import json
from importlib import resources
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxfric.studies import fault_slip
from jaxfric.studies._kit import Keeper
from jaxfric.studies.fault_slip import (
    _gouge_records as of_records,
    _in_time as of_time,
    _trained as of_study,
)
from jaxfric.studies.fault_slip._ask import Answer
from jaxfric.studies.fault_slip._gouge_records import gouge_records, joined_records
from jaxfric.studies.fault_slip._gouge_runs import (
    BEGIN,
    GougeRuns,
    facts,
    kept_gouge,
    sheared_layer,
    simulate_gouge,
)
from jaxfric.studies.fault_slip._presets import PRESETS

CYCLE = 90  # samples


def sawteeth(layers=5, cycles=22, cycle=CYCLE):
    """Layers that load for nine tenths of a cycle, and sound while they slip."""
    phase = np.arange(cycles * cycle) % cycle / cycle
    loading = np.where(phase < 0.9, phase / 0.9, (1 - phase) / 0.1)
    friction = np.stack([0.2 + 0.01 * k + 0.2 * loading for k in range(layers)])
    kinetic = np.stack([np.where(phase < 0.9, 1e-4, 1.0)] * layers)
    some = np.ones(layers)
    return GougeRuns(
        friction.astype(np.float32), kinetic.astype(np.float32), some, some,
        np.zeros((layers, 2, BEGIN)), np.arange(layers),
    )  # fmt: skip


@pytest.fixture(scope="module")
def heard():
    return gouge_records(sawteeth(), 0, clocks=3)


def test_cycles_last_as_long_as_they_were_drawn(heard):
    """5 layers at 3 clocks: records of 120 s, cycles of 4 to 12 s and the layers' own shape."""
    assert heard.count == heard.simulated == 15
    assert heard.friction.shape == heard.log_energy.shape == (15, 3, 1200)
    assert (np.asarray(heard.recurrence) > 3.9).all() and (
        np.asarray(heard.recurrence) < 16.4
    ).all()
    assert np.ptp(heard.recurrence) > 2
    # Layers one after another, 0.01 apart; the average over an instrument's window smooths the rest
    level = np.asarray(heard.friction).mean((1, 2)).reshape(5, 3)
    np.testing.assert_allclose(level.mean(1), 0.3 + 0.01 * np.arange(5), atol=0.01)
    assert (np.asarray(heard.friction) < 0.45).all() and (np.asarray(heard.friction) > 0.19).all()


def test_emission_is_loud_where_friction_falls(heard):
    """In each record, on average over its instruments, whose backgrounds follow the load."""
    slope = np.diff(np.asarray(heard.friction).mean(1), axis=-1)
    energy = np.asarray(heard.log_energy)[..., 1:]
    energy = ((energy - energy.mean(-1, keepdims=True)) / energy.std(-1, keepdims=True)).mean(1)
    falls = slope < 0.3 * slope.min(-1, keepdims=True)
    loud = [e[f].mean() - e[~f].mean() for e, f in zip(energy, falls, strict=True)]
    assert np.median(loud) > 0.3


def test_a_clock_does_not_change_the_sum_of_the_motion():
    """The mean friction of a record is that of the stretch of the layer that it is cut from."""
    runs, rng = sawteeth(1), np.random.default_rng(3)
    kinetic, friction, level = of_records._on_a_clock(runs, 0, rng, 100.0, (8.0, 8.001))
    mean = (friction[-1] - friction[0]) / (of_records.DT * (friction.size - 1))
    assert mean == pytest.approx(float(runs.friction.mean()), abs=0.01)
    assert (np.diff(kinetic) > 0).all() and np.ptp(level) == 0


def test_layers_that_do_not_slip_are_left_out():
    still = sawteeth(2)
    still.friction[1] = 0.3
    assert gouge_records(still, 0, clocks=2).count == 2
    still.friction[0] = 0.3
    with pytest.raises(ValueError, match="no layer has the cycles for records of 120 s"):
        gouge_records(still, 0, clocks=2)


def test_joined_records_end_with_the_shortest(heard):
    short = gouge_records(sawteeth(2), 1, clocks=1, seconds=60.0, recurrence=(4.0, 5.0))
    both = joined_records([heard, short])
    assert both.count == 17 and both.simulated == 17
    assert both.friction.shape == (17, 3, 600) and both.known.shape == (17, 600)
    np.testing.assert_array_equal(both.log_energy[:15], heard.log_energy[..., :600])


def test_every_layer_is_in_one_part(monkeypatch, tmp_path):
    monkeypatch.setattr(of_study, "kept_gouge", lambda: sawteeth(10))
    study = of_study.Trained(Keeper(PRESETS["gouge"]._replace(clocks=2), tmp_path))
    parts = {name: study.records(name) for name in ("train", "validate", "test")}
    assert {name: part.count for name, part in parts.items()} == {
        "train": 12, "validate": 4, "test": 4
    }  # fmt: skip
    means = np.concatenate([np.asarray(x.friction).mean((1, 2)) for x in parts.values()])
    levels = means.reshape(10, 2).mean(1)
    np.testing.assert_allclose(levels, 0.3 + 0.01 * np.arange(10), atol=0.012)


def test_both_are_chains_and_grains(monkeypatch, tmp_path, heard):
    """Cut to one length; the chains are those that a study of chains has."""
    monkeypatch.setattr(of_study, "kept_gouge", lambda: sawteeth(10))
    monkeypatch.setattr(of_study, "simulate_records", lambda *_, **__: heard)
    study = of_study.Trained(Keeper(PRESETS["both"]._replace(clocks=1), tmp_path))
    both = study.records("train")
    assert both.count == 9 + 6
    np.testing.assert_array_equal(both.friction[:9], heard.friction[:9])


@pytest.mark.usefixtures("stand_ins")
def test_one_record_is_split_in_time(monkeypatch):
    """Networks see its first 60 % alone, yardsticks likewise; the last 20 % test."""
    monkeypatch.setattr(of_time, "kept_gouge", lambda long: sawteeth(1, 60) if long else None)
    record = of_time.long_record()
    m = record.friction.shape[-1]
    assert m == pytest.approx(600 * 10, rel=0.05) and record.recurrence[0] == pytest.approx(
        10, 0.02
    )
    seen = []

    def ask(network, lab, cycles, part, *, given):
        assert (network, cycles, part, given) == ("network", 0, "none", True)
        wrong = np.where(np.arange(lab.samples) < 0.79 * m, 5.0, 0.01)
        return Answer((lab.friction + wrong)[None], None, None, None)

    monkeypatch.setattr(of_time, "ask_sequence", ask)
    monkeypatch.setattr(of_time, "ask_images", ask)
    trained = SimpleNamespace(
        train_in_time=seen.append, sequence_in_time=lambda: "network",
        images_in_time=lambda: "network",
    )  # fmt: skip
    rows = of_time.in_time(trained)
    (learnt,) = seen
    assert learnt.friction.shape == (of_time.COPIES, 3, int(0.6 * m))
    np.testing.assert_array_equal(learnt.friction[5, 0], record.friction[0, 0, : int(0.6 * m)])
    assert [row["kind"] for row in rows[:2]] == ["sequence", "encoder-decoder"]
    assert all(row["mape"] < 5 for row in rows[:2])
    assert {row["cycles"] for row in rows[2:]} <= set(range(30, 36)) and len(rows) == 6


# ---------------------------------------------------------------- the layers that are kept


def test_the_kept_layers_are_those_of_their_record():
    """`gouge.json` says by which commit, seed and numbers they were made."""
    folder = resources.files(fault_slip)
    told = json.loads((folder / "gouge.json").read_text("utf-8"))
    digest = hashlib.sha256((folder / "gouge.npz").read_bytes()).hexdigest()
    assert told["sha256"] == digest and told["seed"] == 0
    assert told["numbers"] == kept_gouge().number.tolist()
    assert told["whole_layers"] == facts(kept_gouge(), kept_gouge(long=True))["whole_layers"]


def test_the_kept_layers_stick_and_slip():
    runs, long = kept_gouge(), kept_gouge(long=True)
    layers = runs.friction.shape[0]
    assert layers >= 20 and long.friction.shape[1] > 5 * runs.friction.shape[1]
    assert np.isfinite(runs.friction).all() and (runs.kinetic_energy > 0).all()
    assert 0.2 < runs.friction.mean() < 0.4
    slips = [of_records.samples_between_slips(x) for x in runs.friction]
    assert np.median(slips) < runs.friction.shape[1] / 8


@pytest.mark.x64
def test_a_kept_layer_begins_as_its_key_says():
    """What is drawn, and the pull until grains slip: the same by any compiler.

    Collisions while a layer is packed are chaotic: of kinetic energy the size alone is the same.
    """
    runs = kept_gouge()
    number = int(runs.number[0])
    again = sheared_layer(jax.random.fold_in(jax.random.key(0), number), 8, 1)
    assert float(again["stiffness"]) == pytest.approx(float(runs.stiffness[0]), rel=1e-6)
    np.testing.assert_allclose(again["start"][0, :8], runs.start[0, 0, :8], rtol=1e-3)
    decades = np.log10(again["start"][1, :8].mean() / runs.start[0, 1, :8].mean())
    assert abs(decades) < 1


def test_layers_are_made_once(monkeypatch, tmp_path):
    """A killed call goes on with the layers that are missing; broken ones are left out."""
    from jaxfric.studies.fault_slip import _gouge_runs as of_runs

    made = []

    def layer(key, samples, chunks):
        del key
        made.append(chunks)
        if len(made) == 3:
            raise KeyboardInterrupt
        length = samples * chunks
        return {"friction": np.ones(length), "kinetic_energy": np.ones(length),
                "start": np.ones((2, BEGIN)), "stiffness": np.ones(()), "velocity": np.ones(()),
                "ok": np.asarray(len(made) != 2)}  # fmt: skip

    monkeypatch.setattr(of_runs, "sheared_layer", layer)
    monkeypatch.setattr(of_runs, "in_threads", lambda work, items: [work(x) for x in items])
    told = []
    options = {"samples": 10, "long": 2, "progress": told.append}
    with pytest.raises(KeyboardInterrupt):
        simulate_gouge(tmp_path, 4, **options)
    with pytest.raises(RuntimeError, match="none of 1 layers came out whole"):
        simulate_gouge(tmp_path, 4, **options)
    assert made == [1, 2, 1, 1, 1] and told[-1].done == 4
    long = tmp_path / "layer-0-003-10x2.npz"
    long.unlink()
    runs, last = simulate_gouge(tmp_path, 4, **options)
    assert list(runs.number) == [0, 1, 2] and last.friction.shape == (1, 20)
    # More layers, or fewer: the long one is another, and the short ones are those that are there
    for layers, more in ((5, [1, 2]), (3, [2]), (5, [])):
        before = len(made)
        runs, last = simulate_gouge(tmp_path, layers, **options)
        assert sorted(made[before:]) == more and runs.friction.shape == (layers - 1, 10)
        assert last.friction.shape == (1, 20) and list(last.number) == [layers - 1]

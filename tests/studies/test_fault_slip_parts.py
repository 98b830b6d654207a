"""Parts of Predicting fault slip by hand: units, levels, images, lessons, trainings, notes."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from sawtooth import DT, made

from jaxfric import records
from jaxfric.studies import fault_slip
from jaxfric.studies.fault_slip import (
    _analyses as analyses,
    _ask as ask,
    _laboratory as laboratory,
    _predict as predicting,
    _sampling as sampling,
    _shown as shown,
    _tuning as tuning,
)
from jaxfric.studies.fault_slip._ask import Answer
from jaxfric.studies.fault_slip._features import LEAST, Scale, features

# ---------------------------------------------------------------- units and lengths


@given(st.integers(1, 20_000))
def test_records_of_about_a_length_share_a_program(samples):
    length = sampling.bucket(samples)
    assert samples <= length and (length == 1024 or length < 2 * samples)
    assert length & (length - 1) == 0


def test_a_record_is_filled_up_without_a_jump_and_without_samples_to_learn_from():
    filled = sampling.padded(np.array([[1.0, 2.0], [3.0, 4.0]]), 4)
    np.testing.assert_array_equal(filled, [[1, 2, 2, 2], [3, 4, 4, 4]])
    np.testing.assert_array_equal(sampling.padded(np.array([True, True]), 4), [1, 1, 0, 0])
    assert sampling.single(np.array([1.0, 2.0])).dtype == np.float32
    assert sampling.single(np.array([1.0, 2.0])).shape == (1024,)


def test_a_scale_is_of_the_samples_that_are_seen():
    """Mean 2 and spread 1 of 1 and 3; on the host and under jit alike; there and back."""
    x, where = np.array([1.0, 3.0, 50.0]), np.array([True, True, False])
    on_host, traced = Scale.of_record(x, where), Scale.of(jnp.asarray(x), jnp.asarray(where))
    for scale in (on_host, traced):
        assert (float(scale.mean), float(scale.spread)) == pytest.approx((2.0, 1.0))
    np.testing.assert_allclose(on_host.unit(x), [-1, 1, 48])
    np.testing.assert_allclose(on_host.back(on_host.unit(x)), x)
    for flat in (Scale.of_record(np.ones(5)), Scale.of(jnp.ones(5), jnp.ones(5, bool))):
        assert float(flat.spread) == pytest.approx(LEAST**0.5, rel=1e-4)


def test_features_are_the_energy_and_its_change():
    np.testing.assert_array_equal(features(jnp.asarray([2.0, 5.0, 4.0])), [[2, 0], [5, 3], [4, -1]])


# ---------------------------------------------------------------- a laboratory's record


def test_the_last_sixty_percent_test_and_cycles_are_whole():
    lab = made()
    assert lab.test.sum() == 359 and not lab.test[:241].any()
    assert (lab.end_of(1), lab.end_of(4)) == (200, 500)
    with pytest.raises(ValueError, match="made: 5 cycles .* has 4 whole ones; ask for fewer"):
        lab.end_of(5)
    assert lab.recurrence(600) == pytest.approx(10.0)
    # One failure tells no recurrence: as long as was waited
    assert lab.recurrence(150) == pytest.approx(15.0)
    with pytest.raises(ValueError, match="made has no friction or shear stress"):
        _ = lab._replace(friction=None).measured


def test_failures_are_read_from_the_files_own_column():
    """Where the time that is left jumps up, not where friction falls; nor at the noise of it."""
    t = np.arange(600) * DT
    left = 7.3 - t % 7.0 + 0.2 * np.sin(40 * t)
    left[-30:] = np.nan
    friction = 0.4 + 0.05 * (t % 10.0) / 10.0
    record = records.LabquakeRecord(t, 1 + t % 3, friction=friction, time_to_failure=left, name="x")
    lab = fault_slip.laboratory(record)
    np.testing.assert_allclose(lab.starts * DT, np.arange(1, 9) * 7.0 - 0.1, atol=0.11)
    np.testing.assert_array_equal(lab.time_to_failure, left)


@pytest.mark.parametrize("recurrence, clock", [(3.0, 1.0), (35.0, 1.0), (1.0, 0.1), (70.0, 7.0)])
def test_only_faults_that_networks_do_not_know_are_read_in_another_time(
    monkeypatch, recurrence, clock
):
    monkeypatch.setattr(laboratory, "_picked", lambda friction: (
        np.array([3.0, 3 + recurrence / DT, 3 + 2 * recurrence / DT]), None))  # fmt: skip
    t = np.arange(40) * DT
    record = records.LabquakeRecord(t, 1 + t, friction=0.4 + 0.01 * t)
    assert laboratory._clock(record) == pytest.approx(clock)
    monkeypatch.setattr(laboratory, "_picked", lambda friction: (np.array([3.0]), None))
    assert laboratory._clock(record) == 1.0


# ---------------------------------------------------------------- asking


def test_nothing_is_standardised_with_what_was_not_seen():
    """Given mean and spread are of the whole record, as in the paper; else of the cycles seen."""
    lab = made()
    louder = lab._replace(energy=np.where(np.arange(600) < 200, lab.energy, 1e6))
    one, two = (ask.units(x, 1, False) for x in (lab, louder))
    np.testing.assert_array_equal(one.energy[:200], two.energy[:200])
    assert one.end == 200 and one.learn.sum() == 180 and not one.learn[:20].any()
    assert one.given is None and one.recurrence == pytest.approx(10.0)
    x = lab.log_energy[:200]
    np.testing.assert_allclose(one.energy, (lab.log_energy - x.mean()) / x.std(), rtol=1e-5)
    whole = ask.units(lab, 0, True)
    assert whole.end == 600 and abs(whole.energy.mean()) < 1e-5
    assert float(whole.given.mean) == pytest.approx(lab.friction.mean())
    assert ask.units(louder, 1, True).energy[0] != pytest.approx(whole.energy[0])


def test_the_mean_of_answers_is_a_mixture():
    """Variances of the parts and between them; the times of those that tell one."""
    one = Answer(np.array([[1.0, 2.0]]), np.array([[0.3, 0.4]]), np.array([[5.0, 6.0]]), None)
    two = Answer(np.array([[3.0, 2.0]]), None, None, None)
    found = ask.mean_of([one, two])
    np.testing.assert_allclose(found.friction, [[2.0, 2.0]])
    np.testing.assert_allclose(found.spread, [[np.sqrt(0.045 + 1), np.sqrt(0.08)]])
    np.testing.assert_allclose(found.time, [[5.0, 6.0]])
    assert ask.mean_of([two, two]).time is None


def test_the_time_goes_half_way_to_a_clock_of_the_same_cycles(monkeypatch):
    taught = []

    def clock(energy, time, teaches):
        taught.append(teaches)
        return jnp.full(1024, 4.0)

    monkeypatch.setattr(ask, "_clock", clock)
    lab = made()
    known = ask.units(lab, 2, False)
    found = ask.with_clock(np.full((2, 600), 10.0), lab, known, 2)
    np.testing.assert_array_equal(found, np.full((2, 600), 7.0))
    assert taught[0].shape == (1024,) and taught[0].sum() == 300 - 20
    # Without cycles there is no clock, and none where no time is known
    np.testing.assert_array_equal(
        ask.with_clock(np.ones((1, 600)), lab, known, 0), np.ones((1, 600))
    )
    never = lab._replace(time_to_failure=np.full(600, np.nan))
    assert ask.with_clock(np.ones((1, 600)), never, known, 2)[0, 0] == 1.0


def test_times_are_asked_with_the_time_in_the_place_of_friction(monkeypatch):
    seen = []

    def by_images(network, lab, cycles, part, **options):
        seen.append((lab.friction, options))
        return Answer(np.array([[-3.0, 8.0] + [1.0] * 598]), None, None, None)

    monkeypatch.setattr(analyses, "ask_images", by_images)
    monkeypatch.setattr(analyses, "with_clock", lambda time, lab, known, cycles: time)
    lab = made()
    found = analyses.ask_times(None, lab, 2, "latent", steps=7)
    np.testing.assert_array_equal(found[0, :3], [0.0, 8.0, 1.0])  # none is negative
    ((target, options),) = seen
    np.testing.assert_array_equal(target, np.nan_to_num(lab.time_to_failure))
    assert options == {"drift": False, "steps": 7}


def test_an_untuned_answer_is_level_and_readings(monkeypatch):
    """Given a mean and a spread; times in recurrences; members of an ensemble are averaged."""
    lab = made()
    reading = np.stack([np.sin(np.arange(600.0)), np.full(600, 0.5)], -1)
    monkeypatch.setattr(ask, "read_sequence", lambda network, energy: np.stack([reading] * 2))
    found = ask.ask_sequence(None, lab, 0, "none", given=True)
    y = lab.friction
    np.testing.assert_allclose(found.friction[1], y.mean() + y.std() * reading[:, 0])
    np.testing.assert_allclose(found.time, 5.0)
    assert found.level is None and found.spread is None
    ensemble = np.stack([np.stack([reading - 1, reading + 3])] * 2)
    monkeypatch.setattr(ask, "read_sequence", lambda network, energy: ensemble)
    mixed = ask.ask_sequence(None, lab, 0, "none", given=True)
    np.testing.assert_allclose(mixed.friction[0], y.mean() + y.std() * (reading[:, 0] + 1))


def test_a_lesson_is_what_was_seen_in_units_of_it(monkeypatch):
    """Twice: the first round is short and serves the level; both begin with the same network."""
    lessons = []

    def tune(network, lesson, part, **options):
        lessons.append((network, lesson, part, options))
        return "tuned"

    def read(network, energy):
        out = np.zeros((2, 600, 2)) + np.sin(np.arange(600.0) / 16)[None, :, None]
        return out if network == "untuned" else np.stack([out, 1.1 * out, 1.2 * out], 1)

    monkeypatch.setattr(ask, "read_sequence", read)
    monkeypatch.setattr(ask, "as_networks", lambda network: network)
    monkeypatch.setattr(tuning, "tune_sequence", tune)
    lab = made()
    found = ask.ask_sequence("untuned", lab, 4, "head", members=3, steps=30, seed=5)
    assert [(x[0], x[2], x[3]["steps"], x[3]["seed"]) for x in lessons] == [
        ("untuned", "head", 10, 5), ("untuned", "head", 30, 5),
    ]  # fmt: skip
    lesson = lessons[0][1]
    assert lesson.energy.shape == lesson.friction.shape == (500,) and lesson.members == 3
    np.testing.assert_allclose(lesson.time, lab.time_to_failure[:500] / 10.0)
    assert lesson.known.all()
    # Standardised over the samples that teach
    assert abs(lesson.friction[20:].mean()) < 1e-9 and lesson.friction[20:].std() == pytest.approx(
        1
    )
    assert found.friction.shape == found.spread.shape == (2, 600) and found.network == "tuned"
    # Members differ by tenths of the reading: in friction by those of the level's gain
    gain = found.friction.std(1) / (1.1 * np.sin(np.arange(600.0) / 16)).std()
    spread = np.std([1, 1.1, 1.2]) * np.abs(np.sin(np.arange(600.0) / 16))
    np.testing.assert_allclose(found.spread[0], gain[0] * spread, rtol=1e-6)


# ---------------------------------------------------------------- levels


def test_a_level_is_in_the_units_of_what_it_is_fitted_to():
    """Stress in Pa in place of friction: everything but the probabilities grows with it."""
    t = np.arange(600) * DT
    s = np.sin(t)
    y = 0.4 + 0.02 * s - 0.01 * np.exp(-t / 10)
    one, two = (fault_slip.fit_level(s, k * y, t < 30, 10.0) for k in (1.0, 8e6))
    assert two.gain == pytest.approx(8e6 * one.gain, rel=1e-6)
    assert two.offset == pytest.approx(8e6 * one.offset, rel=1e-6)
    np.testing.assert_allclose(two.relaxation, 8e6 * one.relaxation, rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(two.probability, one.probability, rtol=1e-6)
    np.testing.assert_allclose(one(s), one.offset + one.gain * s + one.relaxation)


def test_without_a_relaxation_a_level_is_a_ridge_regression():
    """The posterior mean in closed form, of two samples that are not correlated with anything."""
    s, y = np.array([1.0, -1.0]), np.array([3.0, 1.0])
    level = fault_slip.fit_level(s, y, np.ones(2, bool), 1.0, drift=False)
    variance = 0.25**2 * 1.95 / 0.05
    # In spreads y is ±1, and so is s: c1 = (2/v + 1/0.09)/(2/v + 1/0.09) = 1, c0 = 0
    assert (level.offset, level.gain) == pytest.approx((2.0, 1.0))
    turned = fault_slip.fit_level(-s, y, np.ones(2, bool), 1.0, drift=False)
    precision = 2 / variance + 1 / 0.3**2
    assert turned.gain == pytest.approx((-2 / variance + 1 / 0.3**2) / precision)
    assert level.probability.tolist() == [1.0] and not np.any(level.relaxation)


# ---------------------------------------------------------------- predictions


def test_a_prediction_is_the_mean_of_the_networks_in_the_time_of_the_record(monkeypatch):
    """Two seeds 0.02 apart with bands of 0.03: √(0.01² + 0.03²). A second of theirs is two here."""
    asked = []

    def rows(lab, friction, time, test, tune):
        asked.append((tune, int(np.argmax(test))))
        return []

    monkeypatch.setattr(predicting, "_rows", rows)
    lab = made(clock=2.0)
    record = records.LabquakeRecord(500 + np.arange(600) * 0.2, lab.energy, friction=lab.friction)
    friction = lab.friction + np.array([[-0.01], [0.01]])
    time = np.stack([np.full(600, -1.0), np.full(600, 7.0)])
    found = predicting._prediction(
        record, lab, Answer(friction, np.full((2, 600), 0.03), time, None), 3, ["a note"]
    )
    np.testing.assert_allclose(found.predicted, lab.friction)
    np.testing.assert_allclose(found.band, np.sqrt(0.01**2 + 0.03**2))
    np.testing.assert_allclose(found.time[[0, 1, -1]], [500.0, 500.2, 500 + 599 * 0.2])
    np.testing.assert_allclose(found.time_to_failure, 6.0)  # the median of −1 and 7, twice
    assert found.seen == pytest.approx(400 * 0.2) and asked == [(3, 401)]
    assert not found.test[:401].any() and found.test[401:].all() and found.notes == ("a note",)
    late = predicting._prediction(record, lab, Answer(friction, None, None, None), 0, [])
    assert late.seen == 0.0 and late.test.sum() == lab.test.sum()
    np.testing.assert_allclose(late.band, 0.01)
    assert np.isnan(late.time_to_failure).all()


@pytest.mark.parametrize("change, tune, part, sentence", [
    ({}, 0, "all", "Not tuned: mean and spread of the record's own friction set the level."),
    ({}, 1, "all", "Tuned on the first cycle; the level is inferred from it."),
    ({}, 3, "latent", "Tuned on the first 3 cycles; the level is inferred from them."),
    ({}, 2, "none", "Not tuned; the level is inferred from the first 2 cycles."),
    ({"friction": None}, 0, "all", "the prediction is in spreads of the friction, its mean zero."),
    ({"clock": 0.1}, 0, "all", "Cycles last 1 s: the networks, which know 3 to 35 s, "
     "read the record 10 times as fast."),
    ({"starts": np.array([3, 9])}, 0, "all", "Fewer than three failures"),
    ({"energy": np.full(600, 2.0)}, 0, "all", "The logarithm of the emission varies by 0, unlike"),
])  # fmt: skip
def test_notes_say_what_was_assumed(change, tune, part, sentence):
    lab = made()._replace(**change)
    record = records.LabquakeRecord(
        np.arange(600) * DT, 1 + np.arange(600.0), friction=made().friction,
        notes=("As it was read.",),
    )  # fmt: skip
    notes = predicting._notes(record, lab, tune, part)
    assert notes[0] == "As it was read." and any(sentence in note for note in notes)
    # How the level was found is always said, and what else is odd
    odd = {"clock", "starts", "energy"} & set(change)
    assert len(notes) == 2 + len(odd)


def test_a_record_of_stress_alone_is_predicted_in_pascal():
    t = np.arange(600) * DT
    record = records.LabquakeRecord(t, 1 + t, shear_stress=5e6 + 1e3 * t)
    assert "No normal stress is known: the prediction is a shear stress in Pa." in (
        predicting._notes(record, made(), 0, "all")
    )


@pytest.mark.parametrize("change, tune, cycles", [
    ({}, 0, 1), ({}, 3, 3), ({"friction": None}, 0, None), ({"starts": np.array([300])}, 0, None),
    ({"starts": np.array([100, 200, 300])}, 3, None),
])  # fmt: skip
def test_yardsticks_of_a_prediction_learn_from_the_cycles_before_it(
    monkeypatch, change, tune, cycles
):
    """Those tuned on, else all that end before the test; no rows where nothing can be scored."""
    asked = []

    def compared(lab, cycles, test, predicted):
        asked.append(cycles)
        return {"mape": 1.0}, [{"method": "clock"}]

    monkeypatch.setattr(predicting, "compared", compared)
    lab = made()._replace(**change)
    time = np.nan_to_num(lab.time_to_failure) + 0.25
    rows = predicting._rows(lab, lab.energy, time, lab.test, tune)
    if cycles is None:
        assert rows == [] and not asked
        return
    assert asked == [cycles] and [r["method"] for r in rows] == ["this prediction", "clock"]
    assert rows[0]["mape"] == 1.0 and rows[0]["ttf_mae"] == pytest.approx(0.25)


def test_a_prediction_prints_its_notes_and_rows():
    row = {"method": "this prediction", "mape": 1.25, "r2": 0.9, "ttf_mae": 0.5, "missed": 0.25}
    empty = np.zeros(1)
    found = predicting.Prediction(empty, empty, empty, empty, None, empty > 0, 0.0, [row],
                                  ("One note.",))  # fmt: skip
    lines = str(found).splitlines()
    assert lines[0] == "One note." and lines[2].split() == ["MAPE", "%", "R²", "TTF", "MAE", "s",
                                                            "missed"]  # fmt: skip
    assert lines[3].split() == ["this", "prediction", "1.25", "0.900", "0.5", "0.25"]
    assert str(found._replace(rows=[])) == "One note."


# ---------------------------------------------------------------- what figures show


@pytest.mark.usefixtures("stand_ins")
def test_figures_show_every_second_sample_and_the_seed_that_is_best_in_the_test(monkeypatch):
    """The first seed is wrong in the test, the second before it."""
    lab = made()
    early = np.arange(600) <= 240
    friction = np.stack([lab.friction + np.where(early, 0.0, 0.1),
                         lab.friction + np.where(early, 0.5, 0.02)])  # fmt: skip
    time = np.stack([np.zeros(600), np.full(600, 2.0)])
    answer = Answer(friction, np.full((2, 600), 0.04), time, None)
    by_images = Answer(np.stack([lab.friction, lab.friction + 0.2]), None, None, None, "network")
    monkeypatch.setattr(shown, "_scalograms", lambda network, lab, cycles: {"time": [cycles]})
    trained = SimpleNamespace(
        records=lambda split: (
            SimpleNamespace(
                log_energy=jnp.log(1 + jnp.arange(10.0))[None, None],
                friction=jnp.arange(10.0)[None, None],
            )
            if split == "train"
            else None
        )
    )
    found = shown.shown(trained, lab, 3, answer, by_images)
    assert found["best_seed"] == 1 and found["cycles"] == 3 and found["name"] == "made"
    assert found["seen"] == pytest.approx(40.0) and found["test_from"] == pytest.approx(24.1)
    np.testing.assert_allclose(found["time"], np.arange(0, 600, 2) * DT)
    np.testing.assert_allclose(found["predicted"], friction.mean(0)[::2])
    np.testing.assert_allclose(found["band"], np.sqrt(friction.std(0) ** 2 + 0.04**2)[::2])
    np.testing.assert_allclose(found["encoder_decoder"], (lab.friction + 0.1)[::2])
    np.testing.assert_allclose(found["predicted_time"], 1.0)
    np.testing.assert_allclose(found["simulated_friction"], np.arange(0, 10, 2))
    np.testing.assert_allclose(found["simulated_energy"], 1 + np.arange(0, 10, 2), rtol=1e-5)
    assert found["scalograms"] == {"time": [3]}
    without = shown.shown(trained, lab, 3, answer._replace(time=None, spread=None), by_images)
    assert without["predicted_time"] is None
    np.testing.assert_allclose(without["band"], friction.std(0)[::2])

"""Predicting fault slip: levels, tuning, causality, the shipped networks."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import fault, networks, records, training
from jaxfric.studies import fault_slip
from jaxfric.studies.fault_slip import (
    _analyses as analyses,
    _ask as ask,
    _data as data,
    _image_training as image_training,
    _images as images,
    _reading as reading,
    _sampling as sampling,
    _training as study_training,
    _tuning as tuning,
)

SCORED = ("mape", "r2", "timing", "missed", "drop_ratio", "ttf_mae")
LAB = os.environ.get("JAXFRIC_DATA")
P4581 = Path(LAB or ".") / "p4581_8MPa_labquakes.csv"
needs_p4581 = pytest.mark.skipif(
    not (LAB and P4581.exists()), reason="p4581_8MPa_labquakes.csv is not in JAXFRIC_DATA"
)


def stick_slip(seconds=160.0, dt=0.1, period=10.0, seed=0, **options):
    """Cycles of random length, curved loading; bursts fill a window, a tenth of a period."""
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, seconds, dt)
    starts = np.cumsum(rng.normal(period, 0.08 * period, int(2 * seconds / period)))
    last = np.searchsorted(starts, time, side="right") - 1
    since = time - np.where(last >= 0, starts[last], starts[0] - period)
    quiet = 1 + 4 * since / period
    window = 0.1 * period
    energy = np.where((since < window) & (last >= 0), 200.0, quiet)
    fine = np.arange(int(round(window / dt))) * dt  # friction is averaged over the same window
    past = np.searchsorted(starts, time[:, None] - fine, side="right") - 1
    ages = time[:, None] - fine - np.where(past >= 0, starts[past], starts[0] - period)
    friction = np.mean(0.34 + 0.09 * (1 - np.exp(-ages / (0.5 * period))), axis=1)
    energy = energy * np.exp(0.05 * rng.standard_normal(time.size))
    return records.LabquakeRecord(time, energy, friction=friction, name="made", **options)


@pytest.fixture(scope="module")
def made():
    """The record of most tests: one length, one program, and short, for an image takes long."""
    return stick_slip(seconds=100.0)


# ---------------------------------------------------------------- level


@pytest.mark.parametrize("prior", [fault_slip.RISING, fault_slip.EVEN])
@pytest.mark.parametrize("drift", [0.0, 0.04, -0.04])
def test_the_level_path_finds_a_relaxation_and_adds_none_where_there_is_none(drift, prior):
    t = np.arange(0.0, 200.0, 0.1)
    s = ((t % 9.7) / 9.7 - 0.5) * 3.4
    friction = 0.41 + 0.025 * s - drift * np.exp(-t / 20.0)
    level = fault_slip.fit_level(s, friction, t < 60, 9.7, prior=prior)
    np.testing.assert_allclose(np.sum(level.probability), 1, rtol=1e-5)
    error = np.abs(np.asarray(level(jnp.asarray(s))) - friction)[t > 80]
    assert error.max() < 0.004
    if drift:
        fixed = fault_slip.fit_level(s, friction, t < 60, 9.7, drift=False)
        without = np.abs(np.asarray(fixed(jnp.asarray(s))) - friction)[t > 80]
        assert error.mean() < 0.3 * without.mean()


def test_the_level_reads_no_friction_outside_its_span():
    t = np.arange(0.0, 100.0, 0.1)
    s, friction = np.sin(t), 0.4 + 0.02 * np.sin(t)
    other = np.where(t < 60, friction, 0.9)
    one, two = (fault_slip.fit_level(s, y, t < 60, 10.0) for y in (friction, other))
    np.testing.assert_array_equal(one.relaxation, two.relaxation)


def test_one_cycle_of_a_rising_level_is_taken_for_the_start_of_a_relaxation():
    """As the simulated levels do on the average; six cycles of a steady one say otherwise."""
    t = np.arange(0.0, 200.0, 0.1)
    s = ((t % 9.7) / 9.7 - 0.5) * 3.4
    one = fault_slip.fit_level(s, 0.41 + 0.025 * s, t < 12, 9.7)
    six = fault_slip.fit_level(s, 0.41 + 0.025 * s, t < 60, 9.7)
    for level, least, most in ((one, 0.003, 0.025), (six, -0.001, 0.003)):
        rise = float(level.relaxation[-1] - level.relaxation[0])
        assert least < rise < most


# ---------------------------------------------------------------- images


def test_an_image_of_friction_gives_the_friction_back():
    t = np.arange(0.0, 120.0, 0.1)
    y = (t % 10.0) / 10.0
    y = np.convolve(y, np.ones(10) / 10, "same")
    y = jnp.asarray((y - y.mean()) / y.std())
    image, rest = images.friction_image(y)
    np.testing.assert_allclose(images.signal(image) + rest, y, atol=2e-5)
    # what the image leaves is small
    assert float(jnp.std(rest[100:-100])) < 0.1


def test_causal_readings_do_not_see_the_future():
    network = image_training.image_network(0)
    energy = jnp.asarray(np.random.default_rng(0).standard_normal(300), jnp.float32)
    changed = energy.at[200:].add(3.0)
    one, two = (jax.jit(images.read_last)(network, x) for x in (energy, changed))
    np.testing.assert_allclose(one[:200], two[:200], atol=2e-4)
    assert float(jnp.max(jnp.abs(one[200:] - two[200:]))) > 1e-3
    sequence = study_training.sequence_network(0)
    stacked = study_training.members(study_training.sequence_network, (0, 1))
    out = reading.read_sequence(stacked, energy)
    np.testing.assert_allclose(out[0], reading.read_sequence(sequence, energy), atol=1e-5)
    later = reading.read_sequence(stacked, changed)
    np.testing.assert_array_equal(out[:, :200], later[:, :200])


def test_the_latent_share_is_the_papers():
    network = image_training.image_network(0)
    assert networks.latent_share(network) == pytest.approx(0.2, abs=0.01)
    assert training.share(study_training.sequence_network(0), "latent") == pytest.approx(
        0.2, abs=0.01
    )


# ---------------------------------------------------------------- folds and tuning


def test_each_member_leaves_out_another_cycle():
    starts = np.array([50, 150, 250, 350])
    weights = tuning.folds(starts, 20, 350, most=6)
    assert weights.shape[1] == 350
    assert not weights[:, :20].any()
    left_out = weights[0] == 0
    for row in weights[1:]:
        assert (row == 0).sum() > 20 and not np.array_equal(row == 0, left_out)
    assert (weights.sum(0)[20:] >= weights.shape[0] - 1).all()
    assert tuning.folds(np.array([50]), 20, 90).shape == (1, 90)


@pytest.mark.slow
def test_tuning_changes_its_part_only_and_learns(made):
    lab = fault_slip.laboratory(made)
    network = study_training.members(study_training.sequence_network, (0, 1))
    test = lab.test
    errors = {}
    for part in ("latent", "all"):
        answer = ask.ask_sequence(network, lab, 4, part, members=2)
        tuned = answer.network
        assert answer.friction.shape == (2, lab.samples) and answer.spread.shape == (2, lab.samples)
        encoder = tuned.encoder.entry[...]
        same = np.array_equal(encoder[0, 0], network.encoder.entry[...][0])
        assert same == (part == "latent")
        assert not np.array_equal(tuned.latent.up[...][0, 0], network.latent.up[...][0])
        errors[part] = np.abs(answer.friction - lab.friction)[:, test].mean()
    plain = ask.ask_sequence(network, lab, 4, "none")
    untuned = np.abs(plain.friction - lab.friction)[:, test].mean()
    assert errors["all"] < 0.7 * untuned


@pytest.mark.slow
def test_tuning_and_levels_read_nothing_after_the_cycles_they_were_given(made):
    lab = fault_slip.laboratory(made)
    network = study_training.members(study_training.sequence_network, (0, 1))
    end = lab.end_of(3)
    later = np.where(np.arange(lab.samples) < end, lab.friction, 0.9)
    other = lab._replace(friction=later, energy=lab.energy)
    one, two = (ask.ask_sequence(network, x, 3, "latent", members=2) for x in (lab, other))
    np.testing.assert_array_equal(one.friction, two.friction)
    louder = np.where(np.arange(lab.samples) < end + 200, lab.energy, 50.0)
    three = ask.ask_sequence(network, lab._replace(energy=louder), 3, "latent", members=2)
    np.testing.assert_array_equal(one.friction[:, : end + 200], three.friction[:, : end + 200])


# ---------------------------------------------------------------- simulated records


@pytest.mark.slow
def test_simulated_records_are_a_function_of_their_seed():
    one = fault_slip.simulate_records(3, 6, seconds=160.0)
    two = fault_slip.simulate_records(3, 6, seconds=160.0)
    assert 1 <= one.count <= 6 and one.log_energy.shape[1:] == (3, 1600)
    np.testing.assert_array_equal(one.log_energy, two.log_energy)
    assert one.log_energy.dtype == jnp.float32
    assert bool(jnp.all(jnp.isfinite(one.log_energy)) & jnp.all(jnp.isfinite(one.friction)))
    # what is left until failure counts down in seconds
    steps = np.diff(np.asarray(one.time_to_failure), axis=1)
    assert np.mean(np.abs(steps + 0.1) < 1e-3) > 0.9
    assert float(jnp.min(jnp.ptp(one.friction, axis=-1))) > 2e-3


@pytest.mark.slow
@pytest.mark.x64
def test_recurrence_grows_with_the_load_and_the_drop_of_friction_stays():
    """Δτ ∝ σ and k is the machine's, so Δμ stays and the time to regain Δτ grows as σ."""
    labs = analyses._at_loads((2.5e6, 5e6), 6, 160.0)
    ratios = [
        (np.std(heavy.friction) / np.std(light.friction),
         heavy.recurrence(heavy.samples) / light.recurrence(light.samples))
        for light, heavy in ((labs[2.5e6][n], labs[5e6][n]) for n in labs[2.5e6] if n in labs[5e6])
    ]  # fmt: skip
    assert len(ratios) >= 4
    np.testing.assert_allclose(np.median(ratios, axis=0), [1.0, 2.0], rtol=0.15)


def test_a_record_of_times_ends_where_they_are_known():
    """What is left, in recurrences, falls by dt over one a sample and jumps at failures."""
    rng = np.random.default_rng(0)
    n, m, dt = 20, 1000, data.DT
    recurrence = rng.uniform(5.0, 15.0, n)
    starts = [np.arange(rng.uniform(0, r), m * dt, r) for r in recurrence]
    t = np.arange(m) * dt
    following = [np.append(s, np.inf)[np.searchsorted(s, t, side="left")] for s in starts]
    left = np.array(following) - t
    known = np.isfinite(left)
    simulated = data.Records(
        jnp.asarray(rng.normal(size=(n, 3, m)), jnp.float32), jnp.zeros((n, 3, m), jnp.float32),
        jnp.asarray(np.where(known, left, 0.0), jnp.float32), jnp.asarray(known),
        jnp.asarray(recurrence, jnp.float32), n,
    )  # fmt: skip
    timed = simulated.timed()
    assert timed.count >= 0.85 * n and bool(timed.known.all())
    assert timed.log_energy.shape == timed.friction.shape == (timed.count, 3, timed.known.shape[1])
    assert timed.friction.shape[-1] > 0.8 * m
    steps = (
        np.diff(np.asarray(timed.friction[:, 0]), axis=1) * np.asarray(timed.recurrence)[:, None]
    )
    falls = np.isclose(steps, -dt, atol=1e-3)
    assert falls.mean() > 0.97 and (steps[~falls] > 1).all()
    assert 0 <= float(timed.friction.min()) and float(timed.friction.max()) < 1.01


@pytest.mark.slow
def test_an_encoder_decoder_can_be_asked_for_the_time_to_failure(made):
    lab = fault_slip.laboratory(made)
    network = study_training.members(image_training.image_network, (0, 1))
    time = analyses.ask_times(network, lab, 4, "latent", steps=60)
    assert time.shape == (2, lab.samples) and np.isfinite(time).all() and (time >= 0).all()
    seen = np.isfinite(lab.time_to_failure) & (np.arange(lab.samples) < lab.end_of(4))
    constant = np.mean(np.abs(lab.time_to_failure - np.median(lab.time_to_failure[seen]))[seen])
    assert np.mean(np.abs(time - lab.time_to_failure)[:, seen]) < constant


def test_plates_of_random_faults_have_a_mass_if_asked_for():
    with jax.enable_x64(True):
        key = jax.random.key(0)
        light, _ = fault.sample_fault(key=key, patches=2)
        ranges = fault.FaultRanges(plate_period=(0.2, 0.3))
        heavy, _ = fault.sample_fault(key=key, patches=2, ranges=ranges)
        assert light.plate_mass is None
        assert 0.2 <= 2 * np.pi * np.sqrt(heavy.plate_mass / heavy.loader) <= 0.3


# ---------------------------------------------------------------- the shipped networks


def test_what_is_shipped_is_small():
    folder = Path(fault_slip.__file__).parent
    assert sum(f.stat().st_size for f in folder.glob("*.npz")) < 5e6


@pytest.mark.slow
def test_predictions_beat_a_constant_on_a_record_of_another_kind(made):
    methods = ("sequence", "encoder-decoder", "both")
    each = {method: fault_slip.predict_slip(made, method=method) for method in methods}
    for found in each.values():
        mine, constant = found.rows[0], next(r for r in found.rows if r["method"] == "constant")
        assert mine["mape"] < 0.6 * constant["mape"] and mine["r2"] > 0.6
        assert np.isfinite(found.predicted).all() and np.isfinite(found.band).all()
        assert "mean and spread" in str(found) and "clock" in str(found)
    # both: the mean, with a band that holds what they disagree by
    one, other, both = each.values()
    np.testing.assert_allclose(both.predicted, (one.predicted + other.predicted) / 2, rtol=1e-6)
    np.testing.assert_array_equal(both.time_to_failure, one.time_to_failure)
    assert np.all(both.band >= np.abs(one.predicted - other.predicted) / 2 - 1e-6)


def cut(record, samples):
    return records.LabquakeRecord(
        record.time[:samples], record.emission[:samples], friction=record.friction[:samples],
        name="made",
    )  # fmt: skip


@pytest.mark.slow
def test_another_record_of_about_the_length_compiles_nothing(made):
    """Neither other numbers nor another length in the same bucket."""
    fault_slip.predict_slip(made)
    found = []

    def count(event, duration, **_):
        found.append(event)

    jax.monitoring.register_event_duration_secs_listener(count)
    try:
        fault_slip.predict_slip(stick_slip(seconds=100.0, seed=1))
        fault_slip.predict_slip(cut(made, 900))
    finally:
        jax.monitoring.unregister_event_duration_listener(count)
    assert "/jax/core/compile/backend_compile_duration" not in found


@pytest.mark.slow
def test_padding_changes_no_prediction(made, monkeypatch):
    """Nothing in a result comes from the samples that fill a record up."""
    padded = fault_slip.predict_slip(made)
    monkeypatch.setattr(sampling, "bucket", lambda samples: samples)
    bare = fault_slip.predict_slip(made)
    # energy and friction enter in single precision; what follows is exact in double
    tolerance = 1e-12 if jax.config.jax_enable_x64 else 1e-5
    for name in ("predicted", "band", "time_to_failure"):
        scale = np.abs(getattr(bare, name)).max()
        difference = np.abs(getattr(padded, name) - getattr(bare, name)).max()
        assert difference <= tolerance * scale, name
    for one, two in zip(padded.rows, bare.rows, strict=True):
        for name, value in two.items():
            # the rows are scored in single precision, where the ridge solves for 70 unknowns
            assert one[name] == (pytest.approx(value, rel=2e-4) if name in SCORED else value)


@pytest.mark.slow
def test_gain_of_the_emission_and_units_of_the_stress_change_nothing(made):
    louder = records.LabquakeRecord(
        made.time + 500.0, 1e5 * made.emission, shear_stress=made.friction * 5e6, name="made"
    )
    one, two = fault_slip.predict_slip(made), fault_slip.predict_slip(louder)
    np.testing.assert_allclose(two.predicted / 5e6, one.predicted, rtol=2e-3)
    assert two.time[0] == 500.0 and "shear stress" in str(two)


@pytest.mark.slow
@pytest.mark.parametrize(("period", "dt"), [(1.0, 0.01), (10.0, 0.05), (120.0, 1.0)])
def test_fast_and_slow_faults_are_read_in_their_own_time(period, dt):
    record = stick_slip(seconds=16 * period, dt=dt, period=period)
    found = fault_slip.predict_slip(record)
    assert found.rows[0]["r2"] > 0.3
    assert abs(found.time[-1] - record.time[-1]) < period
    assert np.nanmedian(found.time_to_failure) < 1.5 * period
    assert ("times as fast" in str(found)) == (period != 10.0)


@pytest.mark.slow
def test_a_record_without_friction_is_predicted_in_spreads(made):
    silent = records.LabquakeRecord(made.time, made.emission, name="made")
    found = fault_slip.predict_slip(silent)
    assert found.measured is None and found.rows == []
    assert 0.2 < found.predicted.std() < 3 and "spreads" in str(found)
    truth = (made.friction - made.friction.mean()) / made.friction.std()
    assert np.corrcoef(truth[200:], found.predicted[200:])[0, 1] > 0.8
    with pytest.raises(ValueError, match="no friction or shear stress to tune on"):
        fault_slip.predict_slip(silent, tune=2)


def test_bad_requests_are_refused():
    record = stick_slip(seconds=60.0)
    with pytest.raises(ValueError, match="method must be"):
        fault_slip.predict_slip(record, method="oracle")
    with pytest.raises(ValueError, match="takes networks="):
        fault_slip.predict_slip(record, method="both", networks=fault_slip.trained("sequence"))
    with pytest.raises(ValueError, match="must not be negative"):
        fault_slip.predict_slip(record, tune=-1)
    with pytest.raises(ValueError, match="ask for fewer"):
        fault_slip.predict_slip(record, tune=40)
    silent = records.LabquakeRecord(record.time, 0 * record.emission, friction=record.friction)
    with pytest.raises(ValueError, match="no emission above zero"):
        fault_slip.predict_slip(silent)
    with pytest.raises(ValueError, match="no part"):
        fault_slip.predict_slip(record, tune=3, part="wings")


@pytest.mark.slow
def test_the_level_of_one_cycle_can_be_taken_without_tuning(made):
    found = fault_slip.predict_slip(made, tune=1, part="none", method="encoder-decoder")
    assert "Not tuned; the level is inferred from the first cycle" in str(found)
    lab = fault_slip.laboratory(made)
    later = np.where(np.arange(lab.samples) < lab.end_of(1), made.friction, 0.9)
    other = lab._replace(friction=later)
    network = reading.weights("encoder-decoder")
    two = ask.ask_images(network, other, 1, "none")
    np.testing.assert_allclose(found.predicted, two.friction.mean(0), rtol=1e-6)


def test_a_column_of_unknown_times_to_failure_is_as_good_as_none():
    record = stick_slip(seconds=80.0)
    unknown = records.LabquakeRecord(
        record.time, record.emission, friction=record.friction,
        time_to_failure=np.full(record.time.size, np.nan),
    )  # fmt: skip
    one, two = (fault_slip.laboratory(x) for x in (record, unknown))
    assert one.starts.size >= 5
    np.testing.assert_array_equal(one.starts, two.starts)


@pytest.mark.slow
@needs_p4581
def test_p4581_beats_the_clocks_untuned_and_tuned():
    record = records.read_labquake(P4581, normal_stress=8e6)
    untuned = fault_slip.predict_slip(record)
    tuned = fault_slip.predict_slip(record, tune=6)
    for found in (untuned, tuned):
        by = {r["method"]: r for r in found.rows}
        assert by["this prediction"]["mape"] < min(by["clock"]["mape"], by["constant"]["mape"])
        assert by["this prediction"]["r2"] > 0.85
    assert tuned.rows[0]["mape"] < tuned.rows[1]["mape"] / 2
    assert tuned.seen == pytest.approx(57.3, abs=0.5)
    inside = np.abs(tuned.predicted - tuned.measured) < 2 * tuned.band
    assert inside[tuned.test].mean() > 0.5

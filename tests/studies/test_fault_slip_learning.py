"""What Predicting fault slip learns from and how: images, windows, trainings, tuning, by hand."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import training
from jaxfric.studies.fault_slip import (
    _data as data,
    _image_training as image_training,
    _images as images,
    _training as study_training,
    _tuning as tuning,
    _tuning_loop as tuning_loop,
)
from jaxfric.studies.fault_slip._data import Records

DT = 0.1


# ---------------------------------------------------------------- images


def test_columns_lie_two_samples_apart_and_end_where_they_are_asked_to():
    row = jnp.arange(300.0)[None]
    np.testing.assert_array_equal(images.columns(row, 250)[0], np.arange(60, 251, 2))
    early = np.asarray(images.columns(row, jnp.asarray(10))[0])
    np.testing.assert_array_equal(early[-6:], [0, 2, 4, 6, 8, 10])
    assert early.shape == (96,) and not early[:-6].any()


@pytest.mark.parametrize("causal", [True, False])
def test_weights_of_columns_by_hand(causal):
    """Half on the later half and half on the newest, or all on the later half."""
    weights = np.asarray(image_training.error_weights(causal))
    assert weights.sum() == pytest.approx(1.0, rel=1e-5)
    if not causal:
        np.testing.assert_allclose(weights, np.repeat([0, 1 / 48], 48), rtol=1e-5)
        return
    newest = np.exp(-np.arange(95, -1, -1) / 4.0)
    expected = 0.5 * np.repeat([0, 1 / 48], 48) + 0.5 * newest / newest.sum()
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-9)


class Mirror(eqx.Module):
    """An encoder-decoder that gives its image back, with a level."""

    level: float = 0.0

    def __call__(self, image):
        return SimpleNamespace(image=image, level=jnp.full(1, self.level))


@pytest.mark.usefixtures("stand_ins")
def test_readings_are_the_newest_column_or_the_mean_of_windows(monkeypatch):
    """Of a network that gives its image back: the signal at the sample itself."""
    rng = np.random.default_rng(0)
    image = jnp.asarray(rng.standard_normal((32, 250)))
    monkeypatch.setattr(images, "emission_image", lambda x, causal=True: image)
    expected = images.SUM * np.asarray(image).sum(0)
    newest = images.read_last(Mirror(0.25), jnp.zeros(250))
    np.testing.assert_allclose(newest, expected + 0.25, rtol=1e-4, atol=1e-5)
    mean, spread = images.read_average(Mirror(0.25), jnp.zeros(250), causal=False)
    # Windows end at every second sample from 190; those between hold the one before
    np.testing.assert_allclose(mean[:249], expected[np.arange(249) // 2 * 2] + 0.25, rtol=1e-3,
                               atol=1e-4)  # fmt: skip
    np.testing.assert_allclose(spread[:249], 0.0, atol=1e-3)


@pytest.mark.usefixtures("stand_ins")
def test_errors_of_an_image_by_hand(monkeypatch):
    seen = []

    def scalogram(decoded, target, wanted, *, weights):
        seen.append((target, wanted, weights))
        return jnp.asarray(7.0)

    monkeypatch.setattr(image_training.networks, "scalogram_loss", scalogram)
    image, weight = jnp.ones((32, 96)), jnp.full(96, 1 / 96)
    friction = jnp.full(96, images.SUM * 32)
    found = image_training.image_errors(
        Mirror(0.5), image, 2 * image, friction, jnp.asarray(0.1), weight
    )
    assert float(found[0]) == 7.0 and float(found[1]) == pytest.approx(0.5, rel=1e-4)
    ((target, wanted, weights),) = seen
    assert target.shape == (1, 32, 96) and float(wanted[0]) == pytest.approx(0.1)
    assert weights == image_training.DEPTHS == (0.1, 0.1, 0.1, 0.5)


# ---------------------------------------------------------------- records to learn from


def simulated(n=2, m=1000, recurrence=8.0):
    """Energies and friction that grow by one a sample, times that fall by a tenth."""
    ramp = jnp.arange(float(m))
    return Records(
        ramp * jnp.ones((n, 3, 1)), 2 * ramp * jnp.ones((n, 3, 1)),
        (m - ramp) * DT * jnp.ones((n, 1)), (ramp < 900) & jnp.ones((n, 1), bool),
        jnp.full(n, recurrence), n,
    )  # fmt: skip


@settings(max_examples=12)
@given(st.integers(0, 2**31 - 1))
def test_a_window_is_a_piece_of_a_record_in_its_own_units(seed):
    found = {k: np.asarray(x) for k, x in _window(jax.random.key(seed)).items()}
    assert {k: x.shape for k, x in found.items()} == dict.fromkeys(found, (200,))
    # All four columns are cut at the same sample
    start = round(1000 - found["time"][0] * 8.0 / DT)
    assert 0 <= start <= 800
    np.testing.assert_allclose(found["time"], (1000 - start - np.arange(200)) * DT / 8.0, rtol=1e-4)
    np.testing.assert_array_equal(found["known"], start + np.arange(200) < 900)
    assert abs(found["friction"].mean()) < 1e-4
    assert found["friction"].std() == pytest.approx(1, rel=1e-4)
    # The spread of a ramp is its length over √12: standardised over 2 to 12 recurrences of 8 s
    span = np.sqrt(12) / np.diff(found["energy"]).mean()
    assert 159 <= span <= 961
    # and over a span inside of the record, whose middle has the energy zero
    middle = start - found["energy"][0] * span / np.sqrt(12)
    assert span / 2 - 2 <= middle <= 1000 - span / 2 + 2


_one = jax.tree_util.tree_map(lambda x: x[0], simulated())


@jax.jit
def _window(key):
    return study_training.window(_one, key, 200)


def test_windows_begin_anywhere_and_are_heard_by_any_instrument():
    """Of 801 places none is taken much more often than others; the energies tell instruments."""
    gains = jnp.asarray([1.0, 2.0, 3.0])[:, None]
    curved = eqx.tree_at(lambda r: r.log_energy, _one, (_one.log_energy / 100) ** (1 + gains))
    keys = jax.random.split(jax.random.key(0), 300)
    found = jax.jit(jax.vmap(lambda k: study_training.window(curved, k, 200)))(keys)
    starts = np.round(1000 - np.asarray(found["time"])[:, 0] * 8.0 / DT)
    assert np.unique(starts).size > 200 and np.sum(starts == 800) < 5
    assert starts.min() < 30 and starts.max() > 770
    # A power p of the sample: second differences over first, times the place, are p − 1
    rises = np.diff(np.asarray(found["energy"], np.float64)[:, [0, 100, 199]], axis=1)
    x = (starts[:, None] + np.array([0, 100, 199])) / 100
    powers = np.array([2.0, 3.0, 4.0])
    expected = np.diff(x[:, :, None] ** powers, axis=1)
    odd = np.abs(expected[:, 1] / expected[:, 0] - (rises[:, 1] / rises[:, 0])[:, None])
    counts = np.bincount(np.argmin(odd, axis=1), minlength=3)
    assert counts.min() > 60 and np.all(odd.min(1) < 1e-2)


@pytest.mark.usefixtures("stand_ins")
def test_the_loss_leaves_out_what_nobody_could_know(monkeypatch):
    """The first samples, and times after the last failure."""
    m, warm = study_training.WINDOW, study_training.WARM
    i = np.arange(m)
    seen = {
        "energy": jnp.zeros(m), "friction": jnp.asarray(np.where(i < warm, 1e6, 0.5)),
        "time": jnp.asarray(np.where((i < warm) | (i >= 400), 1e6, 2.0)),
        "known": jnp.asarray(i < 400),
    }  # fmt: skip
    monkeypatch.setattr(study_training, "window", lambda r, k, length: seen)
    loss, terms = study_training.sequence_loss(
        lambda x: jnp.zeros((x.shape[0], 2)), simulated(), jax.random.key(0)
    )
    assert float(terms["friction"]) == pytest.approx(0.5)
    assert float(terms["time"]) == pytest.approx(2.0)
    assert float(loss) == pytest.approx(0.5 + 0.5 * 2.0)


def test_faults_that_creep_or_failed_are_left_out(monkeypatch):
    """Of three records the second is of no use; batches hold 25, and the count is of all drawn."""
    sizes = []

    def over_cores(simulation, batches):
        sizes.extend(len(batch) for batch in batches)
        m = 4
        good = np.array([True, False, True])
        numbers = np.array([1.0, np.nan, 3.0])
        each = numbers[:, None, None] * np.ones((3, 2, m))
        return [(each, each, each[:, 0], each[:, 0] > 0, numbers, good)] * len(batches)

    monkeypatch.setattr(data, "over_cores", over_cores)
    found = data.simulate_records(0, 60, instruments=2, seconds=0.4)
    assert sizes == [25, 25, 10] and found.simulated == 60 and found.count == 6
    np.testing.assert_array_equal(found.recurrence, [1, 3] * 3)
    assert found.log_energy.shape == (6, 2, 4) and found.log_energy.dtype == jnp.float32


class Twice(eqx.Module):
    """A simulation: a number and a row → twice the number, the sum of the row."""

    def __call__(self, member):
        number, row = member
        return 2 * number, jnp.sum(row)


def test_members_come_back_in_their_batches_and_in_double_precision():
    batches = [(np.arange(3.0), np.ones((3, 2))), (np.arange(5.0, 7.0), np.full((2, 2), 4.0))]
    found = data.over_cores(Twice(), batches)
    assert [x.tolist() for x, _ in found] == [[0, 2, 4], [10, 12]]
    assert [x.tolist() for _, x in found] == [[2, 2, 2], [8, 8]]
    assert found[0][0].dtype == np.float64


def test_records_go_to_a_file_and_back(tmp_path):
    written = simulated(3)
    data.save_records(tmp_path / "records.npz", written)
    back = data.load_records(tmp_path / "records.npz")
    assert back.simulated == 3 and back.count == 3
    for a, b in zip(*map(jax.tree_util.tree_leaves, (written, back)), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert back.subset(slice(1, 3)).count == 2
    assert back.subset(np.array([True, False, False])).friction.shape == (1, 3, 1000)


# ---------------------------------------------------------------- trainings


def outcome(network, loss=(1.0,)):
    zero = jnp.zeros(())
    return training.Trained(
        network, network, {"loss": np.array(loss)}, zero, zero, zero, zero > 1, zero > 1
    )


@pytest.mark.parametrize("batch, epochs, per_epoch", [(24, 5, 2), (500, 10, 1)])
def test_a_training_takes_whole_epochs(monkeypatch, batch, epochs, per_epoch):
    """Fifty records and ten steps: in batches of 24, or in one of all."""
    seen = []

    def train(loss, start, records, **options):
        seen.append(options)
        return outcome("last")

    class Schedule:
        def __init__(self, rate, steps):
            self.asked = (rate, steps)

    monkeypatch.setattr(study_training.training, "train", train)
    monkeypatch.setattr(study_training, "_optimiser", lambda rate, steps: (rate, steps))
    few = simulated(50, 4)
    found = study_training.fit(
        lambda *_: None, {"w": 0}, few, (3, 4), steps=10, batch_size=batch, rate=0.1,
        checkpoint="folder", progress=False,
    )  # fmt: skip
    (call,) = seen
    assert found.network == "last" and call["epochs"] == epochs
    assert call["batch_size"] == min(batch, 50)
    assert call["optimiser"] == (0.1, epochs * per_epoch)
    assert call["config"] == {"steps": 10, "seeds": [3, 4], "simulated": 50}
    assert call["key"].shape == (2,) and call["checkpoint"] == "folder"


def steps_of(optimiser, parameters, count):
    """Steps under a gradient of one for ever: of Adam they are the rate."""
    state, taken = optimiser.init(parameters), []
    ones = jax.tree_util.tree_map(jnp.ones_like, parameters)
    update = jax.jit(optimiser.update)
    for _ in range(count):
        step, state = update(ones, state, parameters)
        taken.append(-float(step["w"]))
    return np.array(taken)


def test_the_rate_of_a_training_rises_and_falls():
    """From a 40th to its top in a 20th of the steps, then a cosine to a 200th."""
    taken = steps_of(study_training._optimiser(0.2, 40), {"w": jnp.zeros(())}, 41)
    k = np.arange(39)
    cosine = 0.001 + 0.199 * 0.5 * (1 + np.cos(np.pi * k / 38))
    np.testing.assert_allclose(taken, [0.005, 0.1025, *cosine], rtol=1e-3)


def test_the_rate_of_tuning_falls_to_a_twentieth():
    """A half cosine whose height and length are numbers among the parameters."""
    parameters = {"w": jnp.zeros(()), "rate": jnp.asarray(0.1), "steps": jnp.asarray(10.0)}
    taken = steps_of(tuning_loop._optimiser(), parameters, 13)
    k = np.minimum(np.arange(13) / 10, 1)
    expected = 0.1 * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * k)))
    np.testing.assert_allclose(taken, expected, rtol=1e-3)


@pytest.mark.usefixtures("stand_ins")
def test_every_seed_of_a_sequence_network_has_its_checkpoints(monkeypatch, tmp_path):
    """And stands where its seed does, whichever ended first."""
    seen = []

    def fit(loss, start, records, seeds, **options):
        seen.append((seeds, options["checkpoint"].name))
        value = jnp.asarray([float(seeds[0])])
        return study_training.Members({"w": value}, {"loss": np.full((2, 1), seeds[0])})

    monkeypatch.setattr(study_training, "fit", fit)
    monkeypatch.setattr(study_training, "members", lambda make, seeds: None)
    found = study_training.train_sequence(simulated(), (5, 6, 7), 10, checkpoint=tmp_path)
    assert sorted(seen) == [((5,), "5"), ((6,), "6"), ((7,), "7")]
    np.testing.assert_array_equal(found.network["w"], [5, 6, 7])
    np.testing.assert_array_equal(found.history["loss"], [[5, 6, 7]] * 2)


# ---------------------------------------------------------------- tuning


def test_with_more_cycles_than_members_each_leaves_out_several_in_a_row():
    starts = np.arange(100, 1301, 100)
    weights = tuning.folds(starts, 20, 1300, most=4)
    assert weights.shape == (4, 1300)
    left_out = [sorted(set((np.flatnonzero(row[20:] == 0) + 20) // 100)) for row in weights]
    # Thirteen whole cycles, the first of them without its start
    assert sorted(sum(left_out, [])) == list(range(13))
    assert all(np.all(np.diff(x) == 1) and len(x) in (3, 4) for x in left_out)


def test_patience_keeps_the_end_of_what_a_member_learns_from():
    """Of twenty samples, ten of which count: nine teach and the last validates."""
    weight = np.tile([0.0, 1.0], 10)[None]
    taught = tuning._taught(weight, 5)
    np.testing.assert_array_equal(taught[0, :18], weight[0, :18])
    assert taught.sum() == 9 and taught[0, 19] == 0
    assert tuning._taught(weight, None) is weight


@pytest.mark.usefixtures("stand_ins")
def test_a_lesson_is_weighed_by_sample(monkeypatch):
    """Where a member learns, friction is missed by 0.5; where the time is known too, it by 2."""

    def batch(**columns):
        return {k: jnp.asarray(x, float)[None] for k, x in columns.items()}

    monkeypatch.setattr(tuning, "held", lambda p: lambda x: jnp.zeros((x.shape[0], 2)))
    lesson = batch(energy=[0, 0, 0, 0], friction=[0.5, -0.5, 9, 1], time=[2, 9, 9, 4],
                   known=[1, 0, 1, 1])  # fmt: skip
    parameters = {"weight": jnp.asarray([1.0, 1, 0, 0]), "check": jnp.asarray([0.0, 0, 0, 1])}
    loss, terms = tuning.lesson_loss(parameters, lesson, None)
    assert (float(terms["friction"]), float(terms["time"])) == pytest.approx((0.5, 2.0))
    assert float(loss) == pytest.approx(0.5 + 0.5 * 2.0)
    assert float(tuning.lesson_check(parameters, lesson)) == pytest.approx(1 + 0.5 * 4)


def test_what_is_not_tuned_has_no_gradient():
    parameters = {
        "network": {"a": jnp.asarray([1.0, 2.0]), "b": jnp.asarray([3.0])},
        "tuned": {"a": jnp.asarray(1.0), "b": jnp.asarray(0.0)},
    }

    def loss(p):
        network = tuning_loop.held(p)
        return jnp.sum(network["a"] ** 2) + jnp.sum(network["b"] ** 2)

    slopes = jax.grad(loss)(parameters)
    np.testing.assert_array_equal(slopes["network"]["a"], [2, 4])
    np.testing.assert_array_equal(slopes["network"]["b"], [0])
    assert float(slopes["tuned"]["a"]) == float(slopes["tuned"]["b"]) == 0
    assert float(loss(parameters)) == 14


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("patience", [None, 100])
def test_a_lesson_is_padded_with_what_teaches_nothing(monkeypatch, patience):
    seen = []

    def tuned(loss, parameters, batch, **options):
        seen.append((parameters, batch, options))
        return {"w": np.arange(6.0)}

    monkeypatch.setattr(tuning, "tuned_network", tuned)
    monkeypatch.setattr(tuning, "leading", lambda network: (2,))
    monkeypatch.setattr(tuning, "mask_of", lambda network, part, n: (part, n))
    weight = np.ones((3, 500), np.float32)
    weight[1, 100:200] = 0
    lesson = tuning.Lesson(np.ones(500), np.full(500, 2.0), np.full(500, 3.0), np.ones(500, bool),
                           weight)  # fmt: skip
    found = tuning.tune_sequence({"w": jnp.asarray([1.0, 2.0])}, lesson, "head", steps=7, seed=4,
                                 patience=patience)  # fmt: skip
    np.testing.assert_array_equal(found["w"], [[0, 1, 2], [3, 4, 5]])  # seeds by members
    ((parameters, batch, options),) = seen
    np.testing.assert_array_equal(parameters["network"]["w"], [1, 1, 1, 2, 2, 2])
    assert parameters["tuned"] == ("head", 6)
    assert {k: x.shape for k, x in batch.items()} == dict.fromkeys(batch, (1, 650))
    assert all(not x[:, 500:].any() and x[:, :500].all() for x in batch.values())
    learned, kept = parameters["weight"], parameters["check"]
    assert learned.shape == kept.shape == (6, 650)
    np.testing.assert_array_equal((learned + kept)[3:, :500], weight)
    assert not (learned + kept)[:, 500:].any()
    assert kept.sum(1).tolist() == ([0] * 6 if patience is None else [50, 40, 50] * 2)
    assert options["groups"] == 2 and options["steps"] == 7 and options["seed"] == 4


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    "patience, epochs, every, last", [(None, 2, 2, True), (20, 600, 10, False)]
)
def test_tuning_ends_after_its_steps_or_its_patience(monkeypatch, patience, epochs, every, last):
    """150 steps of 8 of 480 images are two epochs; with a patience at most 600."""
    seen = []

    def train(loss, parameters, batch, *, key, **options):
        seen.append((np.asarray(parameters["network"]["w"]).tolist(), options))
        w = parameters["network"]["w"]
        return SimpleNamespace(last={"network": {"w": w}}, parameters={"network": {"w": -w}})

    monkeypatch.setattr(tuning_loop.training, "train", train)
    monkeypatch.setattr(tuning_loop, "leading", lambda network: network["w"].shape)
    found = tuning_loop.tuned_network(
        lambda *_: None, {"network": {"w": np.arange(1.0, 5.0)}}, {"x": np.zeros((480, 3))},
        batch_size=8, steps=150, rate=0.5, seed=0, patience=patience, check=lambda *_: None,
        groups=2,
    )  # fmt: skip
    np.testing.assert_array_equal(found["w"], np.arange(1.0, 5.0) * (1 if last else -1))
    assert [x[0] for x in seen] == [[1, 2], [3, 4]]
    for _, options in seen:
        assert (options["epochs"], options["evaluate_every"]) == (epochs, every)
        assert (options["validation"] is None) == (patience is None)
        assert options["patience"] == patience

"""The training loop against a loop by hand, least squares, and itself killed and resumed."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxfric import training

pytestmark = pytest.mark.lenient
X = np.linspace(-1, 1, 64).astype(np.float32)
DATA = {"x": X, "y": 3 * X + 1 + 0.1 * np.cos(20 * X)}
ADAM = optax.adam(0.05)


def start():
    return {"slope": jnp.zeros(()), "shift": jnp.zeros(())}


def loss(p, batch, key):
    error = p["slope"] * batch["x"] + p["shift"] - batch["y"]
    return jnp.mean(error**2), {"bias": jnp.mean(error)}


def fit(**changes):
    options = {"key": jax.random.key(0), "optimiser": ADAM, "epochs": 200, "batch_size": 16}
    return training.train(loss, start(), DATA, **options | changes)


def same(a, b):
    for x, y in zip(jax.tree_util.tree_leaves(a), jax.tree_util.tree_leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def test_full_batch_reaches_least_squares():
    expected = np.polyfit(X, DATA["y"], 1)
    trained = fit(batch_size=None, epochs=600)
    np.testing.assert_allclose([trained.last["slope"], trained.last["shift"]], expected, rtol=1e-4)
    assert set(trained.history) == {
        "loss", "bias", "gradient_norm", "metric", "step", "epoch",
    }  # fmt: skip
    assert "all epochs done" in str(trained)


def test_a_step_is_a_step_of_optax():
    """One epoch of one full batch, by hand."""
    trained = fit(batch_size=None, epochs=1, clip=0.5)
    chain = optax.chain(optax.clip_by_global_norm(0.5), ADAM)
    p = start()
    gradient = jax.grad(lambda p: loss(p, DATA, None)[0])(p)
    update, _ = chain.update(gradient, chain.init(p), p)
    for name, value in optax.apply_updates(p, update).items():
        np.testing.assert_allclose(trained.last[name], value, rtol=1e-6)


def test_epochs_visit_every_row_once():
    def count(p, batch, key):
        return jnp.sum(p["seen"] * 0) + jnp.sum(batch["x"]) * p["seen"]

    seen = training.train(
        count, {"seen": jnp.zeros(())}, {"x": 2.0 ** np.arange(8, dtype=np.float32)},
        key=jax.random.key(1), optimiser=optax.sgd(1.0), epochs=3, batch_size=2,
        explosion=1e12,
    )  # fmt: skip
    assert float(seen.last["seen"]) == -3 * 255


def test_members_train_as_if_alone():
    keys = jax.random.split(jax.random.key(3), 3)
    starts = jax.tree_util.tree_map(lambda x: jnp.broadcast_to(x, (3,)), start())
    together = training.train(loss, starts, DATA, key=keys, optimiser=ADAM, epochs=20,
                              batch_size=16)  # fmt: skip
    assert together.history["loss"].shape == (20, 3)
    for i in range(3):
        alone = fit(key=keys[i], epochs=20)
        np.testing.assert_allclose(together.last["slope"][i], alone.last["slope"], rtol=1e-5)
    assert "3 members" in str(together)


def test_patience_stops_and_the_best_is_kept():
    def wave(p, validation):
        # smallest where the shift passes 0.5 on its way to 1
        return jnp.abs(p["shift"] - validation)

    trained = fit(metric=wave, validation=jnp.asarray(0.5), patience=5, epochs=500)
    assert bool(trained.stopped) and "stopped early" in str(trained)
    assert trained.history["epoch"][-1] == int(trained.best_epoch) + 5
    assert float(trained.parameters["shift"]) == pytest.approx(0.5, abs=0.06)
    assert float(trained.last["shift"]) > float(trained.parameters["shift"])


def test_member_that_stops_is_frozen():
    starts = {"slope": jnp.array([0.0, 3.0]), "shift": jnp.array([0.0, 1.0])}
    keys = jax.random.split(jax.random.key(0), 2)
    trained = training.train(loss, starts, DATA, key=keys, optimiser=optax.sgd(0.05), epochs=60,
                             batch_size=16, patience=3)  # fmt: skip
    stopped = np.asarray(trained.steps)
    assert stopped[1] < stopped[0]


def test_stream_draws_new_batches():
    def draw(key):
        x = jax.random.normal(key, (16,))
        return {"x": x, "y": 3 * x + 1}

    trained = training.train(loss, start(), training.Stream(draw, steps=50),
                             key=jax.random.key(0), optimiser=ADAM, epochs=10)  # fmt: skip
    assert int(trained.steps) == 500
    np.testing.assert_allclose(trained.last["slope"], 3, rtol=1e-3)


def test_second_order_optimiser():
    trained = fit(batch_size=None, epochs=20, optimiser=optax.lbfgs())
    expected = np.polyfit(X, DATA["y"], 1)
    np.testing.assert_allclose([trained.last["slope"], trained.last["shift"]], expected, rtol=1e-5)


def test_several_epochs_per_call_are_the_same_run():
    one, ten = fit(epochs=20), fit(epochs=20, evaluate_every=10)
    assert float(one.last["slope"]) == pytest.approx(float(ten.last["slope"]), rel=1e-6)
    assert ten.history["loss"].shape == (2,)


# Failure -----------------------------------------------------------------------------------------


def test_a_nan_stops_the_run_and_names_what_it_was(tmp_path):
    data = {"x": X, "y": np.where(np.arange(64) == 40, np.nan, DATA["y"])}
    with pytest.raises(training.TrainingError, match="training failed at step") as caught:
        training.train(loss, start(), data, key=jax.random.key(0), optimiser=ADAM, epochs=5,
                       batch_size=4, checkpoint=tmp_path / "run")  # fmt: skip
    assert 1 <= caught.value.step <= 16
    assert np.isnan(caught.value.terms["loss"]) and "bias" in caught.value.terms
    assert "no checkpoint" in str(caught.value)


def test_a_term_that_is_no_number_does_not_hide_the_failure():
    from jaxfric.training._train import _terms

    row = {"loss": float("nan"), "each": [1.0, 2.0], "metric": 1.0, "step": 3, "epoch": 0}
    assert list(_terms(row)) == ["loss"]


def test_an_exploding_loss_stops_the_run_at_the_last_good_checkpoint(tmp_path):
    with pytest.raises(training.TrainingError, match="last good checkpoint is in") as caught:
        fit(optimiser=optax.sgd(1.6), epochs=300, batch_size=None, explosion=1e3,
            checkpoint=tmp_path / "run")  # fmt: skip
    store = training.Checkpoints(caught.value.checkpoint)
    assert 0 < store.numbers()[0] <= caught.value.step


def test_a_member_that_fails_leaves_the_others():
    starts = {"slope": jnp.array([0.0, jnp.nan]), "shift": jnp.zeros(2)}
    keys = jax.random.split(jax.random.key(0), 2)
    trained = training.train(loss, starts, DATA, key=keys, optimiser=ADAM, epochs=100,
                             batch_size=16)  # fmt: skip
    assert np.asarray(trained.failed).tolist() == [False, True]
    assert float(trained.last["slope"][0]) == pytest.approx(3, abs=0.1)
    assert "1 failed" in str(trained)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epochs": 0}, "positive multiple of evaluate_every"),
        ({"epochs": 5, "evaluate_every": 2}, "positive multiple of evaluate_every"),
        ({"key": jnp.zeros(2, jnp.uint32)}, "typed key"),
        ({"key": jax.random.split(jax.random.key(0), 2)}, "leading axis of 2"),
    ],
)
def test_bad_arguments(changes, says):
    with pytest.raises(ValueError, match=says):
        fit(**changes)


def test_data_must_share_their_leading_axis():
    with pytest.raises(ValueError, match="one common leading axis"):
        training.train(loss, start(), {"x": X, "y": X[:5]}, key=jax.random.key(0),
                       optimiser=ADAM, epochs=1)  # fmt: skip
    with pytest.raises(ValueError, match="nothing to train"):
        training.train(loss, {"n": 3}, DATA, key=jax.random.key(0), optimiser=ADAM, epochs=1)


# Programs ----------------------------------------------------------------------------------------


def compilations(work):
    """How many programs `work` compiles."""
    found = []

    def count(event, duration, **_):
        found.append(event)

    jax.monitoring.register_event_duration_secs_listener(count)
    try:
        work()
    finally:
        jax.monitoring.unregister_event_duration_listener(count)
    return found.count("/jax/core/compile/backend_compile_duration")


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: optax.adam(optax.cosine_decay_schedule(rate, 100, 0.05)),
        lambda rate: training.freeze(optax.adamw(rate), {"slope": True, "shift": False}),
    ],
    ids=["schedule", "masked"],
)
def test_an_equal_optimiser_made_anew_compiles_nothing(make):
    def run(rate):
        return fit(optimiser=make(rate), epochs=2, key=jax.random.key(int(1e4 * rate)))

    first = run(1e-2)
    assert compilations(lambda: run(1e-2)) == 0
    same(first.last, run(1e-2).last)
    other = []
    assert compilations(lambda: other.append(run(2e-2))) > 0
    assert float(other[0].last["slope"]) != float(first.last["slope"])


def test_optimisers_are_equal_only_where_that_can_be_shown():
    from jaxfric.training._optimiser import Optimiser

    same_code = [Optimiser(optax.chain(optax.clip(1.0), optax.lion(1e-3))) for _ in range(2)]
    assert same_code[0] == same_code[1] and hash(same_code[0]) == hash(same_code[1])
    array, height = np.array([1e-3]), 1e-3
    before = Optimiser(optax.sgd(array))
    array *= 2
    different = [
        (Optimiser(optax.adam(0.0)), Optimiser(optax.adam(-0.0))),
        (Optimiser(optax.adam(1)), Optimiser(optax.adam(1.0))),
        (Optimiser(optax.sgd(jnp.float32(1))), Optimiser(optax.sgd(np.float32(1)))),
        (before, Optimiser(optax.sgd(array))),
        # what a function of the user's reads may have changed
        *[(Optimiser(optax.sgd(rate)), Optimiser(optax.sgd(rate))) for rate in [lambda k: height]],
    ]
    assert all(one != two and one == one for one, two in different)


# Checkpoints -------------------------------------------------------------------------------------


def test_resumed_run_ends_the_same_to_the_last_bit(tmp_path):
    whole = fit(epochs=30)
    fit(epochs=11, checkpoint=tmp_path / "run")
    resumed = fit(epochs=30, checkpoint=tmp_path / "run")
    same((whole.parameters, whole.last), (resumed.parameters, resumed.last))
    same(whole.history, resumed.history)
    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, 31))


def test_finished_run_is_read_back(tmp_path):
    first = fit(epochs=10, checkpoint=tmp_path / "run")
    again = fit(epochs=10, checkpoint=tmp_path / "run")
    same(first.last, again.last)


def test_interrupt_leaves_a_checkpoint(tmp_path, monkeypatch):
    from jaxfric.training import _train

    run, calls = _train.run_epochs, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return run(*arguments)

    monkeypatch.setattr(_train, "run_epochs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(epochs=30, checkpoint=tmp_path / "run", save_every=100)
    assert training.Checkpoints(tmp_path / "run").numbers() == [7]
    monkeypatch.undo()
    same(fit(epochs=30).last, fit(epochs=30, checkpoint=tmp_path / "run").last)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_damaged_newest_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    fit(epochs=6, checkpoint=tmp_path / "run")
    newest = tmp_path / "run" / "steps" / "6"
    files = [f for f in newest.rglob("*") if f.is_file()]
    target = max(files, key=lambda f: f.stat().st_size)
    content = bytearray(target.read_bytes())
    if damage == "remove":
        for f in files:
            f.unlink()
    elif damage == "truncate":
        target.write_bytes(content[: len(content) // 2])
    else:
        for f in files:  # every file: at least one byte that matters
            content = bytearray(f.read_bytes())
            if content:
                content[len(content) // 2] ^= 0xFF
                f.write_bytes(content)
    with pytest.warns(UserWarning, match="checkpoint 6 .* is damaged .* the one before"):
        resumed = fit(epochs=12, checkpoint=tmp_path / "run")
    same(fit(epochs=12).last, resumed.last)
    assert (tmp_path / "run" / "damaged" / "6").exists()


def test_checkpoints_of_another_run_are_refused(tmp_path):
    config = {"law": "aging", "sizes": (10, 100)}
    fit(epochs=2, checkpoint=tmp_path / "run", config=config)
    fit(epochs=3, checkpoint=tmp_path / "run", config=config)  # the same run goes on
    with pytest.raises(ValueError, match="another configuration"):
        fit(epochs=2, checkpoint=tmp_path / "run", config={"law": "slip"})
    with pytest.raises(ValueError, match="another optimiser"):
        fit(epochs=3, checkpoint=tmp_path / "run", config=config, optimiser=optax.sgd(1))


def test_checkpoints_are_numbered_and_the_oldest_go(tmp_path):
    store = training.Checkpoints(tmp_path, keep=2)
    assert store.numbers() == [] and store.restore({}) is None
    for number in (1, 2, 5):
        store.save(number, {"w": np.full(2, float(number))}, {"note": number})
    assert store.numbers() == [5, 2]
    number, tree, facts = store.restore({"w": np.zeros(2)})
    assert (number, facts) == (5, {"note": 5}) and tree["w"].tolist() == [5, 5]


def test_arrays_are_written_whole_and_checked(tmp_path):
    path = training.save_arrays(tmp_path / "a.npz", start(), law="aging")
    with path.open("rb") as file:
        for source in (path, str(path), file, io.BytesIO(path.read_bytes())):
            tree, facts = training.load_arrays(source, start())
            same(tree, start())
            assert facts == {"law": "aging"}
    assert [f.name for f in tmp_path.iterdir()] == ["a.npz"]
    with pytest.raises(ValueError, match="another template"):
        training.load_arrays(path, {"slope": jnp.zeros(())})
    with pytest.raises(ValueError, match="has shape"):
        training.load_arrays(path, {"slope": jnp.zeros(2), "shift": jnp.zeros(())})


# In processes of their own -----------------------------------------------------------------------

SCRIPT = Path(__file__).with_name("run_training.py")


def launch(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result(process):
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return json.loads(out.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def expected():
    """Of one device and one process that nobody disturbs."""
    return result(launch("single", "none"))


@pytest.mark.slow
def test_killed_at_any_moment_it_resumes_to_the_same_bits(tmp_path, expected):
    """SIGKILL a few times, in the middle of saving too (every epoch is saved), then let it end."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        process = launch("single", tmp_path / "run")
        steps = tmp_path / "run" / "steps"
        before = len(list(steps.glob("*"))) if steps.exists() else 0
        deadline = time.time() + 60
        while time.time() < deadline and process.poll() is None:
            if steps.exists() and len(list(steps.glob("*"))) > before:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert result(launch("single", tmp_path / "run")) == expected


@pytest.mark.slow
def test_eight_devices_agree_with_one(tmp_path, expected):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    eight = result(launch("mesh", tmp_path / "run", **flags))
    assert eight["devices"] == 8
    np.testing.assert_allclose(eight["weights"], expected["weights"], rtol=2e-4, atol=1e-6)
    # what eight devices wrote, one reads: the run is finished, its weights come back
    back = result(launch("single", tmp_path / "run"))
    assert back["weights"] == eight["weights"]


@pytest.mark.slow
def test_two_processes_agree_with_one(tmp_path, expected):
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    both = [launch("process", tmp_path / "run", port, i) for i in range(2)]
    found = [result(process) for process in both]
    assert [f["devices"] for f in found] == [2, 2]
    assert found[0]["weights"] == found[1]["weights"]
    np.testing.assert_allclose(found[0]["weights"], expected["weights"], rtol=2e-4, atol=1e-6)

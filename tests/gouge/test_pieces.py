"""Runs that are cut and go on: in Python from the state at the end, for hours in a folder."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import gouge

PRESSURE, DENSITY, D = 1e5, 2650.0, 1.4e-3
SPEED = float(np.sqrt(PRESSURE / DENSITY))  # at which the pressure moves a grain
TIME = D / SPEED
LAW = gouge.Contact(1e8, friction=0.5)
# Numbers as arrays: another wall, another pressure are the same program
LOAD = gouge.Load(
    jnp.asarray(PRESSURE), 0.3 * SPEED, stiffness=jnp.asarray(2 * PRESSURE / D),
    wall_mass=jnp.asarray(5 * DENSITY * D), damping=jnp.asarray(1e4),
)  # fmt: skip
INTERVAL, STEPS, SAMPLES = 0.5 * TIME, 100, 2
FIELDS = ("time", "friction", "kinetic_energy", "thickness", "wall_velocity", "slip")
# Rounding grows as collisions follow one another; that of float32 shows after some samples
RTOL, ALIKE = (1e-7, 10) if jax.config.jax_enable_x64 else (5e-3, 4)


def times(pieces):
    return INTERVAL * np.arange(SAMPLES * pieces + 1)


@pytest.fixture(scope="module")
def pair():
    """Two small layers: one, and the same one pushed."""
    one = gouge.layer(LAW, pressure=PRESSURE, key=jax.random.key(0), length=0.012, height=6e-3)
    free = np.asarray(one.free)[:, None] * np.array([0.1 * SPEED, 0.0])
    return gouge.stacked([one, eqx.tree_at(lambda x: x.grains.velocity, one, jnp.asarray(free))])


def sheared(folder, layers, pieces, load=LOAD, **options):
    options = {"steps": STEPS, "samples": SAMPLES} | options
    return gouge.shear_in_pieces(folder, layers, LAW, load, times(pieces), **options)


@pytest.fixture(scope="module")
def whole(pair, tmp_path_factory):
    """(folder, history) of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, sheared(folder, pair, 5)


class KilledError(Exception):
    """What a power cut would be."""


def killed_after(pieces):
    def progress(now):
        if now.done == pieces:
            raise KilledError

    return progress


def contents(folder):
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            found[path.name] = {name: file[name].tobytes() for name in file.files}
    return found


def test_a_killed_run_goes_on_to_the_same_bits(pair, whole, tmp_path):
    """Between two pieces, and between the samples of a piece and the state after it."""
    folder, expected = whole
    ours, told = tmp_path / "run", []
    with pytest.raises(KilledError):
        sheared(ours, pair, 5, progress=killed_after(2))
    state = (ours / "state.npz").read_bytes()
    with pytest.raises(KilledError):
        sheared(ours, pair, 5, progress=killed_after(3))
    (ours / "state.npz").write_bytes(state)
    history = sheared(ours, pair, 5, progress=told.append)
    assert [now.done for now in told] == [2, 3, 4, 5] and {now.pieces for now in told} == {5}
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(history, name), getattr(expected, name))
    assert contents(ours) == contents(folder) and history.status.ok.all()
    assert (np.asarray(history.kinetic_energy) > 0).all()


def test_pieces_are_the_run_in_one(pair, whole):
    """But for the rounding of the step of time, which chaos needs longer to make visible."""
    at_once = gouge.shear_batch(pair, LAW, LOAD, times(5), steps=STEPS)
    for name in FIELDS:
        np.testing.assert_allclose(
            getattr(whole[1], name)[:, :ALIKE], getattr(at_once, name)[:, :ALIKE], rtol=RTOL
        )


def test_a_run_is_prolonged(pair, whole, tmp_path):
    first = sheared(tmp_path / "run", pair, 2)
    longer = sheared(tmp_path / "run", pair, 5)
    assert first.time.shape == (2, 4) and longer.time.shape == (2, 10)
    np.testing.assert_array_equal(longer.friction, whole[1].friction)
    # And asked again for less, it gives what it has
    again = sheared(tmp_path / "run", pair, 2)
    np.testing.assert_array_equal(again.slip, first.slip)


def test_python_goes_on_from_the_end(pair, whole):
    """`start=` with all that contacts remember; the grains alone would be another run."""
    t = times(1)
    first = gouge.shear_batch(pair, LAW, LOAD, t, steps=STEPS)
    then = t + t[-1]
    second = gouge.shear_batch(pair, LAW, LOAD, then, steps=STEPS, start=first.end)
    expected = np.asarray(whole[1].friction[:, SAMPLES : 2 * SAMPLES])
    np.testing.assert_allclose(second.friction, expected, rtol=RTOL)
    assert "LayerState" in str(first.end)
    both = gouge.joined([first, second])
    assert both.status.ok.all() and both.end is second.end
    np.testing.assert_allclose(both.slip, whole[1].slip[:, : 2 * SAMPLES], rtol=RTOL)
    with pytest.raises(ValueError, match="join them in the order of time"):
        gouge.joined([second, first])
    np.testing.assert_array_equal(first.end.slip, first.slip[:, -1])
    forgetful = eqx.tree_at(
        lambda s: s.motion.springs.shear, first.end, 0 * first.end.motion.springs.shear
    )
    lost = gouge.shear_batch(pair, LAW, LOAD, then, steps=STEPS, start=forgetful)
    assert np.abs(np.asarray(lost.friction) - expected).max() > 1e-3


def test_grains_at_the_end_of_each_piece(pair, whole):
    folder, history = whole
    moments = gouge.read_moments(folder)
    assert moments.position.shape == (5, 2, pair.wall.shape[1], 2)
    np.testing.assert_array_equal(moments.time, history.time[0, SAMPLES - 1 :: SAMPLES])
    top = np.asarray(pair.wall[0]) == 2
    before = np.asarray(pair.grains.position)[0, top, 0]
    moved = np.asarray(moments.position)[:, 0, top, 0] - before
    slip = np.asarray(history.slip[0, SAMPLES - 1 :: SAMPLES])
    np.testing.assert_allclose(moved, np.broadcast_to(slip[:, None], moved.shape), atol=1e-4 * D)


def broken(pair, place):
    """The batch with a grain of one layer that is thrown through the others."""
    velocity = pair.grains.velocity.at[place, 0, 0].set(jnp.inf)
    return eqx.tree_at(lambda x: x.grains.velocity, pair, velocity)


def test_a_layer_that_goes_wrong_leaves_the_others_alone(pair, whole, tmp_path):
    """A table is made when one of the others wants it; the samples of the wrong one are NaN."""
    history = sheared(tmp_path / "run", broken(pair, 1), 5)
    assert history.status.ok.tolist() == [True, False]
    ours, theirs = (x.friction[0, :ALIKE] for x in (history, whole[1]))
    np.testing.assert_allclose(ours, theirs, rtol=RTOL)
    assert np.isnan(history.friction[1]).all() and "[1] grains overlap" in str(history.status)
    moved = np.ptp(np.asarray(gouge.read_moments(tmp_path / "run").position[:, 0]), axis=0)
    assert moved.max() > D / 2  # else no table would have been made anew


def test_what_was_good_is_kept(pair, whole, tmp_path):
    """All layers go wrong in the third piece: the run ends before it, and says why."""
    folder = tmp_path / "run"
    with pytest.raises(KilledError):
        sheared(folder, pair, 5, progress=killed_after(2))
    with np.load(folder / "state.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays[".motion.vx"] = np.full_like(arrays[".motion.vx"], np.nan)
    np.savez(folder / "state.npz", **arrays)
    for _ in range(2):
        history = sheared(folder, pair, 5)
        assert not history.status.ok.any() and history.time.shape == (2, 4)
        np.testing.assert_array_equal(history.friction, whole[1].friction[:, :4])
    none = sheared(tmp_path / "other", broken(broken(pair, 0), 1), 5)
    assert none.time.shape == (2, 0) and not none.status.ok.any()
    assert "2 layers, 0 samples" in str(none)


def test_other_folders_are_refused(pair, whole, tmp_path):
    folder, _ = whole
    softer = eqx.tree_at(lambda x: x.stiffness, LOAD, 0.1 * PRESSURE / D)
    pushed = eqx.tree_at(lambda x: x.grains.spin, pair, 1.0 + pair.grains.spin)
    before = contents(folder)
    cases = [
        (lambda: sheared(folder, pair, 5, softer), "differs in load.stiffness. Choose another"),
        (lambda: sheared(folder, pushed, 5), "differs in layers. Choose another folder"),
        (lambda: sheared(folder, pair, 5, steps=99), "differs in steps"),
        (lambda: sheared(folder, pair, 5, samples=5), "differs in samples"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=says):
            call()
    assert contents(folder) == before
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        sheared(tmp_path, pair, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_damaged_folders_are_refused(pair, tmp_path):
    folder = tmp_path / "run"
    sheared(folder, pair, 2)
    state = (folder / "state.npz").read_bytes()
    (folder / "state.npz").write_bytes(state[: len(state) // 2])
    with pytest.raises(ValueError, match=r"state.npz cannot be used .* delete this one"):
        sheared(folder, pair, 2)
    (folder / "state.npz").write_bytes(state)
    (folder / "samples-00000.npz").rename(folder / "away.npz")
    with pytest.raises(ValueError, match=r"samples-00000.npz is missing; put it back"):
        sheared(folder, pair, 2)
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"format": "jaxfric gouge run, 0"}))
    with pytest.raises(ValueError, match="written by another version .* choose another folder"):
        sheared(folder, pair, 2)


def test_what_cannot_be_continued_is_refused(pair, tmp_path):
    t = times(1)
    end = gouge.shear_batch(pair, LAW, LOAD, t, steps=STEPS).end
    one = jax.tree_util.tree_map(lambda x: x[0], pair)
    go_on = {"steps": STEPS, "start": end}
    cases = [
        (lambda: gouge.shear_batch(pair, LAW, LOAD, t, **go_on), "t must begin at the time of"),
        (lambda: gouge.shear_batch([one], LAW, LOAD, t + t[-1], **go_on), "the layers that it"),
        (lambda: gouge.shear_batch(pair, LAW, LOAD, t + t[-1], **go_on, slots=9), "10 slots"),
        (lambda: gouge.shear_batch(pair, LAW, LOAD, t + t[-1], **go_on, skin=0.2), "skin of 0.3"),
        (lambda: sheared(tmp_path / "run", pair, 5, samples=3), "10 intervals, .* 2 samples later"),
        (lambda: sheared(tmp_path / "run", pair, 5, samples=0), "samples must be at least 1"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=says):
            call()
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="holds no piece"):
        gouge.read_moments(tmp_path)

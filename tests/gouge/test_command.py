"""`jaxfric gouge`: its files, its numbers, and how it goes on."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from jaxfric.cli._gouge import PIECE, Request, run_gouge

pytest.importorskip("rich")
# The command sets float64 itself, so the float32 run has nothing to add
pytestmark = pytest.mark.x64
SMALL = Request(length=0.012, height=6e-3, sample_every=2e-6)
PIECES = PIECE * SMALL.sample_every  # m of the load point
PNG = b"\x89PNG\r\n\x1a\n"


def rows(folder):
    with (folder / "gouge.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder after three pieces in one go."""
    out = tmp_path_factory.mktemp("gouge") / "out"
    run_gouge(out, SMALL, 3 * PIECES)
    return out


def test_files_of_a_run(finished):
    table, facts = rows(finished), json.loads((finished / "gouge.json").read_text())
    assert len(table) == 30 and facts["samples"] == 30
    column = {name: np.array([float(row[name]) for row in table]) for name in table[0]}
    np.testing.assert_allclose(column["load_point_m"], 2e-6 * np.arange(1, 31), rtol=1e-9)
    np.testing.assert_allclose(column["load_point_m"], 0.4 * column["time_s"], rtol=1e-9)
    pull = 3e7 * (column["load_point_m"] - column["slip_m"]) / 1e6
    np.testing.assert_allclose(column["pull"], pull, rtol=1e-6)
    # Slip is the integral of the velocity, of which samples hold the mean
    slip = np.cumsum(column["wall_velocity_m_per_s"]) * column["time_s"][0]
    np.testing.assert_allclose(column["slip_m"], slip, rtol=0.02, atol=1e-9)
    late = column["friction"][6:]
    assert facts["layers"][0]["mean_friction"] == pytest.approx(late.mean(), rel=1e-8)
    energy = column["kinetic_energy_J_per_m2"][6:]
    decades = np.log10(energy.max() / energy.min())
    assert facts["layers"][0]["kinetic_energy_decades"] == pytest.approx(decades, rel=1e-6)
    assert facts["request"]["velocity_m/s"] == 0.4 and facts["status"].endswith("successful")
    # I = γ̇ d √(ρ/P)
    d = facts["numbers"]["mean_diameter_m"]
    inertial = 0.4 / column["thickness_m"][0] * d * np.sqrt(2650 / 1e6)
    assert facts["numbers"]["inertial_number"] == pytest.approx(inertial, rel=0.01)
    for name in ("gouge.png", "grains.png"):
        assert (finished / name).read_bytes().startswith(PNG)


def test_a_run_goes_on_to_the_same_numbers(finished, tmp_path, capsys):
    """First for one piece, and then for longer."""
    run_gouge(tmp_path / "out", SMALL, PIECES)
    assert len(rows(tmp_path / "out")) == 10
    run_gouge(tmp_path / "out", SMALL, 3 * PIECES)
    assert "1 of 3 pieces are there already" in capsys.readouterr().out
    for name in ("gouge.csv", "gouge.json"):
        assert (tmp_path / "out" / name).read_bytes() == (finished / name).read_bytes()


def test_another_run_is_refused(finished):
    with pytest.raises(ValueError, match=r"another run, of --friction 0.5; ask for the same"):
        run_gouge(finished, SMALL._replace(friction=0.3), PIECES)
    assert len(rows(finished)) == 30


def test_what_goes_wrong_is_an_error_and_what_was_good_is_written(tmp_path):
    out = tmp_path / "out"
    run_gouge(out, SMALL, PIECES)
    (out / "gouge.csv").unlink()
    state = out / "run" / "pieces" / "state.npz"
    with np.load(state) as file:
        arrays = {name: file[name] for name in file.files}
    arrays[".motion.vx"] = np.full_like(arrays[".motion.vx"], np.nan)
    np.savez(state, **arrays)
    with pytest.raises(RuntimeError, match="grains overlap by more than a third.* What was good"):
        run_gouge(out, SMALL, 3 * PIECES)
    assert len(rows(out)) == 10 and state.exists()
    assert "grains overlap" in json.loads((out / "gouge.json").read_text())["status"]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--velocity", "0"], "--velocity must be positive; got 0.0"),
        (["--slip", "1e-9"], "--slip must be at least a sample of 2.5e-05 m; got 1e-09"),
        (["--layers", "0"], "--layers must be at least 1; got 0"),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else "",
)
def test_bad_numbers_are_one_sentence(tmp_path, flags, says):
    kept = {k: v for k, v in os.environ.items() if k not in ("JAX_ENABLE_X64", "XLA_FLAGS")}
    done = subprocess.run(
        [sys.executable, "-m", "jaxfric", "gouge", "--out", str(tmp_path / "out"), *flags],
        env=kept | {"JAXFRIC_CACHE": "off"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.strip() == f"error: {says}"
    assert not (tmp_path / "out").exists()

"""The command line as a user calls it: exit status, files, messages."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import records
from jaxfric.cli._files import publish
from jaxfric.cli._fit_step import Request, run_fit
from jaxfric.cli._generate import run_generate
from jaxfric.cli._messages import in_flags, speaking_flags
from jaxfric.cli._target import wanted_law
from jaxfric.inversion._fit import BETTER_GUESS

pytest.importorskip("typer")
# The command line sets float64 itself, so the float32 run has nothing to add.
pytestmark = pytest.mark.x64
FILES = {"fit.txt", "fit.json", "fit.png"}


def user_environment():
    """Without the settings of the tests; programs are kept beside what else the tests keep."""
    ours = ("JAX_ENABLE_X64", "XLA_FLAGS")
    kept = {k: v for k, v in os.environ.items() if k not in ours}
    return {"JAXFRIC_CACHE": str(Path(__file__).parents[1] / ".cache" / "jaxfric")} | kept


@pytest.fixture(scope="module")
def jaxfric():
    """Run `jaxfric …` in a fresh process."""

    def run(*arguments, cwd=None):
        return subprocess.run(
            [sys.executable, "-m", "jaxfric", *map(str, arguments)],
            env=user_environment(), cwd=cwd, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


ONE_AFTER_ANOTHER = """
import contextlib, io, json, sys
from jaxfric.cli import main
found = []
for arguments in json.loads(sys.stdin.read()):
    sys.argv, out, err, status = ["jaxfric", *arguments], io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:  # as Python ends on it
            status = 1 if isinstance(end.code, str) else end.code
            print(end.code if isinstance(end.code, str) else "", file=sys.stderr)
    found.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def refusals():
    """(status, stdout, stderr) of bad command lines, in one process: most of each is its start."""

    def run(requests, cwd):
        done = subprocess.run(
            [sys.executable, "-c", ONE_AFTER_ANOTHER], env=user_environment(), cwd=cwd,
            input=json.dumps([[str(x) for x in request] for request in requests]),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def step_file(tmp_path):
    """A short record as a laboratory writes it: tabs, µm, named columns."""
    record = records.sample("basalt").crop(11671.0, 11686.0)
    table = np.stack([record.time, record.displacement * 1e6, record.friction], axis=1)
    path = tmp_path / "step.txt"
    header = "time (s)\tdisplacement (um)\tfriction"
    np.savetxt(path, table, delimiter="\t", header=header, comments="")
    return path


def test_version_and_help(jaxfric):
    from jaxfric import __version__

    assert jaxfric("--version").stdout.strip() == __version__
    for arguments in (["--help"], ["fit-step", "--help"], ["predict-slip", "--help"]):
        done = jaxfric(*arguments)
        assert done.returncode == 0 and "Usage" in done.stdout


@pytest.mark.slow
def test_fit_step_of_a_file(jaxfric, step_file, tmp_path):
    out = tmp_path / "out"
    done = jaxfric(
        "fit-step", step_file, "--evolution", "slip", "--evolution", "aging", "--out", out,
        "--window", 4, 8,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == FILES
    assert (out / "fit.png").read_bytes().startswith(b"\x89PNG")
    facts = json.loads((out / "fit.json").read_text())
    assert [fit["law"] for fit in facts["fits"]] == ["Slip", "Aging"]
    assert facts["window_s"] == pytest.approx([11672.4, 11684.4], abs=0.3)
    for fit in facts["fits"]:
        values = {row["name"]: row["value"] for row in fit["parameters"]}
        assert 0.004 < values["a"] < 0.02 and 2e-6 < values["Dc"] < 5e-5
        assert fit["converged"] and np.linalg.eigvalsh(fit["covariance"]).min() > 0
    assert done.stdout.startswith((out / "fit.txt").read_text().strip()[:40])


@pytest.mark.slow
def test_several_files_make_one_table_and_a_bad_one_ends_none(jaxfric, step_file, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("time (s)\tfriction\n0\t0.6\n")
    out = tmp_path / "out"
    done = jaxfric(
        "fit-step", step_file, bad, "basalt", "--evolution", "slip", "--window", 4, 8, "--out", out
    )
    assert done.returncode == 1 and "1 of 3 files not fitted" in done.stderr
    assert str(bad) in done.stderr and "Traceback" not in done.stderr
    assert {path.name for path in out.iterdir()} == {"step", "basalt", "fits.csv"}
    for name in ("step", "basalt"):
        assert {path.name for path in (out / name).iterdir()} == FILES
    with open(out / "fits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["parameter"] for row in rows[:4]] == ["a", "b", "a-b", "Dc"]
    assert {row["file"] for row in rows} == {str(step_file), "basalt"}
    assert {row["best"] for row in rows} == {"1"}  # of one law
    # one record, once as it ships and once cut and rounded, so that the windows differ by a row
    values = {row["file"]: {} for row in rows}
    for row in rows:
        values[row["file"]][row["parameter"]] = float(row["value"])
    for name in ("a", "b", "Dc", "step_time"):
        assert values[str(step_file)][name] == pytest.approx(values["basalt"][name], rel=0.02)


@pytest.mark.slow
def test_what_is_kept_can_be_moved_and_switched_off(step_file, tmp_path):
    def run(cache):
        done = subprocess.run(
            [sys.executable, "-m", "jaxfric", "fit-step", str(step_file), "--evolution", "prz"],
            env=user_environment() | {"JAXFRIC_CACHE": cache, "HOME": str(tmp_path / "home")},
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    folder = tmp_path / "kept"
    first = run(str(folder))
    assert len(list((folder / "programs").glob("*.program"))) == 1
    assert run("off") == first == run(str(folder))
    assert not list((tmp_path / "home").glob("**/jaxfric"))  # nothing of ours


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_needs_no_jax(argument):
    script = (
        "import sys; from jaxfric.cli import main; sys.argv = ['jaxfric', sys.argv[1]]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'jax', 'numpy', 'matplotlib', 'equinox'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, argument], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_given_stiffness_is_kept(step_file, tmp_path, capsys):
    request = Request(("slip",), stiffness=5000.0, window=(4.0, 8.0))
    fits = run_fit(records.read_velocity_step(step_file), tmp_path / "out", request)
    assert float(fits[0].spring.stiffness) == 5000.0 and "stiffness" not in fits[0].names
    assert "Written:" in capsys.readouterr().out


def test_bad_input_is_one_sentence_and_leaves_nothing(jaxfric, refusals, tmp_path):
    done = jaxfric("fit-step", "no-such-file.txt", "--out", tmp_path / "out")
    assert done.returncode == 1 and done.stderr.startswith("error: ")
    assert "no-such-file.txt" in done.stderr and "Traceback" not in done.stderr
    cases = [
        (["basalt", "--evolution", "rubber"], "--evolution must be one of aging"),
        (["basalt", "--window", "1e-5", "1e-5"], "row"),
        (["basalt", "--detrend", "cubic"], "--detrend must be one of"),
        (["basalt", "--steps", "0"], "--steps must be at least 1"),
        (["basalt", "--stiffness", "-1"], "--stiffness must be positive"),
    ]
    requests = [["fit-step", *change, "--out", tmp_path / "out"] for change, _ in cases]
    for (status, _, stderr), (_, says) in zip(refusals(requests, tmp_path), cases, strict=True):
        assert status == 1 and stderr.startswith("error: ") and says in stderr
    assert list(tmp_path.iterdir()) == []


def test_record_with_a_nan_is_refused_with_its_line(jaxfric, step_file, tmp_path):
    lines = step_file.read_text().splitlines()
    lines[41] = "\t".join([*lines[41].split("\t")[:2], "nan"])
    step_file.write_text("\n".join(lines))
    done = jaxfric("fit-step", step_file, "--out", tmp_path / "out")
    assert done.returncode == 1 and "line 42" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_failing_figure_leaves_no_partial_output(tmp_path):
    class Broken:
        def savefig(self, path):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path / "out", {"fit.txt": "text", "fit.png": Broken()})
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_generated_designs(tmp_path, capsys):
    """Ranked, each with its table and mesh, and every table makes the law that was asked for."""
    from jaxfric import contact

    wanted = wanted_law(None, power=0.85, friction=0.2, max_load=0.05)
    out = tmp_path / "out"
    run_generate(wanted, out, 3, asperities=32)
    names = {path.name for path in out.iterdir()}
    assert names >= {"designs.txt", "designs.csv", "designs.png"}
    files = ("surface-{}.csv", "surface-{}.stl", "law-{}.csv", "design-{}.json")
    assert names >= {file.format(f"{i:02d}") for i in (1, 2, 3) for file in files}
    ranked = np.genfromtxt(out / "designs.csv", delimiter=",", names=True)
    assert (np.diff(ranked["smape_percent"]) >= 0).all()
    assert (ranked["smape_as_made_95th_percent"] > ranked["smape_percent"]).all()
    for i, expected in enumerate(ranked["smape_percent"]):
        table = np.genfromtxt(out / f"surface-{i + 1:02d}.csv", delimiter=",", names=True)
        made = contact.friction_law(
            contact.Asperities(jnp.asarray(table["height_m"]), jnp.asarray(table["radius_m"])),
            contact.Material(1.4e6, 4e5), wanted.loads,
        )  # fmt: skip
        assert float(contact.smape(made.friction, wanted.friction)) == pytest.approx(
            expected, abs=1e-3
        )
        told = json.loads((out / f"design-{i + 1:02d}.json").read_text())
        assert told["clearance_m"] == pytest.approx(ranked["clearance_m"][i], rel=1e-5)
        assert told["usable"] == bool(ranked["usable"][i])
        columns = np.genfromtxt(out / f"law-{i + 1:02d}.csv", delimiter=",", names=True)
        np.testing.assert_allclose(columns["friction_N"], made.friction, rtol=1e-6)
    printed = capsys.readouterr().out
    assert "feasible: a design within" in printed and "designs from the generator" in printed


def test_export_resumes_and_says_so(jaxfric, tmp_path):
    for _ in range(2):
        done = jaxfric("export", tmp_path / "set", "--samples", 20, "--shard", 16)
        assert done.returncode == 0, done.stderr
        assert "complete: 20 samples in 2 shards" in done.stdout
    done = jaxfric("export", tmp_path / "set", "--samples", 21, "--shard", 16)
    assert done.returncode == 1 and "differs in samples" in done.stderr


@pytest.mark.slow
def test_design_of_a_file(jaxfric, tmp_path):
    """From a table of load and friction to asperities whose law is that of the table."""
    from jaxfric import contact

    rows = "\n".join(f"{p},{900 * (p / 1000) ** 0.9}" for p in range(10, 1010, 10))
    wanted = tmp_path / "wanted.csv"
    wanted.write_text(f"load (mN),friction (mN)\n{rows}\n")
    out = tmp_path / "out"
    done = jaxfric("design", wanted, "--asperities", 32, "--starts", 4, "--shear-strength", 2e5,
                   "--quantum", 1e-7, "--out", out)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "feasible: a design within" in done.stdout and "yardsticks" in done.stdout
    names = {path.name for path in out.iterdir()}
    assert names == {"design.txt", "design.json", "law.csv", "surface.csv", "law.png",
                     "surface.png", "surface.stl"}  # fmt: skip
    told = json.loads((out / "design.json").read_text())
    table = np.genfromtxt(out / "surface.csv", delimiter=",", names=True)
    # What a machine is told is on its grid, and the flat clears the block by what is said
    steps = table["height_m"] / 1e-7
    np.testing.assert_allclose(steps, np.round(steps), rtol=1e-9)
    assert 0 < told["clearance_m"] < table["height_m"].max()
    made_errors = told["as_made"]
    assert made_errors["touching_share"] == 0
    for name in ("against_design", "against_target"):
        assert f"surface {name.replace('_', ' the ')}" in done.stdout.replace(
            "made surface", "surface"
        )
        assert 0 < made_errors[f"smape_percent_{name}"]["median"]
    made = contact.friction_law(
        contact.Asperities(jnp.asarray(table["height_m"]), jnp.asarray(table["radius_m"])),
        contact.Material(1.4e6, 2e5), jnp.asarray(told["load_N"]),
    )  # fmt: skip
    error = float(contact.smape(made.friction, np.asarray(told["target_N"])))
    assert error == pytest.approx(told["smape_percent"], abs=1e-3) and error < 0.3


def test_bad_designs_are_one_sentence(refusals, tmp_path):
    generate = ["--linear", 4, "--max-load", 0.05, "--generate"]
    cases = [
        ([], "name one target"),
        (["--linear", 0.3, "--power", 0.8], "name one target"),
        (["--linear", -1], "--linear must be positive"),
        (["--linear", 0.3, "--max-load", 0], "--max-load must be positive"),
        (["--linear", 0.3, "--radii", "fixed"], "free or common"),
        (["--linear", 0.3, "--modulus", -1], "--modulus must be positive"),
        (["--linear", 0.3, "--asperities", 0], "--asperities must be at least 1; got 0"),
        (["--linear", 0.3, "--clearance", 0], "--clearance must be positive; got 0.0"),
        (
            ["--linear", 0.3, "--max-height", 1e-5, "--clearance", 1e-4],
            "no room below --max-height",
        ),
        (["--linear", 0.3, "--spacing", -1e-3], "--spacing must be positive"),
        (
            ["--linear", 0.6, "--shear-strength", 1e5, "--spacing", 2e-4],
            "Use a wider --spacing, or leave it out",
        ),
        ([*generate, 0], "at least 1"),
        ([*generate, 2, "--radii", "common"], "free radii"),
        ([*generate, 2, "--asperities", 5], "8 to 1,024"),
    ]
    requests = [["design", *arguments, "--out", tmp_path / "out"] for arguments, _ in cases]
    for (status, stdout, stderr), (_, says) in zip(
        refusals(requests, tmp_path), cases, strict=True
    ):
        assert status == 1 and says in stderr
        # What cannot be written is not described as if it had been
        assert "sMAPE" not in stdout
    assert list(tmp_path.iterdir()) == []


def test_law_of_a_list_of_asperities(jaxfric, tmp_path):
    """One sphere by Hertz: A = π R δ with P = 4/3 E* √R δ^1.5, whatever the file calls metres."""
    (tmp_path / "one.csv").write_text("height (µm),radius (µm)\n3,500\n")
    done = jaxfric(
        "contact", "one.csv", "--max-load", 0.01, "--modulus", 1e6, "--shear-strength", 1e5,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 asperities" in done.stdout and "contact-output/law.csv" in done.stdout
    with open(tmp_path / "contact-output" / "law.csv") as file:
        last = list(csv.DictReader(file))[-1]
    indentation = (0.75 * 0.01 / (1e6 * 5e-4**0.5)) ** (2 / 3)
    expected = [0.01, 1e5 * np.pi * 5e-4 * indentation]
    np.testing.assert_allclose([float(last[k]) for k in ("load_N", "friction_N")], expected, 1e-9)
    kept = json.loads((tmp_path / "contact-output" / "contact.json").read_text())
    assert kept["contacts"] == 1 and kept["request"]["max_load_N"] == 0.01


def test_bad_surfaces_are_one_sentence(refusals, tmp_path):
    np.savetxt(tmp_path / "map.txt", np.add.outer(np.arange(9.0), np.arange(9.0)))
    (tmp_path / "list.csv").write_text("height_m,radius_m\n1e-6,-5e-4\n")
    cases = [
        (["none.csv"], "none.csv"),
        (["list.csv"], "radius"),
        (["map.txt"], "--pixel"),
        (["map.txt", "--pixel", 1e-6], "--unit"),
        (["map.txt", "--pixel", 1e-6, "--unit", "furlong"], "--unit"),
        (["map.txt", "--pixel", 1e-6, "--unit", "um", "--window", 4], "--window must be an odd"),
        (["map.txt", "--pixel", 1e-6, "--unit", "um", "--detrend", "cubic"], "--detrend must be"),
        (["map.txt", "--pixel", 1e-6, "--unit", "um"], "the map is a plane"),
        (["map.txt", "--pixel", 1e-6, "--unit", "um", "--max-load", 0], "--max-load must be"),
    ]
    requests = [["contact", *arguments, "--out", "out"] for arguments, _ in cases]
    for (status, _, stderr), (_, says) in zip(refusals(requests, tmp_path), cases, strict=True):
        assert status == 1 and stderr.startswith("error: ") and says in stderr, stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "library", "flags"),
    [
        ("fit-step", "steps must be at least 1; got 0", "--steps must be at least 1; got 0"),
        (
            "fit-step",
            f"no convergence; {BETTER_GUESS}. throw=False returns what there is",
            "no convergence; choose a narrower --window around the step, leave --stiffness out so "
            "that it is fitted, or try another --evolution",
        ),
        (
            "fit-step",
            "no friction: pass skip_rows=<number>",
            "no friction: pass skip_rows=<number>. On the command line: take those lines out of "
            "the file",
        ),
        (
            "design",
            "finalists must be 1 to starts = 0; got 0",
            "--starts must be at least 1; got 0",
        ),
        (
            "design",
            "max_height must be positive; got -1.0",
            "--max-height must be positive; got -1.0",
        ),
        (
            "predict-slip",
            'as in columns={"time": 0, "emission": [...]}; units={"time": "ms"}',
            "as in --column time=0 --column emission=name; --unit time=ms",
        ),
        (
            "predict-slip",
            'as in columns={"emission": ["AE1", "AE2"]}',
            "as in --column emission=AE1 --column emission=AE2",
        ),
        ("predict-slip", "give it with normal_stress=", "give it with --normal-stress"),
        (
            "export",
            "samples and shard must be at least 1; got 0 and 1",
            "--samples and --shard must be at least 1; got 0 and 1",
        ),
        ("demo", "steps must be at least 1", "steps must be at least 1"),
    ],
)
def test_errors_speak_in_flags(command, library, flags):
    assert in_flags(command, library) == flags
    with pytest.raises(ValueError) as found, speaking_flags(command):
        raise ValueError(library)
    assert str(found.value) == flags


@pytest.fixture
def slip_file(tmp_path):
    """Stick-slip as a laboratory writes it: other names, shear stress in kPa."""
    time = np.arange(0.0, 120.0, 0.1)
    phase = time % 9.7
    burst = np.where(phase < 1.0, 200.0, 1 + phase / 3)
    stress = 5e3 * (0.44 - 0.09 * np.exp(-phase / 5))
    path = tmp_path / "gouge.csv"
    table = np.stack([time, burst, 1.5 * burst, stress], axis=1)
    np.savetxt(path, table, delimiter=",", header="clock (s),west,east,tau (kPa)", comments="")
    return path


@pytest.mark.slow
def test_slip_is_predicted_from_a_file(jaxfric, slip_file, tmp_path):
    out = tmp_path / "out"
    done = jaxfric(
        "predict-slip", slip_file, "--normal-stress", 5e6, "--tune", 4, "--out", out,
        "--column", "time=clock", "--column", "emission=west", "--column", "emission=east",
        "--column", "shear_stress=tau",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {f.name for f in out.iterdir()} == {
        "prediction.csv", "prediction.txt", "prediction.png",
    }  # fmt: skip
    for name in ("this prediction", "constant", "clock", "onset clock", "ridge"):
        assert name in done.stdout
    table = np.genfromtxt(out / "prediction.csv", delimiter=",", names=True)
    assert table["time_s"].size == 1200 and np.isfinite(table["predicted"]).all()
    late = table["test"] == 1
    error = np.abs(table["predicted"] - table["measured"])[late] / table["measured"][late]
    assert error.mean() < 0.02


def test_bad_requests_for_slip_are_one_sentence(refusals, slip_file, tmp_path):
    out = tmp_path / "out"
    cases = [
        (["predict-slip", "absent.csv"], "absent.csv"),
        (["predict-slip", slip_file, "--column", "emission"], "quantity=name"),
        (["predict-slip", slip_file, "--column", "time=clock"], "--column emission="),
        (["predict-slip", slip_file, "--unit", "time=s", "--unit", "time=ms"], "time twice"),
        (["predict-slip", slip_file, "--normal-stress", "-1"], "--normal-stress must be"),
        (["study", "fault-slip", "--normal-stress", "8e6"], "belongs to a --record"),
        (["study", "fault-slip", "--preset", "huge", "--out", out], "preset must be one of"),
        (["study", "gouge-layers", "--layers", "1", "--out", out], "--layers must be at least 2"),
    ]
    requests = [arguments for arguments, _ in cases]
    for (status, _, stderr), (_, says) in zip(refusals(requests, tmp_path), cases, strict=True):
        assert status != 0 and says in stderr
    assert not out.exists() and not (tmp_path / "slip-output").exists()

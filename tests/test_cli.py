"""The command line as a user calls it: exit status, files, messages."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from jaxfric import cli, records

pytest.importorskip("typer")
FILES = {"fit.txt", "fit.json", "fit.png"}


@pytest.fixture(scope="module")
def jaxfric():
    """Run `jaxfric …` in a fresh process, without the settings of the tests."""

    def run(*arguments, cwd=None):
        environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
        return subprocess.run(
            [sys.executable, "-m", "jaxfric", *map(str, arguments)],
            env=environment, cwd=cwd, capture_output=True, text=True, check=False,
        )  # fmt: skip

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
    for arguments in (["--help"], ["fit-step", "--help"], ["demo", "--help"]):
        done = jaxfric(*arguments)
        assert done.returncode == 0 and "Usage" in done.stdout


@pytest.mark.slow
@pytest.mark.x64
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


@pytest.mark.x64
def test_given_stiffness_is_kept(step_file, tmp_path, capsys):
    fits = cli.run_fit(
        records.read_velocity_step(step_file), ["slip"], tmp_path / "out", stiffness=5000.0,
        window=(4.0, 8.0),
    )  # fmt: skip
    assert float(fits[0].spring.stiffness) == 5000.0 and "stiffness" not in fits[0].names
    assert "Written:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["no-such-file.txt"], "no-such-file.txt"),
        (["basalt", "--evolution", "rubber"], "--evolution must be one of aging"),
        (["basalt", "--window", "1e-5", "1e-5"], "row"),
        (["basalt", "--detrend", "cubic"], "detrend must be one of"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(jaxfric, tmp_path, change, says):
    done = jaxfric("fit-step", *change, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


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
        cli._publish(tmp_path / "out", {"fit.txt": "text", "fit.png": Broken()})
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
@pytest.mark.x64
def test_demo(jaxfric, tmp_path):
    done = jaxfric("demo", "--out", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert names >= FILES | {"stick-slip.png", "stick-slip.txt", "sensitivity.png"}
    last = done.stdout.strip().splitlines()[-len(names) - 1 :]
    assert str(tmp_path / "demo") in last[0]
    assert {line.strip() for line in last[1:]} == names

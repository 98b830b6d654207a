"""What studies share: steps that outlive a kill, lines of a table, work on all cores."""

import json
import threading
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric._threads import in_threads
from jaxfric.studies import FolderInUseError
from jaxfric.studies._kit import Keeper, Method, Study, _environment
from jaxfric.studies.fault_slip._lines import CONTROLS, MIDDLE, methods as fault_slip_methods
from jaxfric.studies.fault_slip._presets import PRESETS as FAULT_SLIP_PRESETS
from jaxfric.studies.fault_slip._summary import headline as fault_slip_headline
from jaxfric.studies.metainterface._lines import Lines
from jaxfric.studies.metainterface._presets import PRESETS
from jaxfric.studies.metainterface._summary import headline as metainterface_headline
from jaxfric.studies.metainterface._trained import Trained

# ---------------------------------------------------------------- a study


class Plan(NamedTuple):
    rows: int


class Killed(BaseException):
    """As a signal ends a process: nothing of ours catches it."""


def study(answer, paper=None):
    presets = {"small": Plan(2), "large": Plan(5)}

    def headline(metrics):
        return {"rows": len(metrics["rows"])}

    return Study("toy", presets, "counts", paper or {}, answer, headline)


def count_rows(keeper):
    return {
        "rows": [keeper.step(f"row_{k}", lambda k=k: {"k": k}) for k in range(keeper.plan.rows)]
    }


def test_a_study_writes_what_it_returns(tmp_path):
    metrics = study(count_rows, {"error": 4.2}).run("small", tmp_path / "out")
    assert metrics == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["rows"] == [{"k": 0}, {"k": 1}] and metrics["headline"] == {"rows": 2}
    assert metrics["study"] == "toy" and metrics["paper"] == {"error": 4.2}
    assert metrics["environment"]["cores"] >= 1


def test_a_finished_study_is_read_back(tmp_path):
    first = study(count_rows).run("small", tmp_path)

    def never(keeper):
        raise AssertionError("asked again")

    assert study(never).run("small", tmp_path, resume=True) == first


def test_a_killed_study_takes_no_step_twice(tmp_path):
    taken = []

    def answer(keeper, die=True):
        def step(k):
            if die and k == 3:
                raise Killed
            taken.append(k)
            return k

        return {"rows": [keeper.step(f"row_{k}", lambda k=k: step(k)) for k in range(5)]}

    with pytest.raises(Killed):
        study(answer).run("large", tmp_path)
    assert taken == [0, 1, 2] and not (tmp_path / "metrics.json").exists()
    metrics = study(lambda keeper: answer(keeper, die=False)).run("large", tmp_path, resume=True)
    assert taken == [0, 1, 2, 3, 4] and metrics["rows"] == [0, 1, 2, 3, 4]


def test_a_folder_in_use_is_left_alone(tmp_path):
    study(count_rows).run("small", tmp_path)
    before = (tmp_path / "metrics.json").read_bytes()
    with pytest.raises(FolderInUseError, match="resume=True continues it, force=True begins anew"):
        study(count_rows).run("small", tmp_path)
    with pytest.raises(FolderInUseError, match="holds the preset 'small'; choose another folder"):
        study(count_rows).run("large", tmp_path, resume=True)
    assert (tmp_path / "metrics.json").read_bytes() == before
    forced = study(count_rows).run("large", tmp_path, force=True)
    assert len(forced["rows"]) == 5


def test_force_removes_only_what_a_study_wrote(tmp_path):
    study(count_rows).run("small", tmp_path)
    (tmp_path / "thesis.txt").write_text("do not lose")
    study(count_rows).run("small", tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "do not lose"


def test_an_unknown_preset_makes_no_folder(tmp_path):
    with pytest.raises(ValueError, match="preset must be one of small, large; got 'huge'"):
        study(count_rows).run("huge", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- its folder


def test_a_step_is_what_the_file_says_killed_or_not(tmp_path):
    """Tuples become lists and NaN null at once, not only after a kill."""
    keeper = Keeper(Plan(1), tmp_path)
    made = [keeper.step("one", lambda: {"pair": (1, 2.5), "nothing": float("nan")}) for _ in "ab"]
    assert made == [{"pair": [1, 2.5], "nothing": None}] * 2


def test_seconds_of_a_step_inside_a_step_count_once(tmp_path):
    keeper = Keeper(Plan(1), tmp_path)

    def outer():
        keeper.step("inner", lambda: time.sleep(0.05))
        return 1

    began = time.perf_counter()
    keeper.step("outer", outer)
    whole = time.perf_counter() - began
    assert keeper.spent("inner") >= 0.05
    assert keeper.seconds() <= whole and keeper.spent("outer") < whole - 0.04


def test_a_step_is_told_with_its_seconds_if_asked_for(tmp_path, capsys):
    Keeper(Plan(1), tmp_path).step("quiet", lambda: 1)
    loud = Keeper(Plan(1), tmp_path, progress=True)
    loud.step("quiet", pytest.fail)  # found, and not taken
    loud.step("loud", lambda: 1)
    assert capsys.readouterr().out == "loud: 0 s\n"


def test_seconds_from_before_a_kill_count(tmp_path):
    Keeper(Plan(1), tmp_path).record("before", {}, 100.0)
    Keeper(Plan(1), tmp_path).record("trained_generator", {}, 10.0)
    again = Keeper(Plan(1), tmp_path)
    assert again.recorded == 0.0 and again.seconds() == 110.0
    assert again.training_seconds() == {"generator": 10.0}


def test_an_unfinished_study_is_continued_only_if_asked_for(tmp_path):
    def dies(keeper):
        keeper.step("one", lambda: 1)
        raise Killed

    with pytest.raises(Killed):
        study(dies).run("small", tmp_path)
    with pytest.raises(FolderInUseError, match="resume=True continues it"):
        study(count_rows).run("small", tmp_path)
    with pytest.raises(FolderInUseError, match="holds the preset 'small'"):
        study(count_rows).run("large", tmp_path, resume=True)
    assert (tmp_path / "runs" / "one.json").exists()
    study(count_rows).run("small", tmp_path, force=True)
    assert not (tmp_path / "runs" / "one.json").exists()


def test_a_folder_of_something_else_is_not_deleted(tmp_path):
    """Without the stamp of a study nothing in a folder is a study's."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "marathon.txt").write_text("42 km")
    study(count_rows).run("small", tmp_path, force=True)
    assert (tmp_path / "runs" / "marathon.txt").read_text() == "42 km"


def test_an_environment_without_git_is_no_reason_to_fail(monkeypatch):
    def absent(*_, **__):
        raise OSError("no git")

    monkeypatch.setattr(_environment.subprocess, "run", absent)
    found = _environment.environment()
    assert found["commit"] is None
    assert found["versions"].keys() == {"jaxfric", "jax", "flax", "optax"}
    assert found["versions"]["jax"] == jax.__version__


class Training(NamedTuple):
    last: dict
    history: dict


def test_a_network_is_trained_once_and_read_back(tmp_path):
    folders = []

    def train(folder):
        folders.append(folder)
        return Training({"w": jnp.arange(3.0)}, {"loss": np.array([2.0, 1.0])})

    keeper, template = Keeper(Plan(1), tmp_path), {"w": jnp.zeros(3)}
    for _ in range(2):
        found = keeper.network("linear", train, template, kind="linear")
        np.testing.assert_array_equal(found["w"], [0.0, 1.0, 2.0])
    assert folders == [tmp_path / "runs" / "linear"]
    assert keeper.step("trained_linear", pytest.fail) == {"loss": [2.0, 1.0]}
    assert list(keeper.training_seconds()) == ["linear"] and keeper.has("linear")


# ---------------------------------------------------------------- lines of a table

words = st.sampled_from(["sequence", "both", "VAE + CMA-ES", "none", "latent", "10 LM", "a, b"])
methods = st.builds(Method, words, words | st.just("-"), words | st.just("-"), words | st.just(""))


@given(methods, methods)
def test_rows_belong_to_the_method_that_made_them(one, other):
    row = {**one.facts(), "mape": 1.0}
    assert one.made(row) and other.made(row) == (one == other)
    assert row["method"].startswith(one.kind)


@given(methods)
def test_a_step_of_a_method_is_a_plain_file_name(method):
    assert not set(method.file_name) & set(" /,+\\")


def test_lines_of_fault_slip_do_not_meet():
    """Two of one name would take each other's rows from the folder."""
    lines = list(fault_slip_methods(MIDDLE, FAULT_SLIP_PRESETS["laptop"]))
    assert len(lines) == len(set(lines)) == len({line.file_name for line in lines})
    assert {line.control for line in lines} <= set(CONTROLS)


def test_lines_of_metainterface_do_not_meet(tmp_path):
    """Listing them trains nothing and makes no bank."""
    trained = Trained(Keeper(PRESETS["laptop"], tmp_path))
    lines = list(Lines(trained, 64, 0))
    assert len(lines) == len({line.method for line in lines}) > 15
    assert len({line.method.file_name for line in lines}) == len(lines)
    brief = Trained(Keeper(PRESETS["smoke"], tmp_path))
    assert {x.method for x in Lines(brief, 64, 0)} < {line.method for line in lines}
    assert not list((tmp_path / "networks").iterdir())


def test_the_headline_of_metainterface_by_hand():
    rows = [
        {**Method("ours", control="one pass").facts(), "group": "random, 64", "mean": m}
        for m in (0.2, 0.4)
    ]
    rows += [{**Method("ours", control="best").facts(), "group": "random, 16", "mean": 9.0}]
    metrics = {"rows": rows, "analyses": {"reconstruction": [{"parameter_smape": 2.5}]}}
    found = metainterface_headline(metrics)
    assert found["one_pass_mean"] == pytest.approx(0.3)
    assert found["best16_median"] is None and found["reconstruction_median"] == 2.5


def test_the_headline_of_fault_slip_by_hand():
    def row(method, cycles=6, record="laboratory", **numbers):
        return {**method.facts(), "record": record, "cycles": cycles, **numbers}

    tuned, scratch = (Method("sequence", "all", "inferred", x) for x in ("", "from scratch"))
    rows = [
        row(tuned, mape=1.0, r2=0.9), row(tuned, mape=3.0, r2=0.7), row(tuned, cycles=3, mape=9.0),
        row(scratch, mape=8.0), row(tuned, record="another", mape=9.0),
        row(Method("ridge", level="first 40 %"), record="held-out simulations", mape=5.0),
    ]  # fmt: skip
    found = fault_slip_headline({"rows": rows, "laboratory": ["laboratory"]})
    assert found["any_6_mape"] == 2.0 and found["scratch_6_mape"] == 8.0
    assert found["share_of_scratch_6_percent"] == 25.0
    assert found["simulation_ridge_mape"] == 5.0 and found["clock_6_mape"] is None


# ---------------------------------------------------------------- all cores


def test_results_come_in_the_order_of_the_items():
    assert in_threads(lambda x: x**2, range(20)) == [x**2 for x in range(20)]
    assert in_threads(lambda x: x, []) == []


def test_an_error_is_raised_and_ends_the_others():
    done = []

    def work(x):
        if x == 3:
            raise ValueError("the fourth")
        time.sleep(1e-3)
        done.append(x)

    with pytest.raises(ValueError, match="the fourth"):
        in_threads(work, range(1000))
    assert len(done) < 1000


def test_no_thread_outlives_the_program():
    seen = in_threads(lambda _: threading.current_thread().daemon, range(2))
    assert all(seen)

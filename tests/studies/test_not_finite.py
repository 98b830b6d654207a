"""Trainings that diverge and records without a number: a dash or None, never an error."""

import json

import numpy as np

from jaxfric.studies import slide_hold_learn as study
from jaxfric.studies._kit import Study
from jaxfric.studies.fault_slip import _analyses as analyses
from jaxfric.studies.metainterface._summary import HEADLINE, headline as mh
from jaxfric.studies.slide_hold_learn._summary import MEANS, PAPER, headline, rows_of


def run(recipe="cell", seed=0, **numbers):
    return {
        "jumps": "free",
        "evolution": "aging",
        "noise": "clean",
        "size": 10,
        "recipe": recipe,
        "seed": seed,
        "steps": 100,
        **dict.fromkeys(MEANS, 1.0),
        **numbers,
    }


def test_rows_of_a_training_that_was_not_finite():
    (row,) = rows_of([run(rel_mu=None), run(seed=1)])
    assert row["rel_mu"] is None and row["rel_mu_spread"] is None


def test_headline_with_a_network_that_was_not_finite():
    rows = rows_of([run(validation_rel_mu=None), run("gru", rel_mu=2.0)])
    assert headline({"rows": rows, "floors": {}})["free_aging_clean_10_rel_mu"] == 2.0


def test_table_of_a_peak_that_was_not_finite():
    rows = [{**r, "rel_mu_spread": 1.0} for r in rows_of([run(peak_after_hold=None)])]
    study.table(
        {"rows": rows, "floors": {}, "paper": PAPER, "appendix": [], "healing": [{"hold": 1.0}]}
    )


def answer(keeper):
    return {"rows": [keeper.step("one", lambda: 1)], "floors": (1.0, float("nan"))}


def test_a_run_returns_what_the_file_holds(tmp_path):
    s = Study("toy", {"small": None}, "n", {"clean": {10: 4.6}}, answer, lambda m: {})
    first = s.run("small", tmp_path)
    assert first["paper"] == json.loads((tmp_path / "metrics.json").read_text())["paper"]


def test_seconds_of_no_steps(tmp_path):
    from jaxfric.studies._kit import Keeper

    assert Keeper(None, tmp_path).seconds() == 0.0


def test_metainterface_headline_of_a_seed_without_a_number():
    method, n, column = HEADLINE["one_pass_mean"]
    rows = [{**method.facts(), "group": f"random, {n}", column: x} for x in (None, 1.0)]
    mh({"rows": rows, "analyses": {"reconstruction": [{"parameter_smape": 1.0}]}})


def test_means_of_a_column_that_no_record_has(recwarn):
    rows = [
        {"method": "constant", "seed": 0, **dict.fromkeys(analyses.TABLE, 1.0), "timing": np.nan}
    ]
    (r,) = analyses._means(rows, "x")
    assert not recwarn.list

"""The study Predicting fault slip, run small: its table, its folder, its figures."""

import json

import numpy as np
import pytest

from jaxfric import records
from jaxfric.studies import fault_slip


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    out = tmp_path_factory.mktemp("fault-slip")
    return fault_slip.run("smoke", out), out


@pytest.mark.slow
def test_smoke_writes_its_table(smoke):
    metrics, out = smoke
    assert json.loads((out / "metrics.json").read_text())["headline"] == metrics["headline"]
    text = fault_slip.table(metrics)
    for name in ("encoder-decoder", "onset clock", "ridge", "constant", "held-out simulations"):
        assert name in text
    assert metrics["headline"]["simulation_mape"] > 0
    parts = {(r["method"], r["part"]) for r in metrics["rows"]}
    assert {("sequence", "none"), ("sequence", "latent"), ("sequence", "all")} <= parts
    assert all(np.isfinite(r["mape"]) for r in metrics["rows"])
    loads = [r["load"] for r in metrics["rows"] if "load" in r]
    assert loads == [2.5e6, 2.5e6, 4e6, 4e6]  # a row a seed


@pytest.mark.slow
def test_a_finished_study_is_read_back_and_not_mixed(smoke):
    metrics, out = smoke
    assert fault_slip.run("smoke", out, resume=True)["headline"] == metrics["headline"]
    with pytest.raises(ValueError, match="resume=True continues"):
        fault_slip.run("smoke", out)
    with pytest.raises(ValueError, match="preset must be one of"):
        fault_slip.run("huge", out)
    sequence, image = fault_slip.read_back(out)
    time = np.arange(0.0, 60.0, 0.1)
    phase = time % 10.0
    record = records.LabquakeRecord(time, 1 + 99 * (phase < 1), friction=0.4 + 0.005 * phase)
    found = fault_slip.predict_slip(record, networks=sequence)
    assert np.isfinite(found.predicted).all()
    assert image.decoder.exit_bias[...].shape[0] == 2


@pytest.mark.slow
def test_figures_of_the_study(smoke):
    pytest.importorskip("matplotlib")
    from jaxfric import plotting

    metrics, out = smoke
    figures = plotting.plot_fault_slip(metrics, out)
    assert set(figures) == {
        "signals.png", "scalograms.png", "friction.png", "cycles.png", "time-to-failure.png",
        "loads.png",
    }  # fmt: skip
    shown = json.loads((out / "shown.json").read_text())
    # as many seeds as the largest preset has
    more = [{**r, "seed": s} for s in range(2, 5) for r in metrics["rows"] if r.get("load")]
    loads = plotting.plot_fault_slip({**metrics, "rows": metrics["rows"] + more}, out)["loads.png"]
    assert len(loads.axes[0].lines) == 5
    black = figures["friction.png"].axes[0].lines[0]
    np.testing.assert_allclose(black.get_ydata(), shown["friction"])

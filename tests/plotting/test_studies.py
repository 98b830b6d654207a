"""Figures of the studies, each from a small folder that is made by hand."""

import json

import numpy as np
import pytest

from jaxfric import plotting


@pytest.fixture(scope="module")
def of_friction(slide_hold_learn):
    return plotting.plot_slide_hold_learn(*slide_hold_learn)


@pytest.fixture(scope="module")
def of_designs(metainterface):
    return plotting.plot_metainterface(*metainterface)


@pytest.fixture(scope="module")
def of_faults(fault_slip):
    return plotting.plot_fault_slip(*fault_slip)


def test_slide_hold_learn(of_friction, checked):
    figures = of_friction
    assert set(figures) == {"sequences.png", "training.png", "histogram.png", "size.png"}
    for figure in figures.values():
        checked(figure)
    below = figures["sequences.png"].axes[3]
    names = [line.get_label() for line in below.lines]
    assert names == ["truth", "paper's GRU", "GRU with ln V", "FrictionCell"]
    np.testing.assert_allclose(below.lines[3].get_ydata(), 1.2 * below.lines[0].get_ydata())


def test_size_shows_what_was_published_and_the_floor(slide_hold_learn, of_friction):
    metrics, folder = slide_hold_learn
    free, grid = of_friction["size.png"].axes
    names = [line.get_label() for line in free.lines]
    assert names[-2:] == ["published (norm unknown)", "floor: where jumps fell is not seen"]
    assert len(grid.lines) == 6 and len(names) == 8
    np.testing.assert_array_equal(free.lines[-2].get_xdata(), [10, 100])
    without = plotting.plot_slide_hold_learn({**metrics, "floors": {}}, folder)["size.png"]
    assert len(without.axes[0].lines) == 7


def test_losses_are_shown_over_their_first_value(of_friction):
    (axis,) = of_friction["training.png"].axes
    for line in axis.lines:
        assert line.get_ydata()[0] == 1 and line.get_xdata()[-1] == 1000
        assert line.get_label().endswith(", 12 s")


def test_a_histogram_counts_every_sequence(of_friction):
    figure = of_friction["histogram.png"]
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "jumps anywhere", "jumps on samples",
    ]  # fmt: skip
    for axis in figure.axes:
        heights = [patch.get_xy()[:, 1] for patch in axis.patches]
        assert len(heights) == 3
        for height in heights:  # the outline of a histogram visits each bin twice
            assert sum(height[1:-1:2]) == 4


def test_metainterface(of_designs, checked):
    figures = of_designs
    assert set(figures) == {"designs.png", "time.png", "diversity.png", "plane.png"}
    for name in ("time.png", "diversity.png", "plane.png"):
        checked(figures[name])


def test_every_method_has_its_point_and_its_name(of_designs):
    (axis,) = of_designs["time.png"].axes
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert len(points) == 13 == len(axis.texts)
    assert {"drawn", "1 LM", "as found", "trees"} <= {text.get_text() for text in axis.texts}
    # a yardstick was not timed: a line across, and no point
    assert len(axis.lines) == 15
    legend = {text.get_text() for text in axis.figure.legends[0].get_texts()}
    assert legend == {"ours", "retrieval", "the paper's networks", "CMA-ES", "constant",
                      "random surface"}  # fmt: skip


def test_designs_are_drawn_over_their_targets(of_designs):
    figure = of_designs["designs.png"]
    top, bottom = figure.axes[0], figure.axes[2]
    assert len(top.lines) == 3 and len(bottom.collections) == 2
    np.testing.assert_allclose(top.lines[2].get_ydata(), 1.1 * top.lines[0].get_ydata())
    assert "0.1 to 0.4 %" in top.get_title() and "(mN)" in top.get_xlabel()


def test_fault_slip(of_faults, checked):
    figures = of_faults
    assert set(figures) == {
        "signals.png", "scalograms.png", "friction.png", "cycles.png", "time-to-failure.png",
    }  # fmt: skip
    for name in ("signals.png", "friction.png", "cycles.png", "time-to-failure.png"):
        checked(figures[name])


def test_friction_shows_both_networks_and_their_errors(of_faults):
    above, below = of_faults["friction.png"].axes
    measured, sequence, images = (line.get_ydata() for line in above.lines[:3])
    np.testing.assert_allclose(sequence, 1.01 * measured)
    np.testing.assert_allclose(images, 0.99 * measured)
    np.testing.assert_allclose(below.lines[1].get_ydata(), 1.0)
    np.testing.assert_allclose(below.lines[2].get_ydata(), -1.0)
    assert "tuned on 3 cycles" in above.get_title()


def test_an_unknown_time_to_failure_breaks_the_line(of_faults):
    (axis,) = of_faults["time-to-failure.png"].axes
    truth, told = (line.get_ydata() for line in axis.lines[:2])
    assert np.isnan(truth[190:]).all() and np.isfinite(truth[:190]).all()
    assert np.isfinite(told).all()


def test_a_network_without_a_clock_has_one_line_of_time(fault_slip, tmp_path):
    metrics, folder = fault_slip
    shown = json.loads((folder / "shown.json").read_text())
    (tmp_path / "shown.json").write_text(json.dumps({**shown, "predicted_time": None}))
    (axis,) = plotting.plot_fault_slip(metrics, tmp_path)["time-to-failure.png"].axes
    assert [line.get_label() for line in axis.lines[:1]] == ["measured"] and len(axis.lines) == 2


def test_cycles_show_the_mean_and_the_range_of_seeds(fault_slip, of_faults):
    metrics, folder = fault_slip
    left, right = of_faults["cycles.png"].axes
    assert [line.get_label() for line in left.lines] == [
        "clock", "sequence, all tuned", "encoder-decoder, latent tuned",
    ]  # fmt: skip
    np.testing.assert_array_equal(left.lines[0].get_xdata(), [1, 3, 6, 12])
    np.testing.assert_allclose(left.lines[0].get_ydata(), 5.5 / np.array([1, 3, 6, 12]))
    band = left.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(6.0) and len(right.lines) == 3
    # a record that is no laboratory's counts nowhere
    more = [*metrics["rows"], {**metrics["rows"][0], "record": "simulated", "mape": 1e3}]
    again = plotting.plot_fault_slip({**metrics, "rows": more}, folder)["cycles.png"].axes[0]
    np.testing.assert_allclose(again.lines[0].get_ydata(), left.lines[0].get_ydata())


def test_loads_are_a_line_a_seed_and_only_drawn_if_there_are_any(fault_slip, checked):
    metrics, folder = fault_slip
    loads = [
        {**metrics["rows"][0], "seed": seed, "load": load, "mape": load / 1e6, "ttf_mae": None}
        for seed in (0, 1, 2)
        for load in (4e6, 6e6, 8e6)
    ]
    rows = metrics["rows"] + loads
    figure = plotting.plot_fault_slip({**metrics, "rows": rows}, folder)["loads.png"]
    checked(figure)
    errors, times = figure.axes
    assert len(errors.lines) == 3
    np.testing.assert_allclose(errors.lines[0].get_xdata(), [4, 6, 8])
    np.testing.assert_allclose(errors.lines[0].get_ydata(), [4, 6, 8])
    assert np.isnan(times.lines[0].get_ydata()).all()


def test_scalograms_share_the_colours_of_friction(of_faults):
    figure = of_faults["scalograms.png"]
    images = [axis.collections[0] for axis in figure.axes[:3]]
    assert images[1].get_clim() == images[2].get_clim()
    assert all(low == -high for low, high in (image.get_clim() for image in images))
    assert all(axis.get_yscale() == "log" for axis in figure.axes[:3])
    assert figure.axes[2].get_xlabel() == "time (s)"


@pytest.mark.parametrize(
    "plot, study",
    [
        (plotting.plot_fault_slip, "fault-slip"),
        (plotting.plot_metainterface, "metainterface"),
        (plotting.plot_slide_hold_learn, "slide-hold-learn"),
    ],
)
def test_metrics_of_no_finished_study_are_refused_with_the_remedy(plot, study, tmp_path):
    for nothing in ({}, {"rows": []}):
        with pytest.raises(ValueError, match=f"no metrics of a finished study {study}: rows"):
            plot(nothing, tmp_path)


def test_a_folder_of_no_finished_study_is_refused_with_the_remedy(
    fault_slip, metainterface, slide_hold_learn, tmp_path
):
    empty = tmp_path / "empty"
    with pytest.raises(FileNotFoundError, match=r"shown.json: give the folder.*fault-slip wrote"):
        plotting.plot_fault_slip(fault_slip[0], empty)
    with pytest.raises(FileNotFoundError, match=r"shown.json: give the folder.*metainterface"):
        plotting.plot_metainterface(metainterface[0], empty)
    with pytest.raises(FileNotFoundError, match=r"shown.json: give the folder.*slide-hold-learn"):
        plotting.plot_slide_hold_learn(slide_hold_learn[0], empty)

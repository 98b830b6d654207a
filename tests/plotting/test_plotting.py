"""Figures of fits, simulations, predictions and designs: they show what they are given."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest

from jaxfric import contact, inversion, plotting, ratestate as rs, records


@pytest.fixture(scope="module")
def fit():
    record = records.sample("basalt").crop(11671.0, 11686.0)
    return inversion.fit_step(
        record, *inversion.guess(record, rs.Slip()), free=("stiffness", "step_time")
    )


@pytest.fixture(scope="module")
def stick_slip():
    law = rs.RateStateLaw(mu0=0.6, a=0.010, b=0.015, Dc=1e-5, V0=1e-6)
    history = rs.spring_slider(
        law, rs.Spring(250.0, damping=1e-2), rs.VelocityProtocol([0.0], [1e-5]),
        jnp.array([0.0, 60.0]), initial=(1e-6, law.initial(1e-6)), steps=True,
        options=rs.Options(max_steps=8192),
    )  # fmt: skip
    return history, rs.catalogue(history, max_events=16)


@pytest.fixture(scope="module")
def design():
    surface = contact.Asperities(-2e-6 * jnp.arange(16.0), jnp.full(16, 4e-4))
    material, loads = contact.Material(1.4e6, 1e5), jnp.linspace(0.0, 0.5, 21)
    found = contact.refine(surface, material, loads, 0.3 * loads, steps=3)
    spread = contact.tolerance(
        found.surface, material, loads, 1e-6, 1e-6, key=jax.random.key(0), draws=50
    )
    return found, spread


@pytest.fixture
def prediction():
    """A sawtooth that was predicted 1 % too high, with a band, and its record."""
    time = 0.1 * np.arange(300)
    friction = 0.4 + 0.001 * (np.arange(300) % 60)
    found = SimpleNamespace(
        time=time, predicted=1.01 * friction, band=np.full(300, 0.004), measured=friction,
        time_to_failure=6.0 - time % 6.0, seen=5.0,
    )  # fmt: skip
    return found, records.LabquakeRecord(time, 1.0 + np.arange(300) % 60, friction=friction)


# ---------------------------------------------------------------- fits


@pytest.mark.x64
def test_fit_shows_data_model_and_residual(fit, checked):
    figure = plotting.plot_fits([fit], title="a title")
    checked(figure)
    whole, close, residual = figure.axes
    assert whole.get_title() == "a title"
    curves = {line.get_label(): line for line in whole.lines}
    np.testing.assert_array_equal(curves["measured"].get_ydata(), fit.observed)
    model = next(line for label, line in curves.items() if label.startswith("Slip"))
    np.testing.assert_array_equal(model.get_ydata(), fit.model)
    assert close.lines[0].get_xdata().size < whole.lines[0].get_xdata().size
    assert residual.get_xlabel() == "time since the velocity step (s)"
    assert plotting.plot_fits([fit]).axes[0].get_title() == fit.title


@pytest.mark.x64
@pytest.mark.parametrize("mirrored", ["not", "up and down", "left and right"])
def test_no_legend_covers_the_peak_wherever_it_is(fit, mirrored, checked):
    columns = fit.observed, fit.model
    if mirrored == "up and down":
        columns = tuple(2 * fit.observed.mean() - x for x in columns)
    if mirrored == "left and right":
        columns = tuple(x[::-1] for x in columns)
    checked(plotting.plot_fits([eqx.tree_at(lambda f: (f.observed, f.model), fit, columns)]))


@pytest.mark.x64
def test_every_fit_is_drawn_and_named(fit, checked):
    fits = [eqx.tree_at(lambda f: f.model, fit, fit.model + 1e-3 * k) for k in range(7)]
    figure = plotting.plot_fits(fits)
    checked(figure)
    assert len(figure.axes[0].lines) == 8 == len(figure.legends[0].get_texts())
    assert figure.axes[0].lines[-1].get_ydata()[0] == pytest.approx(fit.model[0] + 6e-3)


def test_no_fit_is_an_error():
    with pytest.raises(ValueError, match="at least one fit"):
        plotting.plot_fits([])


# ---------------------------------------------------------------- simulations


@pytest.mark.x64
def test_stick_slip_marks_each_event(stick_slip, checked):
    history, events = stick_slip
    figure = plotting.plot_stick_slip(history, events, title="cycles")
    checked(figure)
    valid = int(np.sum(np.asarray(events.valid)))
    assert valid >= 2
    assert [len(axis.lines) for axis in figure.axes] == [1 + valid] * 3
    assert figure.axes[1].get_yscale() == "log"
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "friction", "velocity (m/s)", "slip (mm)",
    ]  # fmt: skip
    np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), 1e3 * history.slip)
    assert len(plotting.plot_stick_slip(history).axes[0].lines) == 1


@pytest.mark.x64
def test_a_batch_of_runs_is_refused_with_the_remedy(stick_slip):
    two = jax.tree_util.tree_map(lambda x: jnp.stack([x, x]), stick_slip[0])
    with pytest.raises(ValueError, match=r"draws one run, but time has shape \(2, .*tree_map"):
        plotting.plot_stick_slip(two)


def test_sensitivity_has_a_curve_for_each_parameter(checked):
    t = np.linspace(0, 1, 11)
    figure = plotting.plot_sensitivity(t, t, {"a": t**2, "b": -t})
    checked(figure)
    assert [line.get_label() for line in figure.axes[1].lines] == ["a", "b"]
    assert figure.axes[1].get_xlabel() == "time (s)"
    many = plotting.plot_sensitivity(t, t, {f"parameter {i}": t * i for i in range(9)})
    assert len(many.axes[1].lines) == 9


@pytest.mark.parametrize(
    "slopes, message",
    [
        ({}, "at least one parameter"),
        ({"a": np.ones(3)}, r"one shape \(m,\).*'a': \(3,\)"),
        ({"a": np.ones((11, 2))}, r"one shape \(m,\)"),
    ],
)
def test_odd_sensitivities_are_refused(slopes, message):
    t = np.linspace(0, 1, 11)
    with pytest.raises(ValueError, match=message):
        plotting.plot_sensitivity(t, t, slopes)
    with pytest.raises(ValueError, match="one shape"):
        plotting.plot_sensitivity(t[None], t[None], {"a": t[None]})


# ---------------------------------------------------------------- predictions of slip


def test_a_prediction_is_drawn_with_its_band_beside_the_measurement(prediction, checked):
    found, record = prediction
    figure = plotting.plot_slip_prediction(found, record)
    checked(figure)
    emission, friction, left = figure.axes
    predicted, measured = friction.lines
    np.testing.assert_allclose(predicted.get_ydata(), 1.01 * measured.get_ydata())
    band = friction.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(found.predicted.max() + 0.004)
    assert friction.get_ylabel() == "friction"
    assert (emission.get_yscale(), left.get_ylabel()) == ("log", "time to failure (s)")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["predicted", "measured", "tuned on"]


def test_a_prediction_names_what_it_predicts(prediction):
    found, record = prediction
    stress = SimpleNamespace(**{**vars(found), "measured": 8e6 * found.measured})
    assert plotting.plot_slip_prediction(stress, record).axes[1].get_ylabel() == "shear stress (Pa)"
    alone = SimpleNamespace(**{**vars(found), "measured": None, "seen": 0.0})
    figure = plotting.plot_slip_prediction(alone, record)
    assert figure.axes[1].get_ylabel() == "friction (spreads)" and len(figure.axes[1].lines) == 1
    empty = SimpleNamespace(**{**vars(found), "time": np.zeros(0)})
    with pytest.raises(ValueError, match="at least one sample"):
        plotting.plot_slip_prediction(empty, record)


# ---------------------------------------------------------------- designs


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_design_shows_law_error_and_contacts(design, checked):
    """Target and design, the band of what is made about the error, contacts that only grow."""
    found, spread = design
    figure = plotting.plot_design(found, spread, title="linear")
    checked(figure)
    law, error, count = figure.axes
    np.testing.assert_allclose(law.lines[1].get_ydata(), found.friction)
    shown = error.lines[0].get_ydata()[1:]
    np.testing.assert_allclose(shown, 100 * (found.friction / found.target - 1)[1:], atol=1e-4)
    assert np.isnan(error.lines[0].get_ydata()[0])  # no friction is wanted at no load
    assert len(error.collections) == 1 and np.all(np.diff(count.lines[0].get_ydata()) >= 0)
    assert not plotting.plot_design(found).axes[1].collections


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_part_is_a_map_in_millimetres_and_a_row_from_the_side(design):
    part = contact.part(design[0])
    figure = plotting.plot_part(part, spacing=1.5e-3, title="linear")
    above, side, colours = figure.axes
    assert "of 16 touch" in above.texts[0].get_text()
    places = above.collections[0].get_offsets()
    assert np.ptp(places[:, 0]) == pytest.approx(4.5) and above.get_aspect() == 1
    assert (above.get_xlabel(), above.get_ylabel()) == ("x (mm)", "y (mm)")
    assert colours.get_ylabel() == "depth below the highest tip (µm)"
    # Four caps of a row and the block; the flat stands as far above the block as the part says
    assert len(side.collections) == 5
    assert side.lines[0].get_ydata()[0] == pytest.approx(part.clearance * 1e6)
    tips = [cap.get_datalim(side.transData).y1 for cap in side.collections[:4]]
    assert max(tips) == pytest.approx(part.height.max() * 1e6)


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_designs_are_ranked_with_the_best_on_top(design, checked):
    best, _ = design
    figure = plotting.plot_designs([best, best, best], title="linear")
    checked(figure)
    law, error, heights = figure.axes
    assert [line.get_label() for line in law.lines][0] == "target" and len(error.lines) == 4
    assert "best" in law.lines[1].get_label() and law.lines[2].get_label() == "others"
    assert law.lines[1].get_zorder() > law.lines[2].get_zorder() > law.lines[3].get_zorder()
    assert "(µm)" in heights.get_xlabel()


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_odd_designs_are_refused_with_the_remedy(design):
    found, _ = design
    two = jax.tree_util.tree_map(lambda x: jnp.stack([x, x]), found)
    with pytest.raises(ValueError, match=r"draws one design, .*\(2, 21\).*tree_map"):
        plotting.plot_design(two)
    with pytest.raises(ValueError, match="spacing must be a positive number"):
        plotting.plot_part(contact.part(found), spacing=0.0)
    with pytest.raises(ValueError, match="at least one design"):
        plotting.plot_designs([])


# ---------------------------------------------------------------- files and state


@pytest.fixture
def small():
    return plotting.plot_sensitivity([0.0, 1.0], [0.0, 1.0], {"a": [0.0, 1.0]})


@pytest.mark.parametrize(
    "ending, start", [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_the_ending_of_a_name_chooses_the_format(small, tmp_path, ending, start):
    path = plotting.save(small, str(tmp_path / f"figure.{ending}"))
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [f"figure.{ending}"]


def test_figures_are_saved_whole_or_not_at_all(small, tmp_path, monkeypatch):
    path = plotting.save(small, tmp_path / "figure.png")
    before = path.read_bytes()

    def half(target):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(small, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        plotting.save(small, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]


def test_nothing_global_in_matplotlib_is_changed(prediction, metainterface, tmp_path):
    import matplotlib.pyplot as plt

    before, backend = dict(mpl.rcParams), mpl.get_backend()
    for figure in (
        plotting.plot_sensitivity([0.0, 1.0], [0.0, 1.0], {"a": [0.0, 1.0]}),
        plotting.plot_slip_prediction(*prediction),
        *plotting.plot_metainterface(*metainterface).values(),
    ):
        plotting.save(figure, tmp_path / "figure.png")
    assert dict(mpl.rcParams) == before and mpl.get_backend() == backend
    assert plt.get_fignums() == []  # pyplot keeps none of them


def test_an_unknown_figure_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'plot_nothing'"):
        plotting.plot_nothing  # noqa: B018
    assert {"plot_fits", "plot_slip_prediction", "save"} <= set(dir(plotting))

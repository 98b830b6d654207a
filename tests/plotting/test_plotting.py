"""Figures: they are written whole, show what they are given, and leave global state alone."""

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest

from jaxfric import inversion, plotting, ratestate as rs, records


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


@pytest.mark.x64
def test_fit_shows_data_model_and_residual(fit):
    figure = plotting.plot_fits([fit], title="a title")
    whole, close, residual = figure.axes
    assert whole.get_title() == "a title"
    curves = {line.get_label(): line for line in whole.lines}
    np.testing.assert_array_equal(curves["measured"].get_ydata(), fit.observed)
    model = next(line for label, line in curves.items() if label.startswith("Slip"))
    np.testing.assert_array_equal(model.get_ydata(), fit.model)
    assert close.lines[0].get_xdata().size < whole.lines[0].get_xdata().size
    assert "time" in residual.get_xlabel()


def test_no_fit_is_an_error():
    with pytest.raises(ValueError, match="at least one fit"):
        plotting.plot_fits([])


@pytest.mark.x64
def test_stick_slip_marks_each_event(stick_slip):
    history, events = stick_slip
    figure = plotting.plot_stick_slip(history, events, title="cycles")
    valid = int(np.sum(np.asarray(events.valid)))
    assert valid >= 2
    assert [len(axis.lines) for axis in figure.axes] == [1 + valid] * 3
    assert figure.axes[1].get_yscale() == "log"
    assert len(plotting.plot_stick_slip(history).axes[0].lines) == 1


def test_sensitivity_has_a_curve_for_each_parameter():
    t = np.linspace(0, 1, 11)
    figure = plotting.plot_sensitivity(t, t, {"a": t**2, "b": -t})
    assert [line.get_label() for line in figure.axes[1].lines] == ["a", "b"]


def test_figures_are_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    figure = plotting.plot_sensitivity([0.0, 1.0], [0.0, 1.0], {"a": [0.0, 1.0]})
    path = plotting.save(figure, tmp_path / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    before = path.read_bytes()

    def half(target):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        plotting.save(figure, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]


def test_global_state_of_matplotlib_is_left_alone():
    before = dict(mpl.rcParams)
    plotting.plot_sensitivity([0.0, 1.0], [0.0, 1.0], {"a": [0.0, 1.0]})
    assert dict(mpl.rcParams) == before


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_design_shows_law_error_and_contacts(tmp_path):
    """Target and design, the band of what is made about the error, contacts that only grow."""
    import jax

    from jaxfric import contact

    surface = contact.Asperities(-2e-6 * jnp.arange(16.0), jnp.full(16, 4e-4))
    material, loads = contact.Material(1.4e6, 1e5), jnp.linspace(0.0, 0.5, 21)
    design = contact.refine(surface, material, loads, 0.3 * loads, steps=3)
    spread = contact.tolerance(
        design.surface, material, loads, 1e-6, 1e-6, key=jax.random.key(0), draws=50
    )
    figure = plotting.plot_design(design, spread, title="linear")
    law, error, count = figure.axes
    np.testing.assert_allclose(law.lines[1].get_ydata(), design.friction)
    shown = error.lines[0].get_ydata()[1:]
    np.testing.assert_allclose(shown, 100 * (design.friction / design.target - 1)[1:], atol=1e-4)
    assert len(error.collections) == 1 and np.all(np.diff(count.lines[0].get_ydata()) >= 0)
    surface_map = plotting.plot_surface(design, spacing=1.5e-3, title="linear")
    assert "of 16 touch" in surface_map.axes[0].texts[0].get_text()
    assert plotting.save(surface_map, tmp_path / "map.png").stat().st_size > 10_000

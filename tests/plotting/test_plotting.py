"""Figures: what stands on the axes, and files that are whole or not there."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import Status, plotting, ratestate as rs

TIME = np.linspace(100.0, 160.0, 400)
LAW = rs.RateStateLaw(0.6, 0.010, 0.014, 2e-5, 1e-6)


@pytest.fixture
def fit():
    """A `StepFit` by hand: a step at 120 s, a model, and noise about it."""

    def make(evolution, shift=0.0, title="a record"):
        model = 0.6 + 0.01 * np.where(TIME > 120, np.exp(-(TIME - 120) / 3) - 0.4, 0.0) + shift
        values = np.array([0.010, 0.014, 2e-5, 0.6])
        return rs.StepFit(
            law=rs.RateStateLaw(0.6, 0.010, 0.014, 2e-5, 1e-6, evolution),
            spring=rs.Spring(2000.0),
            protocol=rs.VelocityProtocol([100.0, 120.0], [1e-6, 1e-5]),
            names=("a", "b", "Dc", "mu0"),
            values=values,
            covariance=np.diag((0.01 * values) ** 2),
            time=TIME,
            observed=model - shift + 1e-3 * np.random.default_rng(0).normal(size=TIME.size),
            model=model,
            trend=np.zeros(TIME.size),
            noise=[],
            steady_noise=1e-3,
            converged=True,
            iterations=9,
            title=title,
            fitted=5,
        )

    return make


@pytest.fixture
def stick_slip():
    """A history of three events, and its catalogue."""
    t = jnp.linspace(0.0, 10.0, 301)
    V = jnp.exp(-14 + 12 * jnp.exp(-(((t % 3) - 1.5) ** 2) / 0.02))
    slip = jnp.concatenate([jnp.zeros(1), jnp.cumsum(jnp.diff(t) * V[1:])])
    history = rs.History(t, V, 0.6 - 0.01 * jnp.log(V), t, slip, Status(jnp.array(0)))
    find = jax.jit(lambda h: rs.catalogue(h, threshold=1e-4, max_events=8))
    return history, find(history)


@pytest.fixture
def figure(stick_slip):
    return plotting.plot_stick_slip(*stick_slip)


def labels(axis):
    return [line.get_label() for line in axis.get_lines()]


def test_fits_show_data_models_and_residuals(fit):
    fits = [fit(rs.Aging()), fit(rs.Slip(), shift=2e-3)]
    whole, close, residual = plotting.plot_fits(fits).axes
    for axis in (whole, close):
        measured, aging, slip = axis.get_lines()
        assert labels(axis)[0] == "measured" and measured.get_linestyle() == "None"
        assert aging.get_label().startswith("Aging: a = 0.0100, a−b = -0.0040")
        assert slip.get_label().startswith("Slip") and "rms" in slip.get_label()
        assert aging.get_color() != slip.get_color() != measured.get_color()
        assert aging.get_linestyle() != slip.get_linestyle()
        assert axis.get_ylabel() == "friction"
    np.testing.assert_allclose(whole.get_lines()[0].get_xdata(), TIME - 120)
    np.testing.assert_allclose(whole.get_lines()[1].get_ydata(), fits[0].model)
    assert whole.get_title() == "a record" and whole.get_legend() is not None
    assert residual.get_xlabel() == "time since the velocity step (s)"
    assert residual.get_ylabel() == "residual (10⁻³)"


def test_the_close_up_is_around_the_step(fit):
    _, close, _ = plotting.plot_fits([fit(rs.Aging())]).axes
    x = close.get_lines()[0].get_xdata()
    # twelve Dc of slip at the second velocity
    assert -0.35 * 24 < x.min() < 0 and 23 < x.max() < 24.1 and x.size > 100


def test_residuals_are_in_thousandths(fit):
    # a constant misfit of 2e-3 beside the noise
    (_, _, residual) = plotting.plot_fits([fit(rs.Aging(), shift=2e-3)]).axes
    smooth, points = residual.get_lines()[:2]
    assert np.mean(smooth.get_ydata()) == pytest.approx(-2.0, abs=0.2)
    np.testing.assert_allclose(np.mean(points.get_ydata()), np.mean(smooth.get_ydata()), atol=0.05)


def test_title_can_be_given(fit):
    whole = plotting.plot_fits([fit(rs.Aging())], title="gouge").axes[0]
    assert whole.get_title() == "gouge"


def test_without_a_fit_there_is_no_figure():
    with pytest.raises(ValueError, match="at least one fit"):
        plotting.plot_fits([])


def test_stick_slip_shows_friction_velocity_and_slip(stick_slip):
    history, events = stick_slip
    assert int(events.count) == 3
    friction, velocity, slip = plotting.plot_stick_slip(history, events, title="cycle").axes
    assert friction.get_title() == "cycle"
    assert [a.get_ylabel() for a in (friction, velocity, slip)] == [
        "friction", "velocity (m/s)", "slip (mm)",
    ]  # fmt: skip
    assert velocity.get_yscale() == "log" and slip.get_xlabel() == "time (s)"
    for axis, values in ((friction, history.friction), (slip, 1e3 * history.slip)):
        np.testing.assert_allclose(axis.get_lines()[0].get_ydata(), values, rtol=1e-6)
    for axis in (friction, velocity, slip):  # one line of data, one for every event
        marks = [line.get_xdata()[0] for line in axis.get_lines()[1:]]
        np.testing.assert_allclose(marks, events.time[:3], rtol=1e-6)


def test_stick_slip_without_events(stick_slip):
    figure = plotting.plot_stick_slip(stick_slip[0])
    assert all(len(axis.get_lines()) == 1 for axis in figure.axes)


def test_sensitivity_has_a_line_for_each_parameter():
    t = np.linspace(0, 1, 11)
    slopes = {"a": t, "b": -t, "Dc": t**2}
    above, below = plotting.plot_sensitivity(t, 0.6 + t, slopes, title="slopes").axes
    assert above.get_title() == "slopes" and above.get_ylabel() == "friction"
    assert labels(below) == ["a", "b", "Dc"] and below.get_legend() is not None
    np.testing.assert_allclose(below.get_lines()[1].get_ydata(), -t)
    assert below.get_ylabel() == "∂μ / ∂ ln(parameter)" and below.get_xlabel() == "time (s)"


# Files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_figures_are_saved(figure, tmp_path, ending, magic):
    path = plotting.save(figure, tmp_path / f"figure.{ending}")
    assert path == tmp_path / f"figure.{ending}" and path.read_bytes().startswith(magic)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_saving_takes_text_for_a_path(figure, tmp_path):
    assert plotting.save(figure, str(tmp_path / "figure.png")).exists()


def test_a_failed_save_leaves_what_was_there(figure, tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_text("the old one")

    def half(part):
        part.write_text("half a fig")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="disk full"):
        plotting.save(figure, path)
    assert path.read_text() == "the old one" and list(tmp_path.iterdir()) == [path]


def test_an_unknown_ending_leaves_nothing(figure, tmp_path):
    with pytest.raises(ValueError, match="nonsense"):
        plotting.save(figure, tmp_path / "figure.nonsense")
    assert list(tmp_path.iterdir()) == []


def test_figures_need_the_app_extra(stick_slip, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxfric\[app\]'"):
        plotting.plot_stick_slip(*stick_slip)


def test_global_style_stays_untouched(figure):
    import matplotlib

    assert figure.axes[0].spines["top"].get_visible() is False
    assert matplotlib.rcParams["axes.spines.top"] is True
    assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()

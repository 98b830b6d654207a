"""Names beside points: apart from one another, inside the axes, the same every time."""

import numpy as np
import pytest

from jaxfric.plotting._labels import Label, label_points
from jaxfric.plotting._style import new_figure


def scatter(labels, lines=(), **scales):
    figure, (axis,) = new_figure(size=(6.0, 4.0), ratios=(1.0,))
    axis.plot([label.x for label in labels], [label.y for label in labels], "o", ms=6)
    for height in lines:
        axis.axhline(height)
    axis.set(**scales)
    axis.margins(x=0.2, y=0.2)
    label_points(figure, axis, labels, lines=lines)
    return figure


def crowd(n, seed=0):
    x, y = np.random.default_rng(seed).uniform(1, 10, (2, n))
    return [Label(float(x[i]), float(y[i]), f"method {i}", "black") for i in range(n)]


@pytest.mark.parametrize("seed", range(4))
def test_names_of_a_crowd_are_apart_and_inside(page, seed):
    figure = scatter(crowd(20, seed))
    laid_out = page(figure)
    assert laid_out.overlapping_names() == []
    frame = laid_out.box(figure.axes[0])
    for text in figure.axes[0].texts:
        box = laid_out.box(text)
        assert frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1
        assert frame.y0 - 1 <= box.y0 and box.y1 <= frame.y1 + 1


def test_equal_points_get_names_apart(page):
    figure = scatter([Label(1.0, 1.0, f"name {i}", "black") for i in range(5)])
    assert page(figure).overlapping_names() == []


def test_logarithmic_axes_are_understood(page):
    labels = [Label(10.0**-i, 10.0**i, f"name {i}", "black") for i in range(6)]
    figure = scatter(labels, xscale="log", yscale="log")
    assert page(figure).overlapping_names() == []


def test_a_name_crosses_no_line(page):
    figure = scatter([Label(1.0, 1.0, "on the line", "black")], lines=[1.0])
    laid_out = page(figure)
    box = laid_out.box(figure.axes[0].texts[0])
    height = figure.axes[0].transData.transform((1.0, 1.0))[1]
    assert not box.y0 < height < box.y1


def test_a_lonely_name_stands_beside_its_point_without_a_line():
    (text,) = scatter([Label(1.0, 1.0, "alone", "red")]).axes[0].texts
    assert text.arrow_patch is None
    assert text.get_color() == "red" and np.hypot(*text.get_position()) <= 6


def test_the_same_points_make_the_same_figure():
    def places(figure):
        return [(text.get_text(), text.get_position()) for text in figure.axes[0].texts]

    assert places(scatter(crowd(15))) == places(scatter(crowd(15)))


def test_a_name_at_the_border_does_not_move_the_axes(page):
    border = [Label(1.0, 1.0, "a name that is long", "black"), Label(2.0, 2.0, "b" * 30, "black")]
    short = [label._replace(text="c") for label in border]
    wide, narrow = scatter(border), scatter(short)
    np.testing.assert_allclose(
        page(wide).box(wide.axes[0]).bounds, page(narrow).box(narrow.axes[0]).bounds
    )


def test_nothing_to_name_is_no_error():
    assert not scatter([]).axes[0].texts

"""Figures of the command line, drawn by a second process."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from jaxfric.cli._drawing import Painter

pytest.importorskip("matplotlib")

HISTORY = "jaxfric.plotting._history"
TIME = np.linspace(0.0, 1.0, 50)
SLOPES = {"a": TIME, "Dc": -TIME}


@pytest.fixture
def painter():
    found = Painter()
    if found._process is None:
        pytest.skip("one processor")
    yield found
    found.close()


def order(painter, title):
    return painter.draw(HISTORY, "plot_sensitivity", TIME, TIME**2, SLOPES, title=title)


def content(figure, path):
    figure.savefig(path)
    return path.read_bytes()


def test_a_figure_is_the_one_that_is_drawn_here(painter, tmp_path):
    here = Painter(apart=False)
    apart = content(order(painter, "one"), tmp_path / "apart.png")
    assert apart == content(order(here, "one"), tmp_path / "here.png")
    assert apart[:8] == b"\x89PNG\r\n\x1a\n"


def test_figures_come_in_the_order_in_which_they_were_asked_for(painter, tmp_path):
    first, second = order(painter, "one"), order(painter, "another")
    found = [content(x, tmp_path / f"{k}.png") for k, x in enumerate((first, second))]
    here = Painter(apart=False)
    again = [content(order(here, t), tmp_path / "here.png") for t in ("one", "another")]
    assert found == again and found[0] != found[1]


def test_an_error_of_drawing_is_raised_where_the_figure_is_written(painter, tmp_path):
    bad = painter.draw(HISTORY, "plot_sensitivity", TIME, TIME, {})
    with pytest.raises(ValueError, match="needs the derivative by at least one parameter"):
        bad.savefig(tmp_path / "bad.png")
    # and the next one is drawn
    assert content(order(painter, "one"), tmp_path / "good.png")


def test_a_process_that_dies_costs_only_time(painter, tmp_path):
    figures = [order(painter, "one")]
    os.kill(painter._process.pid, signal.SIGKILL)
    painter._process.wait()
    figures.append(order(painter, "another"))
    assert all(content(x, tmp_path / f"{k}.png") for k, x in enumerate(figures))


def test_a_command_that_ends_meanwhile_leaves_no_traceback():
    code = """
import os
import numpy as np
from jaxfric.cli._drawing import Painter
x = np.linspace(0.0, 1.0, 50)
Painter().draw("jaxfric.plotting._history", "plot_sensitivity", x, x**2, {"a": x}, title="late")
os._exit(1)
"""
    # The process that draws shares this stderr, so that its end is waited for as well
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_draws_imports_no_jax():
    """That would take longer than what the process is there for, and one of two cores."""
    names = ("_fit", "_design", "_part", "_contact", "_slip_prediction", "_history")
    lines = [f"import jaxfric.plotting.{name}" for name in names]
    code = "; ".join(["import sys", *lines, "print('jax' in sys.modules)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

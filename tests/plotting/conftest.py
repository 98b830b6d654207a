"""What the tests of figures look at: boxes on the page, and folders of studies made by hand."""

import itertools
import json

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg


def boxes_overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5


class Page:
    """A figure as it is laid out, in pixels."""

    def __init__(self, figure):
        self.figure = figure
        self.renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()

    def box(self, artist):
        return artist.get_window_extent(self.renderer)

    def legends(self):
        inside = [axis.get_legend() for axis in self.figure.axes]
        return [*self.figure.legends, *(legend for legend in inside if legend is not None)]

    def covered_points(self):
        """How many points of curves lie under a legend."""
        count = 0
        for legend, axis in itertools.product(self.legends(), self.figure.axes):
            box, frame = self.box(legend), self.box(axis)
            for line in axis.lines:
                if line.get_transform() != axis.transData:
                    continue  # a vertical or horizontal line across the whole axes
                x, y = axis.transData.transform(line.get_xydata()).T
                shown = (x >= frame.x0) & (x <= frame.x1) & (y >= frame.y0) & (y <= frame.y1)
                count += np.sum(shown & (x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1))
        return int(count)

    def overlapping_names(self):
        """Pairs of annotations that cover each other."""
        texts = [text for axis in self.figure.axes for text in axis.texts]
        boxes = [(text.get_text(), self.box(text)) for text in texts]
        return [
            (a, b) for (a, p), (b, q) in itertools.combinations(boxes, 2) if boxes_overlap(p, q)
        ]

    def unnamed_axes(self):
        """Axes without a name at the left or, in the last row of a column, below."""
        bad = []
        for axis in self.figure.axes:
            if axis.get_label() == "<colorbar>":
                named = axis.get_ylabel()
            else:
                named = axis.get_ylabel() or not axis.get_subplotspec().is_first_col()
                if axis.get_subplotspec().is_last_row():
                    named = named and axis.get_xlabel()
            if not named:
                bad.append(axis)
        return bad


@pytest.fixture
def page():
    return Page


def check_figure(figure):
    """What holds of every figure."""
    laid_out = Page(figure)
    assert not laid_out.unnamed_axes()
    assert laid_out.covered_points() == 0
    assert laid_out.overlapping_names() == []
    for legend in figure.legends:
        for axis in figure.axes:
            assert not boxes_overlap(laid_out.box(legend), laid_out.box(axis))


@pytest.fixture
def checked():
    return check_figure


@pytest.fixture(scope="module")
def slide_hold_learn(tmp_path_factory):
    """Metrics and folder of the study Slide, Hold, Learn with two sizes and three recipes."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 50)
    rows, shown = [], []
    for k, recipe in enumerate(("paper", "gru", "cell")):
        for jumps in ("free", "grid"):
            velocity = np.where(t < 0.5, 1.0, 5.0) * np.ones((4, 1))
            change = 0.01 * np.log(velocity) * np.exp(-((t - 0.5) ** 2))
            shown.append(
                {
                    "jumps": jumps, "recipe": recipe, "size": 100, "velocity": velocity.tolist(),
                    "change": change.tolist(), "predicted": (change * (1 + 0.1 * k)).tolist(),
                    "rel_mu": rng.uniform(0.01, 1.0, 4).tolist(),
                    "loss": np.geomspace(1, 1e-3, 20).tolist(), "steps": 1000, "seconds": 12.0,
                }
            )  # fmt: skip
            for size, noise in ((10, "clean"), (100, "clean"), (10, "noisy"), (100, "noisy")):
                rows.append(
                    {"jumps": jumps, "evolution": "aging", "noise": noise, "recipe": recipe,
                     "size": size, "rel_mu": 10.0 ** (-k) / size}
                )  # fmt: skip
    (folder / "shown.json").write_text(json.dumps(shown))
    metrics = {
        "rows": rows,
        "paper": {"clean_aging": {"10": 4.6, "100": 1.2}},
        "floors": {"aging": {"rel_mu": 0.09}},
    }
    return metrics, folder


@pytest.fixture(scope="module")
def metainterface(tmp_path_factory):
    """Metrics and folder of the study Friction on Demand with crowded points."""
    folder = tmp_path_factory.mktemp("study")
    points = [
        ("ours", "drawn", 0.07, 0.35), ("ours", "one pass", 0.098, 0.28),
        ("ours", "1 LM", 0.108, 0.2), ("ours", "best", 7.2, 0.015),
        ("bank", "as found", 0.42, 0.87), ("bank", "best", 7.4, 0.015),
        ("GAN", "", 0.035, 29.0), ("MLP", "", 0.052, 10.0), ("trees", "", 7.1, 10.3),
        ("CMA-ES on parameters", "redrawn", 140.0, 7.8), ("VAE + CMA-ES", "redrawn", 157.0, 8.0),
        ("CVAE", "prior", 0.05, 20.0), ("CVAE", "posterior, redrawn", 0.06, 10.1),
    ]  # fmt: skip
    rows = [
        {"group": "random, 64", "kind": kind, "control": control, "ms_per_design": ms,
         "median": error, "diversity": error**0.1}
        for kind, control, ms, error in points
    ]  # fmt: skip
    rows += [
        {"group": "random, 64", "kind": name, "control": "", "ms_per_design": None, "median": error}
        for name, error in (("constant", 50.0), ("random surface", 29.0))
    ]
    rows.append({**rows[0], "group": "linear", "ms_per_design": 1.0, "median": 1.0})
    plane = {"asperities": [8, 64, 512], "friction_over_load": [0.1, 0.2, 0.3],
             "error": [0.1, 0.5, 2.0]}  # fmt: skip
    load = np.linspace(0.01, 0.1, 8).tolist()
    designs = {
        "name": "second slope 2 times", "load": load, "target": load,
        "friction": [load, (1.1 * np.asarray(load)).tolist()], "error": [0.1, 0.4],
        "depth": [[0.0, 1e-6], [0.0]], "radius": [[1e-3, 5e-4], [7e-4]],
    }  # fmt: skip
    (folder / "shown.json").write_text(json.dumps([designs, designs]))
    return {"rows": rows, "analyses": {"plane": plane}}, folder


@pytest.fixture(scope="module")
def fault_slip(tmp_path_factory):
    """Metrics and folder of the study Predicting fault slip: a sawtooth of 20 cycles."""
    folder = tmp_path_factory.mktemp("study")
    time = 0.2 * np.arange(200)
    phase = np.arange(200) % 10
    friction = 0.4 + 0.01 * phase
    images = np.sin(np.arange(60.0)).reshape(6, 10).tolist()
    shown = {
        "name": "p001", "cycles": 3, "seen": 6.0, "test_from": 20.0, "time": time.tolist(),
        "energy": (1.0 + phase).tolist(), "friction": friction.tolist(),
        "predicted": (1.01 * friction).tolist(), "band": (0.01 * friction).tolist(),
        "encoder_decoder": (0.99 * friction).tolist(),
        "time_to_failure": [None if i >= 190 else 0.2 * (9 - p) for i, p in enumerate(phase)],
        "predicted_time": (0.2 * (9.0 - phase)).tolist(),
        "simulated_energy": (2.0 + phase).tolist(), "simulated_friction": friction.tolist(),
        "scalograms": {
            "time": (4.0 * np.arange(10)).tolist(), "period": np.geomspace(0.5, 16, 6).tolist(),
            "cone": (4.0 + np.minimum(np.arange(10), np.arange(10)[::-1])).tolist(),
            "input": images, "target": images, "predicted": images,
        },
    }  # fmt: skip
    (folder / "shown.json").write_text(json.dumps(shown))
    rows = [
        {"kind": kind, "control": "", "part": part, "level": "inferred", "cycles": cycles,
         "seed": seed, "record": "p001", "load": None, "mape": (5.0 + seed) / cycles,
         "ttf_mae": 2.0 / cycles}
        for kind, part in (("clock", "-"), ("sequence", "all"), ("encoder-decoder", "latent"))
        for cycles in (1, 3, 6, 12)
        for seed in (0, 1)
    ]  # fmt: skip
    return {"rows": rows, "laboratory": ["p001"]}, folder

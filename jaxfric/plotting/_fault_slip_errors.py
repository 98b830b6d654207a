"""Errors of the study Predicting fault slip, against what was seen and against the load."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from jaxfric.plotting._studies import FaultSlipRow
from jaxfric.plotting._style import COLOURS, legend_below, new_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Measure = Literal["mape", "ttf_mae"]

SEQUENCE, IMAGES = COLOURS[0], COLOURS[1]
ERRORS: dict[Measure, str] = {
    "mape": "MAPE of friction (%)",
    "ttf_mae": "error of time to failure (s)",
}


def plot_cycles(rows: Sequence[FaultSlipRow], laboratory: Sequence[str]) -> "Figure":
    """Error on the records of the laboratory against the cycles that were seen."""
    figure, axes = new_panels(size=(10.0, 4.6), ratios=(1.0,), share=False, columns=2)
    # Kind of network, part that was tuned, level of friction: black for yardsticks, a colour for
    # each family of networks, and the more was tuned the fuller the line.
    lines = {
        ("constant", "-", "inferred"): ("black", ":"),
        ("clock", "-", "inferred"): ("black", "--"),
        ("onset clock", "-", "inferred"): ("black", "-."),
        ("sequence", "none", "inferred"): (COLOURS[3], "-"),
        ("sequence", "latent", "inferred"): (COLOURS[4], "-"),
        ("sequence", "all", "inferred"): (SEQUENCE, "-"),
        ("sequence", "all", "given"): (SEQUENCE, "--"),
        ("encoder-decoder", "none", "inferred"): (IMAGES, ":"),
        ("encoder-decoder", "latent", "inferred"): (IMAGES, "--"),
        ("encoder-decoder", "all", "inferred"): (IMAGES, "-"),
        ("both", "latent", "inferred"): (COLOURS[2], "-"),
    }
    for axis, (measure, label) in zip(axes[0], ERRORS.items(), strict=True):
        for (kind, part, level), (colour, style) in lines.items():
            chosen = [
                row for row in rows
                if (row["kind"], row["part"], row["level"]) == (kind, part, level)
                and not row["control"] and row["record"] in laboratory
            ]  # fmt: skip
            points = _against_cycles(chosen, measure)
            # A time to failure has no level that could be given.
            if not points or (measure == "ttf_mae" and level == "given"):
                continue
            x, low, mean, high = (np.array(v) for v in zip(*points, strict=True))
            name = kind if part == "-" else f"{kind}, {part} tuned"
            name += ", level given" if level == "given" else ""
            axis.plot(x, mean, color=colour, ls=style, marker="o", ms=3, label=name)
            axis.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
        axis.set(xlabel="cycles seen", ylabel=label, xscale="log")
        axis.set_xticks([1, 3, 6, 12], labels=["1", "3", "6", "12"])
        axis.minorticks_off()
    axes[0][0].set_yscale("log")
    axes[0][0].set_yticks([1, 2, 5], labels=["1", "2", "5"])
    axes[0][0].minorticks_off()
    legend_below(figure, axes[0][0], columns=4)
    return figure


def _against_cycles(
    rows: Sequence[FaultSlipRow], measure: Measure
) -> list[tuple[float, float, float, float]]:
    """(cycles, smallest, mean, largest) over seeds and laboratories."""
    points: list[tuple[float, float, float, float]] = []
    for cycles in (1, 3, 6, 12):
        found = [row.get(measure) for row in rows if row["cycles"] == cycles]
        values = [value for value in found if value is not None]
        if values:
            points.append(
                (float(cycles), float(min(values)), float(np.mean(values)), float(max(values)))
            )
    return points


def plot_loads(rows: Sequence[FaultSlipRow]) -> "Figure":
    """Errors on simulated faults against the normal stress."""
    figure, axes = new_panels(size=(9.0, 3.8), ratios=(1.0,), share=False, columns=2)
    for axis, (measure, label) in zip(axes[0], ERRORS.items(), strict=True):
        for seed in sorted({row["seed"] for row in rows if row.get("load")}):
            of_seed = [row for row in rows if row.get("load") and row["seed"] == seed]
            errors = [row[measure] for row in of_seed]
            axis.plot(
                [(row["load"] or 0.0) / 1e6 for row in of_seed],
                # None, a number that the metrics file could not hold, breaks the line.
                [np.nan if error is None else error for error in errors],
                marker="o", ms=3, color=SEQUENCE, alpha=0.7, lw=1.0,
            )  # fmt: skip
        axis.set(xlabel="normal stress (MPa)", ylabel=label, ylim=(0, None))
        axis.set_title("tuned at the lowest load, other faults; a line a seed", fontsize=9)
    return figure

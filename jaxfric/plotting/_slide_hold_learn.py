"""Figures of the study Slide, Hold, Learn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from jaxfric.plotting._studies import ShownTraining, SizeRow, read_shown, require
from jaxfric.plotting._style import COLOURS, STYLES, legend_below, new_figure, new_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"paper": "paper's GRU", "gru": "GRU with ln V", "cell": "FrictionCell"}

# Error by the number of training sequences, which JSON knows as text only
Published = Mapping[int, float] | Mapping[str, float]


def plot_slide_hold_learn(metrics: Mapping[str, object], folder: Path) -> "dict[str, Figure]":
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        sequences.png, training.png, histogram.png, size.png.

    Raises:
        ValueError: for metrics without rows, published errors or floors.
        FileNotFoundError: for a folder without shown.json.
        ImportError: without matplotlib.
    """
    require(metrics, ("rows", "paper"), "slide-hold-learn")
    rows = cast("list[SizeRow]", metrics["rows"])
    published = cast("dict[str, Published]", metrics["paper"])
    floors = cast("dict[str, dict[str, float]]", metrics.get("floors", {}))
    shown = cast("list[ShownTraining]", read_shown(folder, "slide-hold-learn"))
    shown = [each for name in NAMES for each in shown if each["recipe"] == name]
    on_samples = _of(shown, "grid")
    return {
        "sequences.png": _sequences(on_samples),
        "training.png": _training(on_samples),
        "histogram.png": _histogram(shown),
        "size.png": _size(rows, published["clean_aging"], floors),
    }


def _of(shown: Sequence[ShownTraining], jumps: str) -> dict[str, ShownTraining]:
    """The trainings on one kind of sequences, by recipe."""
    return {each["recipe"]: each for each in shown if each["jumps"] == jumps}


def _sequences(trainings: Mapping[str, ShownTraining]) -> "Figure":
    """Velocity above, friction below, as in the paper."""
    first = next(iter(trainings.values()))
    velocity, change = np.asarray(first["velocity"]), np.asarray(first["change"])
    number = min(3, len(velocity))
    figure, axes = new_panels(size=(3.2 * number, 4.8), ratios=(1.0, 2.0), columns=number)
    t = np.arange(velocity.shape[1]) / velocity.shape[1]
    for i in range(number):
        top, bottom = axes[0][i], axes[1][i]
        top.step(t, velocity[i], where="post", color="black", lw=1.1)
        bottom.plot(t, change[i], color="black", lw=2.2, alpha=0.35, label="truth")
        for (recipe, one), colour, style in zip(trainings.items(), COLOURS, STYLES, strict=False):
            bottom.plot(t, one["predicted"][i], style, color=colour, lw=1.1, label=NAMES[recipe])
        bottom.set_xlabel("time / length of the sequence")
        # Limits by the truth: a network that is far off would squeeze everything else.
        low, high = np.min(change[i]), np.max(change[i])
        bottom.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low))
    axes[0][0].set_ylabel("velocity")
    axes[1][0].set_ylabel("change of friction")
    legend_below(figure, axes[1][-1], columns=4)
    figure.suptitle(
        f"Test sequences, jumps on samples, {first['size']} training sequences", fontsize=10
    )
    return figure


def _training(trainings: Mapping[str, ShownTraining]) -> "Figure":
    """Loss against the share of the training."""
    # Losses of different recipes have different units; over their first value they compare.
    figure, (axis,) = new_figure(size=(6.0, 4.0), ratios=(1.0,))
    for (recipe, one), colour in zip(trainings.items(), COLOURS, strict=False):
        loss = np.array(one["loss"], float)
        steps = one["steps"] * np.arange(1, loss.size + 1) / loss.size
        label = f"{NAMES[recipe]}, {one['seconds']:.0f} s"
        axis.plot(steps, loss / loss[0], color=colour, lw=1.4, label=label)
    size = next(iter(trainings.values()))["size"]
    axis.set(xlabel="gradient steps", ylabel="loss / first loss", xscale="log", yscale="log")
    axis.set_title(f"Training, jumps on samples, {size} sequences", fontsize=10)
    legend_below(figure, axis, columns=3)
    return figure


def _histogram(shown: Sequence[ShownTraining]) -> "Figure":
    """Errors of the test sequences."""
    figure, axes = new_figure(size=(6.0, 5.0), ratios=(1.0, 1.0))
    for axis, jumps in zip(axes, ("free", "grid"), strict=True):
        for (recipe, one), colour in zip(_of(shown, jumps).items(), COLOURS, strict=False):
            # What lies outside the bins is counted in the first and the last of them.
            values = np.clip(np.asarray(one["rel_mu"], float), 1e-5, 20)
            bins = np.geomspace(1e-5, 20, 70).tolist()
            axis.hist(values, bins, histtype="step", color=colour, lw=1.4, label=NAMES[recipe])
        axis.set(xscale="log", ylabel="test sequences")
        where = "anywhere" if jumps == "free" else "on samples"
        axis.set_title(f"jumps {where}", fontsize=8, loc="left")
    legend_below(figure, axes[0], axes[1], columns=3)
    axes[1].set_xlabel("rel-μ (%)")
    return figure


def _size(
    rows: Sequence[SizeRow], published: Published, floors: Mapping[str, dict[str, float]]
) -> "Figure":
    """Error against the number of training sequences, with the paper's and the floor."""
    figure, axes = new_panels(size=(8.0, 4.2), ratios=(1.0,), columns=2)
    for axis, jumps in zip(axes[0], ("free", "grid"), strict=True):
        for recipe, colour in zip(NAMES, COLOURS, strict=False):
            for noise, style in (("clean", "o-"), ("noisy", "s--")):
                chosen = [
                    row for row in rows
                    if (row["jumps"], row["evolution"], row["noise"], row["recipe"])
                    == (jumps, "aging", noise, recipe)
                ]  # fmt: skip
                if chosen:
                    axis.plot(
                        [row["size"] for row in chosen], [row["rel_mu"] for row in chosen], style,
                        color=colour, lw=1.2, ms=4, label=f"{NAMES[recipe]}, {noise}",
                    )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="training sequences")
        axis.set_title("jumps anywhere" if jumps == "free" else "jumps on samples", fontsize=10)
    free = axes[0][0]
    # JSON has no numbers as keys: sizes read from a file are text.
    free.plot([int(size) for size in published], list(published.values()), "k^:", ms=4, lw=0.8,
              label="published (norm unknown)")  # fmt: skip
    # Where a jump falls between two samples the input does not tell, so no network can do better.
    if "aging" in floors:
        free.axhline(floors["aging"]["rel_mu"], color="black", lw=0.8, ls="--",
                     label="floor: where jumps fell is not seen")  # fmt: skip
    free.set_ylabel("mean rel-μ (%)")
    legend_below(figure, free, columns=4)
    return figure

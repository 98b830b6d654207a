"""Figures of the study Slide, Hold, Learn."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxfric.plotting._style import COLOURS, STYLES, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"paper": "paper's GRU", "gru": "GRU with ln V", "cell": "FrictionCell"}


def plot_slide_hold_learn(metrics: dict[str, Any], folder: Path) -> dict[str, "Figure"]:
    """Every figure of the study, by file name.

    Arguments:
        metrics: what the study returned.
        folder: its output folder.

    Returns:
        sequences.png, training.png, histogram.png, size.png.

    Raises:
        ImportError: without matplotlib.
    """
    largest = max(row["size"] for row in metrics["rows"])
    return {
        "sequences.png": _sequences(folder, largest),
        "training.png": _training(folder, largest),
        "histogram.png": _histogram(folder, largest),
        "size.png": _size(metrics),
    }


def _kept(folder: Path, jumps: str, size: int) -> dict[str, dict[str, np.ndarray]]:
    """Test predictions of the first seed, by recipe (clean data of the aging law)."""
    found = {}
    for recipe in NAMES:
        path = folder / "networks" / f"{jumps}_aging_clean_{size}_{recipe}_0.test.npz"
        if path.exists():
            with np.load(path) as file:
                found[recipe] = {name.strip("[']"): file[name] for name in file.files}
    return found


def _sequences(folder: Path, size: int) -> "Figure":
    """Velocity above, friction below, as in the paper."""
    kept = _kept(folder, "grid", size)
    first = next(iter(kept.values()))
    number = min(3, len(first["velocity"]))
    figure, axes = _panels(2, number, (3.2 * number, 4.6), (1.0, 2.0))
    t = np.arange(first["velocity"].shape[1]) / first["velocity"].shape[1]
    for i in range(number):
        top, bottom = axes[0][i], axes[1][i]
        top.step(t, first["velocity"][i], where="post", color="black", lw=1.1)
        bottom.plot(t, first["change"][i], color="black", lw=2.2, alpha=0.35, label="truth")
        for (recipe, data), colour, style in zip(kept.items(), COLOURS, STYLES, strict=False):
            bottom.plot(t, data["predicted"][i], style, color=colour, lw=1.1, label=NAMES[recipe])
        bottom.set_xlabel("time")
        # The direct effect of the hold would squeeze everything else
        low, high = np.min(first["change"][i]), np.max(first["change"][i])
        bottom.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low))
    axes[0][0].set_ylabel("velocity")
    axes[1][0].set_ylabel("change of friction")
    axes[1][-1].legend(frameon=False, fontsize=7, loc="lower left")
    figure.suptitle(f"Test sequences, jumps on samples, {size} training sequences", fontsize=10)
    return figure


def _training(folder: Path, size: int) -> "Figure":
    """Loss against the share of the training."""
    figure, (axis,) = new_figure(size=(6.0, 4.0), ratios=(1.0,))
    for recipe, colour in zip(NAMES, COLOURS, strict=False):
        path = folder / "runs" / f"grid_aging_clean_{size}_{recipe}_0.json"
        if path.exists():
            run = json.loads(path.read_text())
            loss = np.array(run["loss"], float)
            steps = run["steps"] * np.arange(1, loss.size + 1) / loss.size
            label = f"{NAMES[recipe]}, {run['seconds']:.0f} s"
            axis.plot(steps, loss / loss[0], color=colour, lw=1.4, label=label)
    axis.set(xlabel="gradient steps", ylabel="loss / first loss", xscale="log", yscale="log")
    axis.set_title(f"Training, jumps on samples, {size} sequences", fontsize=10)
    axis.legend(frameon=False, fontsize=8)
    return figure


def _histogram(folder: Path, size: int) -> "Figure":
    """Errors of the test sequences."""
    figure, axes = new_figure(size=(6.0, 5.0), ratios=(1.0, 1.0))
    for axis, jumps in zip(axes, ("free", "grid"), strict=True):
        for (recipe, data), colour in zip(_kept(folder, jumps, size).items(), COLOURS,
                                          strict=False):  # fmt: skip
            values = np.clip(np.asarray(data["rel_mu"], float), 1e-5, 20)
            bins = np.geomspace(1e-5, 20, 70)
            axis.hist(values, bins, histtype="step", color=colour, lw=1.4, label=NAMES[recipe])
        axis.set(xscale="log", ylabel="test sequences")
        where = "anywhere" if jumps == "free" else "on samples"
        axis.annotate(f"jumps {where}", (0.01, 0.9), xycoords="axes fraction", fontsize=8)
    axes[0].legend(frameon=False, fontsize=8)
    axes[1].set_xlabel("rel-μ (%)")
    return figure


def _size(metrics: dict[str, Any]) -> "Figure":
    """Error against the number of training sequences, with the paper's and the floor."""
    figure, axes = _panels(1, 2, (8.0, 4.2), (1.0,))
    for axis, jumps in zip(axes[0], ("free", "grid"), strict=True):
        for recipe, colour in zip(NAMES, COLOURS, strict=False):
            for noise, style in (("clean", "o-"), ("noisy", "s--")):
                rows = [
                    row for row in metrics["rows"]
                    if (row["jumps"], row["evolution"], row["noise"], row["recipe"])
                    == (jumps, "aging", noise, recipe)
                ]  # fmt: skip
                if rows:
                    axis.plot(
                        [row["size"] for row in rows], [row["rel_mu"] for row in rows], style,
                        color=colour, lw=1.2, ms=4, label=f"{NAMES[recipe]}, {noise}",
                    )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="training sequences")
        axis.set_title("jumps anywhere" if jumps == "free" else "jumps on samples", fontsize=10)
    free = axes[0][0]
    published = {int(k): v for k, v in metrics["paper"]["clean_aging"].items()}
    free.plot(published.keys(), published.values(), "k^:", ms=4, lw=0.8,
              label="published (norm unknown)")  # fmt: skip
    if "aging" in metrics["floors"]:
        free.axhline(metrics["floors"]["aging"]["rel_mu"], color="black", lw=0.8, ls="--",
                     label="floor: where jumps fell is not seen")  # fmt: skip
    free.set_ylabel("mean rel-μ (%)")
    figure.legend(*free.get_legend_handles_labels(), loc="outside lower center", ncols=4,
                  frameon=False, fontsize=7)  # fmt: skip
    return figure


def _panels(rows: int, columns: int, size: tuple[float, float], ratios: tuple[float, ...]) -> Any:
    figure, axes = new_figure(size=size, ratios=ratios, columns=columns)
    return figure, np.asarray(axes, dtype=object).reshape(rows, columns)

"""Figures of the page: of what results/gouge.json has, and pictures of a layer that is sheared."""

import json
from pathlib import Path

import _gouge_steps
import matplotlib
import numpy as np
from _common import ROOT
from _gouge_kit import FIGURE_LENGTH, STIFFNESS, D, law, packed, sheared
from _gouge_slip import GRID
from _gouge_steady import FRICTIONS
from PIL import Image

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.collections import EllipseCollection, LineCollection  # noqa: E402

IMAGES = ROOT / "docs" / "images"
RED, BLUE, GREEN, GREY = "#c0392b", "#2471a3", "#1e8449", "#8a8f94"
FEW = 5  # slips: a mean of fewer says nothing
KINDS = (("rotating", RED, "o", "grains turn"), ("not rotating", BLUE, "s", "they do not"))


def draw(path: Path) -> None:
    parts = json.loads(path.read_text())["parts"]
    plt.rcParams |= {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
                     "savefig.dpi": 150, "figure.constrained_layout.use": True}  # fmt: skip
    _saved(friction(parts["friction"], parts.get("inertial", {})), "friction")
    if len(parts.get("stick-slip", {})) == 2:
        _saved(stick_slip(parts["stick-slip"]), "stick-slip")
    if parts.get("load"):
        _saved(sizes(parts["load"]), "slips")
    if "fits" in parts.get("steps", {}):
        _saved(steps(parts["steps"]), "steps")
    _saved(grains(), "grains")


def _saved(figure, name: str) -> None:
    path = IMAGES / f"gouge-{name}.png"
    figure.savefig(path)
    plt.close(figure)
    # Few colours: a fifth of the file, and nothing to see of it
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
    print(f"docs/images/gouge-{name}.png")


def friction(found: dict, inertial: dict):
    """Bulk friction against the grains' and against the inertial number."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for turns, colour, mark, label in KINDS:
        cases = [(mu, found.get(f"{mu:g}, {turns if mu else 'rotating'}")) for mu in FRICTIONS]
        cases = [(mu, case) for mu, case in cases if case]
        left.errorbar(
            [mu for mu, _ in cases], [c["friction"] for _, c in cases],
            [c["spread"] for _, c in cases], color=colour, marker=mark, capsize=3, label=label,
        )  # fmt: skip
        flow = [c for name, c in inertial.items() if name.endswith(f", {turns}")]
        flow.append(found[f"0.5, {turns}"])
        flow.sort(key=lambda c: c["inertial_number"])
        right.errorbar(
            [c["inertial_number"] for c in flow], [c["friction"] for c in flow],
            [c["spread"] for c in flow], color=colour, marker=mark, capsize=3,
        )  # fmt: skip
    for level, colour in ((0.3, RED), (0.6, BLUE)):
        left.axhline(level, color=colour, ls=":", lw=1)
        left.text(0.82, level, "Latham et al. (2005)", va="bottom", ha="right", fontsize=8,
                  color=colour)  # fmt: skip
    left.set(xlabel="friction of the grains", ylabel="friction of the layer", ylim=(0, None))
    right.set(xlabel="inertial number I", xscale="log")
    left.legend(frameon=False, loc="upper left")
    left.set_title("I = 0.005", fontsize=10)
    right.set_title("friction of the grains 0.5", fontsize=10)
    return figure


def stick_slip(found: dict):
    """One layer: friction with both drives, kinetic energy with the soft one."""
    figure, axes = plt.subplots(3, 1, figsize=(9, 6.2), sharex=True)
    soft, stiff = found["soft"]["series"], found["stiff"]["series"]
    begin = soft["time"][0]
    axes[0].plot(np.array(soft["time"]) - begin, soft["friction"], color=RED, lw=0.8)
    axes[0].set_title("friction, soft drive: 0.04 P/d", fontsize=10, loc="left")
    axes[1].semilogy(np.array(soft["time"]) - begin, soft["energy"], color=GREEN, lw=0.6)
    axes[1].set_title("kinetic energy of the same record, J/m²", fontsize=10, loc="left")
    axes[2].plot(np.array(stiff["time"]) - stiff["time"][0], stiff["friction"], color=BLUE, lw=0.8)
    axes[2].set_title("friction, stiff drive: 4 P/d", fontsize=10, loc="left")
    axes[0].set_xlim(0, soft["time"][-1] - begin)
    for ax in (axes[0], axes[2]):
        ax.set_ylim(-0.1, 0.75)
    axes[2].set_xlabel("time, d √(ρ/P)")
    return figure


def sizes(loads: dict):
    """How large slips are, and kinetic energy before large ones."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for (name, case), colour in zip(sorted(loads.items()), (BLUE, RED, GREEN), strict=False):
        drops = np.array(case["drops"])
        left.step(drops, np.arange(1, drops.size + 1), where="post", color=colour, label=name)
        active = case["activity"]
        if active["large_slips_used"] >= FEW:
            label = f"{name}, mean of {active['large_slips_used']} slips"
            right.plot(GRID, active["stack"], color=colour, label=label)
    left.set(xlabel="drop of friction in a slip", ylabel="slips with a drop above", xlim=(0, None))
    left.legend(frameon=False, title="normal load")
    right.axvline(0, color=GREY, lw=0.8)
    right.axhline(0, color=GREY, lw=0.8, ls="--")
    right.set(xlabel="time from the onset of a large slip, d √(ρ/P)", xlim=(-100, 40),
              ylabel="log₁₀ of kinetic energy\nover its quiet median")  # fmt: skip
    right.legend(frameon=False, fontsize=9, loc="upper left")
    return figure


def steps(found: dict):
    """Mean steps up and down, and both laws through them."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    fitted = found["fits"]["up and down"]
    for ax, kind in zip(axes, ("up", "down"), strict=True):
        mean, error, count = _gouge_steps.averaged(found, kind)
        record, _ = _gouge_steps.as_record(mean, kind)
        slip = record.displacement / D - mean.size / 2 * _gouge_steps.FAST * _gouge_steps.SAMPLE
        ax.fill_between(slip, mean - error, mean + error, color=GREY, alpha=0.4, lw=0)
        ax.plot(slip, mean, color=GREY, lw=1, label=f"mean of {count} steps ± its error")
        for name, colour, style in (("slip", RED, "-"), ("aging", BLUE, "--")):
            ax.plot(slip, fitted[name]["model"][kind], color=colour, ls=style, label=f"{name} law")
        ax.set(xlabel="slip from the step, d", xlim=(slip[0], slip[-1]))
        ax.set_title("0.02 → 0.2 √(P/ρ)" if kind == "up" else "0.2 → 0.02 √(P/ρ)", fontsize=10)
    axes[0].set_ylabel("friction")
    axes[1].legend(frameon=False, fontsize=9)
    return figure


def grains():
    """A layer before and after shear, with the grains of some columns marked; and its forces."""
    layer = packed(1, length=FIGURE_LENGTH, height=0.011)[0]
    history = sheared([layer], law(), ((0.1, 100.0),), sample=10.0, keep_grains=True)
    start, end = np.asarray(layer.grains.position), history.position[0, -1]
    figure, axes = plt.subplots(3, 1, figsize=(9, 6.2), sharex=True, sharey=True)
    stripes = start[:, 0] // (FIGURE_LENGTH / 12) % 2
    top = f"{1e3 * history.slip[0, -1]:.0f} mm"
    for ax, place, title in zip(
        axes, (start, end, end),
        ("packed", f"after {top} of slip of the top wall", "the forces at that moment"),
        strict=True,
    ):  # fmt: skip
        chains = ax is axes[2]
        _discs(ax, layer, place, stripes, chains)
        if chains:
            _chains(ax, layer, place)
        ax.set_title(title, fontsize=10, loc="left")
    axes[2].set_xlabel("mm")
    return figure


def _discs(ax, layer, place, stripes, pale: bool) -> None:
    length, wall = 1e3 * float(layer.length), np.asarray(layer.wall)
    x, y = 1e3 * place.T
    colours = np.where(wall > 0, "#5d6166", np.where(stripes > 0, "#d98880", "#f2d7d5"))
    if pale:
        colours = np.full(wall.size, "#f0f0f0")
    size = 2e3 * np.asarray(layer.grains.radius)
    for shift in (-length, 0.0, length):  # grains at the ends are seen on both
        centres = np.stack([x - length * np.floor(x / length) + shift, y], -1)
        ax.add_collection(EllipseCollection(
            size, size, np.zeros(size.size), units="xy", offsets=centres,
            transOffset=ax.transData, facecolors=colours, edgecolors="#9a9a9a", linewidths=0.3,
        ))  # fmt: skip
    ax.set(xlim=(0, length), ylim=(-0.8, y.max() + 0.8), aspect="equal")
    ax.spines["left"].set_visible(False)
    ax.set_yticks([])


def _chains(ax, layer, place) -> None:
    """Lines between centres, as wide as the force: overlaps times the stiffness."""
    length = float(layer.length)
    radius, wall = np.asarray(layer.grains.radius), np.asarray(layer.wall)
    dx = place[None, :, 0] - place[:, None, 0]
    dx -= length * np.round(dx / length)
    dy = place[None, :, 1] - place[:, None, 1]
    overlap = radius[:, None] + radius - np.hypot(dx, dy)
    pairs = np.triu(overlap > 0, 1) & ((wall[:, None] == 0) | (wall == 0))
    first, second = np.nonzero(pairs)
    x = place[first, 0] - length * np.floor(place[first, 0] / length)
    begin = np.stack([x, place[first, 1]], -1)
    end = begin + np.stack([dx[first, second], dy[first, second]], -1)
    force = overlap[first, second] * STIFFNESS / float(layer.pressure * 2 * radius.mean())
    lines = [1e3 * np.stack([begin + s, end + s], 1) for s in ([-length, 0], [0, 0], [length, 0])]
    ax.add_collection(
        LineCollection(np.concatenate(lines), linewidths=np.tile(0.7 * force, 3), colors=RED)
    )

"""What the trainings come to: means over seeds, the headline, the paper's numbers."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from jaxfric.studies._kit import Metrics

Row: TypeAlias = dict[str, int | float | str | None]
# Numbers of one training, and the points of its loss curve. JSON gives them back without types.
Run: TypeAlias = dict[str, Any]

# Average errors in percent that the paper prints, by training sequences. They are no targets to be
# met: it does not say in which norm they are, nor the constants of its law, and its published
# figures restart θ at a hold, which physics does not.
PAPER = {
    "clean_aging": {10: 4.6, 100: 1.2, 1000: 0.62, 10000: 0.67},
    "noisy_aging": {10: 7.2, 100: 1.9, 1000: 2.2, 10000: 1.0},
    "noisy_slip": {10: 4.42, 100: 2.9, 1000: 3.7, 10000: 2.5},
}

MEANS = (
    "rel_mu", "rel_mu_median", "rel_change", "rel_change_median", "peak_after_hold",
    "validation_rel_mu", "minimal_loss", "seconds",
)  # fmt: skip


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Means over seeds, and the spread of rel-μ.

    Arguments:
        runs: numbers of each training.

    Returns:
        A row for each kind of training, in the order of the first of its seeds.
    """
    groups: dict[tuple[str | int, ...], list[Run]] = {}
    names = ("jumps", "evolution", "noise", "size", "recipe")
    for run in runs:
        groups.setdefault(tuple(run[name] for name in names), []).append(run)
    rows = []
    for key, group in groups.items():
        row: Row = {**dict(zip(names, key, strict=True)), "seeds": len(group)}
        for name in MEANS:
            values = [run[name] for run in group]
            # JSON has None for what was not finite: a mean over the other seeds would hide it
            row[name] = None if None in values else float(np.mean(values))
        spread = [run["rel_mu"] for run in group]
        row["rel_mu_spread"] = None if None in spread else float(np.std(spread))
        # Seeds of a recipe with patience stop after different numbers of steps
        row["steps"] = max(run["steps"] for run in group)
        rows.append(row)
    return rows


def headline(metrics: Metrics) -> dict[str, float | None]:
    """The numbers to compare, by name.

    Arguments:
        metrics: with "rows" and "floors".

    Returns:
        Numbers in percent; None where the preset ran nothing.
    """

    def value(jumps: str, evolution: str, noise: str, size: int, *recipes: str) -> float | None:
        found = [
            row for row in metrics["rows"]
            if (row["jumps"], row["evolution"], row["noise"], row["size"])
            == (jumps, evolution, noise, size) and row["recipe"] in recipes
            # A training that diverged has no numbers
            and None not in (row["validation_rel_mu"], row["rel_mu"])
        ]  # fmt: skip
        if not found:
            return None
        # Between networks validation chooses: the lowest error on the test would be a choice made
        # with the test
        return float(min(found, key=lambda row: row["validation_rel_mu"])["rel_mu"])

    ours = ("cell", "gru")
    found: dict[str, float | None] = {}
    for jumps in ("free", "grid"):
        for noise, sizes in (("clean", (10, 100, 1000)), ("noisy", (100, 1000))):
            for size in sizes:
                key = f"{jumps}_aging_{noise}_{size}_rel_mu"
                found[key] = value(jumps, "aging", noise, size, *ours)
    for noise in ("clean", "noisy"):
        found[f"grid_slip_{noise}_1000_rel_mu"] = value("grid", "slip", noise, 1000, *ours)
    found["grid_gru_aging_clean_1000_rel_mu"] = value("grid", "aging", "clean", 1000, "gru")
    found["free_slip_increments_100_rel_mu"] = value(
        "free", "aging", "clean", 100, "cell with slip"
    )
    found["paper_recipe_free_aging_clean_1000_rel_mu"] = value(
        "free", "aging", "clean", 1000, "paper"
    )
    # The law itself errs by this much where jumps are hidden between samples
    floor = metrics["floors"].get("aging")
    found["free_floor_rel_mu"] = floor and floor["rel_mu"]
    return found

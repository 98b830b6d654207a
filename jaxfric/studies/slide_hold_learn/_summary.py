"""What the trainings come to: means over seeds, the headline, the paper's numbers."""

from typing import Any

import numpy as np

# Average errors in percent that the paper prints; which norm is not known
PAPER = {
    "clean_aging": {10: 4.6, 100: 1.2, 1000: 0.62, 10000: 0.67},
    "noisy_aging": {10: 7.2, 100: 1.9, 1000: 2.2, 10000: 1.0},
    "noisy_slip": {10: 4.42, 100: 2.9, 1000: 3.7, 10000: 2.5},
}

MEANS = (
    "rel_mu", "rel_mu_median", "rel_change", "rel_change_median", "peak_after_hold",
    "validation_rel_mu", "minimal_loss", "seconds",
)  # fmt: skip


def rows_of(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over seeds, and the spread of rel-μ."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    names = ("jumps", "evolution", "noise", "size", "recipe")
    for each in runs:
        groups.setdefault(tuple(each[name] for name in names), []).append(each)
    rows = []
    for key, group in groups.items():
        row: dict[str, Any] = dict(zip(names, key, strict=True)) | {"seeds": len(group)}
        for name in MEANS:
            values = [each[name] for each in group]
            row[name] = None if None in values else float(np.mean(values))
        row["rel_mu_spread"] = float(np.std([each["rel_mu"] for each in group]))
        row["steps"] = max(each["steps"] for each in group)
        rows.append(row)
    return rows


def headline(metrics: dict[str, Any]) -> dict[str, float | None]:
    """The numbers to compare; None where the preset ran nothing."""

    def value(jumps: str, evolution: str, noise: str, size: int, *recipes: str) -> float | None:
        found = [
            row for row in metrics["rows"]
            if (row["jumps"], row["evolution"], row["noise"], row["size"])
            == (jumps, evolution, noise, size) and row["recipe"] in recipes
        ]  # fmt: skip
        if not found:
            return None
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
    floor = metrics["floors"].get("aging")
    found["free_floor_rel_mu"] = floor and floor["rel_mu"]
    return found

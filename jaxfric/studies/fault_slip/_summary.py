"""The headline and the table of the study, beside what the paper printed."""

from typing import Any

import numpy as np

PAPER = {
    "note": "other records: simulation of 2,817 discs, experiments p4677 and p4581; MAPE percent",
    "simulation_to_simulation": 4.237,
    "laboratory_to_itself": 1.137,
    "simulation_to_laboratory_untuned": 4.232,
    "latent_tuned_on_6_cycles": 1.650,
    "published_lstm_cnn_r2": 0.94,
    "published_lstm_cnn": "Laurenti et al. 2022, 7 s of history, trained on 70 % of p4581",
}
HELD_OUT = "held-out simulations"
HEADLINE = {  # key: (methods, parts, cycles, level, number)
    "latent_6_mape": (("sequence",), ("latent",), 6, "inferred", "mape"),
    "latent_6_r2": (("sequence",), ("latent",), 6, "inferred", "r2"),
    "any_6_mape": (("sequence",), ("all",), 6, "inferred", "mape"),
    "any_6_r2": (("sequence",), ("all",), 6, "inferred", "r2"),
    # From one cycle nothing but the level: more is too much for it
    "any_3_mape": (("both",), ("latent",), 3, "inferred", "mape"),
    "any_1_mape": (("encoder-decoder",), ("none",), 1, "inferred", "mape"),
    "any_3_level_given_mape": (("sequence",), ("none",), 3, "given", "mape"),
    "any_1_level_given_mape": (("sequence",), ("none",), 1, "given", "mape"),
    "scratch_6_mape": (("sequence, from scratch",), ("all",), 6, "inferred", "mape"),
    "untuned_level_given_mape": (("sequence",), ("none",), 6, "given", "mape"),
    "untuned_level_given_r2": (("sequence",), ("none",), 6, "given", "r2"),
    "ced_6_mape": (("encoder-decoder",), ("all",), 6, "inferred", "mape"),
    "ced_6_r2": (("encoder-decoder",), ("all",), 6, "inferred", "r2"),
    "ced_latent_6_mape": (("encoder-decoder",), ("latent",), 6, "inferred", "mape"),
    "ttf_6_mae_seconds": (("sequence",), ("all",), 6, "inferred", "ttf_mae"),
    "clock_6_mape": (("clock",), ("-",), 6, "inferred", "mape"),
    "onset_clock_6_mape": (("onset clock",), ("-",), 6, "inferred", "mape"),
    "clock_6_ttf_mae_seconds": (("clock",), ("-",), 6, "inferred", "ttf_mae"),
    "constant_6_mape": (("constant",), ("-",), 6, "inferred", "mape"),
}


def headline(rows: list[dict[str, Any]], laboratories: list[str]) -> dict[str, float | None]:
    """One number a goal: percent, seconds where named; means over seeds and laboratories."""
    found: dict[str, float | None] = {}
    for key, (methods, parts, cycles, level, number) in HEADLINE.items():
        of = [
            r for r in rows
            if r["method"] in methods and r["part"] in parts and r["cycles"] == cycles
            and r["level"] == level and r["record"] in laboratories
        ]  # fmt: skip
        found[key] = _mean(of, number)
    held_out = [r for r in rows if r["record"] == HELD_OUT]
    sequence = [r for r in held_out if r["method"] == "sequence"]
    found["simulation_mape"] = _mean(sequence, "mape")
    found["simulation_r2"] = _mean(sequence, "r2")
    for name in ("constant", "clock", "onset clock", "ridge"):
        found[f"simulation_{name.replace(' ', '_')}_mape"] = _mean(
            [r for r in held_out if r["method"] == name], "mape"
        )
    if (a := found["any_6_mape"]) is not None and (b := found["scratch_6_mape"]):
        found["share_of_scratch_6_percent"] = 100 * a / b
    return found


def _mean(rows: list[dict[str, Any]], number: str) -> float | None:
    values = [r[number] for r in rows if r.get(number) is not None and np.isfinite(r[number])]
    return float(np.mean(values)) if values else None


def table(metrics: dict[str, Any]) -> str:
    """All rows, means and the range over seeds."""
    lines = [metrics["norm"], ""]
    rows = metrics["rows"]
    for record in dict.fromkeys(r["record"] for r in rows):
        lines += [
            f"record: {record}",
            f"  {'method':44s}{'tuned':>8s}{'cycles':>7s}{'level':>11s}{'MAPE %':>9s}{'range':>14s}"
            f"{'R²':>8s}{'TTF s':>7s}{'timing s':>9s}{'missed':>8s}{'drop':>6s}",
        ]
        own = [r for r in rows if r["record"] == record]
        keys = ("method", "part", "cycles", "level")
        for which in dict.fromkeys(tuple(r[k] for k in keys) for r in own):
            of = [r for r in own if tuple(r[k] for k in keys) == which]
            lines.append(_line(which, of))
        lines.append("")
    lines += ["paper (other records): " + ", ".join(
        f"{k} {v}" for k, v in metrics["paper"].items() if not isinstance(v, str))]  # fmt: skip
    lines += [f"{k}: {v:.4g}" for k, v in metrics["headline"].items() if v is not None]
    return "\n".join(lines)


def _line(which: tuple[Any, ...], of: list[dict[str, Any]]) -> str:
    method, part, cycles, level = which
    mape = [r["mape"] for r in of if "mape" in r]
    spread = f"{min(mape):.2f}..{max(mape):.2f}" if len(mape) > 1 else ""

    def cell(key: str, width: int, digits: int) -> str:
        value = _mean(of, key)
        return " " * (width - 1) + "-" if value is None else f"{value:{width}.{digits}f}"

    return (
        f"  {method:44s}{part:>8s}{'-' if cycles is None else f'{cycles:g}':>7s}{level:>11s}"
        f"{cell('mape', 9, 2)}{spread:>14s}{cell('r2', 8, 3)}{cell('ttf_mae', 7, 2)}"
        f"{cell('timing', 9, 2)}{cell('missed', 8, 2)}{cell('drop_ratio', 6, 2)}"
    )

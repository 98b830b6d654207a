"""The headline and the table of the study, beside what the paper printed."""

from collections.abc import Sequence

import numpy as np

from jaxfric.studies._kit import Method, Metrics
from jaxfric.studies.fault_slip._rows import YARDSTICKS, Row, yardstick

# What the paper printed is of other records: its simulation of discs and its experiments are not
# public, while ours are chains of patches and the public table of p4581. Its images are cut from
# transforms that know the future, and it gives the level of a record; so these numbers are a
# reminder of what it claims, and not of the same test.
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
IN_TIME = "60/20/20 in time"  # of one long record of grains
SEQUENCE, IMAGES = "sequence", "encoder-decoder"
CLOCK, ONSET_CLOCK, CONSTANT = map(yardstick, ("clock", "onset clock", "constant"))
HEADLINE = {  # key: method, cycles, number
    "latent_6_mape": (Method(SEQUENCE, "latent", "inferred"), 6, "mape"),
    "latent_6_r2": (Method(SEQUENCE, "latent", "inferred"), 6, "r2"),
    "any_6_mape": (Method(SEQUENCE, "all", "inferred"), 6, "mape"),
    "any_6_r2": (Method(SEQUENCE, "all", "inferred"), 6, "r2"),
    "any_3_mape": (Method("both", "latent", "inferred"), 3, "mape"),
    # "any" is what we would use. From one cycle that is the level alone, as one cycle is too little
    # to teach more; from three the latent parts of both kinds, from six all of the recurrent one
    "any_1_mape": (Method(IMAGES, "none", "inferred"), 1, "mape"),
    "any_3_level_given_mape": (Method(SEQUENCE, "none", "given"), 3, "mape"),
    "any_1_level_given_mape": (Method(SEQUENCE, "none", "given"), 1, "mape"),
    "scratch_6_mape": (Method(SEQUENCE, "all", "inferred", "from scratch"), 6, "mape"),
    "untuned_level_given_mape": (Method(SEQUENCE, "none", "given"), 6, "mape"),
    "untuned_level_given_r2": (Method(SEQUENCE, "none", "given"), 6, "r2"),
    "ced_6_mape": (Method(IMAGES, "all", "inferred"), 6, "mape"),
    "ced_6_r2": (Method(IMAGES, "all", "inferred"), 6, "r2"),
    "ced_latent_6_mape": (Method(IMAGES, "latent", "inferred"), 6, "mape"),
    "ttf_6_mae_seconds": (Method(SEQUENCE, "all", "inferred"), 6, "ttf_mae"),
    "clock_6_mape": (CLOCK, 6, "mape"),
    "onset_clock_6_mape": (ONSET_CLOCK, 6, "mape"),
    "clock_6_ttf_mae_seconds": (CLOCK, 6, "ttf_mae"),
    "constant_6_mape": (CONSTANT, 6, "mape"),
}


def headline(metrics: Metrics) -> dict[str, float | None]:
    """One number for each goal: percent, seconds where named; means over seeds and laboratories.

    Arguments:
        metrics: with "rows" and "laboratory".

    Returns:
        Numbers by name, None where the preset has no such row.
    """
    rows: list[Row] = metrics["rows"]
    of_laboratories = [row for row in rows if row["record"] in metrics["laboratory"]]
    found: dict[str, float | None] = {}
    for key, (method, cycles, number) in HEADLINE.items():
        of_method = [row for row in of_laboratories if method.made(row) and row["cycles"] == cycles]
        found[key] = _mean(of_method, number)
    held_out = [row for row in rows if row["record"] == HELD_OUT]

    def simulated(kind: str, number: str) -> float | None:
        return _mean([row for row in held_out if row["kind"] == kind], number)

    found["simulation_mape"] = simulated(SEQUENCE, "mape")
    found["simulation_r2"] = simulated(SEQUENCE, "r2")
    for kind in YARDSTICKS:
        found[f"simulation_{kind.replace(' ', '_')}_mape"] = simulated(kind, "mape")
    in_time = [row for row in rows if row.get("control") == IN_TIME]
    for kind in sorted({str(row["kind"]) for row in in_time}):
        of_kind = [row for row in in_time if row["kind"] == kind]
        found[f"in_time_{kind.replace('-', '_')}_mape"] = _mean(of_kind, "mape")
    if (a := found["any_6_mape"]) is not None and (b := found["scratch_6_mape"]):
        found["share_of_scratch_6_percent"] = 100 * a / b
    return found


def _mean(rows: Sequence[Row], number: str) -> float | None:
    """Mean of a column over the rows that have it; None if no row has."""
    # JSON has no NaN: what was not finite, such as the timing where nothing was predicted to fail,
    # comes back from the file as None
    column = (row.get(number) for row in rows)
    values = [x for x in column if isinstance(x, (int, float)) and np.isfinite(x)]
    return float(np.mean(values)) if values else None


def table(metrics: Metrics) -> str:
    """Write all rows as a table to read: means and the range over seeds.

    Arguments:
        metrics: what `run` returns.

    Returns:
        Text.
    """
    lines = [metrics["norm"], ""]
    rows: list[Row] = metrics["rows"]
    for record in dict.fromkeys(r["record"] for r in rows):
        lines += [
            f"record: {record}",
            f"  {'method':44s}{'tuned':>8s}{'cycles':>7s}{'level':>11s}{'MAPE %':>9s}{'range':>14s}"
            f"{'R²':>8s}{'TTF s':>7s}{'timing s':>9s}{'missed':>8s}{'drop':>6s}",
        ]
        of_record = [r for r in rows if r["record"] == record]
        keys = ("method", "part", "cycles", "level")
        for line in dict.fromkeys(tuple(r[k] for k in keys) for r in of_record):
            lines.append(_line([r for r in of_record if tuple(r[k] for k in keys) == line]))
        lines.append("")
    lines += ["paper (other records): " + ", ".join(
        f"{k} {v}" for k, v in metrics["paper"].items() if not isinstance(v, str))]  # fmt: skip
    lines += [f"{k}: {v:.4g}" for k, v in metrics["headline"].items() if v is not None]
    return "\n".join(lines)


def _line(rows: Sequence[Row]) -> str:
    """One method at one number of cycles: the means over its rows."""
    method, part, cycles, level = (rows[0][k] for k in ("method", "part", "cycles", "level"))
    mape = [x for row in rows if isinstance(x := row.get("mape"), (int, float))]
    spread = f"{min(mape):.2f}..{max(mape):.2f}" if len(mape) > 1 else ""

    def cell(key: str, width: int, digits: int) -> str:
        value = _mean(rows, key)
        return " " * (width - 1) + "-" if value is None else f"{value:{width}.{digits}f}"

    return (
        f"  {method:44s}{part:>8s}{'-' if cycles is None else f'{cycles:g}':>7s}{level:>11s}"
        f"{cell('mape', 9, 2)}{spread:>14s}{cell('r2', 8, 3)}{cell('ttf_mae', 7, 2)}"
        f"{cell('timing', 9, 2)}{cell('missed', 8, 2)}{cell('drop_ratio', 6, 2)}"
    )

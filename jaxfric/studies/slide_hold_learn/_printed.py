"""The study's numbers as a table to read."""

from jaxfric.studies._kit import Metrics


def table(metrics: Metrics) -> str:
    """Write the study's numbers as text: errors by case, the floor, and the paper's numbers.

    Arguments:
        metrics: what `run` returns.

    Returns:
        Text.
    """
    head = (
        f"{'jumps':5} {'law':6} {'noise':6} {'size':>6}  {'network':15} "
        f"{'rel-μ %':>9} {'± seeds':>8} {'median':>8} {'rel-Δμ %':>9} {'peak %':>7} "
        f"{'steps':>7} {'time s':>7}"
    )
    lines = [head, "-" * len(head)]
    order = sorted(
        metrics["rows"],
        key=lambda r: (r["jumps"], r["evolution"], r["noise"], r["size"], r["recipe"]),
    )
    for row in order:
        lines.append(
            f"{row['jumps']:5} {row['evolution']:6} {row['noise']:6} {row['size']:6d}  "
            f"{row['recipe']:15} {_number(row['rel_mu'])} {_number(row['rel_mu_spread'], 8)} "
            f"{_number(row['rel_mu_median'], 8)} {_number(row['rel_change'], 9)} "
            f"{_number(row['peak_after_hold'], 7, 2)} {row['steps']:7d} "
            f"{_number(row['seconds'], 7, 1)}"
        )
    # What no estimator can do better, and what the paper says, stand beside what was reached
    for law, floor in metrics["floors"].items():
        lines.append(
            f"free  {law:6} floor: the true law with the median over where jumps may have fallen: "
            f"rel-μ {floor['rel_mu']:.4f} %, rel-Δμ {floor['rel_change']:.2f} %"
        )
    lines.append("The paper's average errors (its norm is not known), by training sequences:")
    for name, values in metrics["paper"].items():
        numbers = ", ".join(f"{size}: {x}" for size, x in values.items())
        lines.append(f"  {name.replace('_', ', ')}: {numbers} %")
    lines += ["", "The appendix: its network, loss terms added in stages (paper's numbers beside)"]
    for row in metrics["appendix"]:
        loss = f"{_number(row['minimal_loss'], 0)} ({row['paper_minimal_loss']})"
        error = (
            f"rel-Δμ {_number(row['rel_change'], 0, 1)} %, rel-μ {_number(row['rel_mu'], 0, 2)} %"
        )
        lines.append(
            f"  {row['stage']:6} minimal loss {loss}, {error} ({row['paper_error']} %); "
            f"{row['sequences']} sequences, {row['epochs']} epochs"
        )
    lines += ["", "Friction gained in a hold: the law's b ln(1 + t/θ0), a pure logarithm, networks"]
    names = list(metrics["healing"][0])
    lines.append("  " + " ".join(f"{name:>15}" for name in names))
    for row in metrics["healing"]:
        lines.append("  " + " ".join(_number(row[name], 15, 5) for name in names))
    return "\n".join(lines)


def _number(x: float | None, width: int = 9, digits: int = 4) -> str:
    """A dash for what was not finite, which JSON has no number for."""
    return f"{'-':>{width}}" if x is None else f"{x:{width}.{digits}f}"

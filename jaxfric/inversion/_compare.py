"""Fits of one record by several laws, side by side."""

from collections.abc import Sequence

from jaxfric.inversion._names import kind
from jaxfric.inversion._result import StepFit


def compare(fits: Sequence[StepFit]) -> str:
    """A table of fits of the same record, best first by BIC.

    Arguments:
        fits: `StepFit`s of one record with different laws.

    Returns:
        Text: law, residual rms, ΔAIC, ΔBIC and the parameters.

    Raises:
        ValueError: if the fits are not of the same samples.

    Source: Akaike (1974), Schwarz (1978).
    """
    if not fits or len({fit.time.tobytes() + fit.observed.tobytes() for fit in fits}) > 1:
        raise ValueError("compare takes fits of one and the same record")
    best_aic, best_bic = (min(getattr(f, x) for f in fits) for x in ("aic", "bic"))
    lines = ["law                     rms       ΔAIC     ΔBIC     a         a-b        Dc (m)"]
    for fit in sorted(fits, key=lambda f: f.bic):
        lengths = ", ".join(
            f"{row['value']:.3g}" for row in fit.table() if kind(row["name"]) == "Dc"
        )
        lines.append(
            f"{fit.law_name:<24}{fit.rms:<10.3g}{fit.aic - best_aic:<9.1f}"
            f"{fit.bic - best_bic:<9.1f}{float(fit.law.a):<10.4g}{fit.value('a-b'):<11.4g}{lengths}"
        )
    return "\n".join(lines)

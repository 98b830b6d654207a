"""Fits of one record by several laws, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxfric._show import html_table
from jaxfric.inversion._names import kind
from jaxfric.inversion._result import StepFit

HEADER = ("law", "rms", "ΔAIC", "ΔBIC", "a", "a-b", "Dc (m)")
WIDTHS = (24, 10, 9, 9, 10, 11, 0)  # of the columns of `HEADER`, the space between them included


class Compared(NamedTuple):
    """One law of a `Comparison`.

    `delta_aic` and `delta_bic` are above the best of all laws; `Dc` has an entry for each state, m.
    """

    law: str
    rms: float
    delta_aic: float
    delta_bic: float
    a: float
    a_minus_b: float
    Dc: tuple[float, ...]

    def cells(self) -> tuple[str, ...]:
        """The row under `HEADER`."""
        return (
            self.law,
            f"{self.rms:.3g}",
            f"{self.delta_aic:.1f}",
            f"{self.delta_bic:.1f}",
            f"{self.a:.4g}",
            f"{self.a_minus_b:.4g}",
            ", ".join(f"{length:.3g}" for length in self.Dc),
        )


class Comparison(NamedTuple):
    """What `compare` returns; `print` it for the table.

    Attributes:
        rows: a `Compared` for each law, best first by BIC.
    """

    rows: tuple[Compared, ...]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = []
        for cells in (HEADER, *(row.cells() for row in self.rows)):
            padded = [f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)]
            lines.append("".join(padded))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        return html_table(HEADER, [row.cells() for row in self.rows])


def compare(fits: Sequence[StepFit]) -> Comparison:
    """A table of fits of the same record, best first by BIC.

    Arguments:
        fits: `StepFit`s of one record with different laws.

    Returns:
        `Comparison`: law, residual rms, ΔAIC, ΔBIC and the parameters; print it.

    Raises:
        ValueError: if the fits are not of the same samples.

    Source: Akaike (1974), Schwarz (1978).
    """
    # A likelihood is a density of the observations: two of them compare only for the same ones
    if not fits or len({fit.time.tobytes() + fit.observed.tobytes() for fit in fits}) > 1:
        raise ValueError("compare takes fits of one and the same record")
    # Only differences of the criteria mean anything: their level depends on the number of samples
    best_aic, best_bic = min(fit.aic for fit in fits), min(fit.bic for fit in fits)
    return Comparison(
        tuple(
            Compared(
                law=fit.law_name,
                rms=fit.rms,
                delta_aic=fit.aic - best_aic,
                delta_bic=fit.bic - best_bic,
                a=float(np.asarray(fit.law.a)),
                a_minus_b=fit.value("a-b"),
                Dc=tuple(row["value"] for row in fit.table() if kind(row["name"]) == "Dc"),
            )
            for fit in sorted(fits, key=lambda fit: fit.bic)
        )
    )

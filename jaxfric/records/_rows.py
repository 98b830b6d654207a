"""Columns of numbers and the rows of the file that they come from, as messages name them."""

import dataclasses
from collections.abc import Sequence

import numpy as np

LISTED = 5  # how many offending rows a message names before it only counts them


@dataclasses.dataclass(frozen=True)
class Rows:
    """Where rows come from, so that a message names them as the user sees them."""

    source: str
    lines: np.ndarray | None = None  # line of the file of each row; None for arrays

    def label(self, index: int) -> str:
        return f"row {index}" if self.lines is None else f"line {self.lines[index]}"

    def at(self, keep: np.ndarray | slice) -> "Rows":
        """Some of the rows, which keep the numbers of their lines."""
        return Rows(self.source, None if self.lines is None else self.lines[keep])


@dataclasses.dataclass(frozen=True)
class Samples:
    """Columns of one length by quantity, in SI, and their rows; NaN where there is no number."""

    columns: dict[str, np.ndarray]
    rows: Rows

    def at(self, keep: np.ndarray | slice) -> "Samples":
        """Some of the rows of every column."""
        return Samples({key: x[keep] for key, x in self.columns.items()}, self.rows.at(keep))


def listed(items: Sequence[str]) -> str:
    """The first few items, and how many more there are."""
    more = len(items) - LISTED
    return "; ".join(items[:LISTED]) + (f"; and {more} more" if more > 0 else "")


def count_of(number: int, what: str) -> str:
    """A number and a noun in singular or plural."""
    return f"{number} {what}" + ("" if number == 1 else "s")

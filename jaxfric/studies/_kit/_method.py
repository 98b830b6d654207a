"""One way to answer the question of a study: a line of its table."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Method:
    """What tells one line of a table from another; equal methods are the same line.

    Attributes:
        kind: which network, search or yardstick.
        part: of the network that is tuned; "-" where nothing could be.
        level: how the level of what is predicted is known; "-" where that is no question.
        control: what is different from the kind's own way, for the sake of a comparison.
    """

    kind: str
    part: str = "-"
    level: str = "-"
    control: str = ""

    @property
    def name(self) -> str:
        """For a reader: kind and control."""
        return f"{self.kind}, {self.control}" if self.control else self.kind

    @property
    def file_name(self) -> str:
        """The same and the rest as one word, for the file of a step."""
        parts = [x for x in (self.kind, self.control, self.part, self.level) if x not in ("", "-")]
        words = "_".join(parts).replace("+", " ").replace(",", " ").split()
        return "-".join(words)

    def of(self, row: dict[str, Any]) -> bool:
        """Whether a row of metrics.json is this method's."""
        own = (self.kind, self.part, self.level, self.control)
        return own == tuple(row.get(x) for x in ("kind", "part", "level", "control"))

    def facts(self) -> dict[str, str]:
        """The beginning of a row: the fields, and the name for a reader."""
        return {
            "method": self.name,
            "kind": self.kind,
            "part": self.part,
            "level": self.level,
            "control": self.control,
        }

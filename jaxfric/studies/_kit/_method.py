"""One way to answer the question of a study: a line of its table."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """What tells one line of a table from another; equal methods are the same line.

    Attributes:
        kind: which network, search or yardstick.
        part: the part of the network that is tuned; "-" where nothing could be.
        level: how the level of what is predicted is known; "-" where that is no question.
        control: what is different from the kind's own way, for the sake of a comparison.
    """

    kind: str
    part: str = "-"
    level: str = "-"
    control: str = ""

    @property
    def name(self) -> str:
        """What a reader sees in a table: kind and control."""
        return f"{self.kind}, {self.control}" if self.control else self.kind

    @property
    def file_name(self) -> str:
        """All fields as one word without spaces: the name of the file that keeps the rows."""
        parts = [x for x in (self.kind, self.control, self.part, self.level) if x not in ("", "-")]
        # Names hold signs that file systems or shells take for something else ("VAE + CMA-ES")
        words = "_".join(parts).replace("+", " ").replace(",", " ").split()
        return "-".join(words)

    def made(self, row: Mapping[str, object]) -> bool:
        """Whether a row of metrics.json was made by this method."""
        # By the fields, not by the name: two methods may read alike and differ in part or level
        fields = (self.kind, self.part, self.level, self.control)
        return fields == tuple(row.get(x) for x in ("kind", "part", "level", "control"))

    def facts(self) -> dict[str, str]:
        """What a row begins with: the name for a reader, and the fields that `made` looks at."""
        return {
            "method": self.name,
            "kind": self.kind,
            "part": self.part,
            "level": self.level,
            "control": self.control,
        }

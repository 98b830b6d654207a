"""Steps of a study that a killed run finds again."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxfric._files import write_json


class Steps:
    """The folder `runs/` of a study: a JSON for each step, with the seconds it took."""

    def __init__(self, out: Path, progress: bool):
        self.folder, self.progress = out / "runs", progress
        self.recorded = 0.0  # seconds of this call

    def step(self, name: str, make: Callable[[], Any]) -> Any:
        """What a step made; it is taken only if the folder does not have it."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            began, before = time.perf_counter(), self.recorded
            made = make()
            inside = self.recorded - before  # steps that this one set off count for themselves
            self.record(name, made, time.perf_counter() - began - inside)
        return json.loads(path.read_text())["made"]

    def record(self, name: str, made: Any, seconds: float) -> None:
        """Write what a step made, and say so."""
        write_json(self.folder / f"{name}.json", {"seconds": seconds, "made": made})
        self.recorded += seconds
        if self.progress:
            print(f"{name}: {seconds:.0f} s", flush=True)

    def seconds(self) -> float:
        """Of all steps."""
        return sum(self.spent(path.stem) for path in sorted(self.folder.glob("*.json")))

    def spent(self, name: str) -> float:
        """Seconds of one step."""
        return float(json.loads((self.folder / f"{name}.json").read_text())["seconds"])

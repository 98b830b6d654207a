"""What a killed study finds again: finished steps and trained networks."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from jaxfric._files import write_json

Plan = TypeVar("Plan")


class Keeper(Generic[Plan]):
    """The folder of a study while it runs.

    `runs/` holds a JSON for each finished step, with the seconds it took, and the checkpoints of
    trainings; `networks/` holds what was trained. A step is taken only where its file is missing,
    so a study that was killed at any moment goes on with the step it was in.

    Arguments:
        plan: the preset, with the sizes of everything.
        out: the folder.
        progress: print a line for each step.
    """

    def __init__(self, plan: Plan, out: Path, progress: bool = False):
        self.plan, self.out, self.progress = plan, out, progress
        self.recorded = 0.0  # seconds of the steps that this call has taken
        for folder in ("runs", "networks"):
            (out / folder).mkdir(parents=True, exist_ok=True)

    def step(self, name: str, make: Callable[[], Any]) -> Any:
        """What a step made; it is taken only if the folder does not have it.

        Arguments:
            name: of the file.
            make: makes what JSON can hold: rows of a table, the history of a training.

        Returns:
            The same as read back, so that a study that was killed and one that was not agree.
        """
        path = self._step(name)
        if not path.exists():
            began, before = time.perf_counter(), self.recorded
            made = make()
            inside = self.recorded - before  # steps that this one set off count for themselves
            self.record(name, made, time.perf_counter() - began - inside)
        return json.loads(path.read_text("utf-8"))["made"]

    def record(self, name: str, made: Any, seconds: float) -> None:
        """Write what a step made, and say so."""
        write_json(self._step(name), {"seconds": seconds, "made": made})
        self.recorded += seconds
        if self.progress:
            print(f"{name}: {seconds:.0f} s", flush=True)

    def network(self, name: str, train: Callable[[Path], Any], template: Any, **facts: Any) -> Any:
        """A trained network: read back, or trained where the folder does not have it.

        Arguments:
            name: of its file.
            train: folder for checkpoints → an object with `.last` (the network after its last
                step) and `.history` (arrays by name), such as `training.train` returns.
            template: a network of the same structure.
            facts: what is written beside the arrays.
        """
        if not self.has(name):
            began = time.perf_counter()
            trained = train(self.out / "runs" / name)
            self.save(name, trained.last, **facts)
            history = {key: np.asarray(x).tolist() for key, x in trained.history.items()}
            self.record(f"trained_{name}", history, time.perf_counter() - began)
        return self.load(name, template)

    def has(self, name: str) -> bool:
        """Whether a network was trained."""
        return self._network(name).exists()

    def save(self, name: str, network: Any, **facts: Any) -> None:
        """Write a network whole."""
        from jaxfric import training  # a prediction has rows of methods, and trains nothing

        training.save_arrays(self._network(name), network, **facts)

    def load(self, name: str, template: Any) -> Any:
        """Read a network into a template's structure."""
        from jaxfric import training

        return training.load_arrays(self._network(name), template)[0]

    def seconds(self) -> float:
        """Of all steps, those of earlier calls too."""
        return sum(self.spent(path.stem) for path in sorted((self.out / "runs").glob("*.json")))

    def spent(self, name: str) -> float:
        """Seconds of one step."""
        return float(json.loads(self._step(name).read_text("utf-8"))["seconds"])

    def training_seconds(self) -> dict[str, float]:
        """Of each network that `network` trained."""
        names = [path.stem for path in sorted((self.out / "runs").glob("trained_*.json"))]
        return {name.removeprefix("trained_"): self.spent(name) for name in names}

    def _step(self, name: str) -> Path:
        return self.out / "runs" / f"{name}.json"

    def _network(self, name: str) -> Path:
        return self.out / "networks" / f"{name}.npz"

"""What a killed study finds again: finished steps and trained networks."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from jaxtyping import Array, PyTree

from jaxfric._files import write_json

Plan = TypeVar("Plan")  # the preset of a study
Made = TypeVar("Made")  # what a step makes
Network = TypeVar("Network")


class TrainingRun(Protocol):
    """What `Keeper.network` keeps of a training; `training.Trained` is one.

    Attributes:
        last: the network after its last step.
        history: arrays by name.
    """

    @property
    def last(self) -> PyTree: ...

    @property
    def history(self) -> Mapping[str, np.ndarray | Array]: ...


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
        # Seconds of the steps that this process has taken, not of those that it found; `step` needs
        # them to tell the time of a step from that of the steps inside it
        self.recorded = 0.0
        for folder in ("runs", "networks"):
            (out / folder).mkdir(parents=True, exist_ok=True)

    def step(self, name: str, make: Callable[[], Made]) -> Made:
        """What a step made; it is taken only if the folder does not have it.

        Arguments:
            name: of the file that keeps it.
            make: makes what JSON can hold: rows of a table, the history of a training.

        Returns:
            The same as read back, so that a study that was killed and one that was not agree.
        """
        path = self._step(name)
        if not path.exists():
            began, before = time.perf_counter(), self.recorded
            made = make()
            # A step may set off others (rows of a table train the network that they need), which
            # have recorded themselves: counted here too, the sum of all steps would be too long
            inside = self.recorded - before
            self.record(name, made, time.perf_counter() - began - inside)
        # Read back even if it was made just now: JSON turns tuples into lists and NaN into null,
        # and what follows must not depend on where a study was killed
        found: Made = json.loads(path.read_text("utf-8"))["made"]
        return found

    def record(self, name: str, made: object, seconds: float) -> None:
        """Write what a step made (anything JSON can hold) and its seconds, and say so."""
        write_json(self._step(name), {"seconds": seconds, "made": made})
        self.recorded += seconds
        if self.progress:
            print(f"{name}: {seconds:.0f} s", flush=True)

    def network(
        self,
        name: str,
        train: Callable[[Path], TrainingRun],
        template: Network,
        **facts: object,
    ) -> Network:
        """A trained network: read back, or trained where the folder does not have it.

        Arguments:
            name: of its file.
            train: folder for checkpoints → what `training.train` returns.
            template: a network of the same structure, whose numbers do not matter.
            facts: what is written beside the arrays.

        Returns:
            The network as its file holds it, whether it was trained just now or before a kill.
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

    def save(self, name: str, network: PyTree, **facts: object) -> None:
        """Write the arrays of a network, and facts about it, to its file."""
        # Imported here: who only reads a table or predicts should not wait for the optimisers
        from jaxfric import training

        training.save_arrays(self._network(name), network, **facts)

    def load(self, name: str, template: Network) -> Network:
        """Read the arrays of a network into a template of the same structure."""
        from jaxfric import training

        network: Network = training.load_arrays(self._network(name), template)[0]
        return network

    def seconds(self) -> float:
        """The time of all steps, of those before a kill too."""
        steps = sorted((self.out / "runs").glob("*.json"))
        return sum((self.spent(path.stem) for path in steps), start=0.0)

    def spent(self, name: str) -> float:
        """The seconds that one step took."""
        return float(json.loads(self._step(name).read_text("utf-8"))["seconds"])

    def training_seconds(self) -> dict[str, float]:
        """The time that the training of each network took, by the network's name."""
        names = [path.stem for path in sorted((self.out / "runs").glob("trained_*.json"))]
        return {name.removeprefix("trained_"): self.spent(name) for name in names}

    def _step(self, name: str) -> Path:
        return self.out / "runs" / f"{name}.json"

    def _network(self, name: str) -> Path:
        return self.out / "networks" / f"{name}.npz"

"""Records and networks of a study; what was trained is found again."""

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jaxfric import fault, training
from jaxfric.studies._steps import Steps
from jaxfric.studies._threads import in_threads
from jaxfric.studies.fault_slip._data import (
    Records,
    load_records,
    save_records,
    simulate_records,
)
from jaxfric.studies.fault_slip._presets import Preset
from jaxfric.studies.fault_slip._training import (
    image_network,
    members,
    sequence_network,
    train_images,
    train_sequence,
)

TRAIN, VALIDATE = 0.6, 0.8  # shares of the simulated records, as in the paper
# Ablations with simulated records of their own: what differs
SIMULATIONS: dict[str, dict[str, Any]] = {
    "no averaging": {"average": False},
    "larger drops": {"ranges": fault.FaultRanges(drop=(0.04, 0.20))},
    "inertia": {"ranges": fault.FaultRanges(plate_period=(0.25, 0.5))},
}


class Kept:
    """The folder of a study: `runs/` holds a JSON for each step, `networks/` what was trained."""

    def __init__(self, plan: Preset, out: Path, progress: bool):
        self.plan, self.out = plan, out
        self.steps = Steps(out, progress)
        self.seeds = tuple(range(plan.seeds))
        self.answers: dict[tuple[Any, ...], Any] = {}  # of this call
        self._variants: dict[str, Records] = {}

    @cached_property
    def all_records(self) -> Records:
        """A function of its seed; kept, so that a killed study need not simulate again."""
        path = self.out / "runs" / "records.npz"
        if not path.exists():
            began = time.perf_counter()
            records = simulate_records(1, self.plan.records, seconds=self.plan.seconds)
            save_records(path, records)
            made = {"simulated": records.simulated, "kept": records.count}
            self.steps.record("simulated", made, time.perf_counter() - began)
        return load_records(path)

    def records(self, split: str) -> Records:
        """Of training, validation or test; each fault is in one of them."""
        n = self.all_records.count
        a, b = int(TRAIN * n), int(VALIDATE * n)
        return self.all_records.some(
            {"train": slice(0, a), "validate": slice(a, b), "test": slice(b, n)}[split]
        )

    def variant_records(self, name: str) -> Records:
        """Fewer, for networks that are compared: as many of each, if there are."""
        drawn = self.plan.ablation_records
        some = slice(0, 3 * drawn // 5)
        if name not in SIMULATIONS:
            return self.records("train").some(some)
        if name not in self._variants:
            self._variants[name] = simulate_records(2, drawn, **SIMULATIONS[name]).some(some)
        return self._variants[name]

    def train(self) -> None:
        """Both kinds side by side: a recurrent network keeps only one core busy."""
        records, plan = self.records("train"), self.plan
        self.steps.step("trained", lambda: self._train({
            "sequence": lambda folder: train_sequence(
                records, self.seeds, plan.steps, checkpoint=folder
            ),
            "images": lambda folder: train_images(
                records, self.seeds, plan.image_steps, checkpoint=folder
            ),
        }))  # fmt: skip

    def sequence(self) -> Any:
        """Sequence networks, a leading axis of seeds."""
        return self._load("sequence", members(sequence_network, self.seeds))

    def images(self) -> Any:
        """Encoder-decoders, a leading axis of seeds."""
        return self._load("images", members(image_network, self.seeds))

    def image_timer(self) -> Any:
        """An encoder-decoder for the time to failure, trained when it is asked for."""
        records, steps = self.records("train").timed(), self.plan.time_steps
        self._train({"images_times": lambda folder: train_images(
            records, (0,), steps, checkpoint=folder
        )})  # fmt: skip
        return self._load("images_times", members(image_network, (0,)))

    def train_variants(self, names: Sequence[str], images: dict[str, dict[str, bool]]) -> None:
        """Networks of fewer steps, for the ablations: recurrent ones, encoder-decoders."""
        steps = self.plan.ablation_steps
        jobs: dict[str, Any] = {}
        for name in names:
            jobs[_plain("sequence", name)] = lambda folder, name=name: train_sequence(
                self.variant_records(name), (0,), steps, checkpoint=folder
            )
            if not self._path(_plain("sequence", name)).exists():
                self.variant_records(name)  # takes all cores by itself
        for name, options in images.items():
            jobs[_plain("images", name)] = lambda folder, options=options: train_images(
                self.variant_records("as it is"), (0,), steps, checkpoint=folder, **options
            )
        self._train(jobs)

    def sequence_variant(self, name: str) -> Any:
        """Of one seed."""
        return self._load(_plain("sequence", name), members(sequence_network, (0,)))

    def image_variant(self, name: str, **options: bool) -> Any:
        """Of one seed."""
        like = members(lambda s: image_network(s, **options), (0,))
        return self._load(_plain("images", name), like)

    def _path(self, name: str) -> Path:
        return self.out / "networks" / f"{name}.npz"

    def _load(self, name: str, like: Any) -> Any:
        return training.load_arrays(self._path(name), like)[0]

    def _train(self, jobs: dict[str, Any]) -> dict[str, Any]:
        """Those that are not there yet, as many at a time as there are cores; their histories."""

        def one(name: str) -> Any:
            if self._path(name).exists():
                return None
            trained = jobs[name](self.out / "runs" / name)
            training.save_arrays(self._path(name), trained.network, kind=name)
            return {k: np.asarray(v).tolist() for k, v in trained.history.items()}

        return dict(zip(jobs, in_threads(one, list(jobs)), strict=True))


def _plain(kind: str, name: str) -> str:
    return f"{kind}_{name.replace(' ', '-')}"

"""Simulated records and trained networks of a study; both are found again after a kill."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jaxfric import fault
from jaxfric.studies._kit import Keeper, in_threads
from jaxfric.studies.fault_slip._data import (
    Records,
    load_records,
    save_records,
    simulate_records,
)
from jaxfric.studies.fault_slip._presets import Preset
from jaxfric.studies.fault_slip._training import (
    Members,
    image_network,
    members,
    sequence_network,
    train_images,
    train_sequence,
)

Job = Callable[[Path], Members]  # trains a network, with checkpoints in a folder
TRAIN, VALIDATE = 0.6, 0.8  # shares of the simulated records, as in the paper
# Ablations with simulated records of their own: what differs
SIMULATIONS: dict[str, dict[str, Any]] = {
    "no averaging": {"average": False},
    "larger drops": {"ranges": fault.FaultRanges(drop=(0.04, 0.20))},
    "inertia": {"ranges": fault.FaultRanges(plate_period=(0.25, 0.5))},
}


class Trained:
    """What the networks learn from, and the networks, trained when they are first asked for."""

    def __init__(self, keeper: Keeper[Preset]):
        self.keeper, self.plan = keeper, keeper.plan
        self.seeds = tuple(range(keeper.plan.seeds))
        self._variants: dict[str, Records] = {}

    @cached_property
    def all_records(self) -> Records:
        """A function of its seed; kept, so that a killed study need not simulate again."""
        path = self.keeper.out / "runs" / "records.npz"
        if not path.exists():
            began = time.perf_counter()
            records = simulate_records(1, self.plan.records, seconds=self.plan.seconds)
            save_records(path, records)
            made = {"simulated": records.simulated, "kept": records.count}
            self.keeper.record("simulated", made, time.perf_counter() - began)
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
        train = slice(0, 3 * drawn // 5)
        if name not in SIMULATIONS:
            return self.records("train").some(train)
        if name not in self._variants:
            self._variants[name] = simulate_records(2, drawn, **SIMULATIONS[name]).some(train)
        return self._variants[name]

    def train(self) -> None:
        """Both kinds side by side: a recurrent network keeps only one core busy."""
        records, plan = self.records("train"), self.plan
        self.keeper.step("trained", lambda: self._train({
            "sequence": lambda folder: train_sequence(
                records, self.seeds, plan.steps, checkpoint=folder
            ),
            "images": lambda folder: train_images(
                records, self.seeds, plan.image_steps, checkpoint=folder
            ),
        }))  # fmt: skip

    def sequence(self) -> Any:
        """Sequence networks, a leading axis of seeds."""
        return self.keeper.load("sequence", members(sequence_network, self.seeds))

    def images(self) -> Any:
        """Encoder-decoders, a leading axis of seeds."""
        return self.keeper.load("images", members(image_network, self.seeds))

    def image_timer(self) -> Any:
        """An encoder-decoder for the time to failure, trained when it is asked for."""
        records, steps = self.records("train").timed(), self.plan.time_steps
        self._train({"images_times": lambda folder: train_images(
            records, (0,), steps, checkpoint=folder
        )})  # fmt: skip
        return self.keeper.load("images_times", members(image_network, (0,)))

    def train_variants(self, names: Sequence[str], images: dict[str, dict[str, bool]]) -> None:
        """Networks of fewer steps, for the ablations: recurrent ones, encoder-decoders."""
        steps = self.plan.ablation_steps

        def sequence(name: str) -> Job:
            return lambda folder: train_sequence(
                self.variant_records(name), (0,), steps, checkpoint=folder
            )

        def image(options: dict[str, bool]) -> Job:
            return lambda folder: train_images(
                self.variant_records("as it is"), (0,), steps, checkpoint=folder, **options
            )

        for name in names:
            if not self.keeper.has(_plain("sequence", name)):
                self.variant_records(name)  # takes all cores by itself
        jobs = {_plain("sequence", name): sequence(name) for name in names}
        jobs |= {_plain("images", name): image(options) for name, options in images.items()}
        self._train(jobs)

    def sequence_variant(self, name: str) -> Any:
        """Of one seed."""
        return self.keeper.load(_plain("sequence", name), members(sequence_network, (0,)))

    def image_variant(self, name: str, **options: bool) -> Any:
        """Of one seed."""
        like = members(lambda s: image_network(s, **options), (0,))
        return self.keeper.load(_plain("images", name), like)

    def _train(self, jobs: dict[str, Job]) -> dict[str, Any]:
        """Those that are not there yet, as many at a time as there are cores; their histories."""

        def one(name: str) -> Any:
            if self.keeper.has(name):
                return None
            trained = jobs[name](self.keeper.out / "runs" / name)
            self.keeper.save(name, trained.network, kind=name)
            return {k: np.asarray(v).tolist() for k, v in trained.history.items()}

        return dict(zip(jobs, in_threads(one, list(jobs)), strict=True))


def _plain(kind: str, name: str) -> str:
    return f"{kind}_{name.replace(' ', '-')}"

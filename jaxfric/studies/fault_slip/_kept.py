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
            records = simulate_records(1, self.plan.records)
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
        """Fewer, for the networks that are compared with each other."""
        name = name if name in SIMULATIONS else "as it is"
        if name not in self._variants:
            self._variants[name] = simulate_records(
                2, self.plan.ablation_records, **SIMULATIONS.get(name, {})
            )
        return self._variants[name]

    def sequence(self) -> Any:
        """Sequence networks, a leading axis of seeds."""
        return self._network(
            "sequence", lambda: members(sequence_network, self.seeds),
            lambda folder: train_sequence(
                self.records("train"), self.seeds, self.plan.steps, checkpoint=folder
            ),
        )  # fmt: skip

    def images(self) -> Any:
        """Encoder-decoders, a leading axis of seeds."""
        return self._network(
            "images", lambda: members(image_network, self.seeds),
            lambda folder: train_images(
                self.records("train"), self.seeds, self.plan.image_steps, checkpoint=folder
            ),
        )  # fmt: skip

    def sequence_variants(self, names: Sequence[str]) -> list[Any]:
        """A network of fewer steps for each ablation; their trainings share the cores."""

        def trained(name: str) -> Any:
            plain = _plain("sequence", name)
            path = self._path(plain)
            if not path.exists():
                made = train_sequence(
                    self.variant_records(name), (0,), self.plan.ablation_steps,
                    checkpoint=self.out / "runs" / plain,
                )  # fmt: skip
                training.save_arrays(path, made.network, kind=plain)
            return training.load_arrays(path, members(sequence_network, (0,)))[0]

        for name in names:
            if not self._path(_plain("sequence", name)).exists():
                self.variant_records(name)  # takes all cores by itself
        return in_threads(trained, names)

    def image_variant(self, name: str, **options: bool) -> Any:
        """An encoder-decoder of fewer steps, for an ablation."""
        return self._network(
            _plain("images", name), lambda: members(lambda s: image_network(s, **options), (0,)),
            lambda folder: train_images(
                self.variant_records(name), (0,), self.plan.ablation_steps, checkpoint=folder,
                **options,
            ),
        )  # fmt: skip

    def _path(self, name: str) -> Path:
        return self.out / "networks" / f"{name}.npz"

    def _network(self, name: str, make: Any, train: Any) -> Any:
        path = self._path(name)
        if not path.exists():
            began, before = time.perf_counter(), self.steps.recorded
            trained = train(self.out / "runs" / name)
            spent = time.perf_counter() - began - (self.steps.recorded - before)
            training.save_arrays(path, trained.network, kind=name)
            history = {k: np.asarray(v).tolist() for k, v in trained.history.items()}
            self.steps.record(f"trained_{name}", history, spent)
        return training.load_arrays(path, make())[0]


def _plain(kind: str, name: str) -> str:
    return f"{kind}_{name.replace(' ', '-')}"

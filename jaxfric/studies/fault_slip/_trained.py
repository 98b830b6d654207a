"""Simulated records and trained networks of a study; both are found again after a kill."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import numpy as np

from jaxfric import fault, networks
from jaxfric._threads import in_threads
from jaxfric.studies._kit import Keeper
from jaxfric.studies.fault_slip._data import (
    Records,
    load_records,
    save_records,
    simulate_records,
)
from jaxfric.studies.fault_slip._gouge_records import gouge_records, joined_records
from jaxfric.studies.fault_slip._gouge_runs import kept_gouge
from jaxfric.studies.fault_slip._image_training import ImageVariant, image_network, train_images
from jaxfric.studies.fault_slip._presets import Preset
from jaxfric.studies.fault_slip._training import (
    Members,
    members,
    sequence_network,
    train_sequence,
)

Split = Literal["train", "validate", "test"]
Job = Callable[[Path], Members]  # trains a network, with checkpoints in a folder
History = dict[str, list[list[int | float]]]  # loss, terms, steps: (evaluations, seeds)
# Where training and validation end in the simulated records: 60/20/20, as in the paper. Records are
# drawn independently, so a split by record keeps every fault in one part; the paper has one long
# simulation and splits it in time.
TRAIN, VALIDATE = 0.6, 0.8


class SimulationVariant(TypedDict, total=False):
    """What of `simulate_records` an ablation changes."""

    average: bool
    ranges: fault.FaultRanges


# Ablations with simulated records of their own: no instrument's average over a second (p4581 has
# one); drops as large as twice those of training; a plate with a mass on the loader, which rings
# with a period of 0.25 to 0.5 s.
SIMULATIONS: dict[str, SimulationVariant] = {
    "no averaging": {"average": False},
    "larger drops": {"ranges": fault.FaultRanges(drop=(0.04, 0.20))},
    "inertia": {"ranges": fault.FaultRanges(plate_period=(0.25, 0.5))},
}


class Trained:
    """What the networks learn from, and the networks, trained when they are first asked for.

    Arguments:
        keeper: of the study's folder, where both are found again.
    """

    def __init__(self, keeper: Keeper[Preset]):
        self.keeper, self.plan = keeper, keeper.plan
        self._gouge: dict[str, Records] = {}
        self.seeds = tuple(range(keeper.plan.seeds))
        self._variants: dict[str, Records] = {}

    @cached_property
    def all_chains(self) -> Records:
        """Every record of a chain: a function of a seed, kept so that it is simulated once."""
        path = self.keeper.out / "runs" / "records.npz"
        if not path.exists():
            began = time.perf_counter()
            records = simulate_records(1, self.plan.records, seconds=self.plan.seconds)
            save_records(path, records)
            made = {"simulated": records.simulated, "kept": records.count}
            self.keeper.record("simulated", made, time.perf_counter() - began)
        return load_records(path)

    def records(self, split: Split) -> Records:
        """The simulated records of one part; each fault is in one part alone."""
        if self.plan.simulations == "gouge":
            return self.gouge(split)
        n = self.all_chains.count
        chains = self.all_chains.subset(_part(split, n))
        if self.plan.simulations == "chains":
            return chains
        return joined_records([chains, self.gouge(split)])

    def gouge(self, split: Split) -> Records:
        """Records of the layers of grains of one part, from those that come with the package."""
        if split not in self._gouge:
            runs = kept_gouge()
            part = runs.subset(_part(split, runs.friction.shape[0]))
            # Every part has instruments and clocks of its own
            seed = ("train", "validate", "test").index(split)
            self._gouge[split] = gouge_records(part, seed, clocks=self.plan.clocks)
        return self._gouge[split]

    def variant_records(self, name: str) -> Records:
        """Records for the networks of an ablation.

        Fewer than those of the study's networks, as several sets are simulated; and as many for
        each, if there are, since more records make better networks whatever they are of.

        Arguments:
            name: of `SIMULATIONS`; any other has a part of the study's own records.
        """
        drawn = self.plan.ablation_records
        train = slice(0, 3 * drawn // 5)
        if name not in SIMULATIONS:
            return self.records("train").subset(train)
        if name not in self._variants:
            self._variants[name] = simulate_records(2, drawn, **SIMULATIONS[name]).subset(train)
        return self._variants[name]

    def train(self) -> None:
        """Train both kinds side by side: a recurrent network keeps only one core busy."""
        records, plan = self.records("train"), self.plan
        self.keeper.step("trained", lambda: self._train({
            "sequence": lambda folder: train_sequence(
                records, self.seeds, plan.steps, checkpoint=folder
            ),
            "images": lambda folder: train_images(
                records, self.seeds, plan.image_steps, checkpoint=folder
            ),
        }))  # fmt: skip

    def sequence(self) -> networks.EmissionGRU:
        """The trained sequence networks, with a leading axis of seeds."""
        return self.keeper.load("sequence", members(sequence_network, self.seeds))

    def images(self) -> networks.EncoderDecoder:
        """The trained encoder-decoders, with a leading axis of seeds."""
        return self.keeper.load("images", members(image_network, self.seeds))

    def image_timer(self) -> networks.EncoderDecoder:
        """An encoder-decoder for the time to failure, of one seed, trained when it is asked for."""
        records, steps = self.records("train").timed(), self.plan.time_steps
        self._train({"images_times": lambda folder: train_images(
            records, (0,), steps, checkpoint=folder
        )})  # fmt: skip
        return self.keeper.load("images_times", members(image_network, (0,)))

    def train_in_time(self, records: Records) -> None:
        """Train one network of either kind on a part of one long record."""
        plan = self.plan
        self._train({
            "sequence_in_time": lambda folder: train_sequence(
                records, (0,), plan.steps, checkpoint=folder
            ),
            "images_in_time": lambda folder: train_images(
                records, (0,), plan.image_steps, checkpoint=folder
            ),
        })  # fmt: skip

    def sequence_in_time(self) -> networks.EmissionGRU:
        """What `train_in_time` made, with a leading axis of one seed."""
        return self.keeper.load("sequence_in_time", members(sequence_network, (0,)))

    def images_in_time(self) -> networks.EncoderDecoder:
        """Likewise."""
        return self.keeper.load("images_in_time", members(image_network, (0,)))

    def train_variants(self, names: Sequence[str], images: Mapping[str, ImageVariant]) -> None:
        """Train the networks of the ablations, which take fewer steps than those of the study.

        Arguments:
            names: of simulated records, for a recurrent network each; see `variant_records`.
            images: what is different in each encoder-decoder, by name.
        """
        steps = self.plan.ablation_steps

        def sequence(name: str) -> Job:
            return lambda folder: train_sequence(
                self.variant_records(name), (0,), steps, checkpoint=folder
            )

        def image(options: ImageVariant) -> Job:
            return lambda folder: train_images(
                self.variant_records("as it is"), (0,), steps, checkpoint=folder, **options
            )

        for name in names:
            if not self.keeper.has(_plain("sequence", name)):
                # Before any training begins, as simulations take all cores by themselves
                self.variant_records(name)
        jobs = {_plain("sequence", name): sequence(name) for name in names}
        jobs |= {_plain("images", name): image(options) for name, options in images.items()}
        self._train(jobs)

    def sequence_variant(self, name: str) -> networks.EmissionGRU:
        """The recurrent network of an ablation, with a leading axis of one seed."""
        return self.keeper.load(_plain("sequence", name), members(sequence_network, (0,)))

    def image_variant(self, name: str, **options: Unpack[ImageVariant]) -> networks.EncoderDecoder:
        """The encoder-decoder of an ablation, with a leading axis of one seed."""
        like = members(lambda s: image_network(s, **options), (0,))
        return self.keeper.load(_plain("images", name), like)

    def _train(self, jobs: Mapping[str, Job]) -> dict[str, History | None]:
        """Train networks that are not there yet, as many at a time as there are cores.

        Returns:
            Their histories by name, None for those that were there.
        """

        def one(name: str) -> History | None:
            if self.keeper.has(name):
                return None
            trained = jobs[name](self.keeper.out / "runs" / name)
            self.keeper.save(name, trained.network, kind=name)
            return {k: np.asarray(v).tolist() for k, v in trained.history.items()}

        return dict(zip(jobs, in_threads(one, list(jobs)), strict=True))


def _part(split: Split, n: int) -> slice:
    a, b = int(TRAIN * n), int(VALIDATE * n)
    return {"train": slice(0, a), "validate": slice(a, b), "test": slice(b, n)}[split]


def _plain(kind: str, name: str) -> str:
    """The name of an ablation's network as one word, for its file."""
    return f"{kind}_{name.replace(' ', '-')}"

"""Sizes of a run."""

from typing import Literal, NamedTuple

from jaxfric.studies.fault_slip._ask import STEPS


class Preset(NamedTuple):
    """Sizes of a run of the study.

    Attributes:
        records: faults simulated for training (60/20/20: training, validation, test).
        seconds: of each, and of simulated laboratories.
        steps: of training a sequence network.
        image_steps: of training an encoder-decoder.
        time_steps: of training an encoder-decoder for the time to failure; without it if 0.
        ablation_records: faults simulated for each variant that needs its own.
        ablation_steps: of training each variant, and what it is compared with; no ablations if 0.
        tuning: steps of tuning.
        seeds: networks of each kind.
        cycles: numbers of cycles to tune on, a column of the table each.
        controls: parts tuned besides "latent" and "all", after six cycles.
        laboratories: simulated ones, where there is no record.
        loads: Pa, of the load series; the networks are tuned at the first.
        faults: tested at each load.
        simulations: what networks learn from: chains of patches, layers of grains, or both.
        clocks: at which each layer of grains is heard.
        comparisons: whether the lines that take a part away are asked too, at six cycles.
    """

    records: int
    seconds: float
    steps: int
    image_steps: int
    time_steps: int
    ablation_records: int
    ablation_steps: int
    tuning: int
    seeds: int
    cycles: tuple[int, ...]
    controls: tuple[str, ...]
    laboratories: int
    loads: tuple[float, ...]
    faults: int
    simulations: Literal["chains", "gouge", "both"] = "chains"
    clocks: int = 8
    comparisons: bool = True


# Grains beside chains: some 200 records of either and as many steps of training, fewer than for the
# shipped networks.
_COMPARED = Preset(
    records=300, seconds=300.0, steps=1200, image_steps=1000, time_steps=0, ablation_records=0,
    ablation_steps=0, tuning=STEPS, seeds=3, cycles=(6,), controls=(), laboratories=3, loads=(),
    faults=0, comparisons=False,
)  # fmt: skip
# "smoke" only shows that every step runs. "laptop" takes half an hour on two cores, and its
# networks ship with the package: a network trained for 6,000 steps in place of 2,400 read held-out
# simulations better and p4581 worse. "paper" is for a GPU. Six cycles are the paper's; one and
# three show what less is worth, and twelve that more teaches little more.
PRESETS = {
    "smoke": Preset(
        records=20, seconds=160.0, steps=12, image_steps=6, time_steps=0, ablation_records=0,
        ablation_steps=0, tuning=3, seeds=2, cycles=(3,), controls=(), laboratories=1,
        loads=(2.5e6, 4e6), faults=3,
    ),
    "laptop": Preset(
        records=1000, seconds=300.0, steps=2400, image_steps=2800, time_steps=1400,
        ablation_records=100, ablation_steps=300, tuning=STEPS, seeds=3, cycles=(1, 3, 6, 12),
        controls=("head",), laboratories=3, loads=(2.5e6, 3e6, 5e6, 8e6), faults=8,
    ),
    "chains": _COMPARED,
    "gouge": _COMPARED._replace(simulations="gouge"),
    "both": _COMPARED._replace(simulations="both"),
    "paper": Preset(
        records=6000, seconds=300.0, steps=20_000, image_steps=12_000, time_steps=12_000,
        ablation_records=1000, ablation_steps=3000, tuning=STEPS, seeds=5, cycles=(1, 3, 6, 12),
        controls=("head",), laboratories=10, loads=(2.5e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6), faults=8,
    ),
}  # fmt: skip

"""Sizes of a run."""

from typing import NamedTuple

from jaxfric.studies.fault_slip._tuning import STEPS


class Preset(NamedTuple):
    """Sizes of a run of the study.

    Attributes:
        records: faults simulated for training (60/20/20: training, validation, test).
        seconds: of each, and of simulated laboratories.
        steps: of training a sequence network.
        image_steps: of training an encoder-decoder.
        time_steps: of training an encoder-decoder for the time to failure.
        ablation_records: faults simulated for each variant that needs its own.
        ablation_steps: of training each variant, and what it is compared with.
        tuning: steps of tuning.
        seeds: networks of each kind.
        cycles: to tune on.
        controls: parts tuned besides "latent" and "all".
        laboratories: simulated ones, where there is no record.
        loads: Pa, of the load series.
        faults: tested at each load.
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


PRESETS = {
    "smoke": Preset(20, 160.0, 12, 6, 0, 0, 0, 4, 2, (3,), (), 1, (2.5e6, 4e6), 3),
    "laptop": Preset(
        1000, 300.0, 2400, 2800, 1400, 100, 300, STEPS, 3, (1, 3, 6, 12), ("head",), 3,
        (2.5e6, 3e6, 5e6, 8e6), 8,
    ),
    "paper": Preset(
        6000, 300.0, 20_000, 12_000, 12_000, 1000, 3000, STEPS, 5, (1, 3, 6, 12), ("head",), 10,
        (2.5e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6), 8,
    ),
}  # fmt: skip

"""What the figures of the studies read: the metrics and the files beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict


class FaultSlipRow(TypedDict, total=False):
    """Errors of a method on a record, of the study Predicting fault slip."""

    kind: str  # of network, or a yardstick
    control: str  # what is different from the kind's own way; empty for that
    part: str  # of the network that was tuned
    level: str  # of friction: inferred from what was seen, or given
    cycles: int  # seen
    record: str
    seed: int
    load: float | None  # normal stress, Pa, of simulated faults
    mape: float | None  # %
    ttf_mae: float | None  # s


class FaultSlipScalograms(TypedDict):
    """Images of one record, (periods, times), and the cone of influence, s at each time."""

    time: list[float]
    period: list[float]
    cone: list[float]
    input: list[list[float]]
    target: list[list[float]]
    predicted: list[list[float]]


class FaultSlipShown(TypedDict):
    """Series of the record that is shown, and of one simulated fault."""

    name: str
    cycles: int
    seen: float  # s
    test_from: float  # s
    time: list[float]
    energy: list[float]
    friction: list[float]
    predicted: list[float]
    band: list[float]
    encoder_decoder: list[float]
    time_to_failure: list[float | None]
    predicted_time: list[float] | None
    simulated_energy: list[float]
    simulated_friction: list[float]
    scalograms: FaultSlipScalograms


class DesignRow(TypedDict, total=False):
    """Errors of a method on a group of targets, of the study Friction on Demand."""

    group: str
    kind: str  # of network or search, or a yardstick
    control: str  # which way of the kind
    median: float  # sMAPE, %
    ms_per_design: float | None
    diversity: float | None


class ShownDesigns(TypedDict):
    """A target and its designs, best first."""

    name: str
    load: list[float]  # N
    target: list[float]  # N
    friction: list[list[float]]
    error: list[float]  # %
    depth: list[list[float]]  # m, of the asperities that touch
    radius: list[list[float]]  # m


class Plane(TypedDict):
    """Errors of one pass over many random laws."""

    asperities: list[float]
    friction_over_load: list[float]
    error: list[float]  # %


class ShownTraining(TypedDict):
    """One training of Slide, Hold, Learn: its first test sequences, every error, its loss."""

    jumps: str
    recipe: str
    size: int  # training sequences
    velocity: list[list[float]]  # (sequences, samples)
    change: list[list[float]]  # of friction, true
    predicted: list[list[float]]
    rel_mu: list[float]  # %, of every test sequence
    loss: list[float]
    steps: int
    seconds: float


class SizeRow(TypedDict):
    """Errors of a recipe on a size of training set, of the study Slide, Hold, Learn."""

    jumps: str
    evolution: str
    noise: str
    recipe: str
    size: int
    rel_mu: float  # %


def require(metrics: Mapping[str, object], keys: Sequence[str], study: str) -> None:
    """Raise `ValueError` unless the metrics hold these keys, none of them empty."""
    missing = [key for key in keys if not metrics.get(key)]
    if missing:
        raise ValueError(
            f"these are no metrics of a finished study {study}: {', '.join(missing)} missing or "
            f"empty. Give what `studies.{study.replace('-', '_')}.run` returned, or the content of "
            "its metrics.json"
        )


def read_shown(folder: Path, study: str) -> object:
    """The content of shown.json in the folder of a study."""
    path = Path(folder) / "shown.json"
    if not path.exists():
        raise FileNotFoundError(
            f"there is no {path}: give the folder that the study {study} wrote, after it has ended"
        )
    content: object = json.loads(path.read_text())
    return content

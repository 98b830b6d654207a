"""What the figures of the study show of each training of the largest set, beside metrics.json."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxfric._files import write_json

SHOWN = 4  # test sequences of which a figure shows the whole


class Shown(NamedTuple):
    """One training: its first test sequences, all its errors, its loss.

    Attributes:
        jumps: "grid" or "free".
        recipe: of the network.
        size: training sequences.
        velocity: (sequences, m).
        change: (sequences, m), of friction, true.
        predicted: (sequences, m).
        rel_mu: (tests,), percent, of every test sequence.
        loss: (evaluations,).
        steps: of gradient descent in all.
        seconds: of the training.
    """

    jumps: str
    recipe: str
    size: int
    velocity: Float[np.ndarray, "sequences m"]
    change: Float[np.ndarray, "sequences m"]
    predicted: Float[np.ndarray, "sequences m"]
    rel_mu: Float[np.ndarray, " tests"]
    loss: Float[np.ndarray, " evaluations"]
    steps: int
    seconds: float


def write_shown(out: Path, shown: list[Shown]) -> None:
    """Write what figures show into shown.json of the study's folder."""
    write_json(out / "shown.json", [_plain(one) for one in shown])


def read_shown(folder: Path) -> list[Shown]:
    """Read what `write_shown` wrote.

    Arguments:
        folder: of a finished study.

    Returns:
        A `Shown` for each training that the figures compare.

    Raises:
        FileNotFoundError: for a folder without a finished study.
    """
    content = json.loads((folder / "shown.json").read_text("utf-8"))
    for fields in content:
        fields.update({k: np.asarray(v) for k, v in fields.items() if isinstance(v, list)})
    return [Shown(**fields) for fields in content]


def _plain(shown: Shown) -> dict[str, object]:
    """The fields as JSON knows them: arrays become lists."""
    return {
        k: np.asarray(v, float).tolist() if hasattr(v, "shape") else v
        for k, v in shown._asdict().items()
    }

"""What the figures of the study show of each training of the largest set, beside metrics.json."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxfric._files import write_json

SHOWN = 4  # test sequences


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
    velocity: np.ndarray
    change: np.ndarray
    predicted: np.ndarray
    rel_mu: np.ndarray
    loss: np.ndarray
    steps: int
    seconds: float


def write_shown(out: Path, shown: list[Shown]) -> None:
    """Into shown.json of the study's folder."""
    write_json(out / "shown.json", [_plain(each) for each in shown])


def read_shown(folder: Path) -> list[Shown]:
    """What `write_shown` wrote."""
    content: list[dict[str, Any]] = json.loads((folder / "shown.json").read_text("utf-8"))
    for each in content:
        each.update({k: np.asarray(v) for k, v in each.items() if isinstance(v, list)})
    return [Shown(**each) for each in content]


def _plain(shown: Shown) -> dict[str, Any]:
    return {
        k: np.asarray(v, float).tolist() if hasattr(v, "shape") else v
        for k, v in shown._asdict().items()
    }

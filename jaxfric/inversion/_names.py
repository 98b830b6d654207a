"""Names of the parameters of an inversion, and what kind of number each name stands for.

"a", "b", "Dc", "stiffness", "step_time" and "mu0"; with several states or velocity steps a number
follows ("b1", "step_time2"), and in a joint fit the record it belongs to ("Dc[2]").
"""

import re
from collections.abc import Sequence

import numpy as np

from jaxfric.dynamics import VelocityProtocol
from jaxfric.ratestate import RateStateLaw

UNITS = {"a": "", "b": "", "Dc": "m", "stiffness": "1/m", "step_time": "s", "mu0": ""}
LOGARITHMS = ("Dc", "stiffness")  # always positive, so the fit moves their logarithms
EFFECTS = ("a", "b")  # changes of friction for a change of velocity by a factor of e
_NUMBERED = re.compile(r"([A-Za-z_]+)\d*(\[\d+\])?")


def kind(name: str) -> str:
    """What "b2" or "Dc1[3]" is one of: "b", "Dc"."""
    if name.split("[")[0] in UNITS:
        return name.split("[")[0]
    found = _NUMBERED.fullmatch(name)
    return found[1] if found else name


def is_log(name: str) -> bool:
    """Whether the fit moves the logarithm."""
    return kind(name) in LOGARITHMS


def unit(name: str) -> str:
    """SI; empty for a number without one."""
    return UNITS.get(kind(name), "")


def a_minus_b(names: Sequence[str]) -> np.ndarray:
    """Weights of the parameters in a − Σ b."""
    return np.array([{"a": 1.0, "b": -1.0}.get(kind(name), 0.0) for name in names])


def law_names(law: RateStateLaw) -> list[str]:
    """Parameters of a law that a fit can free: a, and b and Dc of each state."""
    parts = [""] if law.states is None else [str(k + 1) for k in range(law.states)]
    return ["a", *(f"b{k}" for k in parts), *(f"Dc{k}" for k in parts)]


def step_name(protocol: VelocityProtocol, k: int) -> str:
    """Name of the time of velocity step k = 1, 2, …."""
    return "step_time" if protocol.times.shape[0] == 2 else f"step_time{k}"


def law_title(law: RateStateLaw) -> str:
    """The evolution laws of a law, as tables and legends call it: "Slip", "Aging + Aging"."""
    parts = law.evolution if isinstance(law.evolution, tuple) else (law.evolution,)
    return " + ".join(type(evolution).__name__ for evolution in parts)

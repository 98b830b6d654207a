"""Names of the parameters of an inversion, and what kind of number each name stands for.

"a", "b", "Dc", "stiffness", "step_time" and "mu0"; with several states or velocity steps a number
follows ("b1", "step_time2"), and in a joint fit the record it belongs to ("Dc[2]").
"""

import re
from collections.abc import Sequence

import numpy as np

from jaxfric.dynamics import VelocityProtocol
from jaxfric.ratestate import RateStateLaw

# SI; empty for a number without a unit
UNITS = {"a": "", "b": "", "Dc": "m", "stiffness": "1/m", "step_time": "s", "mu0": ""}
# Always positive, and known to a factor rather than to a difference: the fit moves their
# logarithms, so no trial is negative and a step means the same for a Dc of 1 µm and of 1 mm
LOGARITHMS = ("Dc", "stiffness")
# Changes of friction for a change of velocity by a factor of e; b, and even a, may be negative, so
# these are moved as they are
EFFECTS = ("a", "b")
# A name, the number of a state or a step, and the record of a joint fit: "Dc", "1", "[3]"
_NUMBERED = re.compile(r"([A-Za-z_]+)\d*(\[\d+\])?")


def kind(name: str) -> str:
    """What "b2" or "Dc1[3]" is one of: "b", "Dc"."""
    # First the whole name: the "0" of "mu0" is no number of a state
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
    # At steady state every state adds −b_k ln V: a − Σ b is the steady change of friction with ln V
    return np.array([{"a": 1.0, "b": -1.0}.get(kind(name), 0.0) for name in names])


def law_names(law: RateStateLaw) -> list[str]:
    """Parameters of a law that a fit can free: a, and b and Dc of each state."""
    parts = [""] if law.states is None else [str(k + 1) for k in range(law.states)]
    return ["a", *(f"b{k}" for k in parts), *(f"Dc{k}" for k in parts)]


def step_name(protocol: VelocityProtocol, k: int) -> str:
    """Name of the time of velocity step k = 1, 2, …."""
    # times[0] is where the protocol starts; velocity step k is times[k]
    return "step_time" if protocol.times.shape[0] == 2 else f"step_time{k}"


def law_title(law: RateStateLaw) -> str:
    """The evolution laws of a law, as tables and legends call it: "Slip", "Aging + Aging"."""
    parts = law.evolution if isinstance(law.evolution, tuple) else (law.evolution,)
    return " + ".join(type(evolution).__name__ for evolution in parts)

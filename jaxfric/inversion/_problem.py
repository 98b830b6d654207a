"""The least-squares problem of an inversion: parameters and records."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxfric.dynamics import VelocityProtocol, as_data
from jaxfric.inversion._names import is_log, kind, law_names, step_name
from jaxfric.ratestate import RateStateLaw, Spring
from jaxfric.ratestate._inputs import law_as_data

DETREND = {"none": 0, "linear": 1, "quadratic": 2}
EXTRAS = ("stiffness", "step_time")
# A record is padded to one of these lengths, and its velocity steps to one of these counts, so
# that another record needs no other program.
LENGTHS = (256, 1024, 4096, 8192, 16384)
STEPS = (1, 2, 4, 8, 16)


class Layout(NamedTuple):
    """Which entry of the parameter vector is what; static and hashable.

    `places[r]` pairs each name of record r with its place; positive ones stand as logarithms.
    """

    labels: tuple[str, ...]
    places: tuple[tuple[tuple[str, int], ...], ...]

    @property
    def log(self) -> np.ndarray:
        """Which entries stand as logarithms."""
        return np.array([is_log(label) for label in self.labels])


class Block(NamedTuple):
    """One record as the solver sees it, on a clock that starts at its first row."""

    t: np.ndarray  # (n + padding,), s; the padding repeats the last time
    friction: np.ndarray  # (n,)
    trend: np.ndarray  # (n, k), polynomial in (t − step)/duration
    projector: np.ndarray  # (n, k), the same, orthonormal
    law: RateStateLaw
    spring: Spring
    protocol: VelocityProtocol

    @property
    def names(self) -> list[str]:
        """Of everything that may be free."""
        steps = [step_name(self.protocol, k) for k in range(1, self.protocol.times.shape[0])]
        return [*law_names(self.law), "stiffness", *steps]


def bucket(size: int, sizes: Sequence[int]) -> int:
    """The smallest of the sizes that is large enough; beyond the largest, a multiple of it."""
    return next((s for s in sizes if s >= size), -(-size // sizes[-1]) * sizes[-1])


def make_block(
    time: np.ndarray, friction: np.ndarray, law: RateStateLaw, spring: Spring,
    protocol: VelocityProtocol, degree: int,
) -> Block:  # fmt: skip
    """A record's samples, its loading and its trend; a protocol on the record's own clock."""
    t = time - time[0]
    times = np.asarray(protocol.times) - time[0]
    times[0] = min(times[0], 0.0)
    scaled = (t - times[1]) / t[-1]
    trend = np.stack([scaled**k for k in range(degree + 1)], axis=1)
    return Block(
        np.pad(t, (0, bucket(t.size, LENGTHS) - t.size), mode="edge"),
        np.asarray(friction),
        trend,
        np.linalg.qr(trend)[0],
        law_as_data(law, float),
        as_data(spring, float),
        VelocityProtocol(times, np.asarray(protocol.velocities)),
    )


def make_layout(
    blocks: list[Block], shared: Sequence[str], free: Sequence[str], fixed: Sequence[str]
) -> tuple[Layout, list[float]]:
    """Places of the free parameters, and the guess there."""
    known = set(law_names(blocks[0].law))
    unknown = [x for x in (*shared, *fixed) if x not in known | {"b", "Dc", *EXTRAS}]
    if unknown:
        raise ValueError(f"no parameter is called {unknown[0]!r}; the names are {sorted(known)}")
    labels: list[str] = []
    guess: list[float] = []
    places = []
    for r, block in enumerate(blocks):
        mine = []
        for name, value in _guesses(block, free).items():
            if name in fixed or kind(name) in fixed:
                continue
            common = name in shared or kind(name) in shared
            own = len(blocks) > 1 and not (common and kind(name) != "step_time")
            label = f"{name}[{r + 1}]" if own else name
            if label not in labels:
                labels.append(label)
                guess.append(float(np.log(value)) if is_log(label) else float(value))
            mine.append((name, labels.index(label)))
        places.append(tuple(mine))
    return Layout(tuple(labels), tuple(places)), guess


def _guesses(block: Block, free: Sequence[str]) -> dict[str, float]:
    law, protocol = block.law, block.protocol
    found = {"a": law.a}
    for name, value in (("b", law.b), ("Dc", law.Dc)):
        parts = value if isinstance(value, tuple) else (value,)
        keys = [f"{name}{k + 1}" for k in range(len(parts))] if isinstance(value, tuple) else [name]
        found |= dict(zip(keys, parts, strict=True))
    if "stiffness" in free:
        found["stiffness"] = block.spring.stiffness
    if "step_time" in free:
        times = np.asarray(protocol.times)
        found |= {step_name(protocol, k): times[k] for k in range(1, times.size)}
    return {name: float(value) for name, value in found.items()}

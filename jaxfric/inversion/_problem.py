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
# A compiled program has fixed shapes, and compiling takes seconds where a fit takes less: a record
# is padded to one of these lengths, and its velocity steps to one of these counts, so that another
# record needs no other program. Each is at most four times the one before it, and padding costs
# little: the padding repeats the last time, at which the solver has nothing left to do.
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
    # −(−n // m) rounds up
    return next((s for s in sizes if s >= size), -(-size // sizes[-1]) * sizes[-1])


def make_block(
    time: np.ndarray, friction: np.ndarray, law: RateStateLaw, spring: Spring,
    protocol: VelocityProtocol, degree: int,
) -> Block:  # fmt: skip
    """A record's samples, its loading and its trend; a protocol on the record's own clock."""
    # A record may begin at 11,666 s: from its first row on, times keep the digits of a step time
    t = time - time[0]
    times = np.asarray(protocol.times) - time[0]
    # The protocol begins at or before the first row; rounding must not put it after
    times[0] = min(times[0], 0.0)
    # About the step and of order one: the powers stay of one size, and the trend is 0 at the step,
    # where μ0 is then read
    scaled = (t - times[1]) / t[-1]
    trend = np.stack([scaled**k for k in range(degree + 1)], axis=1)
    return Block(
        t=np.pad(t, (0, bucket(t.size, LENGTHS) - t.size), mode="edge"),
        friction=np.asarray(friction),
        trend=trend,
        projector=np.linalg.qr(trend)[0],
        law=law_as_data(law, np.dtype(float)),
        spring=as_data(spring, np.dtype(float)),
        protocol=VelocityProtocol(times, np.asarray(protocol.velocities)),
    )


def make_layout(
    blocks: list[Block], shared: Sequence[str], free: Sequence[str], fixed: Sequence[str]
) -> tuple[Layout, list[float]]:
    """Places of the free parameters, and the guess there (a logarithm where one is moved)."""
    known = set(law_names(blocks[0].law))
    unknown = [x for x in (*shared, *fixed) if x not in known | {"b", "Dc", *EXTRAS}]
    if unknown:
        raise ValueError(f"no parameter is called {unknown[0]!r}; the names are {sorted(known)}")
    # A parameter that records share is one entry of the vector, met in the first record and found
    # by its label in the others; one of a single record has that record's number in its label.
    labels: list[str] = []
    guess: list[float] = []
    places = []
    for r, block in enumerate(blocks):
        mine = []
        for name, value in _guesses(block, free).items():
            if name in fixed or kind(name) in fixed:
                continue
            common = name in shared or kind(name) in shared
            # Step times are on each record's own clock and cannot be shared
            of_one_record = len(blocks) > 1 and not (common and kind(name) != "step_time")
            label = f"{name}[{r + 1}]" if of_one_record else name
            if label not in labels:
                labels.append(label)
                guess.append(float(np.log(value)) if is_log(label) else float(value))
            mine.append((name, labels.index(label)))
        places.append(tuple(mine))
    return Layout(tuple(labels), tuple(places)), guess


def _guesses(block: Block, free: Sequence[str]) -> dict[str, float]:
    """The guess of each parameter that may be free, by its name in the record."""
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
    return {name: float(np.asarray(value)) for name, value in found.items()}

"""Which combinations of the fitted parameters a record constrains, and which it leaves open."""

from typing import NamedTuple

import numpy as np

from jaxfric.inversion._names import EFFECTS, kind

SMALLEST_WEIGHT = 0.1  # a parameter with less of a direction, whose length is 1, is not printed
GONE = 3.0  # slip distances after which nothing is left of an evolution


class Identifiability(NamedTuple):
    """How well combinations of the parameters are constrained, the worst first.

    `directions[i]` are weights of the changes of a and b (in units of |a|), ln Dc, ln stiffness
    and step time (in units of Dc/V); `errors[i]` is the standard error along it.
    """

    names: tuple[str, ...]
    errors: np.ndarray
    directions: np.ndarray

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = ["standard error  combination (a, b in units of a; Dc, stiffness as logarithms)"]
        for error, direction in zip(self.errors, self.directions, strict=True):
            terms = [
                f"{weight:+.2f} {name}"
                for name, weight in zip(self.names, direction, strict=True)
                if abs(weight) > SMALLEST_WEIGHT
            ]
            lines.append(f"{100 * error:11.3g} %   {'  '.join(terms)}")
        return "\n".join(lines)


def identifiability(
    names: tuple[str, ...], values: np.ndarray, covariance: np.ndarray, velocity: float
) -> Identifiability:
    """Principal axes of the covariance in units in which parameters compare.

    The effects a and b are measured in units of the larger of them, the step time in units of
    Dc/V, everything else in units of its own value.
    """
    # Axes of a covariance depend on the units of the parameters: in SI the stiffness, of thousands
    # per metre, would drown a Dc of micrometres. A unit of each parameter's own size makes every
    # error a share. a and b take one unit, so that a − b keeps equal and opposite weights; Dc/V is
    # the time in which the friction changes, which a step time is to be known against.
    kinds = [kind(name) for name in names]
    effects = [abs(v) for v, k in zip(values, kinds, strict=True) if k in EFFECTS]
    lengths = [v for v, k in zip(values, kinds, strict=True) if k == "Dc"]
    units = dict.fromkeys(EFFECTS, max(effects, default=1.0))
    units["step_time"] = min(lengths, default=1.0) / velocity
    scale = np.array([units.get(k, v) for v, k in zip(values, kinds, strict=True)])
    variances, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
    # `eigh` sorts upwards; the combination that is known worst comes first here
    order = np.argsort(variances)[::-1]
    # A well known direction beside an unknown one may come out below zero by rounding
    return Identifiability(names, np.sqrt(np.maximum(variances[order], 0)), axes.T[order])


def unresolved(
    names: tuple[str, ...], values: np.ndarray, velocities: np.ndarray, time: np.ndarray
) -> tuple[str, ...]:
    """Slip distances that the wall passes between two samples, after any of the steps.

    Of an evolution exp(−x/Dc), e^−3 is left after 3 Dc: where the first sample comes later than
    that, the record holds nothing of it, and least squares is free to run to any shorter Dc.
    """
    slowest = float(np.min(np.abs(velocities[1:]), initial=np.inf))
    shortest = slowest * float(np.median(np.diff(time))) / GONE
    return tuple(
        name
        for name, value in zip(names, values, strict=True)
        if kind(name) == "Dc" and value < shortest
    )

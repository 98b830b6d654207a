"""Nonlinear least squares of a few parameters, on the host.

A program that holds the loop as well takes twice as long to compile, and a step of the loop is
nothing beside the simulations. SciPy's takes half a second to import, a fifth of what a fit is
wanted in.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# λ at the start, relative to the diagonal of the normal matrix: small, so that a good guess is
# followed by a step that is nearly Gauss–Newton's.
DAMPING = 1e-3
# Share of the squares that a step must promise: with thousands of samples some hundredths of a
# standard error. Where the best step time falls on a sample, the squares have a kink and no
# gradient vanishes: then steps are shortened until they promise no more than this.
GAIN = 1e-8
# With steps this much shorter than those of the gradient, no descent is left but rounding
MOST_DAMPING = 1e12


class Optimum(NamedTuple):
    """Where the iteration ended."""

    point: np.ndarray
    converged: bool
    iterations: int


def least_squares(
    residuals: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    max_iterations: int,
) -> Optimum:
    """Minimise |r(p)|² by Levenberg–Marquardt: (JᵀJ + λ diag JᵀJ) step = −Jᵀ r.

    Arguments:
        residuals: p -> (r, J); a trial where they are not finite is rejected.
        start: (p,).
        max_iterations: trials.

    Returns:
        `Optimum`: converged when no step promises more than `GAIN`.

    Source: Marquardt (1963); damping by the ratio of what a step gained to what it promised,
    Nielsen, Damping parameter in Marquardt's method, report IMM-REP-1999-05, DTU (1999).
    """
    p = np.array(start, float)
    r, J = residuals(p)
    cost = _cost(r, J)
    damping, growth = DAMPING, 2.0
    for iteration in range(1, max_iterations + 1):
        if not np.isfinite(cost):
            return Optimum(p, False, iteration - 1)
        step, promised = _step(r, J, damping)
        r_new, J_new = residuals(p + step)
        gained = cost - (new := _cost(r_new, J_new))
        if promised <= GAIN * cost:
            # Beside a place where the simulator fails there is no optimum, however short the step
            return Optimum(p + step if gained > 0 else p, bool(np.isfinite(new)), iteration)
        if gained > 0:
            p, r, J, cost = p + step, r_new, J_new, new
            # Nielsen's rule: λ falls by up to 3 where the model was right (ratio near 1), stays at
            # a ratio of 1/2, and rises by up to 2 as the ratio goes to 0, without a jump between
            ratio = gained / promised if promised > 0 else 1.0
            damping *= max(1 / 3, 1 - (2 * ratio - 1) ** 3)
            growth = 2.0
        else:
            # Refused trials in a row raise λ by 2, 4, 8, …, so that a failing simulator is left
            # behind after a few of them
            damping, growth = damping * growth, growth * 2
            if damping > MOST_DAMPING:  # no step lowers the error: rounding is reached
                return Optimum(p, bool(np.isfinite(new)), iteration)
    return Optimum(p, False, max_iterations)


def _step(r: np.ndarray, J: np.ndarray, damping: float) -> tuple[np.ndarray, float]:
    """The step of the damped normal equations, and what the quadratic model promises of it."""
    # The cost is F = |r|²/2, so its gradient is Jᵀr and its Gauss–Newton Hessian JᵀJ
    normal, gradient = J.T @ J, J.T @ r
    # Marquardt's scaling by the diagonal makes the step the same in any units of the parameters;
    # a parameter without effect on any sample would have a zero there
    scale = np.maximum(np.diag(normal), np.finfo(float).tiny)
    # (JᵀJ + λ diag JᵀJ) step = −Jᵀr; `lstsq` rather than `solve`, so that a direction that no
    # sample sees stays where it is
    step = np.linalg.lstsq(normal + damping * np.diag(scale), -gradient, rcond=None)[0]
    # F(p) − F(p + step) = −stepᵀ(Jᵀr + JᵀJ step / 2)
    return step, float(-step @ (gradient + 0.5 * (normal @ step)))


def _cost(r: np.ndarray, J: np.ndarray) -> float:
    """Half the sum of squares; infinite where something is not finite."""
    # An infinite cost is above any other, so a failing trial is refused as one that gains nothing
    finite = np.all(np.isfinite(r)) and np.all(np.isfinite(J))
    return 0.5 * float(r @ r) if finite else np.inf

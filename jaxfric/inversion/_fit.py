"""Least squares of rate-and-state friction through the spring-slider."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxfric import _checks
from jaxfric.dynamics import VelocityProtocol
from jaxfric.inversion._covariance import summarise
from jaxfric.inversion._levenberg_marquardt import least_squares
from jaxfric.inversion._loading import check_protocol, protocol_from_displacement
from jaxfric.inversion._model import simulate_with_slopes
from jaxfric.inversion._names import law_names
from jaxfric.inversion._problem import (
    DETREND,
    EXTRAS,
    Block,
    Layout,
    make_block,
    make_layout,
)
from jaxfric.inversion._result import JointFit, StepFit
from jaxfric.ratestate import RateStateLaw, Spring
from jaxfric.records import VelocityStepRecord

BETTER_GUESS = (
    "start from a better guess (inversion.guess), crop a narrower window around the step, free the "
    "stiffness, or try another evolution law"
)


def fit_step(
    record: VelocityStepRecord,
    law: RateStateLaw,
    spring: Spring,
    *,
    free: Sequence[str] = (),
    fixed: Sequence[str] = (),
    protocol: VelocityProtocol | None = None,
    steps: int = 1,
    detrend: str = "linear",
    max_iterations: int = 100,
    throw: bool = True,
) -> StepFit:
    """Fit a rate-and-state law to a laboratory velocity step, or to a sequence of them.

    Minimises the squares of μ_measured − μ(a, b, Dc, …) − trend by Levenberg–Marquardt through
    `spring_slider`, with a and b free in sign, Dc and stiffness as logarithms, and μ0 and the trend
    solved exactly in every iteration. The state is carried across the steps of a sequence. The
    covariance accounts for correlated noise (autoregressive model of the residuals).

    Arguments:
        record: the laboratory record, cropped to a window around the step(s).
        law: the guess; its evolution laws, form, V0 and number of states stay as they are.
        spring: the loading; its stiffness (1/m, per unit normal stress) is kept unless free.
        free: any of "stiffness", "step_time".
        fixed: names to keep at the guess: any of "a", "b", "Dc" ("b1", "Dc2", … of several states).
        protocol: load-point velocities on the record's clock; from the displacement if None.
        steps: number of velocity steps to look for in the displacement.
        detrend: "none", "linear" or "quadratic" drift of friction in time.
        max_iterations: of Levenberg–Marquardt.
        throw: raise if the fit does not converge; else see `.converged`.

    Returns:
        `StepFit`: .law .spring .protocol .covariance .residual and more; print it.

    Raises:
        ValueError: for bad arguments, or no step in the record.
        RuntimeError: if the fit does not converge and `throw` is true.

    Example:
        >>> import jax
        >>> from jaxfric import inversion, ratestate, records
        >>> record = records.sample("basalt").crop(11666.0, 11686.0)
        >>> law, spring = inversion.guess(record)
        >>> if jax.config.jax_enable_x64:  # the inversion needs float64
        ...     fit = inversion.fit_step(record, law, spring, free=("stiffness", "step_time"))
        ...     assert 0.004 < float(fit.law.a) < 0.02

    Source: practice of the field (Reinen & Weeks 1993; Noda & Shimamoto 2009); the covariance is
    the sandwich estimator.
    """
    joint = fit_joint(
        [record],
        law,
        [spring],
        free=free,
        fixed=fixed,
        protocols=None if protocol is None else [protocol],
        steps=steps,
        detrend=detrend,
        max_iterations=max_iterations,
        throw=throw,
    )
    return joint.fits[0]


def fit_joint(
    records: Sequence[VelocityStepRecord],
    law: RateStateLaw,
    springs: Sequence[Spring],
    *,
    shared: Sequence[str] | None = None,
    free: Sequence[str] = (),
    fixed: Sequence[str] = (),
    protocols: Sequence[VelocityProtocol] | None = None,
    steps: int = 1,
    detrend: str = "linear",
    max_iterations: int = 100,
    throw: bool = True,
) -> JointFit:
    """Fit one law to several records that share some of its parameters.

    As `fit_step`; every record keeps its own μ0, trend and whatever is not shared. All samples
    weigh the same.

    Arguments:
        records: the laboratory records.
        law: the guess.
        springs: one for each record.
        shared: names with one value for all records; a, b and Dc of every state if None.
        free: see `fit_step`.
        fixed: see `fit_step`.
        protocols: one for each record, or None.
        steps: see `fit_step`.
        detrend: see `fit_step`.
        max_iterations: see `fit_step`.
        throw: see `fit_step`.

    Returns:
        `JointFit`: .fits (a `StepFit` for each record), .names, .values, .covariance.

    Raises:
        ValueError: for bad arguments, or a record without a step.
        RuntimeError: if the fit does not converge and `throw` is true.

    Source: ours.
    """
    _check_arguments(records, law, springs, protocols, detrend, free)
    blocks = []
    for i, (record, spring) in enumerate(zip(records, springs, strict=True)):
        loads = (
            protocol_from_displacement(record, steps)
            if protocols is None
            else check_protocol(record, protocols[i])
        )
        degree = DETREND[detrend]
        blocks.append(make_block(record.time, record.friction, law, spring, loads, degree))
    names = law_names(law)
    layout, guess = make_layout(blocks, names if shared is None else shared, free, fixed)
    if not layout.labels:
        raise ValueError("nothing to fit: fixed names every parameter")
    # The loop stands on the host: a compiled one would hold the simulator once more and take twice
    # as long to compile, to save nothing beside the simulations
    problem = Problem(layout, tuple(blocks))
    found = least_squares(problem.residuals, np.array(guess), max_iterations)
    curves = problem.curves(found.point)
    if not all(np.all(np.isfinite(x)) for pair in curves for x in pair):
        raise RuntimeError(f"the simulator fails at the guess and near it; {BETTER_GUESS}")
    joint = summarise(
        layout=layout, blocks=blocks, records=records, p=found.point, curves=curves,
        converged=found.converged, iterations=found.iterations,
    )  # fmt: skip
    if throw and not found.converged:
        raise RuntimeError(
            f"the fit did not converge in {max_iterations} iterations (residual rms "
            f"{joint.rms:.3g}); {BETTER_GUESS}. throw=False returns what there is"
        )
    return joint


class Problem(NamedTuple):
    """Residuals of all records, each without its own μ0 and trend."""

    layout: Layout
    blocks: tuple[Block, ...]

    def curves(self, p: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Friction and its slopes, of each record."""
        return [simulate_with_slopes(self.layout, p, r, b) for r, b in enumerate(self.blocks)]

    def residuals(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(total,) and their Jacobian (total, p); not finite where the simulator fails."""
        residuals, jacobians = [], []
        # What `least_squares` refuses, whatever its shape
        nowhere = np.array([np.inf]), np.zeros((1, p.size))
        try:
            with np.errstate(over="ignore", under="ignore"):
                curves = self.curves(p)
        except ValueError:  # a trial that no law, spring or protocol allows, such as Dc = inf
            return nowhere
        for (friction, slopes), block in zip(curves, self.blocks, strict=True):
            if not np.all(np.isfinite(friction)) or not np.all(np.isfinite(slopes)):
                return nowhere
            # Variable projection: for given a, b, Dc the best trend is linear least squares, and
            # what it leaves of any column x is (I − QQᵀ) x, with Q an orthonormal basis of the
            # trend's. The residual and the Jacobian without their trend are all that the
            # nonlinear fit needs; μ0 and the drift are no parameters of it, and are exact in
            # every iteration. The residual is measured minus simulated, so its slope is −∂μ/∂p.
            without_trend = [
                x - block.projector @ (block.projector.T @ x)
                for x in (block.friction - friction, -slopes)
            ]
            residuals.append(without_trend[0])
            jacobians.append(without_trend[1])
        return np.concatenate(residuals), np.concatenate(jacobians)


def _check_arguments(
    records: Sequence[object],
    law: object,
    springs: Sequence[object],
    protocols: Sequence[object] | None,
    detrend: str,
    free: Sequence[str],
) -> None:
    """What can be said before anything is simulated; `object`, for anything may be passed."""
    _checks.float64("fit_step", jax.dtypes.canonicalize_dtype(float))
    if not records or len(records) != len(springs):
        raise ValueError(f"give one spring for each record; got {len(records)} and {len(springs)}")
    if protocols is not None and len(protocols) != len(records):
        raise ValueError(f"give one protocol for each record; got {len(protocols)}")
    for record in records:
        if not isinstance(record, VelocityStepRecord):
            raise ValueError(
                "record must be a VelocityStepRecord (records.read_velocity_step reads one); got "
                f"{type(record).__name__}"
            )
    if not isinstance(law, RateStateLaw):
        raise ValueError(f"law must be a RateStateLaw; got {type(law).__name__}")
    if any(
        callable(x) for x in jax.tree_util.tree_leaves((law.a, law.b, law.Dc), is_leaf=callable)
    ):
        raise ValueError("fit_step fits numbers: give a, b and Dc as numbers, not functions of V")
    if detrend not in DETREND:
        raise ValueError(f"detrend must be one of {', '.join(DETREND)}; got {detrend!r}")
    strange = [name for name in free if name not in EXTRAS]
    if strange:
        raise ValueError(f"free may name {' and '.join(EXTRAS)}; got {strange[0]!r}")

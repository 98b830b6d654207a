"""From the optimum of an inversion to parameters with errors."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import numpy as np

from jaxfric.inversion._model import apply
from jaxfric.inversion._names import kind
from jaxfric.inversion._noise import Noise, noise_model, weighted_gram
from jaxfric.inversion._problem import Block, Layout
from jaxfric.inversion._result import JointFit, StepFit
from jaxfric.records import VelocityStepRecord

# A direction whose eigenvalue is below this share of the largest, of the scaled normal matrix, is
# rounding: the record does not see it
UNCONSTRAINED = 1e-12


class _Part(NamedTuple):
    """One record at the optimum; `jacobian` is over all parameters, every record's trend last."""

    model: np.ndarray  # (n,), trend included
    trend: np.ndarray  # (k,), coefficients
    jacobian: np.ndarray  # (n, p + all k)
    noise: list[Noise]


def summarise(
    *, layout: Layout, blocks: Sequence[Block], records: Sequence[VelocityStepRecord],
    p: np.ndarray, curves: Sequence[tuple[np.ndarray, np.ndarray]], converged: bool,
    iterations: int,
) -> JointFit:  # fmt: skip
    """Parameters, covariance, residuals and noise of each record at the optimum."""
    widths = [block.trend.shape[1] for block in blocks]
    places = p.size + np.cumsum([0, *widths])  # where each record's μ0 and trend stand
    parts = _parts(blocks, records, curves, places)
    values, factor = _in_si(layout, p, int(places[-1]))
    covariance = _sandwich(parts) * np.outer(factor, factor)
    fits = []
    for r, (block, record) in enumerate(zip(blocks, records, strict=True)):
        start = float(record.time[0])
        for name, i in layout.places[r]:  # step times on the record's own clock again
            values[i] += start if kind(name) == "step_time" else 0.0
        law, spring, protocol = apply(layout, p, r, block)
        # The first column of the trend is 1: what it adds is the level that the guess of μ0 lacks
        mu0 = float(law.mu0) + parts[r].trend[0]
        protocol = eqx.tree_at(lambda x: x.times, protocol, protocol.times + start)
        of_record = [i for _, i in layout.places[r]]
        with_mu0 = [*of_record, int(places[r])]
        fits.append(
            StepFit(
                law=eqx.tree_at(lambda x: x.mu0, law, mu0),
                spring=spring,
                protocol=protocol,
                names=(*(name for name, _ in layout.places[r]), "mu0"),
                values=np.append(values[of_record], mu0),
                covariance=covariance[np.ix_(with_mu0, with_mu0)],
                time=record.time,
                observed=record.friction,
                model=parts[r].model,
                trend=np.asarray(block.trend)[:, 1:] @ parts[r].trend[1:],
                noise=parts[r].noise,
                steady_noise=_steady_noise(record, np.asarray(protocol.times)),
                converged=converged,
                iterations=iterations,
                title=record.name,
                fitted=len(of_record) + widths[r],
            )
        )
    return JointFit(
        fits=tuple(fits),
        names=layout.labels,
        values=values,
        covariance=covariance[: p.size, : p.size],
    )


def _parts(
    blocks: Sequence[Block],
    records: Sequence[VelocityStepRecord],
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    places: np.ndarray,
) -> list[_Part]:
    """Each record at the optimum; its trend's columns stand from `places[r]` to `places[r + 1]`."""
    # The fit projected the trends out. For the errors they are parameters again, each in columns of
    # its own: what is uncertain in a drift makes a − b uncertain.
    parts = []
    for r, (block, record) in enumerate(zip(blocks, records, strict=True)):
        friction, slopes = curves[r]
        jacobian = np.zeros((friction.size, int(places[-1])))
        jacobian[:, : places[0]] = slopes
        jacobian[:, places[r] : places[r + 1]] = np.asarray(block.trend)
        parts.append(_part(record, friction, np.asarray(block.trend), jacobian))
    return parts


def _in_si(layout: Layout, p: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The parameters in SI, and the factor that each error is to be multiplied by."""
    values, factor = p.copy(), np.ones(size)
    values[layout.log] = np.exp(p[layout.log])
    # Delta method: a small change of x = exp(ln x) is x times that of ln x, so a row and a column
    # of the covariance of ln x, times x each, are those of x
    factor[: p.size][layout.log] = values[layout.log]
    return values, factor


def _part(
    record: VelocityStepRecord,
    friction: np.ndarray,
    basis: np.ndarray,
    jacobian: np.ndarray,
) -> _Part:
    """The best trend beside this friction, and the noise that is left."""
    trend = np.linalg.lstsq(basis, record.friction - friction, rcond=None)[0]
    model = friction + basis @ trend
    noise = noise_model(record.friction - model, record.time, jacobian)
    return _Part(model, trend, jacobian, noise)


def _sandwich(parts: Sequence[_Part]) -> np.ndarray:
    """(JᵀJ)⁻¹ JᵀΣJ (JᵀJ)⁻¹; a direction that the data do not see gets a huge variance, not none."""
    # Least squares moves by δp = (JᵀJ)⁻¹ Jᵀe for a noise e, so cov(δp) is the sandwich with
    # Σ = cov(e). For white noise, Σ = σ²I, it is the usual σ² (JᵀJ)⁻¹; correlated noise varies more
    # than its number of samples says. Records are independent, so their sums add.
    normal = sum(part.jacobian.T @ part.jacobian for part in parts)
    middle = sum(weighted_gram(part.jacobian, part.noise) for part in parts)
    # Of unit diagonal, an eigenvalue tells how near the parameters are to repeating each other,
    # whatever their units
    scale = np.sqrt(np.diag(normal))
    scale[scale == 0] = 1.0
    eigenvalues, axes = np.linalg.eigh(normal / np.outer(scale, scale))
    seen = eigenvalues > UNCONSTRAINED * eigenvalues[-1]
    inverse = (axes[:, seen] / eigenvalues[seen]) @ axes[:, seen].T
    covariance = inverse @ (middle / np.outer(scale, scale)) @ inverse
    # The inverse of an unseen direction is left out above, which would be an error of zero
    variance = max(noise.innovation for part in parts for noise in part.noise)
    covariance += variance / UNCONSTRAINED * axes[:, ~seen] @ axes[:, ~seen].T
    return covariance / np.outer(scale, scale)


def _steady_noise(record: VelocityStepRecord, times: np.ndarray) -> float:
    """Rms about straight lines before the first step and in the last half after the last."""
    before = record.time < times[1]
    after = record.time > (times[-1] + record.time[-1]) / 2
    squares, count = 0.0, 0
    # A straight line takes the drift, and two degrees of freedom; three rows tell no noise
    for part in (before, after):
        t, y = record.time[part], record.friction[part]
        if t.size > 3:
            squares += float(np.sum((y - np.polyval(np.polyfit(t - t[0], y, 1), t - t[0])) ** 2))
            count += t.size - 2
    return float(np.sqrt(squares / max(count, 1)))

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

UNCONSTRAINED = 1e-12  # of the largest eigenvalue of the scaled normal matrix


class _Part(NamedTuple):
    """One record at the optimum; `jacobian` is over all parameters, every record's trend last."""

    model: np.ndarray
    trend: np.ndarray
    jacobian: np.ndarray
    noise: list[Noise]


def summarise(
    layout: Layout,
    blocks: Sequence[Block],
    records: Sequence[VelocityStepRecord],
    p: np.ndarray,
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    converged: bool,
    iterations: int,
) -> JointFit:
    """Parameters, covariance, residuals and noise of each record at the optimum."""
    widths = [block.trend.shape[1] for block in blocks]
    places = p.size + np.cumsum([0, *widths])  # where each record's μ0 and trend stand
    parts = []
    for r, (block, record) in enumerate(zip(blocks, records, strict=True)):
        friction, slopes = curves[r]
        jacobian = np.zeros((friction.size, int(places[-1])))
        jacobian[:, : p.size] = slopes
        jacobian[:, places[r] : places[r + 1]] = np.asarray(block.trend)
        parts.append(_part(record, friction, np.asarray(block.trend), jacobian))

    values, factor = p.copy(), np.ones(int(places[-1]))
    values[layout.log] = np.exp(p[layout.log])
    factor[: p.size][layout.log] = values[layout.log]  # delta method: d value / d ln value
    covariance = _sandwich(parts) * np.outer(factor, factor)
    fits = []
    for r, (block, record) in enumerate(zip(blocks, records, strict=True)):
        start = float(record.time[0])
        for name, i in layout.places[r]:  # step times on the record's own clock
            values[i] += start if kind(name) == "step_time" else 0.0
        law, spring, protocol = apply(layout, p, r, block)
        mu0 = float(law.mu0) + parts[r].trend[0]
        protocol = eqx.tree_at(lambda x: x.times, protocol, protocol.times + start)
        own = [i for _, i in layout.places[r]]
        with_mu0 = [*own, int(places[r])]
        fits.append(
            StepFit(
                law=eqx.tree_at(lambda x: x.mu0, law, mu0),
                spring=spring,
                protocol=protocol,
                names=(*(name for name, _ in layout.places[r]), "mu0"),
                values=np.append(values[own], mu0),
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
                fitted=len(own) + widths[r],
            )
        )
    return JointFit(tuple(fits), layout.labels, values, covariance[: p.size, : p.size])


def _part(
    record: VelocityStepRecord,
    friction: np.ndarray,
    basis: np.ndarray,
    jacobian: np.ndarray,
) -> _Part:
    trend = np.linalg.lstsq(basis, record.friction - friction, rcond=None)[0]
    model = friction + basis @ trend
    noise = noise_model(record.friction - model, record.time, jacobian)
    return _Part(model, trend, jacobian, noise)


def _sandwich(parts: Sequence[_Part]) -> np.ndarray:
    """(JᵀJ)⁻¹ JᵀΣJ (JᵀJ)⁻¹; a direction that the data do not see gets a huge variance, not none."""
    normal = sum(part.jacobian.T @ part.jacobian for part in parts)
    middle = sum(weighted_gram(part.jacobian, part.noise) for part in parts)
    scale = np.sqrt(np.diag(normal))
    scale[scale == 0] = 1.0
    eigenvalues, axes = np.linalg.eigh(normal / np.outer(scale, scale))
    seen = eigenvalues > UNCONSTRAINED * eigenvalues[-1]
    inverse = (axes[:, seen] / eigenvalues[seen]) @ axes[:, seen].T
    covariance = inverse @ (middle / np.outer(scale, scale)) @ inverse
    variance = max(noise.innovation for part in parts for noise in part.noise)
    covariance += variance / UNCONSTRAINED * axes[:, ~seen] @ axes[:, ~seen].T
    return covariance / np.outer(scale, scale)


def _steady_noise(record: VelocityStepRecord, times: np.ndarray) -> float:
    """Rms about straight lines before the first step and in the last half after the last."""
    before = record.time < times[1]
    after = record.time > (times[-1] + record.time[-1]) / 2
    squares, count = 0.0, 0
    for part in (before, after):
        t, y = record.time[part], record.friction[part]
        if t.size > 3:
            squares += float(np.sum((y - np.polyval(np.polyfit(t - t[0], y, 1), t - t[0])) ** 2))
            count += t.size - 2
    return float(np.sqrt(squares / max(count, 1)))

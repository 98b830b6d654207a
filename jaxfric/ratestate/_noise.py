"""Correlated measurement noise: an autoregressive model of the residuals.

Neighbouring samples of a laboratory record are not independent, so the covariance of a plain least
squares fit is too small. The residuals' autocovariance Σ gives the honest one,
(JᵀJ)⁻¹ JᵀΣJ (JᵀJ)⁻¹.
"""

from typing import NamedTuple

import numpy as np

ORDERS = (0, 1, 2, 3, 5, 8, 13, 20)


class Noise(NamedTuple):
    """An autoregressive process: x_t = Σ φ_k x_{t−k} + e_t, over one stretch of even sampling."""

    rows: slice
    phi: np.ndarray
    innovation: float  # variance of e

    @property
    def log_likelihood(self) -> float:
        """Gaussian log-likelihood at the fitted variance."""
        n = self.rows.stop - self.rows.start
        return -0.5 * n * (np.log(2 * np.pi * self.innovation) + 1)

    def autocovariance(self, lags: int) -> np.ndarray:
        """Covariance at lags 0 … lags−1, through the response to one innovation."""
        memory = 1
        if self.phi.size:  # 60 e-folds of the slowest decay, at most the record
            companion = np.diag(np.ones(self.phi.size - 1), -1)
            companion[0] = self.phi
            slowest = np.max(np.abs(np.linalg.eigvals(companion)))
            memory = min(lags, int(60 / max(-np.log(slowest), 1e-9)) + 2 * self.phi.size)
        response = np.zeros(memory)
        response[0] = 1
        for t in range(1, memory):
            past = response[max(0, t - self.phi.size) : t][::-1]
            response[t] = self.phi[: past.size] @ past
        full = np.fft.irfft(np.abs(np.fft.rfft(response, 2 * memory)) ** 2)[:memory]
        covariance = np.zeros(lags)
        covariance[:memory] = self.innovation * full
        return covariance


def noise_model(residual: np.ndarray, time: np.ndarray, parameters: int) -> list[Noise]:
    """One model for each stretch of even sampling, of the order that BIC prefers.

    `parameters` were fitted to the residuals: their share of the variance is given back.
    """
    inflate = residual.size / max(residual.size - parameters, 1)
    models = []
    for rows in _stretches(time):
        x = residual[rows]
        candidates = _burg(x, max(p for p in ORDERS if p < max(x.size // 10, 1)))
        scores = [x.size * np.log(v) + phi.size * np.log(x.size) for phi, v in candidates]
        phi, variance = candidates[int(np.argmin(scores))]
        models.append(Noise(rows, phi, variance * inflate))
    return models


def weighted_gram(jacobian: np.ndarray, models: list[Noise]) -> np.ndarray:
    """JᵀΣJ, with Σ the block-diagonal Toeplitz covariance of the noise."""
    total = np.zeros((jacobian.shape[1],) * 2)
    for model in models:
        block = jacobian[model.rows]
        n = block.shape[0]
        covariance = model.autocovariance(n)
        kernel = np.concatenate([covariance, [0.0], covariance[:0:-1]])  # circular, length 2n
        spectrum = np.fft.rfft(kernel)[:, None] * np.fft.rfft(block, 2 * n, axis=0)
        total += block.T @ np.fft.irfft(spectrum, 2 * n, axis=0)[:n]
    return (total + total.T) / 2


def _stretches(time: np.ndarray, shortest: int = 50) -> list[slice]:
    """Rows between changes of the sampling interval by more than a factor of two."""
    steps = np.diff(time)
    level = np.round(np.log2(steps / np.median(steps)) / 2).astype(int)
    changes = np.flatnonzero(np.diff(level)) + 1
    bounds = [0]
    for change in changes:
        if change - bounds[-1] >= shortest and time.size - change >= shortest:
            bounds.append(int(change))
    bounds.append(time.size)
    return [slice(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def _burg(x: np.ndarray, order: int) -> list[tuple[np.ndarray, float]]:
    """(φ, innovation variance) of `ORDERS` up to `order`; Burg's recursion is always stable."""
    forward, backward = x[1:].copy(), x[:-1].copy()
    phi, variance = np.zeros(0), max(float(x @ x) / x.size, np.finfo(float).tiny)
    found = [(phi, variance)]
    for p in range(1, order + 1):
        power = forward @ forward + backward @ backward
        reflection = 2 * (forward @ backward) / power if power > 0 else 0.0
        phi = np.concatenate([phi - reflection * phi[::-1], [reflection]])
        variance = max(variance * (1 - reflection**2), np.finfo(float).tiny)
        forward, backward = (
            (forward - reflection * backward)[1:],
            (backward - reflection * forward)[:-1],
        )
        if p in ORDERS:
            found.append((phi, variance))
    return found

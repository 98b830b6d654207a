"""Correlated measurement noise: an autoregressive model of the residuals.

Neighbouring samples of a laboratory record are not independent, so the covariance of a plain least
squares fit is too small. The residuals' autocovariance Σ gives the honest one,
(JᵀJ)⁻¹ JᵀΣJ (JᵀJ)⁻¹.
"""

from typing import NamedTuple

import numpy as np

ORDERS = (0, 1, 2, 3, 5, 8, 13, 20)
LARGEST_ROOT = 0.9995  # beyond it the noise could not be told from the trend


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

    @property
    def slowest(self) -> float:
        """Largest root: the share of the noise that is left after one sample."""
        if not self.phi.size:
            return 0.0
        companion = np.diag(np.ones(self.phi.size - 1), -1)
        companion[0] = self.phi
        return float(np.max(np.abs(np.linalg.eigvals(companion))))

    def autocovariance(self, lags: int) -> np.ndarray:
        """Covariance at lags 0 … lags−1: the Fourier transform of the spectrum."""
        memory = 30 / max(-np.log(self.slowest), 1e-4) if self.slowest > 0 else 0
        n = 1 << int(np.ceil(np.log2(lags + memory + 2 * self.phi.size + 1)))  # no wrap-around
        response = np.fft.rfft(np.concatenate([[1.0], -self.phi]), n)
        return np.fft.irfft(self.innovation / np.abs(response) ** 2, n)[:lags]


def noise_model(
    residual: np.ndarray, time: np.ndarray, jacobian: np.ndarray, passes: int = 5
) -> list[Noise]:
    """One model for each stretch of even sampling, of the order that BIC prefers.

    A fit absorbs some of the noise, and most of what is correlated over long times: the residuals
    are (I − QQᵀ) x, with Q an orthonormal basis of the Jacobian's columns. What their products are
    expected to lack, given the model so far, is added back until the model no longer changes.
    """
    scale = np.sqrt(np.sum(jacobian**2, axis=0))
    basis = np.linalg.qr(jacobian[:, scale > 0] / scale[scale > 0])[0]
    models = []
    for rows in _stretches(time):
        x = residual[rows]
        candidates = _burg(x, max(p for p in ORDERS if p < max(x.size // 10, 1)))
        scores = [x.size * np.log(v) + phi.size * np.log(x.size) for phi, v in candidates]
        models.append(Noise(rows, *candidates[int(np.argmin(scores))]))
    for _ in range(passes):
        models = _add_back(residual, basis, models)
    return models


def _add_back(residual: np.ndarray, basis: np.ndarray, models: list[Noise]) -> list[Noise]:
    """The models of x from the residuals' products plus what the fit took from them."""
    smoothed = [_times_covariance(model, basis[model.rows]) for model in models]
    gram = sum(basis[m.rows].T @ s for m, s in zip(models, smoothed, strict=True))
    updated = []
    for model, sq in zip(models, smoothed, strict=True):
        x, q = residual[model.rows], basis[model.rows]
        n, products = x.size, []
        for lag in range(model.phi.size + 1):
            early, late = slice(0, n - lag), slice(lag, n)
            # cov(r) = Σ − QQᵀΣ − ΣQQᵀ + Q (QᵀΣQ) Qᵀ
            lost = np.sum(q[early] * sq[late] + sq[early] * q[late])
            lost -= np.sum((q[early] @ gram) * q[late])
            products.append((x[early] @ x[late] + lost) / n)
        phi, variance = _levinson(np.array(products))
        trial = Noise(model.rows, phi, variance)
        updated.append(trial if variance > 0 and trial.slowest < LARGEST_ROOT else model)
    return updated


def weighted_gram(jacobian: np.ndarray, models: list[Noise]) -> np.ndarray:
    """JᵀΣJ, with Σ the block-diagonal Toeplitz covariance of the noise."""
    blocks = [jacobian[model.rows] for model in models]
    total = sum(b.T @ _times_covariance(m, b) for m, b in zip(models, blocks, strict=True))
    return (total + total.T) / 2


def _times_covariance(model: Noise, block: np.ndarray) -> np.ndarray:
    """Σ times the columns of `block`, by a circular convolution of twice the length."""
    n = block.shape[0]
    covariance = model.autocovariance(n)
    kernel = np.concatenate([covariance, [0.0], covariance[:0:-1]])
    spectrum = np.fft.rfft(kernel)[:, None] * np.fft.rfft(block, 2 * n, axis=0)
    return np.fft.irfft(spectrum, 2 * n, axis=0)[:n]


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


def _levinson(covariance: np.ndarray) -> tuple[np.ndarray, float]:
    """(φ, innovation variance) of an autocovariance, by the Levinson–Durbin recursion."""
    phi, variance = np.zeros(0), float(covariance[0])
    for p in range(1, covariance.size):
        if variance <= 0:
            break
        reflection = (covariance[p] - phi @ covariance[p - 1 : 0 : -1]) / variance
        phi = np.concatenate([phi - reflection * phi[::-1], [reflection]])
        variance *= 1 - reflection**2
    return phi, variance

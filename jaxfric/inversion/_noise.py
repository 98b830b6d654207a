"""Correlated measurement noise: an autoregressive model of the residuals.

Neighbouring samples of a laboratory record are not independent, so the covariance of a plain least
squares fit is too small. The residuals' autocovariance Σ gives the honest one,
(JᵀJ)⁻¹ JᵀΣJ (JᵀJ)⁻¹.
"""

from typing import NamedTuple

import numpy as np

# Orders that are tried: Fibonacci numbers, dense where one coefficient more changes the model most
ORDERS = (0, 1, 2, 3, 5, 8, 13, 20)
# Largest share of the noise that may be left after one sample. Beyond it, noise lasts for thousands
# of samples and could not be told from the trend; the corrected model is then refused.
LARGEST_ROOT = 0.9995
MEMORY = 30  # e-folds after which an autocovariance counts as zero: e^-30 is 1e-13


class Noise(NamedTuple):
    """An autoregressive process: x_t = Σ φ_k x_{t−k} + e_t, over one stretch of even sampling."""

    rows: slice
    phi: np.ndarray
    innovation: float  # variance of e

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        weights = ", ".join(f"{x:.3g}" for x in self.phi) or "none"
        return (
            f"noise of rows {self.rows.start} to {self.rows.stop}: "
            f"innovations of {np.sqrt(self.innovation):.3g} (one standard deviation), "
            f"weights of earlier samples: {weights}"
        )

    @property
    def log_likelihood(self) -> float:
        """Gaussian log-likelihood at the fitted variance."""
        # ln L = −n/2 ln(2πσ²) − Σe²/(2σ²), and at the fitted σ² = Σe²/n the last term is n/2
        n = self.rows.stop - self.rows.start
        return -0.5 * n * (np.log(2 * np.pi * self.innovation) + 1)

    @property
    def slowest(self) -> float:
        """Largest root: the share of the noise that is left after one sample."""
        if not self.phi.size:
            return 0.0
        # Eigenvalues of the companion matrix, which moves (x_{t−1}, x_{t−2}, …) on by one sample,
        # are the roots of z^p = φ_1 z^{p−1} + … + φ_p; the largest decays slowest
        companion = np.diag(np.ones(self.phi.size - 1), -1)
        companion[0] = self.phi
        return float(np.max(np.abs(np.linalg.eigvals(companion))))

    def autocovariance(self, lags: int) -> np.ndarray:
        """Covariance at lags 0 … lags−1: the Fourier transform of the spectrum."""
        # The discrete transform makes the series periodic: lag n − k would be added to lag k. So
        # the period is long enough for the noise to be forgotten, and a power of two for the FFT.
        memory = MEMORY / max(-np.log(self.slowest), 1e-4) if self.slowest > 0 else 0
        n = 1 << int(np.ceil(np.log2(lags + memory + 2 * self.phi.size + 1)))
        # Spectrum of the process: σ²/|1 − Σ φ_k e^{−iωk}|²
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
    # Columns of Dc and stiffness differ by orders of magnitude from those of a and b: of one length
    # each, no rounding is lost; a column of zeros absorbs nothing
    basis = np.linalg.qr(jacobian[:, scale > 0] / scale[scale > 0])[0]
    models = []
    for rows in _stretches(time):
        x = residual[rows]
        # Ten samples for each coefficient at the least
        candidates = _burg(x, max(p for p in ORDERS if p < max(x.size // 10, 1)))
        # BIC = n ln σ² + p ln n, up to what all orders share
        scores = [x.size * np.log(v) + phi.size * np.log(x.size) for phi, v in candidates]
        models.append(Noise(rows, *candidates[int(np.argmin(scores))]))
    # The correction needs the model that it corrects; a handful of passes settles it
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
            # With r = (I − QQᵀ) x: cov(r) = Σ − QQᵀΣ − ΣQQᵀ + Q (QᵀΣQ) Qᵀ. The sum over a
            # diagonal of Σ − cov(r) is what the products at this lag lack on average; it needs
            # ΣQ alone, never an n × n matrix.
            lost = np.sum(q[early] * sq[late] + sq[early] * q[late])
            lost -= np.sum((q[early] @ gram) * q[late])
            products.append((x[early] @ x[late] + lost) / n)
        phi, variance = _levinson(np.array(products))
        # What was added back rests on an estimate and may leave no stable process
        trial = Noise(model.rows, phi, variance)
        updated.append(trial if variance > 0 and trial.slowest < LARGEST_ROOT else model)
    return updated


def weighted_gram(jacobian: np.ndarray, models: list[Noise]) -> np.ndarray:
    """JᵀΣJ, with Σ the block-diagonal Toeplitz covariance of the noise."""
    # Stretches are taken as independent of each other, so their products add up
    blocks = [jacobian[model.rows] for model in models]
    total = sum(b.T @ _times_covariance(m, b) for m, b in zip(models, blocks, strict=True))
    # Symmetric but for the rounding of the FFT, which the eigenvalues of a covariance would show
    return (total + total.T) / 2


def _times_covariance(model: Noise, block: np.ndarray) -> np.ndarray:
    """Σ times the columns of `block`, by a circular convolution of twice the length."""
    n = block.shape[0]
    # A Toeplitz matrix is a corner of a circulant one of twice the size, which the FFT makes
    # diagonal: n ln n operations in place of n², and no matrix of n² numbers. The first column of
    # the circulant holds the lags 0 … n−1, one number that meets only zeros, and the lags n−1 … 1.
    covariance = model.autocovariance(n)
    kernel = np.concatenate([covariance, [0.0], covariance[:0:-1]])
    spectrum = np.fft.rfft(kernel)[:, None] * np.fft.rfft(block, 2 * n, axis=0)
    return np.fft.irfft(spectrum, 2 * n, axis=0)[:n]


def _stretches(time: np.ndarray, shortest: int = 50) -> list[slice]:
    """Rows between changes of the sampling interval by more than a factor of two."""
    # A model over lags of samples means nothing where the time between samples changes. Intervals
    # within a factor of two of the median count as equal, for loggers jitter; a burst of fewer rows
    # than `shortest` has too few to model and stays with its neighbour.
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
        # Errors of predicting each sample from the p−1 before it (f) and from the p−1 after it (g):
        # κ = 2 Σ f_t g_{t−1} / Σ (f_t² + g_{t−1}²) makes the sum of both squares least. Its size
        # is at most 1, by 2xy ≤ x² + y², which is what keeps every model stable.
        power = forward @ forward + backward @ backward
        reflection = 2 * (forward @ backward) / power if power > 0 else 0.0
        # Levinson: φ_k ← φ_k − κ φ_{p−k}, φ_p = κ, σ² ← σ² (1 − κ²)
        phi = np.concatenate([phi - reflection * phi[::-1], [reflection]])
        variance = max(variance * (1 - reflection**2), np.finfo(float).tiny)
        # f_t ← f_t − κ g_{t−1}, g_t ← g_{t−1} − κ f_t; shifted by one, so that the next pair stands
        # at one index again
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
    # Solves the Yule–Walker equations γ_j = Σ_k φ_k γ_{|j−k|}, j = 1 … p, order by order: n² steps
    # in place of n³. κ = (γ_p − Σ φ_k γ_{p−k})/σ² is what the earlier orders leave at lag p.
    for p in range(1, covariance.size):
        # No process has such an autocovariance: the caller refuses what is returned
        if variance <= 0:
            break
        reflection = (covariance[p] - phi @ covariance[p - 1 : 0 : -1]) / variance
        phi = np.concatenate([phi - reflection * phi[::-1], [reflection]])
        variance *= 1 - reflection**2
    return phi, variance

"""The continuous wavelet transform, its inverse, and a transform that does not look ahead."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from jaxfric import _checks
from jaxfric._types import Number, Vector
from jaxfric.signals._fourier import causal_kernels, convolve, edge_cycle, transform
from jaxfric.signals._wavelet import RICKER, AbstractWavelet, Scalogram, positive_scales

PADDINGS = ("zero", "reflect", "edge")


def cwt(
    x: Vector,
    dt: Number,
    scales: Vector,
    wavelet: AbstractWavelet = RICKER,
    *,
    padding: str = "zero",
) -> Inexact[Array, "n_scales n"]:
    """The continuous wavelet transform of one record.

        W_n(s) = Σ_k x̂_k ψ̂*(sω_k) exp(iω_k n dt),    ψ̂(sω) = √(2πs/dt) ψ̂0(sω)

    Nothing is removed from x. With padding "zero" remove the mean first: else the record begins
    and ends in a step of that size. White noise of variance σ² has |W|² = σ² on average.

    Arguments:
        x: (n,), n >= 2. One NaN would reach every number of the result.
        dt: time between samples, s.
        scales: (n_scales,), s; see `log_scales`.
        wavelet: `Ricker()` or `Morlet()`.
        padding: what stands before and after the record.
            "zero": zeros up to the next power of two, then the record again: long scales see its
            other end, inside the cone of influence.
            "reflect": the record mirrored at its ends for ever, each end sample repeated.
            "edge": the first and the last value for ever; dt and scales must not be traced, and
            an inverse loses the level of the record.

    Returns:
        (n_scales, n), of the unit of x; real for a real wavelet, complex for an analytic one.

    Raises:
        ValueError: shapes, an unknown padding, traced scales with "edge", or (concrete) values
            that are not finite or scales that are not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.signals import Ricker, log_scales
        >>> t = jnp.linspace(0, 40.95, 4096)
        >>> scales = log_scales(0.01, 0.02, 2.0, 60)
        >>> W = cwt(jnp.cos(2 * jnp.pi * t), 0.01, scales)
        >>> loudest = scales[jnp.argmax(jnp.sum(W**2, 1))]
        >>> print(f"{loudest * Ricker().fourier_period:.1f} s")
        1.0 s

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, eqs. (4) and (6).
    """
    x, dt, scales, n = *_arguments(x, dt, scales), np.size(x)
    # Each padding is a cycle with the record in it, for the Fourier transform takes any list of
    # samples for one that repeats for ever.
    if padding == "zero":
        return transform(x, dt, scales, wavelet, 2 ** math.ceil(math.log2(n)))
    if padding == "reflect":
        # A record and its mirror image make a cycle of 2n: repeated, it is the record mirrored at
        # both ends for ever. A level has no transform, but taking x_0 away keeps its digits.
        y = jnp.concatenate([x, x[::-1]]) - x[0]
        return transform(y, dt, scales, wavelet, 2 * n)[:, :n]
    if padding != "edge":
        raise ValueError(f"padding must be one of {', '.join(PADDINGS)}; got {padding!r}")
    size, after = edge_cycle(n, dt, scales)
    # Behind the record its last value, then, up to where the cycle closes, its first one.
    last, first = jnp.full(after, x[-1]), jnp.full(size - n - after, x[0])
    return transform(jnp.concatenate([x, last, first]) - x[0], dt, scales, wavelet, size)[:, :n]


def icwt(
    W: Scalogram,
    dt: Number,
    scales: Vector,
    wavelet: AbstractWavelet = RICKER,
    *,
    reconstruction: Number | None = None,
) -> Float[Array, " n"]:
    """The record of a transform by `cwt`, without its mean.

        x_n = δj √dt/(C_δ ψ0(0)) Σ_j Re W_n(s_j)/√s_j

    Add the mean that you removed. What is slower than the longest scale or faster than the
    shortest is lost: a cosine comes back times exp(−(s_0 ω)²/2) − exp(−(s_J ω)²/2) (Ricker).

    Arguments:
        W: (n_scales, n), real or complex.
        dt: time between samples, s.
        scales: (n_scales,), s, those of the transform, in geometric progression.
        wavelet: that of the transform.
        reconstruction: C_δ; by default the derived one of the wavelet. For parity with pycwt give
            the tabulated one, 3.541 for Ricker and 0.776 for Morlet.

    Returns:
        (n,), of the unit of W.

    Raises:
        ValueError: shapes, or (concrete) scales that are not geometric.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.signals import log_scales
        >>> t = jnp.linspace(0, 20.47, 2048)
        >>> x, scales = jnp.exp(-((t - 10) ** 2)), log_scales(0.01, 0.01, 80.0, 60)
        >>> x = x - x.mean()
        >>> back = icwt(cwt(x, 0.01, scales), 0.01, scales)
        >>> print(bool(jnp.max(jnp.abs(back - x)) < 0.01))
        True

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, eq. (11).
    """
    if np.ndim(W) != 2 or np.size(scales) < 2 or np.shape(W)[:1] != np.shape(scales):
        raise ValueError(
            "W must have shape (n_scales, n) and scales (n_scales,), n_scales >= 2; got "
            f"{np.shape(W)} and {np.shape(scales)}. For a batch, use jax.vmap"
        )
    _checks.positive("dt", dt)
    positive_scales(scales)
    if _checks.is_concrete(scales):
        steps = np.diff(np.log2(np.asarray(scales)))
        # 1e-3 of a step passes scales that were rounded to float32 or written with four digits.
        if not np.allclose(steps, steps.mean(), rtol=1e-3, atol=0) or steps[0] == 0:
            raise ValueError("scales must be in geometric progression; make them with log_scales")
    real = jnp.real(jnp.asarray(W))
    dt, scales = jnp.asarray(dt).astype(real.dtype), jnp.asarray(scales).astype(real.dtype)
    # δj in octaves, from the ends, which averages the rounding of the steps.
    dj = jnp.abs(jnp.log2(scales[-1] / scales[0])) / (scales.size - 1)
    constant = wavelet.reconstruction if reconstruction is None else reconstruction
    constant = jnp.asarray(constant).astype(real.dtype)
    # Not a matrix product: a GPU may round its factors to some ten bits.
    total = jnp.sum(real / jnp.sqrt(scales)[:, None], 0)
    # Eq. (11): what the sum over scales lacks is constant, C_δ, as each octave counts alike.
    return dj * jnp.sqrt(dt) / (constant * wavelet.centre) * total


def causal_cwt(
    x: Vector, dt: Number, scales: Vector, wavelet: AbstractWavelet = RICKER, *, history: int
) -> Inexact[Array, "n_scales n"]:
    """A transform whose column k knows the record up to sample k and nothing after it.

    Column k is the last column of `cwt(x[k - history + 1 : k + 1], ..., padding="edge")`: what the
    wavelet would see after the present is taken to be x_k, and what it would see before the
    history is taken to be the history's first sample; where a history would begin before the
    record, x_0 stands in. So column k is a fixed weighted sum of `history` samples,

        W_k(s) = Σ_l K_l(s) x_{k−l},   K_l = g_l between,   K_0 = Σ_{l<=0} g_l,
        K_{history−1} = Σ_{l>=history−1} g_l

    with g_l(s) the answer of `cwt`, l samples later, to a unit sample. The half of the wavelet
    that lies ahead is folded onto the present. `icwt` does not invert this transform.

    The sums are formed by FFT: later samples enter by rounding only, some 1e-16 (1e-7 in float32)
    of the largest |x − x_0|; a NaN reaches every column.

    Arguments:
        x: (n,), n >= 2.
        dt: time between samples, s; not traced.
        scales: (n_scales,), s; not traced. Scales beyond history · dt see mostly the folds.
        wavelet: `Ricker()` or `Morlet()`.
        history: samples that a column knows, >= 2.

    Returns:
        (n_scales, n), real for a real wavelet, complex for an analytic one.

    Raises:
        ValueError: as for `cwt` with padding "edge", or a history below 2.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.sin(jnp.arange(50.0))
        >>> C = causal_cwt(x, 1.0, jnp.array([2.0, 4.0]), history=20)
        >>> window = cwt(x[11:31], 1.0, jnp.array([2.0, 4.0]), padding="edge")
        >>> print(bool(jnp.allclose(C[:, 30], window[:, -1], atol=1e-5)))
        True

    Source: ours.
    """
    if history < 2:
        raise ValueError(f"history must be at least 2 samples; got {history}")
    x, dt, scales = _arguments(x, dt, scales)
    size, after = edge_cycle(history, dt, scales)
    kernels = causal_kernels(
        dt=dt,
        scales=scales,
        wavelet=wavelet,
        size=size,
        history=history,
        after=after,
        dtype=x.dtype,
    )
    return convolve(x, kernels)


def _arguments(x: Vector, dt: Number, scales: Vector) -> tuple[Array, Number, Vector]:
    """The record as floating point; dt and scales are checked and left as they are."""
    _checks.vector("x", x)
    if np.size(x) < 2:
        raise ValueError("x must have at least 2 samples; got 1")
    _checks.positive("dt", dt)
    positive_scales(scales)
    if _checks.is_concrete(x) and (bad := np.flatnonzero(~np.isfinite(np.asarray(x)))).size:
        raise ValueError(f"x must be finite; sample {bad[0]} is not: cut it out or interpolate")
    x = jnp.asarray(x)
    return (x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)), dt, scales

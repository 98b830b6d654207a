"""The transforms in the domain of frequency: cycles of samples, their spectra, and back."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import _checks
from jaxfric._types import Number, Vector
from jaxfric.signals._wavelet import AbstractWavelet

# Wavelets are called zero this many scales away from their centre: 8² exp(−8²/2) is 1e-12.
REACH = 8.0


def edge_cycle(n: int, dt: Number, scales: Vector) -> tuple[int, int]:
    """The size of a cycle with n samples in it, and how many stand after them before the wrap."""
    if not _checks.is_concrete(dt, scales):
        raise ValueError(
            'padding "edge" and causal_cwt choose their size by the longest scale: dt and scales '
            "must not be traced. Close over them in place of passing them to the jitted function"
        )
    reach = math.ceil(REACH * float(np.max(np.asarray(scales))) / float(dt))
    # The Fourier transform takes the cycle for endless: behind its last sample stands its first. So
    # much is put between them that no wavelet reaches from one end of the record to the other.
    size = fast_length(n + 2 * reach)
    return size, (size - n) // 2


def fast_length(n: int) -> int:
    """The smallest 2^a 3^b 5^c >= n, lengths at which an FFT is fast."""
    best = 2 ** math.ceil(math.log2(n))
    # For each odd part the least power of two that suffices; 3^11 and 5^7 are beyond any odd part
    # that could be the best for a record of some 1e5 samples, and longer ones lose little.
    for odd in (3**b * 5**c for b in range(12) for c in range(8)):
        if odd < best:
            best = min(best, odd * 2 ** math.ceil(math.log2(max(n / odd, 1))))
    return best


def response(
    dt: Number, scales: Vector, wavelet: AbstractWavelet, size: int, dtype: jnp.dtype
) -> Array:
    """ψ̂(sω_k) at the frequencies of a real FFT of `size` samples, (n_scales, size//2 + 1)."""
    # Only the ratio of scale and time step matters. It is formed first, as it is a number of
    # ordinary size whatever the unit of time, also in float32.
    ratio = jnp.asarray(scales).astype(dtype) / jnp.asarray(dt).astype(dtype)
    k = np.arange(1, size // 2 + 1)
    omega = jnp.asarray(2 * math.pi / size * k).astype(dtype)  # eq. (5), a radian a sample
    # Eq. (6): with this factor Σ_k |ψ̂(sω_k)|² is the number of samples at every scale, eq. (7). All
    # scales then have the same energy, so that their transforms can be compared, and white noise
    # of variance σ² gives |W|² = σ² at each.
    norm = jnp.sqrt(2 * math.pi * ratio)[:, None]
    answer = norm * wavelet.fourier(ratio[:, None] * omega[None, :])
    # In a cycle of even size the highest frequency is as much negative as positive, and an analytic
    # wavelet has no negative ones.
    if wavelet.analytic and size % 2 == 0:
        answer = answer.at[:, -1].set(0)
    return jnp.pad(answer, ((0, 0), (1, 0)))  # a constant has no transform


def synthesise(spectrum: Array, wavelet: AbstractWavelet, size: int) -> Array:
    """From the frequencies >= 0 back to time: real, or analytic without the negative ones."""
    # A real result is fixed by its frequencies >= 0; for an analytic one `ifft` pads the spectrum
    # with zeros, which are the negative frequencies.
    if not wavelet.analytic:
        return jnp.fft.irfft(spectrum, size)
    return jnp.fft.ifft(spectrum, size)


@partial(jax.jit, static_argnums=4)
def transform(x: Array, dt: Number, scales: Vector, wavelet: AbstractWavelet, size: int) -> Array:
    """The columns of x in a cycle of `size` samples, the rest of which is zero."""
    spectrum = jnp.fft.rfft(x, size)[None, :]
    answer = response(dt, scales, wavelet, size, x.dtype)
    # The answer is real: two real products are half the work of a complex one.
    product = jax.lax.complex(spectrum.real * answer, spectrum.imag * answer)
    return synthesise(product, wavelet, size)[:, : x.size]


@partial(jax.jit, static_argnames=("size", "history", "after", "dtype"))
def causal_kernels(
    dt: Number,
    scales: Vector,
    wavelet: AbstractWavelet,
    size: int,
    history: int,
    after: int,
    dtype: jnp.dtype,
) -> Array:
    """K_l of `causal_cwt`, (n_scales, history), for a cycle that is cut `after` the present."""

    def kernel(scale: Array) -> Array:
        answer = response(dt, scale[None], wavelet, size, dtype)
        g = synthesise(jax.lax.complex(answer, jnp.zeros_like(answer)), wavelet, size)[0]
        present = g[0] + jnp.sum(g[size - after :])  # the cycle's end is what lies ahead
        past = jnp.sum(g[history - 1 : size - after])
        return jnp.concatenate([present[None], g[1 : history - 1], past[None]])

    # One scale after another, as a cycle may be far longer than the history and all scales at once
    # would fill the memory. Scales and step are constants here, so the compiler would do the whole
    # computation while it compiles, slowly; the barrier hides from it that they are.
    scales = jax.lax.optimization_barrier(jnp.asarray(scales).astype(dtype))
    return jax.lax.map(kernel, scales)


@jax.jit
def convolve(x: Array, kernels: Array) -> Array:
    """Σ_l K_l x_{k−l} at every sample k, x_0 standing in before the record."""
    # Less x_0 the samples before the record are zeros. Every kernel sums to zero, so the transform
    # stays the same, and a large level does not cost digits.
    n, history = x.size, kernels.shape[1]
    y = jnp.concatenate([jnp.zeros(history - 1, x.dtype), x - x[0]])
    size = fast_length(y.size)
    if jnp.iscomplexobj(kernels):
        spectrum = jnp.fft.fft(y, size)[None, :] * jnp.fft.fft(kernels, size)
        return jnp.fft.ifft(spectrum)[:, history - 1 : history - 1 + n]
    spectrum = jnp.fft.rfft(y, size)[None, :] * jnp.fft.rfft(kernels, size)
    return jnp.fft.irfft(spectrum, size)[:, history - 1 : history - 1 + n]

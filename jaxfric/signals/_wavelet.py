"""Wavelets and their scales, in the normalisation of Torrence and Compo.

In the wavelets η is time over scale and ω angular frequency times scale: they have no unit.
"""

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Inexact

from jaxfric import _checks
from jaxfric._types import Number, Vector

if TYPE_CHECKING:  # a type checker knows no arithmetic on the union that ArrayLike is
    Scalogram = Any
else:
    Scalogram = Inexact[ArrayLike, "..."]

SQRT_TAU = math.sqrt(2 * math.pi)


class AbstractWavelet(eqx.Module):
    """What the transforms ask of a wavelet; a class of your own may stand in for ours."""

    analytic: ClassVar[bool]  # complex, without negative frequencies

    @abstractmethod
    def fourier(self, omega: Vector) -> Vector:
        """ψ̂0(ω) for ω > 0, real, with ∫|ψ̂0|² dω = 1; the transforms take ψ̂0(0) for 0."""

    @property
    @abstractmethod
    def fourier_period(self) -> float:
        """The period of the cosine that a scale answers to most, over that scale."""

    @property
    @abstractmethod
    def efolding(self) -> float:
        """The time over which the power of an edge falls by e², over the scale."""

    @property
    @abstractmethod
    def centre(self) -> float:
        """ψ0(0)."""

    @property
    @abstractmethod
    def reconstruction(self) -> float:
        """C_δ, which makes the inverse exact for ever finer and wider scales."""


class Ricker(AbstractWavelet):
    """The Ricker wavelet or Mexican hat: the second derivative of a Gaussian (DOG, m = 2), real.

        ψ0(η) = (1 − η²) exp(−η²/2)/√Γ(5/2),    ψ̂0(ω) = ω² exp(−ω²/2)/√Γ(5/2)

    Its constant C_δ = √(2π)/ln 2 = 3.6163 is derived; the tabulated one is 3.541, with which an
    inverse comes out 2 % too large.

    Example:
        >>> wavelet = Ricker()
        >>> print(f"{wavelet.fourier_period:.3f} {wavelet.centre:.3f} {wavelet.reconstruction:.4f}")
        3.974 0.867 3.6163

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, tables 1 and 2;
    C_δ: ours.
    """

    analytic: ClassVar[bool] = False

    def fourier(self, omega: Vector) -> Vector:
        squared = omega * omega
        return squared * jnp.exp(-squared / 2) / math.sqrt(math.gamma(2.5))

    @property
    def fourier_period(self) -> float:
        return 2 * math.pi / math.sqrt(2.5)  # 2π/√(m + 1/2) for the m-th derivative

    @property
    def efolding(self) -> float:
        return math.sqrt(2)

    @property
    def centre(self) -> float:
        return 1 / math.sqrt(math.gamma(2.5))

    @property
    def reconstruction(self) -> float:
        # Eq. (13) with infinitely fine scales: √(2π)/(ln 2 ψ0(0)) ∫ ψ̂0(ω)/ω dω over ω > 0. For a
        # Ricker wavelet the integral is ψ0(0), as ∫ ω exp(−ω²/2) dω is 1, and the two cancel.
        return SQRT_TAU / math.log(2)


RICKER = Ricker()  # the default of every transform


class Morlet(AbstractWavelet):
    """The Morlet wavelet, complex: amplitude and phase of an oscillation.

        ψ0(η) = π^(−1/4) exp(iω0η − η²/2),    ψ̂0(ω) = π^(−1/4) exp(−(ω − ω0)²/2) for ω > 0

    C_δ is integrated numerically: 0.7784 for ω0 = 6, where the tabulated one is 0.776.

    Arguments:
        omega0: oscillations, >= 5: below, the wavelet has a mean that is not small.

    Raises:
        ValueError: omega0 below 5, or not finite.

    Example:
        >>> wavelet = Morlet()
        >>> print(f"{wavelet.fourier_period:.3f} {wavelet.centre:.3f} {wavelet.reconstruction:.3f}")
        1.033 0.751 0.778

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, tables 1 and 2;
    C_δ: ours.
    """

    analytic: ClassVar[bool] = True
    omega0: float = eqx.field(static=True, converter=float, default=6.0)

    def __check_init__(self) -> None:
        if not (math.isfinite(self.omega0) and self.omega0 >= 5):
            raise ValueError(
                f"omega0 must be finite and at least 5; got {self.omega0}. For fewer oscillations "
                "take Ricker()"
            )

    def fourier(self, omega: Vector) -> Vector:
        return math.pi**-0.25 * jnp.exp(-((omega - self.omega0) ** 2) / 2)

    @property
    def fourier_period(self) -> float:
        return 4 * math.pi / (self.omega0 + math.sqrt(2 + self.omega0**2))

    @property
    def efolding(self) -> float:
        return math.sqrt(2)

    @property
    def centre(self) -> float:
        return math.pi**-0.25

    @property
    def reconstruction(self) -> float:
        # As for a Ricker wavelet, with half of it: the real part of an analytic transform is that
        # of half the signal's spectrum. ψ0(0) = π^(−1/4) cancels the same factor of ψ̂0.
        # ∫ ψ̂0(ω)/ω dω is summed in ln ω. It diverges at 0, for the wavelet has a small mean, with a
        # weight of exp(−ω0²/2); the transforms leave the mean out, and so does the lower end, 0.1.
        # At the upper end the Gaussian is exp(−50).
        v = np.linspace(math.log(0.1), math.log(self.omega0 + 10), 4001)
        weights = np.exp(-((np.exp(v) - self.omega0) ** 2) / 2)
        return SQRT_TAU / (2 * math.log(2)) * float(np.sum(weights)) * float(v[1] - v[0])


def log_scales(
    dt: Number, shortest: Number, longest: Number, number: int
) -> Float[np.ndarray, " n_scales"]:
    """Scales in geometric progression, s_j = s_0 2^(j δj).

    Arguments:
        dt: time between samples, s.
        shortest: s_0, s; at least dt/2, about which a Ricker wavelet is as fast as the samples
            (for Morlet that is 2 dt).
        longest: the last one, s. To get a record back, at least twice its longest recurrence.
        number: how many, >= 2; 32 to 64 reconstruct a record.

    Returns:
        (number,), s, rising. A NumPy array, so that it stays a constant under `jax.jit`.

    Raises:
        ValueError: a range that is empty or finer than the samples, or too few scales.

    Example:
        >>> print(log_scales(0.001, 0.002, 0.016, 4))
        [0.002 0.004 0.008 0.016]

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, eq. (9).
    """
    for name, value in (("dt", dt), ("shortest", shortest), ("longest", longest)):
        if not _checks.is_concrete(value):
            raise ValueError(f"{name} is traced; the scales must be constants of the program")
        _checks.positive(name, value)
    # The last factor lets a shortest scale of dt/2 pass that was computed with another rounding.
    if shortest < dt * (1 - 1e-6) / 2:
        raise ValueError(f"shortest must be at least dt/2 = {dt / 2:.6g} s; got {shortest}")
    if number < 2 or longest <= shortest:
        raise ValueError(
            f"longest must exceed shortest and number be at least 2; got {shortest} to {longest} s "
            f"in {number}"
        )
    return np.geomspace(float(shortest), float(longest), number)


def cone_of_influence(n: int, dt: Number, wavelet: AbstractWavelet = RICKER) -> Float[Array, " n"]:
    """The largest scale at each sample that an end of the record leaves in peace.

    An end is felt within the e-folding time √2 s of a scale s; it lies half a sample outside the
    record. Times `wavelet.fourier_period` it is the largest period.

    Arguments:
        n: samples of the record, >= 1.
        dt: time between samples, s.
        wavelet: its e-folding time counts.

    Returns:
        (n,), scale in s.

    Raises:
        ValueError: n below 1, or a time step that is not positive.

    Example:
        >>> print(cone_of_influence(4, 2**0.5))
        [0.5 1.5 1.5 0.5]

    Source: C. Torrence and G. P. Compo, Bull. Am. Meteorol. Soc. 79 (1998) 61, section 3g.
    """
    _checks.positive("dt", dt)
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}")
    # A cone, for the longer the scale the further in an end is felt: over time and scale, what is
    # free of the ends lies inside a triangle. Outside it the transform shows the padding as well.
    # Samples to the nearer end of the record, half a sample beyond its first or last one.
    steps = jnp.asarray(n / 2 - np.abs(np.arange(n) - (n - 1) / 2))
    return steps * jnp.asarray(dt).astype(steps.dtype) / wavelet.efolding


def positive_scales(scales: Vector) -> None:
    """Raise unless the scales are one-dimensional, finite and (concrete ones) above zero."""
    _checks.vector("scales", scales)
    if _checks.is_concrete(scales):
        values = np.asarray(scales)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"scales must be positive and finite, in s; got {values}")

"""Populations of asperities: a Gaussian mixture over height and radius."""

import math
from collections.abc import Sequence
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float, Int, Key

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric._types import Numbers, Vector
from jaxfric.contact._asperities import Asperities, common_dtype
from jaxfric.contact._printing import MICRO, numbers, span
from jaxfric.contact._profile import root

SCALES = (1e-5, 1e-4)  # of height and radius in the unconstrained vector, m


class SurfaceMixture(eqx.Module):
    """A mixture of four Gaussians over (height, radius): 23 free numbers.

    A draw takes a component by its weight, then R from its Gaussian cut to the radii allowed (an
    inverse distribution function, so that no draw is ever rejected and none is negative), then h
    from the Gaussian given R.

    Arguments:
        weights: (4,), >= 0, sum 1.
        means: (4, 2), height and radius, m.
        covariances: (4, 2, 2), m², symmetric, positive definite.

    Raises:
        ValueError: shapes, or (concrete) values that are no mixture, with the remedy.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxfric.contact import sample_mixtures
        >>> mixture = sample_mixtures(1, key=jax.random.key(0))
        >>> mixture = jax.tree.map(lambda x: x[0], mixture)
        >>> surface = mixture.sample(64, key=jax.random.key(1))
        >>> bool((surface.radius > 0).all()), mixture.to_vector().shape
        (True, (23,))

    Source: the parameter count of arXiv:2511.03735 (its ranges are not known).
    """

    weights: Float[Array, "4"]
    means: Float[Array, "4 2"]
    covariances: Float[Array, "4 2 2"]

    SIZE: ClassVar[int] = 23

    def __init__(
        self,
        weights: Numbers | Sequence[float],
        means: Numbers | Sequence[Sequence[float]],
        covariances: Numbers | Sequence[Sequence[Sequence[float]]],
    ) -> None:
        dtype = common_dtype(weights, means, covariances)
        for name, value, shape in (
            ("weights", weights, (4,)), ("means", means, (4, 2)),
            ("covariances", covariances, (4, 2, 2)),
        ):  # fmt: skip
            if np.shape(value) != shape:
                raise ValueError(
                    f"{name} must have shape {shape}; got {np.shape(value)}. A batch of mixtures "
                    "is built under jax.vmap"
                )
            setattr(self, name, jnp.asarray(value, dtype))
        if _checks.is_concrete(self) and not bool(self.valid):
            raise ValueError(
                "no mixture: weights must be >= 0 with sum 1, mean radii > 0 and covariances "
                "positive definite; SurfaceMixture.from_unconstrained makes a valid one of any "
                "23 numbers"
            )

    @staticmethod
    def from_vector(theta: Vector) -> "SurfaceMixture":
        """[w1 w2 w3, (mean height, mean radius) × 4, (var h, cov, var R) × 4]; w4 = 1 − Σ w."""
        theta = parameter_vector(theta)
        w = theta[:3]
        return SurfaceMixture(
            jnp.concatenate([w, 1 - jnp.sum(w, keepdims=True)]),
            theta[3:11].reshape(4, 2),
            # (var h, cov, var R), places 0, 1, 2, to [[var h, cov], [cov, var R]]
            theta[11:].reshape(4, 3)[:, jnp.array([[0, 1], [1, 2]])],
        )

    def to_vector(self) -> Float[Array, "23"]:
        """The inverse of `from_vector`."""
        S = self.covariances
        return jnp.concatenate(
            [
                self.weights[:3],
                self.means.ravel(),
                jnp.stack([S[:, 0, 0], S[:, 0, 1], S[:, 1, 1]], -1).ravel(),
            ]
        )

    @staticmethod
    def from_unconstrained(u: Vector) -> "SurfaceMixture":
        """A valid mixture of any 23 finite numbers: softmax weights, Cholesky covariances.

        Numbers of order one give heights of tens of µm and radii of hundreds.
        """
        u = parameter_vector(u)
        height, radius = SCALES
        means = u[3:11].reshape(4, 2)
        # Σ = L Lᵀ is positive definite for any L with a positive diagonal, here exponentials; the
        # units of height and radius are put in so that all numbers are of order one
        a, b, c = u[11:].reshape(4, 3).T
        lower = jnp.stack(
            [height * jnp.exp(a), jnp.zeros_like(a), radius * b, radius * jnp.exp(c)], -1
        ).reshape(4, 2, 2)
        # Softmax over three numbers and a zero: a constant added to all four changes nothing
        return SurfaceMixture(
            jax.nn.softmax(jnp.concatenate([u[:3], jnp.zeros_like(u[:1])])),
            jnp.stack([height * means[:, 0], radius * jnp.exp(means[:, 1])], -1),
            lower @ jnp.swapaxes(lower, -1, -2),
        )

    def to_unconstrained(self) -> Float[Array, "23"]:
        """The inverse of `from_unconstrained`; weights of 0 become the smallest ones there are."""
        height, radius = SCALES
        # The logarithm of 0 is no number to search from, and the smallest weight is 0 to rounding
        logits = jnp.log(jnp.maximum(self.weights, jnp.finfo(self.weights.dtype).tiny))
        S = self.covariances
        # Cholesky's factor of a 2 × 2 matrix by hand: L = [[a, 0], [b, c]]
        a = jnp.sqrt(S[:, 0, 0])
        b = S[:, 0, 1] / a
        c = jnp.sqrt(S[:, 1, 1] - b**2)
        means = jnp.stack([self.means[:, 0] / height, jnp.log(self.means[:, 1] / radius)], -1)
        factors = jnp.stack([jnp.log(a / height), b / radius, jnp.log(c / radius)], -1)
        return jnp.concatenate([logits[:3] - logits[3], means.ravel(), factors.ravel()])

    def canonical(self) -> "SurfaceMixture":
        """The same mixture, components from the highest mean height down (24 orders are one)."""
        order = jnp.lexsort((-self.means[:, 1], -self.means[:, 0]))
        return SurfaceMixture(self.weights[order], self.means[order], self.covariances[order])

    @property
    def valid(self) -> Bool[Array, ""]:
        """True if the numbers are a mixture of positive mean radii."""
        S = self.covariances
        # A weight that is 1 minus the others may be rounded a little below zero
        slack = 16 * jnp.finfo(S.dtype).eps
        return (
            jnp.all(self.weights >= -slack)
            & (jnp.abs(jnp.sum(self.weights) - 1) <= slack)
            & jnp.all(self.means[:, 1] > 0)
            & jnp.all((S[:, 0, 0] > 0) & (S[:, 1, 1] > 0))
            & jnp.all(self.correlation[1] > 0)
            & jnp.all(S[:, 0, 1] == S[:, 1, 0])
            & jnp.all(jnp.isfinite(self.means))
            & jnp.all(jnp.isfinite(S))
        )

    def sample(
        self,
        n: int,
        *,
        key: Key[Array, ""],
        count: int | Int[Array, ""] | None = None,
        radii: tuple[float, float] = (0.0, math.inf),
    ) -> Asperities:
        """n independent asperities.

        Arguments:
            n: how many, static.
            key: a typed key; the surface depends smoothly on means and covariances for one key.
            count: leaves the first `count` and masks the rest; may be traced, so that a batch
                holds surfaces of different size.
            radii: each Gaussian is cut to these radii, m.

        Returns:
            `Asperities`.

        Raises:
            ValueError: n below 1, or radii that are no interval.
        """
        if n < 1:
            raise ValueError(f"a surface needs at least one asperity; got n = {n}")
        if not 0 <= radii[0] < radii[1]:
            raise ValueError(f"radii must be (low, high) with 0 <= low < high; got {radii}")
        dtype = self.means.dtype
        # One call for three keys, one for both sides of a cut: each is long to compile
        which, radius_level, height_level = jax.vmap(
            lambda key: jax.random.uniform(key, (n,), dtype, minval=jnp.finfo(dtype).eps)
        )(jax.random.split(key, 3))
        # The component of each draw: the first whose cumulated weight passes a uniform number
        k = jnp.searchsorted(jnp.cumsum(self.weights)[:-1], which, side="right")
        slope, spread = self.height_given_radius
        mean, deviation = self.means[k, 1], root(self.covariances[k, 1, 1])
        limits = jnp.asarray(radii, dtype)[:, None]
        # Φ at both limits: Φ⁻¹ of a uniform number between them draws from the Gaussian cut there.
        # None is rejected, and a draw depends smoothly on means and covariances
        low, high = ndtr((limits - mean[None, :]) / deviation[None, :])
        radius_z, height_z = ndtri(jnp.stack([low + radius_level * (high - low), height_level]))
        smallest = max(radii[0], float(jnp.finfo(dtype).tiny) ** 0.5)
        # Rounding may put a draw just outside the cut
        radius = jnp.clip(mean + deviation * radius_z, smallest, radii[1])
        h = self.means[k, 0] + slope[k] * (radius - mean) + spread[k] * height_z
        mask = None if count is None else jnp.arange(n) < jnp.asarray(count).astype(int)
        return Asperities(h, radius, mask)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        weights, means, S = (numbers(x) for x in (self.weights, self.means, self.covariances))
        deviations = np.sqrt(np.diagonal(S, axis1=-2, axis2=-1))
        if weights.ndim > 1:
            return (
                f"SurfaceMixture: {weights.size // weights.shape[-1]} mixtures, "
                f"mean heights {span(means[..., 0], 'µm', MICRO)}, "
                f"mean radii {span(means[..., 1], 'µm', MICRO)}\n"
                f"  deviations {span(deviations[..., 0], 'µm', MICRO)} and "
                f"{span(deviations[..., 1], 'µm', MICRO)}"
            )
        lines = [
            f"  {100 * w:.3g} %: height {mean[0] * MICRO:.4g} ± {deviation[0] * MICRO:.3g} µm, "
            f"radius {mean[1] * MICRO:.4g} ± {deviation[1] * MICRO:.3g} µm, "
            f"correlation {cross / deviation.prod():.2f}"
            for w, mean, deviation, cross in zip(
                weights, means, deviations, S[:, 0, 1], strict=True
            )
        ]
        return "\n".join(["SurfaceMixture:", *lines])

    @property
    def deviations(self) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
        """Standard deviations of height and radius, m."""
        S = self.covariances
        return root(S[:, 0, 0]), root(S[:, 1, 1])

    @property
    def correlation(self) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
        """ρ and √(1 − ρ²), the second 0 for a matrix that is no covariance."""
        S = self.covariances
        sh, sR = self.deviations
        # Ratios, as the determinant of deviations of nanometres underflows in float32
        return S[:, 0, 1] / sh / sR, root(1 - (S[:, 0, 1] / S[:, 0, 0]) * (S[:, 0, 1] / S[:, 1, 1]))

    @property
    def height_given_radius(self) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
        """Slope of the mean height with the radius, and deviation of the height given it."""
        S = self.covariances
        # Of a Gaussian pair: E[h|R] = E[h] + Σ_hR/Σ_RR (R − E[R]), Var[h|R] = Σ_hh − Σ_hR²/Σ_RR
        slope = S[:, 0, 1] / S[:, 1, 1]
        return slope, self.deviations[0] * self.correlation[1]


def parameter_vector(theta: Vector) -> Float[Array, "23"]:
    """The parameters of one mixture as floats, or a sentence that tells a batch from them."""
    if np.shape(theta) != (SurfaceMixture.SIZE,):
        raise ValueError(
            f"a mixture has {SurfaceMixture.SIZE} parameters; got shape {np.shape(theta)}. For a "
            "batch, use jax.vmap"
        )
    theta = jnp.asarray(theta)
    return theta.astype(common_dtype(theta))

"""Populations of asperities: a Gaussian mixture over height and radius."""

import math
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float, Key

from jaxfric import _checks
from jaxfric._types import Vector
from jaxfric.contact._asperities import Asperities, common_dtype
from jaxfric.contact._profile import root
from jaxfric.contact._sobol import sobol

COMPONENTS = 4
SCALES = (1e-5, 1e-4)  # of height and radius in the unconstrained vector, m


class MixtureBounds(eqx.Module):
    """The box from which mixtures are drawn: (lowest, highest) of every component, m.

    The paper's own ranges are not published; these are ours.
    """

    height: tuple[float, float] = (0.0, 100e-6)
    radius: tuple[float, float] = (1e-4, 1e-3)
    height_deviation: tuple[float, float] = (1e-6, 20e-6)
    radius_deviation: tuple[float, float] = (1e-5, 2e-4)
    correlation: tuple[float, float] = (-0.9, 0.9)

    def __check_init__(self) -> None:
        for name, floor in (
            ("height", -math.inf), ("radius", 0.0), ("height_deviation", 0.0),
            ("radius_deviation", 0.0), ("correlation", -1.0),
        ):  # fmt: skip
            low, high = getattr(self, name)
            if not floor < low <= high < (1.0 if name == "correlation" else math.inf):
                raise ValueError(
                    f"bounds of {name} must be (low, high) with {floor:g} < low <= high; "
                    f"got {(low, high)}"
                )


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

    def __init__(self, weights: Any, means: Any, covariances: Any) -> None:
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
        theta = _vector(theta)
        w = theta[:3]
        return SurfaceMixture(
            jnp.concatenate([w, 1 - jnp.sum(w, keepdims=True)]),
            theta[3:11].reshape(4, 2),
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
        u = _vector(u)
        height, radius = SCALES
        means = u[3:11].reshape(4, 2)
        a, b, c = u[11:].reshape(4, 3).T
        lower = jnp.stack(
            [height * jnp.exp(a), jnp.zeros_like(a), radius * b, radius * jnp.exp(c)], -1
        ).reshape(4, 2, 2)
        return SurfaceMixture(
            jax.nn.softmax(jnp.concatenate([u[:3], jnp.zeros_like(u[:1])])),
            jnp.stack([height * means[:, 0], radius * jnp.exp(means[:, 1])], -1),
            lower @ jnp.swapaxes(lower, -1, -2),
        )

    def to_unconstrained(self) -> Float[Array, "23"]:
        """The inverse of `from_unconstrained`; weights of 0 become −inf."""
        height, radius = SCALES
        logits = jnp.log(self.weights)
        S = self.covariances
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
        slack = 16 * jnp.finfo(S.dtype).eps
        return (
            jnp.all(self.weights >= -slack)
            & (jnp.abs(jnp.sum(self.weights) - 1) <= slack)
            & jnp.all(self.means[:, 1] > 0)
            & jnp.all((S[:, 0, 0] > 0) & (S[:, 1, 1] > 0))
            & jnp.all(S[:, 0, 0] * S[:, 1, 1] > S[:, 0, 1] ** 2)
            & jnp.all(jnp.isfinite(self.means))
        )

    def sample(
        self,
        n: int,
        *,
        key: Key[Array, ""],
        count: int | Array | None = None,
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
        of, at, above = jax.vmap(
            lambda k: jax.random.uniform(k, (n,), dtype, minval=jnp.finfo(dtype).eps)
        )(jax.random.split(key, 3))
        k = jnp.searchsorted(jnp.cumsum(self.weights)[:-1], of, side="right")
        height, spread = self.height_given_radius
        mean, deviation = self.means[k, 1], root(self.covariances[k, 1, 1])
        limits = jnp.asarray(radii, dtype)[:, None]
        low, high = ndtr((limits - mean[None, :]) / deviation[None, :])
        at, above = ndtri(jnp.stack([low + at * (high - low), above]))
        smallest = max(radii[0], float(jnp.finfo(dtype).tiny) ** 0.5)
        radius = jnp.clip(mean + deviation * at, smallest, radii[1])  # rounding at the cut
        h = self.means[k, 0] + height[k] * (radius - mean) + spread[k] * above
        mask = None if count is None else jnp.arange(n) < jnp.asarray(count).astype(int)
        return Asperities(h, radius, mask)

    @property
    def height_given_radius(self) -> tuple[Float[Array, "4"], Float[Array, "4"]]:
        """Slope of the mean height with the radius, and deviation of the height given it."""
        S = self.covariances
        slope = S[:, 0, 1] / S[:, 1, 1]
        return slope, root(S[:, 0, 0] - slope * S[:, 0, 1])


def mixture_at(u: Vector, bounds: MixtureBounds | None = None) -> SurfaceMixture:
    """The mixture at a point of the unit cube; uniform points give uniform parameters.

    Weights are the spacings of three sorted uniform numbers, hence uniform on their simplex.

    Arguments:
        u: (23,) in (0, 1).
        bounds: the box; `MixtureBounds()` if left out.

    Returns:
        `SurfaceMixture`, always valid.
    """
    bounds = MixtureBounds() if bounds is None else bounds
    u = _vector(u)
    cuts = jnp.sort(u[:3])
    edges = jnp.concatenate([jnp.zeros_like(u[:1]), cuts, jnp.ones_like(u[:1])])

    def between(limits: tuple[float, float], x: Array) -> Array:
        return limits[0] + (limits[1] - limits[0]) * x

    h, R, dh, dR, rho = u[3:].reshape(5, 4)
    sh, sR = between(bounds.height_deviation, dh), between(bounds.radius_deviation, dR)
    cross = between(bounds.correlation, rho) * sh * sR
    return SurfaceMixture(
        jnp.diff(edges),
        jnp.stack([between(bounds.height, h), between(bounds.radius, R)], -1),
        jnp.stack([sh**2, cross, cross, sR**2], -1).reshape(4, 2, 2),
    )


def sample_mixtures(
    count: int,
    *,
    key: Key[Array, ""],
    bounds: MixtureBounds | None = None,
    method: str = "sobol",
) -> SurfaceMixture:
    """A batch of mixtures, spread over the bounds by a shifted Sobol' set or at random.

    Arguments:
        count: how many.
        key: shifts the Sobol' digits, or draws the points.
        bounds: the box; `MixtureBounds()` if left out.
        method: "sobol" or "random".

    Returns:
        `SurfaceMixture` with a leading axis of `count` on every leaf.

    Raises:
        ValueError: an unknown method.
    """
    if method == "sobol":
        points = sobol(count, SurfaceMixture.SIZE, key=key)
    elif method == "random":
        points = jax.random.uniform(key, (count, SurfaceMixture.SIZE))
    else:
        raise ValueError(f"method must be 'sobol' or 'random'; got {method!r}")
    return jax.vmap(lambda u: mixture_at(u, bounds))(points)


def _vector(theta: Array) -> Array:
    if np.shape(theta) != (SurfaceMixture.SIZE,):
        raise ValueError(
            f"a mixture has {SurfaceMixture.SIZE} parameters; got shape {np.shape(theta)}. For a "
            "batch, use jax.vmap"
        )
    theta = jnp.asarray(theta)
    return theta.astype(common_dtype(theta))

"""Random mixtures: the box that they are drawn from, and the mixture at a point of it."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxfric._show import printed
from jaxfric._types import Vector
from jaxfric.contact._asperities import RADIUS_BOUNDS
from jaxfric.contact._mixture import SurfaceMixture, parameter_vector
from jaxfric.contact._printing import MICRO, span
from jaxfric.contact._sobol import sobol


class MixtureBounds(eqx.Module):
    """The box from which mixtures are drawn: (lowest, highest) of every component, m.

    The paper's own ranges are not published; these are ours.
    """

    height: tuple[float, float] = (0.0, 100e-6)
    radius: tuple[float, float] = RADIUS_BOUNDS
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

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        return (
            f"MixtureBounds: mean heights {span(self.height, 'µm', MICRO)}, "
            f"mean radii {span(self.radius, 'µm', MICRO)}\n"
            f"  deviations {span(self.height_deviation, 'µm', MICRO)} and "
            f"{span(self.radius_deviation, 'µm', MICRO)}, "
            f"correlations {span(self.correlation)}"
        )


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
    u = parameter_vector(u)
    cuts = jnp.sort(u[:3])
    edges = jnp.concatenate([jnp.zeros_like(u[:1]), cuts, jnp.ones_like(u[:1])])

    def between(limits: tuple[float, float], x: Float[Array, "4"]) -> Float[Array, "4"]:
        return limits[0] + (limits[1] - limits[0]) * x

    # Three numbers are spent on the weights; each kind of parameter takes four, one a component
    h, R, dh, dR, rho = u[3:].reshape(5, 4)
    sh, sR = between(bounds.height_deviation, dh), between(bounds.radius_deviation, dR)
    # |ρ| < 1 makes every covariance [[sh², ρ sh sR], [ρ sh sR, sR²]] positive definite
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

"""An endless supply of random surfaces with their friction laws, made where they are used."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric._types import Vector
from jaxfric.contact._asperities import Material
from jaxfric.contact._curve import friction_law
from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._mixture_bounds import MixtureBounds, mixture_at
from jaxfric.contact._printing import numbers, span
from jaxfric.contact._sobol import sobol

BLOCK = 64  # surfaces simulated at once on a CPU: what stays in its cache


class LawBatch(eqx.Module):
    """What a stream yields.

    Attributes:
        parameters: (batch, 23), of the mixtures, components in canonical order.
        count: (batch,), asperities of each surface.
        load: (m,), N.
        friction: (batch, m), N.
    """

    parameters: Float[Array, "batch 23"]
    count: Int[Array, " batch"]
    load: Float[Array, " m"]
    friction: Float[Array, "batch m"]

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        failed = int((~np.isfinite(numbers(self.friction)).all(-1)).sum())
        return (
            f"LawBatch: {self.count.size} laws of surfaces of {span(self.count)} asperities\n"
            f"  {self.load.shape[-1]} loads, {span(self.load, 'N')}, "
            f"friction {span(self.friction, 'N')}, {f'{failed} not' if failed else 'all'} finite"
        )


def law_stream(
    material: Material,
    loads: Vector,
    *,
    batch: int,
    asperities: tuple[int, int] = (16, 256),
    bounds: MixtureBounds | None = None,
    radii: tuple[float, float] | None = None,
) -> Callable[[Key[Array, ""]], LawBatch]:
    """A function of a key that simulates a batch: mixture, number of asperities, friction law.

    Nothing is stored: 200 million samples are as many keys. Numbers of asperities are drawn
    log-uniformly; the surplus is masked.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, > 0.
        batch: surfaces a key; their mixtures are a Sobol' set of that size, shifted by the key.
        asperities: fewest and most.
        bounds: of the mixtures; `MixtureBounds()` if left out.
        radii: radii are cut to these, m; to those of the bounds if left out.

    Returns:
        key → `LawBatch`; pure, to be called inside jit, scan and the training loop.

    Raises:
        ValueError: no batch, or no interval.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> stream = law_stream(Material(1.4e6, 4e5), jnp.array([0.1, 1.0]), batch=8)
        >>> jax.jit(stream)(jax.random.key(0)).friction.shape
        (8, 2)
    """
    _checks.vector("loads", loads)
    low, high = asperities
    if batch < 1:
        raise ValueError(f"batch must be at least 1; got {batch}")
    if not 1 <= low <= high:
        raise ValueError(f"asperities must be (low, high) with 1 <= low <= high; got {asperities}")
    bounds = MixtureBounds() if bounds is None else bounds
    radii = bounds.radius if radii is None else radii
    load = jnp.asarray(loads).astype(jnp.zeros(()).dtype)

    def stream(key: Key[Array, ""]) -> LawBatch:
        mixture_key, count_key, surface_key = jax.random.split(key, 3)
        points = sobol(batch, SurfaceMixture.SIZE, key=mixture_key)
        u = jax.random.uniform(count_key, (batch,))
        # Log-uniform over [low, high + 1), so that the largest number has its share as well
        count = jnp.floor(low * ((high + 1) / low) ** u).astype(jnp.int32)
        count = jnp.clip(count, low, high)

        def one(
            member: tuple[Float[Array, "23"], Int[Array, ""], Key[Array, ""]],
        ) -> tuple[Float[Array, "23"], Float[Array, " m"]]:
            point, count, key = member
            # A network is to learn one vector for a mixture, not one of the 24 orders of components
            mixture = mixture_at(point, bounds).canonical()
            # All surfaces have room for the most asperities: shapes are static
            surface = mixture.sample(high, key=key, count=count, radii=radii)
            return mixture.to_vector(), friction_law(surface, material, load).friction

        keys = jax.random.split(surface_key, batch)
        block = min(batch, BLOCK) if jax.default_backend() == "cpu" else batch
        parameters, friction = jax.lax.map(one, (points, count, keys), batch_size=block)
        return LawBatch(parameters, count, load, friction)

    return stream

"""An endless supply of random surfaces with their friction laws, made where they are used."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxfric import _checks
from jaxfric._types import Vector
from jaxfric.contact._asperities import Material
from jaxfric.contact._curve import friction_law
from jaxfric.contact._mixture import MixtureBounds, SurfaceMixture, mixture_at
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
        of_mixture, of_count, of_surface = jax.random.split(key, 3)
        points = sobol(batch, SurfaceMixture.SIZE, key=of_mixture)
        u = jax.random.uniform(of_count, (batch,))
        count = jnp.floor(low * ((high + 1) / low) ** u).astype(jnp.int32)
        count = jnp.clip(count, low, high)

        def one(x: tuple[Array, Array, Array]) -> tuple[Array, Array]:
            point, count, key = x
            mixture = mixture_at(point, bounds).canonical()
            surface = mixture.sample(high, key=key, count=count, radii=radii)
            return mixture.to_vector(), friction_law(surface, material, load).friction

        keys = jax.random.split(of_surface, batch)
        block = min(batch, BLOCK) if jax.default_backend() == "cpu" else batch
        parameters, friction = jax.lax.map(one, (points, count, keys), batch_size=block)
        return LawBatch(parameters, count, load, friction)

    return stream

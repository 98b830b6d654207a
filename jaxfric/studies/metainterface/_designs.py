"""Many designs for one friction law: from the generator, refined, ranked; or from a search."""

import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from jaxfric import contact
from jaxfric.studies.metainterface import _model
from jaxfric.studies.metainterface._model import RADIUS_BOUNDS, Generator

BANK = 20_000


class Generated(eqx.Module):
    """What `design_many` returns.

    Attributes:
        designs: `contact.Design` with a leading axis, the best first.
        distance: of the request from those of training; 1 is the limit.
        searched: True if a search answered in place of the generator.
        diversity: RMS difference of the designs' heights where they touch, over the mean reach.
    """

    designs: contact.Design
    distance: Float[Array, ""]
    searched: Bool[Array, ""]
    diversity: Float[Array, ""]

    def __str__(self) -> str:
        error = np.asarray(self.designs.error)
        source = "a search" if bool(self.searched) else "the generator"
        return (
            f"{error.size} designs from {source}, sMAPE {error.min():.3g} to {error.max():.3g} %\n"
            f"  heights differ by {100 * float(self.diversity):.2g} % of the depth that touches\n"
            f"  {self.designs.status}"
        )


def designs(
    material: contact.Material,
    loads: Any,
    target: Any,
    *,
    key: Key[Array, ""],
    generator: Generator,
    count: int = 16,
    steps: int = 10,
    asperities: int = 64,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    max_height: float | None = None,
    radii: Any = None,
    **options: Any,
) -> contact.Design:
    """`count` designs from as many z (the first is 0), refined and ranked; jit it, vmap it.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), the wanted friction, N.
        key: draws z.
        generator: from `generator()`.
        count: designs.
        steps: of `contact.refine`; 0 leaves what the network says.
        asperities: 8 to 1,024.
        radius_bounds: m.
        max_height: m.
        radii: (asperities,), m, or None.
        options: of `contact.refine`: quantum, max_indentation, fit_loads.

    Returns:
        `contact.Design` with a leading axis of `count`, the best first.
    """
    z = jax.random.normal(key, (count, generator.latent)).at[0].set(0.0)
    fixed: dict[str, Any] = {} if radii is None else {"radii": "fixed"}

    def one(z: Array) -> contact.Design:
        start = generator(
            material, loads, target, z, asperities=asperities, radius_bounds=radius_bounds,
            max_height=max_height, radii=radii,
        )  # fmt: skip
        return contact.refine(
            start, material, loads, target, radius_bounds=radius_bounds, max_height=max_height,
            steps=steps, **fixed, **options,
        )  # fmt: skip

    found = jax.vmap(one)(z)
    order = jnp.argsort(jnp.where(jnp.isfinite(found.error), found.error, jnp.inf))
    return jax.tree_util.tree_map(lambda x: x[order], found)


def design_many(
    material: contact.Material,
    loads: Any,
    target: Any,
    *,
    key: Key[Array, ""],
    generator: Generator | None = None,
    **options: Any,
) -> Generated:
    """As `designs`, with an eye on the request: a strange one is answered by a search instead.

    Strange is a request whose features are farther from the training requests, by Mahalanobis'
    distance, than all but one in a thousand of those. The search refines the nearest laws of a bank
    of random surfaces. It looks at values, so it is not for jit: `designs` is.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), the wanted friction, N.
        key: draws z, or the bank.
        generator: the shipped one if left out.
        options: of `designs`.

    Returns:
        `Generated`.

    Raises:
        ValueError: a target that is no friction law, or asperities out of range.

    Warns:
        UserWarning: the request is strange.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxfric import contact
        >>> material, loads = contact.Material(1.4e6, 4e5), jnp.linspace(0.001, 0.05, 50)
        >>> found = design_many(material, loads, 4 * loads, key=jax.random.key(0), count=4)
        >>> bool(found.searched), found.designs.error.shape
        (False, (4,))
    """
    generator = _model.generator() if generator is None else generator
    named = ("asperities", "radius_bounds", "max_height", "radii")
    request = {k: v for k, v in options.items() if k in named}
    wanted = generator.request(material, loads, target, **request)
    distance = generator.distance(wanted)
    strange = float(distance) > 1
    if strange:
        warnings.warn(
            f"the target is {float(distance):.2g} times as far from the training laws as the "
            "farthest of a thousand of them: a search answers in place of the generator",
            stacklevel=2,
        )
        found = _search(material, loads, target, key, options)
    else:
        found = _jitted(material, loads, target, key, generator, options)
    return Generated(found, distance, jnp.asarray(strange), diversity(found))


@eqx.filter_jit
def _jitted(material, loads, target, key, generator, options):  # type: ignore[no-untyped-def]
    return designs(material, loads, target, key=key, generator=generator, **options)


def _search(  # type: ignore[no-untyped-def]
    material, loads, target, key: Array, options: dict[str, Any]
) -> contact.Design:
    options = dict(options)
    count, n = options.pop("count", 16), options.pop("asperities", 64)
    steps, radii = options.pop("steps", 10), options.pop("radii", None)
    bank = contact.make_bank(BANK, key=key, asperities=n)
    if radii is None:
        return contact.designs(
            material, loads, target, bank=bank, starts=2 * count, finalists=count, steps=steps,
            **options,
        )  # fmt: skip
    starts = contact.designs(
        material, loads, target, bank=bank, starts=count, finalists=count, steps=0
    ).surface

    def one(start: contact.Asperities) -> contact.Design:
        given = contact.Asperities(-jnp.sort(-start.height), jnp.asarray(radii))
        return contact.refine(
            given, material, loads, target, radii="fixed", steps=3 * steps, **options
        )

    found = jax.vmap(one)(starts)
    order = jnp.argsort(found.error)
    return jax.tree_util.tree_map(lambda x: x[order], found)


def touching_heights(found: contact.Design) -> Float[Array, "*batch n"]:
    """Sorted depths below the highest asperity, cut at the deepest indentation, m."""
    height, mask = found.surface.height, found.surface.mask
    used = jnp.ones(height.shape, bool) if mask is None else mask
    top = jnp.max(jnp.where(used, height, -jnp.inf), -1, keepdims=True)
    reach = jnp.max(found.curve.indentation, -1, keepdims=True)
    return jnp.minimum(jnp.sort(jnp.where(used, top - height, jnp.inf), -1), reach)


def rms_distance(profiles: Float[Array, "designs n"]) -> Float[Array, ""]:
    """Root of the mean squared difference over all pairs of designs and all asperities."""
    k = profiles.shape[0]
    # Σ over pairs of (a − b)² is 2k Σ (a − mean)²
    return jnp.sqrt(jnp.mean(jnp.var(profiles, axis=0)) * 2 * k / max(k - 1, 1))


def diversity(found: contact.Design) -> Float[Array, ""]:
    """RMS difference of heights where designs touch, over the mean reach."""
    reach = jnp.mean(jnp.max(found.curve.indentation, -1))
    return rms_distance(touching_heights(found)) / reach

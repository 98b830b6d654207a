"""Many designs for one friction law: from the generator, refined, ranked; or from a search."""

import warnings
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from jaxfric import contact, programs
from jaxfric.contact._arrays import as_array
from jaxfric.contact._buckets import bucket, pad
from jaxfric.contact._designed import unpadded
from jaxfric.contact._refine import moved
from jaxfric.contact._request import FIT_LOADS, Box, Rows, TargetLaw
from jaxfric.studies.metainterface import _model
from jaxfric.studies.metainterface._canonical import canonical
from jaxfric.studies.metainterface._generator import generate, surface
from jaxfric.studies.metainterface._model import Generator, check_request

BANK = 20_000
STEPS = 10  # and the number that the program is compiled for, unless more are asked for


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
    steps: int = STEPS,
    asperities: int = 64,
    radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
    max_height: float | None = None,
    radii: Any = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    fit_loads: int | None = FIT_LOADS,
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
        quantum: of the heights, as of `contact.refine`, m.
        max_indentation: largest δ/R, as of `contact.refine`.
        fit_loads: how many loads are refined on, as of `contact.refine`.

    Returns:
        `contact.Design` with a leading axis of `count`, the best first.
    """
    wishes = Wishes(radius_bounds, max_height, radii, quantum, max_indentation)
    request = _request(material, loads, target, asperities, wishes, steps, fit_loads, padded=False)
    found = _generated(request, key, generator, count, asperities, max(steps, STEPS))[0]
    return found


class Wishes(NamedTuple):
    """What a request may ask for."""

    radius_bounds: tuple[Any, Any]
    max_height: Any
    radii: Any
    quantum: Any
    max_indentation: Any


class Request(NamedTuple):
    """A checked request as arrays, so that one program serves all of a kind."""

    material: contact.Material
    loads: Any
    target: Any
    box: Box
    radii: Any
    rows: Rows
    steps: Any


def _request(
    material: contact.Material, loads: Any, target: Any, asperities: int, wishes: Wishes,
    steps: int, fit_loads: int | None, *, padded: bool,
) -> Request:  # fmt: skip
    bounds, max_height, radii, quantum, max_indentation = wishes
    loads, target = check_request(material, loads, target, asperities, bounds, max_height, radii)
    dtype = jax.dtypes.canonicalize_dtype(float)
    count = loads.shape[0]
    size = bucket(count) if padded else count
    kind = "free" if radii is None else "fixed"
    loads, target = (as_array(pad(x, size), dtype) for x in (loads, target))
    box = Box.of(dtype, kind, bounds, max_height, quantum, max_indentation)
    given = None if radii is None else as_array(radii, dtype)
    rows = Rows.of(count, fit_loads, size, dtype)
    steps_taken = np.asarray(steps, np.int32)
    return Request(material.cast(dtype), loads, target, box, given, rows, steps_taken)


@programs.program
def _generated(
    request: Request, key: Array, generator: Generator, count: int, asperities: int, most: int
) -> tuple[contact.Design, Array, Array]:
    """Designs, the distance of the request, and the diversity of the designs."""
    material, loads, target, box, radii, rows, steps = request
    wanted = canonical(
        material, loads, target, asperities=asperities, radius_bounds=(box.low, box.high),
        max_height=box.deepest, radii=radii,
    )  # fmt: skip
    z = jax.random.normal(key, (count, generator.latent), loads.dtype).at[0].set(0.0)

    def one(z: Array) -> contact.Design:
        start = surface(generate(generator.network, wanted, z), wanted)
        return moved(start, TargetLaw(material, loads, target), box, rows, steps, most)

    found = jax.vmap(one)(z)
    order = jnp.argsort(jnp.where(jnp.isfinite(found.error), found.error, jnp.inf))
    found = jax.tree_util.tree_map(lambda x: x[order], found)
    return found, generator.distance(wanted), diversity(found)


def design_many(
    material: contact.Material,
    loads: Any,
    target: Any,
    *,
    key: Key[Array, ""],
    generator: Generator | None = None,
    count: int = 16,
    steps: int = STEPS,
    asperities: int = 64,
    radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
    max_height: float | None = None,
    radii: Any = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
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
        count: designs.
        steps: of `contact.refine`.
        asperities: 8 to 1,024.
        radius_bounds: m.
        max_height: m.
        radii: (asperities,), m, or None.
        quantum: of the heights, as of `contact.refine`, m.
        max_indentation: largest δ/R, as of `contact.refine`.

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
    wishes = Wishes(radius_bounds, max_height, radii, quantum, max_indentation)
    request = _request(material, loads, target, asperities, wishes, steps, FIT_LOADS, padded=True)
    found, distance, spread = _generated(
        request, key, generator, count, asperities, max(steps, STEPS)
    )
    strange = float(distance) > 1
    if strange:
        warnings.warn(
            f"the target is {float(distance):.2g} times as far from the training laws as the "
            "farthest of a thousand of them: a search answers in place of the generator",
            stacklevel=2,
        )
        found = _search(material, loads, target, key, count, asperities, steps, wishes)
        spread = diversity(found)
    else:
        found = unpadded(found, np.shape(loads)[0])
    return Generated(found, distance, jax.device_put(np.asarray(strange)), spread)


def _search(
    material: contact.Material, loads: Any, target: Any, key: Array, count: int, asperities: int,
    steps: int, wishes: Wishes,
) -> contact.Design:  # fmt: skip
    bounds, max_height, radii, quantum, max_indentation = wishes
    bank = contact.make_bank(BANK, key=key, asperities=asperities)
    if radii is None:
        return contact.designs(
            material, loads, target, bank=bank, starts=2 * count, finalists=count, steps=steps,
            radius_bounds=bounds, max_height=max_height, quantum=quantum,
            max_indentation=max_indentation,
        )  # fmt: skip
    starts = contact.designs(
        material, loads, target, bank=bank, starts=count, finalists=count, steps=0
    ).surface

    def one(start: contact.Asperities) -> contact.Design:
        given = contact.Asperities(-jnp.sort(-start.height), jnp.asarray(radii))
        return contact.refine(
            given, material, loads, target, radii="fixed", steps=3 * steps, radius_bounds=bounds,
            max_height=max_height, quantum=quantum, max_indentation=max_indentation,
        )  # fmt: skip

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

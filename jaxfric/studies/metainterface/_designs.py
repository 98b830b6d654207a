"""Many designs for one friction law: from the generator, refined, ranked; or from a search."""

import warnings
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxfric import contact, programs
from jaxfric._types import Vector
from jaxfric.contact._arrays import AnyArray, as_array
from jaxfric.contact._buckets import bucket, pad
from jaxfric.contact._designed import unpadded
from jaxfric.contact._refine import moved
from jaxfric.contact._request import FIT_LOADS, Box, Rows, TargetLaw
from jaxfric.studies.metainterface import _model
from jaxfric.studies.metainterface._canonical import canonical
from jaxfric.studies.metainterface._diversity import touching_heights, usable_diversity
from jaxfric.studies.metainterface._generated import Generated
from jaxfric.studies.metainterface._generator import generate, surface
from jaxfric.studies.metainterface._model import Generator, check_request

BANK = 20_000  # random laws that a search begins at
STEPS = 10  # and the number that the program is compiled for, unless more are asked for
RADII_STEPS = 3  # times as many steps of a search whose radii are given, where only heights move


def designs(
    material: contact.Material,
    loads: Vector,
    target: Vector,
    *,
    key: Key[Array, ""],
    generator: Generator,
    count: int = 16,
    steps: int = STEPS,
    asperities: int = 64,
    radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
    max_height: float | None = None,
    radii: Vector | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    max_approach: float | None = None,
    fit_loads: int | None = FIT_LOADS,
) -> contact.Design:
    """`count` designs from as many z (the first is 0), refined and ranked; jit it, vmap it.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), the wanted friction, N.
        key: draws z.
        generator: from `trained()`.
        count: designs.
        steps: of `contact.refine`; 0 leaves what the network says.
        asperities: 8 to 1,024.
        radius_bounds: m.
        max_height: m.
        radii: (asperities,), m, or None.
        quantum: of the heights, as of `contact.refine`, m.
        max_indentation: largest δ/R, as of `contact.refine`.
        max_approach: deepest indentation, as of `contact.refine`, m.
        fit_loads: how many loads are refined on, as of `contact.refine`.

    Returns:
        `contact.Design` with a leading axis of `count`, the best first.
    """
    wishes = Wishes(radius_bounds, max_height, radii, quantum, max_indentation, max_approach)
    # Not padded: this is for a caller's own program, which is compiled for its number of loads
    # anyway
    request = _request(
        material, loads, target, wishes, asperities=asperities, steps=steps, fit_loads=fit_loads,
        padded=False,
    )  # fmt: skip
    found: contact.Design
    found, _, _ = _generated(request, key, generator, count, asperities, max(steps, STEPS))
    return found


class Wishes(NamedTuple):
    """What a request may ask for."""

    radius_bounds: tuple[float, float]  # m
    max_height: float | None  # m
    radii: Vector | None  # m
    quantum: float | None  # of the heights, m
    max_indentation: float | None  # largest δ/R
    max_approach: float | None  # deepest indentation, m


class Request(NamedTuple):
    """A checked request as arrays, so that one program serves all of a kind."""

    material: contact.Material
    loads: Float[AnyArray, " m"]  # N
    target: Float[AnyArray, " m"]  # N
    box: Box
    radii: Float[AnyArray, " n"] | None  # m
    rows: Rows
    steps: Int[AnyArray, ""]


def _request(
    material: contact.Material, loads: Vector, target: Vector, wishes: Wishes, *, asperities: int,
    steps: int, fit_loads: int | None, padded: bool,
) -> Request:  # fmt: skip
    bounds, max_height, radii, quantum, max_indentation, max_approach = wishes
    loads, target = check_request(
        material, loads, target, asperities=asperities, radius_bounds=bounds,
        max_height=max_height, radii=radii,
    )  # fmt: skip
    dtype = jax.dtypes.canonicalize_dtype(float)
    count = loads.shape[0]
    # A program has one number of loads. Zero loads in front, which ask for nothing, make up the
    # next of a few numbers, so that a target with some more loads compiles no other program
    size = bucket(count) if padded else count
    kind = "free" if radii is None else "fixed"
    return Request(
        material=material.cast(dtype),
        loads=as_array(pad(loads, size), dtype),
        target=as_array(pad(target, size), dtype),
        box=Box.of(dtype, kind, bounds, max_height, quantum, max_indentation, max_approach),
        radii=None if radii is None else as_array(radii, dtype),
        rows=Rows.of(count, fit_loads, size, dtype),
        # Data, not a static number: only its bound is compiled in
        steps=as_array(steps, np.dtype(np.int32)),
    )


@programs.program
def _generated(
    request: Request, key: Key[Array, ""], generator: Generator, count: int, asperities: int,
    most: int,
) -> tuple[contact.Design, Float[Array, ""], Float[Array, "count n"]]:  # fmt: skip
    """Designs, the distance of the request, and the heights of the designs where they touch.

    All in one program: each of them apart would be compiled, for a command that asks once.
    """
    material, loads, target, box, radii, rows, steps = request
    wanted = canonical(
        material, loads, target, asperities=asperities, radius_bounds=(box.low, box.high),
        max_height=box.deepest, radii=radii,
    )  # fmt: skip
    # z = 0 is the most accurate design of a law: it should be among them
    z = jax.random.normal(key, (count, generator.latent), loads.dtype).at[0].set(0.0)

    def design(z: Float[Array, " latent"]) -> contact.Design:
        start = surface(generate(generator.network, wanted, z), wanted)
        return moved(start, TargetLaw(material, loads, target), box, rows, steps, most)

    found = jax.vmap(design)(z)
    # The best first; a design without a friction law (NaN) belongs to the end
    order = jnp.argsort(jnp.where(jnp.isfinite(found.error), found.error, jnp.inf))
    found = jax.tree_util.tree_map(lambda x: x[order], found)
    return found, generator.distance(wanted), touching_heights(found)


def design_many(
    material: contact.Material,
    loads: Vector,
    target: Vector,
    *,
    key: Key[Array, ""],
    generator: Generator | None = None,
    count: int = 16,
    steps: int = STEPS,
    asperities: int = 64,
    radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
    max_height: float | None = None,
    radii: Vector | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    max_approach: float | None = None,
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
        max_approach: deepest indentation, as of `contact.refine`, m.

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
    generator = _model.trained() if generator is None else generator
    wishes = Wishes(radius_bounds, max_height, radii, quantum, max_indentation, max_approach)
    request = _request(
        material, loads, target, wishes, asperities=asperities, steps=steps, fit_loads=FIT_LOADS,
        padded=True,
    )  # fmt: skip
    found, distance, touching = _generated(
        request, key, generator, count, asperities, max(steps, STEPS)
    )
    # Told by what the request is, not by how its designs turn out: a law that no surface makes has
    # a large error whoever answers, and a search would spend its time for nothing
    strange = float(distance) > 1
    if strange:
        warnings.warn(
            f"the target is {float(distance):.2g} times as far from the training laws as the "
            "farthest of a thousand of them: a search answers in place of the generator",
            stacklevel=2,
        )
        found = _search(
            material, loads, target, wishes, key=key, count=count, asperities=asperities,
            steps=steps,
        )  # fmt: skip
        touching = touching_heights(found)
    else:
        found = unpadded(found, np.shape(loads)[0])
    searched = jax.device_put(np.asarray(strange))
    return Generated(found, distance, searched, usable_diversity(found, touching))


def _search(
    material: contact.Material, loads: Vector, target: Vector, wishes: Wishes, *,
    key: Key[Array, ""], count: int, asperities: int, steps: int,
) -> contact.Design:  # fmt: skip
    """The nearest laws of a bank of random surfaces, refined and ranked."""
    bounds, max_height, radii, quantum, max_indentation, max_approach = wishes
    bank = contact.make_bank(BANK, key=key, asperities=asperities)
    if radii is None:
        # Twice as many starts as designs: the better half of them is refined on all loads
        return contact.designs(
            material, loads, target, bank=bank, starts=2 * count, finalists=count, steps=steps,
            radius_bounds=bounds, max_height=max_height, quantum=quantum,
            max_indentation=max_indentation, max_approach=max_approach,
        )  # fmt: skip
    # The laws of a bank belong to radii of its own: of the nearest ones, without any steps, only
    # the heights are taken, sorted as the given radii are
    starts = contact.designs(
        material, loads, target, bank=bank, starts=count, finalists=count, steps=0
    ).surface

    def refined(start: contact.Asperities) -> contact.Design:
        given = contact.Asperities(-jnp.sort(-start.height), jnp.asarray(radii))
        return contact.refine(
            given, material, loads, target, radii="fixed", steps=RADII_STEPS * steps,
            radius_bounds=bounds, max_height=max_height, quantum=quantum,
            max_indentation=max_indentation, max_approach=max_approach,
        )  # fmt: skip

    found = jax.vmap(refined)(starts)
    order = jnp.argsort(found.error)
    return jax.tree_util.tree_map(lambda x: x[order], found)

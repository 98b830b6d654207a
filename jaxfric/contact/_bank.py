"""A bank of random friction laws: the nearest ones start the least squares."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Integer, Key, UInt32

from jaxfric import programs
from jaxfric._show import printed
from jaxfric._types import Number, Numbers, Vector
from jaxfric.contact._arrays import AnyArray, as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._buckets import bucket, pad
from jaxfric.contact._curve import friction_law, gaps
from jaxfric.contact._metrics import smape
from jaxfric.contact._mixture import SurfaceMixture
from jaxfric.contact._mixture_bounds import MixtureBounds, mixture_at
from jaxfric.contact._printing import MICRO, span
from jaxfric.contact._profile import profile
from jaxfric.contact._request import checked_exponent
from jaxfric.contact._sobol import sobol
from jaxfric.contact._solve import indentation
from jaxfric.contact._stretch import stretch
from jaxfric.contact._sums import area, load_dense
from jaxfric.contact._targets import check_target

SHAPE_LOADS = 32  # a law is remembered at 1/32, 2/32, … 1 of its largest load
BLOCK = 128  # surfaces simulated at once: what stays in the cache
TOP_LOADS = (3e-9, 3e-6)  # largest load over E* of a law, m²: a few contacts to nearly all


class Bank(eqx.Module):
    """Shapes of the friction laws of random surfaces; the surfaces are drawn again when wanted.

    Hertz' laws scale: heights times α and radii times β turn F(P) into αβ F(P / (α^1.5 β^0.5)).
    So only the shape F(u P_max)/F(P_max) is remembered, and a surface found for it is stretched
    to the load and friction wanted: one bank serves every material, load range and friction. Power
    laws of one exponent n scale as well, to P α^(1 + 1/n) β^(1 − 1/n) and F α^(2/n) β^(2 − 2/n).

    Attributes:
        shape: (count, 32), ln of the shape.
        load: (count,), P_max/E* of the surface as drawn, m².
        area: (count,), A/π there, m².
        radii: (count, 2), smallest and largest radius that touches, m.
        key: what the surfaces are drawn from.
        asperities: number of each surface.
        bounds: of the mixtures.
        exponent: () or (asperities,), of their profiles; None for spheres.
    """

    shape: Float[Array, "count loads"]
    load: Float[Array, " count"]
    area: Float[Array, " count"]
    radii: Float[Array, "count 2"]
    key: Key[Array, ""]
    bounds: MixtureBounds
    asperities: int = eqx.field(static=True)
    exponent: Float[Array, "..."] | None = None

    LOADS: ClassVar[int] = SHAPE_LOADS
    MULTIPLE: ClassVar[int] = 256  # of which the number of laws is

    def surface(self, index: Integer[Array, ""]) -> Asperities:
        """The surface of an entry, as drawn."""
        spheres = _draw(self.key, index, self.asperities, self.bounds)
        return Asperities(spheres.height, spheres.radius, exponent=self.exponent)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        profile = "" if self.exponent is None else f", exponents {span(self.exponent)}"
        return (
            f"Bank: {self.load.size:,} laws of surfaces of {self.asperities} asperities{profile}\n"
            f"  largest load over E* {span(self.load, 'm²')}, as {self.shape.shape[-1]} fractions\n"
            f"  radii that touch {span(self.radii, 'µm', MICRO)}"
        )


def make_bank(
    count: int = 20_000,
    *,
    key: Key[Array, ""],
    asperities: int = 64,
    bounds: MixtureBounds | None = None,
    exponent: Numbers | None = None,
) -> Bank:
    """Simulate the laws of random surfaces, each from its own mixture and to its own top load.

    Arguments:
        count: surfaces; rounded up to a multiple of 256.
        key: a typed key.
        asperities: number of each surface.
        bounds: of the mixtures; radii are cut to `bounds.radius`.
        exponent: () or (asperities,), >= 1, of the profiles (see `Asperities`); spheres, if left
            out.

    Returns:
        `Bank`; about 0.2 kB an entry.

    Raises:
        ValueError: count or asperities below 1, or exponents that are none.

    Example:
        >>> import jax
        >>> bank = make_bank(256, key=jax.random.key(0), asperities=16)
        >>> bank.shape.shape
        (256, 32)
    """
    if count < 1 or asperities < 1:
        raise ValueError(
            f"a bank needs count and asperities of at least 1; got {count}, {asperities}"
        )
    bounds = MixtureBounds() if bounds is None else bounds
    if exponent is not None:
        exponent = checked_exponent(exponent, asperities, jnp.zeros(()).dtype)
    return _make(key, -(-count // Bank.MULTIPLE) * Bank.MULTIPLE, asperities, bounds, exponent)


def _laws(
    key: Key[Array, ""],
    count: int,
    asperities: int,
    bounds: MixtureBounds,
    exponent: Float[AnyArray, "..."] | None,
) -> Bank:
    fractions = _fractions(jnp.zeros(()).dtype)

    def law(index: UInt32[Array, ""]) -> tuple[Array, ...]:
        surface = _draw(key, index, asperities, bounds)
        gap, shape = gaps(surface), profile(surface)
        load = _top_load(key, index)
        if exponent is not None:
            # As deep as that load presses spheres in, so that as many touch
            deepest = indentation(gap, shape, load[None])
            surface = Asperities(surface.height, surface.radius, exponent=exponent)
            shape = profile(surface)
            load = load_dense(gap, shape, deepest)[0]
        x = indentation(gap, shape, load * fractions)
        A = area(gap, shape, x)
        # The radii that a stretch may not put outside their bounds are those that carry the load:
        # what never touches can have any radius
        touching = gap < x[-1]
        radii = jnp.stack(
            [
                jnp.min(jnp.where(touching, surface.radius, jnp.inf)),
                jnp.max(jnp.where(touching, surface.radius, 0.0)),
            ]
        )
        # F = σBA, so ln A/A_max is ln F/F_max; in logarithms errors of small and large loads count
        # alike, as they do in the relative error that a design is judged by
        return jnp.log(A / A[-1]), load, A[-1], radii

    # Unsigned, as `sobol` counts points: an entry's number is its point of the sequence
    index = jnp.arange(count, dtype=jnp.uint32).reshape(-1, BLOCK)
    parts = jax.lax.map(jax.vmap(law), index)
    # From (blocks, BLOCK, …) back to (count, …)
    shape, load, A, radii = (p.reshape(-1, *p.shape[2:]) for p in parts)
    return Bank(
        shape=shape, load=load, area=A, radii=radii, key=key, bounds=bounds, asperities=asperities,
        exponent=None if exponent is None else jnp.asarray(exponent),
    )  # fmt: skip


# Twenty thousand laws take ten seconds at XLA's level 0, and one at level 1
_make = programs.program(_laws, level=1)


def _fractions(dtype: jnp.dtype) -> Float[Array, " loads"]:
    return jnp.asarray(np.arange(1, SHAPE_LOADS + 1) / SHAPE_LOADS).astype(dtype)


def _draw(
    key: Key[Array, ""], index: Integer[Array, ""], n: int, bounds: MixtureBounds
) -> Asperities:
    """A surface from its number alone, so that a bank need not store any."""
    shift_key, surface_key, _ = jax.random.split(key, 3)
    u = sobol(1, SurfaceMixture.SIZE, key=shift_key, start=index)[0]
    return mixture_at(u, bounds).sample(
        n, key=jax.random.fold_in(surface_key, index), radii=bounds.radius
    )


def _top_load(key: Key[Array, ""], index: UInt32[Array, ""]) -> Float[Array, ""]:
    """Log-uniform: a law of a few contacts is another shape than one of many."""
    _, _, load_key = jax.random.split(key, 3)
    low, high = (math.log(v) for v in TOP_LOADS)
    return jnp.exp(jax.random.uniform(jax.random.fold_in(load_key, index), minval=low, maxval=high))


def nearest(
    bank: Bank,
    material: Material,
    loads: Vector,
    target: Vector,
    count: int,
    radius_bounds: tuple[Number, Number],
) -> Asperities:
    """The `count` surfaces of the bank whose laws are nearest in shape, stretched to the target.

    Radii that the stretch would put outside their bounds count as error, as they would change.

    Arguments:
        bank: from `make_bank`.
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), N.
        count: how many.
        radius_bounds: m.

    Returns:
        `Asperities` with a leading axis of `count`.
    """
    dtype = bank.shape.dtype
    loads, target = loads.astype(dtype), target.astype(dtype)
    E, strength = material.constants(dtype)
    fractions = _fractions(dtype)
    # The target at the bank's fractions, interpolated in logarithms, where power laws are straight.
    # Zero loads (those that make up a bucket, too) go to −∞, left of every fraction
    usable = jnp.where(loads > 0, jnp.log(jnp.where(loads > 0, loads / loads[-1], 1.0)), -jnp.inf)
    wanted = jnp.interp(jnp.log(fractions), usable, jnp.log(jnp.where(target > 0, target, 1.0)))
    wanted = wanted - wanted[-1]
    # Below its smallest load a target says nothing, and nothing there may count against a law
    known = jnp.log(fractions) >= jnp.min(jnp.where(loads > 0, usable, 0.0))
    difference = jnp.where(known[None, :], bank.shape - wanted[None, :], 0.0)
    error = jnp.sum(difference**2, -1) / jnp.sum(known.astype(dtype))
    alpha, beta, left = stretch(
        bank.exponent, bank.load, bank.area, bank.radii, loads[-1] / E,
        target[-1] / (strength * math.pi), radius_bounds,
    )  # fmt: skip
    error = error + left
    _, index = jax.lax.top_k(-error, count)

    def stretched(i: Int[Array, ""]) -> Asperities:
        surface = bank.surface(i.astype(jnp.uint32))
        height, radius = alpha[i] * surface.height, beta[i] * surface.radius
        return Asperities(height, radius, exponent=bank.exponent)

    return jax.vmap(stretched)(index)


def random_errors(
    bank: Bank, material: Material, loads: Vector, target: Vector, count: int = 1000
) -> Float[Array, " count"]:
    """How far random surfaces are from a target: a yardstick for every design.

    Arguments:
        bank: its first surfaces, as drawn.
        material: modulus and friction.
        loads: (m,), N, increasing.
        target: (m,), N.
        count: how many.

    Returns:
        (count,), sMAPE, percent.

    Raises:
        ValueError: shapes, or (concrete) a target that is no friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> bank = make_bank(256, key=jax.random.key(0))
        >>> loads = jnp.linspace(0.02, 1.0, 50)
        >>> errors = random_errors(bank, Material(1.4e6, 1e5), loads, 0.6 * loads, count=100)
        >>> bool(errors.min() > 0.5)
        True
    """
    loads, target = check_target(loads, target)
    dtype, size = bank.load.dtype, bucket(loads.shape[0])
    wanted = (as_array(pad(x, size), dtype) for x in (loads, target))
    return _random_errors(bank, material.cast(dtype), *wanted, count)


def _random_laws(
    bank: Bank,
    material: Material,
    loads: Float[Array, " m"],
    target: Float[Array, " m"],
    count: int,
) -> Float[Array, " count"]:
    def error(index: UInt32[Array, ""]) -> Float[Array, ""]:
        return smape(friction_law(bank.surface(index), material, loads).friction, target)

    return jax.lax.map(error, jnp.arange(count, dtype=jnp.uint32), batch_size=min(count, 50))


_random_errors = programs.program(_random_laws, level=1)  # a fifth of the time at level 0

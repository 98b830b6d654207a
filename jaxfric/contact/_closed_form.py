"""A surface of one common radius for a friction law, by inverting Abel's equation."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxfric import _checks, programs
from jaxfric._types import Number, Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._curve import friction_law
from jaxfric.contact._designed import Design
from jaxfric.contact._metrics import smape
from jaxfric.contact._targets import check_target

# Halvings of an interval 60 wide: to 60/2⁶⁰ of the logarithm of a length, below float64's rounding
BISECTIONS = 60
WIDEST = 60.0  # of ln(length): from the longest stretch that can be needed down to e⁻⁶⁰ of it


def closed_form_design(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    radius: Number,
    asperities: int = 64,
) -> Design:
    """Heights of spheres of one radius that follow a friction law, without any search.

    With N(g) spheres not more than g below the highest, A'(x) = πR N(x) at indentation x, and the
    load is Abel's integral of the area,

        P(x) = E*/(π √R) ∫_0^x A(g) / √(x − g) dg

    Wanted is A = T(P)/(σB), which makes it an equation for A(x). It is marched from the first
    contact: A runs straight between the points of the target, each new stretch is as long as
    the load demands (one monotone equation). The spheres stand where N(g) passes 1/2, 3/2, …

    It exists where N never falls with depth, that is, where the law needs no contact to be taken
    back, and where N does not start above the number of asperities nor below one. Elsewhere N
    is made to rise, and the error tells how far off that is; `refine` goes on from there.

    Arguments:
        material: modulus and friction; shear_strength > 0.
        loads: (m,), N, > 0, increasing.
        target: (m,), N, increasing.
        radius: R, m, > 0.
        asperities: number of spheres; those not needed stand where they never touch.

    Returns:
        `Design`.

    Raises:
        ValueError: (concrete) a target that is no friction law, or a number out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> material = Material(modulus=1.4e6, shear_strength=1e5)
        >>> loads = jnp.linspace(0.02, 1.0, 100)
        >>> design = closed_form_design(material, loads, 0.4 * loads, radius=4e-4, asperities=99)
        >>> bool(design.error < 2.0)  # percent
        True

    Source: N. H. Abel, J. reine angew. Math. 1 (1826) 153; the sums over spheres are those of
    Greenwood and Williamson (1966).
    """
    _checks.positive("radius", radius)
    _checks.positive("shear_strength", material.shear_strength)
    if asperities < 1:
        raise ValueError(f"asperities must be at least 1; got {asperities}")
    loads, target = check_target(loads, target)
    if _checks.is_concrete(loads) and not (
        (np.asarray(loads) > 0).all() and (np.diff(np.asarray(loads)) > 0).all()
    ):
        raise ValueError("loads must be > 0 and increasing; leave the zero load out")
    dtype = loads.dtype
    law = (loads, *(as_array(x, dtype) for x in (target, radius)))
    return _closed_form(material.cast(dtype), *law, asperities)


@programs.program
def _closed_form(
    material: Material,
    loads: Float[Array, " m"],
    target: Float[Array, " m"],
    R: Float[Array, ""],
    n: int,
) -> Design:
    dtype = loads.dtype
    E, strength = material.constants(dtype)
    area = target / strength  # T = σB A
    # P = E*/(π√R) ∫ …, so that the integral is to be π√R P/E*
    x = _march(loads * math.pi * jnp.sqrt(R) / E, area)
    # N on each stretch from its slope, A' = πR N; it may only rise with depth, and ends at n
    edges = jnp.concatenate([jnp.zeros_like(x[:1]), x])
    count = jnp.diff(jnp.concatenate([jnp.zeros_like(area[:1]), area])) / (
        jnp.diff(edges) * math.pi * R
    )
    count = jnp.minimum(jax.lax.cummax(count), float(n))
    depth = _depths(edges, count, n)
    surface = Asperities(-depth, jnp.full(n, R, dtype))
    curve = friction_law(surface, material, loads)
    return Design(surface, material, target, curve, smape(curve.friction, target))


def _march(load: Float[Array, " m"], area: Float[Array, " m"]) -> Float[Array, " m"]:
    """Indentations x_k at which the area is area_k: ∫_0^x A(g)/√(x − g) dg = load_k.

    A is piecewise linear.
    """
    m = load.shape[0]
    index = jnp.arange(m)
    before = jnp.concatenate([jnp.zeros_like(area[:1]), area[:-1]])
    # An upper bound of any stretch: the integral is 4/3 area_1 √length where A first rises to
    # area_1, and at least 2 area_1 √length of any later stretch; more than the whole load is never
    # needed
    longest = (load[-1] / jnp.maximum(area[0], jnp.finfo(area.dtype).tiny)) ** 2

    def integral(
        x: Float[Array, " m"], k: Int[Array, ""], new: Float[Array, ""]
    ) -> Float[Array, ""]:
        """The load when stretch k ends at `new`; x holds the ends of those before."""
        ends = jnp.where(index == k, new, x)
        starts = jnp.concatenate([jnp.zeros_like(x[:1]), ends[:-1]])
        length = jnp.maximum(ends - starts, jnp.finfo(x.dtype).tiny)
        far, near = jnp.maximum(new - starts, 0.0), jnp.maximum(new - ends, 0.0)
        slope = (area - before) / length
        # ∫ (A0 + s (g − g0)) / √(x − g) dg from g0 to g1, with u = x − g
        root_far, root_near = jnp.sqrt(far), jnp.sqrt(near)
        piece = 2 * (before + slope * far) * (root_far - root_near) - (2 / 3) * slope * (
            far * root_far - near * root_near
        )
        # Stretches behind k have no end yet; all are computed, so that every turn has one shape
        return jnp.sum(jnp.where(index <= k, piece, 0.0))

    def stretch(x: Float[Array, " m"], k: Int[Array, ""]) -> tuple[Float[Array, " m"], None]:
        start = jnp.where(k > 0, x[k - 1], 0.0)

        def halve(
            limits: tuple[Float[Array, ""], Float[Array, ""]], _: None
        ) -> tuple[tuple[Float[Array, ""], Float[Array, ""]], None]:
            low, high = limits  # of ln(length): lengths of one target differ by many decades
            middle = (low + high) / 2
            short = integral(x, k, start + jnp.exp(middle)) < load[k]
            return (jnp.where(short, middle, low), jnp.where(short, high, middle)), None

        # The load grows with the length, as the area made before is then pressed deeper; so the
        # length for the load of point k is single, and halving finds it whatever A does
        limits = (jnp.log(longest) - WIDEST, jnp.log(longest))
        low, high = jax.lax.scan(halve, limits, None, length=BISECTIONS)[0]
        return x.at[k].set(start + jnp.exp((low + high) / 2)), None

    return jax.lax.scan(stretch, jnp.zeros_like(load), index)[0]


def _depths(edges: Float[Array, " edges"], count: Float[Array, " m"], n: int) -> Float[Array, " n"]:
    """Where N passes i + 1/2, N linear between the middles of the stretches."""
    middle = (edges[1:] + edges[:-1]) / 2
    wanted = jnp.arange(n, dtype=edges.dtype) + 0.5
    # `interp` needs an N that rises; where it stays level, a billionth a stretch makes it do so
    rising = count + jnp.arange(count.shape[0], dtype=count.dtype) * 1e-9
    inside = jnp.interp(wanted, rising, middle)
    # Spheres that the first stretch already counts touch at once; those that no stretch counts
    # stand twice as deep as the deepest indentation, where they never touch
    inside = jnp.where(wanted <= count[0], 0.0, inside)
    return jnp.where(wanted > count[-1], 2 * edges[-1], inside)

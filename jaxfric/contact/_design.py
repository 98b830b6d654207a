"""From a wanted friction law to asperities: the nearest of a bank, then least squares."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxfric import _checks, programs
from jaxfric._types import Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import RADIUS_BOUNDS, Asperities, Material
from jaxfric.contact._bank import Bank, nearest
from jaxfric.contact._buckets import bucket, cut, pad
from jaxfric.contact._designed import Design, unpadded
from jaxfric.contact._feasibility import Feasibility, judge
from jaxfric.contact._refine import moved
from jaxfric.contact._request import FIT_LOADS, Box, Rows, TargetLaw
from jaxfric.contact._targets import check_target

STARTS, FINALISTS, STEPS = 16, 4, 12  # of a design
TRIAL = (8, 1, 8)  # the same of the trial that tells whether a law can be met


def design(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    starts: int = STARTS,
    finalists: int = FINALISTS,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    steps: int = STEPS,
    radii: str = "free",
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    max_approach: float | None = None,
) -> Design:
    """The best of several designs for a friction law, each from its own start.

    The `starts` surfaces of the bank whose laws are nearest in shape are refined on some of the
    loads, the `finalists` best of them on all.

    Arguments:
        material: modulus and friction; shear_strength > 0.
        loads: (m,), N, >= 0, increasing.
        target: (m,), the wanted friction, N, increasing.
        bank: from `make_bank`, which sets the number of asperities and their exponents.
        starts: how many of the bank are refined.
        finalists: how many of those on all loads.
        radius_bounds: m.
        steps: iterations of each of the two stages.
        radii: "free", or "common" for one radius.
        max_height: greatest difference of heights, m; free if left out.
        quantum: heights become multiples of this, m.
        max_indentation: largest δ/R at the largest load; free if left out.
        max_approach: deepest indentation at the largest load, m; free if left out.

    Returns:
        `Design`; jit it, vmap it over targets.

    Raises:
        ValueError: shapes, or (concrete) a target that is no friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> material, loads = Material(1.4e6, 1e5), jnp.linspace(0.02, 1.0, 50)
        >>> from jaxfric.contact import make_bank
        >>> bank = make_bank(2048, key=jax.random.key(0))
        >>> found = design(material, loads, 0.6 * loads, bank=bank, starts=4)
        >>> bool(found.error < 0.5)
        True
    """
    found = designs(
        material, loads, target, bank=bank, starts=starts, finalists=finalists,
        radius_bounds=radius_bounds, steps=steps, radii=radii, max_height=max_height,
        quantum=quantum, max_indentation=max_indentation, max_approach=max_approach,
    )  # fmt: skip
    return _best_of(found)


def designs(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    starts: int = STARTS,
    finalists: int = FINALISTS,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    steps: int = STEPS,
    radii: str = "free",
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    max_approach: float | None = None,
) -> Design:
    """As `design`, but every finalist, the best first: a leading axis of `finalists`."""
    _checks.positive("shear_strength", material.shear_strength)
    effort = Effort(starts, finalists, steps)
    if not 1 <= finalists <= starts:
        raise ValueError(f"finalists must be 1 to starts = {starts}; got {finalists}")
    if starts > bank.load.shape[0]:
        raise ValueError(f"starts = {starts}, but the bank holds {bank.load.shape[0]} laws")
    dtype = bank.load.dtype
    box = Box.of(dtype, radii, radius_bounds, max_height, quantum, max_indentation, max_approach)
    return _searched(material, loads, target, bank=bank, box=box, effort=effort, most=effort)[0]


def feasibility(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    radius_bounds: tuple[float, float] = RADIUS_BOUNDS,
    radii: str = "free",
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    max_approach: float | None = None,
) -> Feasibility:
    """Whether a friction law can be met, why not, how near one comes, and the closest law.

    Two bounds hold for every surface (see `friction_bounds`): one sphere of the smallest radius,
    and all of the largest. A law inside them may still bend as no sum of contacts can; that is
    told by a trial, a shorter search by the same program, whose law is the closest on offer.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, > 0, increasing.
        target: (m,), N, increasing.
        bank: from `make_bank`, which sets the number of asperities; spheres.
        radius_bounds: m.
        radii: "free", or "common" for one radius.
        max_height: greatest difference of heights, m; free if left out.
        quantum: heights become multiples of this, m.
        max_indentation: largest δ/R at the largest load; free if left out.
        max_approach: deepest indentation at the largest load, m; free if left out.

    Returns:
        `Feasibility`; `print` says it in words.

    Raises:
        ValueError: shapes, a bank of other profiles than spheres, or (concrete) a target that is no
            friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> material, loads = Material(1.4e6, 1e5), jnp.linspace(0.01, 1.0, 64)
        >>> from jaxfric.contact import make_bank
        >>> bank = make_bank(2048, key=jax.random.key(0))
        >>> bool(feasibility(material, loads, 1e-3 * loads, bank=bank).feasible)
        False
    """
    if bank.exponent is not None:
        raise ValueError(
            "feasibility knows the bounds of spheres alone; for other exponents make a design and "
            "read its error and verdict"
        )
    count = bank.load.shape[0]
    # The effort of a design by default is what the program is compiled for; the trial is less of it
    most = Effort(min(STARTS, count), min(FINALISTS, count), STEPS)
    dtype = bank.load.dtype
    box = Box.of(dtype, radii, radius_bounds, max_height, quantum, max_indentation, max_approach)
    trial = Effort(min(TRIAL[0], count), *TRIAL[1:])
    told = _searched(material, loads, target, bank=bank, box=box, effort=trial, most=most)[1]
    assert told is not None
    return told


class Effort(NamedTuple):
    """What a search may spend."""

    starts: int
    finalists: int
    steps: int


def _searched(
    material: Material,
    loads: Vector,
    target: Vector,
    *,
    bank: Bank,
    box: Box,
    effort: Effort,
    most: Effort,
) -> tuple[Design, Feasibility | None]:
    """The program, on one of a few numbers of loads, and its results without what was added."""
    loads, target = check_target(loads, target)
    if _checks.is_concrete(loads) and (np.diff(np.asarray(loads)) <= 0).any():
        raise ValueError("loads must increase; sort the target by load")
    count, dtype = loads.shape[0], bank.load.dtype
    size = bucket(count)
    padded = (as_array(pad(x, size), dtype) for x in (loads, target))
    found, told = _search(
        TargetLaw(material.cast(dtype), *padded),
        tuple(Rows.of(count, wanted, size, dtype) for wanted in (FIT_LOADS, None)),
        bank, box, tuple(np.asarray(x, np.int32) for x in effort), most,
    )  # fmt: skip
    if told is not None:
        told = cut(told, count, ("load", "target", "closest", "low", "high"))
    return unpadded(found, count), told


@programs.program
def _search(
    law: TargetLaw,
    rows: tuple[Rows, Rows],
    bank: Bank,
    box: Box,
    effort: tuple[Int[Array, ""], Int[Array, ""], Int[Array, ""]],
    most: Effort,
) -> tuple[Design, Feasibility | None]:
    """Compiled for the most effort, so that a trial and a design share it.

    The rows are those of the two stages: some of the loads, then all. The effort is data, and only
    its bound is compiled in.
    """
    starts, finalists, steps = effort

    def best(found: Design, among: Int[Array, ""], count: int) -> Design:
        # Of the `most` that are computed, only the first `among` were asked for; a law that is not
        # finite ranks behind all
        rank = jnp.arange(found.error.shape[0], dtype=among.dtype)
        eligible = jnp.isfinite(found.error) & (rank < among)
        order = jnp.argsort(jnp.where(eligible, found.error, jnp.inf))[:count]
        return jax.tree_util.tree_map(lambda x: x[order], found)

    def refined(surfaces: Asperities, box: Box, rows: Rows) -> Design:
        return jax.vmap(lambda s: moved(s, law, box, rows, steps, most.steps))(surfaces)

    surfaces = nearest(bank, *law, most.starts, (box.low, box.high))
    # Heights are rounded to the quantum in the second stage only: the first has to move them far
    found = best(refined(surfaces, box.unrounded(), rows[0]), starts, most.finalists)
    found = best(refined(found.surface, box, rows[1]), finalists, most.finalists)
    if bank.exponent is not None:  # the bounds it is judged by are those of spheres
        return found, None
    trial = jax.tree_util.tree_map(lambda x: x[0], found)
    return found, judge(law, box, trial)


def _best_of(ranked: Design) -> Design:
    """The first of several; on the host, where nothing needs to be compiled for it."""
    if not _checks.is_concrete(ranked):
        return jax.tree_util.tree_map(lambda x: x[0], ranked)
    return jax.tree_util.tree_map(lambda x: jax.device_put(np.asarray(x)[0]), ranked)

"""From a wanted friction law to asperities: the nearest of a bank, then least squares."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import _checks, programs
from jaxfric._types import Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Material
from jaxfric.contact._bank import Bank, nearest
from jaxfric.contact._buckets import bucket, cut, pad
from jaxfric.contact._feasibility import Feasibility, judge
from jaxfric.contact._refine import FIT_LOADS, Box, Design, Rows, moved, unpadded
from jaxfric.contact._targets import check_target

RADIUS_BOUNDS = (1e-4, 1e-3)
STARTS, FINALISTS, STEPS = 16, 4, 12
TRIAL = (8, 1, 8)  # the same of a trial


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
) -> Design:
    """The best of several designs for a friction law, each from its own start.

    The `starts` surfaces of the bank whose laws are nearest in shape are refined on some of the
    loads, the `finalists` best of them on all.

    Arguments:
        material: modulus and friction; shear_strength > 0.
        loads: (m,), N, >= 0, increasing.
        target: (m,), the wanted friction, N, increasing.
        bank: from `make_bank`, which sets the number of asperities.
        starts: how many of the bank are refined.
        finalists: how many of those on all loads.
        radius_bounds: m.
        steps: iterations of each of the two stages.
        radii: "free", or "common" for one radius.
        max_height: greatest difference of heights, m; free if left out.
        quantum: heights become multiples of this, m.
        max_indentation: largest δ/R at the largest load; free if left out.

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
        quantum=quantum, max_indentation=max_indentation,
    )  # fmt: skip
    return _first(found)


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
) -> Design:
    """As `design`, but every finalist, the best first: a leading axis of `finalists`."""
    _checks.positive("shear_strength", material.shear_strength)
    effort = Effort(starts, finalists, steps)
    if not 1 <= finalists <= starts:
        raise ValueError(f"finalists must be 1 to starts = {starts}; got {finalists}")
    if starts > bank.load.shape[0]:
        raise ValueError(f"starts = {starts}, but the bank holds {bank.load.shape[0]} laws")
    dtype = bank.load.dtype
    box = Box.of(dtype, radii, radius_bounds, max_height, quantum, max_indentation)
    return _searched(material, loads, target, bank, box, effort, effort)[0]


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
) -> Feasibility:
    """Whether a friction law can be met, why not, how near one comes, and the closest law.

    Two bounds hold for every surface (see `friction_bounds`): one sphere of the smallest radius,
    and all of the largest. A law inside them may still bend as no sum of contacts can; that is
    told by a trial, a shorter search by the same program, whose law is the closest on offer.

    Arguments:
        material: modulus and friction.
        loads: (m,), N, > 0, increasing.
        target: (m,), N, increasing.
        bank: from `make_bank`, which sets the number of asperities.
        radius_bounds: m.
        radii: "free", or "common" for one radius.
        max_height: greatest difference of heights, m; free if left out.
        quantum: heights become multiples of this, m.
        max_indentation: largest δ/R at the largest load; free if left out.

    Returns:
        `Feasibility`; `print` says it in words.

    Raises:
        ValueError: shapes, or (concrete) a target that is no friction law.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> material, loads = Material(1.4e6, 1e5), jnp.linspace(0.01, 1.0, 64)
        >>> from jaxfric.contact import make_bank
        >>> bank = make_bank(2048, key=jax.random.key(0))
        >>> bool(feasibility(material, loads, 1e-3 * loads, bank=bank).feasible)
        False
    """
    count = bank.load.shape[0]
    most = Effort(min(STARTS, count), min(FINALISTS, count), STEPS)
    box = Box.of(bank.load.dtype, radii, radius_bounds, max_height, quantum, max_indentation)
    trial = Effort(min(TRIAL[0], count), *TRIAL[1:])
    return _searched(material, loads, target, bank, box, trial, most)[1]


class Effort(NamedTuple):
    """Of a search."""

    starts: Any
    finalists: Any
    steps: Any


def _searched(
    material: Material, loads: Any, target: Any, bank: Bank, box: Box, effort: Effort, most: Effort
) -> tuple[Design, Feasibility]:
    """The program, on one of a few numbers of loads, and its results without what was added."""
    loads, target = check_target(loads, target)
    if _checks.is_concrete(loads) and (np.diff(np.asarray(loads)) <= 0).any():
        raise ValueError("loads must increase; sort the target by load")
    count, dtype = loads.shape[0], bank.load.dtype
    size = bucket(count)
    found, told = _search(
        material.cast(dtype), *(as_array(pad(x, size), dtype) for x in (loads, target)),
        tuple(Rows.of(count, wanted, size, dtype) for wanted in (FIT_LOADS, None)),
        bank, box, Effort(*(np.asarray(x, np.int32) for x in effort)), most,
    )  # fmt: skip
    return unpadded(found, count), cut(told, count, "load", "target", "closest", "low", "high")


@programs.program
def _search(
    material: Material, loads: Array, target: Array, rows: tuple[Rows, Rows], bank: Bank, box: Box,
    effort: Effort, most: Effort,
) -> tuple[Design, Feasibility]:  # fmt: skip
    """Compiled for the most effort, so that a trial and a design share it."""

    def best(found: Design, among: Array, count: int) -> Design:
        rank = jnp.arange(found.error.shape[0], dtype=among.dtype)
        valid = jnp.isfinite(found.error) & (rank < among)
        order = jnp.argsort(jnp.where(valid, found.error, jnp.inf))[:count]
        return jax.tree_util.tree_map(lambda x: x[order], found)

    def refined(surfaces: Any, box: Box, rows: Rows) -> Design:
        return jax.vmap(
            lambda s: moved(s, material, loads, target, box, rows, effort.steps, most.steps)
        )(surfaces)

    surfaces = nearest(bank, material, loads, target, most.starts, (box.low, box.high))
    found = best(refined(surfaces, box.unrounded(), rows[0]), effort.starts, most.finalists)
    found = best(refined(found.surface, box, rows[1]), effort.finalists, most.finalists)
    trial = jax.tree_util.tree_map(lambda x: x[0], found)
    return found, judge(material, loads, target, box, trial)


def _first(found: Design) -> Design:
    """The best of some; on the host, where nothing needs to be compiled for it."""
    if not _checks.is_concrete(found):
        return jax.tree_util.tree_map(lambda x: x[0], found)
    return jax.tree_util.tree_map(lambda x: jax.device_put(np.asarray(x)[0]), found)

"""Friction laws that one may wish for."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._types import Number, Vector
from jaxfric.contact._arrays import on_device
from jaxfric.contact._asperities import Material, common_dtype


def linear_law(loads: Vector, coefficient: Number) -> Float[Array, " m"]:
    """Amontons' law F = μ P.

    Arguments:
        loads: (m,), N.
        coefficient: μ, > 0.

    Returns:
        (m,), N.

    Raises:
        ValueError: (concrete) μ not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> print(linear_law(jnp.array([1.0, 2.0]), 0.3))
        [0.3 0.6]
    """
    _checks.positive("coefficient", coefficient)
    return jnp.asarray(loads) * coefficient


def bilinear_law(loads: Vector, first: Number, second: Number, at: Number) -> Float[Array, " m"]:
    """F = first · P up to the load `at`, then with slope `second`.

    Arguments:
        loads: (m,), N.
        first: slope up to the kink, > 0.
        second: slope beyond, > 0.
        at: load of the kink, N, > 0.

    Returns:
        (m,), N.

    Raises:
        ValueError: (concrete) a number not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> print(bilinear_law(jnp.array([1.0, 3.0]), 0.2, 0.4, at=2.0))
        [0.2 0.8]
    """
    for name, value in (("first", first), ("second", second), ("at", at)):
        _checks.positive(name, value)
    P = jnp.asarray(loads)
    return jnp.minimum(P, at) * first + jnp.maximum(P - at, 0.0) * second


def power_law(loads: Vector, exponent: Number, friction: Number, at: Number) -> Float[Array, " m"]:
    """F = friction · (P/at)^m; asperities can make 2/3 <= m, and up to some 1.35.

    Arguments:
        loads: (m,), N.
        exponent: m, > 0.
        friction: F at the load `at`, N, > 0.
        at: N, > 0.

    Returns:
        (m,), N.

    Raises:
        ValueError: (concrete) a number not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> print(power_law(jnp.array([1.0, 8.0]), 2 / 3, friction=0.5, at=1.0))
        [0.5 2. ]
    """
    for name, value in (("exponent", exponent), ("friction", friction), ("at", at)):
        _checks.positive(name, value)
    P = jnp.asarray(loads)
    # Where P = 0 the power of an exponent below 1 has no derivative: it is taken of 1 instead
    positive = P > 0
    return jnp.where(positive, friction * (jnp.where(positive, P, 1.0) / at) ** exponent, 0.0)


def friction_bounds(
    asperities: int, material: Material, loads: Vector, radius_bounds: tuple[Number, Number]
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """The least and the most friction that n spheres with radii in bounds can make at each load.

    One smallest sphere, and n equal largest ones:

        σB π R_min^(2/3) (3P/4E*)^(2/3) ≤ F ≤ σB π n^(1/3) R_max^(2/3) (3P/4E*)^(2/3)

    since at one load the area is least where all of it stands on the sharpest sphere, and most
    where it is shared evenly between the bluntest.
    """
    loads = jnp.asarray(loads)
    dtype = loads.dtype
    E, strength = material.constants(dtype)
    # One sphere: P = 4/3 E* √R δ^1.5 and A = π R δ, so A = π R^(2/3) (3P/4E*)^(2/3). Of n equal
    # ones each carries P/n, and n (P/n)^(2/3) = n^(1/3) P^(2/3)
    one = strength * math.pi * jnp.cbrt(3 * loads / (4 * E)) ** 2
    low, high = radius_bounds
    return one * low ** (2 / 3), one * asperities ** (1 / 3) * high ** (2 / 3)


def check_target(loads: Vector, target: Vector) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
    """Loads and target as arrays, or a sentence that says what is wrong with them.

    Friction may stand still as the load grows: no surface does that, but a measurement made to rise
    (`records.measured_law`) does, and a design comes near it.
    """
    _checks.vector("loads", loads)
    _checks.vector("target", target)
    if np.shape(loads) != np.shape(target):
        raise ValueError(
            f"loads and target must agree; got shapes {np.shape(loads)} and {np.shape(target)}"
        )
    if np.shape(loads)[0] < 3:
        raise ValueError(f"a target needs at least 3 loads; got {np.shape(loads)[0]}")
    if _checks.is_concrete(loads, target):
        P, T = np.asarray(loads), np.asarray(target)
        if not (np.isfinite(P).all() and np.isfinite(T).all()):
            where = np.flatnonzero(~(np.isfinite(P) & np.isfinite(T)))[0]
            raise ValueError(f"loads and target must be finite; entry {where} is not")
        if (P < 0).any() or (T < 0).any() or ((T <= 0) & (P > 0)).any():
            raise ValueError("loads must be >= 0 and friction positive wherever the load is")
        if (T[P == 0] > 0).any():
            raise ValueError(
                f"the target has a friction of {T[P == 0].max():.4g} N at zero load, where no sum "
                "of Hertz contacts has any; leave that point out, or take its friction off all"
            )
        # The law may come in any order here; functions that need it sorted say so themselves
        order = np.argsort(P)
        P, T = P[order], T[order]
        if (repeated := np.flatnonzero(np.diff(P) <= 0)).size:
            raise ValueError(
                f"loads must differ from each other; {P[repeated[0]]:.6g} N stands twice. "
                "jaxfric.records.measured_law averages repeats"
            )
        if (falling := np.flatnonzero(np.diff(T) < 0)).size:
            i = falling[0]
            raise ValueError(
                f"the target must increase with the load; it does not after {P[i]:.6g} N, where it "
                f"falls from {T[i]:.6g} to {T[i + 1]:.6g} N. More load can only add contact area; "
                "jaxfric.records.measured_law makes the nearest law that never falls of noise"
            )
    # Each in its own precision: what uses them casts both to that of the surface
    loads, target = (on_device(x, common_dtype(x)) for x in (loads, target))
    return loads, target

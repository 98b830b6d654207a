"""Where asperities stand, and in which cell they repeat: what is wrong with it, and says so."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _checks
from jaxfric._types import Numbers
from jaxfric.contact._arrays import AnyArray, as_array
from jaxfric.contact._asperities import Asperities
from jaxfric.contact._influence import MOST_ASPECT
from jaxfric.contact._outcome import Outcome

# A period of this much more than the most that is allowed was rounded
ROUNDED = 1e-6


class InteractionOutcome(Outcome):
    """Outcomes of `interacting_friction_law` and `interacting_contacts`."""

    bad_position = (
        "positions must be finite and apart from each other, and a period positive, its longer "
        f"side at most {MOST_ASPECT} times its shorter one"
    )
    merged = (
        "contacts of neighbours would run into one another, and each no longer acts on the other "
        "as from afar; lower the loads, or put the asperities farther apart"
    )


def checked_position(
    position: Numbers, surface: Asperities, dtype: jnp.dtype
) -> Float[AnyArray, "n 2"]:
    """(n, 2), or a sentence that says what is wrong."""
    if np.shape(position) != (surface.size, 2):
        raise ValueError(
            f"position must have shape ({surface.size}, 2), x and y of each asperity; got "
            f"{np.shape(position)}"
        )
    if _checks.is_concrete(position, surface):
        used = np.ones(surface.size, bool) if surface.mask is None else np.asarray(surface.mask)
        at, row = np.asarray(position)[used], np.flatnonzero(used)
        if not np.isfinite(at).all():
            bad = row[np.flatnonzero(~np.isfinite(at).all(-1))[0]]
            raise ValueError(f"position must be finite; that of asperity {bad} is not")
        _, first, count = np.unique(at, axis=0, return_index=True, return_counts=True)
        if (count > 1).any():
            one = row[first[np.argmax(count > 1)]]
            raise ValueError(
                f"asperity {one} shares its position with another; give each its own place"
            )
    return as_array(position, dtype)


def checked_period(
    period: Numbers | tuple[float, float], dtype: jnp.dtype
) -> Float[AnyArray, "..."]:
    """() or (2,), or a sentence that says what is wrong."""
    if isinstance(period, tuple):
        concrete = _checks.is_concrete(period)
        period = np.asarray(period, dtype) if concrete else jnp.stack([*map(jnp.asarray, period)])
    if np.shape(period) not in ((), (2,)):
        raise ValueError(f"period must be one length or two (x, y); got shape {np.shape(period)}")
    if _checks.is_concrete(period):
        sides = np.broadcast_to(np.asarray(period), 2)
        if not (np.isfinite(sides) & (sides > 0)).all():
            raise ValueError(f"period must be positive and finite; got {sides} m")
        if sides.max() > MOST_ASPECT * sides.min() * (1 + ROUNDED):
            raise ValueError(
                f"a period of {sides[0]:.4g} by {sides[1]:.4g} m is too long for its width: at "
                f"most {MOST_ASPECT} to 1; repeat the cell along its shorter side"
            )
    return as_array(period, dtype)


def merged(a: Float[Array, "m n"], away: Float[Array, "n n"]) -> Bool[Array, ""]:
    """Whether two contacts, each at its largest, overlap."""
    largest = jnp.max(a, 0)
    return jnp.any(largest[:, None] + largest[None, :] > away)


def valid(
    position: Float[Array, "n 2"], used: Bool[Array, " n"], cell: Float[Array, " 2"] | None,
    away: Float[Array, "n n"],
) -> Bool[Array, ""]:  # fmt: skip
    """Whether positions and period are what `InteractionOutcome.bad_position` asks for."""
    apart = jnp.all(jnp.isfinite(position) | ~used[:, None]) & jnp.all(away > 0)
    if cell is None:
        return apart
    sides = jnp.all(jnp.isfinite(cell) & (cell > 0))
    return apart & sides & (jnp.max(cell) <= MOST_ASPECT * jnp.min(cell) * (1 + ROUNDED))

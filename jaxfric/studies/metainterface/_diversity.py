"""How far designs of one law are apart, where they touch."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.contact._arrays import AnyArray


def touching_heights(found: contact.Design) -> Float[Array, "*batch n"]:
    """Sorted depths below the highest asperity, cut at the deepest indentation, m.

    What lies deeper never touches, and has no part in the law: a distance of whole surfaces would
    call two designs different that differ only where nobody can tell.
    """
    height, mask = found.surface.height, found.surface.mask
    used = jnp.ones(height.shape, bool) if mask is None else mask
    top = jnp.max(jnp.where(used, height, -jnp.inf), -1, keepdims=True)
    reach = jnp.max(found.curve.indentation, -1, keepdims=True)
    # Sorted, as the order of asperities means nothing; masked ones go to the end, and count as deep
    return jnp.minimum(jnp.sort(jnp.where(used, top - height, jnp.inf), -1), reach)


def rms_distance(profiles: Float[Array, "designs n"]) -> Float[Array, ""]:
    """Root of the mean squared difference over all pairs of designs and all asperities."""
    k = profiles.shape[0]
    # Over all k² ordered pairs Σ (a − b)² is 2k Σ (a − mean)² = 2k² var, and k (k − 1) of them are
    # pairs of two designs: no table of pairs has to be made
    return jnp.sqrt(jnp.mean(jnp.var(profiles, axis=0)) * 2 * k / max(k - 1, 1))


def usable_diversity(found: contact.Design, touching: Float[AnyArray, "designs n"]) -> float:
    """`diversity` of the designs that are usable, 0 for fewer than two; on the host."""
    usable = np.asarray(found.usable)
    depth = np.asarray(touching)[usable]
    k = depth.shape[0]
    if k < 2:
        return 0.0
    reach = np.asarray(found.curve.indentation)[usable].max(-1)
    return float(np.sqrt(np.mean(np.var(depth, axis=0)) * 2 * k / (k - 1)) / reach.mean())


def diversity(found: contact.Design) -> Float[Array, ""]:
    """RMS difference of heights where designs touch, over the mean reach."""
    reach = jnp.mean(jnp.max(found.curve.indentation, -1))
    return rms_distance(touching_heights(found)) / reach

"""What the networks of a generator see: one that is trained, and its arrays without flax."""

import jax.numpy as jnp
from jaxtyping import Array, Float

# Relative errors of the law are multiplied by it before a correction sees them: a tenth becomes a
# number of order one. Beyond that the square root in `seen_by_correction` bounds them, so that a
# draft whose law is wrong altogether does not drown everything else that the correction is given.
GAIN = 10.0


def seen_by_draft(
    law: Float[Array, " law"], facts: Float[Array, " facts"], z: Float[Array, " latent"]
) -> Float[Array, " seen"]:
    """The wanted law, the request and the draw."""
    return jnp.concatenate([law, facts, z])


def seen_by_correction(
    draft: Float[Array, " seen"], errors: Float[Array, " law"], head: Float[Array, " outputs"]
) -> Float[Array, " more"]:
    """What the draft saw, the errors r of the state's law as 10 r / √(1 + (10 r)²), the state."""
    g = GAIN * errors
    return jnp.concatenate([draft, g / jnp.sqrt(1 + g**2), head])

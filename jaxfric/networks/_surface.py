"""A generator of asperities: a draft, then corrections that have seen what the draft does."""

from flax import nnx
from jaxtyping import Array, Float

from jaxfric._drafts import seen_by_correction, seen_by_draft
from jaxfric.networks._dense import ResidualMLP


class SurfaceGenerator(nnx.Module):
    """From a wanted law and a draw of z to numbers that decode to a surface.

    A draft, then corrections. Each sees the relative errors r of the law that the state so far
    makes, squashed to g = 10 r / √(1 + (10 r)²); whoever knows the physics supplies them, so the
    network itself knows none.

    Arguments:
        law: numbers that describe the wanted law.
        facts: numbers that describe the request.
        latent: size of z.
        width: of the hidden layers.
        blocks: of the draft and of each correction.
        corrections: their number.
        outputs: size of the state.
        rngs: of the initial weights.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> network = SurfaceGenerator(48, 4, 8, 16, 1, rngs=nnx.Rngs(0))
        >>> law, facts, z = jnp.zeros(48), jnp.zeros(4), jnp.zeros(8)
        >>> head = network.draft(law, facts, z)
        >>> network.correct(0, head, jnp.zeros(48), law, facts, z).shape
        (128,)
    """

    def __init__(
        self,
        law: int = 48,
        facts: int = 69,
        latent: int = 8,
        width: int = 256,
        blocks: int = 4,
        corrections: int = 1,
        outputs: int = 128,
        *,
        rngs: nnx.Rngs,
    ):
        self.latent = latent
        # Every network sees the whole request. A correction sees the errors too, one for each
        # number of the law, and the state that made them
        seen = law + facts + latent
        self.first = ResidualMLP(seen, width, blocks, outputs, rngs=rngs)
        self.later = nnx.List(
            [
                ResidualMLP(seen + law + outputs, width, blocks, outputs, rngs=rngs)
                for _ in range(corrections)
            ]
        )

    def draft(
        self, law: Float[Array, " law"], facts: Float[Array, " facts"], z: Float[Array, " latent"]
    ) -> Float[Array, " outputs"]:
        """The first state."""
        return self.first(seen_by_draft(law, facts, z))

    def correct(
        self,
        k: int,
        head: Float[Array, " outputs"],
        errors: Float[Array, " law"],
        law: Float[Array, " law"],
        facts: Float[Array, " facts"],
        z: Float[Array, " latent"],
    ) -> Float[Array, " outputs"]:
        """The state after correction k; errors: those of the law of `head`."""
        seen = seen_by_correction(seen_by_draft(law, facts, z), errors, head)
        # Added to the state before it: a correction has to learn the difference alone
        return head + self.later[k](seen)

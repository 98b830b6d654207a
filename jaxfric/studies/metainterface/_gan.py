"""A conditional GAN of surface mixtures: a line of the study's table, beside the paper's CVAE."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric._types import Vector
from jaxfric.networks import MLP


class GAN(nnx.Module):
    """A conditional generator of θ and the discriminator it plays against.

    Arguments:
        parameters: size of θ.
        condition: size of c.
        latent: size of the noise.
        hidden: layers of both.
        rngs: of the initial weights.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> GAN(23, 129, 8, (32,), rngs=nnx.Rngs(0)).generate(jnp.zeros(8), jnp.zeros(129)).shape
        (23,)

    Source: I. Goodfellow et al., NeurIPS (2014); M. Mirza and S. Osindero, arXiv:1411.1784.
    """

    def __init__(
        self,
        parameters: int = 23,
        condition: int = 129,
        latent: int = 56,
        hidden: Sequence[int] = (347, 308, 328),
        *,
        rngs: nnx.Rngs,
    ):
        self.latent = latent
        self.generator = MLP((latent + condition, *hidden, parameters), rngs=rngs)
        self.discriminator = MLP((parameters + condition, *hidden, 1), rngs=rngs)

    def generate(self, z: Vector, condition: Vector) -> Float[Array, " parameters"]:
        """θ in [−1, 1]."""
        return jnp.tanh(self.generator(_joined(z, condition)))

    def logit(self, theta: Vector, condition: Vector) -> Float[Array, ""]:
        """Log-odds that θ is no forgery."""
        return self.discriminator(_joined(theta, condition))[0]

    def loss(self, theta: Vector, condition: Vector, z: Vector) -> Float[Array, ""]:
        """One loss for both players: what one of them moves is held still for the other."""
        # One sum of losses makes one gradient step for both players, so that a GAN is trained like
        # any other network. The discriminator sees the forgery without a way back to the generator;
        # the generator is judged by a copy of the discriminator that does not move
        forged = self.generate(z, condition)
        still = jax.tree_util.tree_map(jax.lax.stop_gradient, self)
        real, fake = (
            self.logit(theta, condition),
            self.logit(jax.lax.stop_gradient(forged), condition),
        )
        fooled = GAN.logit(still, forged, condition)
        # softplus(−x) = −ln σ(x)
        return jax.nn.softplus(-real) + jax.nn.softplus(fake) + jax.nn.softplus(-fooled)


def _joined(x: Vector, condition: Vector) -> Float[Array, " n"]:
    """What a player takes in: x, and the condition behind it."""
    return jnp.concatenate([jnp.asarray(x), jnp.asarray(condition)])

"""Variational autoencoders, conditional or not, and a generative adversarial pair."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Key

from jaxfric._types import Vector
from jaxfric.networks._dense import MLP

# Hidden layers of the paper "Friction on Demand": 152 → 1915 → 1723 → 767 → 56 and 185 → 347 → 308
# → 328 → 23, where 152 = 23 parameters + 128 loads + their number of asperities and 185 = 56 + 129.
ENCODER, DECODER = (1915, 1723, 767), (347, 308, 328)


class CVAE(nnx.Module):
    """A variational autoencoder of parameters θ given a condition c (Friction on Demand).

    Encoder (θ, c) → mean and ln variance of q(z | θ, c); decoder (z, c) → tanh → θ in [−1, 1].
    With `condition=0` it is the unconditional VAE.

    Arguments:
        parameters: size of θ; 23 in the paper.
        condition: size of c; 128 loads and the number of asperities in the paper, 0 for none.
        latent: size of z.
        encoder: hidden layers.
        decoder: hidden layers.
        rngs: of the initial weights.

    Raises:
        ValueError: sizes below 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from flax import nnx
        >>> network = CVAE(23, 129, 8, (32,), (32,), rngs=nnx.Rngs(0))
        >>> theta, law = jnp.zeros(23), jnp.zeros(129)
        >>> mean, log_variance = network.encode(theta, law)
        >>> network.decode(mean, law).shape
        (23,)

    Source: arXiv:2511.03735 (layer sizes); K. Sohn, H. Lee and X. Yan, NeurIPS (2015).
    """

    def __init__(
        self,
        parameters: int = 23,
        condition: int = 129,
        latent: int = 56,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
        *,
        rngs: nnx.Rngs,
    ):
        if min(parameters, latent) < 1 or condition < 0:
            raise ValueError(
                f"parameters and latent must be at least 1, condition 0 or more; got {parameters}, "
                f"{latent} and {condition}"
            )
        self.latent = latent
        # The encoder gives two numbers, mean and ln variance, for each of z
        self.encoder = MLP((parameters + condition, *encoder, 2 * latent), rngs=rngs)
        self.decoder = MLP((latent + condition, *decoder, parameters), rngs=rngs)

    def encode(
        self, theta: Vector, condition: Vector | None = None
    ) -> tuple[Float[Array, " latent"], Float[Array, " latent"]]:
        """Mean and ln variance of z, (latent,) each."""
        mean, log_variance = jnp.split(self.encoder(_joined(theta, condition)), 2)
        # The logarithm may be any number and the variance stays positive. The bounds keep e^{ln
        # variance} finite in the first steps of a training, when the network may give anything
        return mean, jnp.clip(log_variance, -20.0, 10.0)

    def decode(self, z: Vector, condition: Vector | None = None) -> Float[Array, " parameters"]:
        """θ in [−1, 1]."""
        # θ is scaled to [−1, 1] before training, and no answer leaves the ranges it was scaled by
        return jnp.tanh(self.decoder(_joined(z, condition)))

    def __call__(
        self, theta: Vector, condition: Vector | None = None, *, key: Key[Array, ""]
    ) -> tuple[Float[Array, " parameters"], Float[Array, " latent"], Float[Array, " latent"]]:
        """(θ decoded from a draw of z, mean, ln variance)."""
        mean, log_variance = self.encode(theta, condition)
        # z = mean + σ ε: the draw ε depends on no weight, so that the gradient passes through z
        noise = jax.random.normal(key, mean.shape, mean.dtype)
        return self.decode(mean + jnp.exp(log_variance / 2) * noise, condition), mean, log_variance


def kl_divergence(
    mean: Float[Array, " latent"], log_variance: Float[Array, " latent"]
) -> Float[Array, ""]:
    """KL of N(mean, variance) from N(0, 1): Σ (μ² + σ² − 1 − ln σ²)/2.

    Arguments:
        mean: (latent,).
        log_variance: (latent,).

    Example:
        >>> import jax.numpy as jnp
        >>> print(kl_divergence(jnp.array([1.0]), jnp.array([0.0])))
        0.5
    """
    return 0.5 * jnp.sum(mean**2 + jnp.exp(log_variance) - 1 - log_variance)


def smooth_l1(
    predicted: Float[Array, "*m"], true: Float[Array, "*m"], beta: float = 1.0
) -> Float[Array, ""]:
    """Mean of e²/(2β) where |e| < β and |e| − β/2 elsewhere.

    Arguments:
        predicted: (m,).
        true: (m,).
        beta: where the square ends.

    Example:
        >>> import jax.numpy as jnp
        >>> print(smooth_l1(jnp.array([0.5, 3.0]), jnp.zeros(2)))
        1.3125
    """
    # optax.huber_loss is β times this term by term, but rounds otherwise unless β is 1
    e = jnp.abs(predicted - true)
    return jnp.mean(jnp.where(e < beta, e**2 / (2 * beta), e - beta / 2))


def _joined(x: Vector, condition: Vector | None) -> Float[Array, " n"]:
    """What a network takes in: x, and the condition behind it if there is one."""
    x = jnp.asarray(x)
    return x if condition is None else jnp.concatenate([x, jnp.asarray(condition)])

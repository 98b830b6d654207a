"""The paper's system: parameters of a mixture from a law, or a law searched in a latent space.

The paper's ranges of parameters, loads and material are not published; those here are ours.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, Key

from jaxfric import contact, training
from jaxfric._types import Vector
from jaxfric.networks import CVAE, MLP, kl_divergence, smooth_l1
from jaxfric.studies.metainterface._gan import GAN

MATERIAL = contact.Material(modulus=1.4e6, shear_strength=4e5)
TOP = 0.05  # the largest load, N
BOUNDS = contact.MixtureBounds()
ASPERITIES = (16, 256)
# ln F/(σB π p) of random surfaces at the top load, about: the condition of a network is what a law
# differs from a typical one
TYPICAL = 1.35
# Size of z; the paper found that 16 collapses
LATENT = 56
# Against the error of the parameters, of a KL divergence for each parameter. Small: the bottleneck
# is to pass the parameters on, and what the paper scores first is how well they come through
KL_WEIGHT = 1e-3
# Of Adam. The adversarial pair gets a fifth: two players that chase each other need smaller steps
RATE, ADVERSARIAL_RATE = 1e-3, 2e-4

Network = TypeVar("Network", CVAE, MLP, GAN)


def study_loads(count: int = 128) -> Float[Array, " count"]:
    """Evenly spaced from 1/count to 1 of the top load, N."""
    # Without zero, where no surface has friction and a relative error has no value
    return jnp.asarray(TOP * np.arange(1, count + 1) / count).astype(jnp.zeros(()).dtype)


class Samples(eqx.Module):
    """What the paper's networks are trained on.

    Attributes:
        theta: (batch, 23), in [−1, 1] of the bounds.
        condition: (batch, 129), the law and the number of asperities, of order one.
    """

    theta: Float[Array, "batch 23"]
    condition: Float[Array, "batch 129"]


def parameter_box() -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each of the 23 parameters under the bounds."""
    # In the order of `SurfaceMixture.to_vector`: three weights, four pairs of means, four triples
    # of variance, covariance, variance
    sh, sR = np.array(BOUNDS.height_deviation), np.array(BOUNDS.radius_deviation)
    # The largest covariance is the largest correlation times both largest deviations; the box holds
    # every valid mixture, and points that are none (covariances too large for small deviations)
    cross = np.array(BOUNDS.correlation) * sh[1] * sR[1]
    means = np.array([BOUNDS.height, BOUNDS.radius])
    covariances = np.array([sh**2, cross, sR**2])
    box = np.concatenate([np.tile([0.0, 1.0], (3, 1)), np.tile(means, (4, 1)),
                          np.tile(covariances, (4, 1))])  # fmt: skip
    return box[:, 0], box[:, 1]


LOW, HIGH = parameter_box()


def scaled(theta: Float[Array, "23"]) -> Float[Array, "23"]:
    """Parameters to [−1, 1], each over its own range: heights are micrometres, weights near one."""
    low, high = (jnp.asarray(x).astype(theta.dtype) for x in (LOW, HIGH))
    return 2 * (theta - low) / (high - low) - 1


def unscaled(x: Float[Array, "23"]) -> Float[Array, "23"]:
    """The inverse of `scaled`."""
    low, high = (jnp.asarray(v).astype(x.dtype) for v in (LOW, HIGH))
    return low + (x + 1) / 2 * (high - low)


def breaks(theta: Float[Array, "23"]) -> Bool[Array, ""]:
    """Whether raw parameters are no mixture: weights or a covariance that cannot be."""
    w, S = theta[:3], theta[11:].reshape(4, 3)
    # Four weights that sum to 1, of which three are given; σ_hR² < σ_h² σ_R², or the covariance is
    # not positive definite; a mean radius that is a length
    bad_weights = jnp.any(w < 0) | (jnp.sum(w) > 1)
    bad_covariance = jnp.any(S[:, 1] ** 2 >= S[:, 0] * S[:, 2])
    return bad_weights | bad_covariance | jnp.any(theta[4:11:2] <= 0)


def clamped(theta: Float[Array, "23"]) -> contact.SurfaceMixture:
    """A mixture of any 23 numbers, as the paper makes one: weights renormalised, the rest cut."""
    w = jnp.clip(theta[:3], 0.0, 1.0)
    w = jnp.concatenate([w, jnp.maximum(1 - jnp.sum(w, keepdims=True), 0.0)])
    means = theta[3:11].reshape(4, 2)
    means = jnp.stack([means[:, 0], jnp.maximum(means[:, 1], BOUNDS.radius[0])], -1)
    S = theta[11:].reshape(4, 3)
    vh = jnp.maximum(S[:, 0], BOUNDS.height_deviation[0] ** 2)
    vR = jnp.maximum(S[:, 2], BOUNDS.radius_deviation[0] ** 2)
    # A little beyond the correlations of ±0.9 that mixtures are drawn with, and still a covariance
    most = 0.95 * jnp.sqrt(vh * vR)
    cross = jnp.clip(S[:, 1], -most, most)
    return contact.SurfaceMixture(
        w / jnp.sum(w), means, jnp.stack([vh, cross, cross, vR], -1).reshape(4, 2, 2)
    )


def condition(
    friction: Float[Array, " m"], count: Int[Array, ""], loads: Vector | None = None
) -> Float[Array, " m+1"]:
    """The law over that of a typical surface, in logs, and the number of asperities.

    Numbers of order one: ln F has a range of many units, most of it the same for every surface.
    """
    P = study_loads() if loads is None else loads
    # Random surfaces are near F ∝ P^0.8 with ln F/(σB π p) = TYPICAL at the top load
    typical = 0.8 * jnp.log(P / TOP)
    level = math.log(float(MATERIAL.shear_strength) * math.pi * TOP / float(MATERIAL.modulus))
    law = 2 * (jnp.log(friction) - typical.astype(friction.dtype) - level - TYPICAL)
    # ln of 16 to 256 asperities is 2.8 to 5.5, about 4.2 in the middle
    n = (jnp.log(count.astype(friction.dtype)) - 4.2)[None]
    return jnp.concatenate([law, n])


def samples(size: int) -> Callable[[Key[Array, ""]], Samples]:
    """A function of a key that draws `size` mixtures and simulates their laws: an endless stream.

    The paper stored 200 million samples; here they are made on the device and never kept.
    """
    stream = contact.law_stream(
        MATERIAL, study_loads(), batch=size, asperities=ASPERITIES, bounds=BOUNDS
    )

    def draw(key: Key[Array, ""]) -> Samples:
        found = stream(key)
        return Samples(
            jax.vmap(scaled)(found.parameters), jax.vmap(condition)(found.friction, found.count)
        )

    return draw


# ---------------------------------------------------------------- losses


def cvae_loss(
    network: CVAE, data: Samples, key: Key[Array, ""]
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Smooth-L1 of the parameters and KL divergence of z from N(0, 1), as in the paper.

    The loss knows the parameters, not the law that they make: what it minimises is not what a
    design is judged by.
    """
    return _elbo(network, data.theta, data.condition, key)


def vae_loss(
    network: CVAE, data: Samples, key: Key[Array, ""]
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The loss of `cvae_loss` for a network without a condition."""
    return _elbo(network, data.theta, jnp.zeros((data.theta.shape[0], 0)), key)


def _elbo(
    network: CVAE,
    theta: Float[Array, "batch 23"],
    given: Float[Array, "batch condition"],
    key: Key[Array, ""],
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    def sample_terms(
        theta: Float[Array, "23"], given: Float[Array, " condition"], key: Key[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        decoded, mean, log_variance = network(theta, given, key=key)
        return smooth_l1(decoded, theta), kl_divergence(mean, log_variance)

    keys = jax.random.split(key, theta.shape[0])
    error, kl = jax.tree_util.tree_map(jnp.mean, jax.vmap(sample_terms)(theta, given, keys))
    # The error is a mean over the 23 parameters: the divergence, a sum over z, is divided likewise
    return error + KL_WEIGHT * kl / theta.shape[1], {"reconstruction": error, "kl": kl}


def mlp_loss(network: MLP, data: Samples, key: Key[Array, ""]) -> Float[Array, ""]:
    """Mean squared error of the parameters.

    Many mixtures make one law, and the smallest squared error is that of their mean: as a baseline
    this tells that a regression is no answer.
    """
    return jnp.mean((jnp.tanh(jax.vmap(network)(data.condition)) - data.theta) ** 2)


def gan_loss(network: GAN, data: Samples, key: Key[Array, ""]) -> Float[Array, ""]:
    """Both players' losses, averaged over a batch."""
    z = jax.random.normal(key, (data.theta.shape[0], network.latent))
    return jnp.mean(jax.vmap(network.loss)(data.theta, data.condition, z))


@dataclass(frozen=True)
class Recipe(Generic[Network]):
    """How one kind of the paper's networks is made and trained.

    Attributes:
        kind: its name, in the names of files.
        build: (size of z, seeds of the weights) → an untrained network.
        loss: (network, samples, key) → loss, or (loss, its terms).
        rate: the highest learning rate.
    """

    kind: str
    build: Callable[[int, nnx.Rngs], Network]
    loss: Callable[
        [Network, Samples, Key[Array, ""]],
        Float[Array, ""] | tuple[Float[Array, ""], dict[str, Float[Array, ""]]],
    ]
    rate: float = RATE


# The layers of `networks.CVAE` are the paper's; the networks beside it get those of its decoder,
# from the same 129 numbers to the same 23
CONDITIONAL = Recipe("cvae", lambda latent, rngs: CVAE(latent=latent, rngs=rngs), cvae_loss)
UNCONDITIONAL = Recipe(
    "vae", lambda latent, rngs: CVAE(condition=0, latent=latent, rngs=rngs), vae_loss
)
REGRESSION = Recipe("mlp", lambda _, rngs: MLP((129, 347, 308, 328, 23), rngs=rngs), mlp_loss)
ADVERSARIAL = Recipe("gan", lambda _, rngs: GAN(rngs=rngs), gan_loss, ADVERSARIAL_RATE)


def train_paper(
    recipe: Recipe[Network], steps: int, *, seed: int = 0, size: int = 256, latent: int = LATENT
) -> training.Trained:
    """Train one of the paper's networks on an endless stream of samples.

    Arguments:
        recipe: which one.
        steps: gradient steps.
        seed: of the weights and of the samples.
        size: samples in a step.
        latent: size of z; the regression and the adversarial pair have sizes of their own.

    Returns:
        `training.Trained`.
    """
    # Twenty entries of the history
    every = max(steps // 20, 1)
    # One cycle, as in the paper: the rate rises to its highest, then falls far below the first
    schedule = optax.cosine_onecycle_schedule(steps, recipe.rate)
    config = {"kind": recipe.kind, "steps": steps, "size": size, "latent": latent, "seed": seed}
    return training.train(
        recipe.loss, recipe.build(latent, nnx.Rngs(seed)), training.Stream(samples(size), every),
        key=jax.random.key(seed), optimiser=optax.adam(schedule), epochs=max(steps // every, 1),
        clip=1.0, config=config,
    )  # fmt: skip


def parameter_smape(guess: Float[Array, "23"], true: Float[Array, "23"]) -> Float[Array, ""]:
    """200 mean |θ̂ − θ| / (|θ̂| + |θ|) of the 23 parameters, percent."""
    total = jnp.abs(guess) + jnp.abs(true)
    # Covariances may be zero in both, which is no error; 0/0 is kept from being computed
    return 200 * jnp.mean(
        jnp.where(total > 0, jnp.abs(guess - true) / jnp.where(total > 0, total, 1.0), 0.0)
    )


def mixture_law(
    mixture: contact.SurfaceMixture, n: int, key: Key[Array, ""], loads: Float[Array, " m"],
    material: contact.Material = MATERIAL,
) -> Float[Array, " m"]:  # fmt: skip
    """The friction of one surface drawn from a mixture, radii cut to the bounds."""
    return contact.friction_law(
        mixture.sample(n, key=key, radii=BOUNDS.radius), material, loads
    ).friction

"""The paper's system: parameters of a mixture from a law, or a law searched in a latent space."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Key

from jaxfric import contact, training
from jaxfric.networks import CVAE, GAN, MLP, kl_divergence, smooth_l1

MATERIAL = contact.Material(modulus=1.4e6, shear_strength=4e5)
TOP = 0.05  # N
BOUNDS = contact.MixtureBounds()
ASPERITIES = (16, 256)
TYPICAL = 1.35  # ln F/(σB π p) of random surfaces at the top load, about
KL_WEIGHT = 1e-3


def study_loads(count: int = 128) -> Float[Array, " count"]:
    """Evenly spaced from 1/count to 1 of the top load, N."""
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
    sh, sR = np.array(BOUNDS.height_deviation), np.array(BOUNDS.radius_deviation)
    cross = np.array(BOUNDS.correlation) * sh[1] * sR[1]
    means = np.array([BOUNDS.height, BOUNDS.radius])
    covariances = np.array([sh**2, cross, sR**2])
    box = np.concatenate([np.tile([0.0, 1.0], (3, 1)), np.tile(means, (4, 1)),
                          np.tile(covariances, (4, 1))])  # fmt: skip
    return box[:, 0], box[:, 1]


LOW, HIGH = parameter_box()


def scaled(theta: Array) -> Array:
    """Parameters to [−1, 1]."""
    low, high = (jnp.asarray(x).astype(theta.dtype) for x in (LOW, HIGH))
    return 2 * (theta - low) / (high - low) - 1


def unscaled(x: Array) -> Array:
    """The inverse of `scaled`."""
    low, high = (jnp.asarray(v).astype(x.dtype) for v in (LOW, HIGH))
    return low + (x + 1) / 2 * (high - low)


def breaks(theta: Float[Array, "23"]) -> Bool[Array, ""]:
    """Whether raw parameters are no mixture: weights or a covariance that cannot be."""
    w, S = theta[:3], theta[11:].reshape(4, 3)
    bad_weights = jnp.any(w < 0) | (jnp.sum(w) > 1)
    bad_covariance = jnp.any(S[:, 1] ** 2 >= S[:, 0] * S[:, 2])
    return bad_weights | bad_covariance | jnp.any(theta[4:11:2] <= 0)


def clamped(theta: Float[Array, "23"]) -> contact.SurfaceMixture:
    """The nearest mixture, as the paper does it: weights renormalised, correlations cut."""
    w = jnp.clip(theta[:3], 0.0, 1.0)
    w = jnp.concatenate([w, jnp.maximum(1 - jnp.sum(w, keepdims=True), 0.0)])
    means = theta[3:11].reshape(4, 2)
    means = jnp.stack([means[:, 0], jnp.maximum(means[:, 1], BOUNDS.radius[0])], -1)
    S = theta[11:].reshape(4, 3)
    vh = jnp.maximum(S[:, 0], BOUNDS.height_deviation[0] ** 2)
    vR = jnp.maximum(S[:, 2], BOUNDS.radius_deviation[0] ** 2)
    most = 0.95 * jnp.sqrt(vh * vR)
    cross = jnp.clip(S[:, 1], -most, most)
    return contact.SurfaceMixture(
        w / jnp.sum(w), means, jnp.stack([vh, cross, cross, vR], -1).reshape(4, 2, 2)
    )


def condition(friction: Array, count: Array, loads: Array | None = None) -> Float[Array, "129"]:
    """The law over that of a typical surface, in logs, and the number of asperities."""
    P = study_loads() if loads is None else loads
    typical = 0.8 * jnp.log(P / TOP)
    level = math.log(float(MATERIAL.shear_strength) * math.pi * TOP / float(MATERIAL.modulus))
    law = 2 * (jnp.log(friction) - typical.astype(friction.dtype) - level - TYPICAL)
    n = (jnp.log(count.astype(friction.dtype)) - 4.2)[None]
    return jnp.concatenate([law, n])


def samples(size: int) -> Callable[[Key[Array, ""]], Samples]:
    """An endless stream of parameters and laws."""
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


def cvae_loss(network: CVAE, data: Samples, key: Array) -> tuple[Array, dict[str, Array]]:
    """Smooth-L1 of the parameters + KL."""
    return _elbo(network, data.theta, data.condition, key)


def vae_loss(network: CVAE, data: Samples, key: Array) -> tuple[Array, dict[str, Array]]:
    """The same without a condition."""
    return _elbo(network, data.theta, jnp.zeros((data.theta.shape[0], 0)), key)


def _elbo(network: CVAE, theta: Array, given: Array, key: Array):  # type: ignore[no-untyped-def]
    def one(theta: Array, given: Array, key: Array) -> tuple[Array, Array]:
        decoded, mean, log_variance = network(theta, given, key=key)
        return smooth_l1(decoded, theta), kl_divergence(mean, log_variance)

    keys = jax.random.split(key, theta.shape[0])
    error, kl = jax.tree_util.tree_map(jnp.mean, jax.vmap(one)(theta, given, keys))
    return error + KL_WEIGHT * kl / theta.shape[1], {"reconstruction": error, "kl": kl}


def mlp_loss(network: MLP, data: Samples, key: Array) -> Array:
    """Squared error of the parameters: a network that can only answer with the mean."""
    return jnp.mean((jnp.tanh(jax.vmap(network)(data.condition)) - data.theta) ** 2)


def gan_loss(network: GAN, data: Samples, key: Array) -> Array:
    """Both players' losses, averaged over a batch."""
    z = jax.random.normal(key, (data.theta.shape[0], network.latent))
    return jnp.mean(jax.vmap(network.loss)(data.theta, data.condition, z))


def train_paper(
    kind: str, steps: int, *, seed: int = 0, size: int = 256, latent: int = 56, **options: Any
) -> training.Trained:
    """Train one of "cvae", "vae", "mlp", "gan" with a one-cycle rate."""
    rngs = nnx.Rngs(seed)
    kinds: dict[str, tuple[Any, Any]] = {
        "cvae": (cvae_loss, lambda: CVAE(latent=latent, rngs=rngs)),
        "vae": (vae_loss, lambda: CVAE(condition=0, latent=latent, rngs=rngs)),
        "mlp": (mlp_loss, lambda: MLP((129, 347, 308, 328, 23), rngs=rngs)),
        "gan": (gan_loss, lambda: GAN(rngs=rngs)),
    }
    loss, network = kinds[kind]
    every = max(steps // 20, 1)
    rate = 2e-4 if kind == "gan" else 1e-3
    schedule = optax.cosine_onecycle_schedule(steps, rate)
    return training.train(
        loss, network(), training.Stream(samples(size), every), key=jax.random.key(seed),
        optimiser=optax.adam(schedule), epochs=max(steps // every, 1), clip=1.0,
        config={"kind": kind, "steps": steps, "size": size, "latent": latent, "seed": seed},
        **options,
    )  # fmt: skip


def parameter_smape(guess: Array, true: Array) -> Float[Array, ""]:
    """200 mean |θ̂ − θ| / (|θ̂| + |θ|) of the 23 parameters, percent."""
    total = jnp.abs(guess) + jnp.abs(true)
    return 200 * jnp.mean(
        jnp.where(total > 0, jnp.abs(guess - true) / jnp.where(total > 0, total, 1.0), 0.0)
    )


def mixture_law(
    mixture: contact.SurfaceMixture, n: int, key: Key[Array, ""], loads: Array,
    material: contact.Material = MATERIAL,
) -> Float[Array, " m"]:  # fmt: skip
    """The friction of one surface drawn from a mixture, radii cut to the bounds."""
    return contact.friction_law(
        mixture.sample(n, key=key, radii=BOUNDS.radius), material, loads
    ).friction

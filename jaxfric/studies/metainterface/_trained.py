"""The networks of the study, each trained once however often the study is killed."""

import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxfric import training
from jaxfric.networks import CVAE, GAN, MLP
from jaxfric.studies._kit import Keeper
from jaxfric.studies.metainterface._model import (
    Generator,
    features,
    load_generator,
    save_generator,
)
from jaxfric.studies.metainterface._network import plain
from jaxfric.studies.metainterface._paper import train_paper
from jaxfric.studies.metainterface._presets import Preset
from jaxfric.studies.metainterface._training import batch, train_generator

SEARCH_LATENT = 16  # of the VAE that is searched: small enough for CMA-ES


class Trained:
    """The networks of a study, trained when they are first asked for, or read back."""

    def __init__(self, keeper: Keeper[Preset]):
        self.keeper, self.plan = keeper, keeper.plan

    def generator(self, seed: int) -> Generator:
        """Ours; a training that was killed is resumed."""
        name = f"generator_{seed}"
        path = self.keeper.out / "networks" / f"{name}.npz"
        if not path.exists():
            began = time.perf_counter()
            trained = train_generator(
                seed, self.plan.generator, shares=self.plan.shares,
                checkpoint=self.keeper.out / "runs" / name,
            )  # fmt: skip
            made = with_statistics(trained.last, self.plan.shares)
            save_generator(path, made, steps=self.plan.generator, seed=seed)
            history = {k: np.asarray(v).tolist() for k, v in trained.history.items()}
            self.keeper.record(f"trained_{name}", history, time.perf_counter() - began)
        return load_generator(path)[0]

    @staticmethod
    def name(kind: str, seed: int, steps: int, latent: int = 56) -> str:
        """Of one of the paper's networks, among the networks and the trainings of the study."""
        return f"{kind}_{latent}_{steps}_{seed}"

    def network(self, kind: str, seed: int, steps: int, latent: int = 56) -> Any:
        """One of the paper's networks."""
        rngs = nnx.Rngs(0)
        template: Any = {
            "cvae": lambda: CVAE(latent=latent, rngs=rngs),
            "vae": lambda: CVAE(condition=0, latent=latent, rngs=rngs),
            "mlp": lambda: MLP((129, 347, 308, 328, 23), rngs=rngs),
            "gan": lambda: GAN(rngs=rngs),
        }[kind]()

        def train(_: Path) -> training.Trained:
            return train_paper(kind, steps, seed=seed, size=self.plan.size, latent=latent)

        name = self.name(kind, seed, steps, latent)
        return self.keeper.network(name, train, template, kind=kind, latent=latent, steps=steps)


def with_statistics(network: Any, shares: tuple[int, ...], times: int = 32) -> Generator:
    """The network, and where requests like those of its training lie."""
    many = tuple(times * share for share in shares)
    drawn = jax.jit(lambda key: batch(key, many))(jax.random.key(123))
    x = np.concatenate([np.asarray(jax.vmap(features)(part), np.float64) for part in drawn])
    mean = x.mean(0)
    # Noise of 1 % of the law (0.05 of a feature) must not make a request strange
    values, vectors = np.linalg.eigh(np.cov(x.T) + 0.05**2 * np.eye(x.shape[1]))
    whitening = vectors / np.sqrt(values)
    far = np.sqrt((((x - mean) @ whitening) ** 2).mean(1))
    to = jnp.zeros(()).dtype
    return Generator(
        plain(network), jnp.asarray(mean, to), jnp.asarray(whitening, to),
        jnp.asarray(np.percentile(far, 99.9), to),
    )  # fmt: skip

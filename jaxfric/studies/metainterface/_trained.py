"""The networks of the study, each trained once however often the study is killed."""

import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxfric import training
from jaxfric.networks import SurfaceGenerator
from jaxfric.studies._kit import Keeper
from jaxfric.studies.metainterface._model import (
    Generator,
    features,
    load_generator,
    save_generator,
)
from jaxfric.studies.metainterface._network import plain
from jaxfric.studies.metainterface._paper import LATENT, Network, Recipe, train_paper
from jaxfric.studies.metainterface._presets import Preset
from jaxfric.studies.metainterface._training import batch, train_generator

SEARCH_LATENT = 16  # of the VAE that is searched: small enough for CMA-ES
# What counts as noise of a request's features: 1 % of the law, as `law_features` multiplies its
# logarithm by five
NOISE = 0.05
COMMON = 99.9  # percent of the training requests that are no farther than the limit


class Trained:
    """The networks of a study, trained when they are first asked for, or read back.

    Arguments:
        keeper: the folder of the study, with its preset.
    """

    def __init__(self, keeper: Keeper[Preset]):
        self.keeper, self.plan = keeper, keeper.plan

    def generator(self, seed: int) -> Generator:
        """Our generator; a training of it that was killed is resumed."""
        name = f"generator_{seed}"
        # Not `keeper.network`: what is kept is the generator with its statistics, in half precision
        # and in the format that ships, and read back so before the study uses it
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
    def name(recipe: Recipe[Network], seed: int, steps: int, latent: int = LATENT) -> str:
        """The name of one of the paper's networks, of its file and of its training."""
        # Everything that makes two trainings different: the same network is trained once, whichever
        # line of the table or analysis asks for it first
        return f"{recipe.kind}_{latent}_{steps}_{seed}"

    def network(
        self, recipe: Recipe[Network], seed: int, steps: int, latent: int = LATENT
    ) -> Network:
        """One of the paper's networks."""

        # Without checkpoints in the folder: a training that was killed begins again
        def train(_: Path) -> training.Trained:
            return train_paper(recipe, steps, seed=seed, size=self.plan.size, latent=latent)

        # The numbers of a template do not matter: they are replaced by those of the file
        template = recipe.build(latent, nnx.Rngs(0))
        name = self.name(recipe, seed, steps, latent)
        return self.keeper.network(
            name, train, template, kind=recipe.kind, latent=latent, steps=steps
        )


def with_statistics(
    network: SurfaceGenerator, shares: tuple[int, ...], times: int = 32
) -> Generator:
    """A generator of a network, with the statistics that tell a strange request.

    Arguments:
        network: after its training.
        shares: requests of each length in a step of its training.
        times: batches that the statistics are drawn from.

    Returns:
        `Generator`.
    """
    many = tuple(times * share for share in shares)
    drawn = jax.jit(lambda key: batch(key, many))(jax.random.key(123))
    x = np.concatenate([np.asarray(jax.vmap(features)(part), np.float64) for part in drawn])
    mean = x.mean(0)
    # Laws of surfaces are smooth: their neighbouring numbers differ so regularly that some
    # directions have nearly no variance, and any noise of a measured target would be infinitely far
    # along them. Noise is added to the variances, so that 1 % of it does not make a request strange
    values, vectors = np.linalg.eigh(np.cov(x.T) + NOISE**2 * np.eye(x.shape[1]))
    # C = V Λ Vᵀ: columns of V Λ^(−1/2) give features that are uncorrelated, of variance one
    whitening = vectors / np.sqrt(values)
    # The distances are not those of a Gaussian, so the limit is no quantile of χ² but one of their
    # own: of a thousand requests that the network was trained for, one is called strange
    far = np.sqrt((((x - mean) @ whitening) ** 2).mean(1))
    to = jnp.zeros(()).dtype
    return Generator(
        network=plain(network),
        mean=jnp.asarray(mean, to),
        whitening=jnp.asarray(whitening, to),
        limit=jnp.asarray(np.percentile(far, COMMON), to),
    )

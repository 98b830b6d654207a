"""Steps and networks that a killed study finds again."""

import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxfric import training
from jaxfric.networks import CVAE, GAN, MLP
from jaxfric.studies._steps import Steps
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


class Kept:
    """The folder of a study: `runs/` holds a JSON for each step, `networks/` what was trained."""

    def __init__(self, plan: Preset, out: Path, progress: bool):
        self.plan, self.out = plan, out
        self.steps = Steps(out, progress)
        self.step, self.record, self.seconds = (
            self.steps.step, self.steps.record, self.steps.seconds,
        )  # fmt: skip

    def training_seconds(self) -> dict[str, float]:
        """Of each network."""
        names = [path.stem for path in sorted((self.out / "runs").glob("trained_*.json"))]
        return {name.removeprefix("trained_"): self.steps.spent(name) for name in names}

    def generator(self, seed: int) -> Generator:
        """Trained (resumed, if killed), or read back."""
        path = self.out / "networks" / f"generator_{seed}.npz"
        if not path.exists():
            began = time.perf_counter()
            trained = train_generator(
                seed, self.plan.generator, shares=self.plan.shares,
                checkpoint=self.out / "runs" / f"generator_{seed}",
            )  # fmt: skip
            made = with_statistics(trained.last, self.plan.shares)
            save_generator(path, made, steps=self.plan.generator, seed=seed)
            history = {k: np.asarray(v).tolist() for k, v in trained.history.items()}
            self.record(f"trained_generator_{seed}", history, time.perf_counter() - began)
        return load_generator(path)[0]

    def network(self, kind: str, seed: int, steps: int, latent: int = 56) -> Any:
        """One of the paper's networks."""
        name = f"{kind}_{latent}_{steps}_{seed}"
        path = self.out / "networks" / f"{name}.npz"
        if not path.exists():
            began = time.perf_counter()
            trained = train_paper(kind, steps, seed=seed, size=self.plan.size, latent=latent)
            training.save_arrays(path, trained.last, kind=kind, latent=latent, steps=steps)
            history = {k: np.asarray(v).tolist() for k, v in trained.history.items()}
            self.record(f"trained_{name}", history, time.perf_counter() - began)
        rngs = nnx.Rngs(0)
        template: Any = {
            "cvae": lambda: CVAE(latent=latent, rngs=rngs),
            "vae": lambda: CVAE(condition=0, latent=latent, rngs=rngs),
            "mlp": lambda: MLP((129, 347, 308, 328, 23), rngs=rngs),
            "gan": lambda: GAN(rngs=rngs),
        }[kind]()
        return training.load_arrays(path, template)[0]


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

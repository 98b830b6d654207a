"""The analyses of the study, step by step, and what its figures show."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import contact
from jaxfric.studies.metainterface import _analyses as analyses
from jaxfric.studies.metainterface._designs import designs
from jaxfric.studies.metainterface._generator import generate
from jaxfric.studies.metainterface._model import Generator
from jaxfric.studies.metainterface._paper import MATERIAL, samples, study_loads
from jaxfric.studies.metainterface._targets import Group
from jaxfric.studies.metainterface._trained import Trained
from jaxfric.studies.metainterface._training import batch
from jaxfric.studies.metainterface._trees import train_trees, trees_installed

LATENTS = (16, 56, 128)
MEASURED = 2000  # samples of a score
PLANE = (400, 200, 100)  # requests of each length for the map of errors


def questions(trained: Trained, targets: list[list[Group]]) -> dict[str, Any]:
    """The paper's questions, of the first seed."""
    plan, step = trained.plan, trained.keeper.step
    middle = targets[0][0]
    measured = min(MEASURED, 100 * plan.targets)
    some = min(plan.searched, plan.targets)

    def cvae(steps: int = plan.paper, latent: int = 56) -> Any:
        return trained.network("cvae", 0, steps, latent)

    def latents() -> list[dict[str, Any]]:
        rows = [("CVAE", 56, plan.paper, cvae(), True)]
        if not plan.brief:
            rows += [("CVAE", k, plan.others, cvae(plan.others, k), True) for k in LATENTS]
        vae = trained.network("vae", 0, plan.others, 56)
        rows.append(("VAE, no condition", 56, plan.others, vae, False))
        return [
            {"network": name, "latent": latent, "steps": steps,
             **analyses.reconstruction(network, measured, conditional)}
            for name, latent, steps, network, conditional in rows
        ]  # fmt: skip

    def regressions() -> list[dict[str, Any]]:
        data = jax.jit(samples(measured))(jax.random.key(analyses.TEST_KEY))
        mlp = trained.network("mlp", 0, plan.others)
        guesses = {
            "MLP": jnp.tanh(jax.vmap(mlp)(data.condition)),
        }
        if trees_installed():
            guesses["trees"] = jax.vmap(train_trees(plan.trees))(data.condition)
        return [
            {"network": k, **analyses.parameter_scores(g, data.theta)} for k, g in guesses.items()
        ]

    def broken() -> dict[str, float]:
        if plan.brief:
            return {"CVAE": analyses.broken(cvae(), measured)}
        gan = trained.network("gan", 0, plan.others)
        return {"CVAE": analyses.broken(cvae(), measured), "GAN": analyses.broken(gan, measured)}

    def perturbed() -> list[dict[str, float]]:
        random = [g[0] for g in targets]
        return [{"asperities": g.asperities, **r} for g in random for r in analyses.perturbation(g)]

    def other_requests() -> list[dict[str, Any]]:
        bank = contact.make_bank(plan.bank, key=jax.random.key(0), asperities=middle.asperities)
        return analyses.requests(trained.generator(0), bank, cvae(), middle, some)

    def warm() -> dict[str, Any]:
        return analyses.saved_evaluations(cvae(), middle, some, 2 * plan.generations)

    found = {
        "reconstruction": step("analysis_latents", latents),
        "plane": step(
            "analysis_plane", lambda: plane(trained.generator(0), plan.targets, plan.shares)
        ),
    }
    if plan.brief:
        return found
    return found | {
        "regressions": step("analysis_regressions", regressions),
        "raw_outputs_broken_percent": step("analysis_broken", broken),
        "perturbed_parameters": step("analysis_perturbation", perturbed),
        "other_requests": step("analysis_requests", other_requests),
        "warm_start": step("analysis_warm", warm),
    }


def plane(made: Generator, most: int, trained: tuple[int, ...]) -> dict[str, list[float]]:
    """Error of one pass for requests of every size, level and load that it was trained on."""
    shares = tuple(min(n, most) if share else 0 for n, share in zip(PLANE, trained, strict=True))
    drawn = jax.jit(lambda key: batch(key, shares))(jax.random.key(9))
    found: dict[str, list[float]] = {"asperities": [], "friction_over_load": [], "error": []}
    strength = float(MATERIAL.shear_strength) * np.pi / float(MATERIAL.modulus)
    for part in drawn:
        error = jax.jit(
            lambda p: jax.lax.map(
                lambda t: generate(made.network, t, jnp.zeros(made.latent)).error, p, batch_size=8
            )
        )(part)
        area = part.unit_height * part.unit_radius  # a and p of `units`, the other way round
        load = part.unit_height * jnp.sqrt(area)
        found["asperities"] += np.asarray(part.count, float).tolist()
        found["friction_over_load"] += np.round(np.asarray(strength * area / load), 5).tolist()
        found["error"] += np.round(np.asarray(error), 5).tolist()
    return found


def shown(made: Generator, same_size: list[Group], count: int) -> list[dict[str, Any]]:
    """Six targets with their designs, for the figure."""
    random, linear, low, _, up, down = same_size
    one = [(random, 0), (random, 1), (linear, -1), (low, 0), (up, -1), (down, -1)]
    chosen = [(g.name, g.friction[i]) for g, i in one]

    @eqx.filter_jit
    def of(target: Any) -> contact.Design:
        return designs(
            MATERIAL, study_loads(), target, key=jax.random.key(1), generator=made, count=count,
            asperities=random.asperities, radius_bounds=contact.RADIUS_BOUNDS,
        )  # fmt: skip

    rows = []
    for name, target in chosen:
        found = of(target)
        reach = np.asarray(found.curve.indentation).max(-1)
        height = np.asarray(found.surface.height)
        depth = height.max(-1, keepdims=True) - height
        radius = np.asarray(found.surface.radius)
        touching = [d < r for d, r in zip(depth, reach, strict=True)]
        rows.append(
            {
                "name": name,
                "load": np.asarray(study_loads()).tolist(),
                "target": np.asarray(target).tolist(),
                "friction": np.asarray(found.friction).tolist(),
                "error": np.asarray(found.error).tolist(),
                "depth": [d[t].tolist() for d, t in zip(depth, touching, strict=True)],
                "radius": [x[t].tolist() for x, t in zip(radius, touching, strict=True)],
            }
        )
    return rows

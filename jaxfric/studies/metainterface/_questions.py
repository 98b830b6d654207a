"""The analyses of the study, step by step, and what its figures show."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.networks import CVAE
from jaxfric.studies.metainterface import _analyses as analyses
from jaxfric.studies.metainterface._analyses import AnalysisRow
from jaxfric.studies.metainterface._designs import designs
from jaxfric.studies.metainterface._generator import generate
from jaxfric.studies.metainterface._model import Generator
from jaxfric.studies.metainterface._paper import (
    ADVERSARIAL,
    CONDITIONAL,
    LATENT,
    MATERIAL,
    REGRESSION,
    UNCONDITIONAL,
    samples,
    study_loads,
)
from jaxfric.studies.metainterface._targets import Group
from jaxfric.studies.metainterface._trained import Trained
from jaxfric.studies.metainterface._training import batch
from jaxfric.studies.metainterface._trees import train_trees, trees_installed

LATENTS = (16, 56, 128)  # sizes of z: the paper found that the smallest collapses
MEASURED = 2000  # samples of a score of networks
PLANE = (400, 200, 100)  # requests of each length for the map of errors


class Questions:
    """The paper's questions, asked of the first seed of the trainings.

    Arguments:
        trained: the networks of the study.
        targets: lists of groups of one number of asperities, random laws first.
    """

    def __init__(self, trained: Trained, targets: list[list[Group]]):
        self.trained, self.targets, self.plan = trained, targets, trained.plan
        self.middle = targets[0][0]
        # A score of networks is cheap: a hundred samples for each law that designs are asked for
        self.measured = min(MEASURED, 100 * self.plan.targets)
        # A design of each target by several methods is not
        self.search_count = min(self.plan.searched, self.plan.targets)

    def cvae(self) -> CVAE:
        """The paper's network, with its own latent size and the longest training."""
        return self.trained.network(CONDITIONAL, 0, self.plan.paper)

    def latents(self) -> list[AnalysisRow]:
        """What comes through bottlenecks of several sizes, with and without the law beside them."""
        networks = [("CVAE", LATENT, self.plan.paper, self.cvae(), True)]
        others = self.plan.others
        if not self.plan.brief:
            networks += [
                ("CVAE", k, others, self.trained.network(CONDITIONAL, 0, others, k), True)
                for k in LATENTS
            ]
        vae = self.trained.network(UNCONDITIONAL, 0, others, LATENT)
        networks.append(("VAE, no condition", LATENT, others, vae, False))
        return [
            {"network": name, "latent": latent, "steps": steps,
             **analyses.reconstruction(network, self.measured, conditional)}
            for name, latent, steps, network, conditional in networks
        ]  # fmt: skip

    def regressions(self) -> list[AnalysisRow]:
        """How well a law tells the parameters: badly, as many mixtures have the same law."""
        data = jax.jit(samples(self.measured))(jax.random.key(analyses.TEST_KEY))
        mlp = self.trained.network(REGRESSION, 0, self.plan.others)
        guesses = {
            "MLP": jnp.tanh(jax.vmap(mlp)(data.condition)),
        }
        if trees_installed():
            guesses["trees"] = jax.vmap(train_trees(self.plan.trees))(data.condition)
        return [
            {"network": k, **analyses.parameter_scores(g, data.theta)} for k, g in guesses.items()
        ]

    def broken(self) -> dict[str, float]:
        """Shares of raw outputs that are no mixture and have to be clamped, percent."""
        if self.plan.brief:
            return {"CVAE": analyses.broken(self.cvae(), self.measured)}
        gan = self.trained.network(ADVERSARIAL, 0, self.plan.others)
        return {
            "CVAE": analyses.broken(self.cvae(), self.measured),
            "GAN": analyses.broken(gan, self.measured),
        }

    def perturbed(self) -> list[AnalysisRow]:
        """What small errors of the parameters cost, for every number of asperities."""
        random = [groups[0] for groups in self.targets]
        return [{"asperities": g.asperities, **r} for g in random for r in analyses.perturbation(g)]

    def other_requests(self) -> list[AnalysisRow]:
        """Targets that no surface made as they are, and another material."""
        bank = contact.make_bank(
            self.plan.bank, key=jax.random.key(0), asperities=self.middle.asperities
        )
        return analyses.requests(
            self.trained.generator(0), bank, self.cvae(), self.middle, self.search_count
        )

    def warm(self) -> dict[str, object]:
        """Whether a network's guess saves a search any work."""
        return analyses.saved_evaluations(
            self.cvae(), self.middle, self.search_count, 2 * self.plan.generations
        )

    def plane(self) -> dict[str, list[float]]:
        """The errors of one pass over all that the generator was trained on."""
        return plane(self.trained.generator(0), self.plan.targets, self.plan.shares)

    def answers(self) -> dict[str, object]:
        """Every analysis by name, each a step of the study; few for the shortest preset."""
        step = self.trained.keeper.step
        found: dict[str, object] = {
            "reconstruction": step("analysis_latents", self.latents),
            "plane": step("analysis_plane", self.plane),
        }
        if self.plan.brief:
            return found
        return found | {
            "regressions": step("analysis_regressions", self.regressions),
            "raw_outputs_broken_percent": step("analysis_broken", self.broken),
            "perturbed_parameters": step("analysis_perturbation", self.perturbed),
            "other_requests": step("analysis_requests", self.other_requests),
            "warm_start": step("analysis_warm", self.warm),
        }


def plane(generator: Generator, most: int, trained: tuple[int, ...]) -> dict[str, list[float]]:
    """Error of one pass for requests of every size, level and load that it was trained on.

    Arguments:
        generator: ours.
        most: requests of one length, at the most.
        trained: shares of its training; lengths that it has not seen are left out.

    Returns:
        Columns: asperities, friction over load at the largest load, error (sMAPE, percent).
    """
    shares = tuple(min(n, most) if share else 0 for n, share in zip(PLANE, trained, strict=True))
    drawn = jax.jit(lambda key: batch(key, shares))(jax.random.key(9))
    found: dict[str, list[float]] = {"asperities": [], "friction_over_load": [], "error": []}
    strength = float(MATERIAL.shear_strength) * np.pi / float(MATERIAL.modulus)
    for part in drawn:
        # A few at a time: surfaces of 1,024 asperities at 48 loads would fill the memory
        error = jax.jit(
            lambda p: jax.lax.map(
                lambda t: generate(generator.network, t, jnp.zeros(generator.latent)).error,
                p, batch_size=8,
            )
        )(part)  # fmt: skip
        # H₀ = p/√a and R₀ = a^1.5/p of `units`, the other way round: a = H₀ R₀, p = H₀ √a. With
        # F = σBπ a and P = E* p the friction over load is σBπ/E* times a/p
        area = part.unit_height * part.unit_radius
        load = part.unit_height * jnp.sqrt(area)
        found["asperities"] += np.asarray(part.count, float).tolist()
        found["friction_over_load"] += np.round(np.asarray(strength * area / load), 5).tolist()
        found["error"] += np.round(np.asarray(error), 5).tolist()
    return found


def shown(generator: Generator, same_size: list[Group], count: int) -> list[dict[str, object]]:
    """Six targets with their designs, for the figure.

    Arguments:
        generator: ours.
        same_size: random laws, and the five families in the order of `families`.
        count: designs of each target.

    Returns:
        One dictionary for a target: its law, those of the designs, and what of them touches.
    """
    random, linear, low, _, up, down = same_size
    # Two random laws, and of each family the one that is farthest from what random surfaces make
    places = [(random, 0), (random, 1), (linear, -1), (low, 0), (up, -1), (down, -1)]
    chosen = [(g.name, g.friction[i]) for g, i in places]

    @eqx.filter_jit
    def designs_for(target: Float[Array, " loads"]) -> contact.Design:
        return designs(
            MATERIAL, study_loads(), target, key=jax.random.key(1), generator=generator,
            count=count, asperities=random.asperities, radius_bounds=contact.RADIUS_BOUNDS,
        )  # fmt: skip

    rows: list[dict[str, object]] = []
    for name, target in chosen:
        found = designs_for(target)
        reach = np.asarray(found.curve.indentation).max(-1)
        height = np.asarray(found.surface.height)
        depth = height.max(-1, keepdims=True) - height
        radius = np.asarray(found.surface.radius)
        # How many touch differs between designs: rows of different lengths, so lists
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

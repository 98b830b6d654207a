"""Every line of the table: what is asked, which network it needs, of which targets.

A new line is an entry here; what it does with a target is a function of `_answers`.
"""

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.networks import CVAE, MLP
from jaxfric.studies._kit import Method
from jaxfric.studies.metainterface import _answers as methods
from jaxfric.studies.metainterface._gan import GAN
from jaxfric.studies.metainterface._paper import (
    ADVERSARIAL,
    CONDITIONAL,
    LATENT,
    REGRESSION,
    UNCONDITIONAL,
    Network,
    Recipe,
)
from jaxfric.studies.metainterface._targets import random_group
from jaxfric.studies.metainterface._trained import SEARCH_LATENT, Trained
from jaxfric.studies.metainterface._trees import train_trees, trees_installed

UNASKED = 4_000  # seed of random laws that are nobody's target
RANDOM = 1000  # how many of them
OURS, BANK = "ours", "bank"
BEST = "best"  # control: of all designs of a target


class Line(NamedTuple):
    """A line of the table, and how it is asked.

    Attributes:
        method: what tells it from the others.
        build: makes what answers a target.
        network: name of the network that it needs, whose training time is put beside its rows.
        known: it is asked only for targets whose mixture is known.
        searched: it is too slow for all targets and sizes.
        twice: its designs are a surface, and another one of the same mixture.
        brief: whether the shortest preset has it.
    """

    method: Method
    build: Callable[[], methods.Answering]
    network: str | None = None
    known: bool = False
    searched: bool = False
    twice: bool = False
    brief: bool = True


class Lines:
    """The lines for one number of asperities and one seed of the trainings.

    Networks are trained, and the bank is made, when a line that needs them is built: the lines can
    be listed at no cost, and a resumed study makes only what its missing rows need.

    Arguments:
        trained: the networks of the study.
        asperities: how many a design should have.
        seed: of the trainings.
    """

    def __init__(self, trained: Trained, asperities: int, seed: int):
        self.trained, self.asperities, self.seed = trained, asperities, seed
        self.plan = trained.plan

    def __iter__(self) -> Iterator[Line]:
        for line in (*self._yardsticks(), *self._retrieval(), *self._paper(), *self._ours()):
            if line.brief or not self.plan.brief:
                yield line

    @cached_property
    def bank(self) -> contact.Bank:
        """The random laws that retrieval looks at; the same for every seed."""
        return contact.make_bank(self.plan.bank, key=jax.random.key(0), asperities=self.asperities)

    @cached_property
    def laws(self) -> Float[Array, "laws loads"]:
        """Laws of random surfaces that are no targets."""
        return random_group(RANDOM, self.asperities, seed=UNASKED).friction

    def _yardsticks(self) -> Iterator[Line]:
        n = self.asperities
        yield Line(Method("constant"), lambda: methods.constant)
        yield Line(Method("random surface"), lambda: methods.best_random(self.laws, 1))
        yield Line(Method("best of 1,000 random"), lambda: methods.best_random(self.laws, RANDOM))
        yield Line(Method("true mixture, redrawn"), lambda: methods.redrawn(n), known=True)

    def _retrieval(self) -> Iterator[Line]:
        for steps in (0, 3, 10):
            yield Line(
                Method(BANK, control=_least_squares(steps)),
                partial(self._retrieved, steps),
                brief=False,
            )
        yield Line(Method(BANK, control=BEST), partial(self._retrieved, 10, best=True))

    # A method, since a function in the loop above would see the loop's last number of steps
    def _retrieved(self, steps: int, best: bool = False) -> methods.Answering:
        return methods.retrieval(self.bank, self.plan.designs, steps, best=best)

    def _paper(self) -> Iterator[Line]:
        yield from self._regressions()
        yield from self._generators()
        yield from self._searches()

    def _regressions(self) -> Iterator[Line]:
        n, plan = self.asperities, self.plan

        def mlp() -> MLP:
            return self.trained.network(REGRESSION, self.seed, plan.others)

        yield Line(
            Method("MLP"), lambda: methods.regressed(methods.bounded(mlp()), n),
            network=self._name(REGRESSION, plan.others), brief=False,
        )  # fmt: skip
        # scikit-learn comes with the extra `bench`: without it the study has one line less
        if trees_installed():
            yield Line(
                Method("trees"), lambda: methods.regressed(train_trees(plan.trees), n), brief=False
            )

    def _generators(self) -> Iterator[Line]:
        n, count, plan = self.asperities, self.plan.designs, self.plan

        def gan() -> GAN:
            return self.trained.network(ADVERSARIAL, self.seed, plan.others)

        def cvae() -> CVAE:
            return self.trained.network(CONDITIONAL, self.seed, plan.paper)

        yield Line(
            Method("GAN"), lambda: methods.generated(gan().generate, gan().latent, n, count),
            network=self._name(ADVERSARIAL, plan.others), brief=False,
        )  # fmt: skip
        # Asked as a user has to, with z from the prior; and given the true parameters to encode, as
        # in the paper's score of the parameters
        yield Line(
            Method("CVAE", control="prior"),
            lambda: methods.generated(cvae().decode, cvae().latent, n, count),
            network=self._name(CONDITIONAL, plan.paper),
        )
        yield Line(
            Method("CVAE", control="posterior"), lambda: methods.reconstructed(cvae(), n),
            network=self._name(CONDITIONAL, plan.paper), known=True, twice=True,
        )  # fmt: skip

    def _searches(self) -> Iterator[Line]:
        n, plan = self.asperities, self.plan

        def vae() -> CVAE:
            return self.trained.network(UNCONDITIONAL, self.seed, plan.paper, SEARCH_LATENT)

        def searched(network: CVAE | None) -> methods.Answering:
            return methods.searched(
                n, network, generations=plan.generations, restarts=plan.restarts
            )

        yield Line(
            Method("VAE + CMA-ES"), lambda: searched(vae()),
            network=self._name(UNCONDITIONAL, plan.paper, SEARCH_LATENT), searched=True,
            twice=True,
        )  # fmt: skip
        # Whether the latent space helps the search: the same without a network
        yield Line(
            Method("CMA-ES on parameters"), lambda: searched(None), searched=True, twice=True,
            brief=False,
        )  # fmt: skip

    def _name(self, recipe: Recipe[Network], steps: int, latent: int = LATENT) -> str:
        return self.trained.name(recipe, self.seed, steps, latent)

    def _ours(self) -> Iterator[Line]:
        n, count = self.asperities, self.plan.designs

        def line(control: str, count: int, steps: int, brief: bool = True) -> Line:
            def build() -> methods.Answering:
                generator = self.trained.generator(self.seed)
                return methods.ours(generator, n, count, steps, best=control == BEST)

            return Line(
                Method(OURS, control=control), build, network=f"generator_{self.seed}", brief=brief
            )

        # From one design without any step to what the same designs are worth after as many steps as
        # retrieval gets: what the network gives, and what least squares adds to it
        yield line("one pass", 1, 0)
        yield line("drawn", count, 0)
        yield line(_least_squares(1), count, 1, brief=False)
        yield line(_least_squares(3), count, 3)
        yield line(_least_squares(10), count, 10, brief=False)
        yield line(BEST, count, 10)


def _least_squares(steps: int) -> str:
    """The control of a line: steps of Levenberg–Marquardt after a design was found."""
    return f"{steps} LM" if steps else "as found"

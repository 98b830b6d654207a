"""Every line of the table: what is asked, which network it needs, of which targets.

A new line is an entry here; what it does with a target is a function of `_methods`.
"""

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
from jaxtyping import Array

from jaxfric import contact
from jaxfric.studies._kit import Method
from jaxfric.studies.metainterface import _methods as methods
from jaxfric.studies.metainterface._targets import random_group
from jaxfric.studies.metainterface._trained import SEARCH_LATENT, Trained
from jaxfric.studies.metainterface._trees import train_trees, trees_installed

UNASKED = 4_000  # seed of random laws that are nobody's target
OURS, BANK = "ours", "bank"
BEST = "best"  # control: of all designs of a target


class Line(NamedTuple):
    """A line of the table, and how it is asked.

    Attributes:
        method: what tells it from the others.
        build: makes what answers a target.
        network: name of the training it needs.
        known: only of targets whose mixture is known.
        searched: too slow for all targets and sizes.
        twice: its designs are a surface, and another one of the same mixture.
        brief: belongs to the shortest run.
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

    Networks are trained, and the bank is made, when a line that needs them is built.
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
        return contact.make_bank(self.plan.bank, key=jax.random.key(0), asperities=self.asperities)

    @cached_property
    def laws(self) -> Array:
        """Of random surfaces."""
        return random_group(1000, self.asperities, seed=UNASKED).friction

    def _yardsticks(self) -> Iterator[Line]:
        n = self.asperities
        yield Line(Method("constant"), lambda: methods.constant)
        yield Line(Method("random surface"), lambda: methods.best_random(self.laws, 1))
        yield Line(Method("best of 1,000 random"), lambda: methods.best_random(self.laws, 1000))
        yield Line(Method("true mixture, redrawn"), lambda: methods.redrawn(n), known=True)

    def _retrieval(self) -> Iterator[Line]:
        for steps in (0, 3, 10):
            yield Line(
                Method(BANK, control=_least_squares(steps)),
                partial(self._retrieved, steps),
                brief=False,
            )
        yield Line(Method(BANK, control=BEST), partial(self._retrieved, 10, best=True))

    def _retrieved(self, steps: int, best: bool = False) -> methods.Answering:
        return methods.retrieval(self.bank, self.plan.designs, steps, best=best)

    def _paper(self) -> Iterator[Line]:
        n, count, plan = self.asperities, self.plan.designs, self.plan
        network = self.trained.network
        search = {"generations": plan.generations, "restarts": plan.restarts}

        def mlp() -> Any:
            return network("mlp", self.seed, plan.others)

        def gan() -> Any:
            return network("gan", self.seed, plan.others)

        def cvae() -> Any:
            return network("cvae", self.seed, plan.paper)

        def vae() -> Any:
            return network("vae", self.seed, plan.paper, SEARCH_LATENT)

        def name(kind: str, steps: int, latent: int = 56) -> str:
            return self.trained.name(kind, self.seed, steps, latent)

        yield Line(
            Method("MLP"), lambda: methods.regressed(methods.bounded(mlp()), n),
            network=name("mlp", plan.others), brief=False,
        )  # fmt: skip
        if trees_installed():
            yield Line(
                Method("trees"), lambda: methods.regressed(train_trees(plan.trees), n), brief=False
            )
        yield Line(
            Method("GAN"), lambda: methods.generated(gan().generate, gan().latent, n, count),
            network=name("gan", plan.others), brief=False,
        )  # fmt: skip
        yield Line(
            Method("CVAE", control="prior"),
            lambda: methods.generated(cvae().decode, cvae().latent, n, count),
            network=name("cvae", plan.paper),
        )
        yield Line(
            Method("CVAE", control="posterior"), lambda: methods.reconstructed(cvae(), n),
            network=name("cvae", plan.paper), known=True, twice=True,
        )  # fmt: skip
        yield Line(
            Method("VAE + CMA-ES"), lambda: methods.searched(n, vae(), **search),
            network=name("vae", plan.paper, SEARCH_LATENT), searched=True, twice=True,
        )  # fmt: skip
        yield Line(
            Method("CMA-ES on parameters"), lambda: methods.searched(n, None, **search),
            searched=True, twice=True, brief=False,
        )  # fmt: skip

    def _ours(self) -> Iterator[Line]:
        n, count = self.asperities, self.plan.designs

        def line(control: str, count: int, steps: int, brief: bool = True) -> Line:
            def build() -> methods.Answering:
                made = self.trained.generator(self.seed)
                return methods.ours(made, n, count, steps, best=control == BEST)

            return Line(
                Method(OURS, control=control), build, network=f"generator_{self.seed}", brief=brief
            )

        yield line("one pass", 1, 0)
        yield line("drawn", count, 0)
        yield line(_least_squares(1), count, 1, brief=False)
        yield line(_least_squares(3), count, 3)
        yield line(_least_squares(10), count, 10, brief=False)
        yield line(BEST, count, 10)


def _least_squares(steps: int) -> str:
    """Of Levenberg–Marquardt, after the design was found."""
    return f"{steps} LM" if steps else "as found"

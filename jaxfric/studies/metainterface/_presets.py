"""How much of the study each preset runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """How much of the study to run.

    Arguments:
        seeds: trainings of the generator and of the paper's networks.
        generator: gradient steps of the generator, three designs for each request.
        paper: gradient steps of CVAE and VAE.
        others: gradient steps of the networks beside them.
        size: samples in a step of the paper's networks.
        trees: samples for the trees.
        targets: random laws of 64 asperities; half as many of 16 and 256.
        family: laws of each family.
        searched: targets of the searches.
        generations: the budget of CMA-ES.
        restarts: searches by CMA-ES for one target, the best of which counts.
        bank: random laws of the retrieval bank.
        designs: designs of one target.
        shares: requests for up to 64, 256 and 1,024 asperities in a step of the generator.
        counts: numbers of asperities asked for; the families are asked of the first.
        brief: leave out methods and questions that add time and no code.
    """

    seeds: int
    generator: int
    paper: int
    others: int
    size: int
    trees: int
    targets: int
    family: int
    searched: int
    generations: int
    restarts: int
    bank: int = 200_000
    designs: int = 16
    shares: tuple[int, int, int] = (128, 16, 2)
    counts: tuple[int, ...] = (64, 16, 256)
    brief: bool = False


PRESETS = {
    # Every kind of step once, in two minutes: the networks learn nothing, and the numbers mean
    # nothing. Continuous integration runs it to see that the study comes to its end
    "smoke": Preset(
        seeds=1, generator=4, paper=20, others=20, size=32, trees=64, targets=3, family=1,
        searched=1, generations=3, restarts=1, bank=256, designs=4, shares=(8, 0, 0), counts=(64,),
        brief=True,
    ),
    # Half an hour on two cores: the table of docs/studies/friction-on-demand.md
    "laptop": Preset(
        seeds=1, generator=7000, paper=2000, others=600, size=256, trees=4000, targets=200,
        family=16, searched=64, generations=200, restarts=6,
    ),
    # For a GPU: the paper's networks see 200 million samples (steps times size), as in the paper
    "paper": Preset(
        seeds=3, generator=200_000, paper=200_000, others=50_000, size=1024, trees=100_000,
        targets=1000, family=64, searched=64, generations=600, restarts=12, bank=1_000_000,
    ),
}  # fmt: skip

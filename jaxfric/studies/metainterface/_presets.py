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
        generations: of CMA-ES.
        restarts: of CMA-ES.
        bank: random laws of the retrieval bank.
        designs: of one target.
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
    "smoke": Preset(1, 4, 20, 20, 32, 64, 3, 1, 1, 3, 1, 256, 4, (8, 0, 0), (64,), brief=True),
    "laptop": Preset(1, 7000, 2000, 600, 256, 4000, 200, 16, 64, 200, 6),
    "paper": Preset(3, 200_000, 200_000, 50_000, 1024, 100_000, 1000, 64, 64, 600, 12, 1_000_000),
}

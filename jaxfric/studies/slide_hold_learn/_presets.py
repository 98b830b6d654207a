"""How much of the study each preset runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field

SHOWN = ("paper", "gru", "cell")  # recipes that the figures compare
# Networks that the paper names as next. They are trained on the largest clean set of the aging law
# alone, which is enough to tell whether one of them would be worth more.
OTHERS = ("stacked gru", "lstm", "transformer")


@dataclass(frozen=True, order=True)
class Case:
    """One training: which data, how much, which network, which seed.

    Attributes:
        jumps: "free" (anywhere, as in the paper) or "grid" (on samples, where nothing is hidden).
        evolution: of the law, "aging" or "slip".
        noise: "clean" or "noisy".
        size: training sequences.
        recipe: a name of `RECIPES`.
        seed: of data and weights.
    """

    jumps: str
    evolution: str
    noise: str
    size: int
    recipe: str
    seed: int

    @property
    def name(self) -> str:
        """One word, for files."""
        recipe = self.recipe.replace(" ", "-")
        return f"{self.jumps}_{self.evolution}_{self.noise}_{self.size}_{recipe}_{self.seed}"

    def shown(self, plan: "Preset") -> bool:
        """Whether figures show it: the first seed of the largest clean sets of the aging law."""
        kind = (self.evolution, self.noise, self.size, self.seed)
        return kind == ("aging", "clean", max(plan.sizes), 0) and self.recipe in SHOWN


@dataclass(frozen=True)
class Preset:
    """How much of the study to run.

    Arguments:
        sizes: training sequences.
        seeds: trainings of each case, each with its own data and weights.
        tests: test sequences.
        steps: gradient steps of each recipe.
        long_gru: gradient steps of the GRU on 1,000 clean sequences of the aging law on the grid.
        evolutions: laws.
        noises: "clean", "noisy".
        jumps: "free", "grid".
        draws: of hidden jump positions for the floor, per test sequence.
        appendix: sequences and epochs of the appendix's study.
    """

    sizes: tuple[int, ...]
    seeds: int
    tests: int
    steps: dict[str, int]
    long_gru: int
    evolutions: tuple[str, ...] = ("aging", "slip")
    noises: tuple[str, ...] = ("clean", "noisy")
    jumps: tuple[str, ...] = ("free", "grid")
    draws: int = field(default=256)
    appendix: tuple[int, int] = (12_000, 50)

    def cases(self) -> Iterator[Case]:
        """Every training, in the order in which they run."""
        for size in self.sizes:
            for recipe in ("cell", "gru", "paper"):
                for noise in self.noises:
                    for jumps in self.jumps:
                        for evolution in self.evolutions:
                            for seed in range(self.seeds):
                                yield Case(jumps, evolution, noise, size, recipe, seed)
            if "free" in self.jumps:
                for evolution in self.evolutions:
                    for seed in range(self.seeds):
                        yield Case("free", evolution, "clean", size, "cell with slip", seed)

        for recipe in OTHERS:
            for jumps in self.jumps:
                for seed in range(self.seeds):
                    yield Case(jumps, "aging", "clean", max(self.sizes), recipe, seed)

    def gradient_steps(self, case: Case) -> int:
        """How long a case is trained."""
        # On a grid the floor is zero, and what limits a GRU is its training: one case is trained
        # until it shows how far the network goes. The others share the time that is left
        if case.recipe == "gru" and (case.jumps, case.evolution, case.noise, case.size) == (
            "grid", "aging", "clean", 1000,
        ):  # fmt: skip
            return self.long_gru
        return self.steps["gru" if case.recipe in OTHERS else case.recipe]


# Gradient steps of each recipe in the preset "laptop", by what they cost: all of it takes half an
# hour on two cores. The paper trains until nothing improves, up to 1,000 epochs: its recipe is far
# from done after 800 steps, as the table of the study says.
_SHORT = {"cell": 2000, "cell with slip": 2000, "gru": 1500, "paper": 800}
_LONG = {"cell": 20_000, "cell with slip": 20_000, "gru": 50_000, "paper": 100_000}
# The paper tests on 3,000 sequences, and trains its appendix on 12,000 for 50 epochs.
PRESETS = {
    "smoke": Preset(
        sizes=(10,),
        seeds=1,
        tests=50,
        steps=dict.fromkeys(_SHORT, 40),
        long_gru=40,
        evolutions=("aging",),
        noises=("clean",),
        draws=4,
        appendix=(40, 2),
    ),
    "laptop": Preset(
        sizes=(10, 100, 1000),
        seeds=3,
        tests=3000,
        steps=_SHORT,
        long_gru=60_000,
        appendix=(1000, 10),
    ),
    "paper": Preset(
        sizes=(10, 100, 1000, 10_000), seeds=5, tests=3000, steps=_LONG, long_gru=100_000
    ),
}

"""Every line of the table: which networks are asked, what of them is tuned, what is different.

A line is an entry of `METHODS`, at every number of cycles, or of `COMPARED`, at six. A new way of
asking is an entry of `CONTROLS` and a line that names it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, PyTree

from jaxfric import training
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import Answer, ask_images, ask_sequence, mean_of
from jaxfric.studies.fault_slip._image_training import image_network
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._presets import Preset
from jaxfric.studies.fault_slip._trained import Trained
from jaxfric.studies.fault_slip._training import members, sequence_network

MIDDLE = 6  # cycles of the paper's cross-training: 60 s of its record
KINDS = ("sequence", "encoder-decoder")
BOTH = "both"  # the mean of the two
# Of networks that were never trained on simulations. Seeds of trained ones count from 0: with the
# same seed a fresh network would begin with the weights that a trained one began with.
FRESH_SEED = 100

# "inferred" is the level from the cycles seen, and nothing later; "given" is the paper's way, with
# mean and spread of the whole record.
METHODS = (
    Method("sequence", "none", "inferred"),
    Method("sequence", "none", "given"),
    Method("sequence", "latent", "inferred"),
    Method("sequence", "all", "inferred"),
    Method("sequence", "all", "given"),
    Method("encoder-decoder", "none", "inferred"),
    Method("encoder-decoder", "latent", "inferred"),
    Method("encoder-decoder", "all", "inferred"),
    Method(BOTH, "none", "inferred"),
    Method(BOTH, "latent", "inferred"),
    Method(BOTH, "all", "inferred"),
)
# What each part of the method is worth: the level, the simulations, the level path without them,
# and the trained latent part without the rest of the network.
COMPARED = (
    Method("sequence", "latent", "given"),
    Method("sequence", "all", "inferred", control="from scratch"),
    Method("sequence", "all", "inferred", control="from scratch, no level path"),
    Method("sequence", "latent", "inferred", control="random"),
    Method("encoder-decoder", "none", "given"),
    Method(BOTH, "none", "given"),
    Method("encoder-decoder", "latent", "given"),
    Method("encoder-decoder", "all", "inferred", control="from scratch"),
)


class Control(NamedTuple):
    """What a comparison takes away.

    Attributes:
        trained: "all" of the network was trained on simulations, only the "latent" part, or "none".
        drift: whether the inferred level may relax.
    """

    trained: str = "all"
    drift: bool = True


CONTROLS = {
    "": Control(),
    "from scratch": Control(trained="none"),
    "from scratch, no level path": Control(trained="none", drift=False),
    # The trained latent part is tuned between frozen random parts: if this were as good, tuning
    # alone would do, and what the frozen parts learnt on simulations would be of no use
    "random": Control(trained="latent"),
}


def methods(cycles: int, plan: Preset) -> Iterator[Method]:
    """The lines of one number of cycles."""
    yield from METHODS
    if cycles == MIDDLE:
        yield from (Method("sequence", part, "inferred") for part in plan.controls)
        if plan.comparisons:
            yield from COMPARED


class Answers:
    """What each method says of each laboratory, asked once: a figure shows what a row measured.

    Arguments:
        trained: records and networks.
    """

    def __init__(self, trained: Trained):
        self.trained = trained
        self._known: dict[tuple[str, Method, int], Answer] = {}

    def ask(self, method: Method, lab: Laboratory, cycles: int) -> Answer:
        """The answer of all seeds of a method to a record of which so many cycles are seen."""
        key = (lab.name, method, cycles)
        if key not in self._known:
            self._known[key] = self._asked(method, lab, cycles)
        return self._known[key]

    def _asked(self, method: Method, lab: Laboratory, cycles: int) -> Answer:
        if method.kind == BOTH:
            return mean_of([self.ask(_of_kind(method, kind), lab, cycles) for kind in KINDS])
        control = CONTROLS[method.control]
        network = self._network(method.kind, control)
        given, steps = method.level == "given", self.trained.plan.tuning
        if method.kind == "sequence":
            return ask_sequence(
                network, lab, cycles, method.part, given=given, drift=control.drift, steps=steps
            )
        return ask_images(
            network, lab, cycles, method.part, given=given, drift=control.drift, steps=steps,
            readings=self._untuned(method, lab, cycles),
        )  # fmt: skip

    def _untuned(
        self, method: Method, lab: Laboratory, cycles: int
    ) -> Float[np.ndarray, "seeds m"] | None:
        """Readings of the trained encoder-decoders before tuning, which take long."""
        # A control has networks of its own, which nobody has read yet
        if method.part == "none" or method.control:
            return None
        untuned = Method(method.kind, "none", method.level)
        return self.ask(untuned, lab, cycles).readings

    def _network(self, kind: str, control: Control) -> PyTree:
        """Networks of a kind with a leading axis of seeds, as trained as the control wants them."""
        trained = self.trained
        simulated = trained.sequence if kind == "sequence" else trained.images
        if control.trained == "all":
            return simulated()
        make = sequence_network if kind == "sequence" else image_network
        fresh = members(make, tuple(FRESH_SEED + seed for seed in trained.seeds))
        if control.trained == "none":
            return fresh
        network = simulated()
        return training.mix(fresh, network, training.parts(network, control.trained))


def _of_kind(method: Method, kind: str) -> Method:
    return Method(kind, method.part, method.level, method.control)

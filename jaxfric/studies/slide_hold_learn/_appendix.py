"""The paper's appendix: loss terms added one by one, and healing in holds of many lengths."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Key

from jaxfric import networks, training
from jaxfric.studies._kit import Keeper
from jaxfric.studies.slide_hold_learn._data import Sequences
from jaxfric.studies.slide_hold_learn._metrics import predict, summary
from jaxfric.studies.slide_hold_learn._presets import SHOWN, Case, Preset
from jaxfric.studies.slide_hold_learn._recipes import (
    RECIPES,
    FrictionNetwork,
    Loss,
    PaperNetwork,
    paper_network,
)
from jaxfric.studies.slide_hold_learn._summary import Row
from jaxfric.studies.slide_hold_learn._training import single


class Stage(NamedTuple):
    """A training of the appendix.

    Attributes:
        terms: of the loss.
        origin: stage whose weights it starts from; None for random ones.
        paper_loss: the minimal loss that the paper prints, its table 3.
        paper_error: the mean test error in percent that the paper prints, its table 4.
    """

    terms: tuple[str, ...]
    origin: str | None
    paper_loss: float
    paper_error: float


# The paper did not minimise all terms at once. Squared errors gave weights to start from, and the
# initial value halved the loss; then the jumps were added, and, from the same weights and not from
# those of the jumps, jumps and healing together (footnotes 1 and 2 of its table 3).
STAGES = {
    "ME": Stage(("error",), None, 0.064, 4.2),
    "+IC": Stage(("error", "initial"), "ME", 0.033, 3.4),
    "+DE": Stage(("error", "initial", "jumps"), "+IC", 0.255, 3.7),
    "+DE+H": Stage(("error", "initial", "jumps", "healing"), "+IC", 0.271, 4.1),
}
# Of the duration of a sequence: θ0 = Dc/V is 1/30, so that they reach from holds too short for a
# logarithm to long ones.
HOLDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
B, DC = 0.016, 1 / 30  # of `ratestate.slide_hold_learn_law`, recovered from the paper's figures


def _loss(terms: tuple[str, ...]) -> Loss:
    """MSE, initial value, jump sizes and healing of friction over its range."""

    def loss(
        network: PaperNetwork, data: Sequences, key: Key[Array, ""]
    ) -> tuple[Array, dict[str, Array]]:
        def one(velocity: Array, target: Array) -> dict[str, Array]:
            predicted = networks.unroll(network, velocity, data.dt)
            # The paper gives the network's loss the samples at which velocity jumps
            jumped = jnp.concatenate([jnp.zeros(1, bool), velocity[1:] != velocity[:-1]])
            every = {
                "error": networks.mean_squared(predicted, target),
                "initial": networks.initial_value(predicted, target),
                "jumps": networks.jump_sizes(predicted, target, jumped),
                "healing": networks.healing(predicted, target, velocity < 1e-4),
            }
            return {name: every[name] for name in terms}

        # `unroll` gives what the inner network predicts: friction over its range of a tenth
        found = jax.vmap(one)(data.velocity, 10 * data.target)
        means = {name: jnp.mean(x) for name, x in found.items()}
        return jnp.sum(jnp.stack(list(means.values()))), means

    return loss


def appendix(data: Sequences, test: Sequences, epochs: int, keeper: Keeper[Preset]) -> list[Row]:
    """Train the paper's network by stages; the last two both start from the second.

    Arguments:
        data: training sequences (the paper has 12,000).
        test: test sequences.
        epochs: of each stage (the paper has 50).
        keeper: of the study's folder, which gets the trained networks.

    Returns:
        A row for each stage: minimal_loss and rel_mu, rel_change beside the paper's.

    Source: appendix A of the paper. It clips no gradients; here the norm is held at 1 as in all
    trainings of the study, or a recurrent network may be lost to a single batch.
    """
    trained: dict[str, PaperNetwork] = {}
    rows: list[Row] = []
    for name, stage in STAGES.items():
        start = paper_network(nnx.Rngs(0)) if stage.origin is None else trained[stage.origin]
        run = training.train(
            _loss(stage.terms), single(start), data, key=jax.random.key(0),
            optimiser=optax.adam(1e-3), epochs=epochs, batch_size=32, clip=1.0,
        )  # fmt: skip
        trained[name] = run.parameters
        keeper.save(f"appendix_{name}", run.parameters, stage=name)
        rows.append(
            {
                "stage": name,
                "sequences": data.velocity.shape[0],
                "epochs": epochs,
                "minimal_loss": float(run.best_metric),
                "paper_minimal_loss": stage.paper_loss,
                **summary(predict(run.parameters, test), test.change),
                "paper_error": stage.paper_error,
            }
        )
    return rows


def healing_in_holds(keeper: Keeper[Preset], size: int) -> list[Row]:
    """Friction after a hold less that before, by its length: every network against the law.

    The law of the data gains b ln(1 + t/θ0), θ0 = Dc/V; b ln(t/θ0) is what a pure logarithm of
    time would give, which the paper's healing term asks for.

    Arguments:
        keeper: of the study's folder.
        size: training sequences of the networks to take.

    Returns:
        A row for each hold: hold, exact, logarithm, and a column for each network.
    """
    cases = {recipe: Case("grid", "aging", "clean", size, recipe, 0) for recipe in SHOWN}
    found = {recipe: _network(keeper, case.name, recipe) for recipe, case in cases.items()}
    found |= {f"appendix {name}": _network(keeper, f"appendix_{name}", "paper") for name in STAGES}
    rows = []
    for hold in HOLDS:
        k = np.arange(100)
        begin, end = 20, 20 + round(100 * hold)
        # One hold in steady sliding at V = 1; 1e-8 is what the paper's sequences hold at, see
        # `ratestate.sample_protocol`
        velocity = jnp.asarray(np.where((k >= begin) & (k < end), 1e-8, 1.0), jnp.float32)
        row: Row = {
            "hold": hold,
            # log1p keeps its digits where the hold is short beside θ0
            "exact": float(B * np.log1p(hold / DC)),
            "logarithm": float(B * np.log(hold / DC)),
        }
        for name, network in found.items():
            if network is not None:
                change = network(velocity, 0.01)
                # Sliding at the same velocity on both sides: the direct effect cancels
                row[name] = float(change[end] - change[begin - 1])
        rows.append(row)
    return rows


def _network(keeper: Keeper[Preset], name: str, recipe: str) -> FrictionNetwork | None:
    """A trained network; None where the preset has none."""
    return (
        keeper.load(name, single(RECIPES[recipe].build(nnx.Rngs(0)))) if keeper.has(name) else None
    )

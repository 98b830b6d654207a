"""The training that tunes: one program for all parts, rates and lengths of a run."""

import math
from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree

from jaxfric import training
from jaxfric._threads import in_threads
from jaxfric.studies.fault_slip._reading import leading
from jaxfric.studies.fault_slip._training import Loss

LAST = 0.05  # share of the rate that is left at the end of the cosine
# Steps of a compiled call at most: it takes a divisor of all steps, and so runs of other lengths
# share its program.
EVERY = 50
MOST_EPOCHS = 600  # of a run that stops by its patience
# "network" with a leading axis of members, "tuned" (its mask), numbers for each member
Parameters: TypeAlias = dict[str, PyTree]
Check: TypeAlias = Callable[[Parameters, dict[str, Array]], Array]


def mask_of(network: PyTree, part: str, members: int) -> PyTree:
    """1 where a parameter is tuned, 0 where it is held; a number for each member."""
    # Numbers in place of the booleans of `training.freeze`: they are data of the program, and
    # another part compiles nothing
    return jax.tree_util.tree_map(
        lambda tuned: np.full(members, float(tuned), np.float32), training.parts(network, part)
    )


def held(parameters: Parameters) -> PyTree:
    """The network, with no gradient to what is not tuned."""
    # Held here and not by the optimiser, so that the norm that `clip` limits is of the gradients
    # that are used
    arrays, static = eqx.partition(parameters["network"], eqx.is_inexact_array)
    arrays = jax.tree_util.tree_map(
        lambda w, tuned: jnp.where(tuned > 0.5, w, jax.lax.stop_gradient(w)), arrays,
        jax.lax.stop_gradient(parameters["tuned"]),
    )  # fmt: skip
    return eqx.combine(arrays, static)


def tuned_network(
    loss: Loss, parameters: Parameters, data: dict[str, Array] | dict[str, np.ndarray], *,
    batch_size: int | None, steps: int, rate: float, seed: int, patience: int | None = None,
    check: Check | None = None, groups: int = 1,
) -> PyTree:  # fmt: skip
    """The network of the last step of a cosine, or of the best if there is patience.

    On a processor groups of members are trained side by side, on a core each.

    Arguments:
        loss: (parameters, batch, key) → (loss, terms).
        parameters: with a leading axis of members.
        data: arrays with a leading axis of rows.
        batch_size: rows of a step; all if None.
        steps: of Adam.
        rate: of Adam at the start.
        seed: of the order of the rows.
        patience: steps without a better validation after which a training ends.
        check: (parameters, data) → what validates; needed with a patience.
        groups: of members, all of one size.
    """
    rows = jax.tree_util.tree_leaves(data)[0].shape[0]
    steps_per_epoch = 1 if batch_size is None else rows // batch_size
    epochs = max(steps // steps_per_epoch, 1) if patience is None else MOST_EPOCHS
    members = leading(parameters["network"])[0]
    keys = jax.random.split(jax.random.key(seed), members)
    every = math.gcd(epochs, EVERY)
    cosine = {"rate": rate, "steps": epochs * steps_per_epoch}
    parameters |= {name: np.full(members, x, np.float32) for name, x in cosine.items()}

    def train(group: slice) -> PyTree:
        of_group = jax.tree_util.tree_map(lambda x: np.asarray(x)[group], parameters)
        trained = training.train(
            loss, of_group, data, key=keys[group],
            optimiser=_optimiser(), epochs=epochs, batch_size=batch_size,
            evaluate_every=every if patience is None else 10, clip=1.0, explosion=1e9,
            validation=None if patience is None else data,
            metric=None if patience is None else check, patience=patience,
        )  # fmt: skip
        return (trained.last if patience is None else trained.parameters)["network"]

    if groups == 1 or jax.default_backend() != "cpu":
        return train(slice(None))
    size = members // groups
    slices = [slice(k * size, (k + 1) * size) for k in range(groups)]
    # The first by itself: threads that begin together would compile the same program each
    found = [train(slices[0])]
    found += in_threads(train, slices[1:])
    return jax.tree_util.tree_map(lambda *x: np.concatenate(x), *found)


def _optimiser() -> optax.GradientTransformation:
    """Adam with a cosine whose height and length are numbers among the parameters.

    A program then serves all of them. They have no gradient, and what is held has none either:
    Adam leaves both where they are.
    """
    adam = optax.scale_by_adam()

    def update(gradient: PyTree, state: PyTree, parameters: Parameters) -> tuple[PyTree, PyTree]:
        passed = jnp.minimum(state.count / parameters["steps"], 1.0)
        share = LAST + (1 - LAST) * 0.5 * (1 + jnp.cos(jnp.pi * passed))
        step, state = adam.update(gradient, state, parameters)
        # optax adds updates, so that a step downhill is negative
        rate = -parameters["rate"] * share
        return jax.tree_util.tree_map(lambda x: (rate * x).astype(x.dtype), step), state

    return optax.GradientTransformation(adam.init, update)

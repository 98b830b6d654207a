"""What the figures show: arrays that are too long for the table."""

from collections.abc import Callable
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric import signals
from jaxfric.studies.fault_slip._ask import Answer, units
from jaxfric.studies.fault_slip._features import Scale
from jaxfric.studies.fault_slip._images import (
    RICKER,
    SCALES,
    STRIDE,
    Decoded,
    columns,
    emission_image,
    friction_image,
)
from jaxfric.studies.fault_slip._laboratory import Laboratory
from jaxfric.studies.fault_slip._sampling import DT
from jaxfric.studies.fault_slip._trained import Trained

EVERY = 2  # samples of the long series from one that is kept to the next: a line needs no more
Scalograms: TypeAlias = dict[str, list[float] | list[list[float]]]
Shown: TypeAlias = dict[str, str | int | float | list[float] | Scalograms | None]


def shown(
    trained: Trained, lab: Laboratory, cycles: int, answer: Answer, by_images: Answer
) -> Shown:
    """Signals, predictions with their bands, and scalograms with the cone of influence.

    Arguments:
        trained: records and networks.
        lab: the laboratory.
        cycles: seen.
        answer: of sequence networks.
        by_images: of encoder-decoders.

    Returns:
        What JSON can hold, by name.
    """
    test = lab.test
    best = int(np.argmin(np.abs(answer.friction - lab.friction)[:, test].mean(1)))
    between = answer.friction.std(0)
    within = np.zeros_like(between) if answer.spread is None else answer.spread.mean(0)
    simulated = trained.records("train")
    series = {
        "time": np.arange(lab.samples) * DT,
        "energy": lab.energy,
        "friction": lab.friction,
        "predicted": answer.friction.mean(0),
        "band": np.sqrt(between**2 + within**2),
        "encoder_decoder": by_images.friction.mean(0),
        "time_to_failure": lab.time_to_failure,
        "predicted_time": answer.time.mean(0) if answer.time is not None else None,
    }
    return {
        "name": lab.name,
        "cycles": cycles,
        "seen": lab.end_of(cycles) * DT,
        "test_from": float(np.argmax(test)) * DT,
        "best_seed": best,
        **{k: None if v is None else np.asarray(v)[::EVERY].tolist() for k, v in series.items()},
        "simulated_energy": np.exp(np.asarray(simulated.log_energy[0, 0], float))[::EVERY].tolist(),
        "simulated_friction": np.asarray(simulated.friction[0, 0], float)[::EVERY].tolist(),
        "scalograms": _scalograms(by_images.network, lab, cycles),
    }


def _scalograms(network: PyTree, lab: Laboratory, cycles: int) -> Scalograms:
    """Emission, friction and what the first seed predicts, in columns of 0.4 s."""
    # The friction that is shown has the mean and spread of the whole record, so the emission has
    known = units(lab, cycles, True)
    image = emission_image(jnp.asarray(known.energy))
    friction = jnp.asarray(lab.friction, jnp.float32)
    unit = Scale.of(friction, jnp.ones(lab.samples, bool)).unit(friction)
    target, _ = friction_image(unit)
    ends = np.arange(0, lab.samples, 2 * STRIDE)
    first = _first(network)
    predicted = np.stack(
        [np.asarray(first(columns(image, jnp.asarray(k))[None]).image[0, :, -1]) for k in ends], 1
    )
    # Scales mean little to a reader: they are told as the period of the wave that answers most
    cone = np.asarray(signals.cone_of_influence(lab.samples, DT, RICKER))[ends]

    def short(x: Float[Array, "s m"] | Float[np.ndarray, "s m"]) -> list[list[float]]:
        # Four decimals are finer than any colour, and halve the file
        return np.round(np.asarray(x, float), 4).tolist()

    return {
        "time": (ends * DT).tolist(),
        "period": (SCALES * float(RICKER.fourier_period)).tolist(),
        "cone": (cone * float(RICKER.fourier_period)).tolist(),
        "input": short(np.asarray(image)[:, ends]),
        "target": short(np.asarray(target)[:, ends]),
        "predicted": short(predicted),
    }


def _first(network: PyTree) -> Callable[[Float[Array, "1 s columns"]], Decoded]:
    """The network of the first seed, compiled."""
    import jax

    one = jax.tree_util.tree_map(lambda x: x[0], network)
    return jax.jit(one)

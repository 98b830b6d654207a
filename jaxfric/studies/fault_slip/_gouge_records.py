"""Records of sheared grains, under random instruments and clocks: to learn from, like the chains'.

A layer of grains has no seconds: its own time is d √(ρ/P), in which a laboratory's cycle would take
a thousand times as many steps. A clock is drawn for each record, so that cycles last as long as
those of the chains.
"""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import forecast
from jaxfric.studies.fault_slip._data import Records, heard_by, with_times
from jaxfric.studies.fault_slip._gouge_runs import INTERVAL, GougeRuns
from jaxfric.studies.fault_slip._sampling import DT

SECONDS = 120.0  # of a record: what the fastest clocks make of a layer's cycles
# s, as of the chains but for the slowest: a record needs ten cycles, so that eight are whole
RECURRENCE = (4.0, 12.0)
BEFORE = 2.0  # s that an instrument averages over, at most, before a record begins
INSTRUMENTS = 3
CLOCKS = 8  # of each layer


class _Heard(NamedTuple):
    """A layer's motion at an instrument's samples: a `fault.Motion`."""

    kinetic_integral: Float[Array, "*records m"]
    friction_integral: Float[Array, "*records m"]
    level: Float[Array, "*records m"]


def gouge_records(
    runs: GougeRuns, seed: int, *, clocks: int = CLOCKS, instruments: int = INSTRUMENTS,
    seconds: float = SECONDS, recurrence: tuple[float, float] = RECURRENCE,
) -> Records:  # fmt: skip
    """Each layer at several clocks, under several instruments each.

    Arguments:
        runs: sheared layers.
        seed: of clocks and instruments.
        clocks: for each layer.
        instruments: for each clock.
        seconds: of a record.
        recurrence: limits of the mean recurrence, s, of which ln is uniform.

    Returns:
        `Records`, those of a layer one after another; layers that hardly slip are left out.

    Raises:
        ValueError: layers too short for records of so many seconds.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for layer in range(runs.friction.shape[0]):
        for _ in range(clocks):
            motion = _on_a_clock(runs, layer, rng, seconds, recurrence)
            if motion is not None:
                rows.append(motion)
    if not rows:
        raise ValueError(
            f"no layer has the cycles for records of {seconds:g} s: take fewer seconds, or longer "
            "layers"
        )
    # In double precision: kinetic energy has seven decades, and an integral of it in single
    # precision would lose what grains do between two slips
    with jax.enable_x64(True):
        motions = _Heard(*(jnp.asarray(np.stack(x)) for x in zip(*rows, strict=True)))
        keys = jax.random.split(jax.random.key(seed), len(rows))
        *columns, good = (np.asarray(x) for x in _hear(motions, keys, instruments))
    energy, friction, left, known, between = (x[good] for x in columns)
    return Records(
        jnp.asarray(energy, jnp.float32), jnp.asarray(friction, jnp.float32),
        jnp.asarray(left, jnp.float32), jnp.asarray(known), jnp.asarray(between, jnp.float32),
        len(rows),
    )  # fmt: skip


def joined_records(parts: list[Records]) -> Records:
    """Records of several kinds as one, each cut to the length of the shortest."""
    m = min(part.friction.shape[-1] for part in parts)

    def all_of(name: str) -> Array:
        arrays = [getattr(part, name) for part in parts]
        return jnp.concatenate([x if x.ndim == 1 else x[..., :m] for x in arrays])

    return Records(
        all_of("log_energy"), all_of("friction"), all_of("time_to_failure"), all_of("known"),
        all_of("recurrence"), sum(part.simulated for part in parts),
    )  # fmt: skip


def _on_a_clock(
    runs: GougeRuns, layer: int, rng: np.random.Generator, seconds: float,
    recurrence: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:  # fmt: skip
    """Integrals of kinetic energy and friction, and the level, on a random clock."""
    friction, kinetic = (np.asarray(x[layer], float) for x in (runs.friction, runs.kinetic_energy))
    between = samples_between_slips(friction)
    wanted = np.exp(rng.uniform(*np.log(recurrence)))
    # Samples of the layer in a second; a slow layer has too few cycles for the fastest clocks
    rate = min(between / wanted, (friction.size - 2) / (seconds + BEFORE))
    if not np.isfinite(rate) or between / rate > 2 * recurrence[1]:
        return None
    t = np.arange(-round(BEFORE / DT), round(seconds / DT)) * DT
    start = rng.uniform(0, friction.size - 1 - rate * (t[-1] - t[0]))
    index = start + rate * (t - t[0])
    # The integral of samples that are means is exact at each of them
    grid = np.arange(friction.size + 1)
    integrals = [
        np.interp(index, grid, np.concatenate([[0], np.cumsum(x)])) / rate
        for x in (kinetic, friction)
    ]
    return integrals[0], integrals[1], np.full(t.size, friction.mean())


def samples_between_slips(friction: Float[np.ndarray, " m"]) -> float:
    """Mean samples from one slip to the next; ∞ for fewer than four."""
    found = forecast.failures(jnp.asarray(friction, jnp.float32), INTERVAL)
    count, times = int(found.count), np.asarray(found.time)
    return float(times[count - 1] - times[0]) / (count - 1) / INTERVAL if count > 3 else np.inf


@eqx.filter_jit
def _hear(motions: _Heard, keys: Key[Array, " records"], instruments: int) -> tuple[Array, ...]:
    def one(motion: _Heard, key: Key[Array, ""]) -> tuple[Array, ...]:
        of_instruments, of_noise = (jax.random.split(k, instruments) for k in jax.random.split(key))
        heard = partial(heard_by, motion, average=True, drift=True, warm_up=BEFORE)
        energy, friction = jax.vmap(heard)(of_instruments, of_noise)
        return with_times(energy, friction, jnp.asarray(True))

    return jax.vmap(one)(motions, keys)

"""Simulated records: what the networks are trained on, as functions of a key."""

from functools import partial
from pathlib import Path
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import fault, forecast
from jaxfric._files import written_whole
from jaxfric.studies._kit import in_threads
from jaxfric.studies.fault_slip._sampling import DT

WARM_UP = 40.0  # s that a simulated fault forgets its start in
FEWEST = 8  # events of a record that is kept
BATCH = 25  # records of one call
MOST_STEPS = 24576  # of the solver: the few faults that want more are left out
TOLERANCE = 1e-4  # of the solver: friction is right to 1e-4, far below any instrument's noise


class Records(eqx.Module):
    """Simulated records, each heard by several instruments.

    Attributes:
        log_energy: (records, instruments, m), mean of the channels' ln.
        friction: (records, instruments, m), without the drift of the level.
        time_to_failure: (records, m), s.
        known: (records, m), where that is known.
        recurrence: (records,), mean time between failures, s.
        simulated: records drawn, those that creep or failed to run included.
    """

    log_energy: Float[Array, "records instruments m"]
    friction: Float[Array, "records instruments m"]
    time_to_failure: Float[Array, "records m"]
    known: Bool[Array, "records m"]
    recurrence: Float[Array, " records"]
    simulated: int = eqx.field(static=True)

    @property
    def count(self) -> int:
        """Records."""
        return int(self.recurrence.shape[0])

    def some(self, which: Any) -> "Records":
        """A part of the records."""
        return jax.tree_util.tree_map(lambda x: x[which], self)

    def timed(self) -> "Records":
        """Time to failure over the recurrence where friction was: another target for a network.

        It is not known after the last failure, so records end where one in ten is past it, and
        that one is left out.
        """
        until = np.asarray(self.known).sum(1)
        end = int(np.quantile(until, 0.1, method="lower"))
        those = self.some(until >= end)
        time = (those.time_to_failure / those.recurrence[:, None])[:, None, :end]
        energy = those.log_energy[..., :end]
        return Records(
            energy, jnp.broadcast_to(time, energy.shape), those.time_to_failure[:, :end],
            those.known[:, :end], those.recurrence, self.simulated,
        )  # fmt: skip


def simulate_records(
    seed: int,
    count: int,
    *,
    instruments: int = 3,
    seconds: float = 300.0,
    patches: int = 8,
    ranges: fault.FaultRanges = fault.FaultRanges(),  # noqa: B008
    average: bool = True,
    drift: bool = False,
) -> Records:
    """Random faults under random instruments; faults that creep are left out.

    Arguments:
        seed: of all that is random.
        count: faults drawn.
        instruments: for each fault.
        seconds: kept of each.
        patches: in a chain.
        ranges: of the faults.
        average: with the instrument's averaging window; without, one of one sample.
        drift: keep the drift of the level in the friction, as a laboratory has it.
    """
    one = _Simulation(instruments, seconds, patches, ranges, average, drift)
    keys = jax.random.split(jax.random.key(seed), count)
    parts = over_cores(one, [keys[i : i + BATCH] for i in range(0, count, BATCH)])
    columns = [np.concatenate(x) for x in zip(*parts, strict=True)]
    good = columns.pop()
    energy, friction, left, known, recurrence = (x[good] for x in columns)
    return Records(
        jnp.asarray(energy, jnp.float32), jnp.asarray(friction, jnp.float32),
        jnp.asarray(left, jnp.float32), jnp.asarray(known), jnp.asarray(recurrence, jnp.float32),
        count,
    )  # fmt: skip


def over_cores(one: Any, batches: list[Any]) -> list[Any]:
    """`one` of every member of every batch, in float64 (stick-slip needs it; networks do not).

    On a processor every member is a call of its own, so that none waits for the slowest of its
    batch and one program serves batches of any size, in as many threads as there are cores;
    elsewhere a batch runs in lockstep.

    Arguments:
        one: a module that takes a member; equal ones share their program.
        batches: members with a leading axis.
    """

    def run(program: Any, members: Any) -> Any:
        with jax.enable_x64(True):  # holds for one thread
            return jax.tree_util.tree_map(np.asarray, program(one, members))

    if jax.default_backend() != "cpu":
        return [run(_together, batch) for batch in batches]

    def member(x: Any, i: int) -> Any:
        return x[i] if isinstance(x, jax.Array) else np.asarray(x[i])  # a number would be static

    sizes = [len(jax.tree_util.tree_leaves(batch)[0]) for batch in batches]
    members = [
        jax.tree_util.tree_map(partial(member, i=i), batch)
        for batch, size in zip(batches, sizes, strict=True) for i in range(size)
    ]  # fmt: skip
    first = run(_alone, members[0])  # compiled once
    each = [first, *in_threads(partial(run, _alone), members[1:])]
    ends = np.cumsum(sizes)
    return [
        jax.tree_util.tree_map(lambda *x: np.stack(x), *each[end - size : end])
        for end, size in zip(ends, sizes, strict=True)
    ]


@eqx.filter_jit
def _alone(one: Any, member: Any) -> Any:
    return one(member)


@eqx.filter_jit
def _together(one: Any, members: Any) -> Any:
    return jax.vmap(one)(members)


def save_records(path: Path, records: Records) -> None:
    """Whole, or not at all."""
    arrays: dict[str, Any] = {name: np.asarray(getattr(records, name)) for name in _ARRAYS}
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, simulated=records.simulated, **arrays)


def load_records(path: Path) -> Records:
    """What `save_records` wrote."""
    with np.load(path) as file:
        arrays: dict[str, Any] = {name: jnp.asarray(file[name]) for name in _ARRAYS}
        return Records(**arrays, simulated=int(file["simulated"]))


_ARRAYS = ("log_energy", "friction", "time_to_failure", "known", "recurrence")


class _Simulation(eqx.Module):
    """What `simulate_records` draws a record by."""

    instruments: int
    seconds: float
    patches: int
    ranges: fault.FaultRanges
    average: bool
    drift: bool

    def __call__(self, key: Any) -> tuple[Array, ...]:
        t = jnp.arange(0.0, WARM_UP + self.seconds, DT)
        return _one(
            key, t, self.instruments, self.patches, self.ranges, self.average, self.drift
        )  # fmt: skip


def _one(
    key: Any, t: Array, instruments: int, patches: int, ranges: fault.FaultRanges, average: bool,
    drift: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """Log energy, friction, time to failure, where known, recurrence, whether it is of use."""
    own, how, noise = jax.random.split(key, 3)
    chain, velocity = fault.sample_fault(key=own, patches=patches, ranges=ranges)
    options = fault.Options(
        rtol=TOLERANCE, atol=TOLERANCE, max_steps=MOST_STEPS, adjoint=diffrax.ForwardMode()
    )
    history = fault.simulate(chain, velocity, t, options=options)
    begin = int(WARM_UP / DT)

    def heard(how: Any, noise: Any) -> tuple[Array, Array]:
        instrument = fault.sample_instrument(key=how)
        if not average:
            instrument = eqx.tree_at(lambda i: i.window, instrument, jnp.asarray(DT, t.dtype))
        seen = fault.record(history, instrument, DT, key=noise)
        energy = jnp.mean(jnp.log(seen.emission), axis=1)
        return energy[begin:], (seen.friction - (0 if drift else history.level))[begin:]

    keys = jax.random.split(how, instruments), jax.random.split(noise, instruments)
    energy, friction = jax.vmap(heard)(*keys)
    slips = forecast.failures(friction[0], DT)
    left, known = forecast.time_to_failure(slips.start, DT)
    last = jnp.maximum(slips.count - 1, 1)
    recurrence = (slips.time[last] - slips.time[0]) / last
    good = (slips.count >= FEWEST) & history.status.ok & (slips.threshold > 1e-3)
    good &= jnp.all(jnp.isfinite(energy)) & jnp.all(jnp.isfinite(friction))
    return energy, friction, left, known, jnp.where(good, recurrence, 1.0), good

"""Simulated records: what the networks are trained on, as functions of a key."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key, PyTree

from jaxfric import fault, forecast
from jaxfric._files import write_arrays
from jaxfric._threads import in_threads
from jaxfric.studies.fault_slip._sampling import DT

# s that are simulated and thrown away: a chain begins in steady sliding, which no fault that
# slips in events does, and some cycles (recurrences are of 3 s and more) let it forget that.
WARM_UP = 40.0
# Events of a record that is kept: a fault that creeps, one in five of those drawn, has none to
# learn from, and with fewer the recurrence is not known.
FEWEST = 8
BATCH = 25  # records of one call of an accelerator, where a batch runs in lockstep
# Of the solver. A batch in lockstep waits for its slowest member, and its memory is set aside for
# the most steps: the few faults that want more are left out.
MOST_STEPS = 24576
TOLERANCE = 1e-4  # of the solver: friction is right to 1e-4, far below any instrument's noise
Simulation: TypeAlias = Callable[[PyTree], PyTree]  # a member of a batch → its arrays


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
        """Number of records that were kept."""
        return int(self.recurrence.shape[0])

    def subset(self, which: slice | Bool[np.ndarray, " records"]) -> "Records":
        """The records of a slice or a mask."""
        return jax.tree_util.tree_map(lambda x: x[which], self)

    def timed(self) -> "Records":
        """Time to failure over the recurrence where friction was: another target for a network.

        It is not known after the last failure, so records end where one in ten is past it, and
        that one is left out.
        """
        # Records share one length, and the shortest would cost all others samples: one in ten goes
        until = np.asarray(self.known).sum(1)
        end = int(np.quantile(until, 0.1, method="lower"))
        kept = self.subset(until >= end)
        time = (kept.time_to_failure / kept.recurrence[:, None])[:, None, :end]
        energy = kept.log_energy[..., :end]
        return Records(
            energy, jnp.broadcast_to(time, energy.shape), kept.time_to_failure[:, :end],
            kept.known[:, :end], kept.recurrence, self.simulated,
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

    Several instruments hear the same fault, which costs little beside its simulation: what networks
    learn must hold for a fault, and not for the gains and windows it is heard with.

    Arguments:
        seed: of all that is random.
        count: faults drawn.
        instruments: for each fault.
        seconds: kept of each.
        patches: in a chain.
        ranges: of the faults.
        average: with the instrument's averaging window; without, one of one sample.
        drift: keep the drift of the level in the friction, as a laboratory has it.

    Returns:
        `Records`, as many as were of use.

    Source: ours, in place of the paper's simulation of 2,817 discs, whose code and data are not
    public.
    """
    simulation = _Simulation(
        instruments=instruments, seconds=seconds, patches=patches, ranges=ranges, average=average,
        drift=drift,
    )  # fmt: skip
    keys = jax.random.split(jax.random.key(seed), count)
    parts = over_cores(simulation, [keys[i : i + BATCH] for i in range(0, count, BATCH)])
    columns = [np.concatenate(x) for x in zip(*parts, strict=True)]
    good = columns.pop()  # faults that failed to run among them: their other columns mean nothing
    energy, friction, left, known, recurrence = (x[good] for x in columns)
    return Records(
        jnp.asarray(energy, jnp.float32), jnp.asarray(friction, jnp.float32),
        jnp.asarray(left, jnp.float32), jnp.asarray(known), jnp.asarray(recurrence, jnp.float32),
        count,
    )  # fmt: skip


def over_cores(simulation: Simulation, batches: Sequence[PyTree]) -> list[PyTree]:
    """Simulate every member of every batch, in float64 (stick-slip needs it; networks do not).

    On a processor every member is a call of its own, so that none waits for the slowest of its
    batch and one program serves batches of any size, in as many threads as there are cores;
    elsewhere a batch runs in lockstep.

    Arguments:
        simulation: a module that takes a member; equal ones share their program.
        batches: members with a leading axis.

    Returns:
        What the simulation gives of each batch, with a leading axis of members.
    """

    def run(program: Callable[[Simulation, PyTree], PyTree], members: PyTree) -> PyTree:
        # The setting holds for one thread, so each thread has to make it
        with jax.enable_x64(True):
            return jax.tree_util.tree_map(np.asarray, program(simulation, members))

    if jax.default_backend() != "cpu":
        return [run(_together, batch) for batch in batches]

    def member(x: Array | np.ndarray, i: int) -> Array | np.ndarray:
        # An item of a NumPy array is a number, which `filter_jit` takes for a part of the program:
        # each would be compiled for itself
        return x[i] if isinstance(x, jax.Array) else np.asarray(x[i])

    sizes = [len(jax.tree_util.tree_leaves(batch)[0]) for batch in batches]
    members = [
        jax.tree_util.tree_map(partial(member, i=i), batch)
        for batch, size in zip(batches, sizes, strict=True) for i in range(size)
    ]  # fmt: skip
    # The first by itself: threads that begin together would compile the same program each
    first = run(_alone, members[0])
    found = [first, *in_threads(partial(run, _alone), members[1:])]
    ends = np.cumsum(sizes)
    return [
        jax.tree_util.tree_map(lambda *x: np.stack(x), *found[end - size : end])
        for end, size in zip(ends, sizes, strict=True)
    ]


@eqx.filter_jit
def _alone(simulation: Simulation, member: PyTree) -> PyTree:
    return simulation(member)


@eqx.filter_jit
def _together(simulation: Simulation, members: PyTree) -> PyTree:
    return jax.vmap(simulation)(members)


def save_records(path: Path, records: Records) -> None:
    """Write records whole, or not at all: a killed study must not find a part of them."""
    arrays = {name: np.asarray(getattr(records, name)) for name in _ARRAYS}
    write_arrays(path, arrays | {"simulated": np.asarray(records.simulated)})


def load_records(path: Path) -> Records:
    """Read what `save_records` wrote."""
    with np.load(path) as file:
        arrays = {name: jnp.asarray(file[name]) for name in _ARRAYS}
        return Records(**arrays, simulated=int(file["simulated"]))


_ARRAYS = ("log_energy", "friction", "time_to_failure", "known", "recurrence")


class _Simulation(eqx.Module):
    """What `simulate_records` draws a record by: a key → `_simulated_record`.

    A module and not a closure, so that two calls with the same numbers share their program.
    """

    instruments: int
    seconds: float
    patches: int
    ranges: fault.FaultRanges
    average: bool
    drift: bool

    def __call__(self, key: Key[Array, ""]) -> tuple[Array, ...]:
        t = jnp.arange(0.0, WARM_UP + self.seconds, DT)
        fault_key, instrument_keys, noise_keys = jax.random.split(key, 3)
        chain, velocity = fault.sample_fault(
            key=fault_key, patches=self.patches, ranges=self.ranges
        )
        history = fault.simulate(chain, velocity, t, options=solver_options())
        keys = [jax.random.split(k, self.instruments) for k in (instrument_keys, noise_keys)]
        heard = partial(heard_by, history, average=self.average, drift=self.drift)
        energy, friction = jax.vmap(heard)(*keys)
        return with_times(energy, friction, history.status.ok)


def solver_options() -> fault.Options:
    """How faults are simulated: forwards only, as no gradient is asked of a training set."""
    return fault.Options(
        rtol=TOLERANCE, atol=TOLERANCE, max_steps=MOST_STEPS, adjoint=diffrax.ForwardMode()
    )


def heard_by(
    history: fault.Motion, instrument_key: Key[Array, ""], noise_key: Key[Array, ""], *,
    average: bool, drift: bool, warm_up: float = WARM_UP,
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:  # fmt: skip
    """Log energy and friction of a fault as one random instrument records them."""
    instrument = fault.sample_instrument(key=instrument_key)
    if not average:
        window = jnp.asarray(DT, history.friction_integral.dtype)
        instrument = eqx.tree_at(lambda i: i.window, instrument, window)
    seen = fault.record(history, instrument, DT, key=noise_key)
    energy = jnp.mean(jnp.log(seen.emission), axis=1)
    begin = round(warm_up / DT)
    # Emission tells nothing of the slow drift of the level, so networks are not asked for it: the
    # level has a path of its own (`fit_level`)
    return energy[begin:], (seen.friction - (0 if drift else history.level))[begin:]


def with_times(
    energy: Float[Array, "instruments m"], friction: Float[Array, "instruments m"],
    ran: Bool[Array, ""],
) -> tuple[Array, ...]:  # fmt: skip
    """Log energy, friction, time to failure, where known, recurrence, whether it is of use."""
    # Instruments differ by noise and window, the failures are the fault's: the first tells them
    slips = forecast.failures(friction[0], DT)
    left, known = forecast.time_to_failure(slips.start, DT)
    last = jnp.maximum(slips.count - 1, 1)
    recurrence = (slips.time[last] - slips.time[0]) / last
    # The threshold is a share of the range of friction: one below 1e-3 picks the noise of a fault
    # that creeps
    good = (slips.count >= FEWEST) & ran & (slips.threshold > 1e-3)
    good &= jnp.all(jnp.isfinite(energy)) & jnp.all(jnp.isfinite(friction))
    return energy, friction, left, known, jnp.where(good, recurrence, 1.0), good

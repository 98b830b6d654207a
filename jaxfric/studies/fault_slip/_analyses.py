"""Simulation to simulation, parts of one cycle, a series of loads, ablations."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from jaxfric import fault
from jaxfric._threads import in_threads
from jaxfric.studies._kit import Method
from jaxfric.studies.fault_slip._ask import (
    IGNORED,
    Answer,
    ask_images,
    ask_sequence,
    units,
    with_clock,
)
from jaxfric.studies.fault_slip._data import (
    DT,
    WARM_UP,
    over_cores,
    simulate_records,
    solver_options,
)
from jaxfric.studies.fault_slip._image_training import ImageVariant
from jaxfric.studies.fault_slip._laboratory import Laboratory, simulated_laboratory
from jaxfric.studies.fault_slip._presets import Preset
from jaxfric.studies.fault_slip._rows import Row, rows_of, time_error, yardsticks
from jaxfric.studies.fault_slip._trained import SIMULATIONS, Trained

# Simulated faults stand in for a laboratory where there is no record. Drawn as those of training
# they would tell nothing of transfer, so they lie outside: larger drops, loading that slows down
# more towards failure, rougher and more unequal patches, faster machines.
OUTSIDE = fault.FaultRanges(
    drop=(0.10, 0.14), softening=(0.1, 0.2), roughness=(0.8, 1.0), spread=(0.4, 0.5),
    velocity=(2e-5, 4e-5),
)  # fmt: skip
TABLE = ("mape", "r2", "timing", "missed", "drop_ratio", "ttf_mae")
LEAST_STARTS = 8  # failures of a fault in the load series: six cycles to tune on, and more to test


def on_simulations(
    trained: Trained, split: Literal["train", "validate", "test"] = "test"
) -> list[Row]:
    """Networks and yardsticks on faults that were held out, the level of each given.

    The paper's test from simulation to simulation: what of a record's error is not transfer.
    """
    records = trained.records(split)
    networks = trained.sequence()
    rows: list[Row] = []
    for i in range(min(records.count, 60)):
        lab = simulated_laboratory(
            f"simulated {i}", np.exp(np.asarray(records.log_energy[i, 0], np.float64)),
            records.friction[i, 0],
        )  # fmt: skip
        test = lab.test
        answer = ask_sequence(networks, lab, 0, "none", given=True)
        rows += rows_of(answer, lab, test, Method("sequence", "none", "given"), 0)
        # Yardsticks learn from all cycles that end before the test: they have to learn from some
        cycles = int(np.sum(lab.starts < np.argmax(test))) - 1
        if cycles >= 1:
            rows += yardsticks(lab, cycles, test)
    return _means(rows, "held-out simulations")


def _means(rows: list[Row], record: str) -> list[Row]:
    """A row for each method and seed: the means over records."""
    found: list[Row] = []
    for method, seed in dict.fromkeys((r["method"], r["seed"]) for r in rows):
        of_method = [r for r in rows if (r["method"], r["seed"]) == (method, seed)]
        # A record in which nothing was predicted to fail has no timing: it is left out of its mean
        means = {k: _mean([_number(r, k) for r in of_method]) for k in TABLE}
        found.append({**of_method[0], **means, "record": record, "records": len(of_method),
                      "cycles": None,
                      "level": "given" if method == "sequence" else "first 40 %"})  # fmt: skip
    return found


def _mean(values: list[float]) -> float:
    """Of those that are numbers; NaN where none is."""
    numbers = [x for x in values if np.isfinite(x)]
    return float(np.mean(numbers)) if numbers else np.nan


def _number(row: Row, name: str) -> float:
    """A score of a row; NaN where the row has none."""
    value = row.get(name)
    return value if isinstance(value, (int, float)) else np.nan


def simulated_laboratories(plan: Preset, seed: int = 77) -> list[Laboratory]:
    """Stick-slip faults outside the training ranges, with the drift of their level.

    Arguments:
        plan: how many, how long, and how many cycles each must have.
        seed: the first one that faults are drawn with; others follow until enough slip.
    """
    # Cycles to tune on, and a few failures more: the test needs some
    count, slips = plan.laboratories, max(plan.cycles) + 3
    found: list[Laboratory] = []
    while len(found) < count:
        records = simulate_records(
            seed, 4 * count, instruments=1, seconds=plan.seconds, ranges=OUTSIDE, drift=True
        )
        seed += 1
        for i in range(records.count):
            energy = np.exp(np.asarray(records.log_energy[i, 0], np.float64))
            name = f"simulated laboratory {len(found) + 1}"
            lab = simulated_laboratory(name, energy, records.friction[i, 0])
            if lab.starts.size >= slips and len(found) < count:
                found.append(lab)
    return found


def parts_of_a_cycle(trained: Trained, lab: Laboratory) -> list[Row]:
    """The latent part tuned on the first or the second half of one cycle, level given.

    The paper's test of extremely limited data: 90 % of the samples teach, 10 % validate, and
    tuning stops after 100 epochs without improvement.
    """
    rows: list[Row] = []
    # The second whole cycle: the first has less of a past to read
    begin, end = int(lab.starts[1]), int(lab.starts[2])
    middle = (begin + end) // 2
    for name, span in (("post-failure", (begin, middle)), ("pre-failure", (middle, end))):
        answer = ask_sequence(
            trained.sequence(), lab, 2, "latent", given=True, only=span, patience=100
        )
        half = Method("sequence", "latent", "given", control=f"{name} half of one cycle")
        rows += rows_of(answer, lab, lab.test, half, 0.5)
    return rows


def load_series(trained: Trained) -> list[Row]:
    """Tuned at the first load, tested on other faults at every load, mean and spread given.

    Machine and sensors stay the same, so recurrence grows with load. Where each fault was heard by
    another instrument, R² fell from 0.5 to 0.2 along the series. What comes out hangs on the fault
    that is tuned on: the mean of several.
    """
    loads, faults = trained.plan.loads, trained.plan.faults
    method = Method("sequence", "latent", "given")
    labs = _at_loads(loads, 3 * faults, trained.plan.seconds)
    lightest = list(labs[loads[0]].items())
    # At most half of the faults are tuned on, so that others are left to be tested
    taught = lightest[: min(trained.plan.seeds, len(lightest) // 2)]
    numbers = [number for number, _ in taught]
    rows: dict[float, list[Row]] = {load: [] for load in loads}
    for _, first in taught:
        tuned = ask_sequence(
            trained.sequence(), first, 6, "latent", given=True, steps=trained.plan.tuning
        ).network
        for load in loads:
            for lab in [lab for n, lab in labs[load].items() if n not in numbers][:faults]:
                answer = ask_sequence(tuned, lab, 0, "none", given=True)
                # Nothing of these faults was tuned on, so that all of them tests
                everything = np.arange(lab.samples) >= IGNORED
                rows[load] += rows_of(answer, lab, everything, method, 6)
    return [
        {**row, "load": load} for load in loads for row in _means(rows[load], f"{load / 1e6:g} MPa")
    ]


def _at_loads(
    loads: tuple[float, ...], count: int, seconds: float
) -> dict[float, dict[int, Laboratory]]:
    """Faults of one laboratory under each normal stress: those that fail, by number.

    A fault is drawn under 2.5 MPa, the lightest load, and its stress and strengths are raised.
    """
    # Recurrences of 4 to 6 s there leave those at 8 MPa, three times as long, within what the
    # networks know
    reference = fault.FaultRanges(normal_stress=(2.5e6, 2.50001e6), recurrence=(4.0, 6.0),
                                  velocity=(5e-6, 1e-5))  # fmt: skip
    sensors = fault.sample_instrument(key=jax.random.key(556))

    simulation = _Loaded(reference, sensors, seconds)
    keys = jax.random.split(jax.random.key(555), count)
    batches = [(keys, np.full(count, load / 2.5e6)) for load in loads]
    found = {}
    for load, (energy, friction) in zip(loads, over_cores(simulation, batches), strict=True):
        whole = np.isfinite(energy).all(1) & np.isfinite(friction).all(1) & (energy > 0).all(1)
        labs = {
            i: simulated_laboratory(f"fault {i} at {load / 1e6:g} MPa", energy[i], friction[i])
            for i in np.flatnonzero(whole)
        }
        found[load] = {int(i): lab for i, lab in labs.items() if lab.starts.size >= LEAST_STARTS}
    return found


class _Loaded(eqx.Module):
    """A fault whose normal stress is raised, heard by one machine's sensors."""

    ranges: fault.FaultRanges
    sensors: fault.Instrument
    seconds: float

    def __call__(
        self, member: tuple[Key[Array, ""], Float[Array, ""]]
    ) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        """Energy of the emission and friction, for a key and the load over the lightest."""
        key, factor = member
        t = jnp.arange(0.0, WARM_UP + self.seconds, DT)
        chain, velocity = fault.sample_fault(key=key, patches=8, ranges=self.ranges)
        # All stresses grow with the load and the stiffnesses stay, those of springs that soften
        # below their limits too
        scaled = [x * factor for x in (chain.normal_stress, chain.limit, chain.leaf_limit)]
        heavier = eqx.tree_at(lambda c: [c.normal_stress, c.limit, c.leaf_limit], chain, scaled)
        history = fault.simulate(heavier, velocity, t, options=solver_options())
        seen = fault.record(history, self.sensors, DT, key=key)
        begin = int(WARM_UP / DT)
        return jnp.exp(jnp.mean(jnp.log(seen.emission), axis=1))[begin:], seen.friction[begin:]


def times_by_images(trained: Trained, lab: Laboratory) -> list[Row]:
    """The paper's network with another target, the time to failure; half way to the clock too."""
    network = trained.image_timer()
    rows: list[Row] = []
    for cycles in trained.plan.cycles:
        for part in ("none", "latent"):
            time = ask_times(network, lab, cycles, part, steps=trained.plan.tuning)
            method = Method("encoder-decoder", part, "inferred", control="time to failure")
            rows.append({"record": lab.name, **method.facts(), "cycles": cycles, "seed": 0,
                         "ttf_mae": time_error(time[0], lab, lab.test)})  # fmt: skip
    return rows


def ask_times(
    network: PyTree, lab: Laboratory, cycles: int, part: str, *, steps: int
) -> Float[np.ndarray, "seeds m"]:
    """Time to failure by encoder-decoders that were trained for it.

    Arguments:
        network: `networks.EncoderDecoder` with a leading axis of seeds.
        lab: the record.
        cycles: seen; tuned on, unless the part is "none".
        part: see `training.parts`.
        steps: of tuning.

    Returns:
        (seeds, m), s.
    """
    # The time takes the place of friction, and so of its level, which falls to zero in every cycle
    # and has nothing to relax from
    target = lab._replace(friction=np.nan_to_num(lab.time_to_failure))
    answer = ask_images(network, target, cycles, part, drift=False, steps=steps)
    time = np.maximum(answer.friction, 0.0)
    return with_clock(time, lab, units(lab, cycles, False), cycles)


def ablations(trained: Trained, lab: Laboratory, cycles: int) -> list[Row]:
    """Networks of fewer steps that differ in one thing, the latent part tuned on the record.

    They are compared with networks of as few steps: "as it is". One seed of each is trained, so
    that differences of a few tenths of a per cent are chance.
    """
    simulations = ("as it is", *SIMULATIONS)
    variants: dict[str, ImageVariant] = {
        "as it is": {}, "no skips": {"skips": False}, "no level path": {"level": False},
        "whole record": {"causal": False},
    }  # fmt: skip
    trained.train_variants(simulations, variants)

    def rows(answer: Answer, kind: str, name: str) -> list[Row]:
        method = Method(kind, "latent", "inferred", control=f"ablation: {name}")
        return rows_of(answer, lab, lab.test, method, cycles)

    def sequence(name: str, drift: bool = True) -> Answer:
        network = trained.sequence_variant(name)
        return ask_sequence(network, lab, cycles, "latent", members=1, drift=drift)

    def images(name: str) -> Answer:
        options = variants[name]
        causal = options.get("causal", True)
        return ask_images(
            trained.image_variant(name, **options), lab, cycles, "latent", causal=causal
        )

    found = [rows(sequence(name), "sequence", name) for name in simulations]
    # Each is a program of its own, and the compiler leaves a core free
    answers = in_threads(images, list(variants))
    found += [rows(x, "encoder-decoder", name) for x, name in zip(answers, variants, strict=True)]
    stiff = sequence("as it is", drift=False)
    found.append(rows(stiff, "sequence", "no relaxation of the level"))
    return [row for group in found for row in group]

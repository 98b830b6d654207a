"""Stick-slip: slips, kinetic energy, and the normal load."""

import dataclasses
import operator

import jax
import numpy as np
from _gouge_kit import PRESSURE, SPEED, TIME, Cases, D, law, packed, sheared, table

from jaxfric import gouge

SOFT, STIFF = 0.04, 4.0  # of the drive's spring, P/d
# Of the records in which slips are counted: loaded five times as fast, for more of them
COUNTED, FASTER = 0.1, 0.02
SAMPLE = 0.5
LARGE = 0.03  # drop of friction of a large slip
# A slip is when the wall outruns the drive so many times; slips that follow one another sooner than
# this, in d √(ρ/P), are one: the wall swings while it slips
OUTRUN, APART = 3.0, 20.0
LAYERS = 6
# Before the onset of a large slip, in d √(ρ/P): far away, near, at the very end
BEFORE = {"100 to 60 before": (-100, -60), "20 to 10 before": (-20, -10), "5 to 1 before": (-5, -1)}
GRID = np.arange(-100, 40.5, 0.5)


def record(
    velocity: float, duration: float, *, layers: int = LAYERS, stiffness: float = SOFT,
    pressure: float = PRESSURE, discard: float = 100.0,
) -> gouge.GougeHistory:  # fmt: skip
    """Driven records without their start; stiffness, velocity and times in units of `PRESSURE`."""
    # Fast until a soft spring carries a fifth of the load, which a slow drive takes for ever to do;
    # a stiff one slides at once
    long = 0.2 * pressure / PRESSURE / stiffness / 0.25 if stiffness < 1 else 20.0
    loading = (0.25, SAMPLE * round(long / SAMPLE))
    history = sheared(
        packed(layers, pressure=pressure), law(), (loading, (velocity, duration)), sample=SAMPLE,
        stiffness=stiffness, pressure=pressure,
    )  # fmt: skip
    keep = history.time[0] > (loading[1] + discard) * TIME
    # Of the state after the last sample nothing is left out
    samples = dataclasses.replace(history, end=None)
    return jax.tree_util.tree_map(lambda x: x[:, keep] if np.ndim(x) > 1 else x, samples)


def slips(history, velocity: float, pressure: float) -> list[dict]:
    """Onset, end and drop of every slip of each layer; a drop is what the drive's spring loses.

    (The force on the wall swings by several times that while it slips.)
    """
    found = []
    for k in range(history.time.shape[0]):
        one = jax.tree_util.tree_map(operator.itemgetter(k), history)
        events = one.catalogue(threshold=OUTRUN * velocity * SPEED, max_events=512)
        n = int(events.count)
        begin = np.asarray(events.time)[:n] / TIME
        end = begin + np.asarray(events.duration)[:n] / TIME
        first = np.concatenate([[True], begin[1:] - end[:-1] > APART]) if n else np.ones(0, bool)
        onset, end = begin[first], end[np.roll(first, -1)]
        moved = np.diff(np.interp([onset, end], one.time / TIME, one.slip / D), axis=0)[0]
        stress = COUNTED * (moved - velocity * (end - onset))  # in PRESSURE
        found.append({"onset": onset, "end": end, "drop": stress * PRESSURE / pressure})
    return found


def levels(history) -> dict:
    """Friction, energy and thickness of a record of several layers."""
    energy = history.kinetic_energy
    low, high = np.percentile(energy, [0.1, 99.9])
    return {
        "friction": history.friction.mean(),
        "friction_spread": history.friction.mean(-1).std(ddof=1),
        "friction_deviation": history.friction.std(-1).mean(),
        "friction_5_95": np.percentile(history.friction, [5, 95]),
        "energy": energy.mean(), "energy_error": energy.mean(-1).std(ddof=1) / np.sqrt(len(energy)),
        "decades": np.log10(high / low), "decades_full": np.log10(energy.max() / energy.min()),
        "thickness": history.thickness.mean(),
    }  # fmt: skip


def statistics(events: list[dict]) -> dict:
    """How many slips, and the drop and recurrence of the large ones."""
    drops = np.concatenate([e["drop"] for e in events])
    drops, large = drops[drops > 0], drops[drops > LARGE]
    waits = np.concatenate([np.diff(e["onset"][e["drop"] > LARGE]) for e in events])
    found: dict = {
        "slips": int(drops.size),
        "large": int(large.size),
        "drops": np.sort(drops)[::-1],
    }
    for name, values in (("drop_large", large), ("recurrence", waits)):
        several = values.size > 1
        found[name] = values.mean() if values.size else None
        found[f"{name}_error"] = values.std(ddof=1) / np.sqrt(values.size) if several else None
    return found


def activity(history, events: list[dict]) -> dict:
    """Kinetic energy before large slips, in decades over its median while the wall hardly moves.

    Only of slips with no other in the hundred d √(ρ/P) before them.
    """
    windows: dict[str, list[float]] = {name: [] for name in BEFORE}
    stacked = []
    for k, found in enumerate(events):
        clock, energy = history.time[k] / TIME, np.log10(history.kinetic_energy[k])
        slow = np.abs(history.wall_velocity[k]) < 0.5 * history.wall_velocity[k].mean()
        quiet = np.median(energy[slow])
        ends = np.concatenate([[clock[0]], found["end"][:-1]])
        alone = (found["onset"] - ends > -GRID[0]) & (found["drop"] > LARGE)
        for onset in found["onset"][alone]:
            for name, (a, b) in BEFORE.items():
                inside = (clock >= onset + a) & (clock < onset + b)
                windows[name].append(float(energy[inside].mean() - quiet))
            stacked.append(np.interp(onset + GRID, clock, energy - quiet))
    result: dict = {"large_slips_used": len(stacked)}
    for name, values in windows.items():
        if len(values) > 1:
            result[name] = {
                "decades_over_quiet": np.mean(values),
                "error": np.std(values, ddof=1) / np.sqrt(len(values)),
                "share_above": np.mean(np.array(values) > 0),
            }
    if stacked:
        result["stack"] = np.mean(stacked, 0)
    return result


def series(history, layer: int = 0, every: int = 2) -> dict:
    """One layer's record, for the figure."""
    pick = slice(None, None, every)
    return {
        "time": (history.time[layer] / TIME)[pick], "friction": history.friction[layer][pick],
        "energy": history.kinetic_energy[layer][pick],
    }  # fmt: skip


def stick_slip(cases: Cases, smoke: bool) -> None:
    """A soft and a stiff drive of the same layers, slowly."""
    if smoke:
        cases("soft", lambda: levels(record(0.01, 2.0, layers=2, discard=0.0)))
        return

    def driven(stiffness: float, duration: float, discard: float) -> dict:
        history = record(0.01, duration, stiffness=stiffness, discard=discard)
        return levels(history) | {"series": series(history)}

    cases("soft", lambda: driven(SOFT, 1500.0, 150.0))
    # Sliding needs less time than sticking
    cases("stiff", lambda: driven(STIFF, 700.0, 50.0))


def load(cases: Cases, smoke: bool) -> None:
    """Three pressures on the same grains, at the same spring and velocity in SI; many slips."""
    if smoke:
        return

    def pressed(share: float, duration: float) -> dict:
        history = record(
            FASTER, duration, stiffness=COUNTED, pressure=share * PRESSURE, discard=60.0
        )
        events = slips(history, FASTER, share * PRESSURE)
        return levels(history) | statistics(events) | {"activity": activity(history, events)}

    # More load takes longer to build up
    for share, duration in ((1.0, 500.0), (2.0, 700.0), (0.5, 400.0)):
        cases(f"{share:g} P", lambda s=share, t=duration: pressed(s, t))


def slip_table(found: dict, loads: dict) -> str:
    """Two drives, and three loads."""
    rows = []
    for name, case in (found | loads).items():
        low, high = case["friction_5_95"]
        rows.append([
            name if name in loads else f"{name} drive, V = 0.01",
            f"{case['friction']:.3f} ± {case['friction_spread']:.3f}", f"{low:.2f} to {high:.2f}",
            case.get("large", "–"), _cell(case, "drop_large", 3), _cell(case, "recurrence", 0),
            f"{case['energy']:.3g} ± {case['energy_error']:.1g}", f"{case['decades']:.1f}",
            f"{1e3 * case['thickness']:.3f}",
        ])  # fmt: skip
    return table(
        ("", "friction", "5 to 95 %", "large slips", "their drop", "recurrence, d √(ρ/P)",
         "kinetic energy, J/m²", "decades of it", "thickness, mm"), rows,
    )  # fmt: skip


def _cell(case: dict, key: str, digits: int) -> str:
    value, error = case.get(key), case.get(f"{key}_error")
    return "–" if value is None or error is None else f"{value:.{digits}f} ± {error:.{digits}f}"


def headline(parts: dict) -> dict:
    soft = parts.get("stick-slip", {}).get("soft")
    return {"kinetic_energy_decades": None if soft is None else round(soft["decades"], 2)}

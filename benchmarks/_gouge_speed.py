"""Particle-steps a second, and LAMMPS with the same layers."""

import os
import time

import jax
import numpy as np
from _gouge_kit import PRESSURE, SPEED, TIME, WALL, Cases, law, packed, spread, table
from _gouge_peer import LONG

from jaxfric import gouge

SIZES = {"500": LONG, "3000": 0.43}  # length of the strip, m, of a layer with so many discs
BATCH = 16
VELOCITY = 0.05


def measured(length: float, batch: int, long: float = 2.0, repeats: int = 4) -> dict:
    """The cheapest of some runs of a layer, or of a batch of copies of it, tables included."""
    layer = packed(1, length=length, height=0.011)[0]
    layers = gouge.stacked([layer] * batch)
    load = gouge.Load(PRESSURE, VELOCITY * SPEED, wall_mass=WALL)
    t = np.linspace(0, long * TIME, 6)
    steps = 5 * gouge.steps_between(layer, law(), t)
    clock, worked = [], []
    for k in range(repeats + 1):
        began, used = time.perf_counter(), time.process_time()
        jax.block_until_ready(gouge.shear_batch(layers, law(), load, t).friction)
        if k:  # the first compiles
            clock.append(time.perf_counter() - began)
            worked.append(time.process_time() - used)
    work = batch * layer.wall.size * steps / 1e6
    return {
        "discs": int(layer.wall.size), "batch": batch, "steps": steps,
        "million_particle_steps": work / min(clock), "median": work / float(np.median(clock)),
        "million_per_core_second": work / min(worked),
        "microseconds_a_step": 1e6 * min(clock) / steps, "threads": os.environ.get("XLA_FLAGS", ""),
    }  # fmt: skip


def speed(cases: Cases, smoke: bool) -> None:
    """500 and 3,000 discs, one layer and sixteen."""
    for name, length in (("37", 0.0238),) if smoke else SIZES.items():
        for batch in (2,) if smoke else (1, BATCH):
            cases(f"{name} × {batch}", lambda length=length, batch=batch: measured(
                length, batch, *((0.1, 1) if smoke else ())))  # fmt: skip


def speed_table(parts: dict) -> str:
    rows = [
        [f"{case['batch']} of {case['discs']} discs", f"{case['million_particle_steps']:.2f}",
         f"{case['million_per_core_second']:.2f}", f"{case['microseconds_a_step']:.0f}",
         f"{case['load']:.1f}"]
        for case in parts.get("speed", {}).values()
    ]  # fmt: skip
    peer = parts.get("lammps", {})
    for name in ("lammps, rotating", "lammps, 500 discs"):
        if name in peer:
            case = peer[name]
            rows.append([
                f"LAMMPS, one of {case['discs']} discs", "",
                f"{case['million_particle_steps']:.2f}", "", f"{case['load']:.1f}",
            ])  # fmt: skip
    text = table(("layers", "10⁶ particle-steps/s", "of a core", "µs a step", "load"), rows)
    rows = []
    for turns in ("rotating", "not rotating"):
        for who, case in (
            ("jaxfric", parts.get("friction", {}).get(f"0.5, {turns}")),
            ("LAMMPS", peer.get(f"lammps, {turns}")),
        ):
            if case is not None:
                rows.append([
                    f"{who}, {turns}", spread(case["friction"], case["spread"]),
                    spread(case["energy"], case["energy_spread"], 2),
                ])  # fmt: skip
    if rows:
        text += "\n\n" + table(("six layers", "friction", "kinetic energy, J/m²"), rows)
    return text


def headline(parts: dict) -> dict:
    speeds, peer = parts.get("speed", {}), parts.get("lammps", {})
    found: dict = {}
    for name in SIZES:
        case = speeds.get(f"{name} × {BATCH}")
        value = None if case is None else case["million_particle_steps"]
        found[f"million_particle_steps_{name}"] = value
    # The same layer, in processor time of one core each. Of sixteen at a time: beside one, XLA's
    # idle threads spin on the other core
    ours, theirs = speeds.get(f"500 × {BATCH}"), peer.get("lammps, 500 discs")
    known = ours is not None and theirs is not None
    found["share_of_lammps_core"] = (
        round(ours["million_per_core_second"] / theirs["million_particle_steps"], 3)
        if known else None
    )  # fmt: skip
    return found

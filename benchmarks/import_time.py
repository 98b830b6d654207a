"""How long jaxfric takes to import in a fresh process, beside the libraries it stands on."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import subprocess  # noqa: E402
import sys  # noqa: E402

from _common import ROOT, Table, Timing, arguments  # noqa: E402

# Python starts, then one import is timed by itself; starting the interpreter is not counted.
PROGRAM = """
import sys, time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start, len(sys.modules))
"""
# `import jaxfric` loads nothing by itself; its largest room stands for what a user imports.
OURS = "jaxfric.ratestate"
MODULES = ("numpy", "jax", "equinox", "diffrax", "jaxfric", OURS)
COLUMNS = {
    "min_s": "min",
    "median_s": "median",
    "runs": "processes",
    "modules": "modules",
    "ratio": "ours / this",
    "over_limit": "ours - this, ms",
}


def fresh_import(module: str) -> tuple[float, int]:
    """Seconds and the number of modules loaded, in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)


def main() -> None:
    smoke = arguments(__doc__).smoke
    repeats = 2 if smoke else 15
    table = Table("import_time", COLUMNS, smoke)
    # Module by module within a round, so that a busy minute slows all of them alike.
    rounds = [{m: fresh_import(m) for m in MODULES} for _ in range(repeats + 1)][1:]
    timings = {m: Timing(None, tuple(r[m][0] for r in rounds)) for m in MODULES}
    ours = timings[OURS]
    for module in MODULES:
        timing = timings[module]
        difference = 1e3 * (ours.best - timing.best)
        table.add(
            f"import {module}",
            timing,
            modules=rounds[-1][module][1],
            ratio=ours.best / timing.best,
            over_limit=difference if module != OURS else None,
        )
    table.note("Limit: jaxfric imports equinox, whose own import time is therefore the floor.")
    table.note(f"Goal: import {OURS} in at most 1.2 s.")
    table.finish()


if __name__ == "__main__":
    main()

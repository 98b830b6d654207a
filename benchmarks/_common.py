"""What the benchmark scripts share: timing, the table, the machine's limits, the JSONL rows.

Import it after the two environment variables at the top of each script are set, and before JAX.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("jaxfric", "jax", "jaxlib", "diffrax", "equinox", "numpy", "scipy", "torch", "evosax")
PEERS = ("torch-friction", "cma", "pycwt")
NOT_INSTALLED = "not installed"


class Timing(NamedTuple):
    """Seconds: compilation, every measured run, and the processor time of the cheapest run."""

    compile: float | None
    runs: tuple[float, ...]
    cpu: float | None = None

    @property
    def best(self) -> float:
        return min(self.runs)

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--smoke", action="store_true", help="tiny sizes, no peers required, nothing is recorded"
    )
    return parser.parse_args()


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def compiled(function: Callable[..., Any], *args: Any) -> tuple[Callable[..., Any], float]:
    """The program compiled for these arguments, and the seconds that tracing and compiling took."""
    start = time.perf_counter()
    program = jax.jit(function).lower(*args).compile()
    return program, time.perf_counter() - start


def timed(function: Callable[[], Any], repeats: int, budget: float = 30.0) -> tuple[Any, Timing]:
    """Run once unmeasured, then up to `repeats` times or until `budget` seconds are spent."""
    result = jax.block_until_ready(function())
    runs: list[float] = []
    cpu: list[float] = []
    while not runs or (len(runs) < repeats and sum(runs) < budget):
        used, start = time.process_time(), time.perf_counter()
        jax.block_until_ready(function())
        runs.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return result, Timing(None, tuple(runs), min(cpu))


def timed_jit(function: Callable[..., Any], *args: Any, repeats: int) -> tuple[Any, Timing]:
    """The result, the compilation time and the run times of a function under jit."""
    program, seconds = compiled(function, *args)
    result, timing = timed(lambda: program(*args), repeats)
    return result, timing._replace(compile=seconds)


# ---------------------------------------------------------------- the machine's limits


def copy_bandwidth(smoke: bool) -> float:
    """Bytes a second of a large array read and written, both counted.

    In place (the buffer is donated): the time to get fresh pages from the system is no bandwidth.
    """
    x = jnp.ones(2**20 if smoke else 2**25)  # float64: 256 MiB
    program = jax.jit(lambda x: x + 1, donate_argnums=0).lower(x).compile()
    runs = []
    for _ in range(5 if smoke else 20):
        start = time.perf_counter()
        x = jax.block_until_ready(program(x))
        runs.append(time.perf_counter() - start)
    return 2 * x.nbytes / min(runs)


def elementary_rate(smoke: bool, dtype: Any = jnp.float64) -> float:
    """Exponentials a second, of an array that stays in the cache, on all cores."""
    x = jnp.linspace(-1, 1, 2**16, dtype=dtype)

    def repeat(x: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, 16, lambda _, y: jnp.exp(-y), x)

    _, timing = timed_jit(repeat, x, repeats=5 if smoke else 50)
    return 16 * x.size / timing.best


# ---------------------------------------------------------------- the table and its record


class Table:
    """Rows of one benchmark; `finish` prints them and appends them to results/<name>.jsonl."""

    def __init__(self, name: str, columns: dict[str, str], smoke: bool):
        """`columns` maps the key of a number to the heading it is printed under."""
        self.name, self.columns, self.smoke = name, columns, smoke
        self.rows: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def add(self, what: str, timing: Timing | None = None, **numbers: Any) -> dict[str, Any]:
        row: dict[str, Any] = {"what": what}
        if timing is not None:
            row |= {
                "compile_s": timing.compile,
                "min_s": timing.best,
                "median_s": timing.median,
                "cpu_s": timing.cpu,
                "runs": len(timing.runs),
            }
        row |= {k: v.item() if hasattr(v, "item") else v for k, v in numbers.items()}
        self.rows.append(row)
        return row

    def absent(self, what: str, why: str = NOT_INSTALLED) -> None:
        self.rows.append({"what": what, "missing": why})

    def note(self, line: str) -> None:
        self.notes.append(line)

    def finish(self) -> None:
        self._print()
        if self.smoke:
            return
        RESULTS.mkdir(exist_ok=True)
        where = environment()
        lines = [
            json.dumps({"benchmark": self.name, **row, **where}, allow_nan=True)
            for row in self.rows
            if "missing" not in row
        ]
        path = RESULTS / f"{self.name}.jsonl"
        with path.open("a") as file:
            file.write("\n".join(lines) + "\n")
        print(f"{len(lines)} rows appended to benchmarks/results/{path.name}")

    def _print(self) -> None:
        headings = [self.name, *self.columns.values()]
        body = [
            [row["what"], *(_cell(key, row) for key in self.columns)]
            if "missing" not in row
            else [row["what"], row["missing"], *([""] * (len(self.columns) - 1))]
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in [headings, *body]) for i in range(len(headings))]
        rule = "  ".join("-" * w for w in widths)
        for line in [headings, None, *body]:
            if line is None:
                print(rule)
                continue
            cells = [line[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]
            print("  ".join(cells).rstrip())
        for line in self.notes:
            print(line)


def _cell(key: str, row: dict[str, Any]) -> str:
    value = row.get(key)
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if key.endswith("error"):
        return f"{value:.1e}"
    if not math.isfinite(value):
        return str(value)
    if key in ("min_s", "median_s"):
        return duration(value)
    if key == "compile_s":
        return f"{value:.2f} s"
    if key.endswith("_us"):
        return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def environment() -> dict[str, Any]:
    """Commit, versions, device and date, for every recorded row."""
    device = jax.devices()[0]
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": _versions((*PACKAGES, *PEERS)),
        "device": f"{device.platform}: {_processor() if device.platform == 'cpu' else device}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    def git(*args: str) -> str:
        command = ["git", "-C", str(ROOT), *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "jaxfric")
        return git("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()

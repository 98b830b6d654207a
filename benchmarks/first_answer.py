"""How long each command takes from the shell to its answer, as a process of its own.

First time: with an empty cache of programs, as on a new machine. Afterwards: the same command on
other files or for other numbers, with the cache that the first one left. Beside the fit, the script
that one would write with SciPy instead; and simulators called outside of `jax.jit`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import itertools  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

from _common import ROOT, Table, Timing, arguments, installed  # noqa: E402
from _first_answer_files import crops, stick_slip  # noqa: E402

REPEATS, RECORDS = 5, 20
SCIPY = Path(__file__).with_name("_fit_scipy.py")
BASALT = ROOT / "jaxfric/records/data/velstep4_BRAVA_expb819_basalt.txt"
LABQUAKES = "p4581_8MPa_labquakes.csv"
COLUMNS = {
    "first_s": "first, s",
    "goal_first_s": "goal",
    "min_s": "min",
    "median_s": "median",
    "goal_s": "goal, s",
    "worst_s": "worst, s",
    "cpu_s": "processor, s",
    "runs": "processes",
}
EAGER_COLUMNS = {
    "min_s": "min",
    "median_s": "median",
    "jitted_ms": "jitted, ms",
    "over_ms": "more, ms",
    "goal_ms": "goal, ms",
    "compilations": "compilations",
}


class Case(NamedTuple):
    """A command: its arguments the first time, those of later times, and the goals in seconds."""

    name: str
    first: list[str]
    others: list[list[str]]
    goal_first: float | None = None
    goal: float | None = None
    records: int = 1  # in one call


class CommandError(Exception):
    """A command that ended with an error."""


def process(command: list[str], folder: Path, cache: Path) -> tuple[float, float]:
    """Wall and processor time of a whole process, in seconds; its output goes to files."""
    environment = {k: v for k, v in os.environ.items() if k not in ("JAX_ENABLE_X64", "XLA_FLAGS")}
    environment |= {"JAXFRIC_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: {done.stderr.strip()[-400:]}")
    (folder / "stdout.txt").write_text(done.stdout)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(table: Table, case: Case, folder: Path, repeats: int) -> None:
    """A row: the first time, then as many processes as asked for, going round the others."""
    cache = Path(tempfile.mkdtemp(prefix="cache-", dir=folder))
    jaxfric = ["-m", "jaxfric"]
    try:
        first, _ = process([*jaxfric, *case.first], folder, cache)
        after = [
            process([*jaxfric, *other], folder, cache)
            for other in itertools.islice(itertools.cycle(case.others), repeats)
        ]
    except CommandError as failure:
        table.absent(case.name, "failed")
        table.note(str(failure))
        return
    walls = [wall / case.records for wall, _ in after]
    then = ", ".join(f"{wall:.2f}" for wall in walls)  # the table comes minutes later
    print(f"{case.name}: first {first / case.records:.2f} s, then {then}", file=sys.stderr)
    processor = min(cpu for _, cpu in after) / case.records
    table.add(
        case.name,
        Timing(None, tuple(walls), processor),
        first_s=first / case.records,
        goal_first_s=case.goal_first,
        goal_s=case.goal,
        worst_s=max(walls),
    )


def cases(folder: Path) -> list[Case]:
    """The commands of the table of goals."""
    files = [str(path) for path in crops(folder, RECORDS)]
    some = [["fit-step", file, "--window", "0", "0"] for file in files[:4]]
    design = lambda slope, *more: ["design", "--linear", slope, *more]  # noqa: E731
    made = [str(stick_slip(folder / f"made-{i}.csv", 120.0 + 15 * i, i)) for i in range(4)]
    found = [
        Case("--version", ["--version"], [["--version"]], 0.3, 0.3),
        Case("--help", ["--help"], [["--help"]], 0.3, 0.3),
        Case("fit-step, two laws", ["fit-step", "basalt", "--out", "first-fit"],
             [["fit-step", "sepiolite"], *some], 8, 2.5),
        Case(f"fit-step of {RECORDS} files, for each", ["fit-step", *files],
             [["fit-step", *files[::-1], "--detrend", "none"]], None, 0.4, RECORDS),
        Case("design", design("0.5"), [design(s) for s in ("0.4", "0.45", "0.55", "0.6")], 8, 3),
        Case("design --generate 16", design("0.5", "--generate", "16"),
             [design(s, "--generate", "16") for s in ("0.4", "0.45", "0.55", "0.6")], 8, 3),
        Case("predict-slip, a made record", ["predict-slip", made[0]],
             [["predict-slip", file] for file in made[1:]], 8, 3),
    ]  # fmt: skip
    real = Path(os.environ.get("JAXFRIC_DATA", "")) / LABQUAKES
    if os.environ.get("JAXFRIC_DATA") and real.exists():
        one = ["predict-slip", str(real), "--normal-stress", "8e6"]
        found.append(Case("predict-slip, p4581", one, [one], 8, 3))
    return [*found, Case("demo", ["demo"], [["demo"]], 30, 12)]


def smoke_cases() -> list[Case]:
    fit = ["fit-step", "basalt", "--evolution", "aging"]
    return [
        Case("--version", ["--version"], [["--version"]], 0.3, 0.3),
        Case("--help", ["--help"], [["--help"]], 0.3, 0.3),
        Case("fit-step, one law", fit, [fit]),
    ]


# ---------------------------------------------------------------- SciPy's fit


def scipy_rows(table: Table, folder: Path) -> None:
    """The script on the window that `fit-step` took, and both results."""
    if not installed("scipy"):
        table.absent("SciPy's fit")
        return
    ours = json.loads((folder / "first-fit/fit.json").read_text())
    window = [repr(x) for x in ours["window_s"]]
    command = [str(SCIPY), str(BASALT), *window]
    for name, more in (("SciPy's fit", []), ("SciPy's fit, figures", [str(folder / "scipy")])):
        found = [process([*command, *more], folder, folder) for _ in range(REPEATS)]
        walls = tuple(wall for wall, _ in found)
        table.add(name, Timing(None, walls, min(cpu for _, cpu in found)), worst_s=max(walls))
    theirs = json.loads((folder / "stdout.txt").read_text())
    for line in agreement(ours["fits"], theirs):
        table.note(line)


def agreement(ours: list[dict[str, Any]], theirs: dict[str, Any]) -> list[str]:
    """a, b and Dc of both laws by both programs, and how far they lie apart."""
    lines = []
    for fit in ours:
        rows = {row["name"]: row for row in fit["parameters"]}
        law = fit["law"].lower()
        values = [(name, rows[name], theirs[law][name]) for name in ("a", "b", "Dc")]
        pairs = ", ".join(f"{n} {o['value']:.6g} and {s[0]:.6g}" for n, o, s in values)
        apart = max(abs(o["value"] - s[0]) / o["error"] for _, o, s in values)
        lines.append(f"{law}, ours and SciPy's: {pairs}; {apart:.2g} standard errors apart")
    return lines


def eager_rows(smoke: bool) -> Table:
    import _eager_calls

    table = Table("first_answer", EAGER_COLUMNS, smoke)
    for name in ["slide"] if smoke else _eager_calls.CALLS:
        numbers = _eager_calls.measure(_eager_calls.CALLS[name], 3 if smoke else 50)
        timing = numbers.pop("timing")
        table.add(f"{name}, outside of jit", timing, goal_ms=5.0, **numbers)
    table.note("Laws and protocols made anew for every call; goal: 5 ms more, no compilation.")
    return table


def main() -> None:
    smoke = arguments(__doc__).smoke
    table = Table("first_answer", COLUMNS, smoke)
    with tempfile.TemporaryDirectory(prefix="first-answer-") as name:
        folder = Path(name)
        for case in smoke_cases() if smoke else cases(folder):
            measure(table, case, folder, 1 if smoke else 2 if case.records > 1 else REPEATS)
            if "first-fit" in case.first:
                scipy_rows(table, folder)
    table.note("Goals are for two quiet cores. `first` starts from an empty cache.")
    table.finish()
    eager_rows(smoke).finish()


if __name__ == "__main__":
    main()

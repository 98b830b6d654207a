"""`jaxfric fit-step`."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content, publish
from jaxfric.cli._messages import speaking_flags

if TYPE_CHECKING:
    from jaxfric.inversion import StepFit
    from jaxfric.ratestate import AbstractEvolution
    from jaxfric.records import VelocityStepRecord

# The window around the step, in critical slip distances: what is left of the transient after twenty
# of them, e^-20, is nothing, and a longer window holds more of a drift that no polynomial follows
WINDOW_LENGTHS = 20
# Names of shipped records, which a file of the same name comes before
SAMPLES = ("basalt", "sepiolite")
CSV_HEAD = "file,law,parameter,value,std_error,low_95,high_95,unit,residual_rms,bic,best"


class Request(NamedTuple):
    """What is asked of every file."""

    evolutions: Sequence[str] = ("aging", "slip")
    stiffness: float | None = None
    window: tuple[float, float] | None = None
    steps: int = 1
    detrend: str = "linear"


def run_fit_files(
    files: Sequence[str], out: Path, request: Request, painter: Painter | None = None
) -> None:
    """Fit each file; several get a folder each, and one table.

    Raises:
        RuntimeError: at the end, naming the files that could not be fitted.
    """
    painter = painter or Painter(apart=False)
    if len(files) == 1:
        run_fit(read_record(files[0]), out, request, painter)
        return
    rows: list[str] = []
    failures: list[str] = []
    waiting: list[tuple[Path, dict[str, Content]]] = []  # their figures are being drawn
    for file, folder in zip(files, _folders(files), strict=True):
        print(f"== {file}")
        try:
            with speaking_flags("fit-step"):
                fits, contents = _fitted(read_record(file), request, painter)
        # A night's worth of files must not end at the first bad one; all are named at the end
        except (ValueError, RuntimeError, OSError) as error:
            failures.append(f"{file}: {error}")
            print(f"not fitted: {error}\n")
            continue
        rows += _rows(file, fits)
        waiting.append((out / folder, contents))
        if len(waiting) > 1:  # drawn while this one was fitted
            publish(*waiting.pop(0))
        print()
    for ready in waiting:
        publish(*ready)
    if rows:
        publish(out, {"fits.csv": "\n".join([CSV_HEAD, *rows]) + "\n"})
        print(f"Fitted {len(files) - len(failures)} of {len(files)} files: {out / 'fits.csv'}")
    if failures:
        raise RuntimeError(
            "\n".join([f"{len(failures)} of {len(files)} files not fitted", *failures])
        )


def run_fit(
    record: "VelocityStepRecord", out: Path, request: Request, painter: Painter | None = None
) -> list["StepFit"]:
    """Fit each evolution law, print the tables, write table, JSON and figure to `out`."""
    fits, contents = _fitted(record, request, painter or Painter(apart=False))
    files = publish(out, contents)
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return fits


def _fitted(
    record: "VelocityStepRecord", request: Request, painter: Painter
) -> tuple[list["StepFit"], dict[str, Content]]:
    """The fits, printed, and what is to be written of them; the figure is being drawn."""
    from jaxfric import inversion

    laws = {name: _evolution(name) for name in request.evolutions}
    record = _around_step(record, request.steps, request.window)
    fits = _fit_all(record, laws, request)
    parts = [str(fit) for fit in fits]
    parts += [
        f"what {f} leaves open:\n{fit.identifiability()}" for f, fit in zip(laws, fits, strict=True)
    ]
    if len(fits) > 1:
        parts.append(str(inversion.compare(fits)))
    best = min(fits, key=lambda fit: fit.bic)
    # A tenth above the noise of the steady parts is more than their own error allows
    if best.rms > 1.1 * best.steady_noise:
        parts.append(
            f"The residual ({best.rms:.2g}) exceeds the noise of the steady parts "
            f"({best.steady_noise:.2g}): a drift remains. Try a narrower --window or "
            "--detrend quadratic."
        )
    text = "\n\n".join(parts)
    print(text)
    summary = {
        "record": record.name,
        "window_s": [float(x) for x in record.time[[0, -1]]],
        "fits": [_as_json(fit) for fit in fits],
    }
    from jaxfric.plotting._fit import fit_curves

    figure = painter.draw("jaxfric.plotting._fit", "draw_fits", [fit_curves(fit) for fit in fits])
    contents: dict[str, Content] = {
        "fit.txt": text + "\n",
        "fit.json": json.dumps(summary, indent=2) + "\n",
        "fit.png": figure,
    }
    return fits, contents


def _fit_all(
    record: "VelocityStepRecord", laws: dict[str, "AbstractEvolution"], request: Request
) -> list["StepFit"]:
    """One fit for each law; while one computes, the program of the next is compiled."""
    from jaxfric import inversion, programs, ratestate

    free = ["step_time"] if request.stiffness is not None else ["step_time", "stiffness"]
    load = inversion.protocol_from_displacement(record, request.steps)

    def fit(name: str) -> "StepFit":
        law, spring = inversion.guess(record, laws[name], protocol=load)
        if request.stiffness is not None:
            spring = ratestate.Spring(request.stiffness)
        try:
            return inversion.fit_step(
                record, law, spring, free=free, protocol=load, detrend=request.detrend
            )
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}") from error

    # XLA compiles side by side and outside of Python's lock. The threads do that only: programs
    # that run side by side were seen to wait for each other for ever on two cores. Fits run here,
    # one after another, and each waits for its own program alone.
    with ThreadPoolExecutor(len(laws)) as pool:
        for name in laws:
            pool.submit(programs.prepare, fit, name)
        return [fit(name) for name in laws]


def read_record(file: str) -> "VelocityStepRecord":
    """A file, or one of the shipped records by its name."""
    from jaxfric import records

    if file in SAMPLES and not Path(file).exists():
        return records.sample(file)
    return records.read_velocity_step(file)


def _around_step(
    record: "VelocityStepRecord", steps: int, window: tuple[float, float] | None
) -> "VelocityStepRecord":
    """The rows around the step: what was asked for, else twenty Dc of slip either side."""
    import numpy as np

    from jaxfric import inversion

    protocol = inversion.protocol_from_displacement(record, steps)
    times = [float(t) for t in protocol.times]
    if window == (0, 0) or (window is None and steps > 1):
        return record
    if window is None:
        law, _ = inversion.guess(record, protocol=protocol)
        span = WINDOW_LENGTHS * float(np.asarray(law.Dc)) / float(protocol.velocities[1])
        window = (span, span)
        print(
            f"window: {span:.4g} s either side of the step ({WINDOW_LENGTHS} Dc of slip); "
            "choose another with --window, or keep all with --window 0 0\n"
        )
    cropped = record.crop(times[1] - window[0], times[-1] + window[1])
    cropped.require_span(times[1])
    return cropped


def _evolution(name: str) -> "AbstractEvolution":
    from jaxfric import ratestate

    # Every evolution law of the library has its flag as soon as it is written
    laws = {
        name.lower(): law
        for name, law in vars(ratestate).items()
        if isinstance(law, type) and issubclass(law, ratestate.AbstractEvolution)
    }
    del laws["abstractevolution"]
    if name not in laws:
        raise ValueError(f"--evolution must be one of {', '.join(sorted(laws))}; got {name!r}")
    found: AbstractEvolution = laws[name]()
    return found


def _folders(files: Sequence[str]) -> list[str]:
    """A folder for each file, by its name; those of one name are numbered."""
    stems = [Path(file).stem for file in files]
    return [
        stem if stems.count(stem) == 1 else f"{stem}-{stems[:k].count(stem) + 1}"
        for k, stem in enumerate(stems)
    ]


def _rows(file: str, fits: Sequence["StepFit"]) -> list[str]:
    """Of the table of all files: one for each parameter of each law."""
    # "Long" form, a number to a row, so that laws with other parameters fit the same columns
    best = min(fit.bic for fit in fits)
    lines = []
    for fit in fits:
        head = f'"{file}",{fit.law_name}'
        tail = f"{fit.rms:.4g},{fit.bic:.6g},{int(fit.bic == best)}"
        lines += [
            f"{head},{row['name']},{row['value']:.9g},{row['error']:.3g},{row['low']:.6g},"
            f"{row['high']:.6g},{row['unit']},{tail}"
            for row in fit.table()
        ]
    return lines


def _as_json(fit: "StepFit") -> dict[str, object]:
    """Everything that a script may want of a fit, in SI."""
    return {
        "law": fit.law_name,
        "parameters": fit.table(),
        "names": list(fit.names),
        "covariance": fit.covariance.tolist(),
        "residual_rms": fit.rms,
        "steady_noise": fit.steady_noise,
        "aic": fit.aic,
        "bic": fit.bic,
        "converged": fit.converged,
        "iterations": fit.iterations,
        "V0_m_per_s": float(fit.law.V0),
        "load_velocities_m_per_s": [float(v) for v in fit.protocol.velocities],
    }

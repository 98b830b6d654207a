"""`jaxfric fit-step`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxfric.cli._files import publish

if TYPE_CHECKING:
    from jaxfric.ratestate import AbstractEvolution, RateStateLaw, Spring, StepFit
    from jaxfric.records import VelocityStepRecord

WINDOW_LENGTHS = 20  # the window around the step, in critical slip distances


def run_fit(
    record: "VelocityStepRecord",
    evolutions: Sequence[str],
    out: Path,
    stiffness: float | None = None,
    window: tuple[float, float] | None = None,
    steps: int = 1,
    detrend: str = "linear",
) -> list["StepFit"]:
    """Fit each evolution law, print the tables, write table, JSON and figure to `out`."""
    from jaxfric import plotting, ratestate

    laws = [_evolution(name) for name in evolutions]
    record = _around_step(record, steps, window)
    fits = []
    for name, evolution in _progress(list(zip(evolutions, laws, strict=True))):
        law, spring = _guess(record, evolution, steps)
        free = ["step_time"]
        if stiffness is None:
            free.append("stiffness")
        else:
            spring = ratestate.Spring(stiffness)
        try:
            fits.append(
                ratestate.fit_step(record, law, spring, free=free, steps=steps, detrend=detrend)
            )
        except RuntimeError as error:
            raise RuntimeError(f"{name}: {error}") from error
    parts = [str(fit) for fit in fits]
    parts += [
        f"what {f} leaves open:\n{fit.identifiability()}"
        for f, fit in zip(evolutions, fits, strict=True)
    ]
    if len(fits) > 1:
        parts.append(ratestate.compare(fits))
    best = min(fits, key=lambda fit: fit.bic)
    if best.rms > 1.1 * best.steady_noise:
        parts.append(
            f"The residual ({best.rms:.2g}) exceeds the noise of the steady parts "
            f"({best.steady_noise:.2g}): a drift remains. Try a narrower --window or "
            "--detrend quadratic."
        )
    text = "\n\n".join(parts)
    print(text)
    summary = {"record": record.name, "window_s": [float(x) for x in record.time[[0, -1]]]}
    summary["fits"] = [_as_json(fit) for fit in fits]
    files = publish(
        out,
        {
            "fit.txt": text + "\n",
            "fit.json": json.dumps(summary, indent=2) + "\n",
            "fit.png": plotting.plot_fits(fits),
        },
    )
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return fits


def read_record(file: str) -> "VelocityStepRecord":
    from jaxfric import records

    if file in ("basalt", "sepiolite") and not Path(file).exists():
        return records.sample(file)
    return records.read_velocity_step(file)


def _around_step(
    record: "VelocityStepRecord", steps: int, window: tuple[float, float] | None
) -> "VelocityStepRecord":
    """The rows around the step: what was asked for, else twenty Dc of slip either side."""
    from jaxfric import ratestate

    protocol = ratestate.protocol_from_displacement(record, steps)
    times = [float(t) for t in protocol.times]
    if window == (0, 0) or (window is None and steps > 1):
        return record
    if window is None:
        law, _ = ratestate.guess(record, protocol=protocol)
        span = WINDOW_LENGTHS * float(law.Dc) / float(protocol.velocities[1])
        window = (span, span)
        print(
            f"window: {span:.4g} s either side of the step ({WINDOW_LENGTHS} Dc of slip); "
            "choose another with --window, or keep all with --window 0 0\n"
        )
    cropped = record.crop(times[1] - window[0], times[-1] + window[1])
    cropped.require_span(times[1])
    return cropped


def _guess(
    record: "VelocityStepRecord", evolution: "AbstractEvolution", steps: int
) -> tuple["RateStateLaw", "Spring"]:
    from jaxfric import ratestate

    return ratestate.guess(record, evolution, steps=steps)


def _evolution(name: str) -> "AbstractEvolution":
    from jaxfric import ratestate

    makers: dict[str, Callable[[], AbstractEvolution]] = {
        "aging": ratestate.Aging,
        "slip": ratestate.Slip,
        "prz": ratestate.PRZ,
        "nagata": lambda: ratestate.Nagata(c=2.0),
        "composite": ratestate.Composite,
    }
    if name not in makers:
        raise ValueError(f"--evolution must be one of {', '.join(makers)}; got {name!r}")
    return makers[name]()


def _as_json(fit: "StepFit") -> dict[str, Any]:
    return {
        "law": str(fit).split(" fitted", 1)[0],
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


def _progress(items: list[Any]) -> Any:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    quiet = not console.is_terminal
    return track(items, "fitting", console=console, transient=True, disable=quiet)

"""The command line: `jaxfric fit-step`, `jaxfric demo` (the `app` extra)."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import typer

    from jaxfric.ratestate import AbstractEvolution, RateStateLaw, Spring, StepFit
    from jaxfric.records import VelocityStepRecord

WINDOW_LENGTHS = 20  # the window around the step, in critical slip distances


def main() -> None:
    """Entry point: the command line in float64, errors as one sentence on stderr."""
    try:
        import matplotlib  # noqa: F401
        import rich  # noqa: F401
        import typer
    except ImportError as error:
        sys.exit(f"the command line needs {error.name}: pip install 'jaxfric[app]'")
    import jax

    jax.config.update("jax_enable_x64", True)  # an application may; the library never does
    try:
        _app(typer)()
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"error: {error}")


def _app(typer: Any) -> "typer.Typer":
    app = typer.Typer(
        name="jaxfric",
        help="Differentiable physics and machine learning for friction.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    def print_version(wanted: bool) -> None:
        if wanted:
            from jaxfric import __version__

            print(__version__)
            raise typer.Exit

    @app.callback()
    def root(
        version: Annotated[
            bool,
            typer.Option("--version", callback=print_version, is_eager=True, help="Print it."),
        ] = False,
    ) -> None:
        pass

    @app.command("fit-step")
    def fit_step(
        file: Annotated[
            str, typer.Argument(help="A record, or 'basalt' or 'sepiolite' for a shipped one.")
        ],
        evolution: Annotated[
            list[str] | None,
            typer.Option(help="aging, slip, prz, nagata, composite; repeat to compare."),
        ] = None,
        out: Annotated[Path, typer.Option(help="Folder for the table, JSON and figure.")] = Path(
            "fit-output"
        ),
        stiffness: Annotated[
            float | None,
            typer.Option(
                help="Friction per metre of load-point displacement, 1/m; fitted if left out."
            ),
        ] = None,
        window: Annotated[
            tuple[float, float] | None,
            typer.Option(help="Seconds kept before and after the step; 0 0 keeps all."),
        ] = None,
        steps: Annotated[int, typer.Option(help="Number of velocity steps.")] = 1,
        detrend: Annotated[str, typer.Option(help="none, linear or quadratic.")] = "linear",
    ) -> None:
        """Fit rate-and-state laws to a laboratory velocity step."""
        run_fit(_read(file), evolution or ["aging", "slip"], out, stiffness, window, steps, detrend)

    @app.command()
    def demo(
        out: Annotated[Path, typer.Option(help="Folder for figures and tables.")] = Path(
            "demo-output"
        ),
    ) -> None:
        """Fit the shipped basalt record, simulate stick-slip, differentiate a velocity step."""
        run_demo(out)

    study = typer.Typer(help="Run a published study: a table, figures, metrics.json.")
    app.add_typer(study, name="study")

    @study.command("slide-hold-learn")
    def slide_hold_learn(
        preset: Annotated[str, typer.Option(help="smoke, laptop or paper.")] = "laptop",
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path(
            "slide-hold-learn"
        ),
        resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Begin anew.")] = False,
    ) -> None:
        """Networks that learn rate-and-state friction from velocity histories."""
        run_slide_hold_learn(preset, out, resume, force)

    return app


def run_slide_hold_learn(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32 (as the paper's), its table and its figures."""
    import jax

    from jaxfric import plotting
    from jaxfric.studies import slide_hold_learn as study

    jax.config.update("jax_enable_x64", False)
    metrics = study.run(preset, out, resume=resume, force=force, progress=True)
    table = study.table(metrics)
    figures = plotting.plot_slide_hold_learn(metrics, out)
    files = _publish(out, {"table.txt": table + "\n", **figures})
    print(f"\n{table}\n\nIn {out.resolve()}: metrics.json, {', '.join(f.name for f in files)}")


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
    files = _publish(
        out,
        {
            "fit.txt": text + "\n",
            "fit.json": json.dumps(summary, indent=2) + "\n",
            "fit.png": plotting.plot_fits(fits),
        },
    )
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return fits


def run_demo(out: Path) -> None:
    """What `make demo` shows: a fit of real data, a stick-slip cycle, a derivative."""
    import jax
    import jax.numpy as jnp

    from jaxfric import plotting, ratestate, records

    print("1. Fit the shipped velocity step on basalt gouge (Giacomel et al. 2021)\n")
    fits = run_fit(records.sample("basalt"), ["aging", "slip"], out)

    print("\n2. A stick-slip cycle at half the critical stiffness\n")
    law = ratestate.RateStateLaw(mu0=0.6, a=0.010, b=0.015, Dc=1e-5, V0=1e-6)
    critical = float(ratestate.critical_stiffness(law, 1e-5))
    spring = ratestate.Spring(0.5 * critical, damping=1e-2)
    load = ratestate.VelocityProtocol([0.0], [1e-5])
    start = (1e-6, law.initial(1e-6))
    history = ratestate.spring_slider(
        law, spring, load, jnp.array([0.0, 200.0]), initial=start, steps=True, max_steps=8192
    )
    events = ratestate.catalogue(history, max_events=16)
    print(f"critical stiffness {critical:.4g} 1/m\n{events}")
    cycle = plotting.plot_stick_slip(
        history, events, title="Stick-slip at half the critical stiffness"
    )
    _publish(out, {"stick-slip.txt": f"{events}\n", "stick-slip.png": cycle})

    print("\n3. The fitted step, differentiated: ∂μ(t)/∂ln p in forward mode\n")
    best = min(fits, key=lambda fit: fit.bic)
    time = jnp.linspace(float(best.time[0]), float(best.time[-1]), 801)
    names = ("a", "b", "Dc", "stiffness")

    def friction(logs: Any) -> Any:
        a, b, Dc, k = jnp.exp(logs)
        law = ratestate.RateStateLaw(best.law.mu0, a, b, Dc, best.law.V0, best.law.evolution)
        return ratestate.spring_slider(law, ratestate.Spring(k), best.protocol, time).friction

    point = jnp.log(jnp.array([best.value(name) for name in names]))
    slopes = jax.jit(jax.jacfwd(friction))(point)
    largest = ", ".join(
        f"{n} {float(jnp.abs(s).max()):.2g}" for n, s in zip(names, slopes.T, strict=True)
    )
    print(f"largest |∂μ/∂ln p|: {largest}")
    clock = time - best.protocol.times[1]
    figure = plotting.plot_sensitivity(
        clock, friction(point), dict(zip(names, slopes.T, strict=True)),
        title="What a velocity step tells about each parameter",
    )  # fmt: skip
    _publish(out, {"sensitivity.png": figure})
    print(f"\nFigures and tables are in {out.resolve()}:")
    for path in sorted(out.iterdir()):
        print(f"  {path.name}")


def _read(file: str) -> "VelocityStepRecord":
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


def _publish(out: Path, contents: dict[str, Any]) -> list[Path]:
    """Texts and figures into a folder: all of them, whole, or none."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".part-") as folder:
        for name, content in contents.items():
            if isinstance(content, str):
                (Path(folder) / name).write_text(content, encoding="utf-8")
            else:
                content.savefig(Path(folder) / name)
        for name in contents:
            os.replace(Path(folder) / name, out / name)
    return [out / name for name in contents]


if __name__ == "__main__":
    main()

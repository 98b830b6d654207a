"""`make programs`: the traced programs of the common commands, for every platform at once."""

import os
import tempfile
from pathlib import Path

from jaxfric.cli._cache import CACHE
from jaxfric.cli._setup import prepare

# Of the records that are made up: s between samples, and s between slip events
DT, RECURRENCE = 0.1, 10.0
# Slip events of two records, padded to the two lengths that laboratory records usually need
CYCLES = (12, 30)


def main() -> None:
    """Run the commands that ship their programs; what they no longer use is removed."""
    with tempfile.TemporaryDirectory() as folder:
        # A cache of its own: a bank of laws that an earlier command left in the user's would not be
        # made again, and the program that makes it not be shipped
        os.environ[CACHE] = str(Path(folder) / "cache")
        prepare()
        import jax

        from jaxfric import programs

        # Files and lines that each operation came from: of the machine that ships, changed by any
        # edit above them, and of use to nobody
        jax.config.update("jax_traceback_in_locations_limit", 0)
        # Traced anew whatever lies there, since what is there may be of older code; for every
        # platform, as the package is built once for all
        keeper = programs.keep(programs.SHIPPED, platforms=programs.EVERYWHERE, anew=True)
        for run in (_fits, _demo, _designs, _predictions):
            run(Path(folder))
    # What no command asked for any more would be shipped for nothing
    kept = {path for path in programs.SHIPPED.glob("*.*") if path.stem in keeper.keys}
    for path in set(programs.SHIPPED.glob("*.*")) - kept:
        path.unlink()
    size = sum(path.stat().st_size for path in kept)
    print(f"{len(keeper.keys)} programs, {size / 1e6:.2f} MB, in {programs.SHIPPED}")


def _fits(out: Path) -> None:
    """Of short, ordinary and long windows: a program for each length that records are padded to."""
    from jaxfric import records
    from jaxfric.cli._fit_step import Request, run_fit

    for window in ((4.0, 4.0), None):
        run_fit(records.sample("basalt"), out / "fit", Request(window=window))
    run_fit(records.sample("sepiolite"), out / "fit", Request())


def _demo(out: Path) -> None:
    from jaxfric.cli._demo import run_demo

    run_demo(out / "demo")


def _designs(out: Path) -> None:
    from jaxfric.cli._design import run_design
    from jaxfric.cli._generate import run_generate
    from jaxfric.cli._target import wanted_law

    run_design(wanted_law(None, linear=0.5), out / "design")
    run_generate(wanted_law(None, linear=0.5), out / "generate", 16)


def _predictions(out: Path) -> None:
    """Of stick-slip records of two lengths; networks are float32, as `predict-slip` sets it."""
    import jax

    from jaxfric.cli._predict_slip import run_predict

    jax.config.update("jax_enable_x64", False)
    for cycles in CYCLES:
        run_predict(_stick_slip(out / "record.csv", cycles), out / "slip", normal_stress=5e6)


def _stick_slip(path: Path, cycles: int) -> Path:
    """A record as simple as one can be: emission bursts at every drop of the shear stress."""
    rows = ["Time (s),ShearStress (MPa),Var_Ch1"]
    for k in range(int(cycles * RECURRENCE / DT)):
        time = k * DT
        phase = time % RECURRENCE
        stress = 2.0 + 0.02 * phase
        rows.append(f"{time:.1f},{stress:.6f},{1 + 99 * (phase < 1.0):.3f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    main()

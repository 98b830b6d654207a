"""`jaxfric study …` and `jaxfric export`."""

from pathlib import Path
from typing import Any

from jaxfric.cli._files import publish
from jaxfric.studies import FolderInUseError


def run_slide_hold_learn(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32 (as the paper's), its table and its figures."""
    from jaxfric import plotting
    from jaxfric.studies import slide_hold_learn as study

    _run(study, plotting.plot_slide_hold_learn, preset, out, resume, force)


def run_metainterface(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32, its table and its figures."""
    from jaxfric import plotting
    from jaxfric.studies import metainterface as study

    _run(study, plotting.plot_metainterface, preset, out, resume, force)


def run_fault_slip(
    preset: str, out: Path, file: Path | None = None, normal_stress: float | None = None,
    resume: bool = False, force: bool = False,
) -> None:  # fmt: skip
    """The study in float32 (its faults in float64), its table and its figures."""
    from jaxfric import plotting, records
    from jaxfric.studies import fault_slip as study

    if file is None and normal_stress is not None:
        raise ValueError("--normal-stress belongs to a --record; give both, or neither")
    record = None if file is None else records.read_labquake(file, normal_stress=normal_stress)
    _run(study, plotting.plot_fault_slip, preset, out, resume, force, record=record)


def run_export(out: Path, samples: int, shard: int, seed: int) -> None:
    """A stored data set."""
    from jaxfric.studies import metainterface as study

    done = study.export(out, samples, seed=seed, shard=shard, progress=True)
    print(f"{done}, in {out.resolve()}")


def _run(
    study: Any, plot: Any, preset: str, out: Path, resume: bool, force: bool, **options: Any
) -> None:
    try:
        metrics = study.run(preset, out, resume=resume, force=force, progress=True, **options)
    except FolderInUseError as error:
        raise ValueError(
            f"{out} holds a study already: --resume continues it if its preset is {preset!r}, "
            "--force begins anew, --out takes another folder"
        ) from error
    table = study.table(metrics)
    figures = plot(metrics, out)
    files = publish(out, {"table.txt": table + "\n", **figures})
    print(f"\n{table}\n\nIn {out.resolve()}: metrics.json, {', '.join(f.name for f in files)}")

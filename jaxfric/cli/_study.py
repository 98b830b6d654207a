"""`jaxfric study …` and `jaxfric export`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from jaxfric.cli._files import Figure, publish
from jaxfric.studies import FolderInUseError

if TYPE_CHECKING:
    from jaxfric.records import LabquakeRecord


def run_slide_hold_learn(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32 (as the paper's), its table and its figures."""
    from jaxfric import plotting
    from jaxfric.studies import slide_hold_learn as study

    _run(study, plotting.plot_slide_hold_learn, preset, out, resume=resume, force=force)


def run_metainterface(preset: str, out: Path, resume: bool = False, force: bool = False) -> None:
    """The study in float32, its table and its figures."""
    from jaxfric import plotting
    from jaxfric.studies import metainterface as study

    _run(study, plotting.plot_metainterface, preset, out, resume=resume, force=force)


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
    _run(study, plotting.plot_fault_slip, preset, out, resume=resume, force=force, record=record)


def run_gouge_layers(out: Path, layers: int, seed: int) -> None:
    """The compact set of sheared layers, and what is in it."""
    import hashlib

    from jaxfric._files import write_json
    from jaxfric.studies.fault_slip import _gouge_runs as grains

    if layers < 2:
        raise ValueError(f"--layers must be at least 2, one of them long; got {layers}")

    def tell(now: grains.Told) -> None:
        rest = "" if now.hours != now.hours else f", {now.hours:.1f} h to go"
        print(f"{now.done} of {now.layers} layers{rest}", flush=True)

    runs, long = grains.simulate_gouge(out / "layers", layers, seed=seed, progress=tell)
    file = out / grains.FILE
    grains.save_gouge(file, runs, long)
    facts = grains.facts(runs, long) | {
        "seed": seed, "layers": layers, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()
    }  # fmt: skip
    write_json(out / "gouge.json", facts)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    print(f"\nWritten: {file}, {out / 'gouge.json'}")


def run_export(out: Path, samples: int, shard: int, seed: int) -> None:
    """A stored data set."""
    from jaxfric.studies import metainterface as study

    done = study.export(out, samples, seed=seed, shard=shard, progress=True)
    print(f"{done}, in {out.resolve()}")


def _run(
    study: ModuleType,
    plot: Callable[..., Mapping[str, Figure]],
    preset: str,
    out: Path,
    **options: "bool | LabquakeRecord | None",
) -> None:
    """Run, then publish the table and the figures that `plot` makes of the metrics."""
    # The study names its arguments; who typed a command knows flags
    try:
        metrics = study.run(preset, out, progress=True, **options)
    except FolderInUseError as error:
        raise ValueError(
            f"{out} holds a study already: --resume continues it if its preset is {preset!r}, "
            "--force begins anew, --out takes another folder"
        ) from error
    table = study.table(metrics)
    figures = plot(metrics, out)
    files = publish(out, {"table.txt": table + "\n", **figures})
    print(f"\n{table}\n\nIn {out.resolve()}: metrics.json, {', '.join(f.name for f in files)}")

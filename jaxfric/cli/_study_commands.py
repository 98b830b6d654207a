"""The options of `jaxfric study`."""

from pathlib import Path
from typing import Annotated

import typer

from jaxfric.cli._messages import speaking_flags
from jaxfric.cli._setup import prepare


def make_studies() -> typer.Typer:
    """The command of the published studies, one below it for each."""
    # Studies train for minutes or hours: they are compiled well rather than quickly. Their networks
    # are float32, as in the papers; what needs float64 switches to it by itself.
    study = typer.Typer(help="Run a published study: a table, figures, metrics.json.")

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
        prepare(quick=False, x64=False)
        from jaxfric.cli._study import run_slide_hold_learn

        with speaking_flags("study"):
            run_slide_hold_learn(preset, out, resume, force)

    @study.command("metainterface")
    def metainterface(
        preset: Annotated[str, typer.Option(help="smoke, laptop or paper.")] = "laptop",
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("metainterface"),
        resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Begin anew.")] = False,
    ) -> None:
        """Friction on Demand: networks and searches that design surfaces for a friction law."""
        prepare(quick=False, x64=False)
        from jaxfric.cli._study import run_metainterface

        with speaking_flags("study"):
            run_metainterface(preset, out, resume, force)

    @study.command("fault-slip")
    def fault_slip(
        preset: Annotated[
            str,
            typer.Option(
                help="smoke, laptop or paper; chains, gouge or both to compare what teaches more."
            ),
        ] = "laptop",
        record: Annotated[
            Path | None, typer.Option(help="A stick-slip record; simulated ones if left out.")
        ] = None,
        normal_stress: Annotated[float | None, typer.Option(help="Of the record, Pa.")] = None,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("fault-slip"),
        resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Begin anew.")] = False,
    ) -> None:
        """Fault slip via transfer learning: simulated faults teach to read a laboratory's."""
        prepare(quick=False, x64=False)
        from jaxfric.cli._study import run_fault_slip

        with speaking_flags("study"):
            run_fault_slip(preset, out, record, normal_stress, resume, force)

    @study.command("gouge-layers")
    def gouge_layers(
        layers: Annotated[int, typer.Option(help="How many; the last is six times as long.")] = 40,
        seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("gouge-layers"),
    ) -> None:
        """Shear the layers of grains that fault-slip learns from: hours; a killed run goes on."""
        prepare(quick=False)
        from jaxfric.cli._study import run_gouge_layers

        with speaking_flags("study"):
            run_gouge_layers(out, layers, seed)

    return study

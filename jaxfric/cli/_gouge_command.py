"""The options of `jaxfric gouge`."""

from pathlib import Path
from typing import Annotated

import typer

from jaxfric.cli._drawing import Painter
from jaxfric.cli._messages import speaking_flags
from jaxfric.cli._setup import prepare


def add_gouge(app: typer.Typer) -> None:
    """Give the command line its command of grains."""

    @app.command("gouge")
    def sheared_gouge(
        slip: Annotated[
            float, typer.Option(help="Travel of the load point, m; more prolongs a finished run.")
        ] = 0.05,
        layers: Annotated[int, typer.Option(help="How many, each on a core of its own.")] = 1,
        seed: Annotated[int, typer.Option(help="Of the first layer; the others count on.")] = 0,
        length: Annotated[float, typer.Option(help="Of the strip, periodic, m.")] = 0.03,
        height: Annotated[float, typer.Option(help="Of the poured grains, m.")] = 0.006,
        pressure: Annotated[float, typer.Option(help="On the top wall, Pa.")] = 1e6,
        stiffness_ratio: Annotated[
            float, typer.Option(help="Stiffness of contacts over the pressure.")
        ] = 1e3,
        friction: Annotated[float, typer.Option(help="Between grains.")] = 0.5,
        no_rotation: Annotated[
            bool, typer.Option("--no-rotation", help="Grains do not turn.")
        ] = False,
        velocity: Annotated[float, typer.Option(help="Of the load point, m/s.")] = 0.4,
        stiffness: Annotated[
            float, typer.Option(help="Of the spring that pulls the wall, Pa/m.")
        ] = 3e7,
        wall_mass: Annotated[float, typer.Option(help="Of the top wall, kg/m2.")] = 75.0,
        sample_every: Annotated[
            float, typer.Option(help="Travel of the load point between two samples, m.")
        ] = 2.5e-5,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("gouge-output"),
    ) -> None:
        """Shear grains between rough walls: stick-slip; a killed run goes on where it stood."""
        painter = Painter()
        prepare(quick=False)  # millions of steps
        from jaxfric.cli._gouge import Request, run_gouge

        with speaking_flags("gouge"):
            request = Request(
                length, height, layers, seed, pressure, stiffness_ratio, friction, not no_rotation,
                velocity, stiffness, wall_mass, sample_every,
            )  # fmt: skip
            run_gouge(out, request, slip, painter)

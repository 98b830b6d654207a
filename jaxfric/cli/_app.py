"""The commands and their options."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jaxfric.cli._drawing import Painter
from jaxfric.cli._gouge_command import add_gouge
from jaxfric.cli._messages import in_flags, speaking_flags
from jaxfric.cli._setup import prepare
from jaxfric.cli._study_commands import make_studies

if TYPE_CHECKING:
    from jaxfric.cli._design import Shared

# Of every command that presses a surface
Modulus = Annotated[float, typer.Option(help="Reduced modulus E*, Pa.")]
ShearStrength = Annotated[float, typer.Option(help="Shear strength of the contact, Pa.")]
AreaFactor = Annotated[float, typer.Option(help="Share of the area left under shear, at most 1.")]


def make_app() -> typer.Typer:
    """Every command; each imports what it needs when it runs, so that --help is at once."""
    app = typer.Typer(
        name="jaxfric",
        help="Differentiable physics and machine learning for friction.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    # Of `prepare` in every command: it decides precision and XLA's flags, and must come before the
    # first import of JAX; so the imports of a command follow it.
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
        files: Annotated[
            list[str],
            typer.Argument(help="Records, or 'basalt' or 'sepiolite' for a shipped one."),
        ],
        evolution: Annotated[
            list[str] | None,
            typer.Option(help="aging, slip, prz, nagata or composite; repeat to compare."),
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
        """Fit rate-and-state laws to a laboratory velocity step; several files make one table."""
        painter = Painter()  # imports what draws, while this process imports JAX
        prepare()
        from jaxfric.cli._fit_step import Request, run_fit_files

        laws = tuple(evolution or ("aging", "slip"))
        with speaking_flags("fit-step"):
            request = Request(laws, stiffness, window, steps, detrend)
            run_fit_files(files, out, request, painter)

    @app.command()
    def demo(
        out: Annotated[Path, typer.Option(help="Folder for figures and tables.")] = Path(
            "demo-output"
        ),
    ) -> None:
        """Fit the shipped basalt record, simulate stick-slip, differentiate, design a surface."""
        painter = Painter()
        prepare()
        from jaxfric.cli._demo import run_demo

        run_demo(out, painter)

    @app.command()
    def design(
        target: Annotated[
            Path | None, typer.Argument(help="A table of load and friction; or name a family.")
        ] = None,
        linear: Annotated[float | None, typer.Option(help="Friction coefficient.")] = None,
        power: Annotated[
            float | None, typer.Option(help="Exponent of the load, 2/3 to 1.35.")
        ] = None,
        bilinear: Annotated[
            tuple[float, float, float] | None,
            typer.Option(help="First slope, second slope, load of the kink (N)."),
        ] = None,
        friction: Annotated[
            float | None, typer.Option(help="Friction at the largest load for --power, N.")
        ] = None,
        max_load: Annotated[float, typer.Option(help="Largest load of a family, N.")] = 1.0,
        column: Annotated[
            list[str] | None,
            typer.Option(help="Of a table: quantity=name or index, such as load=Fn; repeat."),
        ] = None,
        unit: Annotated[
            list[str] | None,
            typer.Option(help="Of a table: quantity=unit, such as load=mN; repeat."),
        ] = None,
        offset: Annotated[
            str, typer.Option(help="Of a table, friction at zero load: keep or subtract.")
        ] = "keep",
        same_load: Annotated[
            float, typer.Option(help="Of a table: loads this near, as a share, are one.")
        ] = 1e-6,
        asperities: Annotated[int, typer.Option(help="Number of spherical caps.")] = 64,
        modulus: Modulus = 1.4e6,
        shear_strength: ShearStrength = 4e5,
        area_factor: AreaFactor = 1.0,
        radius: Annotated[
            tuple[float, float], typer.Option(help="Smallest and largest radius, m.")
        ] = (1e-4, 1e-3),  # `contact.RADIUS_BOUNDS`, whose import takes longer than --help may
        radii: Annotated[str, typer.Option(help="free or common.")] = "free",
        max_height: Annotated[
            float | None, typer.Option(help="Of the tallest tip above the block, m.")
        ] = None,
        clearance: Annotated[
            float | None,
            typer.Option(help="Between flat and block at the largest load, at least, m."),
        ] = None,
        quantum: Annotated[
            float | None, typer.Option(help="Heights become multiples of this, m.")
        ] = None,
        spacing: Annotated[
            float | None, typer.Option(help="Of neighbours on the lattice, m.")
        ] = None,
        base: Annotated[float | None, typer.Option(help="Thickness of the block, m.")] = None,
        max_indentation: Annotated[
            float | None, typer.Option(help="Largest indentation over radius; 0.5, say.")
        ] = None,
        errors: Annotated[
            tuple[float, float], typer.Option(help="Errors of height and radius as made, m.")
        ] = (1e-6, 2e-6),
        starts: Annotated[int, typer.Option(help="Surfaces refined.")] = 16,
        generate: Annotated[
            int | None,
            typer.Option(help="Designs from the trained generator, ranked, in place of one."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Of the random surfaces.")] = 0,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("design-output"),
    ) -> None:
        """Design a rough surface for a friction law: asperities as CSV and STL."""
        painter = Painter()
        prepare()
        from jaxfric.cli._design import run_design
        from jaxfric.cli._making import Making
        from jaxfric.cli._target import Reading, wanted_law

        making = Making(errors, max_height, clearance, quantum, spacing, base)
        shared: Shared = {
            "material": (modulus, shear_strength, area_factor),
            "asperities": asperities,
            "radius": radius,
            "max_indentation": max_indentation,
            "making": making,
            "seed": seed,
        }
        with speaking_flags("design"):
            reading = Reading(column, unit, offset, same_load)
            wanted = wanted_law(target, linear, power, bilinear, friction, max_load, reading)
            if wanted.notes:
                print(f"{in_flags('design', wanted.notes)}\n")
            if generate is None:
                run_design(wanted, out, radii=radii, starts=starts, painter=painter, **shared)
            elif radii != "free":
                raise ValueError("--generate makes free radii; leave --radii out, or --generate")
            else:
                from jaxfric.cli._generate import run_generate

                run_generate(wanted, out, generate, painter=painter, **shared)

    @app.command("contact")
    def contact_law(
        surface: Annotated[
            Path, typer.Argument(help="A list of asperities (height_m, radius_m), or a height map.")
        ],
        max_load: Annotated[float, typer.Option(help="Largest load, N.")] = 1.0,
        modulus: Modulus = 1.4e6,
        shear_strength: ShearStrength = 4e5,
        area_factor: AreaFactor = 1.0,
        pixel: Annotated[
            float | None, typer.Option(help="Of a map, the side of a pixel, m.")
        ] = None,
        unit: Annotated[
            str | None, typer.Option(help="Of a map, that of its heights, such as um.")
        ] = None,
        detrend: Annotated[
            str, typer.Option(help="Of a map, what is taken off: plane, base or none.")
        ] = "plane",
        window: Annotated[
            int, typer.Option(help="Of a map, pixels on a side of what is fitted to a summit; odd.")
        ] = 5,
        apart: Annotated[
            int, typer.Option(help="Of a map, pixels: a summit is the highest this far around.")
        ] = 1,
        interacting: Annotated[
            bool, typer.Option("--interacting", help="Contacts see each other.")
        ] = False,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("contact-output"),
    ) -> None:
        """The friction law of a measured surface, and where it may be wrong."""
        painter = Painter()
        prepare()
        from jaxfric.cli._contact import Reading, run_contact

        with speaking_flags("contact"):
            run_contact(
                surface, out, material=(modulus, shear_strength, area_factor), max_load=max_load,
                reading=Reading(pixel, unit, detrend, window, apart), interacting=interacting,
                painter=painter,
            )  # fmt: skip

    add_gouge(app)
    app.add_typer(make_studies(), name="study")

    @app.command("predict-slip")
    def predict_slip(
        record: Annotated[Path, typer.Argument(help="A table of time, emission, shear stress.")],
        normal_stress: Annotated[
            float | None, typer.Option(help="Pa; without it the result is a shear stress.")
        ] = None,
        tune: Annotated[int, typer.Option(help="Whole cycles to tune on; 0 for none.")] = 0,
        part: Annotated[
            str, typer.Option(help="What is tuned: all, latent, head, or none: the level alone.")
        ] = "all",
        method: Annotated[
            str, typer.Option(help="sequence, encoder-decoder or both.")
        ] = "sequence",
        column: Annotated[
            list[str] | None,
            typer.Option(help="quantity=name or index, such as emission=AE1; repeat."),
        ] = None,
        unit: Annotated[
            list[str] | None, typer.Option(help="quantity=unit, such as shear_stress=Pa; repeat.")
        ] = None,
        out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("slip-output"),
    ) -> None:
        """Predict friction and time to failure of a fault from its acoustic emission."""
        painter = Painter()
        prepare(x64=False)
        from jaxfric.cli._predict_slip import run_predict

        with speaking_flags("predict-slip"):
            run_predict(
                record, out, normal_stress=normal_stress, tune=tune, part=part, method=method,
                columns=column, units=unit, painter=painter,
            )  # fmt: skip

    @app.command()
    def export(
        out: Annotated[Path, typer.Argument(help="Folder of the Zarr arrays.")],
        samples: Annotated[int, typer.Option(help="Surfaces and laws.")] = 100_000,
        shard: Annotated[int, typer.Option(help="Samples in a chunk.")] = 8192,
        seed: Annotated[int, typer.Option(help="Of the surfaces.")] = 0,
    ) -> None:
        """Write mixtures and friction laws to files; the same command resumes a killed export."""
        prepare(quick=False, x64=False)
        from jaxfric.cli._study import run_export

        with speaking_flags("export"):
            run_export(out, samples, shard, seed)

    return app

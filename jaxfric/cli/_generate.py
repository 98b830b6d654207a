"""`jaxfric design … --generate K`: many designs for one law, from the trained generator."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from jaxfric.cli._design import DRAWING, Limits, limits, stairs
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content, publish
from jaxfric.cli._making import Making, part_files
from jaxfric.cli._target import Wanted
from jaxfric.contact import RADIUS_BOUNDS, Design, Feasibility, Material, Part, Tolerance

if TYPE_CHECKING:
    from jaxfric.studies.metainterface import Generated


class Row(NamedTuple):
    """A line of the table of designs."""

    design: int
    smape_percent: float
    smape_as_made_95th_percent: float  # of twenty surfaces as made, nineteen are nearer the target
    contacts: int
    indentation_ratio: float
    clearance_m: float
    usable: bool


def run_generate(
    wanted: Wanted,
    out: Path,
    count: int,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    asperities: int = 64,
    radius: tuple[float, float] = RADIUS_BOUNDS,
    max_indentation: float | None = None,
    making: Making = Making(),  # noqa: B008 (frozen)
    seed: int = 0,
    painter: Painter | None = None,
) -> "Generated":
    """Ranked, refined designs with their tolerance, each as a table, a mesh and a law."""
    from jaxfric import contact, programs
    from jaxfric.plotting._design import design_curves
    from jaxfric.studies import metainterface

    if count < 1:
        raise ValueError(f"--generate must be at least 1; got {count}")
    half_space = contact.Material(*material)
    key = jax.random.key(seed)
    allowed = limits(radius, making, max_indentation)
    with ThreadPoolExecutor(2) as threads:
        # What does not wait for the designs is read or compiled meanwhile. Threads only compile:
        # programs that run side by side were seen to wait for each other for ever on two cores.
        threads.submit(
            programs.prepare, contact.tolerance, stairs(asperities), half_space, wanted.loads,
            *making.errors, key=key, target=wanted.friction, clearance=1e-5,
        )  # fmt: skip
        found = metainterface.design_many(
            half_space, wanted.loads, wanted.friction, key=key, count=count, asperities=asperities,
            **allowed,
        )  # fmt: skip
        designs = [_one(found.designs, i) for i in range(count)]
        if not np.isfinite(np.asarray(found.designs.error)).all():
            raise RuntimeError(f"a design has no friction law: {found.designs.status}")
        figure = (painter or Painter(apart=False)).draw(
            DRAWING, "draw_designs", [design_curves(x) for x in designs], title=wanted.name
        )
        told = _told(designs[0], allowed)
        print(f"{wanted.name}: {told}\n")
        parts = [making.part(x) for x in designs]
        spreads = [_spread(x, half_space, wanted, making, key) for x in parts]
        request: dict[str, object] = {
            **wanted.asked(), "asperities": asperities, "radius_bounds_m": list(radius),
            "max_indentation": max_indentation, **making._asdict(), "generate": count,
            "seed": seed,
        }  # fmt: skip
        # Tables and meshes are NumPy's and text: two threads make them
        files = [
            threads.submit(part_files, x, told, spread, making, request | {"design": i + 1})
            for i, (x, spread) in enumerate(zip(parts, spreads, strict=True))
        ]
    contents: dict[str, Content] = {}
    for i, made in enumerate(files):
        for name, x in made.result().items():
            contents[f"{Path(name).stem}-{i + 1:02d}{Path(name).suffix}"] = x
    table, csv = _tables(
        [_row(i, *both) for i, both in enumerate(zip(parts, spreads, strict=True))]
    )
    print(f"{found}\n\n{table}")
    contents |= {
        "designs.txt": f"{wanted.name}: {told}\n\n{found}\n\n{table}\n",
        "designs.csv": csv,
        "designs.png": figure,
    }
    written = publish(out, contents)
    print(f"\nWritten: {len(written)} files in {out}, designs.txt and designs.png among them")
    return found


def _told(best: Design, allowed: Limits) -> Feasibility:
    """Whether the law can be met, by the best of the designs: they are all the trial there is."""
    from jaxfric import contact

    return contact.judged(best, radius_bounds=allowed["radius_bounds"])


def _spread(
    made: Part, material: Material, wanted: Wanted, making: Making, key: jax.Array
) -> Tolerance:
    from jaxfric import contact

    return contact.tolerance(
        made.design.surface, material, wanted.loads, *making.errors, key=key,
        target=wanted.friction, clearance=made.clearance,
    )  # fmt: skip


def _row(i: int, made: Part, spread: Tolerance) -> Row:
    curve = made.design.curve
    return Row(
        design=i + 1,
        smape_percent=float(made.design.error),
        smape_as_made_95th_percent=float(np.percentile(np.asarray(spread.target_error), 95)),
        contacts=int(np.max(np.asarray(curve.contact_count))),
        indentation_ratio=float(np.max(np.asarray(curve.indentation_ratio))),
        clearance_m=made.clearance,
        usable=bool(made.design.usable),
    )


def _tables(rows: list[Row]) -> tuple[str, str]:
    """To read, and as CSV."""
    table = "\n".join(
        [
            f"{'design':>6s}{'sMAPE %':>11s}{'as made, 95th %':>17s}{'contacts':>10s}"
            f"{'indentation/R':>15s}{'clearance µm':>14s}  usable",
            *(
                f"{x.design:6d}{x.smape_percent:11.4g}{x.smape_as_made_95th_percent:17.3g}"
                f"{x.contacts:10d}{x.indentation_ratio:15.3g}{x.clearance_m * 1e6:14.4g}  "
                f"{'yes' if x.usable else 'no'}"
                for x in rows
            ),
        ]
    )
    lines = (",".join(f"{float(v):.6g}" for v in row) for row in rows)
    return table, "\n".join([",".join(Row._fields), *lines]) + "\n"


def _one(designs: Design, i: int) -> Design:
    """Of several; taken on the host, where nothing needs to be compiled for it."""
    return jax.tree_util.tree_map(lambda x: jax.device_put(np.asarray(x)[i]), designs)

"""`jaxfric design … --generate K`: many designs for one law, from the trained generator."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np

from jaxfric.cli._design import DRAWING, Wanted, raise_idle, surface_files, wanted_spacing
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content, publish
from jaxfric.contact import RADIUS_BOUNDS, Design

if TYPE_CHECKING:
    from jaxfric.studies.metainterface import Generated


def run_generate(
    wanted: Wanted,
    out: Path,
    count: int,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    asperities: int = 64,
    radius: tuple[float, float] = RADIUS_BOUNDS,
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    errors: tuple[float, float] = (1e-6, 2e-6),
    seed: int = 0,
    painter: Painter | None = None,
) -> "Generated":
    """Ranked, refined designs with their tolerance, each as a table and a mesh."""
    from jaxfric import contact, programs
    from jaxfric.plotting._design import design_curves
    from jaxfric.studies import metainterface

    if count < 1:
        raise ValueError(f"--generate must be at least 1; got {count}")
    half_space = contact.Material(*material)
    key = jax.random.key(seed)
    # A stand-in of the right shape: a program is compiled for shapes, before there is a design
    stairs = contact.Asperities(np.linspace(-1e-4, 0, asperities), np.full(asperities, 4e-4))
    with ThreadPoolExecutor(2) as threads:
        # What does not wait for the designs is read or compiled meanwhile. Threads only compile:
        # programs that run side by side were seen to wait for each other for ever on two cores.
        tolerance = (half_space, wanted.loads, *errors)
        threads.submit(programs.prepare, contact.tolerance, stairs, *tolerance, key=key)
        found = metainterface.design_many(
            half_space, wanted.loads, wanted.friction, key=key, count=count, asperities=asperities,
            radius_bounds=radius, max_height=max_height, quantum=quantum,
            max_indentation=max_indentation,
        )  # fmt: skip
        if not np.isfinite(np.asarray(found.designs.error)).any():
            raise RuntimeError(f"no design has a friction law: {found.designs.status}")
        designs = [raise_idle(_one(found.designs, i), quantum, max_height) for i in range(count)]
        # Tables and meshes are NumPy's and text: threads may make them while JAX computes
        files = [threads.submit(surface_files, x, wanted_spacing(x)) for x in designs]
        figure = (painter or Painter(apart=False)).draw(
            DRAWING, "draw_designs", [design_curves(x) for x in designs], title=wanted.name
        )
        spreads = [contact.tolerance(x.surface, *tolerance, key=key) for x in designs]
    rows: list[tuple[int, float, float, int, float]] = []
    contents: dict[str, Content] = {}
    for i, (design, spread) in enumerate(zip(designs, spreads, strict=True)):
        # Of twenty surfaces made with these errors, nineteen are nearer to the law than this
        made = float(np.percentile(np.asarray(spread.error), 95))
        contacts = int(np.max(np.asarray(design.curve.contact_count)))
        deepest = float(np.max(np.asarray(design.curve.indentation_ratio)))
        rows.append((i + 1, float(design.error), made, contacts, deepest))
        for name, x in files[i].result().items():
            contents[f"{Path(name).stem}-{i + 1:02d}{Path(name).suffix}"] = x
    table, csv = _tables(rows)
    head = f"{wanted.name}: {found}"
    print(f"{head}\n\n{table}")
    contents |= {
        "designs.txt": f"{head}\n\n{table}\n",
        "designs.csv": csv,
        "designs.png": figure,
    }
    written = publish(out, contents)
    print(f"\nWritten: {len(written)} files in {out}, designs.txt and designs.png among them")
    return found


def _tables(rows: list[tuple[int, float, float, int, float]]) -> tuple[str, str]:
    """To read, and as CSV."""
    table = "\n".join(
        [
            f"{'design':>6s}{'sMAPE %':>11s}{'as made, 95th %':>17s}{'contacts':>10s}"
            f"{'indentation/R':>15s}",
            *(f"{i:6d}{e:11.4g}{m:17.3g}{n:10d}{x:15.3g}" for i, e, m, n, x in rows),
        ]
    )
    names = "design,smape_percent,smape_as_made_95th_percent,contacts,indentation_ratio"
    return table, "\n".join([names, *(",".join(f"{v:.6g}" for v in r) for r in rows)]) + "\n"


def _one(designs: Design, i: int) -> Design:
    """Of several; taken on the host, where nothing needs to be compiled for it."""
    return jax.tree_util.tree_map(lambda x: jax.device_put(np.asarray(x)[i]), designs)

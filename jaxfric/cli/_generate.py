"""`jaxfric design … --generate K`: many designs for one law, from the trained generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxfric.cli._design import Wanted, raise_idle, surface_files, wanted_spacing
from jaxfric.cli._files import publish

if TYPE_CHECKING:
    from jaxfric.studies.metainterface import Generated


def run_generate(
    wanted: Wanted,
    out: Path,
    count: int,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    asperities: int = 64,
    radius: tuple[float, float] = (1e-4, 1e-3),
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    errors: tuple[float, float] = (1e-6, 2e-6),
    seed: int = 0,
) -> "Generated":
    """Ranked, refined designs with their tolerance, each as a table and a mesh."""
    import jax
    import jax.numpy as jnp

    from jaxfric import contact, plotting
    from jaxfric.studies import metainterface

    if count < 1:
        raise ValueError(f"--generate must be at least 1; got {count}")
    half_space = contact.Material(*material)
    key = jax.random.key(seed)
    options: dict[str, Any] = {"quantum": quantum, "max_indentation": max_indentation}
    found = metainterface.design_many(
        half_space, wanted.loads, wanted.friction, key=key, count=count, asperities=asperities,
        radius_bounds=radius, max_height=max_height, **options,
    )  # fmt: skip
    if not np.isfinite(np.asarray(found.designs.error)).any():
        raise RuntimeError(f"no design has a friction law: {found.designs.status}")
    each = [jax.tree_util.tree_map(lambda x, i=i: x[i], found.designs) for i in range(count)]
    each = [raise_idle(design, quantum, max_height) for design in each]
    spreads = jax.jit(
        jax.vmap(
            lambda s: contact.tolerance(s, half_space, jnp.asarray(wanted.loads), *errors, key=key)
        )
    )(jax.tree_util.tree_map(lambda *x: jnp.stack(x), *(design.surface for design in each)))
    rows: list[tuple[int, float, float, int, float]] = []
    contents: dict[str, Any] = {}
    for i, design in enumerate(each):
        spread = jax.tree_util.tree_map(lambda x, i=i: x[i], spreads)
        made = float(np.percentile(np.asarray(spread.error), 95))
        contacts = int(np.max(np.asarray(design.curve.contact_count)))
        rows.append((i + 1, float(design.error), made, contacts, float(design.indentation_ratio)))
        for name, x in surface_files(design, wanted_spacing(design)).items():
            contents[f"{Path(name).stem}-{i + 1:02d}{Path(name).suffix}"] = x
    head = f"{wanted.name}: {found}"
    table = "\n".join(
        [
            f"{'design':>6s}{'sMAPE %':>11s}{'as made, 95th %':>17s}{'contacts':>10s}"
            f"{'indentation/R':>15s}",
            *(f"{i:6d}{e:11.4g}{m:17.3g}{n:10d}{x:15.3g}" for i, e, m, n, x in rows),
        ]
    )
    print(f"{head}\n\n{table}")
    csv = "\n".join(
        ["design,smape_percent,smape_as_made_95th_percent,contacts,indentation_ratio",
         *(",".join(f"{v:.6g}" for v in r) for r in rows)]
    )  # fmt: skip
    contents |= {
        "designs.txt": f"{head}\n\n{table}\n",
        "designs.csv": csv + "\n",
        "designs.png": plotting.plot_designs(each, title=wanted.name),
    }
    files = publish(out, contents)
    print(f"\nWritten: {len(files)} files in {out}, designs.txt and designs.png among them")
    return found

"""`jaxfric contact`: the friction law of a measured surface."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxfric._types import Vector
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content, publish
from jaxfric.contact import (
    Asperities,
    FrictionCurve,
    InteractingContacts,
    Material,
    Summits,
    UnderLoad,
)
from jaxfric.records import AsperityList, HeightMap

LOADS = 128  # as many as the laws of designs have
# Asperities that a program is compiled for: what is missing is masked, so that two files of about
# one size need one program
SMALLEST, GROWTH = 64, 4
# Contacts that see each other are solved with a table of all their distances
MOST = 1024


class Reading(NamedTuple):
    """How a height map is read, and its summits found."""

    pixel: float | None = None
    unit: str | None = None
    detrend: str = "plane"
    window: int = 5
    apart: int = 1


class Found(NamedTuple):
    """A surface as asperities; rows as in the list, or the summits that are used."""

    source: AsperityList | HeightMap
    summits: Summits | None
    surface: Asperities
    position: np.ndarray | None


def run_contact(
    path: Path,
    out: Path,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    max_load: float = 1.0,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
    interacting: bool = False,
    painter: Painter | None = None,
) -> FrictionCurve:
    """Read a list or a map, print its law and where that may be wrong, write all of it to `out`."""
    import jax.numpy as jnp

    from jaxfric import contact
    from jaxfric.plotting._contact import law_curves, places

    if not (math.isfinite(max_load) and max_load > 0):
        raise ValueError(f"max_load must be positive; got {max_load}")
    found = _found(path, reading)
    made = Material(*material)
    loads = jnp.asarray(max_load * np.arange(1, LOADS + 1) / LOADS)
    curve = contact.friction_law(_padded(found.surface), made, loads)
    level = None if found.summits is None else found.summits.levelled
    together = _interacting(found, made, loads) if interacting else None
    law = curve if together is None else together.curve
    if not bool(law.status.ok):
        raise RuntimeError(f"the surface has no friction law: {law.status}")
    loaded = contact.under_load(
        found.surface, together or curve, position=found.position, height_map=level
    )
    flags = _flags(found) | loaded.flags()
    text = _text(found, curve, law, loaded, interacting)
    print(text)
    where = None
    if found.position is not None:
        where = places(found.position, loaded, np.any([*flags.values()], 0), level)
    figure = (painter or Painter(apart=False)).draw(
        "jaxfric.plotting._contact", "draw_contact", law_curves(law), where, title=path.name
    )
    request: dict[str, object] = {
        "file": path.name, "max_load_N": max_load, **reading._asdict(), "interacting": interacting,
    }  # fmt: skip
    contents: dict[str, Content] = {
        "contact.txt": text + "\n",
        "law.csv": _law_table(law),
        "asperities.csv": _table(found, loaded, flags),
        "contact.json": _summary(found, made, law, loaded, flags, request),
        "contact.png": figure,
    }
    files = publish(out, contents)
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return law


def _found(path: Path, reading: Reading) -> Found:
    from jaxfric import contact, records

    source = records.read_surface(path, pixel=reading.pixel, unit=reading.unit)
    if isinstance(source, AsperityList):
        return Found(source, None, Asperities(source.height, source.radius), source.position)
    found = contact.summits(
        source, detrend=reading.detrend, window=reading.window, apart=reading.apart
    )
    used = found.used
    height, radius = (np.asarray(x)[used] for x in (found.surface.height, found.surface.radius))
    return Found(source, found, Asperities(height, radius), found.position[used])


def _padded(surface: Asperities) -> Asperities:
    """Made up with masked entries to one of a few sizes."""
    size = SMALLEST
    while size < surface.size:
        size *= GROWTH
    empty = (0, size - surface.size)
    height, radius = np.asarray(surface.height), np.asarray(surface.radius)
    return Asperities(
        np.pad(height, empty), np.pad(radius, empty, constant_values=1.0),
        np.arange(size) < surface.size,
    )  # fmt: skip


def _interacting(found: Found, material: Material, loads: Vector) -> InteractingContacts:
    """Contacts that see each other, of the highest asperities that there is room for."""
    import equinox as eqx

    from jaxfric import contact

    if found.position is None:
        raise ValueError(
            "contacts see each other from where they stand: add columns x_m and y_m to the list"
        )
    height, radius = np.asarray(found.surface.height), np.asarray(found.surface.radius)
    kept = np.argsort(-height, kind="stable")[:MOST]
    surface = _padded(Asperities(height[kept], radius[kept]))
    position = np.zeros((surface.size, 2))
    position[: kept.size] = found.position[kept]
    together = contact.interacting_contacts(surface, position, material, loads)
    touching = int(np.asarray(together.curve.contact_count)[-1])
    if kept.size < height.size and touching == kept.size:
        raise ValueError(
            f"more than {MOST} contacts touch at the largest load, and so many cannot be solved "
            "together; lower the largest load, or take the contacts as independent"
        )
    # Row for row as in the file; those that there was no room for do not touch
    rows = np.zeros((2, LOADS, height.size))
    for row, found_there in zip(rows, (together.force, together.radius), strict=True):
        row[:, kept] = np.asarray(found_there)[:, : kept.size]
    return eqx.tree_at(lambda x: (x.force, x.radius), together, tuple(rows))


def _flags(found: Found) -> dict[str, np.ndarray]:
    """What may be wrong with each asperity, whatever the load."""
    if found.summits is None:
        return {}
    return {name: flag[found.summits.used] for name, flag in found.summits.flags().items()}


def _text(
    found: Found, alone: FrictionCurve, law: FrictionCurve, loaded: UnderLoad, interacting: bool
) -> str:
    """What is printed: the surface, the law, and which part of it to doubt."""
    from jaxfric.contact._under_load import told

    kind = "contacts that see each other" if interacting else "independent contacts"
    lines = [str(found.source), *([str(found.summits)] if found.summits else [])]
    lines += [f"{kind}: {law}", str(loaded)]
    lines += [f"  {told(name, flag, loaded.share)}" for name, flag in _flags(found).items()]
    if found.summits is not None:
        out = ~found.summits.used
        height = np.asarray(found.summits.surface.height)[out]
        reached = int((height > np.asarray(alone.separation).min()).sum())
        if reached:
            lines.append(
                f"  {reached} summits that were left out stand above the flat at the largest load: "
                "what they carry is not in the law"
            )
    if interacting:
        change = np.asarray(law.friction)[-1] / np.asarray(alone.friction)[-1] - 1
        lines.append(
            f"  seeing each other changes the friction at the largest load by {100 * change:.3g} %"
        )
    return "\n".join(lines)


def _law_table(law: FrictionCurve) -> str:
    names = "load_N,friction_N,area_m2,separation_m,contacts"
    columns = (law.load, law.friction, law.area, law.separation, law.contact_count)
    rows = np.column_stack([np.asarray(c, float) for c in columns])
    return "\n".join([names, *(",".join(f"{v:.12g}" for v in row) for row in rows)]) + "\n"


def _table(found: Found, loaded: UnderLoad, flags: dict[str, np.ndarray]) -> str:
    """Every asperity with its flags; this command reads it too, as a list."""
    columns: dict[str, np.ndarray] = {}
    if found.position is not None:
        columns |= {"x_m": found.position[:, 0], "y_m": found.position[:, 1]}
    columns |= {
        "height_m": np.asarray(found.surface.height, float),
        "radius_m": np.asarray(found.surface.radius, float),
    }
    if found.summits is not None:
        used = found.summits.used
        for i in (0, 1):
            columns[f"curvature_{i + 1}_per_m"] = found.summits.curvature[used, i]
        columns["pixels"] = found.summits.pixels[used]
    columns |= {"contact_radius_m": loaded.radius, "friction_share": loaded.share}
    columns |= {name: flag.astype(int) for name, flag in flags.items()}
    # `repr` writes the fewest digits that are read back as the same number
    cells = zip(*(x.tolist() for x in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(repr, row)) for row in cells)]) + "\n"


def _summary(
    found: Found, material: Material, law: FrictionCurve, loaded: UnderLoad,
    flags: dict[str, np.ndarray], request: dict[str, object],
) -> str:  # fmt: skip
    from jaxfric import __version__

    on = loaded.touching
    names = (("modulus", "_Pa"), ("shear_strength", "_Pa"), ("area_factor", ""))
    curves = {"load_N": law.load, "friction_N": law.friction, "area_m2": law.area}
    summary = {
        "jaxfric": __version__,
        "request": request,
        "material": {f"{name}{unit}": float(getattr(material, name)) for name, unit in names},
        "surface": str(found.source).split("\n"),
        "notes": [] if found.summits is None else list(found.summits.notes),
        "asperities": found.surface.size,
        "left_out": 0 if found.summits is None else int((~found.summits.used).sum()),
        "contacts": int(on.sum()),
        "indentation_ratio": float(np.asarray(law.indentation_ratio)[-1]),
        "doubtful": {
            name: {
                "contacts": int((flag & on).sum()),
                "friction_share": float(loaded.share[flag & on].sum()),
            }
            for name, flag in flags.items()
        },
        **{name: np.asarray(x, float).tolist() for name, x in curves.items()},
    }
    return json.dumps(summary, indent=1, ensure_ascii=False) + "\n"

"""From a design to the files of a part: how it is made, and what is written of it."""

import json
import math
from typing import NamedTuple

import numpy as np

from jaxfric import _checks
from jaxfric.cli._files import Content
from jaxfric.cli._written import check_table
from jaxfric.contact import Design, Feasibility, Part, Tolerance, part, room

# Of a limit on the approach: the least squares stop within half a percent of it
SHY = 0.99
# Of neighbours, in largest radii: 1.5 mm for the 1 mm that designs may have, as in the paper (A.
# Aymard et al., Science 383 (2024) 200)
SPACING = 1.5
# Of neighbours, in widest feet: 2 would let them touch
APART = 2.2


class Making(NamedTuple):
    """How a part is made; m."""

    errors: tuple[float, float] = (1e-6, 2e-6)  # standard deviations of heights and of radii
    max_height: float | None = None  # of the tallest tip above the block
    clearance: float | None = None  # that the flat keeps from the block
    quantum: float | None = None  # of the heights
    spacing: float | None = None  # of the lattice
    base: float | None = None  # thickness of the block

    def room(self) -> float | None:
        """Below the tallest tip, for tips and flat; None where nothing limits the height.

        Raises:
            ValueError: a length that is not positive, or no room at all.
        """
        for name in ("clearance", "quantum", "spacing", "base"):
            value = getattr(self, name)
            if value is not None:
                _checks.positive(name, value)
        if self.max_height is None:
            return None
        return room(self.max_height, self.clearance, self.quantum)

    def part(self, design: Design) -> Part:
        """The design on its block."""
        return part(
            design, clearance=self.clearance, height_error=self.errors[0],
            max_height=self.max_height, quantum=self.quantum,
        )  # fmt: skip

    def lattice_spacing(self, made: Part) -> float:
        """What was asked for, or what the widest caps want, m."""
        from jaxfric import records

        foot = float(records.foot_radius(made.height, made.radius).max())
        if self.spacing is not None:
            return self.spacing
        wanted = max(SPACING * float(made.radius.max()), APART * foot)
        # Up to two digits, as a drawing would have it
        digit = 10.0 ** (math.floor(math.log10(wanted)) - 1)
        return float(f"{math.ceil(wanted / digit - 1e-9) * digit:.2g}")

    def thickness(self, spacing: float) -> float:
        """Of the block below the lowest foot, to hold the caps together, m."""
        return spacing if self.base is None else self.base


def contact_ratio(made: Part, spacing: float) -> str:
    """Where the theory behind a design ends: contacts are independent while this is small."""
    ratio = float(np.asarray(made.design.curve.contact_radius).max() / spacing)
    return (
        f"the widest contact is {ratio:.2g} of the spacing of {spacing * 1e3:.3g} mm "
        "(contacts are independent while that is small)"
    )


def part_files(
    made: Part, told: Feasibility, spread: Tolerance, making: Making, request: dict[str, object]
) -> dict[str, Content]:
    """Table, mesh, law and everything else that is known of a part, by name."""
    design, spacing = made.design, making.lattice_spacing(made)
    # What was wanted beside what the design does, what any design could do at best, and the band in
    # which surfaces made with errors lie
    columns = [design.load, design.target, design.friction, told.closest, spread.low, spread.high]
    rows = np.column_stack([np.asarray(c, float) for c in columns])
    names = "load_N,target_N,friction_N,closest_N,low_N,high_N"
    return {
        "law.csv": "\n".join([names, *(",".join(f"{v:.9g}" for v in row) for row in rows)]) + "\n",
        "design.json": _summary(made, told, spread, spacing, request),
        **surface_files(made, making),
    }


def surface_files(made: Part, making: Making) -> dict[str, Content]:
    """The caps as a table and as triangles to mill, checked as they are written."""
    from jaxfric import records

    spacing = making.lattice_spacing(made)
    position = records.lattice(made.height.size, spacing)
    table = records.asperities_csv(position, made.height, made.radius, quantum=making.quantum)
    check_table(table, made)
    base = making.thickness(spacing)
    triangles = records.cap_triangles(made.height, made.radius, spacing=spacing, base=base)
    volume = records.surface_volume(made.height, made.radius, spacing=spacing, base=base)
    return {"surface.csv": table, "surface.stl": records.stl_bytes(triangles, volume=volume)}


def _summary(
    made: Part, told: Feasibility, spread: Tolerance, spacing: float, request: dict[str, object]
) -> str:
    from jaxfric import __version__, records

    design = made.design
    load, target, friction = (
        np.asarray(x, float).tolist() for x in (design.load, design.target, design.friction)
    )
    material = {
        f"{name}{unit}": float(getattr(design.material, name))
        for name, unit in (("modulus", "_Pa"), ("shear_strength", "_Pa"), ("area_factor", ""))
    }
    summary = {
        "jaxfric": __version__,
        "request": request,
        "material": material,
        "smape_percent": float(design.error),
        "usable": bool(design.usable),
        "verdict": design.verdict,
        "feasible": bool(told.feasible),
        "feasibility": str(told),
        "indentation_ratio": float(design.indentation_ratio),
        "approach_m": made.approach,
        "clearance_m": made.clearance,
        "as_made": {
            "smape_percent_against_design": _quantiles(spread.error),
            "smape_percent_against_target": _quantiles(spread.target_error),
            "touching_share": float(np.mean(np.asarray(spread.clearance) <= 0)),
        },
        "spacing_m": spacing,
        "load_N": load,
        "target_N": target,
        "friction_N": friction,
        "position_m": records.lattice(made.height.size, spacing).tolist(),
        "tip_above_block_m": made.height.tolist(),
        "radius_m": made.radius.tolist(),
    }
    return json.dumps(summary, indent=1) + "\n"


def _quantiles(error: object) -> dict[str, float]:
    values = np.asarray(error, float)
    return {"median": float(np.median(values)), "95th": float(np.percentile(values, 95))}

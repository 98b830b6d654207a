"""`jaxfric design`: from a friction law to a surface that can be milled."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt
from jax import Array

from jaxfric.cli._bank import LAWS, kept_bank, stand_in
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import Content, publish
from jaxfric.contact import RADIUS_BOUNDS, Design, Feasibility, Material, Tolerance

POINTS = 128  # loads of a family, as many as the paper's laws have
# Asperities that never touch stand this much deeper than the deepest indentation: out of reach of a
# load somewhat above the largest, and of errors of milling, yet no needlessly deep holes
MARGIN = 1.5


class Wanted(NamedTuple):
    """A target and what it is called; newtons."""

    name: str
    loads: Array
    friction: Array


class Shared(TypedDict):
    """What `design` takes of the command line whether or not it generates."""

    material: tuple[float, float, float]
    asperities: int
    radius: tuple[float, float]
    max_height: float | None
    quantum: float | None
    max_indentation: float | None
    errors: tuple[float, float]
    seed: int


class Search(TypedDict):
    """What a design may be, as `contact.design` and `contact.feasibility` take it; m."""

    radius_bounds: tuple[float, float]
    radii: str
    max_height: float | None
    quantum: float | None
    max_indentation: float | None


DRAWING = "jaxfric.plotting._design"


def wanted_law(
    path: Path | None,
    linear: float | None = None,
    power: float | None = None,
    bilinear: tuple[float, float, float] | None = None,
    friction: float | None = None,
    max_load: float = 1.0,
) -> Wanted:
    """The target that the command line names: a file, or one family."""
    import jax.numpy as jnp

    from jaxfric import contact, records

    given = [x is not None for x in (path, linear, power, bilinear)]
    if sum(given) != 1:
        raise ValueError(
            "name one target: a table of load and friction, --linear, --power or --bilinear"
        )
    if path is not None:
        return Wanted(path.name, *map(jnp.asarray, records.read_friction_law(path)))
    if not (np.isfinite(max_load) and max_load > 0):
        raise ValueError(f"--max-load must be positive; got {max_load}")
    # Equal steps up to the largest load, without the zero load, which has no friction to compare
    loads = jnp.asarray(max_load * np.arange(1, POINTS + 1) / POINTS)
    if linear is not None:
        return Wanted(f"linear, {linear:g}", loads, contact.linear_law(loads, linear))
    if power is not None:
        top = max_load if friction is None else friction
        law = contact.power_law(loads, power, friction=top, at=max_load)
        return Wanted(f"power {power:.4g}", loads, law)
    assert bilinear is not None
    law = contact.bilinear_law(loads, *bilinear)
    name = f"slope {bilinear[0]:g}, {bilinear[1]:g} from {bilinear[2]:g} N on"
    return Wanted(name, loads, law)


def run_design(
    wanted: Wanted,
    out: Path,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    asperities: int = 64,
    radius: tuple[float, float] = RADIUS_BOUNDS,
    radii: str = "free",
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    errors: tuple[float, float] = (1e-6, 2e-6),
    starts: int = 16,
    seed: int = 0,
    painter: Painter | None = None,
) -> Design:
    """Design, print what came out, write tables, mesh and figures to `out`."""
    from jaxfric import contact, records
    from jaxfric.plotting._design import design_curves, spread_band

    if radii == "fixed":
        raise ValueError("--radii must be free or common: the bank has no radii to keep")
    if asperities < 1:
        raise ValueError(f"--asperities must be at least 1; got {asperities}")
    contact.check_target(wanted.loads, wanted.friction)
    law = (contact.Material(*material), wanted.loads, wanted.friction)
    search: Search = {
        "radius_bounds": radius,
        "radii": radii,
        "max_height": max_height,
        "quantum": quantum,
        "max_indentation": max_indentation,
    }
    told, found, spread, yardsticks = _designed(
        name=wanted.name, law=law, asperities=asperities, search=search, errors=errors,
        starts=starts, seed=seed,
    )  # fmt: skip
    spacing = wanted_spacing(found)
    text = _text(found, spread, spacing, errors, yardsticks)
    print(text)
    request: dict[str, object] = {
        "name": wanted.name, "asperities": asperities, "radius_bounds_m": list(radius),
        "radii": radii, "max_height": max_height, "quantum": quantum,
        "max_indentation": max_indentation, "errors_m": list(errors), "starts": starts,
        "bank": LAWS, "seed": seed,
    }  # fmt: skip
    curves = design_curves(found)
    position = records.lattice(curves.depth.size, spacing)
    painter = painter or Painter(apart=False)
    figures = {
        "law.png": painter.draw(DRAWING, "draw_design", curves, spread_band(spread),
                                title=wanted.name),
        "surface.png": painter.draw(DRAWING, "draw_surface", curves, position, title=wanted.name),
    }  # fmt: skip
    contents = _contents(found, told, spread, spacing, request) | figures
    files = publish(out, {"design.txt": f"{told}\n\n{text}\n", **contents})
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return found


def _designed(
    *, name: str, law: tuple[Material, Array, Array], asperities: int, search: Search,
    errors: tuple[float, float], starts: int, seed: int,
) -> tuple[Feasibility, Design, Tolerance, str]:  # fmt: skip
    """What `contact` says of a law; what does not wait for the design is compiled meanwhile."""
    import jax

    from jaxfric import contact, programs

    key = jax.random.fold_in(jax.random.key(seed), 1)
    # A program is compiled for shapes: a bank and a surface of the right ones stand in, while the
    # real bank is read or made. The threads compile only; programs run in this one, one at a time.
    bank = stand_in(asperities, seed)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(programs.prepare, contact.feasibility, *law, bank=bank, **search)
        heights = np.linspace(-1e-4, 0, asperities)
        stairs = contact.Asperities(heights, np.full(asperities, 4e-4))
        threads.submit(programs.prepare, contact.tolerance, stairs, *law[:2], *errors, key=key)
        threads.submit(programs.prepare, contact.random_errors, bank, *law)
        bank = kept_bank(asperities, seed)
        told = contact.feasibility(*law, bank=bank, **search)
        print(f"{name}: {told}\n")
        found = contact.design(*law, starts=starts, finalists=min(4, starts), bank=bank, **search)
        if not bool(found.status.ok):
            raise RuntimeError(f"the design has no friction law: {found.status}")
        found = raise_idle(found, search["quantum"], search["max_height"])
        spread = contact.tolerance(found.surface, *law[:2], *errors, key=key)
        random = contact.random_errors(bank, *law)
    return told, found, spread, _yardsticks(law[2], random)


def _text(
    found: Design, spread: Tolerance, spacing: float, errors: tuple[float, float],
    yardsticks: str,
) -> str:  # fmt: skip
    """What is printed of a design, and where the theory behind it ends."""
    ratio = float(np.asarray(found.curve.contact_radius).max() / spacing)
    return "\n".join(
        [
            str(found),
            f"  the widest contact is {ratio:.2g} of the spacing of {spacing * 1e3:.3g} mm "
            "(contacts are independent while that is small)",
            f"made with errors of {errors[0] * 1e6:.3g} µm in height and {errors[1] * 1e6:.3g} µm "
            f"in radius:\n{spread}",
            f"yardsticks, sMAPE: {yardsticks}",
        ]
    )


def raise_idle(found: Design, quantum: float | None, max_height: float | None) -> Design:
    """Asperities that never touch need no deep holes: nearer, but out of reach."""
    import equinox as eqx
    import jax

    deepest = float(np.asarray(found.curve.indentation).max())
    floor = min(MARGIN * deepest, np.inf if max_height is None else max_height)
    # Heights are whole multiples of the quantum below the highest; down, to keep to `max_height`
    if quantum is not None:
        floor = np.floor(floor / quantum) * quantum
    if floor <= deepest:
        return found
    height = np.asarray(found.surface.height)
    raised = jax.device_put(np.maximum(height, height.max() - floor))
    return eqx.tree_at(lambda d: d.surface.height, found, raised)


def wanted_spacing(found: Design) -> float:
    """Of the lattice, m: 1.5 mm, or what the widest foot wants."""
    from jaxfric import records

    tip, radius = _tips(found)
    return max(1.5e-3, 2.2 * float(records.foot_radius(tip, radius).max()))


def _tips(found: Design) -> tuple[np.ndarray, np.ndarray]:
    """Heights of the tips above the block, and radii, m; the lowest is a quarter of the highest."""
    height, radius = np.asarray(found.surface.height), np.asarray(found.surface.radius)
    depth = height.max() - height
    tip = depth.max() * 4 / 3 - depth if depth.max() > 0 else radius / 4
    return tip, radius


def _yardsticks(target: npt.ArrayLike, random: npt.ArrayLike) -> str:
    """What no thought at all achieves: a constant, a random surface, the best of 1,000."""
    T, errors = np.asarray(target), np.asarray(random)
    constant = np.median(T)
    # sMAPE = 200 % · mean |a − b|/(a + b) of positive a and b
    error = 200 * np.mean(np.abs(constant - T) / (constant + T))
    return (
        f"constant {error:.3g} %, random surface {np.median(errors):.3g} %, best of 1,000 random "
        f"{errors.min():.3g} %"
    )


def _contents(
    found: Design, told: Feasibility, spread: Tolerance, spacing: float,
    request: dict[str, object],
) -> dict[str, Content]:  # fmt: skip
    """The files of a design, by name."""
    from jaxfric import __version__, records

    tip, radius = _tips(found)
    position = records.lattice(tip.size, spacing)
    # What was wanted beside what the design does, what any design could do at best, and the band in
    # which surfaces made with errors lie
    columns = [found.load, found.target, found.friction, told.closest, spread.low, spread.high]
    rows = np.column_stack([np.asarray(c, float) for c in columns])
    names = "load_N,target_N,friction_N,closest_N,low_N,high_N"
    summary = {
        "jaxfric": __version__,
        "request": request,
        "material": {
            "modulus_Pa": float(found.material.modulus),
            "shear_strength_Pa": float(found.material.shear_strength),
            "area_factor": float(found.material.area_factor),
        },
        "smape_percent": float(found.error),
        "feasible": bool(told.feasible),
        "feasibility": str(told),
        "indentation_ratio": float(found.indentation_ratio),
        "spacing_m": spacing,
        "load_N": rows[:, 0].tolist(),
        "target_N": rows[:, 1].tolist(),
        "friction_N": rows[:, 2].tolist(),
        "position_m": position.tolist(),
        "tip_above_block_m": tip.tolist(),
        "radius_m": radius.tolist(),
    }
    contents: dict[str, Content] = {
        "law.csv": "\n".join([names, *(",".join(f"{v:.9g}" for v in row) for row in rows)]) + "\n",
        "design.json": json.dumps(summary, indent=1) + "\n",
    }
    return contents | surface_files(found, spacing)


def surface_files(found: Design, spacing: float) -> dict[str, Content]:
    """The asperities as a table and as triangles to mill."""
    from jaxfric import records

    tip, radius = _tips(found)
    position = records.lattice(tip.size, spacing)
    # A block of 1 mm below the lowest foot, to hold the caps together
    triangles = records.cap_triangles(tip, radius, spacing=spacing, base=1e-3)
    return {
        "surface.csv": records.asperities_csv(position, tip, radius),
        "surface.stl": records.stl_bytes(triangles),
    }

"""`jaxfric design`: from a friction law to a surface that can be milled."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxfric.cli._bank import LAWS, kept_bank, stand_in
from jaxfric.cli._files import load_figures, publish

if TYPE_CHECKING:
    from jax import Array

    from jaxfric.contact import Design, Feasibility, Tolerance

POINTS = 128  # loads of a family
MARGIN = 1.5  # asperities that never touch stand this much deeper than the deepest separation


class Wanted(NamedTuple):
    """A target and what it is called; newtons."""

    name: str
    loads: "Array"
    friction: "Array"


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
    radius: tuple[float, float] = (1e-4, 1e-3),
    radii: str = "free",
    max_height: float | None = None,
    quantum: float | None = None,
    max_indentation: float | None = None,
    errors: tuple[float, float] = (1e-6, 2e-6),
    starts: int = 16,
    seed: int = 0,
) -> "Design":
    """Design, print what came out, write tables, mesh and figures to `out`."""
    from jaxfric import contact

    if radii == "fixed":
        raise ValueError("--radii must be free or common: the bank has no radii to keep")
    contact.check_target(wanted.loads, wanted.friction)
    law = (contact.Material(*material), wanted.loads, wanted.friction)
    options: dict[str, Any] = {
        "radii": radii,
        "max_height": max_height,
        "quantum": quantum,
        "max_indentation": max_indentation,
    }
    search = {"asperities": asperities, "radius_bounds": radius, **options}
    told, found, spread, yardsticks = _designed(wanted.name, law, search, errors, starts, seed)
    spacing = wanted_spacing(found)
    text = _text(found, spread, spacing, errors, yardsticks)
    print(text)
    request = {
        "name": wanted.name, "asperities": asperities, "radius_bounds_m": list(radius),
        **options, "errors_m": list(errors), "starts": starts, "bank": LAWS, "seed": seed,
    }  # fmt: skip
    contents = _contents(found, told, spread, spacing, request, wanted.name)
    files = publish(out, {"design.txt": f"{told}\n\n{text}\n", **contents})
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return found


def _designed(
    name: str, law: tuple[Any, Any, Any], search: dict[str, Any], errors: tuple[float, float],
    starts: int, seed: int,
) -> "tuple[Feasibility, Design, Tolerance, str]":  # fmt: skip
    """What `contact` says of a law; what does not wait for the design is compiled meanwhile."""
    import jax

    from jaxfric import contact, programs

    n = search.pop("asperities")
    key = jax.random.fold_in(jax.random.key(seed), 1)
    search["bank"] = bank = stand_in(n, seed)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(programs.prepare, contact.feasibility, *law, **search)
        stairs = contact.Asperities(np.linspace(-1e-4, 0, n), np.full(n, 4e-4))
        threads.submit(programs.prepare, contact.tolerance, stairs, *law[:2], *errors, key=key)
        threads.submit(programs.prepare, contact.random_errors, bank, *law)
        threads.submit(load_figures)
        search = search | {"bank": kept_bank(n, seed)}
        told = contact.feasibility(*law, **search)
        print(f"{name}: {told}\n")
        found = contact.design(*law, starts=starts, finalists=min(4, starts), **search)
        if not bool(found.status.ok):
            raise RuntimeError(f"the design has no friction law: {found.status}")
        found = raise_idle(found, search["quantum"], search["max_height"])
        spread = contact.tolerance(found.surface, *law[:2], *errors, key=key)
        random = contact.random_errors(search["bank"], *law)
    return told, found, spread, _yardsticks(law[2], random)


def _text(
    found: "Design", spread: "Tolerance", spacing: float, errors: tuple[float, float],
    yardsticks: str,
) -> str:  # fmt: skip
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


def raise_idle(found: "Design", quantum: float | None, max_height: float | None) -> "Design":
    """Asperities that never touch need no deep holes: nearer, but out of reach."""
    import equinox as eqx
    import jax

    deepest = float(np.asarray(found.curve.indentation).max())
    floor = min(MARGIN * deepest, np.inf if max_height is None else max_height)
    if quantum is not None:
        floor = np.floor(floor / quantum) * quantum
    if floor <= deepest:
        return found
    height = np.asarray(found.surface.height)
    raised = jax.device_put(np.maximum(height, height.max() - floor))
    return eqx.tree_at(lambda d: d.surface.height, found, raised)


def wanted_spacing(found: "Design") -> float:
    """Of the lattice, m: 1.5 mm, or what the widest foot wants."""
    from jaxfric import records

    tip, radius = _tips(found)
    return max(1.5e-3, 2.2 * float(records.foot_radius(tip, radius).max()))


def _tips(found: "Design") -> tuple[np.ndarray, np.ndarray]:
    """Heights of the tips above the block, and radii, m; the lowest is a quarter of the highest."""
    height, radius = np.asarray(found.surface.height), np.asarray(found.surface.radius)
    depth = height.max() - height
    tip = depth.max() * 4 / 3 - depth if depth.max() > 0 else radius / 4
    return tip, radius


def _yardsticks(target: Any, random: Any) -> str:
    """What no thought at all achieves: a constant, a random surface, the best of 1,000."""
    T, errors = np.asarray(target), np.asarray(random)
    constant = np.median(T)
    error = 200 * np.mean(np.abs(constant - T) / (constant + T))
    return (
        f"constant {error:.3g} %, random surface {np.median(errors):.3g} %, best of 1,000 random "
        f"{errors.min():.3g} %"
    )


def _contents(
    found: "Design", told: "Feasibility", spread: "Tolerance", spacing: float,
    request: dict[str, Any], name: str,
) -> dict[str, Any]:  # fmt: skip
    from jaxfric import __version__, plotting, records

    tip, radius = _tips(found)
    position = records.lattice(tip.size, spacing)
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
    contents: dict[str, Any] = {
        "law.csv": "\n".join([names, *(",".join(f"{v:.9g}" for v in row) for row in rows)]) + "\n",
        "design.json": json.dumps(summary, indent=1) + "\n",
        "law.png": plotting.plot_design(found, spread, title=name),
        "surface.png": plotting.plot_surface(found, spacing=spacing, title=name),
    }
    return contents | surface_files(found, spacing)


def surface_files(found: "Design", spacing: float) -> dict[str, Any]:
    """The asperities as a table and as triangles to mill."""
    from jaxfric import records

    tip, radius = _tips(found)
    position = records.lattice(tip.size, spacing)
    triangles = records.cap_triangles(tip, radius, spacing=spacing, base=1e-3)
    return {
        "surface.csv": records.asperities_csv(position, tip, radius),
        "surface.stl": records.stl_bytes(triangles),
    }

"""Independent and interacting contacts against the boundary elements of tamaas.

64 spheres on a square lattice, exponential heights of mean 8 µm, radii 0.4 to 0.8 mm, periodic.
The spacing goes from crowded to dilute; at each, area at equal load, and the share of the load on
each sphere. Pixels are counted with the correction for their staircase edge (Yastrebov et al.,
Wear 2017), which leaves the area of contacts 21 to 4 pixels in radius 0.2 to 1.2 % too small.
Below: what the interaction costs, 64 to 1,024 spheres at 128 loads. Where tamaas is absent, only
that is measured.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import math  # noqa: E402
import time  # noqa: E402

import _common  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from jaxfric import contact  # noqa: E402

SIDE, E, LOAD = 8, 1.4e6, 0.05
COLUMNS = {
    "spacing_mm": "spacing, mm",
    "ratio": "radius / spacing",
    "pixels": "pixels a radius",
    "area_off": "area, off by %: independent",
    "area_interacting_off": "interacting",
    "share": "load a sphere, off by %, rms: independent",
    "share_interacting": "interacting",
    "min_s": "time",
    "independent_ms": "independent, ms",
    "compile_s": "compilation",
}


def spheres() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    n = SIDE**2
    return -rng.exponential(8e-6, n), rng.uniform(4e-4, 8e-4, n)


def boundary_elements(h, R, spacing: float, pixels: int):  # type: ignore[no-untyped-def]
    """Contact area, and the load on each sphere."""
    import tamaas

    length = SIDE * spacing
    x = (np.arange(pixels) + 0.5) * length / pixels
    X, Y = np.meshgrid(x, x, indexing="ij")
    i, j = (X // spacing).astype(int), (Y // spacing).astype(int)
    r2 = (X - (i + 0.5) * spacing) ** 2 + (Y - (j + 0.5) * spacing) ** 2
    cell = i * SIDE + j
    model = tamaas.Model(tamaas.model_type.basic_2d, [length, length], [pixels, pixels])
    model.E, model.nu = E, 0.0
    solver = tamaas.PolonskyKeerRey(model, h[cell] - r2 / (2 * R[cell]), 1e-9)
    solver.solve(LOAD / length**2)
    traction, size = model.traction, length / pixels
    touching = traction > 0
    edges = sum((touching != np.roll(touching, 1, axis)).sum() for axis in (0, 1))
    area = touching.sum() * size**2 - (math.pi - 1 + math.log(2)) / 24 * edges * size**2
    loads = np.bincount(cell.ravel(), traction.ravel(), SIDE**2) * size**2
    return area, loads


def main() -> None:
    smoke = _common.arguments(__doc__).smoke
    table = _common.Table("contact_tamaas", COLUMNS, smoke)
    if _common.installed("tamaas"):
        compare(table, smoke)
    else:
        table.absent("tamaas")
    for n in (16,) if smoke else (64, 256, 1024):
        cost(table, n, smoke)
    table.finish()


def compare(table: _common.Table, smoke: bool) -> None:
    """Rows of the comparison; its figure, unless small."""
    import tamaas

    tamaas.set_log_level(tamaas.LogLevel.warning)
    h, R = spheres()
    surface = contact.Asperities(jnp.asarray(h), jnp.asarray(R))
    material = contact.Material(E, 1.0)
    curve = contact.friction_law(surface, material, jnp.array([LOAD]))
    delta = np.maximum(float(curve.indentation[0]) - (h.max() - h), 0)
    ours = 4 / 3 * E * np.sqrt(R) * delta**1.5
    radius = float(np.sqrt(R * delta)[delta > 0].mean())
    touching = ours > 0.02 * LOAD / SIDE**2
    found = []
    for spacing in (1e-3, 2e-3) if smoke else (4e-4, 6e-4, 1e-3, 1.5e-3, 2.5e-3, 4e-3):
        pixels = 256 if smoke else 1024 if spacing < 9e-4 else 2048
        # Once: nothing of it is compiled here, and it takes a minute
        start = time.perf_counter()
        area, loads = boundary_elements(h, R, spacing, pixels)
        timing = _common.Timing(None, (time.perf_counter() - start,))
        together = contact.interacting_contacts(
            surface, lattice(SIDE, spacing), material, jnp.array([LOAD]), period=SIDE * spacing
        )
        row = {"ratio": float(curve.contact_ratio(spacing)[0])}
        for name, law, force in (
            ("", curve, ours),
            ("_interacting", together.curve, np.asarray(together.force[0])),
        ):
            off = np.sqrt(np.mean((force - loads)[touching] ** 2)) / np.mean(ours[touching])
            area_ratio = float(law.area[0]) / area
            row |= {
                f"area{name}": area_ratio,
                f"area{name}_off": 100 * (area_ratio - 1),
                f"share{name}": 100 * off,
            }
        found.append(row)
        table.add(
            f"64 spheres, {int((delta > 0).sum())} touch: tamaas", timing,
            spacing_mm=1e3 * spacing, pixels=radius * pixels / (SIDE * spacing), **row,
        )  # fmt: skip
    if not smoke:
        draw(found)


def lattice(side: int, spacing: float) -> np.ndarray:
    """Centres of the cells, in the order of `boundary_elements`."""
    i, j = np.divmod(np.arange(side**2), side)
    return (np.stack([i, j], -1) + 0.5) * spacing


def cost(table: _common.Table, n: int, smoke: bool) -> None:
    """The interacting law at 128 loads beside the independent one, at a ratio of about 0.16."""
    rng = np.random.default_rng(0)
    surface = contact.Asperities(-rng.exponential(8e-6, n), rng.uniform(4e-4, 8e-4, n))
    material, spacing, side = contact.Material(E, 1.0), 6e-4, math.isqrt(n)
    loads = jnp.linspace(0, LOAD * n / SIDE**2, 129)[1:]
    position = jnp.asarray(lattice(side, spacing))
    repeats = 2 if smoke else 10

    def alone(surface, loads):  # type: ignore[no-untyped-def]
        return contact.friction_law(surface, material, loads).friction

    def free(surface, loads):  # type: ignore[no-untyped-def]
        return contact.interacting_friction_law(surface, position, material, loads).friction

    def periodic(surface, loads):  # type: ignore[no-untyped-def]
        return contact.interacting_friction_law(
            surface, position, material, loads, period=side * spacing
        ).friction

    def gradient(surface, loads):  # type: ignore[no-untyped-def]
        return jax.grad(lambda s: free(s, loads).sum())(surface).height

    _, independent = _common.timed_jit(alone, surface, loads, repeats=repeats)
    for name, law in (("free", free), ("periodic", periodic), ("free, with gradient", gradient)):
        _, timing = _common.timed_jit(law, surface, loads, repeats=repeats)
        table.add(
            f"{n} spheres, {loads.size} loads, {name}", timing,
            independent_ms=1e3 * independent.best,
        )  # fmt: skip


def draw(found: list[dict[str, float]]) -> None:
    """The deviation against how dilute the contacts are."""
    from jaxfric.plotting._style import COLOURS, new_figure, save

    figure, (axis,) = new_figure(size=(6.0, 4.0), ratios=(1.0,))
    ratio = [row["ratio"] for row in found]
    for name, line, kind in (("", "-", "independent"), ("_interacting", "--", "interacting")):
        area, share = (np.array([row[key + name] for row in found]) for key in ("area", "share"))
        axis.plot(
            ratio, 100 * np.abs(area - 1), f"o{line}", color=COLOURS[0],
            label=f"area at equal load, {kind}",
        )  # fmt: skip
        axis.plot(
            ratio, share, f"s{line}", color=COLOURS[1], label=f"load of a sphere, rms, {kind}"
        )
    axis.set(xscale="log", yscale="log", xlabel="largest contact radius / spacing")
    axis.set(ylabel="deviation from tamaas (%)", title="64 spheres, periodic")
    axis.set_ylim(bottom=1e-4)  # room for the legend
    axis.legend(frameon=False, loc="lower left")
    save(figure, _common.ROOT / "docs" / "images" / "contact-tamaas.png")


if __name__ == "__main__":
    main()

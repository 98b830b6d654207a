"""Independent contacts against the boundary elements of tamaas, which let contacts see each other.

64 spheres on a square lattice, exponential heights of mean 8 µm, radii 0.4 to 0.8 mm, periodic.
The spacing goes from crowded to dilute; at each, area at equal load, and the share of the load on
each sphere. Pixels are counted with the correction for their staircase edge (Yastrebov et al.,
Wear 2017). Where tamaas is absent, nothing is measured.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import math  # noqa: E402

import _common  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from jaxfric import contact  # noqa: E402

SIDE, E, LOAD = 8, 1.4e6, 0.05
COLUMNS = {
    "spacing_mm": "spacing, mm",
    "ratio": "contact radius / spacing",
    "pixels": "pixels a radius",
    "area": "area, ours / tamaas",
    "share": "load a sphere, rms deviation, %",
    "min_s": "tamaas",
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
    if not _common.installed("tamaas"):
        table.absent("tamaas")
        table.finish()
        return
    import tamaas

    tamaas.set_log_level(tamaas.LogLevel.warning)
    h, R = spheres()
    surface = contact.Asperities(jnp.asarray(h), jnp.asarray(R))
    material = contact.Material(E, 1.0)
    curve = contact.friction_law(surface, material, jnp.array([LOAD]))
    delta = np.maximum(float(curve.indentation[0]) - (h.max() - h), 0)
    ours = 4 / 3 * E * np.sqrt(R) * delta**1.5
    radius = float(np.sqrt(R * delta)[delta > 0].mean())
    found = []
    for spacing in (1e-3, 2e-3) if smoke else (4e-4, 6e-4, 1e-3, 1.5e-3, 2.5e-3, 4e-3):
        pixels = 256 if smoke else 1024 if spacing < 9e-4 else 2048
        (area, loads), timing = _common.timed(
            lambda s=spacing, n=pixels: boundary_elements(h, R, s, n), 1
        )
        ratio = float(curve.contact_ratio(spacing)[0])
        touching = ours > 0.02 * LOAD / 64
        share = 100 * np.sqrt(np.mean((ours - loads)[touching] ** 2)) / np.mean(ours[touching])
        found.append((ratio, float(curve.area[0]) / area, share))
        table.add(
            f"64 spheres, {int((delta > 0).sum())} touch", timing, spacing_mm=1e3 * spacing,
            ratio=ratio, pixels=radius * pixels / (SIDE * spacing), area=found[-1][1], share=share,
        )  # fmt: skip
    if not smoke:
        draw(found)
    table.finish()


def draw(found: list[tuple[float, float, float]]) -> None:
    """The deviation against how dilute the contacts are."""
    from jaxfric.plotting._style import COLOURS, new_figure, save

    figure, (axis,) = new_figure(size=(6.0, 4.0), ratios=(1.0,))
    ratio, area, share = (np.array(x) for x in zip(*found, strict=True))
    axis.plot(ratio, 100 * np.abs(area - 1), "o-", color=COLOURS[0], label="area at equal load")
    axis.plot(ratio, share, "s-", color=COLOURS[1], label="load of a sphere, rms")
    axis.axhline(3, color="black", lw=0.8, ls="--", label="3 %")
    axis.set(xscale="log", yscale="log", xlabel="largest contact radius / spacing")
    axis.set(ylabel="deviation from tamaas (%)", title="Independent contacts, 64 spheres")
    axis.legend(frameon=False)
    save(figure, _common.ROOT / "docs" / "images" / "contact-tamaas.png")


if __name__ == "__main__":
    main()

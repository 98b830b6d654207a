"""What is written of a part, read back and pressed: a law and a clearance that a file has.

An independent solution in NumPy, of the numbers in the table and nothing else: what stands between
a design and its file (raised tips, the block, rounding to what a machine sets) is checked with it.
"""

import io
import math
from typing import NamedTuple

import numpy as np

from jaxfric.contact import Material, Part

# Of the friction: a file that says the same as the design, but for rounding
SAME_LAW = 1e-6
# Newton's method from above gains digits at every step, and doubles them in the end
STEPS, ENOUGH = 100, 1e-14


class Pressed(NamedTuple):
    """A flat on caps: how deep it presses the highest one in, and the friction, at each load."""

    approach: np.ndarray  # (m,), m
    friction: np.ndarray  # (m,), N


def pressed(
    height: np.ndarray, radius: np.ndarray, material: Material, loads: np.ndarray
) -> Pressed:
    """Hertz' contacts that carry each load: P = Σ 4/3 E* √R δ^(3/2), F = σ B π Σ R δ."""
    E, strength, share = (
        float(np.asarray(x))
        for x in (material.modulus, material.shear_strength, material.area_factor)
    )
    depth = height.max() - height
    stiffness = 4 / 3 * E * np.sqrt(radius)
    # Were the stiffest of the highest tips alone it would be pressed in by more: P is convex in x,
    # so Newton's method from there falls onto the solution and never passes it
    x = (loads / stiffness[depth == 0].max()) ** (2 / 3)
    for _ in range(STEPS):
        delta = np.maximum(x[:, None] - depth, 0.0)
        root = np.sqrt(delta)
        excess = (stiffness * delta * root).sum(-1) - loads
        slope = (1.5 * stiffness * root).sum(-1)
        step = np.where(slope > 0, excess / np.where(slope > 0, slope, 1.0), 0.0)
        x = x - step
        if (np.abs(step) <= ENOUGH * x).all():
            break
    delta = np.maximum(x[:, None] - depth, 0.0)
    return Pressed(x, strength * share * math.pi * (radius * delta).sum(-1))


def check_table(table: str, made: Part) -> None:
    """Refuse a table whose surface touches the block, or has another law than the design.

    Arguments:
        table: as `records.asperities_csv` writes it.
        made: what it was written of.

    Raises:
        RuntimeError: it says what of the file is wrong.
    """
    caps = np.atleast_1d(np.genfromtxt(io.StringIO(table), delimiter=",", names=True))
    height, radius = caps["height_m"], caps["radius_m"]
    design = made.design
    found = pressed(height, radius, design.material, np.asarray(design.load, float))
    clearance = float(height.max() - found.approach.max())
    # The clearance is the part's, to what a height above the block can be written to
    if not (clearance > 0 and height.min() > 0):
        raise RuntimeError(
            f"the part as written touches its block: tips {height.max() * 1e6:.4g} µm high are "
            f"pressed in by {found.approach.max() * 1e6:.4g} µm. Nothing was written"
        )
    friction = np.asarray(design.friction, float)
    off = np.max(np.abs(found.friction - friction) / np.where(friction > 0, friction, 1.0))
    # A design of float32 has a law of float32
    allowed = max(SAME_LAW, 100 * float(np.finfo(np.asarray(design.friction).dtype).eps))
    if not off <= allowed:
        raise RuntimeError(
            f"the part as written has a law that is {100 * off:.2g} % off its design. Nothing was "
            "written"
        )

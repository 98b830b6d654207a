"""A design as a part: its caps on a block, which the flat that presses on them must not touch."""

import equinox as eqx
import jax
import numpy as np

from jaxfric._show import printed
from jaxfric.contact._designed import Design
from jaxfric.contact._printing import MICRO, span

# Asperities that never touch stand this much deeper than the deepest indentation: out of reach of a
# load somewhat above the largest, and of errors of milling, yet no needlessly deep holes
IDLE = 1.5
# Room that is left at the largest load unless told otherwise. Of the deepest indentation: as
# P ∝ δ^(3/2) at least, such a part takes more than three times its largest load before the block
# touches. Of the error of heights: one made part in two million is farther off.
ROOM, DEVIATIONS = 1.25, 5.0
# Of the tallest tip, where that is limited and no clearance was named
LEFT = 0.25
# Of a quantum: heights this near to a multiple of it are that multiple, and differ by rounding
NEARLY = 1e-6
# Of a quantum: what single precision leaves of a depth of thousands of them
ROUNDED = 1e-2


class Part(eqx.Module):
    """What `part` returns: lengths above the block, as they are milled.

    Attributes:
        design: whose caps these are; those that never touch may stand higher than there.
        height: (n,), of each tip above the block, m.
        radius: (n,), m.
        approach: how far the flat comes down below the highest tip at the largest load, m.
        clearance: between the flat and the block at that load, m.
    """

    design: Design
    height: np.ndarray
    radius: np.ndarray
    approach: float
    clearance: float

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        return (
            f"Part: {self.height.size} cap{'s' if self.height.size > 1 else ''}, tips "
            f"{span(self.height, 'µm', MICRO)} above the block; at the largest load the flat "
            f"stands {self.clearance * MICRO:.4g} µm above it"
        )


def room(max_height: float, clearance: float | None = None, quantum: float | None = None) -> float:
    """How far tips may lie apart, and how far the flat may come down, below the tallest tip, m.

    The limits `max_height` and `max_approach` of a design for a part whose tips stand no higher
    above the block than `max_height`.

    Arguments:
        max_height: of the tallest tip above the block, m.
        clearance: that the flat and the lowest tip keep from the block, m; a quarter of the height
            if None.
        quantum: tips stand at multiples of this, m.

    Returns:
        m.

    Raises:
        ValueError: a number that is not positive, or a clearance that leaves no room.

    Example:
        >>> print(f"{room(2e-4, 5e-5):.3g}")
        0.00015
    """
    _positive(max_height=max_height, clearance=clearance, quantum=quantum)
    highest = _down(max_height, quantum or 0.0)
    least = LEFT * highest if clearance is None else clearance
    left = _down(highest - least, quantum or 0.0)
    if not left > 0:
        taken = f"clearance = {least:.4g} m" + (
            f" and quantum = {quantum:.4g} m" if quantum else ""
        )
        raise ValueError(f"{taken} leave no room below max_height = {max_height:.4g} m")
    return left


def part(
    design: Design,
    *,
    clearance: float | None = None,
    height_error: float = 0.0,
    max_height: float | None = None,
    quantum: float | None = None,
) -> Part:
    """Stand a design on a block, so high that the flat never touches the block.

    The highest tip stands at max(δ, D) + c above the block: δ is how deep it is pressed in at the
    largest load, D how deep the lowest tip lies below it, c the clearance. So the flat and every
    tip keep at least c from the block. Asperities that never touch are raised to 1.5 δ below the
    highest, which changes no law and saves deep holes.

    Arguments:
        design: one, with a friction law.
        clearance: c, m; if None the larger of 1.25 δ and five times `height_error`, or what
            `max_height` leaves of it, but at least a quarter of that.
        height_error: standard deviation of a height as made, m.
        max_height: of the tallest tip above the block, m; any if None. Design for it with
            `max_height` and `max_approach` = `room(max_height, clearance, quantum)`.
        quantum: heights above the block become multiples of this, m. Depths below the highest tip
            must be so already: design with the same `quantum`.

    Returns:
        `Part`.

    Raises:
        ValueError: a part that would be higher than `max_height`, a design that was made without
            this quantum, a number out of range, or asperities that are no spheres.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric import contact
        >>> start = contact.Asperities(-1e-6 * jnp.arange(32.0), jnp.full(32, 5e-4))
        >>> material, loads = contact.Material(1.4e6, 4e5), jnp.linspace(0.02, 1.0, 50)
        >>> made = part(contact.refine(start, material, loads, 1.5 * loads))
        >>> made.clearance > made.approach
        True
    """
    if not isinstance(design, Design):
        raise ValueError(
            "a part is made of what design or refine returns, as it needs the law too; got "
            f"{type(design).__name__}"
        )
    if np.ndim(design.load) != 1:
        raise ValueError(
            f"a part is of one design; got {np.shape(design.error)} of them. Take one with "
            "jax.tree_util.tree_map(lambda x: x[0], designs)"
        )
    _spheres(design)
    if not (np.isfinite(height_error) and height_error >= 0):
        raise ValueError(f"height_error must be >= 0; got {height_error}")
    _positive(clearance=clearance, max_height=max_height, quantum=quantum)
    approach = float(np.asarray(design.curve.indentation).max())
    if not np.isfinite(approach):
        raise ValueError(f"the design has no friction law: {design.status}")
    grid = quantum or 0.0
    highest = np.inf if max_height is None else _down(max_height, grid)
    wanted = max(ROOM * approach, DEVIATIONS * height_error) if clearance is None else clearance
    # The least that the flat and every tip keep from the block: what is wanted, of which a limit of
    # the height may take what is more than a quarter of that limit
    least = wanted
    if max_height is not None:
        least = min(wanted, highest - room(max_height, clearance, quantum))
    design = _raised(design, approach, min(IDLE * approach, highest - least), grid)
    used = np.asarray(design.surface.used)
    height = np.asarray(design.surface.height, float)[used]
    depth = height.max() - height
    _on_grid(depth, quantum)
    reach = max(approach, float(depth.max()))
    top = min(_up(reach + wanted, grid), highest)
    if top - reach < least * (1 - NEARLY):
        raise ValueError(
            f"the part needs tips {(reach + least) * MICRO:.4g} µm above the block: pressed in by "
            f"{approach * MICRO:.4g} µm, heights over {depth.max() * MICRO:.4g} µm, a clearance "
            f"of {least * MICRO:.4g} µm; max_height = {max_height:.4g} m. Allow higher tips or "
            "larger radii, or ask for less friction or less load"
        )
    return Part(
        design, top - depth, np.asarray(design.surface.radius)[used], approach, top - approach
    )


def _spheres(design: Design) -> None:
    surface = design.surface
    if surface.exponent is None:
        return
    exponent = np.broadcast_to(np.asarray(surface.exponent), (surface.size,))
    other = exponent[np.asarray(surface.used) & (exponent != 2)]
    if other.size:
        raise ValueError(
            f"a part is milled as spherical caps, and this design has exponents {span(other)}: "
            "design spheres (leave exponent out), or take heights, radii and exponents from "
            "design.surface"
        )


def _on_grid(depth: np.ndarray, quantum: float | None) -> None:
    """Refuse depths between two multiples: moved there by a mill, they would make another law."""
    if quantum is None:
        return
    steps = depth / quantum
    off = float(np.abs(steps - np.round(steps)).max())
    if off > ROUNDED:
        raise ValueError(
            f"heights of this design are up to {off:.2g} of quantum = {quantum:.4g} m off its "
            f"multiples: design with quantum={quantum:g}, so that the law is that of the part"
        )


def _positive(**lengths: float | None) -> None:
    for name, value in lengths.items():
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive; got {value}")


def _raised(design: Design, approach: float, floor: float, quantum: float) -> Design:
    """The design with no tip more than `floor` below the highest, where none of those touches."""
    # Heights are whole multiples of the quantum below the highest; down, to keep to `max_height`
    floor = _down(floor, quantum)
    if floor <= approach:
        return design
    height = np.asarray(design.surface.height)
    raised = jax.device_put(np.maximum(height, (height.max() - floor).astype(height.dtype)))
    return eqx.tree_at(lambda d: d.surface.height, design, raised)


def _up(length: float, quantum: float) -> float:
    return float(np.ceil(length / quantum - NEARLY) * quantum) if quantum else length


def _down(length: float, quantum: float) -> float:
    return float(np.floor(length / quantum + NEARLY) * quantum) if quantum else length

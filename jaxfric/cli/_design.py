"""`jaxfric design`: from a friction law to a surface that can be milled."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt
from jax import Array

from jaxfric.cli._bank import LAWS, kept_bank, stand_in
from jaxfric.cli._drawing import Painter
from jaxfric.cli._files import publish
from jaxfric.cli._making import SHY, Making, contact_ratio, part_files
from jaxfric.cli._messages import in_flags
from jaxfric.cli._target import Wanted
from jaxfric.contact import RADIUS_BOUNDS, Asperities, Feasibility, Material, Part, Tolerance

DRAWING = "jaxfric.plotting._design"


class Shared(TypedDict):
    """What `design` takes of the command line whether or not it generates."""

    material: tuple[float, float, float]
    asperities: int
    radius: tuple[float, float]
    max_indentation: float | None
    making: Making
    seed: int


class Limits(TypedDict):
    """Of a design, as `contact.design` and the generator take them; m."""

    radius_bounds: tuple[float, float]
    max_height: float | None
    quantum: float | None
    max_indentation: float | None
    max_approach: float | None


class Search(Limits):
    """What a design may be, as `contact.design` and `contact.feasibility` take it."""

    radii: str


class Answer(NamedTuple):
    """What `contact` says of a law."""

    told: Feasibility
    made: Part
    spread: Tolerance
    yardsticks: str


def limits(radius: tuple[float, float], making: Making, max_indentation: float | None) -> Limits:
    """What the part allows its design: tips and flat stay above the block."""
    space = making.room()
    return {
        "radius_bounds": radius,
        "max_height": space,
        "quantum": making.quantum,
        "max_indentation": max_indentation,
        "max_approach": None if space is None else SHY * space,
    }


def run_design(
    wanted: Wanted,
    out: Path,
    *,
    material: tuple[float, float, float] = (1.4e6, 4e5, 1.0),
    asperities: int = 64,
    radius: tuple[float, float] = RADIUS_BOUNDS,
    radii: str = "free",
    max_indentation: float | None = None,
    making: Making = Making(),  # noqa: B008 (frozen)
    starts: int = 16,
    seed: int = 0,
    painter: Painter | None = None,
) -> Part:
    """Design, print what came out, write tables, mesh and figures to `out`."""
    from jaxfric import contact, records
    from jaxfric.plotting._design import design_curves, spread_band
    from jaxfric.plotting._part import part_curves

    if radii == "fixed":
        raise ValueError("--radii must be free or common: the bank has no radii to keep")
    if asperities < 1:
        raise ValueError(f"--asperities must be at least 1; got {asperities}")
    contact.check_target(wanted.loads, wanted.friction)
    law = (contact.Material(*material), wanted.loads, wanted.friction)
    search: Search = {"radii": radii, **limits(radius, making, max_indentation)}
    answer = _answer(wanted, law, asperities, search, making, starts, seed)
    request: dict[str, object] = {
        **wanted.asked(), "asperities": asperities, "radius_bounds_m": list(radius),
        "radii": radii, "max_indentation": max_indentation, **making._asdict(), "starts": starts,
        "bank": LAWS, "seed": seed,
    }  # fmt: skip
    made = answer.made
    # Made before anything is printed of the design, as they may be refused: caps that overlap
    written = part_files(made, answer.told, answer.spread, making, request)
    text = _text(answer, making)
    print(text)
    position = records.lattice(made.height.size, making.lattice_spacing(made))
    painter = painter or Painter(apart=False)
    figures = {
        "law.png": painter.draw(DRAWING, "draw_design", design_curves(made.design),
                                spread_band(answer.spread), title=wanted.name),
        "surface.png": painter.draw("jaxfric.plotting._part", "draw_part", part_curves(made),
                                    position, title=wanted.name),
    }  # fmt: skip
    head = f"{in_flags('design', wanted.notes)}\n\n" if wanted.notes else ""
    files = publish(out, {"design.txt": f"{head}{answer.told}\n\n{text}\n", **written, **figures})
    print(f"\nWritten: {', '.join(str(f) for f in files)}")
    return made


def _answer(
    wanted: Wanted, law: tuple[Material, Array, Array], asperities: int, search: Search,
    making: Making, starts: int, seed: int,
) -> Answer:  # fmt: skip
    """What `contact` says of a law; what does not wait for the design is compiled meanwhile."""
    import jax

    from jaxfric import contact, programs

    key = jax.random.fold_in(jax.random.key(seed), 1)
    # A program is compiled for shapes: a bank and a surface of the right ones stand in, while the
    # real bank is read or made. The threads compile only; programs run in this one, one at a time.
    bank = stand_in(asperities, seed)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(programs.prepare, contact.feasibility, *law, bank=bank, **search)
        threads.submit(
            programs.prepare, contact.tolerance, stairs(asperities), *law[:2], *making.errors,
            key=key, target=law[2], clearance=1e-5,
        )  # fmt: skip
        threads.submit(programs.prepare, contact.random_errors, bank, *law)
        bank = kept_bank(asperities, seed)
        told = contact.feasibility(*law, bank=bank, **search)
        print(f"{wanted.name}: {told}\n")
        found = contact.design(*law, starts=starts, finalists=min(4, starts), bank=bank, **search)
        if not bool(found.status.ok):
            raise RuntimeError(f"the design has no friction law: {found.status}")
        if bool(found.usable) and not bool(told.feasible):
            told = contact.judged(found, radius_bounds=search["radius_bounds"])
            print(f"the whole search came nearer than that trial: {told}\n")
        made = making.part(found)
        spread = contact.tolerance(
            made.design.surface, *law[:2], *making.errors, key=key, target=law[2],
            clearance=made.clearance,
        )  # fmt: skip
        random = contact.random_errors(bank, *law)
    return Answer(told, made, spread, _yardsticks(law[2], random))


def stairs(asperities: int) -> Asperities:
    """A surface of the right shape: a program is compiled for shapes, before there is a design."""
    return Asperities(np.linspace(-1e-4, 0, asperities), np.full(asperities, 4e-4))


def _text(answer: Answer, making: Making) -> str:
    """What is printed of a design, and where the theory behind it ends."""
    made, errors = answer.made, making.errors
    return "\n".join(
        [
            str(made.design),
            str(made),
            f"  {contact_ratio(made, making.lattice_spacing(made))}",
            f"made with errors of {errors[0] * 1e6:.3g} µm in height and {errors[1] * 1e6:.3g} µm "
            f"in radius:\n{answer.spread}",
            f"yardsticks, sMAPE: {answer.yardsticks}",
        ]
    )


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

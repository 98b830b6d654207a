"""The least-squares problem of an inversion: parameters, records, and the friction between them."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric.ratestate._law import RateStateLaw
from jaxfric.ratestate._protocol import VelocityProtocol
from jaxfric.ratestate._spring import Spring
from jaxfric.ratestate._spring_slider import spring_slider

DETREND = {"none": 0, "linear": 1, "quadratic": 2}
EXTRAS = ("stiffness", "step_time")


class Layout(NamedTuple):
    """Which entry of the parameter vector is what; static and hashable.

    `places[r]` pairs each name of record r with its place; positive ones stand as logarithms.
    """

    labels: tuple[str, ...]
    places: tuple[tuple[tuple[str, int], ...], ...]

    @property
    def log(self) -> np.ndarray:
        """Which entries stand as logarithms."""
        return np.array([_is_log(label) for label in self.labels])


class Block(eqx.Module):
    """One record as the solver sees it, on a clock that starts at its first row."""

    t: Float[Array, " n"]
    friction: Float[Array, " n"]
    trend: Float[Array, "n k"]  # polynomial in (t − step)/duration
    projector: Float[Array, "n k"]  # the same, orthonormal
    law: RateStateLaw
    spring: Spring
    protocol: VelocityProtocol


def apply(layout: Layout, p: Array, r: int, block: Block) -> tuple[RateStateLaw, Spring, Any]:
    """Law, spring and protocol of record r at the parameters p."""
    values = {
        name: jnp.exp(p[i]) if _is_log(layout.labels[i]) else p[i] for name, i in layout.places[r]
    }
    law, spring, protocol = block.law, block.spring, block.protocol

    def take(name: str, guess: Any) -> Any:
        if isinstance(guess, tuple):
            return tuple(values.get(f"{name}{k + 1}", x) for k, x in enumerate(guess))
        return values.get(name, guess)

    law = dataclasses.replace(law, a=take("a", law.a), b=take("b", law.b), Dc=take("Dc", law.Dc))
    spring = eqx.tree_at(lambda x: x.stiffness, spring, take("stiffness", spring.stiffness))
    times = protocol.times
    shifted = [take(_step_name(protocol, k), times[k]) for k in range(1, times.shape[0])]
    return law, spring, eqx.tree_at(lambda x: x.times, protocol, jnp.stack([times[0], *shifted]))


def simulate(layout: Layout, p: Array, r: int, block: Block) -> Float[Array, " n"]:
    """Friction of record r at the parameters p, before the trend; inf where the run fails."""
    law, spring, protocol = apply(layout, p, r, block)
    history = spring_slider(
        law, spring, protocol, block.t, adjoint=diffrax.ForwardMode(), max_steps=16384
    )
    return history.friction


def simulate_with_slopes(layout: Layout, p: Array, r: int, block: Block) -> tuple[Array, Array]:
    """(friction, d friction/dp): a few forward tangents, from one trace of the solver."""

    def twice(q: Array) -> tuple[Array, Array]:
        friction = simulate(layout, q, r, block)
        return friction, friction

    slopes, friction = jax.jacfwd(twice, has_aux=True)(p)
    return friction, slopes


def make_block(
    time: np.ndarray, friction: np.ndarray, law: RateStateLaw, spring: Spring,
    protocol: VelocityProtocol, degree: int,
) -> Block:  # fmt: skip
    """A record's samples, its loading and its trend; a protocol on the record's own clock."""
    t = time - time[0]
    times = np.asarray(protocol.times) - time[0]
    times[0] = min(times[0], 0.0)
    scaled = (t - times[1]) / t[-1]
    trend = np.stack([scaled**k for k in range(degree + 1)], axis=1)
    return Block(
        jnp.asarray(t),
        jnp.asarray(friction),
        jnp.asarray(trend),
        jnp.asarray(np.linalg.qr(trend)[0]),
        _as_arrays(law),
        _as_arrays(spring),
        VelocityProtocol(times, protocol.velocities),
    )


def _as_arrays(tree: Any) -> Any:
    """Python numbers as arrays, so that another guess does not recompile; zeros stay static."""

    def convert(x: Any) -> Any:
        return jnp.asarray(x, float) if np.asarray(x) != 0 else x

    return jax.tree_util.tree_map(convert, tree)


def make_layout(
    blocks: list[Block], shared: Sequence[str], free: Sequence[str], fixed: Sequence[str]
) -> tuple[Layout, list[float]]:
    """Places of the free parameters, and the guess there."""
    known = set(law_names(blocks[0].law))
    unknown = [x for x in (*shared, *fixed) if x not in known | {"b", "Dc", *EXTRAS}]
    if unknown:
        raise ValueError(f"no parameter is called {unknown[0]!r}; the names are {sorted(known)}")
    labels: list[str] = []
    guess: list[float] = []
    places = []
    for r, block in enumerate(blocks):
        mine = []
        for name, value in _guesses(block, free).items():
            if name in fixed or name.rstrip("0123456789") in fixed:
                continue
            common = name in shared or name.rstrip("0123456789") in shared
            own = len(blocks) > 1 and not (common and not name.startswith("step"))
            label = f"{name}[{r + 1}]" if own else name
            if label not in labels:
                labels.append(label)
                guess.append(float(np.log(value)) if _is_log(label) else float(value))
            mine.append((name, labels.index(label)))
        places.append(tuple(mine))
    return Layout(tuple(labels), tuple(places)), guess


def _guesses(block: Block, free: Sequence[str]) -> dict[str, float]:
    law, protocol = block.law, block.protocol
    found = {"a": law.a}
    for name, value in (("b", law.b), ("Dc", law.Dc)):
        parts = value if isinstance(value, tuple) else (value,)
        keys = [f"{name}{k + 1}" for k in range(len(parts))] if isinstance(value, tuple) else [name]
        found |= dict(zip(keys, parts, strict=True))
    if "stiffness" in free:
        found["stiffness"] = block.spring.stiffness
    if "step_time" in free:
        found |= {_step_name(protocol, k): protocol.times[k] for k in range(1, protocol.times.size)}
    return {name: float(value) for name, value in found.items()}


def law_names(law: RateStateLaw) -> list[str]:
    n = law.states
    parts = [""] if n is None else [str(k + 1) for k in range(n)]
    return ["a", *(f"b{k}" for k in parts), *(f"Dc{k}" for k in parts)]


def _step_name(protocol: VelocityProtocol, k: int) -> str:
    return "step_time" if protocol.times.shape[0] == 2 else f"step_time{k}"


def _is_log(label: str) -> bool:
    return label.startswith(("Dc", "stiffness"))

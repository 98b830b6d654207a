"""From a wanted law and a draw of z to a surface, valid by construction."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.studies.metainterface._canonical import FRACTIONS, WEIGHTS, Canonical

if TYPE_CHECKING:
    from jaxfric.networks import SurfaceGenerator

UNIT = contact.Material(1.0, 1 / np.pi)  # in which the largest load and friction are 1
SINGLE, NODES = 24, 64  # ranks with a value of their own, and all nodes
LARGEST = 1024  # asperities
FACTS = 5 + NODES
TYPICAL_RADIUS = 0.35  # R/R₀ of seven equal contacts
INCREMENT = 0.02  # over H₀


def node_ranks() -> np.ndarray:
    """Ranks (0 is the highest asperity) at which the generator says height and radius."""
    rest = np.geomspace(SINGLE, LARGEST - 1, NODES - SINGLE)
    return np.concatenate([np.arange(SINGLE), np.round(rest)]).astype(int)


def interpolation(count: int) -> np.ndarray:
    """(count, 64): from values at the nodes to values at ranks 0 … count − 1."""
    ranks, at = node_ranks(), np.arange(count)
    j = np.clip(np.searchsorted(ranks, at, side="right") - 1, 0, NODES - 2)
    share = (at - ranks[j]) / (ranks[j + 1] - ranks[j])
    matrix = np.zeros((count, NODES))
    matrix[at, j] = 1 - share
    matrix[at, j + 1] = share
    return matrix


class Draft(eqx.Module):
    """A surface in canonical units and what it does.

    Attributes:
        gap: (n,), depth below the highest over H₀, increasing.
        log_radius: (n,), ln R/R₀.
        friction: (48,), over the largest wanted.
        errors: (48,), 2 (F − T)/(F + T).
        reach: the deepest indentation over H₀.
    """

    gap: Float[Array, " n"]
    log_radius: Float[Array, " n"]
    friction: Float[Array, " 48"]
    errors: Float[Array, " 48"]
    reach: Float[Array, ""]

    @property
    def error(self) -> Float[Array, "*batch"]:
        """sMAPE over 128 evenly spaced loads, estimated from 48, percent."""
        return 100 * jnp.abs(self.errors) @ jnp.asarray(WEIGHTS).astype(self.errors.dtype)


def law_features(target: Canonical) -> Float[Array, " 48"]:
    """The shape, of order one."""
    at = jnp.log(jnp.asarray(FRACTIONS)).astype(target.shape.dtype)
    return 5 * (target.shape - 0.8 * at)


def facts(target: Canonical) -> Float[Array, " 69"]:
    """Number of asperities, limits and wishes, of order one."""
    n = target.radii.shape[0]
    ranks = np.minimum(node_ranks(), n - 1)
    given = jnp.where(target.wanted, target.radii[ranks] + 1, 0.0)
    return jnp.concatenate(
        [
            jnp.stack(
                [
                    jnp.log(target.count.astype(target.shape.dtype)) - 4,
                    target.low + 2,
                    target.high - 0.5,
                    jnp.minimum(target.shallow, 20.0),
                    target.wanted.astype(target.shape.dtype),
                ]
            ),
            jnp.clip(given, -4.0, 4.0),
        ]
    )


def decode(head: Float[Array, "128"], target: Canonical) -> tuple[Array, Array]:
    """Gaps that increase with the rank and logs of radii inside their limits, of any head."""
    n = target.radii.shape[0]
    matrix = jnp.asarray(interpolation(n)).astype(head.dtype)
    steps, radii = head[:NODES], head[NODES:]
    widths = np.diff(node_ranks(), prepend=0) ** 0.7
    increments = INCREMENT * jnp.asarray(widths).astype(head.dtype) * jax.nn.softplus(3 * steps)
    gap = matrix @ jnp.cumsum(increments)
    limited = target.shallow > 0
    gap = jnp.where(limited, jnp.minimum(gap, 1 / jnp.where(limited, target.shallow, 1.0)), gap)
    width = target.high - target.low
    share = jnp.clip((np.log(TYPICAL_RADIUS) - target.low) / width, 0.1, 0.9)
    own = target.low + width * jax.nn.sigmoid(matrix @ radii + jnp.log(share / (1 - share)))
    return gap, jnp.where(target.wanted, target.radii, own)


@jax.jit  # traced: in these units an indentation over a radius means nothing to warn of
def simulate(head: Float[Array, "128"], target: Canonical) -> Draft:
    """What the surface of a head does."""
    gap, log_radius = decode(head, target)
    n = gap.shape[0]
    surface = contact.Asperities(-gap, jnp.exp(log_radius), jnp.arange(n) < target.count)
    loads = jnp.asarray(FRACTIONS).astype(gap.dtype)
    curve = contact.friction_law(surface, UNIT, loads)
    errors = 2 * (curve.friction - target.area) / (curve.friction + target.area)
    return Draft(gap, log_radius, curve.friction, errors, curve.indentation[-1])


@jax.jit
def generate(network: Any, target: Canonical, z: Float[Array, " latent"]) -> Draft:
    """One pass: the draft, and each correction after the law of the state before was simulated.

    The network is a `networks.SurfaceGenerator`, or the plain arrays of one.
    """
    law, request = law_features(target), facts(target)
    head = network.draft(law, request, z)
    for k in range(len(network.later)):
        errors = simulate(head, target).errors
        head = network.correct(k, head, errors, law, request, z)
    return simulate(head, target)


def surface(draft: Draft, target: Canonical) -> contact.Asperities:
    """All asperities in metres; the highest first, at height 0."""
    return contact.Asperities(
        -target.unit_height * draft.gap, target.unit_radius * jnp.exp(draft.log_radius)
    )


def new_network(
    seed: int, latent: int = 8, width: int = 256, blocks: int = 5
) -> "SurfaceGenerator":
    """An untrained network of the study's shape."""
    from flax import nnx

    from jaxfric.networks import SurfaceGenerator

    return SurfaceGenerator(
        len(FRACTIONS), FACTS, latent, width, blocks, 1, 2 * NODES, rngs=nnx.Rngs(seed)
    )

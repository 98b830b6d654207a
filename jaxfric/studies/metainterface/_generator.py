"""From a wanted law and a draw of z to a surface, valid by construction."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.studies.metainterface._canonical import FRACTIONS, WEIGHTS, Canonical
from jaxfric.studies.metainterface._network import GeneratorNetwork

if TYPE_CHECKING:
    from jaxfric.networks import SurfaceGenerator

# E* = 1 and σ π = 1: the largest load and the friction at it are then 1 in canonical units
UNIT = contact.Material(1.0, 1 / np.pi)
# Ranks with a node of their own, and all nodes. The highest asperities touch first and alone, and
# each decides a part of the law; of the many below only the distribution counts
SINGLE, NODES = 24, 64
LARGEST = 1024  # asperities
FACTS = 5 + NODES  # length of `facts`
# Where radii begin in a training, over R₀. N equal contacts at load 1 and area 1 have the radius
# (4/3)/√N: this is that of some fifteen
TYPICAL_RADIUS = 0.35
# Scale of the steps between neighbours in height, over H₀
INCREMENT = 0.02


def node_ranks() -> np.ndarray:
    """Ranks (0 is the highest asperity) at which the generator says height and radius."""
    # A surface of any number of asperities is made of one number of outputs: behind the single
    # ranks the nodes thin out geometrically, up to the last of the largest surface
    rest = np.geomspace(SINGLE, LARGEST - 1, NODES - SINGLE)
    return np.concatenate([np.arange(SINGLE), np.round(rest)]).astype(int)


def interpolation(count: int) -> np.ndarray:
    """(count, 64): from values at the nodes to values at ranks 0 … count − 1."""
    ranks, at = node_ranks(), np.arange(count)
    # The node to the left of each rank; the last rank has none to its right, so it takes the last
    # interval at its right end
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
    """The shape of the law as numbers of order one, which networks learn from best."""
    at = jnp.log(jnp.asarray(FRACTIONS)).astype(target.shape.dtype)
    # Laws of random surfaces are near P^0.8; what differs is seen, and five times larger, so that
    # 1 % of the law is 0.05 of a feature
    return 5 * (target.shape - 0.8 * at)


def facts(target: Canonical) -> Float[Array, " 69"]:
    """Number of asperities, limits and wishes, as numbers of order one."""
    n = target.radii.shape[0]
    ranks = np.minimum(node_ranks(), n - 1)
    # ln of the typical radius is about −1: the network sees by how much given radii differ from it.
    # Where none are given it sees 0; the number that says whether they are stands before them
    given = jnp.where(target.wanted, target.radii[ranks] + 1, 0.0)
    return jnp.concatenate(
        [
            jnp.stack(
                [
                    # Shifted by about the middle of its range in training
                    jnp.log(target.count.astype(target.shape.dtype)) - 4,
                    target.low + 2,
                    target.high - 0.5,
                    # A limit far below H₀ asks for a flat surface, however far below it is
                    jnp.minimum(target.shallow, 20.0),
                    target.wanted.astype(target.shape.dtype),
                ]
            ),
            jnp.clip(given, -4.0, 4.0),
        ]
    )


def decode(
    head: Float[Array, "128"], target: Canonical
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Gaps that increase with the rank and logs of radii inside their limits, of any head.

    Nothing has to be clamped afterwards: whatever the numbers are, they decode to a valid surface.
    """
    n = target.radii.shape[0]
    matrix = jnp.asarray(interpolation(n)).astype(head.dtype)
    steps, radii = head[:NODES], head[NODES:]
    # A sum of positive steps increases: the asperities come out sorted, and no two orders of them
    # are the same surface. A node that stands for more ranks takes a longer step
    widths = np.diff(node_ranks(), prepend=0) ** 0.7
    increments = INCREMENT * jnp.asarray(widths).astype(head.dtype) * jax.nn.softplus(3 * steps)
    gap = matrix @ jnp.cumsum(increments)
    limited = target.shallow > 0
    # The inner `where` keeps 1/0 out of the gradient of requests without a limit
    gap = jnp.where(limited, jnp.minimum(gap, 1 / jnp.where(limited, target.shallow, 1.0)), gap)
    # Radii are a sigmoid between the limits, in logarithms; a head of zeros means the typical
    # radius or, where the limits exclude it, a tenth of the way from the nearer of them
    width = target.high - target.low
    share = jnp.clip((np.log(TYPICAL_RADIUS) - target.low) / width, 0.1, 0.9)
    free = target.low + width * jax.nn.sigmoid(matrix @ radii + jnp.log(share / (1 - share)))
    return gap, jnp.where(target.wanted, target.radii, free)


@jax.jit  # traced: in these units an indentation over a radius means nothing to warn of
def simulate(head: Float[Array, "128"], target: Canonical) -> Draft:
    """What the surface of a head does."""
    gap, log_radius = decode(head, target)
    n = gap.shape[0]
    # A batch of requests has one length; asperities beyond a request's number are masked
    surface = contact.Asperities(-gap, jnp.exp(log_radius), jnp.arange(n) < target.count)
    loads = jnp.asarray(FRACTIONS).astype(gap.dtype)
    curve = contact.friction_law(surface, UNIT, loads)
    # The terms of sMAPE, with their signs: a correction has to know which way a law is wrong
    errors = 2 * (curve.friction - target.area) / (curve.friction + target.area)
    return Draft(gap, log_radius, curve.friction, errors, curve.indentation[-1])


@jax.jit
def generate(network: GeneratorNetwork, target: Canonical, z: Float[Array, " latent"]) -> Draft:
    """One pass: the draft, and each correction after the law of the state before was simulated.

    Arguments:
        network: a `networks.SurfaceGenerator`, or the plain arrays of one.
        target: the request.
        z: which of the many surfaces of a law.

    Returns:
        `Draft` after the last correction.
    """
    law, request = law_features(target), facts(target)
    head = network.draft(law, request, z)
    # The physics stands between the networks, inside the pass: with the same number of weights, the
    # look at its own draft halved the error (docs/studies/friction-on-demand.md)
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
        law=len(FRACTIONS), facts=FACTS, latent=latent, width=width, blocks=blocks, corrections=1,
        outputs=2 * NODES, rngs=nnx.Rngs(seed),
    )  # fmt: skip

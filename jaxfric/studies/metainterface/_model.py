"""The trained generator: one surface in one pass, its file, and the laws it knows."""

import io
import json
import math
import os
from importlib.resources import files
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks, contact
from jaxfric._types import Number, Vector
from jaxfric.studies.metainterface._canonical import SEEN, Canonical, canonical
from jaxfric.studies.metainterface._generator import facts, generate, law_features, surface
from jaxfric.studies.metainterface._network import TrainedNetwork, from_names, plain
from jaxfric.studies.metainterface._requests import FEWEST, MOST

if TYPE_CHECKING:
    from jaxfric.networks import SurfaceGenerator

STUDY = "metainterface generator"  # what a file says that it holds
# Of the facts, those that every request has: number of asperities and limits of the radii. The rest
# are wishes, which few requests have: most are 0 nearly always, and a Mahalanobis distance that saw
# them would call every wish strange
STRICT = 3


class Generator(eqx.Module):
    """A trained network, and where its training requests lay.

    Attributes:
        network: a `networks.SurfaceGenerator`, or its plain arrays.
        mean: (51,), of the features of training requests.
        whitening: (51, 51); features minus mean times it have unit variance.
        limit: distance that one training request in a thousand exceeds.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxfric import contact
        >>> make = trained()
        >>> material, loads = contact.Material(1.4e6, 4e5), jnp.linspace(0.001, 0.05, 50)
        >>> surface = make(material, loads, 4 * loads, jnp.zeros(8), asperities=32)
        >>> surface.size
        32
    """

    network: "SurfaceGenerator | TrainedNetwork"
    mean: Float[Array, " features"]
    whitening: Float[Array, "features features"]
    limit: Float[Array, ""]

    @property
    def latent(self) -> int:
        """Size of z."""
        return int(self.network.latent)

    def request(
        self,
        material: contact.Material,
        loads: Vector,
        target: Vector,
        *,
        asperities: int = 64,
        radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
        max_height: float | None = None,
        radii: Vector | None = None,
    ) -> Canonical:
        """The target without units; see `__call__`.

        Raises:
            ValueError: asperities outside 8 … 1,024, radii of another length, or (concrete) loads
                that do not increase, limits or a shear strength that are not positive.
        """
        loads, target = check_request(
            material, loads, target, asperities=asperities, radius_bounds=radius_bounds,
            max_height=max_height, radii=radii,
        )  # fmt: skip
        return canonical(
            material, loads, target, asperities=asperities, radius_bounds=radius_bounds,
            max_height=max_height, radii=radii,
        )  # fmt: skip

    def __call__(
        self,
        material: contact.Material,
        loads: Vector,
        target: Vector,
        z: Vector,
        *,
        asperities: int = 64,
        radius_bounds: tuple[float, float] = contact.RADIUS_BOUNDS,
        max_height: float | None = None,
        radii: Vector | None = None,
    ) -> contact.Asperities:
        """One surface, in one pass.

        Arguments:
            material: modulus and friction.
            loads: (m,), N, increasing.
            target: (m,), the wanted friction, N.
            z: (latent,); zeros for the most accurate design, draws of N(0, 1) for others.
            asperities: 8 to 1,024, static.
            radius_bounds: m.
            max_height: greatest difference of heights, m.
            radii: (asperities,), m, given ones, from the highest asperity down.

        Returns:
            `Asperities`, the highest first, at height 0; inside the bounds, whatever z is.
        """
        wanted = self.request(
            material, loads, target, asperities=asperities, radius_bounds=radius_bounds,
            max_height=max_height, radii=radii,
        )  # fmt: skip
        z = jnp.asarray(z)
        if z.shape != (self.latent,):
            raise ValueError(
                f"z must have shape ({self.latent},); got {z.shape}. For a batch, use jax.vmap"
            )
        return surface(generate(self.network, wanted, z.astype(wanted.shape.dtype)), wanted)

    def distance(self, wanted: Canonical) -> Float[Array, ""]:
        """How far a request is from those of the training (Mahalanobis): 1 at the limit.

        √(mean of the squares of the whitened features), over that which one training request in a
        thousand exceeds.
        """
        # Features go together (a steep law is steep at all its loads): whitening measures each
        # direction by how much training requests differ along it, so that a law which is odd only
        # in the relation of its numbers, such as one with a step, is far away
        x = (features(wanted) - self.mean.astype(wanted.shape.dtype)) @ self.whitening.astype(
            wanted.shape.dtype
        )
        return jnp.sqrt(jnp.mean(x**2)) / self.limit.astype(x.dtype)


def check_request(
    material: contact.Material, loads: Vector, target: Vector, *, asperities: int,
    radius_bounds: tuple[Number, Number], max_height: Number | None, radii: Vector | None,
) -> tuple[Float[Array, " m"], Float[Array, " m"]]:  # fmt: skip
    """Loads and target as arrays, or a sentence that says what is wrong with a request."""
    if not FEWEST <= asperities <= MOST:
        raise ValueError(
            f"the generator makes {FEWEST} to {MOST:,} asperities; got {asperities}. "
            "contact.design with a bank takes any number"
        )
    if radii is not None and np.shape(radii) != (asperities,):
        raise ValueError(
            f"radii must have shape ({asperities},), the highest asperity's first; got "
            f"{np.shape(radii)}"
        )
    loads, target = contact.check_target(loads, target)
    # Values can be looked at only outside of jit and vmap: a traced request is not checked further
    if _checks.is_concrete(loads) and (np.diff(np.asarray(loads)) <= 0).any():
        raise ValueError("loads must increase; sort the target by load")
    _checks.positive("shear_strength", material.shear_strength)
    if max_height is not None:
        _checks.positive("max_height", max_height)
    low, high = radius_bounds
    if _checks.is_concrete(radius_bounds) and not 0 < low < high < math.inf:
        raise ValueError(
            f"radius_bounds must be (low, high) with 0 < low < high; got {radius_bounds}"
        )
    if radii is not None and _checks.is_concrete(radii):
        bad = ~(np.isfinite(np.asarray(radii)) & (np.asarray(radii) > 0))
        if bad.any():
            raise ValueError(
                f"radii must be positive and finite; entry {np.flatnonzero(bad)[0]} is not"
            )
    return loads, target


def features(wanted: Canonical) -> Float[Array, "51"]:
    """The numbers of a request that tell a familiar one from a strange one."""
    return jnp.concatenate([law_features(wanted), facts(wanted)[:STRICT]])


def trained() -> Generator:
    """The generator that ships with the package.

    Trained for any law that 8 to 1,024 spheres can make, in any material.

    Returns:
        `Generator`.

    Example:
        >>> trained().latent
        8
    """
    content = files("jaxfric.studies.metainterface").joinpath("generator.npz").read_bytes()
    return _load(content, "generator.npz")[0]


def save_generator(path: str | os.PathLike[str], made: Generator, **facts: object) -> None:
    """Write a generator, in half precision, to one file.

    Arguments:
        path: where to, `.npz`.
        made: the generator.
        facts: about its training; anything JSON can hold.
    """
    from jaxfric import training

    network = plain(made.network)
    # The file is a part of the package, and 1.5 million weights take 3 MB of it so, where float32
    # takes 6: rounded to 11 bits a weight changes by up to 0.05 %. Statistics of the requests are
    # few numbers, and keep their precision
    small = jax.tree_util.tree_map(lambda x: x.astype(jnp.float16), network)
    width, blocks = network.first.entry.shape[1], len(network.first.expand)
    training.save_arrays(
        path, (small, made.mean, made.whitening, made.limit), study=STUDY,
        latent=network.latent, width=width, blocks=blocks, **facts,
    )  # fmt: skip


def load_generator(path: str | os.PathLike[str]) -> tuple[Generator, dict[str, object]]:
    """Read what `save_generator` wrote.

    Returns:
        (generator, facts about its training).

    Raises:
        ValueError: a file of something else, or of another shape.
    """
    with open(path, "rb") as file:
        return _load(file.read(), str(path))


def _load(content: bytes, name: str) -> tuple[Generator, dict[str, object]]:
    # Not `training.load_arrays`: its template would be a network of flax, and a design does without
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        stored = json.loads(str(file["__facts__"])) if "__facts__" in file.files else {}
        if stored.get("study") != STUDY:
            raise ValueError(
                f"{name} holds no trained generator of surfaces; write one with save_generator"
            )
        names = [x for x in file.files if x != "__facts__"]
        # Stored in half precision, computed with in the default one
        dtype = jax.dtypes.canonicalize_dtype(float)
        # Parameters of flax are named `….value`; the same file may hold either kind of network
        arrays = {x.removesuffix(".value"): jax.device_put(file[x].astype(dtype)) for x in names}
    # Names are places in the tuple that was saved: the network, mean, whitening and limit
    weights = {x.removeprefix("[0]."): v for x, v in arrays.items()}
    m = SEEN + STRICT
    try:
        network = from_names(weights, stored["latent"])
        mean, whitening, limit = [arrays[f"[{k}]"] for k in (1, 2, 3)]
    except KeyError as error:
        raise ValueError(f"{name} is no whole generator: it lacks {error}") from None
    if (mean.shape, whitening.shape, limit.shape) != ((m,), (m, m), ()):
        raise ValueError(f"{name} holds a generator for other requests than this version makes")
    return Generator(network, mean, whitening, limit), stored

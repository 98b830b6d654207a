"""The laws that every method of the study is asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import contact
from jaxfric.studies.metainterface._designs import rms_distance
from jaxfric.studies.metainterface._paper import BOUNDS, MATERIAL, TOP, study_loads

# of F/P at the top load; random surfaces lie between
LINEAR, LEVEL = (3.0, 5.0), 0.2


class Group(eqx.Module):
    """Targets of one kind, at `study_loads()` and for `MATERIAL`.

    Attributes:
        name: of the kind.
        asperities: wanted of a design.
        friction: (targets, 128), N.
        theta: (targets, 23), of the mixtures behind random laws; else NaN.
        keys: of the surfaces behind random laws.
        scale: RMS difference of heights where they touch between random surfaces of this size, m.
    """

    name: str = eqx.field(static=True)
    asperities: int = eqx.field(static=True)
    friction: Float[Array, "targets 128"]
    theta: Float[Array, "targets 23"]
    keys: Array
    scale: Float[Array, ""]

    @property
    def size(self) -> int:
        """Number of targets."""
        return self.friction.shape[0]

    @property
    def known(self) -> bool:
        """Whether the mixtures behind the laws are known."""
        return not bool(jnp.isnan(self.theta[0, 0]))

    def first(self, count: int) -> "Group":
        """The first targets."""
        return Group(
            self.name, self.asperities, self.friction[:count], self.theta[:count],
            self.keys[:count], self.scale,
        )  # fmt: skip


def random_group(count: int, asperities: int, seed: int = 98) -> Group:
    """Laws of random surfaces, each from its own mixture of a Sobol' set."""
    mixtures = contact.sample_mixtures(count, key=jax.random.key(seed + 1), bounds=BOUNDS)
    mixtures = jax.vmap(contact.SurfaceMixture.canonical)(mixtures)
    keys = jax.random.split(jax.random.key(seed), count)
    friction, profiles = _laws(mixtures, keys, asperities)
    theta = jax.vmap(contact.SurfaceMixture.to_vector)(mixtures)
    return Group(f"random, {asperities}", asperities, friction, theta, keys, rms_distance(profiles))


@eqx.filter_jit
def _laws(mixtures, keys, n):  # type: ignore[no-untyped-def]
    def one(x):  # type: ignore[no-untyped-def]
        mixture, key = x
        drawn = mixture.sample(n, key=key, radii=BOUNDS.radius)
        curve = contact.friction_law(drawn, MATERIAL, study_loads())
        gap = jnp.sort(drawn.top - drawn.height)
        return curve.friction, jnp.minimum(gap, curve.indentation[-1])

    return jax.lax.map(one, (mixtures, keys), batch_size=32)


def families(count: int, like: Group) -> list[Group]:
    """Linear, power and bilinear laws, for as many asperities as `like` has."""
    P = study_loads()
    even = np.linspace
    laws = {
        "linear": [contact.linear_law(P, m) for m in even(*LINEAR, count)],
        "power 2/3 to 1": [contact.power_law(P, m, LEVEL, TOP) for m in even(2 / 3, 1.0, count)],
        "power 1 to 1.35": [contact.power_law(P, m, LEVEL, TOP) for m in even(1.0, 1.35, count)],
        "second slope 1.05 to 1.5 times": [
            contact.bilinear_law(P, 3.0, 3.0 * r, TOP / 2) for r in even(1.05, 1.5, count)
        ],
        "second slope 0.5 to 0.95 times": [
            contact.bilinear_law(P, 4.0, 4.0 * r, TOP / 2) for r in even(0.5, 0.95, count)
        ],
    }
    nothing = jnp.full((count, contact.SurfaceMixture.SIZE), jnp.nan)
    keys = jax.random.split(jax.random.key(0), count)
    return [
        Group(name, like.asperities, jnp.stack(each).astype(P.dtype), nothing, keys, like.scale)
        for name, each in laws.items()
    ]

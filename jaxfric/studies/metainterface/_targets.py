"""The laws that every method of the study is asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import contact
from jaxfric.studies.metainterface._diversity import rms_distance
from jaxfric.studies.metainterface._paper import BOUNDS, MATERIAL, TOP, study_loads

# Coefficients F/P of the linear laws; those of random surfaces at the top load lie between
LINEAR = (3.0, 5.0)
LEVEL = 0.2  # friction of the power laws at the top load, N: a coefficient of 4, in the middle


class Group(eqx.Module):
    """Targets of one kind, at `study_loads()` and for `MATERIAL`.

    Attributes:
        name: what the kind is called in a table.
        asperities: how many a design should have.
        friction: (targets, 128), N.
        theta: (targets, 23), of the mixtures behind random laws; else NaN.
        keys: (targets,), what the surfaces behind random laws were drawn with.
        scale: RMS difference of heights where they touch between random surfaces of this size, m.
    """

    name: str = eqx.field(static=True)
    asperities: int = eqx.field(static=True)
    friction: Float[Array, "targets 128"]
    theta: Float[Array, "targets 23"]
    keys: Key[Array, " targets"]
    scale: Float[Array, ""]

    @property
    def size(self) -> int:
        """Number of targets."""
        return self.friction.shape[0]

    @property
    def known(self) -> bool:
        """Whether the mixtures behind the laws are known."""
        # All are or none is: groups of families and of random laws are made apart
        return not bool(jnp.isnan(self.theta[0, 0]))

    def first(self, count: int) -> "Group":
        """The group of the first `count` targets."""
        return Group(
            self.name, self.asperities, self.friction[:count], self.theta[:count],
            self.keys[:count], self.scale,
        )  # fmt: skip


def random_group(count: int, asperities: int, seed: int = 98) -> Group:
    """Laws of random surfaces, each from its own mixture of a Sobol' set.

    The training of the generator draws from the same bounds with other keys: laws like those that
    it learned from, but none of them.
    """
    # A Sobol' set covers the bounds more evenly than random points do, so that the mean over a few
    # hundred targets depends less on their seed
    mixtures = contact.sample_mixtures(count, key=jax.random.key(seed + 1), bounds=BOUNDS)
    # Components in one of their 24 orders, as the networks of the paper learn them
    mixtures = jax.vmap(contact.SurfaceMixture.canonical)(mixtures)
    keys = jax.random.split(jax.random.key(seed), count)
    friction, profiles = _laws(mixtures, keys, asperities)
    theta = jax.vmap(contact.SurfaceMixture.to_vector)(mixtures)
    return Group(f"random, {asperities}", asperities, friction, theta, keys, rms_distance(profiles))


@eqx.filter_jit
def _laws(
    mixtures: contact.SurfaceMixture, keys: Key[Array, " targets"], n: int
) -> tuple[Float[Array, "targets loads"], Float[Array, "targets n"]]:
    """Laws, and depths of the touching asperities, of a surface drawn from each mixture."""

    def law(
        member: tuple[contact.SurfaceMixture, Key[Array, ""]],
    ) -> tuple[Float[Array, " loads"], Float[Array, " n"]]:
        mixture, key = member
        drawn = mixture.sample(n, key=key, radii=BOUNDS.radius)
        curve = contact.friction_law(drawn, MATERIAL, study_loads())
        gap = jnp.sort(drawn.top - drawn.height)
        return curve.friction, jnp.minimum(gap, curve.indentation[-1])

    # A few at a time: (targets, n, loads) for all at once would leave the processor's cache
    return jax.lax.map(law, (mixtures, keys), batch_size=32)


def families(count: int, like: Group) -> list[Group]:
    """Linear, power and bilinear laws, for as many asperities as `like` has.

    The kinds that the published experiments milled. No surface stands behind them: the steepest
    powers and the falling slopes are what no sum of Hertz contacts makes.
    """
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
    # No mixture and no surface stands behind these laws; a group has the fields anyway, so that all
    # groups of one number of asperities can be joined into one
    unknown = jnp.full((count, contact.SurfaceMixture.SIZE), jnp.nan)
    keys = jax.random.split(jax.random.key(0), count)
    return [
        Group(name, like.asperities, jnp.stack(stack).astype(P.dtype), unknown, keys, like.scale)
        for name, stack in laws.items()
    ]

"""The paper's random sequences, made on the device from a key."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import ratestate
from jaxfric.ratestate import VelocityProtocol

# Steady friction at V = 1, which turns Δμ into μ: recovered from the paper's figures, as the
# constants of the law are; the text prints none of them.
MU = 0.415
# Standard deviation in the paper. It does not say whether of friction or of friction over its
# range; its figures fit friction.
NOISE = 0.005


class Sequences(eqx.Module):
    """Sequences of samples; dimensionless, duration and total slip are 1.

    Arguments:
        velocity: (n, m), at the samples.
        slip: (n, m), since the sample before.
        change: (n, m), true Δμ since the first sample.
        target: (n, m), the same with noise.
    """

    velocity: Float[Array, "*n m"]
    slip: Float[Array, "*n m"]
    change: Float[Array, "*n m"]
    target: Float[Array, "*n m"]

    @property
    def dt(self) -> float:
        """Time between samples, of a duration of 1."""
        return 1 / self.velocity.shape[-1]


def sequences(
    n: int,
    *,
    key: Key[Array, ""],
    evolution: ratestate.AbstractEvolution = ratestate.Aging(),  # noqa: B008
    grid: bool = False,
    noise: float = 0.0,
    samples: int = 100,
) -> Sequences:
    """Draw n sequences of a random slide-hold-slide protocol and its friction.

    Arguments:
        n: number of sequences.
        key: typed key.
        evolution: of the law that makes the data.
        grid: jumps fall on samples (every hundredth of the duration) instead of anywhere.
        noise: standard deviation added to the targets.
        samples: per sequence, at k/samples; with `grid`, hundredths or halves or multiples of it.

    Returns:
        `Sequences`.

    Raises:
        ValueError: if the samples cannot carry the grid.

    Example:
        >>> import jax
        >>> data = sequences(4, key=jax.random.key(0))
        >>> print(data.velocity.shape)
        (4, 100)

    Source: section II of the paper; constants recovered from its figures.
    """
    if n < 1 or samples < 2:
        raise ValueError(f"n and samples must be at least 1 and 2; got {n} and {samples}")
    law = ratestate.slide_hold_learn_law(evolution)
    # On a grid jumps fall on hundredths of the duration, or on every sample where there are fewer
    return _draw(law, jax.random.split(key, n), jnp.asarray(noise), min(samples, 100) * grid,
                 samples)  # fmt: skip


@eqx.filter_jit
def _draw(
    law: ratestate.RateStateLaw, keys: Key[Array, " n"], noise: Array, grid: int, samples: int
) -> Sequences:
    # A table made by NumPy: these must be the very numbers k/samples on which jumps of the grid
    # fall, as a sample whose last digit is rounded otherwise would lie before its jump
    t = jnp.asarray(np.arange(samples) / samples)

    def one(key: Key[Array, ""]) -> Sequences:
        draw, spoil = jax.random.split(key)
        protocol = ratestate.sample_protocol(key=draw, grid=grid or None)
        friction = ratestate.slide(law, protocol, t).friction
        change = friction - friction[0]
        # What a laboratory logs: it tells where between two samples the velocity jumped
        travelled = protocol.displacement(t)
        added = noise * jax.random.normal(spoil, change.shape, change.dtype)
        return Sequences(
            protocol(t), jnp.diff(travelled, prepend=travelled[:1]), change,
            # The first sample defines zero, so it carries the noise of two
            change + added.astype(change.dtype),
        )  # fmt: skip

    return jax.vmap(one)(keys)


@eqx.filter_jit
def best_estimate(
    data: Sequences,
    *,
    key: Key[Array, ""],
    evolution: ratestate.AbstractEvolution = ratestate.Aging(),  # noqa: B008
    draws: int = 64,
) -> Float[Array, "n m"]:
    """What can be known of Δμ from the sampled velocities alone, given the true law.

    The samples do not tell where between them a jump fell. Jumps are put at `draws` uniform
    positions in their intervals; the pointwise median has the smallest mean absolute error.

    Arguments:
        data: sequences with free jumps.
        key: typed key.
        evolution: the true one.
        draws: of jump positions, for each sequence.

    Returns:
        (n, m).

    Source: ours.
    """
    law = ratestate.slide_hold_learn_law(evolution)
    samples = data.velocity.shape[-1]
    t = jnp.asarray(np.arange(samples) / samples)

    def one(velocity: Float[Array, " m"], key: Key[Array, ""]) -> Float[Array, " m"]:
        jumped = jnp.concatenate([jnp.zeros(1, bool), velocity[1:] != velocity[:-1]])

        def once(key: Key[Array, ""]) -> Float[Array, " m"]:
            # How long before a sample its jump fell; neither on it nor on the one before, as the
            # times of a protocol must increase
            early = jax.random.uniform(key, t.shape, t.dtype, 1e-3, 1 - 1e-3) / samples
            # One segment for each sample; those without a jump continue the one before
            protocol = VelocityProtocol(jnp.where(jumped, t - early, t), velocity)
            friction = ratestate.slide(law, protocol, t).friction
            return friction - friction[0]

        return jnp.median(jax.lax.map(once, jax.random.split(key, draws)), axis=0)

    keys = jax.random.split(key, data.velocity.shape[0])
    # In batches: draws of thousands of sequences at once would fill the memory
    return jax.lax.map(lambda pair: one(*pair), (data.velocity, keys), batch_size=100)

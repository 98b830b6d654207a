"""Networks that are lines of a study's table: LSTM, transformer, GAN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxfric.studies.metainterface._gan import GAN
from jaxfric.studies.slide_hold_learn._architectures import FrictionLSTM, FrictionTransformer

DT = 0.01


def test_lstm_is_its_equations():
    network = FrictionLSTM(4, rngs=nnx.Rngs(1), output_scale=1.0)
    W, U, b = (
        np.asarray(x[...], float)
        for x in (network.input_weights, network.hidden_weights, network.bias)
    )
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    h, c, expected = np.zeros(4), np.zeros(4), []
    velocity = np.array([1.0, 2.0, 1e-8, 0.5])
    for V in velocity:
        i, f, o, g = np.split(np.array([V, np.log(max(V, 1e-4)) / 3]) @ W + h @ U + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        expected.append(h @ np.asarray(network.read_out[...]) + float(network.read_out_bias[...]))
    np.testing.assert_allclose(network(velocity, DT), expected, atol=1e-6)


def test_transformer_sees_the_past_only():
    network = FrictionTransformer(8, heads=2, rngs=nnx.Rngs(0))
    V = jnp.asarray(np.random.default_rng(0).uniform(0.1, 3, 20))
    call = jax.jit(lambda V: network(V, DT))
    base, later = call(V), call(V.at[12].set(9.0))
    np.testing.assert_array_equal(base[:12], later[:12])
    assert np.all(np.abs(base[12:] - later[12:]) > 1e-7)
    slopes = jax.jit(jax.grad(lambda n: jnp.sum(n(V, DT) ** 2)))(network)
    assert all(np.all(np.isfinite(x)) for x in jax.tree_util.tree_leaves(slopes))
    with pytest.raises(ValueError, match="heads divide width"):
        FrictionTransformer(8, heads=3, rngs=nnx.Rngs(0))


def test_each_player_of_a_gan_moves_for_itself():
    """The discriminator's gradient is that of its own loss, and so is the generator's."""
    gan = GAN(4, 5, 3, (8,), rngs=nnx.Rngs(0))
    theta, law, z = jnp.ones(4) / 2, jnp.ones(5), jnp.ones(3)
    both = jax.grad(lambda g: g.loss(theta, law, z))(gan)

    def discriminates(g):
        forged = jax.lax.stop_gradient(g.generate(z, law))
        return jax.nn.softplus(-g.logit(theta, law)) + jax.nn.softplus(g.logit(forged, law))

    def fools(g):
        return jax.nn.softplus(-g.logit(g.generate(z, law), law))

    one, other = jax.grad(discriminates)(gan), jax.grad(fools)(gan)
    for found, expected in (
        (both.discriminator, one.discriminator), (both.generator, other.generator),
    ):  # fmt: skip
        for a, b in zip(*map(jax.tree_util.tree_leaves, (found, expected)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)

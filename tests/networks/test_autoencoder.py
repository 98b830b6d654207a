"""Dense networks, VAE and CVAE: shapes, losses in closed form, what gradients move."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, strategies as st

from jaxfric import networks

SMALL = {"encoder": (16,), "decoder": (16,)}


def cvae(condition=5, latent=3):
    return networks.CVAE(4, condition, latent, **SMALL, rngs=nnx.Rngs(0))


def test_layers_are_those_of_the_paper():
    network = networks.CVAE(rngs=nnx.Rngs(0))
    assert [w.shape for w in network.encoder.weights] == [
        (152, 1915), (1915, 1723), (1723, 767), (767, 112),
    ]  # fmt: skip
    assert [w.shape for w in network.decoder.weights] == [
        (185, 347), (347, 308), (308, 328), (328, 23),
    ]  # fmt: skip


def test_an_mlp_is_its_layers():
    network = networks.MLP((2, 3, 1), rngs=nnx.Rngs(1), activation=jnp.tanh)
    x = jnp.array([0.3, -1.2])
    W, V = (w[...] for w in network.weights)
    np.testing.assert_allclose(network(x), jnp.tanh(x @ W) @ V, rtol=1e-6)


def test_a_residual_network_begins_near_zero_and_learns():
    network = networks.ResidualMLP(3, 32, 2, 4, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (64, 3))
    y = jax.vmap(network)(x)
    assert jnp.std(y) < 0.5
    slope = jax.grad(lambda n: jnp.mean((jax.vmap(n)(x) - 1.0) ** 2))(network)
    assert all(bool(jnp.any(g != 0)) for g in jax.tree_util.tree_leaves(slope))


def test_decoded_parameters_are_bounded_and_noise_is_the_encoder_s():
    network = cvae()
    theta, law = jnp.ones(4) / 2, jnp.ones(5)
    mean, log_variance = network.encode(theta, law)
    decoded, m, v = network(theta, law, key=jax.random.key(0))
    np.testing.assert_array_equal(m, mean)
    np.testing.assert_array_equal(v, log_variance)
    assert (jnp.abs(decoded) < 1).all()
    noise = jax.random.normal(jax.random.key(0), (3,), mean.dtype)
    expected = network.decode(mean + jnp.exp(log_variance / 2) * noise, law)
    np.testing.assert_allclose(decoded, expected, rtol=1e-5)


def test_without_a_condition():
    network = cvae(condition=0)
    mean, _ = network.encode(jnp.zeros(4))
    assert network.decode(mean).shape == (4,)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2), st.floats(-2, 2))
def test_kl_is_the_integral(mean, log_variance):
    """Against E[ln q − ln p] under q by Gauss–Hermite quadrature."""
    x, w = np.polynomial.hermite_e.hermegauss(12)
    sigma = np.exp(log_variance / 2)
    total = 0.0
    for m in mean:
        z = m + sigma * x
        log_ratio = -(x**2) / 2 - np.log(sigma) + z**2 / 2
        total += (w * log_ratio).sum() / w.sum()
    found = networks.kl_divergence(jnp.asarray(mean), jnp.full(2, log_variance))
    np.testing.assert_allclose(found, total, rtol=1e-4, atol=1e-5)


def test_smooth_l1_joins_smoothly():
    value = jax.grad(lambda e: networks.smooth_l1(e[None], jnp.zeros(1), beta=0.5))
    np.testing.assert_allclose(value(jnp.asarray(0.4999)), 1.0, rtol=1e-3)
    np.testing.assert_allclose(value(jnp.asarray(0.5001)), 1.0, rtol=1e-3)
    np.testing.assert_allclose(value(jnp.asarray(-0.25)), -0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.MLP((3,), rngs=nnx.Rngs(0)),
        lambda: networks.MLP((3, 0), rngs=nnx.Rngs(0)),
        lambda: networks.ResidualMLP(3, 0, 1, 1, rngs=nnx.Rngs(0)),
        lambda: networks.CVAE(latent=0, rngs=nnx.Rngs(0)),
        lambda: networks.CVAE(condition=-1, rngs=nnx.Rngs(0)),
    ],
)
def test_sizes_are_checked(make):
    with pytest.raises(ValueError, match="at least 1"):
        make()

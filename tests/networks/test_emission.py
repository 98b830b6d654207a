"""The sequence networks: equations, causality, parts, derivatives, and that they learn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxfric import networks, training


def gru(seed=0, **changes):
    return networks.EmissionGRU(
        **({"inputs": 2, "hidden": 6, "outputs": 3} | changes), rngs=nnx.Rngs(seed)
    )


def tcn(seed=0, **changes):
    return networks.EmissionTCN(
        **({"inputs": 2, "hidden": 6, "outputs": 3, "layers": 3} | changes), rngs=nnx.Rngs(seed)
    )


@jax.jit
def apply(network, x):
    return network(x)


BOTH = pytest.mark.parametrize("make", [gru, tcn])


def draw(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def cast(network, dtype):
    return jax.tree_util.tree_map(lambda x: x.astype(dtype), network)


def shaken(network, seed=5):
    """Every parameter moved: biases and the latent part no longer zero."""
    rng = np.random.default_rng(seed)
    return jax.tree_util.tree_map(
        lambda p: p + jnp.asarray(0.3 * rng.normal(size=p.shape), p.dtype), network
    )


def n(param):
    return np.asarray(param[...], float)


def end(network, h):
    """The latent part and the head, by numpy."""
    latent, head = network.latent, network.head
    h = h + np.tanh(h @ n(latent.down) + n(latent.down_bias)) @ n(latent.up) + n(latent.up_bias)
    return np.tanh(h @ n(head.entry) + n(head.bias)) @ n(head.exit) + n(head.exit_bias)


# The equations -----------------------------------------------------------------------------------


def test_gru_is_its_equations():
    network, x = shaken(gru(layers=2)), np.asarray(draw(9, 2), float)
    part, sigmoid = network.encoder, lambda a: 1 / (1 + np.exp(-a))
    x = np.tanh(x @ n(part.entry) + n(part.entry_bias))
    for layer in range(2):
        W, b, U, c = (
            n(group[layer])
            for group in (part.input_weights, part.biases, part.hidden_weights, part.hidden_biases)
        )
        h, after = np.zeros(6), []
        for each in x:
            i, u = each @ W + b, h @ U
            r, z = sigmoid(i[:6] + u[:6]), sigmoid(i[6:12] + u[6:12])
            h = (1 - z) * np.tanh(i[12:] + r * (u[12:] + c)) + z * h
            after.append(h)
        x = np.array(after)
    np.testing.assert_allclose(network(draw(9, 2)), end(network, x), atol=1e-5)


def test_tcn_is_its_equations():
    network, x = shaken(tcn()), np.asarray(draw(9, 2), float)
    part = network.encoder
    x = x @ n(part.entry) + n(part.entry_bias)
    for layer in range(3):
        W = n(part.taps[layer]).reshape(3, 6, 6)
        before = np.concatenate([np.zeros((20, 6)), x])
        inner = sum(
            before[20 - j * 2**layer : len(before) - j * 2**layer] @ W[j] for j in range(3)
        )  # fmt: skip
        x = x + np.maximum(inner + n(part.biases[layer]), 0) @ n(part.mixes[layer])
    np.testing.assert_allclose(network(draw(9, 2)), end(network, x), atol=1e-5)


@pytest.mark.parametrize(("layers", "kernel", "field"), [(1, 2, 2), (3, 3, 15), (2, 5, 13)])
def test_receptive_field_is_what_is_stated(layers, kernel, field):
    network = shaken(tcn(layers=layers, kernel=kernel))
    assert network.receptive_field == field
    slope = np.zeros(40)
    for seed in range(3):  # relu may hide a path for one input
        x = draw(40, 2, seed=seed)
        slope += np.abs(jax.grad(lambda x: jnp.sum(apply(network, x)[-1]))(x)).max(axis=1)
    assert np.all(slope[: 40 - field] == 0) and slope[40 - field] > 0 and slope[-1] > 0


# The interface they share ------------------------------------------------------------------------


@BOTH
def test_same_interface_and_shapes(make):
    for inputs, outputs, length in [(1, 2, 1), (4, 1, 17)]:
        network = make(inputs=inputs, outputs=outputs)
        assert network(draw(length, inputs)).shape == (length, outputs)


@pytest.mark.parametrize("kind", [networks.EmissionGRU, networks.EmissionTCN])
def test_the_latent_part_is_a_fifth_of_the_parameters(kind):
    for options in ({}, {"inputs": 5, "hidden": 16, "layers": 2}):
        network = kind(**options, rngs=nnx.Rngs(0))
        assert networks.latent_share(network) == pytest.approx(0.2, abs=0.01)
        shares = [training.share(network, part) for part in ("encoder", "latent", "head")]
        assert sum(shares) == pytest.approx(1) and shares[1] == networks.latent_share(network)


@BOTH
def test_later_samples_change_nothing_before_them(make):
    network = shaken(make())
    x = draw(30, 2)
    base = np.asarray(apply(network, x))
    for k in (0, 1, 12, 29):
        later = np.asarray(apply(network, x.at[k:].add(draw(30 - k, 2, seed=1))))
        np.testing.assert_array_equal(base[:k], later[:k])
        assert np.all(np.abs(base[k] - later[k]).max() > 1e-6)


@BOTH
def test_a_new_latent_part_changes_nothing(make):
    network, x = make(), draw(12, 2)
    other = training.mix(network, make(seed=7), training.parts(network, "latent"))
    np.testing.assert_array_equal(apply(network, x), apply(other, x))
    slope = jax.grad(lambda net: jnp.sum(net(x) ** 2))(network)
    assert np.abs(n(slope.latent.up)).max() > 0  # and yet it learns


def test_unroll_changes_nothing():
    x = draw(25, 2)
    np.testing.assert_allclose(gru(unroll=4)(x), gru()(x), atol=1e-6)


# Derivatives and transformations -----------------------------------------------------------------


@pytest.mark.x64
@BOTH
def test_gradient_is_that_of_finite_differences(make):
    network = cast(shaken(make()), jnp.float64)
    x = draw(15, 2).astype(jnp.float64)
    arrays, static = eqx.partition(network, eqx.is_inexact_array)
    loss = jax.jit(lambda p: jnp.mean(jnp.sin(eqx.combine(p, static)(x))))
    slopes = jax.tree_util.tree_leaves(jax.jit(jax.grad(loss))(arrays))
    assert all(np.all(np.isfinite(g)) and np.any(g != 0) for g in slopes)
    rng = np.random.default_rng(0)
    way = jax.tree_util.tree_map(lambda p: jnp.asarray(rng.normal(size=p.shape)), arrays)
    up, down = (
        float(loss(jax.tree_util.tree_map(lambda p, w: p + h * w, arrays, way)))  # noqa: B023
        for h in (1e-6, -1e-6)
    )
    pairs = zip(slopes, jax.tree_util.tree_leaves(way), strict=True)
    along = sum(float(jnp.sum(g * w)) for g, w in pairs)
    assert (up - down) / 2e-6 == pytest.approx(along, rel=1e-5)
    # forward mode too
    assert float(jax.jvp(loss, (arrays,), (way,))[1]) == pytest.approx(along, rel=1e-9)


@BOTH
def test_vmap_is_a_loop_and_precision_is_that_of_the_parameters(make):
    network, x = cast(shaken(make()), jnp.float32), draw(3, 10, 2)
    batch = jax.vmap(network)(x)
    assert batch.dtype == jnp.float32
    for k in range(3):
        np.testing.assert_allclose(batch[k], apply(network, x[k]), atol=1e-5)
    if jax.config.jax_enable_x64:
        double = cast(network, jnp.float64)(x[0])
        assert double.dtype == jnp.float64
        np.testing.assert_allclose(double, network(x[0]), atol=1e-5)


@BOTH
def test_it_learns_a_memory_of_a_few_samples(make):
    x = draw(8, 40, 1)
    y = jnp.stack([jnp.roll(x[..., 0], 2, 1), jnp.roll(x[..., 0], 1, 1)], axis=-1)
    network = make(inputs=1, outputs=2, hidden=12)

    def loss(network, batch, key):
        return jnp.mean((jax.vmap(network)(batch["x"]) - batch["y"])[:, 2:] ** 2)

    trained = training.train(
        loss, network, {"x": x, "y": y}, key=jax.random.key(0), optimiser=optax.adam(1e-2),
        epochs=300, evaluate_every=300,
    )  # fmt: skip
    assert trained.history["loss"][-1] < 0.05  # of a variance of one


@BOTH
def test_bad_input_says_what_to_do(make):
    for x in (draw(3, 10, 2), draw(10), draw(10, 3), draw(0, 2)):
        with pytest.raises(ValueError, match="jax.vmap"):
            make()(x)
    for changes in ({"hidden": 0}, {"layers": 0}, {"latent": 0}, {"outputs": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            make(**changes)
    with pytest.raises(ValueError, match="kernel at least 2"):
        tcn(kernel=1)

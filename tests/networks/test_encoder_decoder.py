"""The encoder-decoder: shapes, what an output may depend on, derivatives, and that it learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxfric import networks, training

SMALL = {"scales": 8, "columns": 16, "filters": (4, 8)}


def make(seed=0, **changes):
    return networks.EncoderDecoder(**(SMALL | changes), rngs=nnx.Rngs(seed))


def draw(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def cast(network, dtype):
    return jax.tree_util.tree_map(lambda x: x.astype(dtype), network)


@jax.jit
def run(network, x):
    return network(x)


def shaken(network, seed=5):
    """Every parameter moved: biases begin at zero, where a ReLU over padding has its kink."""
    rng = np.random.default_rng(seed)
    return jax.tree_util.tree_map(
        lambda p: p + jnp.asarray(0.1 * rng.normal(size=p.shape), p.dtype), network
    )


def silenced(network):
    """Every parameter of the latent part at zero."""
    zero = jax.tree_util.tree_map(jnp.zeros_like, network)
    return training.mix(network, zero, training.parts(network, "latent"))


# Shapes and sizes --------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "size", [(8, 16, 1, (4, 8), 1), (16, 8, 2, (3, 5, 7), 3), (4, 2, 1, (6,), 2)]
)
def test_shapes(size, causal):
    scales, columns, channels, filters, outputs = size
    network = networks.EncoderDecoder(
        scales, columns, channels, filters, outputs=outputs, causal=causal, rngs=nnx.Rngs(0)
    )
    decoded = run(network, draw(channels, scales, columns))
    assert decoded.image.shape == (outputs, scales, columns)
    assert decoded.level.shape == (outputs,)
    assert [x.shape for x in decoded.components] == [decoded.image.shape] * len(filters)
    np.testing.assert_array_equal(decoded.components[-1], decoded.image)
    network = networks.EncoderDecoder(
        scales, columns, channels, filters, outputs=outputs, causal=causal, hierarchical=False,
        level=False, normalisation="none", rngs=nnx.Rngs(0),
    )  # fmt: skip
    plain = run(network, draw(channels, scales, columns))
    assert plain.level is None and len(plain.components) == 1
    assert plain.image.shape == decoded.image.shape and np.all(np.isfinite(plain.image))


@pytest.mark.parametrize(
    "options",
    [{}, {"causal": True}, {"level": False}, {"filters": (8, 16, 32, 64)}, {"skips": False},
     {"scales": 64, "columns": 128}, {"filters": (16, 32, 64), "outputs": 2}],
)  # fmt: skip
def test_the_latent_part_is_a_fifth_of_the_parameters(options):
    network = networks.EncoderDecoder(**options, rngs=nnx.Rngs(0))
    leaves = jax.tree_util.tree_leaves
    latent, every = (sum(x.size for x in leaves(tree)) for tree in (network.latent, network))
    assert latent / every == pytest.approx(0.2, abs=0.01)
    assert networks.latent_share(network) == latent / every == training.share(network, "latent")


def test_latent_size_can_be_given():
    assert make(latent=3).latent.down[...].shape == (8 * 2 * 4, 3)
    assert make(latent=3, causal=True).latent.down[...].shape == (8 * 2, 3)
    assert networks.latent_share(make(latent=1)) < networks.latent_share(make(latent=9))


# What an output depends on -----------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
def test_without_skips_everything_passes_the_latent_space(causal):
    x, y = draw(1, 8, 16), draw(1, 8, 16, seed=1)
    for skips in (False, True):
        network = make(skips=skips, causal=causal)
        assert float(jnp.abs(run(network, x).image - run(network, y).image).max()) > 1e-3
        silent = silenced(network)
        difference = float(jnp.abs(run(silent, x).image - run(silent, y).image).max())
        assert (difference > 1e-3) == skips and (difference == 0) != skips


def test_components_do_not_pass_the_latent_space_and_depth_adds_to_them():
    network, x = make(filters=(4, 8, 8)), draw(1, 8, 16)
    silent = silenced(network)
    for before, after in zip(
        run(network, x).components[:-1], run(silent, x).components[:-1], strict=True
    ):  # fmt: skip
        np.testing.assert_array_equal(before, after)
    components = run(network, x).components
    assert all(
        np.abs(np.asarray(components[i] - components[j])).max() > 1e-4
        for i in range(3) for j in range(i)
    )  # fmt: skip
    # The image is the same network whether the components are asked for or not
    network.hierarchical = False
    np.testing.assert_allclose(run(network, x).image, components[-1], atol=1e-6)


@pytest.mark.parametrize("normalisation", ["group", "none"])
@pytest.mark.parametrize("skips", [True, False])
def test_a_causal_network_knows_no_later_column(normalisation, skips):
    network = make(causal=True, normalisation=normalisation, skips=skips, seed=3)
    x = draw(1, 8, 16)
    base = run(network, x)
    for k in (0, 1, 6, 7, 13, 15):
        later = run(network, x.at[..., k:].add(draw(1, 8, 16 - k, seed=k)))
        for before, after in zip(base.components, later.components, strict=True):
            np.testing.assert_array_equal(before[..., :k], after[..., :k])
        assert np.any(np.asarray(base.image != later.image)[..., k:])
    # The newest column is used at once, the level included
    slope = jax.grad(lambda x: jnp.sum(run(network, x).image[..., -1]))(x)
    assert np.abs(np.asarray(slope)[..., -1]).max() > 0
    slope = jax.grad(lambda x: jnp.sum(run(network, x).level))(x)
    assert np.abs(np.asarray(slope)[..., -1]).max() > 0


def test_other_networks_see_the_whole_image():
    network, x = make(skips=False), draw(1, 8, 16)
    slope = jax.grad(lambda x: jnp.sum(run(network, x).image[..., 0]))(x)
    assert np.all(np.abs(np.asarray(slope)).max(axis=(0, 1)) > 0)


def test_normalisation_bounds_loud_images_and_lets_quiet_ones_differ():
    x = draw(1, 8, 16)
    group, none = make(), make(normalisation="none")
    ratio = lambda net, a, b: float(  # noqa: E731
        jnp.abs(run(net, b * x).components[0] - run(net, a * x).components[0]).max()
        / jnp.abs(run(net, a * x).components[0]).max()
    )
    assert ratio(make(skips=False), 30.0, 60.0) < 0.1 < 0.8 < ratio(none, 30.0, 60.0)
    assert ratio(group, 0.1, 0.2) > 0.5


# Derivatives and transformations -----------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("causal", [False, True])
def test_gradient_is_that_of_finite_differences(causal):
    network = cast(shaken(make(causal=causal, seed=1)), jnp.float64)
    x, y = draw(1, 8, 16).astype(jnp.float64), draw(1, 8, 16, seed=1).astype(jnp.float64)
    arrays, static = eqx.partition(network, eqx.is_inexact_array)

    @jax.jit
    def loss(arrays):
        return networks.scalogram_loss(eqx.combine(arrays, static)(x), y, jnp.ones(1))

    slopes = jax.jit(jax.grad(loss))(arrays)
    leaves = jax.tree_util.tree_leaves(slopes)
    assert all(np.all(np.isfinite(g)) and np.any(g != 0) for g in leaves)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        way = jax.tree_util.tree_map(lambda p: jnp.asarray(rng.normal(size=p.shape)), arrays)  # noqa: B023
        step = lambda h: loss(jax.tree_util.tree_map(lambda p, w: p + h * w, arrays, way))  # noqa: B023, E731
        along = sum(
            float(jnp.sum(g * w))
            for g, w in zip(leaves, jax.tree_util.tree_leaves(way), strict=True)
        )
        h = 1e-6
        assert (float(step(h)) - float(step(-h))) / (2 * h) == pytest.approx(along, rel=1e-5)


def test_vmap_is_a_loop_over_images_and_over_members():
    network, x = make(), draw(3, 1, 8, 16)
    batch = jax.jit(jax.vmap(network))(x)
    for k in range(3):
        one = run(network, x[k])
        np.testing.assert_allclose(batch.image[k], one.image, atol=1e-5)
        np.testing.assert_allclose(batch.level[k], one.level, atol=1e-5)
    members = [make(seed) for seed in range(3)]
    stacked = jax.tree_util.tree_map(lambda *p: jnp.stack(p), *members)
    found = jax.vmap(lambda net: run(net, x[0]).image)(stacked)
    for k in range(3):
        np.testing.assert_allclose(found[k], run(members[k], x[0]).image, atol=1e-5)


def test_the_precision_is_that_of_the_parameters():
    x = draw(1, 8, 16)
    single = cast(make(), jnp.float32)
    assert run(single, x).image.dtype == run(single, x).level.dtype == jnp.float32
    if jax.config.jax_enable_x64:
        double = cast(single, jnp.float64)
        assert run(double, x).image.dtype == jnp.float64
        np.testing.assert_allclose(run(double, x).image, run(single, x).image, atol=1e-5)


# Loss and learning -------------------------------------------------------------------------------


def test_loss_by_hand():
    one = jnp.ones((1, 2, 4))
    decoded = networks.Decoded(2 * one, jnp.array([3.0]), (one, 2 * one))
    assert float(networks.scalogram_loss(decoded, 0 * one)) == 1 + 4
    assert float(networks.scalogram_loss(decoded, 0 * one, weights=(0.5, 2))) == 0.5 + 8
    assert float(networks.scalogram_loss(decoded, one, jnp.ones(1), level_weight=0.5)) == 1 + 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"causal": True, "latent": 12}])
def test_it_learns_a_few_images_and_their_levels(options):
    network = make(**options)
    x, y, level = draw(4, 1, 8, 16), draw(4, 1, 8, 16, seed=1), draw(4, 1, seed=2)
    y = jnp.cumsum(y, axis=-1) / 4

    def loss(network, batch, key):
        decoded = jax.vmap(network)(batch["x"])
        return jnp.mean(jax.vmap(networks.scalogram_loss)(decoded, batch["y"], batch["level"]))

    trained = training.train(
        loss, network, {"x": x, "y": y, "level": level}, key=jax.random.key(0),
        optimiser=optax.adam(1e-2), epochs=600, evaluate_every=600,
    )  # fmt: skip
    decoded = jax.vmap(trained.last)(x)
    assert float(jnp.mean((decoded.image - y) ** 2)) < 0.15 * float(jnp.var(y))
    np.testing.assert_allclose(decoded.level, level, atol=0.2)


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"scales": 10}, "multiples of 4"), ({"columns": 2}, "multiples of 4"),
     ({"filters": ()}, "at least 1"), ({"latent": 0}, "at least 1"),
     ({"channels": 0}, "at least 1"),
     ({"normalisation": "batch"}, '"group" or "none"')],
)  # fmt: skip
def test_bad_sizes_say_what_to_do(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_bad_images_and_targets_say_what_to_do():
    network, x = make(level=False), draw(1, 8, 16)
    with pytest.raises(ValueError, match="jax.vmap"):
        network(draw(3, 1, 8, 16))
    with pytest.raises(ValueError, match="target must have shape"):
        networks.scalogram_loss(network(x), x[0])
    with pytest.raises(ValueError, match="level=True"):
        networks.scalogram_loss(network(x), x, jnp.ones(1))
    with pytest.raises(ValueError, match="weights must be 2 numbers"):
        networks.scalogram_loss(network(x), x, weights=(1.0,))

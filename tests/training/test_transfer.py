"""Training of one part: what is frozen stays to the last bit, what is chosen moves."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxfric import networks, training

pytestmark = pytest.mark.lenient
RNG = np.random.default_rng(0)
DATA = {
    "x": RNG.normal(size=(8, 12, 1)).astype(np.float32),
    "y": RNG.normal(size=(8, 12, 2)).astype(np.float32),
}
IMAGES = {
    "x": RNG.normal(size=(4, 1, 8, 8)).astype(np.float32),
    "y": RNG.normal(size=(4, 1, 8, 8)).astype(np.float32),
}


def sequence(seed=0):
    return networks.EmissionGRU(1, 6, 2, rngs=nnx.Rngs(seed))


def image(seed=0):
    return networks.EncoderDecoder(8, 8, filters=(4, 8), rngs=nnx.Rngs(seed))


def sequence_loss(network, batch, key):
    return jnp.mean((jax.vmap(network)(batch["x"]) - batch["y"]) ** 2)


def image_loss(network, batch, key):
    decoded = jax.vmap(network)(batch["x"])
    level = jnp.ones((batch["x"].shape[0], 1))
    return jnp.mean(jax.vmap(networks.scalogram_loss)(decoded, batch["y"], level))


CASES = {"sequence": (sequence, sequence_loss, DATA), "image": (image, image_loss, IMAGES)}


@jax.jit
def run(network, x):
    return network(x)


def compare(before, after, mask):
    """(is it chosen, is it unchanged) for every array."""
    leaves = [jax.tree_util.tree_leaves(tree) for tree in (mask, before, after)]
    return [(m, np.array_equal(a, b)) for m, a, b in zip(*leaves, strict=True)]


@pytest.mark.parametrize("case", ["sequence", "image"])
@pytest.mark.parametrize("part", ["latent", "head-like", "none", "all"])
def test_frozen_parameters_stay_to_the_last_bit(case, part):
    make, loss, data = CASES[case]
    if part == "head-like":
        part = ("latent", "level") if case == "image" else "head"
    network = make()
    mask = training.parts(network, part)
    trained = training.train(
        loss, network, data, key=jax.random.key(0), epochs=3, batch_size=4,
        # weight decay moves what the gradient leaves alone
        optimiser=training.freeze(optax.adamw(1e-2, weight_decay=0.1), mask),
    )  # fmt: skip
    for after in (trained.last, trained.parameters):
        found = compare(network, after, mask)
        assert all(same != chosen for chosen, same in found), found
    assert sum(chosen for chosen, _ in found) == {"none": 0, "all": len(found)}.get(
        part, sum(jax.tree_util.tree_leaves(mask))
    )


def test_the_chosen_part_moves_as_if_there_were_no_other():
    """Adam on the latent part alone, by hand."""
    network = sequence()
    mask = training.parts(network, "latent")
    optimiser = training.freeze(optax.adam(1e-2), mask)
    gradient = jax.jit(jax.grad(sequence_loss))(network, DATA, None)
    update, _ = optimiser.update(gradient, optimiser.init(network), network)
    expected, _ = optax.adam(1e-2).update(gradient.latent, optax.adam(1e-2).init(gradient.latent))
    for a, b in zip(*map(jax.tree_util.tree_leaves, (update.latent, expected)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_members_of_an_ensemble_are_frozen_alike():
    members = jax.tree_util.tree_map(lambda *p: jnp.stack(p), *(sequence(s) for s in range(3)))
    mask = training.parts(members, "latent")
    single = training.parts(sequence(), "latent")
    assert jax.tree_util.tree_leaves(mask) == jax.tree_util.tree_leaves(single)
    assert training.share(members, "latent") == training.share(sequence(), "latent")
    trained = training.train(
        sequence_loss, members, DATA, key=jax.random.split(jax.random.key(0), 3), epochs=2,
        optimiser=training.freeze(optax.adam(1e-2), mask),
    )  # fmt: skip
    assert all(same != chosen for chosen, same in compare(members, trained.last, mask))


def test_held_parameters_have_no_gradient():
    network = sequence()
    mask = training.parts(network, "latent")

    def held(network):
        network = training.mix(jax.lax.stop_gradient(network), network, mask)
        return sequence_loss(network, DATA, None)

    full, part = jax.grad(sequence_loss)(network, DATA, None), jax.grad(held)(network)
    for chosen, a, b in zip(
        *map(jax.tree_util.tree_leaves, (mask, full, part)), strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(b, a if chosen else 0 * a, atol=1e-7)


def test_mix_takes_what_the_mask_says():
    trained, fresh = image(0), image(1)
    mask = training.parts(trained, "latent")
    mixed = training.mix(trained, fresh, mask)
    x = jnp.asarray(IMAGES["x"][0])
    assert all(same != chosen for chosen, same in compare_drawn(trained, mixed, mask))
    assert all(same == chosen for chosen, same in compare_drawn(fresh, mixed, mask))
    # the sub-model that does not pass the latent space is the trained one
    np.testing.assert_allclose(
        run(mixed, x).components[0], run(trained, x).components[0], atol=1e-6
    )
    assert np.abs(np.asarray(run(mixed, x).image - run(trained, x).image)).max() > 1e-3


def compare_drawn(before, after, mask):
    """`compare` without biases, which begin alike."""
    leaves = [jax.tree_util.tree_leaves(tree) for tree in (mask, before, after)]
    drawn = [(m, a, b) for m, a, b in zip(*leaves, strict=True) if a.ndim == 2]
    return [(m, np.array_equal(a, b)) for m, a, b in drawn]


def test_shares_of_the_parts_add_up():
    network = image()
    names = ("encoder", "latent", "decoder", "level")
    assert sum(training.share(network, name) for name in names) == pytest.approx(1)
    assert training.share(network, names) == training.share(network, "all") == 1
    assert training.share(network, "none") == 0
    assert training.share(network, "latent") == networks.latent_share(network)


def test_other_leaves_are_left_out_and_any_pytree_has_parts():
    tree = {"latent": {"w": jnp.ones(3), "n": 4, "name": "x"}, "head": [jnp.ones(1)]}
    mask = training.parts(tree, "latent")
    assert mask == {"latent": {"w": True, "n": None, "name": None}, "head": [False]}
    mixed = training.mix(tree, jax.tree_util.tree_map(lambda x: x * 2, tree), mask)
    assert mixed["latent"]["n"] == 4 and mixed["latent"]["name"] == "x"
    np.testing.assert_array_equal(mixed["latent"]["w"], 2)
    np.testing.assert_array_equal(mixed["head"][0], 1)


def test_bad_input_says_what_to_do():
    network = sequence()
    with pytest.raises(ValueError, match="no part decoder.*encoder, head, latent"):
        training.parts(network, "decoder")
    with pytest.raises(ValueError, match="no part bottleneck"):
        training.share(network, ("latent", "bottleneck"))
    with pytest.raises(ValueError, match="booleans"):
        training.freeze(optax.adam(1e-3), network)
    with pytest.raises(ValueError, match="alike"):
        training.mix(network, image(), training.parts(network, "latent"))
    with pytest.raises(ValueError, match="another network"):
        training.mix(network, sequence(1), training.parts(image(), "latent"))
    with pytest.raises(ValueError, match="nothing"):
        training.share({"n": 3}, "all")

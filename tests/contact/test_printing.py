"""What a console shows of surfaces, laws and designs: numbers with units, never `f64[64]`."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact

LOADS = np.array([0.25, 0.5, 1.0])
HEIGHT, RADIUS = np.array([0.0, -1e-6, -3e-6]), np.array([1e-4, 2e-4, 4e-4])


def surface(factor=1.0, mask=None):
    return contact.Asperities(jnp.asarray(HEIGHT), factor * jnp.asarray(RADIUS), mask)


def mixture():
    covariances = np.tile(np.diag([4e-12, 1e-10]), (4, 1, 1))
    means = np.tile([2e-5, 3e-4], (4, 1))
    return contact.SurfaceMixture(np.full(4, 0.25), means, covariances)


def bank():
    return contact.Bank(
        shape=jnp.zeros((2, 32)), load=jnp.array([1e-8, 2e-6]), area=jnp.ones(2),
        radii=jnp.array([[1e-4, 2e-4], [3e-4, 9e-4]]), key=jax.random.key(0),
        bounds=contact.MixtureBounds(), asperities=8,
    )  # fmt: skip


def feasible(floor):
    ones = jnp.ones(3)
    return contact.Feasibility(
        load=ones, target=ones, closest=ones, low=0 * ones, high=2 * ones,
        bound_error=0 * floor, floor=floor, indentation_ratio=floor,
        approach=1e-6 * floor, max_indentation=None, max_approach=None, feasible=floor < 0.3,
    )  # fmt: skip


SHOWN = {
    "surface": (surface, ["3, heights over 3 µm", "radii 100 to 400 µm"]),
    "masked": (lambda: surface(mask=jnp.arange(3) < 2), ["Asperities: 2,", "100 to 200 µm"]),
    "surfaces": (lambda: jax.vmap(surface)(jnp.array([1.0, 2.0])), ["2 surfaces of 3", "800 µm"]),
    "material": (lambda: contact.Material(1e9, 1e6), ["modulus 1e+09 Pa", "area factor 1"]),
    "cast": (lambda: contact.Material(1e9, 1e6).cast(jnp.zeros(()).dtype), ["1e+06 Pa"]),
    "materials": (
        lambda: jax.vmap(lambda E: contact.Material(E, 1e6))(jnp.array([1e8, 1e9])),
        ["2 of them, modulus 1e+08 to 1e+09 Pa"],
    ),
    "heights": (lambda: contact.ExponentialHeights(1e-5, 5e-4), ["mean 10 µm, radius 500 µm"]),
    "bounds": (contact.MixtureBounds, ["heights 0 to 100 µm", "radii 100 to 1000 µm"]),
    "mixture": (mixture, ["25 %: height 20 ± 2 µm, radius 300 ± 10 µm, correlation 0.00"]),
    "mixtures": (
        lambda: jax.tree.map(lambda *x: jnp.stack(x), mixture(), mixture()),
        ["2 mixtures, mean heights 20 µm, mean radii 300 µm"],
    ),
    "bank": (bank, ["2 laws of surfaces of 8", "1e-08 to 2e-06 m²", "100 to 900 µm"]),
    "feasibilities": (
        lambda: jax.vmap(feasible)(jnp.array([0.1, 0.2, 5.0])),
        ["2 of 3 targets feasible", "within 0.1 to 5 %"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SHOWN))
def test_parameters_show_values_and_units(name):
    build, says = SHOWN[name]
    shown = build()
    assert repr(shown) == str(shown)
    for words in [*says, ""]:
        assert words in repr(shown) and "[" not in repr(shown)


@pytest.mark.filterwarnings("ignore:the highest load presses")
def test_results_of_a_batch_are_summarised(material):
    """How many, their range, and how many failed; one failure hides no numbers."""

    def law(factor):
        return contact.friction_law(surface(factor), material, LOADS)

    def design(factor):
        curve = law(factor)
        return contact.Design(surface(factor), material, curve.friction, curve, 100 * factor)

    factors = jnp.array([1.0, 2.0, -1.0])
    curves, designs = jax.jit(jax.vmap(lambda x: (law(x), design(x))))(factors)
    assert repr(curves) == str(curves)
    for words in ("3 surfaces, 3 loads, 0.25 to 1 N", "1 of 3 runs failed: [2]"):
        assert words in str(curves)
    for words in ("3 designs: Asperities: 3 surfaces of 3", "sMAPE -100 to 200 %", "1 of 3 runs"):
        assert words in repr(designs)
    assert "nan" not in str(curves) + str(designs)


def test_a_stream_and_the_limit_of_many_show_their_laws(material):
    batch = contact.LawBatch(
        jnp.zeros((2, 23)), jnp.array([4, 64]), jnp.asarray(LOADS), jnp.full((2, 3), 0.5)
    )
    assert "2 laws of surfaces of 4 to 64" in repr(batch) and "0.5 N, all finite" in repr(batch)
    curve = contact.expected_friction_law(
        contact.ExponentialHeights(1e-5, 5e-4), 64, material, LOADS
    )
    assert "3 loads, 0.25 to 1 N" in repr(curve) and "mm²" in repr(curve)


def test_printing_never_raises():
    """Traced numbers, and the placeholders that transformations put in their place."""
    seen = []

    @jax.jit
    def traced(x):
        seen.append(repr(x))
        return x.height

    traced(surface())
    assert seen == ["Asperities(traced)"]
    for instead in (object(), None):
        bare = jax.tree.map(lambda _, x=instead: x, surface())
        assert repr(bare).startswith("Asperities(height=") or "object" in repr(bare)


def test_the_command_line_offers_the_same_radii():
    """Its options are read before JAX is imported, so the numbers stand there once more."""
    pytest.importorskip("typer")
    from jaxfric.cli._app import make_app

    (command,) = (c for c in make_app().registered_commands if c.callback.__name__ == "design")
    default = inspect.signature(command.callback).parameters["radius"].default
    assert default == contact.RADIUS_BOUNDS

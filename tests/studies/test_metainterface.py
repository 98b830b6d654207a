"""Friction on Demand: validity by construction, scaling, accuracy, wishes, files, the study."""

import functools
import json
import math
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import contact
from jaxfric.studies import metainterface
from jaxfric.studies.metainterface import (
    _canonical as canonical,
    _generator as generator,
    _paper as paper,
    _requests as requests,
    _searches as searches,
    _targets as targets,
)
from jaxfric.studies.metainterface._network import plain

MATERIAL, TOP = paper.MATERIAL, paper.TOP
X64 = jnp.zeros(()).dtype == jnp.float64


@pytest.fixture(scope="module")
def made():
    return metainterface.trained()


@pytest.fixture(scope="module")
def loads():
    return paper.study_loads()


@functools.cache
def random_group(n=64):
    """Laws on which no choice was made."""
    return targets.random_group(32, n, seed=71)


# ---------------------------------------------------------------- units


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-3, 3), st.floats(0.1, 1.0), st.floats(-4, 4))
def test_a_canonical_law_has_no_units(e, s, p, b, f):
    """Whatever E*, σ, B and the units of the law, its shape is the same."""
    P = jnp.asarray(np.arange(1, 101) / 100)
    T = P**0.8
    first = canonical.canonical(
        contact.Material(1.0, 1.0), P, T, asperities=8, radius_bounds=(0.1, 1.0)
    )
    other = canonical.canonical(
        contact.Material(10.0**e, 10.0**s, b), 10.0**p * P, 10.0**f * T, asperities=8,
        radius_bounds=(0.1, 1.0),
    )  # fmt: skip
    np.testing.assert_allclose(first.shape, other.shape, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(other.shape[-1], 0.0, atol=1e-7)
    width = float(other.high - other.low)
    assert width == pytest.approx(math.log(10), rel=1e-4)


def test_stretched_heights_and_radii_are_the_group_of_hertz(made, loads):
    """Heights α, radii β: F(P) → αβ F(P / (α^1.5 β^0.5)), and the generator goes with it."""
    target = random_group().friction[0]
    alpha, beta = 1.7, 0.6
    z = jnp.ones(made.latent) / 2
    base = made(MATERIAL, loads, target, z, radius_bounds=(1e-4, 1e-3))
    moved = made(
        MATERIAL, loads * alpha**1.5 * beta**0.5, target * alpha * beta, z,
        radius_bounds=(beta * 1e-4, beta * 1e-3),
    )  # fmt: skip
    scale = float(jnp.max(jnp.abs(base.height)))
    np.testing.assert_allclose(moved.height / alpha, base.height, atol=2e-4 * scale)
    np.testing.assert_allclose(moved.radius / beta, base.radius, rtol=2e-4)


def test_zero_and_missing_loads_are_continued(made):
    """A zero load says nothing; below the first load the law goes on as a power law."""
    P = jnp.linspace(0.0, 0.05, 51)
    T = 0.2 * (P / 0.05) ** 0.8
    whole = made.request(MATERIAL, P[1:], T[1:])
    with_zero = made.request(MATERIAL, P, T)
    late = made.request(MATERIAL, P[10:], T[10:])
    np.testing.assert_allclose(with_zero.shape, whole.shape, atol=1e-5)
    np.testing.assert_allclose(late.shape, whole.shape, atol=1e-3)


# ---------------------------------------------------------------- validity


@settings(max_examples=15)
@given(st.integers(0, 2**31 - 1), st.floats(0.1, 30.0))
def test_any_numbers_decode_to_a_valid_surface(seed, size):
    """Increasing depths, radii inside their bounds, heights inside theirs: by construction."""
    key = jax.random.key(seed)
    head = size * jax.random.normal(key, (128,))
    request = requests.request(jax.random.fold_in(key, 1), 64)
    gap, log_radius = generator.decode(head, request)
    assert gap[0] == 0
    assert (jnp.diff(gap) >= -1e-6 * jnp.max(gap)).all()
    assert (gap * request.shallow <= 1 + 1e-5).all()
    if not request.wanted:
        slack = 1e-5
        assert (log_radius >= request.low - slack).all()
        assert (log_radius <= request.high + slack).all()
    assert jnp.isfinite(gap).all() and jnp.isfinite(log_radius).all()


@pytest.mark.parametrize("n, mean", [(16, 0.45), (64, 0.45), (256, 0.5)])
def test_one_pass_is_accurate(made, loads, n, mean):
    """On laws of the training distribution that it has not seen."""
    laws = random_group(n).friction

    @jax.jit
    def errors(laws):
        def one(F):
            surface = made(MATERIAL, loads, F, jnp.zeros(made.latent), asperities=n)
            return contact.smape(contact.friction_law(surface, MATERIAL, loads).friction, F)

        return jax.lax.map(one, laws, batch_size=8)

    assert jnp.mean(errors(laws)) < mean


def test_drawn_designs_differ_and_are_good(made, loads):
    target = random_group().friction[1]
    found = metainterface.designs(
        MATERIAL, loads, target, key=jax.random.key(0), generator=made, count=16, steps=0
    )
    assert found.error.shape == (16,)
    assert (jnp.diff(found.error) >= 0).all()
    assert jnp.median(found.error) < 1.0
    scale = random_group().scale
    reach = jnp.mean(jnp.max(found.curve.indentation, -1))
    assert metainterface.diversity(found) * reach / scale > 0.3
    assert not np.allclose(found.surface.radius[0], found.surface.radius[1], rtol=0.05)


def test_least_squares_improves_every_design(made, loads):
    target = random_group().friction[3]

    def mean_error(steps):
        found = metainterface.designs(
            MATERIAL, loads, target, key=jax.random.key(0), generator=made, count=16, steps=steps
        )
        return jnp.mean(found.error)

    assert mean_error(10) < 0.5 * mean_error(0)


@pytest.mark.x64
def test_one_pass_has_a_gradient(made, loads):
    """With respect to the target and z, against central differences, in both modes."""
    target = random_group().friction[4]
    z = 0.3 * jnp.ones(made.latent)
    w = jax.random.normal(jax.random.key(2), (64,))

    def weighed(scale, z):
        tilted = target * (loads / TOP) ** scale
        surface = made(MATERIAL, loads, tilted, z)
        return jnp.sum(w * (1e5 * surface.height + 1e4 * surface.radius))

    slope = jax.jit(jax.grad(weighed, (0, 1)))(0.01, z)
    direction = jnp.linspace(-1, 1, made.latent)
    for value, step in (
        (slope[0], lambda h: weighed(0.01 + h, z)),
        (slope[1] @ direction, lambda h: weighed(0.01, z + h * direction)),
    ):
        h = 1e-7  # small: curvature is infinite where a contact is made
        np.testing.assert_allclose(value, (step(h) - step(-h)) / (2 * h), rtol=1e-4)
    forward = jax.jvp(lambda z: weighed(0.01, z), (z,), (direction,))[1]
    np.testing.assert_allclose(forward, slope[1] @ direction, rtol=1e-6)


# ---------------------------------------------------------------- wishes


def test_other_numbers_compile_nothing(made):
    """The same program for another material, law and key, and for fewer loads."""
    compiled = []

    def listen(name, *_, **__):
        if name == "/jax/core/compile/backend_compile_duration":
            compiled.append(name)

    def ask(k):
        loads = (1 + k) * TOP * np.arange(1, 129 - k) / 128
        found = metainterface.design_many(
            contact.Material((1 + k) * 1.4e6, 4e5), loads, (4 + 0.1 * k) * loads,
            key=jax.random.key(k), generator=made, radius_bounds=(1e-4, 1e-3 + 1e-4 * k),
        )  # fmt: skip
        assert found.designs.friction.shape == (16, 128 - k)

    ask(1)
    jax.monitoring.register_event_duration_secs_listener(listen)
    ask(0)
    jax.monitoring.unregister_event_duration_listener(listen)
    assert len(compiled) == 0


def test_plain_arrays_are_the_network():
    """Of `networks.SurfaceGenerator`, from which they are taken and to whose file they go."""
    learned = generator.new_network(3, latent=4, width=16, blocks=2)
    wanted = requests.request(jax.random.key(0), 64)
    z = jnp.ones(4)
    expected = generator.generate(learned, wanted, z)
    found = generator.generate(plain(learned), wanted, z)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_given_radii_are_kept(made, loads):
    radii = jnp.full(64, 3e-4)
    target = random_group().friction[5]
    surface = made(MATERIAL, loads, target, jnp.zeros(made.latent), radii=radii)
    np.testing.assert_allclose(surface.radius, radii, rtol=1e-5)
    found = metainterface.designs(
        MATERIAL, loads, target, key=jax.random.key(0), generator=made, count=2, radii=radii
    )
    np.testing.assert_allclose(found.surface.radius, jnp.stack([radii] * 2), rtol=1e-5)


@settings(max_examples=5)
@given(st.floats(5e-6, 5e-5))
def test_a_height_and_radii_are_never_exceeded(height):
    make, P = metainterface.trained(), paper.study_loads()
    target = 0.2 * (P / TOP) ** 0.85
    z = 2 * jax.random.normal(jax.random.key(0), (make.latent,))
    surface = make(MATERIAL, P, target, z, max_height=height, radius_bounds=(2e-4, 6e-4))
    assert surface.top - jnp.min(surface.height) <= height * (1 + 1e-5)
    assert (surface.radius >= 2e-4 * (1 - 1e-5)).all()
    assert (surface.radius <= 6e-4 * (1 + 1e-5)).all()


def test_a_strange_target_is_searched(loads):
    """A step in the law is nothing that a surface of training makes."""
    target = 0.2 * jnp.where(loads < TOP / 2, 0.3, 1.0) * (loads / TOP) ** 0.7
    with pytest.warns(UserWarning, match="a search answers"):
        found = metainterface.design_many(
            MATERIAL, loads, target, key=jax.random.key(0), count=2, asperities=16, steps=2
        )
    assert bool(found.searched) and found.distance > 1
    assert found.designs.error.shape == (2,)
    assert "a search" in str(found)


def test_a_familiar_target_is_not(loads):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metainterface.design_many(
            MATERIAL, loads, random_group().friction[6], key=jax.random.key(0), count=16, steps=2
        )
    assert not bool(found.searched) and found.distance < 1
    assert "the generator" in str(found)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"asperities": 4}, "8 to 1,024 asperities"),
        ({"asperities": 2000}, "8 to 1,024 asperities"),
        ({"radii": jnp.ones(3)}, r"radii must have shape \(64,\)"),
        ({"radii": jnp.zeros(64)}, "radii must be positive and finite; entry 0"),
        ({"radius_bounds": (1e-3, 1e-4)}, "0 < low < high"),
        ({"radius_bounds": (0.0, 1e-3)}, "0 < low < high"),
        ({"max_height": 0.0}, "max_height must be positive"),
    ],
)
def test_bad_requests(made, loads, options, message):
    with pytest.raises(ValueError, match=message):
        made(MATERIAL, loads, 4 * loads, jnp.zeros(made.latent), **options)


def test_bad_z_and_targets(made, loads):
    with pytest.raises(ValueError, match="z must have shape"):
        made(MATERIAL, loads, 4 * loads, jnp.zeros(3))
    with pytest.raises(ValueError, match="loads must increase"):
        made(MATERIAL, loads[::-1], 4 * loads[::-1], jnp.zeros(made.latent))
    slippery = contact.Material(1.4e6, 0.0)
    with pytest.raises(ValueError, match="shear_strength must be positive"):
        made(slippery, loads, 4 * loads, jnp.zeros(made.latent))
    with pytest.raises(ValueError, match="must increase with the load"):
        made(MATERIAL, loads, loads[::-1], jnp.zeros(made.latent))


# ---------------------------------------------------------------- files


def test_a_generator_goes_to_a_file_and_back(made, loads, tmp_path):
    path = tmp_path / "own.npz"
    metainterface.save_generator(path, made, steps=1)
    back, facts = metainterface.load_generator(path)
    assert facts["steps"] == 1
    target, z = 4 * loads, jnp.zeros(made.latent)
    a, b = (g(MATERIAL, loads, target, z) for g in (made, back))
    np.testing.assert_array_equal(a.height, b.height)
    assert path.stat().st_size < 5e6


def test_files_of_something_else(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, x=np.ones(3))
    with pytest.raises(ValueError, match="no trained generator"):
        metainterface.load_generator(path)


@pytest.fixture
def whole(tmp_path):
    check = metainterface.export(tmp_path / "a", 40, shard=16, seed=3)
    assert check.complete and "40 samples in 3 shards" in str(check)
    return tmp_path / "a"


def contents(folder):
    arrays = metainterface.read_export(folder)
    return {name: np.asarray(x.read().result()) for name, x in arrays.items()}


def test_an_export_holds_what_the_stream_makes(whole):
    found = contents(whole)
    facts = json.loads((whole / "facts.json").read_text())
    assert facts["seed"] == 3 and facts["bounds_m"]["radius"] == [1e-4, 1e-3]
    assert found["friction"].shape == (40, 128) and found["parameters"].shape == (40, 23)
    stream = contact.law_stream(
        MATERIAL, paper.study_loads(), batch=16, asperities=paper.ASPERITIES, bounds=paper.BOUNDS
    )
    batch = jax.jit(stream)(jax.random.fold_in(jax.random.key(3), 1))
    np.testing.assert_allclose(found["friction"][16:32], batch.friction, rtol=1e-6)
    np.testing.assert_array_equal(found["count"][16:32], batch.count)


def test_a_broken_export_is_found_and_mended(whole):
    before = contents(whole)
    (whole / "friction" / "1.0").unlink()
    (whole / "done" / "2").unlink()
    check = metainterface.check_export(whole)
    assert check.missing == (1, 2)
    with pytest.raises(ValueError, match="not whole: 2 of 3 shards are missing"):
        metainterface.read_export(whole)
    assert metainterface.export(whole, 40, shard=16, seed=3).complete
    after = contents(whole)
    for name, x in before.items():
        np.testing.assert_array_equal(x, after[name])


def test_a_killed_export_resumes(tmp_path):
    """The process ends without warning after the first shard."""
    out = tmp_path / "set"
    code = (
        "import os, builtins\n"
        "from jaxfric.studies import metainterface\n"
        "say = builtins.print\n"
        "def stop(*a, **k):\n    say(*a, **k); os._exit(9)\n"
        "builtins.print = stop\n"
        f"metainterface.export({str(out)!r}, 40, shard=16, seed=3, progress=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    assert metainterface.check_export(out).missing == (1, 2)
    assert metainterface.export(out, 40, shard=16, seed=3).complete


def test_exports_are_not_mixed(whole, tmp_path):
    with pytest.raises(ValueError, match="differs in seed"):
        metainterface.export(whole, 40, shard=16, seed=4)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not lose")
    with pytest.raises(ValueError, match="not empty"):
        metainterface.export(tmp_path / "mine", 40)
    with pytest.raises(ValueError, match="holds no export"):
        metainterface.check_export(tmp_path / "mine")
    with pytest.raises(ValueError, match="at least 1"):
        metainterface.export(tmp_path / "b", 0)


# ---------------------------------------------------------------- the paper's system


def test_parameters_go_to_the_cube_and_back():
    theta = jax.vmap(contact.SurfaceMixture.to_vector)(
        contact.sample_mixtures(64, key=jax.random.key(0), bounds=paper.BOUNDS)
    )
    x = jax.vmap(paper.scaled)(theta)
    assert (jnp.abs(x) <= 1 + 1e-5).all()
    np.testing.assert_allclose(jax.vmap(paper.unscaled)(x), theta, rtol=1e-4, atol=1e-12)
    assert not jax.vmap(paper.breaks)(theta).any()


@given(st.integers(0, 2**31 - 1))
def test_anything_is_clamped_to_a_mixture(seed):
    x = jax.random.uniform(jax.random.key(seed), (23,), minval=-1.0, maxval=1.0)
    assert bool(paper.clamped(paper.unscaled(x)).valid)


def test_broken_parameters_are_recognised():
    good = contact.sample_mixtures(1, key=jax.random.key(0))
    theta = jax.vmap(contact.SurfaceMixture.to_vector)(good)[0]
    assert not paper.breaks(theta)
    assert paper.breaks(theta.at[0].set(1.2))
    assert paper.breaks(theta.at[0].set(-0.1))
    assert paper.breaks(theta.at[12].set(1.0))
    assert paper.breaks(theta.at[4].set(-1e-4))


def test_parameter_smape_of_a_known_error():
    true = jnp.ones(23)
    np.testing.assert_allclose(paper.parameter_smape(3 * true, true), 100.0, rtol=1e-6)
    np.testing.assert_allclose(paper.parameter_smape(-true, true), 200.0, rtol=1e-6)
    assert paper.parameter_smape(jnp.zeros(23), jnp.zeros(23)) == 0


def test_a_search_of_parameters_meets_a_law(loads):
    """With the surface frozen, CMA-ES falls far below a redraw's noise."""
    target = random_group(16).friction[8]
    found, frozen = jax.jit(
        lambda F, key: searches.search_law(
            searches.cube_decoder, jnp.full(23, 0.5), F, key=key, asperities=16, cube=True,
            generations=80, population=24,
        )
    )(target, jax.random.key(0))  # fmt: skip
    assert found.value < 4.0
    assert found.history[0] > 2 * found.value
    law = paper.mixture_law(searches.cube_decoder(found.best), 16, frozen, loads)
    again = contact.smape(law[canonical.ROWS], target[canonical.ROWS])
    assert again <= found.value * (1 + 1e-3)  # the rest is what lies outside of the cube


# ---------------------------------------------------------------- the study


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    with jax.enable_x64(False):
        return metainterface.run("smoke", out), out


@pytest.mark.slow
def test_smoke_writes_its_table(smoke):
    metrics, out = smoke
    told = json.loads((out / "metrics.json").read_text())
    assert told["headline"] == metrics["headline"]
    asked = {
        "one_pass_mean", "generative_mean", "generative_diversity", "lm3_mean", "best16_median",
        "best16_p95", "bank_best16_median", "bank_best16_p95", "vae_cma_mean",
        "vae_cma_seconds_per_target", "one_pass_n16_mean", "one_pass_n256_mean",
        "reconstruction_median", "redraw_floor_mean", "constant_mean",
    }  # fmt: skip
    assert asked <= set(told["headline"])
    for key in asked - {"one_pass_n16_mean", "one_pass_n256_mean"}:
        assert np.isfinite(told["headline"][key]), key
    text = metainterface.table(metrics)
    assert "VAE + CMA-ES, same surface" in text and "paper" in text
    assert told["headline"]["redraw_floor_mean"] > 0


@pytest.mark.slow
def test_a_finished_study_is_read_back_and_not_mixed(smoke):
    metrics, out = smoke
    assert metainterface.run("smoke", out, resume=True)["headline"] == metrics["headline"]
    with pytest.raises(ValueError, match="holds a study already"):
        metainterface.run("smoke", out)
    with pytest.raises(ValueError, match="preset must be one of"):
        metainterface.run("tiny", out)


@pytest.mark.slow
def test_figures_of_the_study(smoke, tmp_path):
    from jaxfric import plotting

    metrics, out = smoke
    figures = plotting.plot_metainterface(metrics, out)
    assert set(figures) == {"designs.png", "time.png", "diversity.png", "plane.png"}
    for name, figure in figures.items():
        plotting.save(figure, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 10_000

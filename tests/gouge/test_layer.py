"""Layers: what must not matter, what must be kept, and how they shear."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import gouge

pytestmark = pytest.mark.x64
PRESSURE, DENSITY, D = 1e5, 2650.0, 1.4e-3
SPEED = float(np.sqrt(PRESSURE / DENSITY))  # at which the pressure moves a grain
TIME = D / SPEED
LAW = gouge.Contact(1e8, friction=0.5)
LOAD = gouge.Load(PRESSURE, 0.05 * SPEED, wall_mass=20 * DENSITY * D)


@pytest.fixture(scope="module")
def small():
    """Some grains between short walls, packed."""
    return gouge.layer(LAW, pressure=PRESSURE, key=jax.random.key(0), length=0.012, height=6e-3)


@pytest.fixture(scope="module")
def sheared(small):
    return gouge.shear(small, LAW, LOAD, np.linspace(0, 4 * TIME, 9), steps=100, keep_grains=True)


def test_a_packed_layer_carries_its_pressure(small):
    """Nothing overlaps by more than the pressure asks for; the walls hold what lies between."""
    y, wall = np.asarray(small.grains.position[:, 1]), np.asarray(small.wall)
    assert y[wall == 1].max() < y[wall == 0].min() and y[wall == 0].max() < y[wall == 2].min()
    x, R = np.asarray(small.grains.position[:, 0]), np.asarray(small.grains.radius)
    dx = x[:, None] - x
    dx -= float(small.length) * np.round(dx / float(small.length))
    overlap = R[:, None] + R - np.hypot(dx, y[:, None] - y)
    free = (wall[:, None] == 0) | (wall == 0)
    overlap = overlap[free & ~np.eye(R.size, dtype=bool)]
    # P d is the force on a grain; chains of force carry some times that
    assert 0 < overlap.max() < 10 * PRESSURE * D / 1e8
    # Two contacts a grain at least, as many as a packing without friction needs
    assert (overlap > 0).sum() / 2 > 1.5 * (wall == 0).sum()
    assert 0.5 * 6e-3 < float(small.thickness) < 1.7 * 6e-3
    assert "37 grains" in str(small)


def test_order_of_grains_does_not_matter(small, sheared):
    order = np.random.default_rng(0).permutation(small.wall.size)
    mixed = jax.tree_util.tree_map(lambda x: x[order] if np.ndim(x) else x, small)
    again = gouge.shear(mixed, LAW, LOAD, np.linspace(0, 4 * TIME, 9), steps=100, keep_grains=True)
    np.testing.assert_allclose(again.friction, sheared.friction, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(again.position[-1], sheared.position[-1][order], atol=1e-9 * D)


def test_nothing_happens_when_a_table_is_made(small, sheared):
    """With half the skin tables are made at other times; the record is the same."""
    thin = gouge.shear(small, LAW, LOAD, np.linspace(0, 4 * TIME, 9), steps=100, skin=0.1,
                       keep_grains=True)  # fmt: skip
    np.testing.assert_allclose(thin.friction, sheared.friction, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(thin.position, sheared.position, atol=1e-9 * D)
    moved = np.abs(np.diff(np.asarray(sheared.position), axis=0)).sum(0).max()
    assert moved > 0.05 * D  # else no table would have been made anew


def test_a_batch_is_its_layers(small, sheared):
    other = gouge.layer(LAW, pressure=PRESSURE, key=jax.random.key(1), length=0.012, height=6e-3)
    both = gouge.shear_batch(
        [small, other], LAW, LOAD, np.linspace(0, 4 * TIME, 9), steps=100, keep_grains=True
    )
    np.testing.assert_allclose(both.friction[0], sheared.friction, rtol=1e-7, atol=1e-10)
    assert not np.allclose(both.friction[1], sheared.friction, rtol=1e-2)
    assert both.status.ok.all() and "2 layers" in str(both)


def test_forces_between_grains_cancel(small, sheared):
    """The sum over all grains and both walls is nothing: actions and reactions."""
    force = np.asarray(sheared.force)
    total, size = force.sum(1), np.abs(force).sum(1)
    assert (np.abs(total) < 1e-12 * size).all()


def test_thickness_slip_and_velocity_belong_together(small, sheared):
    """The wall moves as it is told; its slip is the integral of its velocity."""
    np.testing.assert_allclose(sheared.wall_velocity, 0.05 * SPEED, rtol=1e-9)
    np.testing.assert_allclose(sheared.slip, 0.05 * SPEED * sheared.time, rtol=1e-9)
    assert (np.abs(sheared.thickness / small.thickness - 1) < 0.2).all()
    assert (sheared.kinetic_energy > 0).all() and sheared.status.ok


def test_a_spring_pulls_until_the_layer_yields(small):
    """Before it does, the grains carry what the spring pulls: friction = K x_lp/P."""
    load = gouge.Load(PRESSURE, 0.01 * SPEED, stiffness=0.02 * PRESSURE / D, wall_mass=DENSITY * D)
    t = np.linspace(0, 200 * TIME, 9)
    steps = gouge.steps_between(small, LAW, t)
    found = gouge.shear(small, LAW, load, t, steps=steps)
    pulled = 0.02 / D * (0.01 * SPEED * t[1:] - np.asarray(found.slip))
    np.testing.assert_allclose(found.friction_now[2:], pulled[2:], atol=0.02)
    assert (np.diff(found.slip[1:]) > -1e-6 * D).all()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_through_200_steps(small, mode):
    """Contacts are made, broken and slide; with respect to friction and stiffness."""
    t = np.linspace(0, 2 * TIME, 5)

    def outcome(p):
        law = eqx.tree_at(lambda c: (c.friction, c.normal_stiffness), LAW, (p[0], 1e8 * p[1]))
        found = gouge.shear(small, law, LOAD, t, steps=50)
        return jnp.stack([found.friction[-1], found.thickness[-1] / D])

    outcome = jax.jit(outcome)
    # Off round numbers: a kink of the function may lie there, where only one side has a derivative
    p = jnp.array([0.503, 1.0])
    jacobian = (jax.jacfwd if mode == "forward" else jax.jacrev)(outcome)(p)
    h = 1e-6
    differences = [(outcome(p.at[i].add(h)) - outcome(p.at[i].add(-h))) / (2 * h) for i in range(2)]
    assert np.abs(jacobian).max() > 0.05
    np.testing.assert_allclose(jacobian, np.stack(differences, -1), atol=1e-5)


def test_too_few_places_are_told(small):
    found = gouge.shear(small, LAW, LOAD, np.linspace(0, TIME, 3), steps=50, slots=3)
    assert not found.status.ok and "slots" in str(found.status)


def test_what_cannot_be_computed_is_refused(small):
    t = np.linspace(0, TIME, 3)
    uneven = np.array([0.0, 1.0, 3.0])
    cases = [
        (lambda: gouge.shear(small, LAW, LOAD, t, steps=1), "too long for contacts that last"),
        (lambda: gouge.shear(small, LAW, LOAD, uneven, steps=9), "in equal steps"),
        (lambda: gouge.shear(small, LAW, LOAD, t, steps=0), "steps must be at least 1"),
        (lambda: gouge.Load(-1.0, 1.0, wall_mass=1.0), "pressure must be positive"),
        (lambda: gouge.Load(1.0, 1.0, wall_mass=0.0), "wall_mass must be positive"),
        (
            lambda: gouge.layer(LAW, pressure=1e5, key=jax.random.key(0), length=3e-3, height=6e-3),
            "no room for three grains",
        ),
        (
            lambda: gouge.layer(LAW, pressure=1e5, key=jax.random.key(0), diameters=(1e-3, -1e-3)),
            "diameters must be positive",
        ),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=says):
            call()
    short = dataclasses.replace(small, length=jnp.asarray(4e-3))
    with pytest.raises(ValueError, match="meet its own image"):
        gouge.shear(short, LAW, LOAD, t, steps=50)
    with pytest.raises(ValueError, match="pass steps="):
        jax.jit(lambda mu: gouge.shear(
            small, gouge.Contact(1e8, friction=mu), LOAD, t).friction)(0.5)  # fmt: skip

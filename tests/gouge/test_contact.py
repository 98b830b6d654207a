"""One contact: closed forms of impact, sliding, rolling and bouncing, energy, derivatives."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import gouge

pytestmark = pytest.mark.x64
GRAVITY = 9.81


def thrown(velocity, contact, *, radius=0.5, spin=0.0, density=1.0, spheres=False, time=0.03,
           steps=3000):  # fmt: skip
    """A grain that meets the floor, a hair above it at the start; velocity and spin afterwards."""
    above = radius * (1 + 1e-9)
    grain = gouge.Grains(
        [[0.0, above]], [radius], [velocity], [spin], density=density, spheres=spheres
    )
    flight = gouge.collide(grain, contact, np.array([0.0, time]), steps=steps, floor=True)
    assert flight.status.ok
    return np.asarray(flight.velocity[-1, 0]), float(flight.spin[-1, 0])


@pytest.mark.parametrize("spheres", [False, True])
def test_restitution_is_what_was_asked_for(spheres):
    """Two grains head on; without the cut at zero force e is exact but for the step of time."""
    pair = gouge.Grains(
        [[0.0, 0.0], [1.0, 0.0]],
        [0.5, 0.5],
        [[1.0, 0.0], [-1.0, 0.0]],
        density=1.0,
        spheres=spheres,
    )
    t = np.array([0.0, 0.05])
    for e in (0.5, 0.9):
        law = gouge.Contact(1e4, restitution=e, pulls=True)
        flights = [gouge.collide(pair, law, t, steps=n) for n in (500, 8000)]
        coarse, fine = (float(f.velocity[-1, 1, 0]) for f in flights)
        assert coarse == pytest.approx(e, abs=2e-3) and fine == pytest.approx(e, abs=2e-4)
        # Without the pull at the end the contact ends sooner, when k δ + γ δ' = 0
        beta = float(law.damping_ratio)
        root = math.sqrt(1 - beta**2)
        until = math.atan2(2 * beta * root, 2 * beta**2 - 1)
        free = gouge.collide(pair, gouge.Contact(1e4, restitution=e), t, steps=8000)
        more = math.exp(-beta / root * until)
        assert float(free.velocity[-1, 1, 0]) == pytest.approx(more, abs=3e-4) and more > e
        assert float(jnp.sum(free.velocity[-1, :, 0])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("spheres", "factor"), [(False, 2.0), (True, 2.5)])
def test_oblique_impact_that_slides_throughout(spheres, factor):
    """v_x' = v_x − μ (1 + e) v_z, ω' = 2 μ (1 + e) v_z/r of a disc, 5/2 of a sphere."""
    mu = 0.1
    law = gouge.Contact(1e6, restitution=0.9, friction=mu, pulls=True)
    velocity, spin = thrown([3.0, -1.0], law, spheres=spheres)
    # Friction has no cap below zero force, so the impulse of the pull at the end does not count
    impulse = 1 + velocity[1]
    assert velocity[0] == pytest.approx(3 - mu * impulse, abs=2e-3)
    assert -spin * 0.5 == pytest.approx(factor * mu * impulse, rel=0.02)


def test_published_impact_of_an_aluminium_sphere():
    """Hertz and Mindlin; velocities and spin as a published code gives them."""
    law = gouge.HertzContact(7e10, 0.33, restitution=0.98, friction=0.092)
    velocity, spin = thrown(
        [2.5069, -2.9876], law, radius=2.5e-3, density=2700, spheres=True, time=4e-5, steps=4000
    )
    np.testing.assert_allclose(velocity, [1.96265, 2.92784], rtol=1e-3)
    assert -spin == pytest.approx(544.254, rel=5e-3)


def test_published_overlap_of_glass_spheres():
    """δ_max = (15 m v²/(16 E* √R))^(2/5), with m and R of the pair; published 2.7411e-4 m."""
    radius, E, nu, v = 0.01, 4.8e10, 0.2, 20.0
    pair = gouge.Grains(
        [[0.0, 0.0], [2 * radius, 0.0]], [radius, radius], [[v / 2, 0.0], [-v / 2, 0.0]],
        density=2800, spheres=True,
    )  # fmt: skip
    law = gouge.HertzContact(E, nu, restitution=1.0)
    flight = gouge.collide(pair, law, np.array([0.0, 1e-4]), steps=8000)
    mass, plane = float(pair.mass[0]) / 2, E / (2 * (1 - nu**2))
    exact = (15 * mass * v**2 / (16 * plane * math.sqrt(radius / 2))) ** 0.4
    assert float(flight.overlap) * radius == pytest.approx(exact, rel=1e-5)
    assert exact == pytest.approx(2.7411e-4, rel=1e-4)
    np.testing.assert_allclose(flight.velocity[-1, :, 0], [-v / 2, v / 2], rtol=1e-5)


def rolling(friction, rolling, spin, time, speed):
    """A disc that rests on the floor by its weight, sent off; velocities at the end."""
    radius, density, stiffness = 0.1, 1000.0, 1e8
    weight = density * math.pi * radius**2 * GRAVITY
    grain = gouge.Grains(
        [[0.0, radius - weight / stiffness]], [radius], [[speed, 0.0]], [spin], density=density
    )
    law = gouge.Contact(stiffness, restitution=0.2, friction=friction, rolling=rolling)
    flight = gouge.collide(
        grain, law, np.linspace(0, time, 5), steps=8000, gravity=(0.0, -GRAVITY), floor=True
    )
    return np.asarray(flight.velocity[:, 0, 0]), np.asarray(flight.spin[:, 0]) * radius


def test_sliding_becomes_rolling():
    """u = u0 − μ g t until u = 2/3 u0 at t = u0/(3 μ g), and rolling from then on."""
    mu, u0 = 0.3, 1.0
    until = u0 / (3 * mu * GRAVITY)
    u, spun = rolling(mu, 0.0, 0.0, until, u0)
    np.testing.assert_allclose(u, u0 * (1 - np.linspace(0, 1, 5) / 3), rtol=1e-4)
    assert -spun[-1] == pytest.approx(2 / 3 * u0, rel=2e-3)


def test_rolling_resistance_slows_a_spin():
    """ω = ω0 − 2 μ_r g t/R without friction, and stays at rest at the end."""
    cap, spun0 = 0.05, 0.5
    until = spun0 / (2 * cap * GRAVITY)
    _, spun = rolling(0.0, cap, spun0 / 0.1, until * 2, 0.0)
    np.testing.assert_allclose(spun[:2], spun0 * np.array([1.0, 0.5]), rtol=2e-3)
    np.testing.assert_allclose(spun[3:], 0.0, atol=0.02 * spun0)


def test_bounces_lose_a_share_of_their_height():
    """h_k = r + e^(2k) (h_0 − r)."""
    e, radius, h0 = 0.8, 0.1, 0.6
    grain = gouge.Grains([[0.0, h0]], [radius], density=1000.0)
    law = gouge.Contact(1e9, restitution=e, friction=0.0, pulls=True)
    flight = gouge.collide(
        grain, law, np.linspace(0, 1.4, 141), steps=1000, gravity=(0.0, -GRAVITY), floor=True
    )
    y, vy = np.asarray(flight.position[:, 0, 1]), np.asarray(flight.velocity[:, 0, 1])
    # Height that the energy would lift it to, between the bounces
    height = y + vy**2 / (2 * GRAVITY)
    for k in range(3):
        expected = radius + e ** (2 * k) * (h0 - radius)
        assert np.min(np.abs(height - expected)) < 0.02 * (expected - radius)


def test_no_impact_gains_energy():
    """A thousand at all angles and spins, whatever the friction and restitution."""
    rng = np.random.default_rng(0)
    n = 1000
    angle = rng.uniform(0, math.pi / 2, n)
    velocity = jnp.asarray(np.stack([np.sin(angle), -np.cos(angle)], -1))
    spin, friction = rng.normal(0, 4, n), 10 ** rng.uniform(-2, 0.3, n)
    restitution, ratio = rng.uniform(0.1, 1, n), rng.uniform(0, 1, n)

    @jax.jit
    @jax.vmap
    def after(velocity, spin, friction, restitution, ratio):
        grain = gouge.Grains([[0.0, 0.5]], [0.5], velocity[None], spin[None], density=1.0)
        law = gouge.Contact(
            1e4, ratio, restitution, friction, tangential_damping=0.3, rolling=0.1 * friction
        )
        flight = gouge.collide(grain, law, jnp.array([0.0, 0.2]), steps=2000, floor=True)
        return flight.velocity[-1, 0], flight.spin[-1, 0], flight.position[-1, 0, 1]

    v, w, y = after(velocity, *map(jnp.asarray, (spin, friction, restitution, ratio)))
    left = np.asarray(y) > 0.5  # those that hardly fall are still in contact
    assert left.mean() > 0.8
    before = 1 + 0.5 * 0.25 * spin**2  # 2E/m = v² + R²ω²/2
    after_all = np.sum(np.asarray(v) ** 2, -1) + 0.5 * 0.25 * np.asarray(w) ** 2
    assert (after_all[left] <= before[left] * (1 + 1e-6)).all()


@pytest.mark.parametrize("friction", [0.05, 5.0], ids=["sliding", "sticking"])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_through_an_impact(friction, mode):
    """With respect to stiffness, restitution, friction, speed: as central differences say."""

    def outcome(p):
        grain = gouge.Grains([[0.0, 0.5001]], [0.5], jnp.array([[p[3], -1.0]]), density=1.0)
        law = gouge.Contact(1e4 * p[0], 2 / 3, p[1], p[2])
        flight = gouge.collide(grain, law, jnp.array([0.0, 0.02]), steps=400, floor=True)
        return jnp.append(flight.velocity[-1, 0], flight.spin[-1, 0])

    outcome = jax.jit(outcome)
    p = jnp.array([1.0, 0.7, friction, 1.0])
    jacobian = (jax.jacfwd if mode == "forward" else jax.jacrev)(outcome)(p)
    h = 1e-6
    differences = [(outcome(p.at[i].add(h)) - outcome(p.at[i].add(-h))) / (2 * h) for i in range(4)]
    np.testing.assert_allclose(jacobian, np.stack(differences, -1), atol=1e-5)


def test_friction_that_grows_with_the_rate():
    """Steady sliding on a rate-dependent contact: F = (μ + ã ln(V/V_ref)) N; rest is at rest."""
    mu, rate, reference = 0.4, 0.02, 1e-3
    law = gouge.Contact(1e4, friction=mu, rate=rate, reference=reference)
    one = jnp.ones(1)
    touch = gouge.Touch(1e-2 * one, 0 * one, 0 * one, 0 * one, 0.25 * one, one)
    for speed in (1e-4, 1e-2, -1e-2):
        springs = gouge.Springs(0 * one, 0 * one)
        for _ in range(40):
            forces, springs = law.forces(touch._replace(shear=speed * one), springs, 100.0)
        expected = mu + rate * math.log(abs(speed) / reference)
        assert float(-forces.tangential[0] / forces.normal[0]) == pytest.approx(
            math.copysign(expected, speed), rel=1e-6
        )
    # One long step is as good as many short ones, as the velocity is constant
    start = gouge.Springs(1e-3 * one, 0 * one)
    moving = touch._replace(shear=3e-3 * one)
    long = law.forces(moving, start, 0.5)[1].shear
    short = start
    for _ in range(50):
        short = law.forces(moving, short, 0.01)[1]
    np.testing.assert_allclose(long, short.shear, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: gouge.Contact(-1.0), "normal_stiffness must be positive"),
        (lambda: gouge.Contact(1e4, restitution=1.2), "restitution must be at most 1"),
        (lambda: gouge.Contact(1e4, friction=-0.1), "friction must not be negative"),
        (lambda: gouge.Grains([[0.0, 0.0]], [-1.0]), "radius must be positive; grain 0"),
        (lambda: gouge.Grains([[0.0, 0.0]], [1.0, 2.0]), "position must have shape \\(2, 2\\)"),
        (lambda: gouge.Grains([[0.0, 0.0]], [1.0], density=0.0), "density must be positive"),
    ],
)
def test_bad_numbers_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()

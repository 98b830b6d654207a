"""Contacts that see each other: closed forms, boundary elements, symmetries, derivatives."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import contact, records

E, SIGMA = 1.4e6, 4e5
N = 16  # asperities in the one program of this file; those that are not there are masked
x64 = pytest.mark.x64


def square_lattice(s):
    """Σ r^(−2s) over the square lattice of side 1, less its mean where it diverges: 4 ζ(s) β(s).

    Source: G. H. Hardy, in M. L. Glasser, J. Math. Phys. 14 (1973) 409.
    """
    zeta = alternating(lambda k: (k + 1) ** -s) / (1 - 2 ** (1 - s))
    return 4 * zeta * alternating(lambda k: (2 * k + 1) ** -s)


def alternating(term):
    """Σ (−1)^k term(k), by averaging its partial sums again and again (Euler)."""
    k = np.arange(80.0)
    sums = np.cumsum((-1) ** k * term(k))[40:]
    while len(sums) > 1:
        sums = (sums[1:] + sums[:-1]) / 2
    return sums[0]


FIRST, THIRD = square_lattice(0.5), square_lattice(1.5)


@jax.jit
def found(height, radius, mask, position, loads, period):
    surface = contact.Asperities(height, radius, mask)
    material = contact.Material(E, SIGMA)
    return contact.interacting_contacts(surface, position, material, loads, period=period)


def solve(height, radius, position, loads, period=None):
    """In NumPy, without the masked rows, of which the positions are no numbers."""
    n, empty = len(height), N - len(height)
    mask = np.arange(N) < n
    position = np.pad(np.asarray(position), ((0, empty), (0, 0)), constant_values=np.nan)
    if period is not None:
        period = jnp.broadcast_to(jnp.asarray(period, float), (2,))
    loads = np.concatenate([loads, np.zeros(4 - len(loads))])
    args = (np.pad(height, (0, empty)), np.pad(radius, (0, empty)))
    result = found(*map(jnp.asarray, (*args, mask, position, loads)), period)
    assert result.status.ok, result.status
    assert not np.any(result.force[:, n:]) and not np.any(result.radius[:, n:])
    return jax.tree_util.tree_map(np.asarray, result)


def hertz(R, P, curvature=0.0):
    """Contact radius and indentation, a³ = 3P/(4 E κ), δ = κ a², of a sphere that is bent."""
    kappa = 1 / R + curvature
    a = np.cbrt(3 * P / (4 * E * kappa))
    return a, kappa * a**2


def draw(n, spacing, seed, depth=8e-6):
    """Unequal spheres on a square lattice, and loads up to contacts of a quarter of the spacing."""
    rng = np.random.default_rng(seed)
    height, radius = -rng.exponential(depth, n), rng.uniform(4e-4, 8e-4, n)
    return height, radius, records.lattice(n, spacing)


# Closed forms -------------------------------------------------------------------------------------


def test_two_equal_spheres(exact):
    """Each bends by P/(π E r³) on average and sinks by P/(π E) (1/r + a²/(10 r³))."""
    R, r = 5e-4, 4e-4
    P = np.array([1e-5, 1e-3, 4e-3])
    curve = solve([0.0, 0.0], [R, R], [[0, 0], [0, r]], 2 * P).curve
    a, delta = hertz(R, P, P / (2 * math.pi * E * r**3))
    x = delta + P / (math.pi * E) * (1 / r + a**2 / (10 * r**3))
    np.testing.assert_allclose(curve.indentation[:3], x, rtol=exact)
    np.testing.assert_allclose(curve.area[:3], 2 * math.pi * a**2, rtol=exact)
    np.testing.assert_allclose(curve.friction, SIGMA * curve.area, rtol=exact)
    np.testing.assert_allclose(curve.contact_radius[:3], a, rtol=exact)
    np.testing.assert_allclose(curve.indentation_ratio[:3], delta / R, rtol=1e-2)
    assert list(curve.contact_count) == [2, 2, 2, 0] and curve.area[3] == 0


@pytest.mark.parametrize("aspect", [1, 2, 4])
def test_a_lattice_of_equal_spheres(aspect, exact):
    """Σ 1/r and Σ 1/r³ of the lattice, however many spheres a cell holds."""
    R, s = 5e-4, 4e-4
    P = np.array([1e-4, 3e-3])
    position = np.stack([s * np.arange(aspect) + 0.3 * s, np.full(aspect, 17.2 * s)], -1)
    shape = [0.0] * aspect, [R] * aspect
    a, delta = hertz(R, P, THIRD * P / (2 * math.pi * E * s**3))
    x = delta + P / (math.pi * E) * (FIRST / s + THIRD * a**2 / (10 * s**3))
    for place, period in ((position, (aspect * s, s)), (position[:, ::-1], (s, aspect * s))):
        curve = solve(*shape, place, aspect * P, period).curve
        np.testing.assert_allclose(curve.indentation[:2], x, rtol=exact)
        np.testing.assert_allclose(curve.area[:2], aspect * math.pi * a**2, rtol=exact)


@pytest.mark.parametrize("ratio", [4.0, 8.0])
def test_a_sphere_touches_where_the_surface_has_sunk_to(ratio):
    """Outside of one contact the surface sinks by Hertz' own arcsine (Johnson 1985, eq. 3.42a)."""
    R, P = 5e-4, 4e-3
    a, delta = hertz(R, P)
    r, p0 = ratio * a, 3 * P / (2 * math.pi * a**2)
    arc = (2 * a**2 - r**2) * math.asin(1 / ratio) + r * a * math.sqrt(1 - 1 / ratio**2)
    u = p0 / (2 * a * E) * arc
    # 0.1 % of the sinking makes the second sphere touch or keep clear; a point load would be 0.6 %
    # off at r = 4 a
    for depth, touching in ((delta - 1.001 * u, 2), (delta - 0.999 * u, 1)):
        curve = solve([0.0, -depth], [R, 7e-4], [[0, 0], [r, 0]], [P]).curve
        assert curve.contact_count[0] == touching


@given(seed=st.integers(0, 2**16))
def test_far_apart_contacts_are_independent(seed):
    height, radius, position = draw(N, 1.0, seed)
    loads = np.array([1e-4, 1e-3, 1e-2, 5e-2])
    alone = contact.friction_law(
        contact.Asperities(height, radius), contact.Material(E, SIGMA), jnp.asarray(loads)
    )
    for period in (None, 40.0):
        curve = solve(height, radius, position, loads, period).curve
        # a/r is 1e-4 at most
        np.testing.assert_allclose(curve.area, alone.area, rtol=1e-3)
        np.testing.assert_allclose(curve.indentation, alone.indentation, rtol=1e-2)


# Boundary elements --------------------------------------------------------------------------------


def boundary_elements(surface, size, load, tolerance=1e-7):
    """Pressure and displacement under a rigid plane: conjugate gradients on a periodic half-space.

    `surface` holds heights on a grid of square pixels. û = 2 p̂/(E |q|), and no mean displacement.
    Source: I. A. Polonsky and L. M. Keer, Wear 231 (1999) 206.
    """
    n, m = surface.shape
    q = 2 * math.pi * np.hypot(np.fft.fftfreq(n, size)[:, None], np.fft.rfftfreq(m, size)[None, :])
    q[0, 0] = np.inf
    mean = load / (n * m * size**2)

    def displaced(p):
        return np.fft.irfft2(2 / (E * q) * np.fft.rfft2(p), (n, m))

    p, t, before, conjugate = np.full((n, m), mean), np.zeros((n, m)), 1.0, False
    for _ in range(400):
        on = p > 0
        gap = displaced(p) - surface
        gap -= gap[on].mean()
        square = (gap[on] ** 2).sum()
        t = np.where(on, gap + conjugate * square / before * t, 0.0)
        r = displaced(t)
        r -= r[on].mean()
        step = (gap[on] * t[on]).sum() / (r[on] * t[on]).sum()
        old, p = p, np.maximum(p - step * t, 0)
        inside = (p == 0) & (gap < 0)
        p[inside] -= step * gap[inside]
        before, conjugate = square, not inside.any()
        p *= mean / p.mean()
        if np.abs(p - old).sum() < tolerance * p.sum():
            return p, displaced(p)
    raise AssertionError("the boundary elements did not converge")


def measured(height, radius, position, cells, spacing, pixels, load):
    """Area, the load of each sphere, and the height of the plane; each sphere fills its cell."""
    size = spacing / pixels
    x, y = ((np.arange(c * pixels) + 0.5) * size for c in cells)
    # Nearest of all spheres and their images
    squares = []
    for centre in position:
        dx, dy = (
            (axis - c + period / 2) % period - period / 2
            for axis, c, period in zip((x, y), centre, np.multiply(cells, spacing), strict=True)
        )
        squares.append(dx[:, None] ** 2 + dy[None, :] ** 2)
    owner = np.argmin(squares, 0)
    surface = height[owner] - np.min(squares, 0) / (2 * radius[owner])
    p, u = boundary_elements(surface, size, load)
    on = p > 0
    edges = sum((on != np.roll(on, 1, axis)).sum() for axis in (0, 1))
    # Pixels are counted, less what their staircase edge adds (Yastrebov et al., Wear 2017)
    area = (on.sum() - (math.pi - 1 + math.log(2)) / 24 * edges) * size**2
    loads = np.bincount(owner.ravel(), p.ravel(), len(height)) * size**2
    return area, loads, (surface - u)[on].mean()


@pytest.mark.parametrize(
    ("cells", "ratio", "pixels", "close"),
    [
        ((2, 2), 0.05, 320, 1e-4),
        ((4, 4), 0.1, 160, 2e-4),
        ((4, 2), 0.18, 192, 4e-4),
        ((4, 4), 0.25, 192, 1.2e-3),
        # What the model leaves out, (a/r)⁵, begins to be seen
        ((4, 4), 0.35, 128, 5e-3),
    ],
)
def test_boundary_elements(cells, ratio, pixels, close):
    """Area, loads and height of the plane, at contact radii of 0.05 to 0.35 of the spacing."""
    spacing = 4e-4
    n = math.prod(cells)
    rng = np.random.default_rng(n)
    R = rng.uniform(4e-4, 8e-4, n)
    i, j = np.divmod(np.arange(n), cells[1])
    position = (np.stack([i, j], -1) + 0.5 + rng.uniform(-0.05, 0.05, (n, 2))) * spacing
    # All heights within half of the indentation of a mean sphere: nearly all touch
    a = 0.9 * ratio * spacing
    height = -0.5 * a**2 / R.mean() * rng.random(n)
    load = n * 4 / 3 * E * a**3 / R.mean()
    period = np.multiply(cells, spacing)
    area, loads, plane = measured(height, R, position, cells, spacing, pixels, load)
    together = solve(height, R, position, [load], period)
    alone = contact.friction_law(
        contact.Asperities(height, R), contact.Material(E, SIGMA), jnp.array([load])
    )
    assert abs(together.curve.contact_radius[0] / spacing / ratio - 1) < 0.25
    # Of contacts some 16 to 48 pixels in radius, whose area is counted to 0.3 %; independent ones
    # are 1.8 % off at a ratio of 0.25, and 4.7 % at 0.35
    assert together.curve.area[0] == pytest.approx(area, rel=4e-3 if ratio < 0.3 else 7e-3)
    if ratio >= 0.25:
        assert alone.area[0] / area - 1 > 1.5e-2
    delta = np.maximum(np.asarray(alone.indentation[0]) - (height.max() - height), 0)
    independent = 4 / 3 * E * np.sqrt(R) * delta**1.5
    off, off_alone = (
        np.sqrt(np.mean((x - loads) ** 2)) / loads.mean()
        for x in (together.force[0, :n], independent)
    )
    assert off < close and off_alone > 8e-3 and off_alone > 10 * off
    indentation = height.max() - plane
    assert together.curve.indentation[0] == pytest.approx(indentation, abs=close * delta.max())
    assert abs(alone.indentation[0] - indentation) > 0.06 * delta.max()


# Symmetries ---------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), scale=st.floats(-1, 1))
def test_only_what_is_relative_counts(seed, scale, exact):
    """Places in any order, moved, turned; all lengths and √load larger by one factor."""
    rng = np.random.default_rng(seed)
    height, radius, position = draw(N, 4e-4, seed)
    position = position + rng.uniform(-5e-5, 5e-5, (N, 2))
    loads = np.array([1e-4, 1e-3, 6e-3, 1e-2])
    order = rng.permutation(N)
    factor, moved = 10.0**scale, rng.uniform(-1e-3, 1e-3, 2)
    angle = rng.uniform(0, 6)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for period, turned in ((None, position @ turn), (16e-4, position[:, ::-1])):
        one = solve(height, radius, position, loads, period)
        other = solve(
            factor * height[order], factor * radius[order], factor * (turned[order] + moved),
            factor**2 * loads, None if period is None else factor * period,
        )  # fmt: skip
        close = 20 * exact
        np.testing.assert_allclose(other.curve.area, factor**2 * one.curve.area, rtol=close)
        np.testing.assert_allclose(
            other.force / factor**2, one.force[:, order], rtol=close, atol=close * 1e-3
        )
        np.testing.assert_allclose(one.force.sum(-1), loads, rtol=exact)
        if period is None:  # what contacts do to each other only adds to what the plane comes down
            delta = contact.friction_law(
                contact.Asperities(height, radius), contact.Material(E, SIGMA), jnp.asarray(loads)
            ).indentation
            assert np.all(one.curve.indentation > delta * (1 - exact))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16))
def test_a_cell_may_hold_several_cells(seed, exact):
    """Four spheres in a cell; two cells side by side; four."""
    rng = np.random.default_rng(seed)
    height, radius, position = draw(4, 4e-4, seed)
    position = position + rng.uniform(-5e-5, 5e-5, (4, 2))
    loads, s = np.array([1e-4, 1e-3, 2.5e-3]), 8e-4
    one = solve(height, radius, position, loads, s)
    for shifts in ([[0, 0], [s, 0]], [[0, 0], [0, s]], [[0, 0], [0, s], [s, 0], [s, s]]):
        count = len(shifts)
        places = np.concatenate([position + np.array(shift) for shift in shifts])
        period = s + np.max(shifts, 0)
        many = solve(np.tile(height, count), np.tile(radius, count), places, count * loads, period)
        np.testing.assert_allclose(
            many.curve.indentation, one.curve.indentation, rtol=20 * exact, atol=1e-11
        )
        np.testing.assert_allclose(many.force[:, :4], one.force[:, :4], rtol=20 * exact, atol=1e-9)


def test_a_few_in_a_wide_cell_stand_alone():
    """What images add is the same for all, but for terms that vanish with the cube of the cell."""
    height, radius, position = draw(N, 4e-4, 3)
    loads = np.array([1e-3, 1e-2])
    alone = solve(height, radius, position, loads)
    for width in (20, 40):
        cell = width * 4e-4
        lattice = solve(height, radius, position, loads, cell)
        np.testing.assert_allclose(lattice.force, alone.force, rtol=20 / width**3, atol=1e-9)
        common = loads * FIRST / (math.pi * E * cell)
        found = (lattice.curve.indentation - alone.curve.indentation)[:2]
        np.testing.assert_allclose(found, common, rtol=1 / width)


# Derivatives --------------------------------------------------------------------------------------


def outputs(p, periodic):
    """A sum of all that is returned, each in its unit."""
    surface = contact.Asperities(1e-6 * p["height"], 1e-4 * jnp.exp(p["radius"]))
    material = contact.Material(E * jnp.exp(p["modulus"]), SIGMA)
    loads = 1e-3 * p["loads"]
    period = 1e-3 * p["period"] if periodic else None
    result = contact.interacting_contacts(
        surface, 1e-4 * p["position"], material, loads, period=period
    )
    weight = jnp.cos(jnp.arange(4 * N, dtype=loads.dtype)).reshape(4, N)
    curve = result.curve
    return (
        jnp.sum(curve.friction * jnp.array([3.0, 2.0, 1.0, 0.5]))
        + 1e2 * jnp.sum(weight * result.force)
        + 1e4 * jnp.sum(curve.indentation)
    )


@x64
@pytest.mark.slow
@pytest.mark.parametrize("periodic", [False, True])
def test_derivatives_are_those_of_differences(periodic):
    """First ones in both modes, second ones, in every argument at once; some do not touch."""
    height, radius, position = draw(N, 4e-4, 5)
    p = {
        "height": height * 1e6, "radius": np.log(radius * 1e4), "position": position * 1e4,
        "modulus": 0.0, "loads": np.array([0.5, 2.0, 5.0, 9.0]), "period": np.array([1.7, 1.8]),
    }  # fmt: skip
    p = jax.tree_util.tree_map(jnp.asarray, p)
    rng = np.random.default_rng(0)
    direction = jax.tree_util.tree_map(lambda x: jnp.asarray(rng.normal(size=x.shape)), p)
    step = 1e-5

    def at(k):
        return jax.tree_util.tree_map(lambda x, d: x + k * step * d, p, direction)

    @jax.jit
    def slopes(p):
        def along(p):
            return jax.jvp(lambda p: outputs(p, periodic), (p,), (direction,))[1]

        value, reverse = jax.value_and_grad(lambda p: outputs(p, periodic))(p)
        return value, reverse, *jax.value_and_grad(along)(p)

    def dot(a):
        return sum(
            jnp.vdot(x, d)
            for x, d in zip(*map(jax.tree_util.tree_leaves, (a, direction)), strict=True)
        )

    (_, reverse, forward, second), plus, minus = slopes(p), slopes(at(1)), slopes(at(-1))
    assert float(forward) == pytest.approx(float(dot(reverse)), rel=1e-9)
    assert float(forward) == pytest.approx(float(plus[0] - minus[0]) / (2 * step), rel=1e-6)
    difference = float(plus[2] - minus[2]) / (2 * step)
    assert float(dot(second)) == pytest.approx(difference, rel=1e-5)


@x64
def test_contacts_answer_each_other_alike():
    """∂P_i/∂h_j = ∂P_j/∂h_i at a fixed load: the loads minimise one energy (Maxwell, Betti)."""
    height, radius, position = draw(N, 4e-4, 6)

    def forces(height, period):
        surface = contact.Asperities(height, jnp.asarray(radius))
        material = contact.Material(E, SIGMA)
        at = jnp.asarray(position)
        return contact.interacting_contacts(
            surface, at, material, jnp.array([1e-2]), period=period
        ).force[0]

    slopes = jax.jit(jax.jacfwd(forces))
    for period in (None, 1.6e-3):
        J = np.asarray(slopes(jnp.asarray(height), period))
        size = np.abs(J).max()
        assert 0 < np.count_nonzero(J.diagonal()) and np.all(J.diagonal() >= 0)
        np.testing.assert_allclose(J, J.T, atol=1e-10 * size)
        np.testing.assert_allclose(J.sum(0), 0, atol=1e-10 * size)


# Batches, outcomes, bad input ---------------------------------------------------------------------


def test_a_batch_survives_its_bad_members():
    height, radius, position = (jnp.asarray(x) for x in draw(N, 4e-4, 7))
    loads = jnp.array([1e-3, 2e-3, 5e-3, 1e-2])
    mask = jnp.ones(N, bool)
    period = jnp.full(2, 16e-4)
    same = position.at[3].set(position[8])
    lost = position.at[2, 1].set(jnp.nan)
    places = jnp.stack([position, same, lost, position, position, position])
    periods = jnp.stack([period] * 5 + [jnp.array([16e-4, 2.0])])
    heights = jnp.stack([height] * 6)
    many = jnp.stack([loads, loads, loads, 1e3 * loads, -loads, loads])
    batch = jax.jit(jax.vmap(found, (0, None, None, 0, 0, 0)))(
        heights, radius, mask, places, many, periods
    )
    O = contact.InteractionOutcome  # noqa: E741, N806
    expected = [
        O.successful, O.bad_position, O.bad_position, O.merged, O.bad_load, O.bad_position,
    ]  # fmt: skip
    for k, outcome in enumerate(expected):
        assert (batch.status.outcome == outcome)[k], (k, str(batch.status))
    one = found(height, radius, mask, position, loads, period)
    np.testing.assert_allclose(batch.force[0], one.force, rtol=1e-4, atol=1e-9)
    assert "farther apart" in str(batch.status) and "16 asperities" in str(one)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"position": np.zeros((3, 2))}, r"position must have shape \(2, 2\)"),
        ({"position": np.zeros((2, 2))}, "asperity 0 shares its position"),
        ({"position": np.array([[0, 0], [0, np.inf]])}, "that of asperity 1 is not"),
        ({"period": -1.0}, "period must be positive"),
        ({"period": (1.0, 4.1)}, "repeat the cell along its shorter side"),
        ({"period": np.ones(3)}, "one length or two"),
        ({"loads": np.array([-1.0])}, "loads must be finite and >= 0"),
        ({"exponent": 2.0}, "leave exponent out"),
        ({"rounds": 0}, "rounds must be at least 1"),
    ],
)
def test_bad_input_is_named(change, says):
    arguments = {
        "position": np.array([[0, 0], [0, 1e-3]]),
        "loads": np.array([1e-3]),
        "period": None,
    }
    surface = contact.Asperities([0.0, 0.0], [5e-4, 5e-4], exponent=change.pop("exponent", None))
    arguments |= change
    position, loads = arguments.pop("position"), arguments.pop("loads")
    material = contact.Material(E, SIGMA)
    with pytest.raises(ValueError, match=says):
        if "rounds" in arguments:
            contact.refine_interacting(surface, position, material, loads, loads, **arguments)
        contact.interacting_friction_law(surface, position, material, loads, **arguments)


# Design -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("periodic", [False, True])
def test_a_design_meets_its_target_with_its_neighbours(periodic):
    """At a radius of 0.24 of the spacing, where the design of independent contacts misses it."""
    n, spacing = 64, 4e-4
    height, radius, position = draw(n, spacing, 0)
    start = contact.Asperities(height, radius)
    material, loads = contact.Material(E, 1e5), jnp.linspace(0, 0.075, 33)
    target = 0.067 * (loads / 0.075) ** 0.68
    options = {"radius_bounds": (2e-4, 1e-3)}
    period = 8 * spacing if periodic else None

    def law(surface):
        return contact.interacting_friction_law(surface, position, material, loads, period=period)

    alone = contact.refine(start, material, loads, target, **options)
    design = contact.refine_interacting(
        start, position, material, loads, target, period=period, **options
    )
    curve = law(design.surface)
    assert design.usable and 0.23 < curve.contact_ratio(spacing)[-1] < 0.26
    missed, error = (contact.smape(law(d.surface).friction, target) for d in (alone, design))
    assert error < 0.05 and missed > 0.2 and missed > 8 * error
    np.testing.assert_allclose(curve.friction, target, rtol=2e-3)
    np.testing.assert_allclose(design.friction, curve.friction, rtol=1e-4)
    np.testing.assert_array_equal(design.target, target)
    assert np.all((design.surface.radius >= 1.999e-4) & (design.surface.radius <= 1.001e-3))


def test_radius_bounds_are_those_of_the_start():
    height, radius, position = draw(N, 4e-4, 1)
    start = contact.Asperities(height, radius)
    loads = jnp.linspace(1e-3, 1e-2, 10)
    material = contact.Material(E, SIGMA)
    target = 0.04 * (loads / 1e-2) ** 0.7
    design = contact.refine_interacting(start, position, material, loads, target)
    assert np.all(design.surface.radius >= radius.min() / 2 * 0.999)
    assert np.all(design.surface.radius <= radius.max() * 2 * 1.001)
    with pytest.raises(ValueError, match="give radius_bounds"):
        jax.jit(lambda s: contact.refine_interacting(s, position, material, loads, target).error)(
            start
        )

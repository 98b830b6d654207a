"""Measured surfaces: summits, their spheres and their law, against closed forms and elements."""

import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import brentq
from scipy.special import ellipe, ellipk

from jaxfric import contact, records
from jaxfric.cli._contact import Reading, run_contact

E, SIGMA = 1.4e6, 4e5
MATERIAL = contact.Material(E, SIGMA)
DX = 1e-6
x64 = pytest.mark.x64


def grid(ny, nx, dx=DX, dy=None):
    return np.meshgrid(dx * np.arange(nx), (dy or dx) * np.arange(ny))


def cap(at, curvature, angle=0.0, shape=(15, 15), dx=DX, dy=None, height=0.0):
    """A paraboloid of two principal curvatures."""
    x, y = grid(*shape, dx, dy)
    c, s = math.cos(angle), math.sin(angle)
    u, v = c * (x - at[0]) + s * (y - at[1]), c * (y - at[1]) - s * (x - at[0])
    return height - (curvature[0] * u**2 + curvature[1] * v**2) / 2


def the(found):
    """The one summit that is an asperity; NumPy, for JAX would compile for each number of them."""
    assert found.used.sum() == 1
    i = int(np.argmax(found.used))
    radius, height = np.asarray(found.surface.radius), np.asarray(found.surface.height)
    return i, radius[i], height[i], found.position[i]


# Paraboloids --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    curvature=st.tuples(st.floats(1e3, 1e5), st.floats(1e3, 1e5)),
    angle=st.floats(0, math.pi),
    at=st.tuples(st.floats(6.0, 8.0), st.floats(6.0, 8.0)),
    aspect=st.floats(0.7, 1.4),
    window=st.sampled_from([3, 5, 7]),
    slopes=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
)
def test_a_paraboloid_is_found_as_it_is(curvature, angle, at, aspect, window, slopes):
    """Between pixels, turned, on pixels that are not square, and under any plane."""
    dy = aspect * DX
    place = at[0] * DX, at[1] * dy
    z = cap(place, curvature, angle, dx=DX, dy=dy, height=3e-6)
    low, high = sorted(curvature)
    found = contact.summits(records.HeightMap(z, DX, dy), detrend="none", window=window)
    i, R, h, p = the(found)
    np.testing.assert_allclose(R, 1 / math.sqrt(low * high), rtol=1e-5)
    np.testing.assert_allclose(h, 3e-6, rtol=1e-5)
    assert found.elliptic[i] == (high > 2 * low)
    np.testing.assert_allclose(p, place, rtol=1e-6)
    # The plane that is taken off takes a tilt with it, whatever the rest of the map looks like
    x, y = grid(15, 15, DX, dy)
    level = contact.summits(records.HeightMap(z, DX, dy), window=window)
    tilted = contact.summits(
        records.HeightMap(z + slopes[0] * x + slopes[1] * y + 1e-5, DX, dy), window=window
    )
    assert level.used.sum() == tilted.used.sum() <= 1
    if level.used.any():  # the plane of a cap that is off the middle tilts it, at times too far
        for one, other in zip(the(level), the(tilted), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-11)


def test_curvatures_and_flags_of_one_cap():
    found = contact.summits(
        records.HeightMap(cap((7.3 * DX, 7 * DX), (3e4, 1e4), 0.4), DX), detrend="none"
    )
    i, *_ = the(found)
    np.testing.assert_allclose(found.curvature[i], (3e4, 1e4), rtol=1e-9)
    assert found.elliptic[i] and not found.unresolved[i] and not found.at_border[i]
    assert found.residual[i] < 1e-15 and found.pixels[i] >= 13
    round_one = contact.summits(records.HeightMap(cap((7 * DX,) * 2, (1.9e4, 1e4)), DX))
    assert not round_one.elliptic.any()
    assert "1 elliptic" in str(found) and "0 unresolved" in str(found)


def elliptic_hertz(ratio, E=E):
    """a·b and δ of an elliptic contact of curvatures √ratio and 1/√ratio under unit load.

    Source: K. L. Johnson, Contact Mechanics (1985), eq. 4.26 to 4.28; m = e² = 1 − b²/a².
    """

    def excess(k):
        m = 1 - k**2
        return (ellipe(m) / k**2 - ellipk(m)) / (ellipk(m) - ellipe(m)) - ratio

    k = brentq(excess, 0.01, 0.999999)
    m = 1 - k**2
    # (1/R)/2 = p0 b (K − E)/(E* e² a²) of the flatter section, and p0 = 3P/(2π a b)
    a = (3 / (math.pi * E) * (ellipk(m) - ellipe(m)) / m * math.sqrt(ratio)) ** (1 / 3)
    return k * a**2, 3 * ellipk(m) / (2 * math.pi * E * a)


def test_the_sphere_of_an_elliptic_cap():
    """Area and load of the geometric mean, as `summits` states; the arithmetic mean is worse."""
    loads = jnp.array([1.0])
    for ratio, area_off, load_off in ((2.0, 0.0133, -0.0099), (3.0, 0.033, -0.0244)):
        area, delta = elliptic_hertz(ratio)
        r = math.sqrt(ratio)
        errors = {}
        for mean in (1.0, 2 / (r + 1 / r)):  # the curvatures are r and 1/r
            curve = contact.friction_law(
                contact.Asperities(jnp.zeros(1), jnp.full(1, mean)),
                contact.Material(E, SIGMA), loads,
            )  # fmt: skip
            load = 4 / 3 * E * math.sqrt(mean) * delta**1.5
            errors[mean] = float(curve.area[0]) / (math.pi * area) - 1, load - 1
        np.testing.assert_allclose(errors[1.0], (area_off, load_off), rtol=0.02)
        assert all(abs(x) < abs(y) for x, y in zip(*errors.values(), strict=True))


# Which pixels are summits -------------------------------------------------------------------------


def plateaus(z):
    """Connected pixels of one height that have no higher neighbour, by filling them."""
    seen, found = np.zeros(z.shape, bool), []
    for start in np.ndindex(z.shape):
        if seen[start]:
            continue
        seen[start], stack, members, top = True, [start], set(), True
        while stack:
            j, i = stack.pop()
            members.add((j, i))
            for b, a in np.ndindex(3, 3):
                near = j + b - 1, i + a - 1
                if not (0 <= near[0] < z.shape[0] and 0 <= near[1] < z.shape[1]):
                    continue
                top &= not z[near] > z[j, i]
                if z[near] == z[j, i] and not seen[near]:
                    seen[near] = True
                    stack.append(near)
        if top:
            found.append(members)
    return found


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), levels=st.integers(2, 12))
def test_every_plateau_has_one_summit(seed, levels):
    """Of maps with few heights, as coarse instruments round them: terraces are no summits."""
    z = np.random.default_rng(seed).integers(0, levels, (12, 17)).astype(float)
    z[4:7, 5:8] = levels + np.array([[0, 1, 0], [1, 2, 1], [0, 1, 0]])  # at least one cap
    found = contact.summits(records.HeightMap(z, 1.0), detrend="none", window=3)
    wanted = plateaus(z)
    # Where fits of several have one vertex they are one
    assert 0 < len(found.position) <= len(wanted)
    assert found.no_cap.sum() <= len(wanted) and len(wanted) - len(found.position) <= 3
    # Those without a cap stand on a pixel of their plateau
    pixels = {tuple(p[::-1].astype(int)) for p in found.position[found.no_cap]}
    assert all(sum(p in plateau for plateau in wanted) == 1 for p in pixels)
    assert all(len(plateau & pixels) <= 1 for plateau in wanted)


def test_of_summits_near_each_other_the_highest_is_kept():
    z = np.maximum(cap((4 * DX, 7 * DX), (1e5, 1e5)), cap((9 * DX, 7 * DX), (1e5, 1e5)) - 1e-9)
    count = [
        contact.summits(records.HeightMap(z, DX), detrend="none", apart=k, window=3).used.sum()
        for k in (1, 4, 5)
    ]
    assert count == [2, 2, 1]


def test_missing_pixels_and_borders_are_told():
    z = np.maximum(cap((7 * DX,) * 2, (1e5, 1e5)), cap((2 * DX, 12 * DX), (1e5, 1e5)) - 5e-7)
    z = np.maximum(z, cap((0, 3 * DX), (1e5, 1e5)) - 1e-7)
    z = np.maximum(z, cap((13 * DX, 2 * DX), (1e5, 1e5)) - 3e-7)
    z[6, 8] = z[8, 8] = z[14, 14] = np.nan
    found = contact.summits(records.HeightMap(z, DX), detrend="none")
    np.testing.assert_allclose(found.position, np.array([[7, 7], [0, 3], [13, 2], [2, 12]]) * DX,
                               atol=1e-12)  # fmt: skip
    # The fit goes without what is missing; what the border cuts through is left out
    assert list(found.used) == [True, False, True, True]
    np.testing.assert_allclose(np.asarray(found.surface.radius)[found.used], 1e-5, rtol=1e-5)
    assert list(found.beside_missing) == [True, False, False, False]
    assert list(found.at_border) == [False, True, True, False]
    assert "1 in the outermost pixels" in str(found)


def test_narrow_caps_are_unresolved_and_ridges_are_no_caps():
    x, y = grid(33, 33)
    waves = np.cos(2 * np.pi * x / (4 * DX)) * np.cos(2 * np.pi * y / (4 * DX))
    # So wide a window sees several waves, and what it fits to them is none
    found = contact.summits(records.HeightMap(1e-7 * waves, DX), detrend="none", window=11)
    assert found.used.any() and found.unresolved[found.used].all()
    assert not contact.summits(
        records.HeightMap(1e-7 * waves, DX), detrend="none", window=3
    ).unresolved.any()
    saddle = cap((7 * DX,) * 2, (2e4, -1e3))
    saddle[7, 7] += 1e-8
    saddle = np.maximum(saddle, cap((3 * DX, 3 * DX), (5e4, 5e4), height=1e-7))
    found = contact.summits(records.HeightMap(saddle, DX), detrend="none", window=7)
    middle = np.flatnonzero(np.isclose(found.position, 7 * DX).all(-1))
    assert found.no_cap[middle].all() and not found.used[middle].any() and middle.size == 1


# Under load ---------------------------------------------------------------------------------------


def test_contacts_at_the_largest_load():
    """Two equal spheres carry half each: a³ = 3PR/(8E), and R δ = a²."""
    R, P, s = 5e-4, 4e-3, 4e-4
    surface = contact.Asperities([0.0, -1.0, 0.0], [R, R, R])
    curve = contact.friction_law(surface, MATERIAL, jnp.array([P, 0.1 * P]))
    found = contact.under_load(surface, curve, position=[[0, 0], [s / 9, 0], [s, 0]])
    a = (3 * P * R / (8 * E)) ** (1 / 3)
    np.testing.assert_allclose(found.radius, [a, 0, a], rtol=1e-5)
    np.testing.assert_allclose(found.indentation, [a**2 / R, 0, a**2 / R], rtol=1e-5)
    np.testing.assert_allclose(found.share, [0.5, 0, 0.5], rtol=1e-5)
    # The one that does not touch is nobody's neighbour
    np.testing.assert_allclose(found.crowding, [a / s, 0, a / s], rtol=1e-5)
    assert not found.crowded.any() and list(found.touching) == [True, False, True]
    for spacing, crowded in ((1.99 * a, True), (2.01 * a, False)):
        place = [[0, 0], [9, 9], [0, spacing]]
        found = contact.under_load(surface, curve, position=place)
        assert list(found.crowded) == [crowded, False, crowded]
    assert "crowded: 2, 100 % of friction" in str(
        contact.under_load(surface, curve, position=[[0, 0], [9, 9], [0, a]])
    )
    assert contact.under_load(surface, curve).flags() == {}


def test_a_map_that_departs_from_its_sphere():
    """A worn cap under a contact wider than its flat top; a contact smaller than a pixel."""
    level = records.HeightMap(cap((7 * DX,) * 2, (2e4, 2e4)), DX)
    worn = records.HeightMap(np.minimum(level.height, -2e-7), DX)
    surface = contact.Asperities([0.0], [5e-5])
    loads = [4 / 3 * E * math.sqrt(5e-5) * delta**1.5 for delta in (3e-7, 1e-9)]
    curve = contact.friction_law(surface, MATERIAL, jnp.array(loads))
    small = contact.friction_law(surface, MATERIAL, jnp.array(loads[::-1]) * 1e-4)
    at = {"position": [[7 * DX] * 2]}
    assert not contact.under_load(surface, curve, height_map=level, **at).misfit[0]
    assert contact.under_load(surface, curve, height_map=worn, **at).misfit[0]
    assert contact.under_load(surface, small, height_map=level, **at).below_pixel[0]
    assert not contact.under_load(surface, curve, height_map=level, **at).below_pixel[0]


# Laws ---------------------------------------------------------------------------------------------


def hertz_law(height, radius, loads):
    """F(P) of independent spheres, the height of the plane found by halving."""
    friction = []
    for P in loads:
        depth = height.max() - height

        def carried(x, depth=depth):
            delta = np.maximum(x - depth, 0)
            return (4 / 3 * E * np.sqrt(radius) * delta**1.5).sum()

        x = brentq(lambda x, P=P: carried(x) - P, 0, 1e-2, xtol=1e-18, rtol=1e-15)
        friction.append(SIGMA * math.pi * (radius * np.maximum(x - depth, 0)).sum())
    return np.array(friction)


def spheres(n=64, seed=0):
    rng = np.random.default_rng(seed)
    height = 1e-4 - np.minimum(rng.exponential(8e-6, n), 5e-5)
    return records.lattice(n, 1.2e-3), height, rng.uniform(2e-4, 6e-4, n)


def machined(position, height, radius, dx, side=1e-2):
    """Spheres on a flat, as a profilometer sees them."""
    x = np.arange(-side / 2, side / 2, dx)
    z = np.zeros((x.size, x.size))
    for (px, py), h, R in zip(position, height, radius, strict=True):
        r2 = (x[None, :] - px) ** 2 + (x[:, None] - py) ** 2
        z = np.maximum(z, np.where(r2 < R**2, h - R + np.sqrt(np.maximum(R**2 - r2, 0)), 0))
    return records.HeightMap(z, dx)


def law_of(found, loads):
    return np.asarray(contact.friction_law(found.surface, MATERIAL, jnp.asarray(loads)).friction)


def test_a_map_of_known_spheres_has_their_law():
    """Heights, radii, places and friction of a machined part, from its map."""
    position, height, radius = spheres()
    loads = np.geomspace(1e-3, 0.5, 12)
    wanted = hertz_law(height, radius, loads)
    part = machined(position, height, radius, 2e-5)
    found = contact.summits(part, detrend="none")
    assert found.used.sum() == 64
    used, place = found.used, found.position[found.used] - 5e-3
    # Each stands on its place of the lattice
    away = np.hypot(*(place[:, None, i] - position[None, :, i] for i in (0, 1)))
    order = away.argmin(-1)
    assert np.array_equal(np.sort(order), np.arange(64)) and away.min(-1).max() < 1e-7
    np.testing.assert_allclose(np.asarray(found.surface.height)[used], height[order], atol=2e-7)
    np.testing.assert_allclose(np.asarray(found.surface.radius)[used], radius[order], rtol=0.025)
    np.testing.assert_allclose(law_of(found, loads), wanted, rtol=0.005)
    # A cap is a sphere and no paraboloid: what its sides add to the curvature goes as the window's
    # width squared
    off = [
        np.abs(law_of(contact.summits(part, detrend="none", window=w), loads) / wanted - 1).max()
        for w in (3, 9)
    ]
    assert off[0] < 0.0015 and 9 < off[1] / off[0] < 25


def test_caps_on_a_tilted_flat():
    """The flat is found below its caps, where the mean plane is tilted by them."""
    position, height, radius = spheres()
    loads = np.geomspace(1e-3, 0.5, 12)
    part = machined(position, height, radius, 2e-5)
    x, y = grid(*part.height.shape, part.dx)
    tilted = records.HeightMap(part.height + 0.01 * x - 0.003 * y + 1e-3, part.dx)
    level = law_of(contact.summits(part, detrend="none"), loads)
    off = [
        np.abs(law_of(contact.summits(tilted, detrend=plane), loads) / level - 1).max()
        for plane in ("base", "plane")
    ]
    assert off[0] < 1e-4 and 0.01 < off[1] < 0.05
    found = contact.summits(tilted, detrend="base")
    assert "base plane, which rises by 0.01 in x and -0.003 in y" in str(found)


def test_a_flat_of_which_a_third_shows():
    rng = np.random.default_rng(3)
    x, y = grid(256, 256, 4e-6)
    z = np.zeros(x.shape)
    for where, radius, height in zip(
        rng.uniform(0, 1e-3, (60, 2)), rng.uniform(6e-5, 1.4e-4, 60), rng.uniform(2e-5, 4e-5, 60),
        strict=True,
    ):  # fmt: skip
        z = np.maximum(z, height - ((x - where[0]) ** 2 + (y - where[1]) ** 2) / (2 * radius))
    assert 0.3 < np.mean(z == 0) < 0.4
    found = contact.summits(records.HeightMap(z + 0.002 * x - 0.001 * y, 4e-6), detrend="base")
    assert "rises by 0.002 in x and -0.001 in y" in str(found)


def test_noise_is_smoothed_by_a_window():
    position, height, radius = spheres()
    loads = np.geomspace(1e-2, 0.5, 6)
    part = machined(position, height, radius, 1e-5)
    noise = np.random.default_rng(1).normal(0, 5e-8, part.height.shape)
    rough = records.HeightMap(part.height + noise, 1e-5)
    found = contact.summits(rough, detrend="none", window=7, apart=10)
    np.testing.assert_allclose(law_of(found, loads), hertz_law(height, radius, loads), rtol=0.02)


def boundary_elements(surface, size, load):
    """Contact area under a rigid plane on a periodic half-space, û = 2 p̂/(E |q|).

    Source: I. A. Polonsky and L. M. Keer, Wear 231 (1999) 206; of what the staircase edge of pixels
    adds to the area, V. A. Yastrebov, G. Anciaux and J.-F. Molinari, Tribol. Int. 114 (2017) 161.
    """
    n = len(surface)
    q = 2 * math.pi * np.hypot(np.fft.fftfreq(n, size)[:, None], np.fft.rfftfreq(n, size))
    q[0, 0] = np.inf
    mean = load / (n * size) ** 2

    def sunk(p):
        return np.fft.irfft2(2 / (E * q) * np.fft.rfft2(p), (n, n))

    p, t, square, linked = np.full((n, n), mean), np.zeros((n, n)), 1.0, False
    for _ in range(300):
        on = p > 0
        gap = sunk(p) - surface
        gap -= gap[on].mean()
        before, square = square, (gap[on] ** 2).sum()
        t = np.where(on, gap + linked * square / before * t, 0)
        change = sunk(t)
        change -= change[on].mean()
        step = (gap[on] * t[on]).sum() / (change[on] * t[on]).sum()
        old, p = p, np.maximum(p - step * t, 0)
        again = (p == 0) & (gap < 0)
        p[again] -= step * gap[again]
        linked = not again.any()
        p *= mean / p.mean()
        if np.abs(p - old).sum() < 1e-7 * p.sum():
            break
    else:
        raise AssertionError("the boundary elements did not converge")
    edges = sum((on != np.roll(on, 1, axis)).sum() for axis in (0, 1))
    return (on.sum() - (math.pi - 1 + math.log(2)) / 24 * edges) * size**2


def test_boundary_elements_on_the_same_map():
    """Nine caps with curvatures up to 2 : 1, turned and uneven, on a periodic map of 128².

    From their summits alone the area is within 2 % up to contacts of 38 % of the whole, if contacts
    see each other; independent ones are 2 to 8 % off, and more crowded than the theory wants.
    """
    n, rng = 128, np.random.default_rng(0)
    side, z = n * DX, -np.inf
    for i in range(9):
        at = (np.array(divmod(i, 3)) + 0.5 + rng.uniform(-0.06, 0.06, 2)) * side / 3
        R, r, angle = rng.uniform(4e-5, 8e-5), rng.uniform(1, 2), rng.uniform(0, math.pi)
        h = -rng.exponential(2e-7)
        z = np.maximum(z, cap(at, (r**0.5 / R, r**-0.5 / R), angle, (n, n), height=h))
    found = contact.summits(records.HeightMap(z, DX), detrend="none")
    assert found.used.all() and found.used.size == 9
    loads = np.array([1e-4, 4e-4, 1e-3])
    area = np.array([boundary_elements(z, DX, P) for P in loads])
    law = (found.surface, MATERIAL, jnp.asarray(loads))
    together = contact.interacting_friction_law(law[0], found.position, *law[1:], period=side)
    alone = contact.friction_law(*law)
    assert together.status.ok
    np.testing.assert_allclose(together.area, area, rtol=0.02)
    off = np.asarray(alone.area) / area - 1
    assert 0.01 < off[0] < off[1] < off[2] and 0.06 < off[2] < 0.09
    loaded = contact.under_load(
        found.surface, alone, position=found.position, height_map=found.levelled
    )
    assert 0.35 < loaded.crowding.max() < 0.5 and loaded.touching.all()


# The command --------------------------------------------------------------------------------------


def table(path):
    return np.genfromtxt(path, delimiter=",", names=True)


@x64
def test_a_list_has_the_law_of_its_spheres(tmp_path, capsys):
    position, height, radius = spheres()
    path = records.write_asperities(tmp_path / "surface.csv", position, height, radius)
    law = run_contact(path, tmp_path / "out", max_load=0.5)
    wanted = hertz_law(height, radius, 0.5 * np.arange(1, 129) / 128)
    np.testing.assert_allclose(law.friction, wanted, rtol=1e-9)
    written = table(tmp_path / "out" / "law.csv")
    np.testing.assert_allclose(written["friction_N"], wanted, rtol=1e-9)
    assert {x.name for x in (tmp_path / "out").iterdir()} == {
        "contact.txt", "law.csv", "asperities.csv", "contact.json", "contact.png"
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert "64 asperities" in printed and "crowded: 0, 0 % of friction" in printed


@x64
def test_a_map_and_what_was_found_on_it(tmp_path, capsys):
    """The table of a map is a list, and has the map's law."""
    position, height, radius = spheres(16)
    part = machined(position, height, radius, 2e-5, side=6e-3)
    noisy = part.height.copy()
    noisy[5, 5] = np.nan
    np.save(tmp_path / "map.npy", noisy)
    reading = Reading(pixel=2e-5, detrend="none", window=3)
    law = run_contact(tmp_path / "map.npy", tmp_path / "a", max_load=0.2, reading=reading)
    assert "1 pixel missing" in capsys.readouterr().out
    again = run_contact(tmp_path / "a" / "asperities.csv", tmp_path / "b", max_load=0.2)
    np.testing.assert_allclose(again.friction, law.friction, rtol=1e-12)
    np.testing.assert_allclose(
        law.friction, hertz_law(height, radius, np.asarray(law.load)), rtol=0.01
    )
    told = json.loads((tmp_path / "a" / "contact.json").read_text())
    assert told["asperities"] == 16 and told["request"]["window"] == 3
    assert told["doubtful"]["unresolved"] == {"contacts": 0, "friction_share": 0.0}
    assert table(tmp_path / "a" / "asperities.csv")["friction_share"].sum() == pytest.approx(1)
    together = run_contact(
        tmp_path / "a" / "asperities.csv", tmp_path / "b", max_load=0.2, interacting=True
    )
    change = float(together.friction[-1] / law.friction[-1] - 1)
    assert -0.02 < change < 0
    assert f"by {100 * change:.3g} %" in capsys.readouterr().out
    # Contacts and shares are those of the law that is written
    radii = table(tmp_path / "b" / "asperities.csv")["contact_radius_m"]
    np.testing.assert_allclose(np.pi * np.sum(radii**2), together.area[-1], rtol=1e-9)
    told = json.loads((tmp_path / "b" / "contact.json").read_text())
    assert told["contacts"] == together.contact_count[-1]


@x64
def test_summits_that_carry_what_is_not_counted(tmp_path, capsys):
    """A cap that the border cuts through is higher than the flat at the largest load."""
    z = np.maximum(cap((7 * DX,) * 2, (2e4, 2e4)), cap((0, 3 * DX), (2e4, 2e4)) - 1e-8)
    np.save(tmp_path / "map.npy", z)
    reading = Reading(pixel=DX, detrend="none")
    run_contact(tmp_path / "map.npy", tmp_path, max_load=1e-3, reading=reading)
    assert "1 summits that were left out stand above" in capsys.readouterr().out


@x64
def test_a_list_without_places(tmp_path, capsys):
    """Hertz' one sphere; nothing is said of neighbours."""
    (tmp_path / "cap.csv").write_text("height (um);radius (mm)\n3,5;0,5\n")
    law = run_contact(tmp_path / "cap.csv", tmp_path / "out", max_load=1e-3)
    wanted = SIGMA * math.pi * (3 * np.asarray(law.load) * 5e-4 / (4 * E)) ** (2 / 3)
    np.testing.assert_allclose(law.friction, wanted, rtol=1e-9)
    assert "crowded" not in capsys.readouterr().out
    assert (tmp_path / "out" / "contact.png").stat().st_size > 1000


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"detrend": "tilt"}, "'plane', 'base' or 'none'"),
        ({"window": 4}, "odd number of pixels"),
        ({"window": 1}, "at least 3"),
        ({"apart": 0}, "at least 1 pixel"),
        ({"window": 5.0}, "window is a whole number"),
        ({"apart": 1.5}, "apart is a whole number"),
    ],
)
def test_options_that_are_none(options, said):
    # With shapes and types checked at run time, that check comes first
    with pytest.raises((ValueError, TypeError), match=f"{said}|typechecking parameter"):
        contact.summits(records.HeightMap(cap((7 * DX,) * 2, (1e4, 1e4)), DX), **options)


def test_heights_alone_are_no_map():
    said = "a map that knows its pixel|typechecking parameter"
    with pytest.raises((ValueError, TypeError), match=said):
        contact.summits(np.zeros((9, 9)))


def test_maps_without_a_summit():
    slope = np.add.outer(np.arange(9.0), np.arange(9.0))
    with pytest.raises(ValueError, match="none of 1 summits is a cap"):
        contact.summits(records.HeightMap(slope, 1.0), detrend="none")
    with pytest.raises(ValueError, match="none of 1 summits is a cap"):
        contact.summits(records.HeightMap(np.ones((9, 9)), 1.0), detrend="none")


@x64
def test_contacts_that_see_each_other_are_told_from_independent_ones():
    surface = contact.Asperities(jnp.zeros(2), jnp.full(2, 5e-4))
    position, loads = np.array([[0.0, 0.0], [4e-4, 0.0]]), jnp.array([4e-3])
    together = contact.interacting_contacts(surface, position, MATERIAL, loads)
    with pytest.raises(ValueError, match="give what interacting_contacts returns"):
        contact.under_load(surface, together.curve, position=position)
    found = contact.under_load(surface, together, position=position)
    np.testing.assert_allclose(found.radius, together.radius[0])
    with pytest.raises(ValueError, match="position must be finite"):
        contact.under_load(surface, together, position=[[0.0, 0.0], [np.nan, 0.0]])
    one_place = contact.under_load(
        surface, contact.friction_law(surface, MATERIAL, loads), position=np.zeros((2, 2))
    )
    assert "some stand in one place" in str(one_place) and "inf" not in str(one_place)


def test_loads_and_lists_that_cannot_be(tmp_path):
    path = tmp_path / "caps.csv"
    path.write_text("height_m,radius_m\n1e-5,5e-4\n")
    with pytest.raises(ValueError, match="max_load must be positive"):
        run_contact(path, tmp_path, max_load=0.0)
    with pytest.raises(ValueError, match="add columns x_m and y_m"):
        run_contact(path, tmp_path, max_load=1e-3, interacting=True)
    surface = contact.Asperities([0.0], [5e-4])
    curve = contact.friction_law(surface, MATERIAL, jnp.array([1e-3]))
    level = records.HeightMap(np.zeros((3, 3)), 1.0)
    cone = contact.Asperities([0.0], [5e-4], exponent=1.0)
    for arguments, options, said in (
        ((surface, curve), {"height_map": level}, "give position too"),
        ((surface, curve), {"position": [0.0, 1.0]}, "must have shape"),
        ((cone, curve), {}, "leave exponent out"),
    ):
        with pytest.raises(ValueError, match=said):
            contact.under_load(*arguments, **options)

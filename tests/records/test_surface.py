"""Caps on a block: closed as written, of the right volume, as high as asked; tables of the part."""

import io
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, example, given, settings

from jaxfric import records

# From the STL interface specification, independently of the writer
HEADER, FACET = 80, 50


def read_stl(content):
    """Corners (n, 3, 3) and normals (n, 3) of a binary STL file, in float32."""
    count = int.from_bytes(content[HEADER : HEADER + 4], "little")
    assert len(content) == HEADER + 4 + FACET * count
    raw = np.frombuffer(content[HEADER + 4 :], np.uint8).reshape(count, FACET)
    numbers = np.ascontiguousarray(raw[:, :48]).view("<f4").reshape(count, 4, 3)
    return numbers[:, 1:], numbers[:, 0]


def shadows(c):
    """Areas of facets as seen from above, negative from below."""
    a, b = c[:, 1] - c[:, 0], c[:, 2] - c[:, 0]
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def check_closed(content):
    """Each directed edge once, its opposite once, areas and normals; the corners in float64."""
    corners, normals = read_stl(content)
    points = corners.reshape(-1, 3)
    order = np.lexsort(points.T)
    new = (points[order][1:] != points[order][:-1]).any(1)
    index = np.empty(len(points), int)
    index[order] = np.concatenate([[0], np.cumsum(new)])
    index = index.reshape(-1, 3)
    ends = np.roll(index, -1, 1)
    edges, opposite = ((2**32 * a + b).ravel() for a, b in ((index, ends), (ends, index)))
    assert np.unique(edges).size == edges.size
    np.testing.assert_array_equal(np.sort(edges), np.sort(opposite))
    c = corners.astype(float)
    normal = np.cross(c[:, 1] - c[:, 0], c[:, 2] - c[:, 0])
    area = np.linalg.norm(normal, axis=1)
    assert (area > 0).all() and (index != np.roll(index, 1, 1)).all()
    np.testing.assert_allclose(normals, normal / area[:, None], atol=1e-6)
    # A surface without handles: V − E + F = 2
    assert index.max() + 1 - len(edges) // 2 + len(index) == 2
    return c


def held(c):
    """Volume within facets, by the divergence theorem."""
    return np.einsum("ni,ni->", c[:, 0], np.cross(c[:, 1], c[:, 2])) / 6


def held_by_caps(c):
    """Between the facets above z = 0 and that plane."""
    up = c[:, :, 2].min(1) >= 0
    return np.sum(shadows(c[up]) * c[up, :, 2].mean(1))


def volume(z, R):
    """Of each cap, or hemisphere on a column where it is higher than its radius."""
    column = 2 / 3 * np.pi * R**3 + np.pi * R**2 * (z - R)
    return np.where(z > R, column, np.pi * z**2 * (3 * R - z) / 3)


def cells(n):
    side = next(s for s in range(1, 40) if s * s >= n)
    return side * -(-n // side)


def check_part(z, R, spacing, base, unit=1e-3, **detail):
    """Write a part and compare what is in the file with the closed forms."""
    triangles = records.cap_triangles(z, R, spacing=spacing, base=base, unit=unit, **detail)
    exact = cells(z.size) * spacing**2 * base + volume(z, R).sum()
    np.testing.assert_allclose(
        records.surface_volume(z, R, spacing=spacing, base=base), exact, rtol=1e-12
    )
    content = records.stl_bytes(triangles, unit=unit, volume=exact)
    c = check_closed(content) * unit
    np.testing.assert_allclose(held(c), exact, rtol=1e-6)
    np.testing.assert_allclose(held_by_caps(c), volume(z, R).sum(), rtol=1e-6)
    np.testing.assert_allclose([c[..., 2].max(), c[..., 2].min()], [z.max(), -base], rtol=1e-7)
    return content


def ordinary(n, seed=0):
    """Radii of 0.1 to 1 mm, some 30 µm high."""
    rng = np.random.default_rng(seed)
    return rng.uniform(2e-5, 4e-5, n), rng.uniform(1e-4, 1e-3, n)


def logarithmic(low, high):
    return st.floats(np.log10(low), np.log10(high)).map(lambda x: float(10**x))


@st.composite
def parts(draw):
    """Caps of one part: radii that differ up to 100 : 1, tips from 1e-3 to 5 radii."""
    n = draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smallest, mixed = draw(logarithmic(1e-8, 1e-2)), draw(logarithmic(1, 100))
    R = np.minimum(smallest * mixed ** rng.random(n), 1e-2)
    lowest, highest = sorted([draw(logarithmic(1e-3, 5)), draw(logarithmic(1e-3, 5))])
    return R * lowest * (highest / lowest) ** rng.random(n), R


@given(
    part=parts(),
    apart=logarithmic(2.4, 1e3),  # in widest foot radii
    base=logarithmic(1e-3, 10),  # in spacings
    segments=st.none() | st.integers(1, 8).map(lambda k: 8 * k),
    rings=st.none() | st.integers(2, 30),
    unit=st.sampled_from([1e-3, 1e-6, 1.0, 0.0254]),
)
@settings(max_examples=60)
@example((np.array([1e-11]), np.array([1e-8])), 2.4, 1.0, None, None, 1e-3)
@example((np.full(9, 1e-2), np.full(9, 1e-2)), 2.4, 1.0, None, None, 1e-3)
@example((np.full(4, 1e-8 * (1 + 1e-9)), np.full(4, 1e-8)), 1e3, 1e-3, 64, 30, 1e-3)
@example((np.nextafter(np.full(4, 1e-3), 1), np.full(4, 1e-3)), 2.4, 1.0, None, None, 1e-3)
def test_what_is_written_is_closed_and_right(part, apart, base, segments, rings, unit):
    z, R = part
    foot = records.foot_radius(z, R)
    spacing = apart * foot.max()
    # Where single precision may end: the sideways step at the edge of the lattice, against the
    # shortest sides, between the corners of the innermost ring
    corners = (segments or 32) * (rings or 8)
    assume(z.size == 1 or spacing * np.sqrt(z.size) / foot.min() < 1.5e7 / corners / 2)
    check_part(z, R, spacing, base * spacing, unit, segments=segments, rings=rings)


@pytest.mark.parametrize("radius", [1e-8, 1e-7, 1e-6, 1e-5])
def test_small_caps_as_the_command_line_spaces_them(radius):
    """Radii that a grid of the spacing merged away; as near as caps may be, and far apart."""
    z, R = radius * np.array([0.03, 0.3, 1.0, 3.0, 0.1]), np.full(5, radius)
    check_part(z, R, 2.2 * radius, 2.2 * radius)
    check_part(z, R, 1e3 * radius, 1e3 * radius)


def test_thousand_caps():
    z, R = ordinary(1024)
    content = check_part(z, R, 1.5e-3, 1.5e-3)
    assert len(content) < 25e6


@pytest.mark.parametrize(("n", "apart"), [(1024, 2.2), (1023, 1e3), (961, 1e3)])
def test_thousand_small_and_mixed_caps(n, apart):
    rng = np.random.default_rng(n)
    R = 1e-8 * 100 ** rng.random(n) if apart < 10 else np.full(n, 1e-8)
    z = R * rng.uniform(0.03, 0.3, n)
    spacing = apart * records.foot_radius(z, R).max()
    check_part(z, R, spacing, spacing)


def test_one_cap_may_be_any_share_of_its_block():
    check_part(np.array([1e-9]), np.array([1e-8]), 1.5e-3, 1.5e-3)


SAMPLES = np.array([[i, j, 8 - i - j] for i in range(9) for j in range(9 - i)]) / 8


@pytest.mark.parametrize("share", [None, 1e-3, 0.1, 1.5])
@pytest.mark.parametrize("tip", [1e-3, 0.03, 0.5, 1.0, 3.0])
def test_facets_stay_within_the_sagitta(tip, share):
    """Points all over the facets of a cap, against its sphere and its column."""
    R, z = 5e-4, tip * 5e-4
    low = min(z, R)
    sagitta = None if share is None else share * low
    triangles = records.cap_triangles(
        np.array([z]), np.array([R]), spacing=1.5e-3, base=1e-3, sagitta=sagitta
    )
    cap = triangles[triangles[:, :, 2].max(1) > 0]
    x, y, height = np.moveaxis(np.einsum("bk,fkd->fbd", SAMPLES, cap), -1, 0)
    # The distance to the sphere of radius R around (0, 0, z − R); to the axis, on a column
    above = np.maximum(height - (z - R), 0) if z > R else height - (z - R)
    off = np.abs(np.sqrt(x**2 + y**2 + above**2) - R).max()
    allowed = 0.02 * low if sagitta is None else sagitta
    assert off <= allowed
    # And no finer than needed, but for caps that have the fewest corners there are
    assert off >= 0.4 * allowed or share == 1.5 or (tip > 0.5 and off >= 0.25 * allowed)


def test_caps_of_other_fineness_share_their_borders():
    """Few rings beside many: neighbours meet without T-junctions."""
    R = np.array([1e-3, 1e-4, 1e-5, 1e-3, 5e-5])
    z = np.array([9e-4, 1e-5, 2e-6, 1e-6, 2e-4])
    coarse = len(check_part(z, R, 2.5e-3, 1e-3, sagitta=1e-5))
    fine = len(check_part(z, R, 2.5e-3, 1e-3, sagitta=1e-6))
    assert 5 * coarse < fine < 20 * coarse


@pytest.mark.parametrize(("n", "segments", "rings"), [(1, 8, 2), (7, 16, 8), (16, None, None)])
def test_mesh_shares_its_corners(n, segments, rings):
    pytest.importorskip("trimesh")
    z, R = ordinary(n)
    if n == 7:
        z[3] = 1.5 * R[3]  # a column
    mesh = records.cap_mesh(z, R, spacing=2.2e-3, base=1e-3, segments=segments, rings=rings)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.euler_number == 2
    exact = cells(n) * 2.2e-3**2 * 1e-3 + volume(z, R).sum()
    np.testing.assert_allclose(mesh.volume, exact, rtol=1e-6)
    np.testing.assert_allclose(mesh.bounds[:, 2], [-1e-3, z.max()], rtol=1e-12)


@pytest.mark.parametrize(("radius", "spacing"), [(1e-3, 1.5e-3), (1e-5, 1e-3), (1e-6, 1e-5)])
def test_another_reader_finds_it_closed(tmp_path, radius, spacing):
    trimesh = pytest.importorskip("trimesh")
    z, R = np.full(9, 0.03 * radius), np.full(9, radius)
    mesh = records.cap_mesh(z, R, spacing=spacing, base=spacing)
    path = records.write_stl(tmp_path / "surface.stl", mesh)
    again = trimesh.load(io.BytesIO(path.read_bytes()), file_type="stl")
    assert again.is_watertight and again.is_winding_consistent
    assert len(again.faces) == len(mesh.faces) and len(again.vertices) == len(mesh.vertices)
    np.testing.assert_allclose(again.volume, mesh.volume * 1e9, rtol=1e-6)  # mm³
    np.testing.assert_allclose(again.bounds[1, 2], z.max() * 1e3, rtol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["surface.stl"]


def block():
    return records.cap_triangles(*ordinary(4), spacing=1.5e-3, base=1e-3)


def far_away(c):
    return c + np.array([1e5, 0, 0])  # m; single precision keeps 8 mm there


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda c: c[1:], "not closed.*3 have no neighbour and 0 more"),
        (lambda c: np.concatenate([c, c[:1]]), "not closed.*3 more than one"),
        (lambda c: np.concatenate([c[:1, ::-1], c[1:]]), "not closed"),
        (lambda c: c[:, ::-1], "inside out"),
        (far_away, "no area in single precision.*1e.05 m hold no less than 0.008 m.*spacing"),
        (lambda c: np.where(c == c.max(), np.nan, c), "not finite"),
        (lambda c: c[:, :2], r"shape \(triangles, 3, 3\)"),
    ],
)
def test_what_is_not_closed_is_not_written(tmp_path, broken, says):
    with pytest.raises(ValueError, match=says):
        records.write_stl(tmp_path / "surface.stl", broken(block()))
    assert not list(tmp_path.iterdir())


def test_a_facet_without_area_is_not_written():
    """Closed, but a corner half-way along an edge is joined to both ends of it."""
    a, b, m, c, d = 1e-3 * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0, 0], [0, 1, 0], [0, 0, 1]])
    others = [[a, b, d], [b, c, d], [a, d, c]]
    assert len(records.stl_bytes(np.array([[b, a, c], *others]))) == HEADER + 4 + 4 * FACET
    with pytest.raises(ValueError, match="1 of 6 facets have no area"):
        records.stl_bytes(np.array([[m, a, c], [b, m, c], [b, a, m], *others]))


def test_volume_and_unit_must_fit():
    surface = block()
    exact = records.surface_volume(*ordinary(4), spacing=1.5e-3, base=1e-3)
    records.stl_bytes(surface, volume=exact * (1 + 5e-7))
    with pytest.raises(ValueError, match="holds 9.*and not 9"):
        records.stl_bytes(surface, volume=exact * (1 + 2e-6))
    with pytest.raises(ValueError, match="larger unit"):
        records.stl_bytes(surface, unit=1e-50)
    with pytest.raises(ValueError, match="unit must be positive"):
        records.stl_bytes(surface, unit=0.0)


@pytest.mark.parametrize("n", [4, 1024])
def test_caps_that_single_precision_cannot_carry(n):
    with pytest.raises(ValueError, match="turns over .* smaller spacing, fewer asperities"):
        records.cap_triangles(np.full(n, 1e-11), np.full(n, 1e-8), spacing=1.5e-3, base=1e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"spacing": 1e-4}, "caps overlap"),
        ({"spacing": 6.4e-4, "segments": 8, "rings": 2}, "caps overlap.*finer"),
        ({"spacing": np.nan}, "spacing must be finite"),
        ({"base": 0.0}, "base must be positive"),
        ({"unit": -1.0}, "unit must be positive"),
        ({"unit": 1e-50}, "no numbers for this part"),
        ({"unit": 1e50}, "no numbers for this part"),
        ({"segments": 10}, "multiple of 8"),
        ({"rings": 1}, "at least 2"),
        ({"sagitta": 0.0}, "sagitta must be positive"),
        ({"sagitta": 1e-6, "segments": 8, "rings": 2}, "either sagitta"),
        ({"sagitta": 1e-18}, "larger sagitta"),
        ({"height": np.array([-1e-5])}, "stand above the block"),
        ({"height": np.array([np.nan])}, "all be finite"),
        ({"height": np.array([1e-4, 1e-4])}, "one number for each cap"),
        ({"height": np.array([]), "radius": np.array([])}, "one number for each cap"),
    ],
)
def test_bad_meshes(change, says):
    options = {"height": np.array([1e-4]), "radius": np.array([5e-4]), "spacing": 2e-3,
               "base": 1e-3} | change  # fmt: skip
    with pytest.raises(ValueError, match=says):
        records.cap_triangles(options.pop("height"), options.pop("radius"), **options)


def test_table_keeps_every_digit(tmp_path):
    z, R = ordinary(5)
    position = records.lattice(5, 1.5e-3)
    path = records.write_asperities(tmp_path / "surface.csv", position, z, R)
    table = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_array_equal(table["height_m"], z)
    np.testing.assert_array_equal(table["radius_m"], R)
    np.testing.assert_array_equal(np.stack([table["x_m"], table["y_m"]], -1), position)


@given(
    digits=st.integers(1, 999), power=st.integers(-9, -3),
    steps=st.lists(st.integers(0, 10**5), min_size=1, max_size=8),
)  # fmt: skip
@example(5, -6, [27, 0, 1])
def test_heights_are_written_as_multiples_of_the_quantum(digits, power, steps):
    """As decimal text, against exact fractions; the heights come as binary products."""
    quantum = float(f"{digits}e{power}")
    height = np.array(steps) * quantum
    text = records.asperities_csv(
        records.lattice(height.size, 1e-3), height, np.full(height.size, 1e-3), quantum=quantum
    )
    written = [line.split(",")[2] for line in text.splitlines()[1:]]
    exact = Fraction(digits) * Fraction(10) ** power
    assert [Fraction(w) for w in written] == [n * exact for n in steps]


def test_a_height_between_two_steps_is_refused():
    height, radius = 5e-6 * np.array([27, 3.5, 4, 2.2]), np.full(4, 1e-3)
    position = records.lattice(4, 1e-3)
    with pytest.raises(ValueError, match="asperity 1 is 1.75e-05 m, 3.5 steps, and those of 1"):
        records.asperities_csv(position, height, radius, quantum=5e-6)
    with pytest.raises(ValueError, match="quantum must be positive"):
        records.asperities_csv(position, height, radius, quantum=0.0)
    with pytest.raises(ValueError, match="asperity 0 is nan"):
        records.asperities_csv(position, np.nan * height, radius, quantum=5e-6)
    # What single precision leaves of a multiple is that multiple
    near = np.float32(1.35e-4).astype(float) * np.ones(4)
    assert ",0.000135,0.001\n" in records.asperities_csv(position, near, radius, quantum=5e-6)


def test_lattice_is_centred_and_even():
    position = records.lattice(64, 1e-3)
    np.testing.assert_allclose(position.mean(0), 0, atol=1e-18)
    distance = np.linalg.norm(position[:, None] - position[None], axis=-1)
    np.testing.assert_allclose(np.sort(distance, axis=1)[:, 1], 1e-3, rtol=1e-12)

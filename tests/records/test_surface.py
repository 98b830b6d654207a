"""Caps on a block: watertight, of the right volume, as high as asked; tables in full precision."""

import io

import numpy as np
import pytest

from jaxfric import records

trimesh = pytest.importorskip("trimesh")


def caps(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(4e-5, 1.2e-4, n), rng.uniform(1e-4, 1e-3, n)


def volume(z, R):
    """Of caps, and of hemispheres on columns where they are higher than their radius."""
    column = 2 / 3 * np.pi * R**3 + np.pi * R**2 * (z - R)
    return np.sum(np.where(z > R, column, np.pi * z**2 * (3 * R - z) / 3))


@pytest.mark.parametrize(("n", "segments", "rings"), [(1, 8, 2), (7, 16, 8), (16, 48, 24)])
def test_mesh_is_watertight_and_right(n, segments, rings):
    z, R = caps(n)
    if n == 7:
        z[3] = 1.5 * R[3]  # a column
    spacing, base = 2.2e-3, 1e-3
    mesh = records.cap_mesh(z, R, spacing=spacing, base=base, segments=segments, rings=rings)
    assert mesh.is_watertight and mesh.is_winding_consistent
    cells = int(np.ceil(np.sqrt(n))) * int(np.ceil(n / np.ceil(np.sqrt(n))))
    box = cells * spacing**2 * (base + z.max())
    expected = cells * spacing**2 * base + volume(z, R)
    assert abs(mesh.volume - expected) <= 1e-6 * box
    np.testing.assert_allclose(mesh.bounds[1, 2], z.max(), rtol=1e-12)
    np.testing.assert_allclose(mesh.bounds[0, 2], -base, rtol=1e-12)


def test_a_written_file_is_read_back(tmp_path):
    z, R = caps(9)
    mesh = records.cap_mesh(z, R, spacing=2e-3, base=1e-3, segments=16, rings=6)
    path = records.write_stl(tmp_path / "surface.stl", mesh)
    again = trimesh.load(io.BytesIO(path.read_bytes()), file_type="stl")
    assert again.is_watertight
    np.testing.assert_allclose(again.volume, mesh.volume * 1e9, rtol=1e-5)  # mm³
    np.testing.assert_allclose(again.bounds[1, 2], z.max() * 1e3, rtol=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["surface.stl"]


@pytest.mark.parametrize(("n", "spacing"), [(1, 2e-3), (7, 2.1e-3), (64, 1.7e-3)])
def test_triangles_alone_close_when_read_from_a_file(n, spacing):
    """In single precision neighbours meet in the same corners, which a reader merges."""
    z, R = caps(n)
    z = np.minimum(z, 0.3 * R)
    triangles = records.cap_triangles(z, R, spacing=spacing, base=1e-3)
    content = records.stl_bytes(triangles)
    again = trimesh.load(io.BytesIO(content), file_type="stl")
    assert (
        again.is_watertight and again.is_winding_consistent and len(again.faces) == len(triangles)
    )
    mesh = records.cap_mesh(z, R, spacing=spacing, base=1e-3)
    np.testing.assert_allclose(again.volume, mesh.volume * 1e9, rtol=1e-5)  # mm³
    np.testing.assert_allclose(again.face_normals, mesh.face_normals, atol=1e-3)


def test_table_keeps_every_digit(tmp_path):
    z, R = caps(5)
    position = records.lattice(5, 1.5e-3)
    path = records.write_asperities(tmp_path / "surface.csv", position, z, R)
    table = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_array_equal(table["height_m"], z)
    np.testing.assert_array_equal(table["radius_m"], R)
    np.testing.assert_array_equal(np.stack([table["x_m"], table["y_m"]], -1), position)


def test_lattice_is_centred_and_even():
    position = records.lattice(64, 1e-3)
    np.testing.assert_allclose(position.mean(0), 0, atol=1e-18)
    distance = np.linalg.norm(position[:, None] - position[None], axis=-1)
    np.testing.assert_allclose(np.sort(distance, axis=1)[:, 1], 1e-3, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"spacing": 1e-4}, "caps overlap"),
        ({"base": 0.0}, "base > 0"),
        ({"segments": 10}, "multiple of 8"),
        ({"height": np.array([-1e-5])}, "stand above the block"),
    ],
)
def test_bad_meshes(change, says):
    options = {"height": np.array([1e-4]), "radius": np.array([5e-4]), "spacing": 2e-3,
               "base": 1e-3} | change  # fmt: skip
    with pytest.raises(ValueError, match=says):
        records.cap_mesh(options.pop("height"), options.pop("radius"), **options)

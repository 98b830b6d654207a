"""Height maps and lists of asperities: files as instruments write them, and what is refused."""

import pathlib
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import records

# The map that the files below hold, µm, on pixels of 2 by 3 µm; one pixel is missing
HEIGHT = np.array([[0.5, 1.25, 0.0, -2.5], [1.0, 3.75, np.nan, 0.25], [0.0, 2.0, 1.5, -0.5]])
DX, DY = 2e-6, 3e-6
NY, NX = HEIGHT.shape


def rows(values=HEIGHT, sep="\t", missing="NaN", end="\n"):
    cells = ([missing if np.isnan(x) else repr(float(x)) for x in row] for row in values)
    return "".join(sep.join(row) + end for row in cells)


def commas(text):
    return text.replace(".", ",")


def points(missing="left out", sep=" ", scale=1.0):
    lines = []
    for j, i in np.ndindex(HEIGHT.shape):
        z = HEIGHT[j, i]
        if np.isfinite(z) or missing != "left out":
            cell = missing if np.isnan(z) else repr(float(z * scale))
            lines.append(sep.join([f"{10 + 2 * i:.3f}", f"{-7 + 3 * j:.3f}", cell]))
    return lines


GWYDDION = (
    "# Channel: Topography\n# Width: 8.000 µm\n# Height: 9.000 µm\n# Value units: m\n"
    + rows(1e-6 * HEIGHT)
)
ISO = (
    "aISO-1.0\nManufacID   = maker\nCreateDate  = 010120241200\nNumPoints   = 4\nNumProfiles = 3\n"
    "Xscale      = 2.0e-6\nYscale      = 3.0e-6\nZscale      = 1e-9\nZresolution = -1\n"
    "Compression = 0\nDataType    = 7\nCheckType   = 0\n*\n"
)
ESRI = "ncols 4\nnrows 3\nxllcorner 0\nyllcorner 0\ndx 2\ndy 3\nNODATA_value -9999\n"
PIXEL = {"pixel": (DX, DY), "unit": "um"}

# Each is read as HEIGHT: text, encoding, options, what the notes must say
READ = {
    "tabs": (rows(), "utf-8", PIXEL, []),
    "semicolons, decimal commas": (commas(rows(sep=";", missing="")), "utf-8", PIXEL, ["Commas"]),
    "spaces, decimal commas": (commas(rows(sep="  ", missing="***")), "utf-8", PIXEL, ["Commas"]),
    "tabs, decimal commas, UTF-16": (commas(rows()), "utf-16", PIXEL, ["Commas"]),
    "commas": (rows(sep=","), "utf-8", PIXEL, []),
    "commas and spaces": (rows(sep=", ", missing="BAD"), "utf-8", PIXEL, []),
    "commas, at the end too": (rows(sep=",", missing="", end=",\r\n"), "utf-8", PIXEL, []),
    "typeset minus": (rows().replace("-", "−"), "utf-8", PIXEL, []),
    "remarks above": (
        "Profilometer 3000\nObjective 20x\n" + rows(missing="---"), "utf-8", PIXEL,
        ["2 lines above"],
    ),
    "comments above": ("# any remark\n" + rows(), "utf-8", PIXEL, []),
    "Gwyddion": (GWYDDION, "utf-8", {}, []),
    "Gwyddion, Latin-1": (GWYDDION, "latin-1", {}, []),
    "Gwyddion, nm": (
        GWYDDION.split("units")[0] + "units: nm\n" + rows(1e3 * HEIGHT), "utf-8", {}, []
    ),
    "ISO 25178-71": (ISO + rows(1e3 * HEIGHT, " ", "BAD") + "*\n", "utf-8", {}, []),
    "ISO, in another wrapping": (
        ISO + rows(1e3 * HEIGHT, "\n", "BAD") + "*\nend\n", "utf-8", {}, []
    ),
    "ASCII grid": (ESRI + rows(sep=" ", missing="-9999"), "utf-8", {"unit": "um"}, []),
    "points with titles": (
        "x (um) y (um) z (nm)\n" + "\n".join(points(scale=1e3)), "utf-8", {},
        ["1 pixel of the grid"],
    ),
    "points with suffixes": (
        "x_um,y_um,z_um\n" + "\n".join(points("NaN", ",")), "utf-8", {}, []
    ),
    "points in any order": (
        "\n".join(sorted(points())), "utf-8", {"unit": "um"}, ["1 pixel of the grid"]
    ),
    "points with blank lines": (
        "# x y z\n" + "\n\n".join(points()), "utf-8", {"unit": "um"}, ["1 pixel of the grid"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_files_of_one_map(case, write):
    text, encoding, options, said = READ[case]
    found = records.read_height_map(write(text.encode(encoding), "map.txt"), **options)
    np.testing.assert_allclose(found.height, 1e-6 * HEIGHT, rtol=1e-12)
    assert (found.dx, found.dy) == pytest.approx((DX, DY), rel=1e-12)
    assert found.missing == 1 and not found.present[1, 2]
    for sentence in said:
        assert any(sentence in note for note in found.notes), found.notes
    assert len(found.notes) == len(said), found.notes


def test_numpy_files(tmp_path):
    np.save(tmp_path / "map.npy", 1e-6 * HEIGHT)
    np.savez(tmp_path / "map.npz", z=1e-6 * HEIGHT, mask=HEIGHT > 0, dx=DX, dy=DY)
    for name, options in (("map.npy", {"pixel": (DX, DY)}), ("map.npz", {})):
        found = records.read_height_map(tmp_path / name, **options)
        np.testing.assert_array_equal(found.height, 1e-6 * HEIGHT)
        assert (found.dx, found.dy) == (DX, DY)
        assert "in m assumed" in str(found) and "1 pixel missing" in str(found)
    square = records.read_height_map(tmp_path / "map.npy", pixel=DX, unit="mm")
    np.testing.assert_allclose(square.height, 1e-9 * HEIGHT)
    assert square.dy == DX and "assumed" not in str(square)


@settings(max_examples=30)
@given(data=st.data(), ny=st.integers(3, 7), nx=st.integers(4, 7), kind=st.integers(0, 3))
def test_any_map_is_read_back(data, ny, nx, kind):
    """Whatever the numbers, the separator, the decimal sign and the places of missing pixels."""
    number = st.floats(-1e3, 1e3).map(lambda x: round(x, 4))
    height = np.array(data.draw(st.lists(number | st.just(np.nan), min_size=ny * nx,
                                         max_size=ny * nx))).reshape(ny, nx)  # fmt: skip
    height[0, 0] = 1.5
    sep, decimal = (("\t", "."), (";", ","), (",", "."), (" ", ","))[kind]
    text = "\n".join(
        sep.join("NaN" if np.isnan(x) else f"{x:.4f}".replace(".", decimal) for x in row)
        for row in height
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "map.txt")
        path.write_text(text)
        found = records.read_height_map(path, pixel=1e-6, unit="nm")
    np.testing.assert_allclose(found.height, 1e-9 * height, rtol=1e-12, atol=1e-24)


# What is refused: text, file name, options, what the sentence says
REFUSED = {
    "no pixel": (rows(), "a.txt", {"unit": "um"}, "pixel=1e-6"),
    "no unit": (rows(), "a.txt", {"pixel": DX}, 'unit="um"'),
    "no unit of x": ("\n".join(points()), "a.txt", {}, "which unit x and y are"),
    "unknown unit": (rows(), "a.txt", {"pixel": DX, "unit": "V"}, "'V' is no unit of length"),
    "channel in volts": (
        GWYDDION.replace("units: m", "units: V"), "a.txt", {}, "'V' is no unit of length"
    ),
    "ragged": (rows() + "1\t2\t3\n", "a.txt", PIXEL, "line 4 has 3 values, but line 1 has 4"),
    "words": (
        rows().replace("3.75", "high"), "a.txt", PIXEL, "line 2 holds 'high', which is no height"
    ),
    "thousands": (rows().replace("3.75", "3,750.0"), "a.txt", PIXEL, "thousands"),
    "an empty row": (rows() + "\n" + rows(), "a.txt", PIXEL, "line 4 is empty"),
    "a row of separators": (
        rows(sep=",") + ",,,\n" + rows(sep=","), "a.csv", PIXEL, "line 4 is empty"
    ),
    "one column": ("1\n2\n3\n", "a.txt", PIXEL, "one column"),
    "two rows": ("1 2 3 4\n1 2 3 4\n", "a.txt", PIXEL, "at least 3 of each"),
    "no numbers": ("nothing\nto see\n", "a.txt", PIXEL, "no line is a row of numbers"),
    "all missing": ("NaN NaN NaN NaN\n" * 3, "a.txt", PIXEL, "no line is a row of numbers"),
    "a list": ("height_um,radius_um\n1,2\n", "a.csv", {}, "records.read_asperities"),
    "off the grid": (
        "\n".join([*points(), "11.2 -7 0"]), "a.txt", {"unit": "um"}, "between two columns"
    ),
    "twice": ("\n".join([*points(), points()[0]]), "a.txt", {"unit": "um"}, "lines 1 and 12"),
    "a profile": ("1 0 2\n2 0 3\n3 0 4\n", "a.txt", {"unit": "um"}, "one y"),
    "scattered": (
        "\n".join(f"{i} {(7 * i) % 31} 1" for i in range(31)), "a.txt", {"unit": "um"}, "sparsely"
    ),
    "named otherwise": ("t v w\n1 2 3\n2 3 4\n", "a.txt", {"unit": "um"}, "called t, v, w"),
    "ISO without scale": (
        ISO.replace("Xscale", "Other") + rows(sep=" "), "a.sdf", {}, "lacks a positive xscale"
    ),
    "ISO cut short": (
        ISO + rows(HEIGHT[:2], " ", "BAD"), "a.sdf", {}, "4 by 3 heights, but 8 follow"
    ),
    "ISO without end": (ISO.replace("*\n", ""), "a.sdf", {}, "no end"),
    "grid cut short": (ESRI + "1 2 3 4\n", "a.asc", {}, "3 rows of 4 heights, but there are 1"),
    "a length without unit": (
        GWYDDION.replace("8.000 µm", "8.000"), "a.txt", {}, "width is '8.000', not a length"
    ),
    "an image": ("x", "a.png", {}, "grey levels"),
    "Gwyddion's own": ("x", "a.gwy", {}, "Text matrix"),
    "binary": ("\0\1\2", "a.dat", {}, "binary"),
    "no array": ("x", "a.npy", {}, "numpy.save"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_remedy(case, write):
    text, name, options, said = REFUSED[case]
    with pytest.raises(ValueError) as error:
        records.read_height_map(write(text, name), **options)
    message = str(error.value)
    assert said in message
    assert name in message or case == "two rows"
    assert "--" not in message.replace("---", "")


def test_wrong_arrays(tmp_path):
    for name, arrays, said in (
        ("two.npz", {"a": HEIGHT, "b": HEIGHT}, "call it 'height'"),
        ("flat.npz", {"a": HEIGHT[0]}, "one array of two dimensions"),
        ("complex.npz", {"a": HEIGHT * 1j}, "real numbers"),
    ):
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(ValueError, match=said):
            records.read_height_map(tmp_path / name, pixel=DX)
    with pytest.raises(FileNotFoundError, match="check the name"):
        records.read_height_map(tmp_path / "none.npy")
    with pytest.raises(IsADirectoryError, match="folder"):
        records.read_surface(tmp_path)
    with pytest.raises(ValueError, match="positive"):
        records.read_height_map(tmp_path / "two.npz", pixel=-1.0)


@pytest.mark.parametrize(
    ("height", "steps", "said"),
    [
        (HEIGHT[0], (DX,), "rows and columns"),
        (HEIGHT[:2], (DX,), "at least 3"),
        (np.full((3, 3), np.nan), (DX,), "every pixel"),
        (HEIGHT, (0.0,), "dx must be positive"),
        (HEIGHT, (DX, np.nan), "dy must be finite"),
        (HEIGHT > 0, (DX,), "real numbers"),
    ],
)
def test_arrays_that_are_no_map(height, steps, said):
    with pytest.raises(ValueError, match=said):
        records.HeightMap(height, *steps)


def test_a_map_keeps_what_it_was_given():
    given_height = HEIGHT.copy()
    found = records.HeightMap(given_height, DX)
    given_height[0, 0] = 7
    assert found.height[0, 0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        found.height[0, 0] = 1


# Lists of asperities


def test_a_list_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    height, radius = rng.normal(0, 1e-5, 9), rng.uniform(1e-4, 1e-3, 9)
    position = records.lattice(9, 1.5e-3)
    path = records.write_asperities(tmp_path / "surface.csv", position, height, radius)
    found = records.read_surface(path)
    assert isinstance(found, records.AsperityList)
    np.testing.assert_array_equal(found.height, height)
    np.testing.assert_array_equal(found.radius, radius)
    np.testing.assert_array_equal(found.position, position)


@pytest.mark.parametrize(
    "text",
    [
        "height (um),radius (mm)\n1.5,0.5\n-2,0.25\n",
        "number;z_nm;R [um]\n1;1500,0;500,0\n2;-2000,0;250,0\n",
        "# any remark\nradius_m\theight_m\tname_m\n5e-4\t1.5e-6\t3\n2.5e-4\t-2e-6\t4\n",
        "Radius (µm)  Height (µm)\n500 1.5\n250 -2\n",
    ],
)
def test_lists_in_other_words(text, write):
    found = records.read_asperities(write(text, "caps.csv"))
    np.testing.assert_allclose(found.height, [1.5e-6, -2e-6])
    np.testing.assert_allclose(found.radius, [5e-4, 2.5e-4])
    assert found.position is None and "no positions" in str(found)
    assert isinstance(records.read_surface(write(text, "caps.csv")), records.AsperityList)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("height,radius_m\n1,2\n", "states no unit; write it into the name, as in height_um"),
        ("height_s,radius_m\n1,2\n", "'s' is no unit of length"),
        ("height_m,radius_m\n1,2\nNaN,3\n", "line 3 has no number for 'height_m'"),
        ("height_m,radius_m\n1,2\n1,-3\n", "line 3 has a radius that is not positive"),
        ("height_m,z_m,radius_m\n1,2,3\n", "2 columns are the height"),
        ("depth_m,radius_m\n1,2\n", "no columns are the height"),
        ("1,2\n3,4\n", "names the columns"),
    ],
)
def test_lists_that_are_refused(text, said, write):
    with pytest.raises(ValueError, match=said):
        records.read_asperities(write(text, "caps.csv"))


def test_what_is_no_list(write):
    with pytest.raises(ValueError, match="leave them out"):
        records.read_surface(write("height_m,radius_m\n1,2\n", "caps.csv"), pixel=1e-6)
    for arguments, said in (
        (([0.0], [1.0, 2.0]), "a height and a radius of each"),
        (([0.0, np.nan], [1.0, 2.0]), "asperity 1 is not"),
        (([0.0, 1.0], [1.0, 0.0]), "asperity 1 is 0.0 m"),
        (([0.0], [1.0], [[0.0]]), "position must be finite"),
    ):
        with pytest.raises(ValueError, match=said):
            records.AsperityList(*arguments)

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
KEYENCE = (
    '"Measured date","2025-12-10 12:00:00"\n"Model","VK-X3000 Series"\n"Data type","ImageDataCsv"\n'
    '"XY Calibration","2000.000","nm"\n"Output image data","Height"\n"Horizontal","4"\n'
    '"Vertical","3"\n"Minimum value","-2.5"\n"Maximum value","3.75"\n"Unit","um"\n'
    '"Reference data name",""\n\n"Height"\n'
)
ZYGO = (
    'Zygo XYZ Data File - Format 1\n0 8 1 2 "Tue Jan 1 10:00:00 2023"\n0 0 640 480 1 255\n'
    '10 20 4 3\n"part"\n""\n\n0 0.5 5.8e-07 0 1 0 2e-06 1672531200\n3 2 0 0 0 666666 ""\n'
    "0 0 1 33 0 0 0.1 60.4318 2 50\n#\n"
)
ESRI = "ncols 4\nnrows 3\nxllcorner 0\nyllcorner 0\ndx 2\ndy 3\nNODATA_value -9999\n"
PIXEL = {"pixel": (DX, DY), "unit": "um"}


def quoted(values=HEIGHT, mark=","):
    return rows(values, f'"{mark}"', "").replace("\n", '"\n"').join('""')[:-2]


def pixels(missing="No Data"):
    """Column, row and height, as Zygo's programs write them; a place as wide as it is long."""
    cells = ((i, j, HEIGHT[j, i]) for j, i in np.ndindex(HEIGHT.shape))
    return [f"{10 + i} {20 + j} {missing if np.isnan(z) else repr(float(z))}" for i, j, z in cells]


def with_axes(values, across, down, corner="", sep=","):
    """Rows below the places of the columns, and right of their own."""
    body = rows(values, sep).splitlines()
    body = [f"{y}{sep}{row}" for y, row in zip(down, body, strict=True)]
    return "\n".join([sep.join([corner, *map(str, across)]), *body]) + "\n"


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
    "Zygo": (ZYGO + "\n".join([*pixels(), "#"]), "utf-8", {"pixel": (DX, DY)}, ["as Zygo's"]),
    "Keyence": (
        KEYENCE + quoted(), "utf-8", {"pixel": (DX, DY)}, []
    ),
    "Keyence, decimal commas": (
        KEYENCE.replace(",", ";") + commas(quoted(mark=";")), "utf-8", {"pixel": (DX, DY)},
        ["Commas"],
    ),
    "quoted": (quoted(), "utf-8", PIXEL, []),
    "quoted, decimal commas, commas": (
        quoted(mark=";").replace(".", ",").replace(";", ","), "utf-8", PIXEL, ["Commas"]
    ),
    "pandas, with its index": (
        with_axes(HEIGHT, range(4), range(3)), "utf-8", PIXEL, ["only count the pixels"]
    ),
    "places, their unit in the corner": (
        with_axes(HEIGHT, (0, 2, 4, 6), (5, 8, 11), "y/x (um)", "\t"), "utf-8", {"unit": "um"},
        ["2 by 3 apart, um by the name in the corner"],
    ),
    "places without a unit": (
        with_axes(HEIGHT, (0, 2, 4, 6), (5, 8, 11), "y\\x", ";"), "utf-8", PIXEL,
        ["in a unit that the file does not say"],
    ),
    "places that fall": (
        with_axes(HEIGHT[::-1], (0.0, 0.2, 0.4, 0.6), (0.8, 0.5, 0.2), "y_x_um"), "utf-8", PIXEL,
        ["0.2 by 0.3 apart, um"],
    ),
    "nines": (rows(missing="-9999.0"), "utf-8", PIXEL, ["Took -9999, far off all heights"]),
    "counts of pixels above": (
        "4 3\n" + rows(sep=" "), "utf-8", PIXEL, ["Left out 1 line above"]
    ),
    "numbered points": (
        ",x_um,y_um,z_um\n" + "\n".join(f"{i},{x}" for i, x in enumerate(points("NaN", ","))),
        "utf-8", {}, [],
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


def test_what_keyence_and_zygo_say_of_a_pixel(write):
    for text in (KEYENCE + quoted(), ZYGO + "\n".join(pixels())):
        found = records.read_height_map(write(text))
        assert (found.dx, found.dy) == pytest.approx((2e-6, 2e-6), rel=1e-12)
        np.testing.assert_allclose(found.height, 1e-6 * HEIGHT, rtol=1e-12)
    # Without a unit of its calibration, or with a camera that was not calibrated, it is asked for
    for text in (
        KEYENCE.replace(',"nm"', "") + quoted(), ZYGO.replace("2e-06", "0") + "\n".join(pixels())
    ):  # fmt: skip
        with pytest.raises(ValueError, match="pixel=1e-6"):
            records.read_height_map(write(text))


def rough(shape, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1.0, shape).round(4)


@settings(max_examples=40)
@given(
    scale=st.sampled_from([1e-3, 1.0, 1e3]), steps=st.tuples(*[st.floats(0.01, 50.0)] * 2),
    start=st.floats(-100.0, 100.0), fall=st.booleans(), digits=st.integers(2, 6),
    corner=st.sampled_from(["", "0", "y\\x"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_places_beside_a_map_are_no_heights(scale, steps, start, fall, digits, corner, seed):
    """Whatever the steps, the digits that they are printed with, and the heights."""
    height = scale * rough((9, 11), seed)
    steps = [round(step, digits) if step > 5 * 10**-digits else 1.0 for step in steps]
    across, down = (
        [f"{start + step * i:.{digits}f}" for i in range(n)]
        for n, step in zip((11, 9), steps, strict=True)
    )
    down = down[::-1] if fall else down
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "map.csv")
        path.write_text(with_axes(height, across, down, corner))
        found = records.read_height_map(path, pixel=1e-6, unit="um")
    np.testing.assert_allclose(found.height, 1e-6 * (height[::-1] if fall else height))
    assert len(found.notes) == 1


@settings(max_examples=40)
@given(
    tilt=st.tuples(*[st.floats(-2.0, 2.0)] * 2), digits=st.integers(1, 5),
    place=st.tuples(st.integers(0, 8), st.integers(0, 8)),
)  # fmt: skip
def test_a_tilted_plane_keeps_its_first_row_and_column(tilt, digits, place):
    """Its edges rise by equal steps too, but so do the rows and columns beside them."""
    j, i = np.mgrid[:12, :11]
    height = tilt[0] * j + tilt[1] * i
    height[place[0] : place[0] + 3, place[1] : place[1] + 3] += 3.0
    height = height.round(digits)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "map.csv")
        path.write_text(rows(height, ","))
        found = records.read_height_map(path, pixel=1e-6, unit="m")
    np.testing.assert_array_equal(found.height, height)
    assert found.notes == ()


def test_one_axis_alone(write):
    height = rough((9, 11))
    numbered = "\n".join(f"{i + 1},{x}" for i, x in enumerate(rows(height, ",").splitlines()))
    above = ",".join(map(str, range(11))) + "\n" + rows(height, ",")
    named = "line," + ",".join(f"c{i}" for i in range(11)) + "\n" + numbered
    stepped = "\n".join(f"{7 * i},{x}" for i, x in enumerate(rows(height, ",").splitlines()))
    for text, notes in (
        (numbered, ["first column, which only counts"]),
        (above, ["first row, which only counts"]),
        (named, ["line of names", "first column, which only counts"]),
        (stepped, ["first column, which goes by equal steps of 7"]),
    ):
        found = records.read_height_map(write(text), pixel=1e-6, unit="m")
        np.testing.assert_array_equal(found.height, height)
        assert len(found.notes) == len(notes)
        assert all(said in note for said, note in zip(notes, found.notes, strict=True))


@pytest.mark.parametrize("number", [-9999.0, 9999.0, -32768.0, 1e10, -1e30, 3.4028234e38, -500.0])
def test_numbers_far_off_all_heights_are_missing(number, tmp_path):
    height = rough((9, 11))
    height[2:4, 5] = number
    np.save(tmp_path / "map.npy", height)
    found = records.read_height_map(tmp_path / "map.npy", pixel=1e-6, unit="um")
    assert found.missing == 2 and np.isnan(found.height[2:4, 5]).all()
    assert "far off all heights, as missing: 2 pixels" in found.notes[0]
    assert np.nanmax(np.abs(found.height)) < 1e-5


def test_sentinels_of_both_signs_and_what_is_none(tmp_path):
    def read(height):
        np.save(tmp_path / "map.npy", height)
        return records.read_height_map(tmp_path / "map.npy", pixel=1e-6, unit="nm")

    both = rough((9, 11))
    both[0, 0], both[8, 10] = -32768.0, 32767.0  # one pixel each is enough of these
    assert read(both).missing == 2 and len(read(both).notes) == 2
    wide = 1e4 * rough((9, 11))  # nm, over more than 9999
    wide[4, :2] = 99999.0
    assert read(wide).missing == 2
    spike, pillars, levels = rough((9, 11)), np.zeros((9, 11)), np.zeros((9, 11))
    spike[4, 4] = 500.0
    pillars[2:5, 2:5] = 500.0 + rough((3, 3))
    levels[2:5, 2:5] = 9000.0
    top = rough((9, 11))
    top[:6] = 500.0  # most of the map: a plateau
    for height in (spike, pillars, levels, top):
        assert read(height).missing == 0 and read(height).notes == ()


@settings(max_examples=30)
@given(data=st.data(), ny=st.integers(3, 7), nx=st.integers(4, 7), kind=st.integers(0, 3))
def test_any_map_is_read_back(data, ny, nx, kind):
    """Whatever the numbers, the separator, the decimal sign and the places of missing pixels."""
    number = st.floats(-1e3, 1e3).map(lambda x: round(x, 4))
    height = np.array(data.draw(st.lists(number | st.just(np.nan), min_size=ny * nx,
                                         max_size=ny * nx))).reshape(ny, nx)  # fmt: skip
    # Both ends of the range, so that no number is far off all others and passes for a missing pixel
    height[0, :3] = 1.5, -1e3, 1e3
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
    "Keyence cut short": (
        KEYENCE + quoted(HEIGHT[:2]), "a.csv", {}, "announces 4 by 3 heights, but 4 by 2 follow"
    ),
    "Keyence without rows": (KEYENCE, "a.csv", {}, "no row of heights follows"),
    "Zygo's phase": (
        ZYGO.replace("XYZ", "ASCII") + "1 2 3 4 5 6 7 8\n#\n", "a.asc", {}, "'XYZ Data File'"
    ),
    "Zygo without end": (ZYGO[:-2], "a.xyz", {}, "no points x, y, z below a line of '#'"),
    "places, but of which unit": (
        with_axes(HEIGHT, (0, 2, 4, 6), (5, 8, 11), "y\\x"), "a.csv", {"unit": "um"},
        "columns are 2 and rows 3 apart, in a unit that the file does not say; name the side of a "
        "pixel in metres, as in pixel=(2e-06, 3e-06)",
    ),
    "uneven places": (
        with_axes(HEIGHT, (0, 2, 4, 7), (5, 8, 11), "y\\x"), "a.csv", PIXEL,
        "the columns stand at uneven places",
    ),
    "a mesh": ("solid", "a.stl", {}, "a mesh for the workshop"),
    "a summary": ("{}", "a.json", {}, "a summary, neither a list"),
    "a list without names": ("0 0 1e-5 5e-4\n" * 4, "a.txt", {"unit": "m"}, "call its columns"),
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


def test_arrays_without_a_unit_are_no_metres(tmp_path):
    for height, said in (
        ((1e3 * np.nan_to_num(HEIGHT)).astype(np.int16), 'whole numbers .int16. .*unit="nm"'),
        (HEIGHT, "reach over 6.25, which are no metres"),
    ):
        np.save(tmp_path / "map.npy", height)
        with pytest.raises(ValueError, match=said):
            records.read_height_map(tmp_path / "map.npy", pixel=DX)
        found = records.read_height_map(tmp_path / "map.npy", pixel=DX, unit="nm")
        np.testing.assert_allclose(found.height, 1e-9 * np.float64(height))


def test_a_mesh_names_the_list_beside_it(tmp_path, write):
    write("height_m,radius_m\n1e-6,1e-4\n", "surface.csv")
    for name in ("surface.stl", "design.json"):
        for read in (records.read_surface, records.read_asperities, records.read_height_map):
            with pytest.raises(ValueError, match="read 'surface.csv' beside it"):
                read(write("solid", name))


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
        "label,Tip height (um),Radius of curvature (um)\nA1,1.5,500\nA2,-2,250\n",
        "height,radius\num,mm\n1.5,0.5\n-2,0.25\n",
        "height;radius;contact_radius_m\n[um];[um];\n1,5;500;1;\n-2;250;1;\n",
        'caps of 2025\nHöhe (µm),Radius (µm),base radius (µm)\n1.5,500,"A, B"\n-2,250,-\n',
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
        ("height_um,radius_um\n1,2\n1,-3\n", "line 3 has a radius that is not positive"),
        ("height_m,z_m,radius_m\n1,2,3\n", "2 columns are the height"),
        ("depth_m,radius_m\n1,2\n", "no columns are the height"),
        ("1,2\n3,4\n", "names the columns"),
        ("height_um,diameter_um\n1,2\n", "half the diameter; of a cap with a foot"),
        ("r_um,z_um,R_um\n0,12,500\n", "2 columns are the radius among r_um, z_um, R_um"),
        ("height_um,radius_um\n", "but no row of numbers stands below"),
        ("height,radius\num,um\n", "but no row of numbers stands below"),
        ("height_um,radius_um\n1,2\n1,2,3\n", "2 columns .* but line 3 has 3 values"),
        ("height_um,radius_um\n1,2,3\n1,2,3\n", "2 columns .* but line 3 has 3 values"),
        ("x (um);z (um);R (um)\n0;1.000,5;1\n", "line 2 has no number for 'z .um.' but '1.000,5'"),
        ("height_m,radius_m\n1e-5,500\n", "radius of 500 m, .* as in radius_um"),
        ("height_m,radius_m\n12,0.5\n", "height of 12 m, .* as in height_um"),
        ("x_um,y_um,z_um,R_um\n0,0,1,2\n1,0,1,2\n0,0,3,4\n", "lines 2 and 4 put two caps in one"),
    ],
)
def test_lists_that_are_refused(text, said, write):
    with pytest.raises(ValueError, match=said):
        records.read_asperities(write(text, "caps.csv"))


def test_notes_of_a_list(write):
    text = "cap,Tip height,Radius of curvature\n-,um,um\nA1,1.5,500\nA2,-2,250\n"
    found = records.read_surface(write(text, "caps.csv"))
    assert found.notes == (
        "Read by their names: radius is 'Radius of curvature'.",
        "Left out the words in 'cap'.", "Units from line 2.",
    )  # fmt: skip
    assert "Units from line 2." in str(found)


def test_a_name_above_a_map_makes_no_list(write):
    found = records.read_surface(write("Tip radius, 10 nm\n" + rows(), "afm.txt"), **PIXEL)
    assert isinstance(found, records.HeightMap) and found.height.shape == HEIGHT.shape


def test_what_is_no_list(write):
    with pytest.raises(ValueError, match="two columns of numbers are no map"):
        records.read_surface(write("1e-5,5e-4\n2e-5,5e-4\n", "caps.csv"))
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

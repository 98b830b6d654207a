"""Files that cannot be read: every message names the file, the place and the remedy."""

import gzip
import re

import pytest

from jaxfric import records

HEADER = "Time(s)\tDispl(microns)\tFriction\tNormal_stress(MPa)"


@pytest.fixture
def refuse(write):
    """The message with which a content is refused, in which every part must appear in order."""

    def refuse(content, *parts, **options):
        with pytest.raises(ValueError) as error:
            records.read_velocity_step(write(content), **options)
        message = str(error.value)
        assert message.startswith("b001.txt: ")
        assert re.search(".*".join(map(re.escape, parts)), message), message
        return message

    return refuse


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.5\t5.0\tnan\t20.0", "Friction is 'nan'"),
        ("0.5\t5.0\t-inf\t20.0", "Friction is '-inf'"),
        ("0.5\t5.0\t0.6\t1e999", "Normal_stress(MPa) is '1e999'"),
        ("NaN\t5.0\t0.6\t20.0", "Time(s) is 'NaN'"),
        ("0.5\toverload\t0.6\t20.0", "Displ(microns) is 'overload'"),
        ("0.5\t5_0\t0.6\t20.0", "Displ(microns) is '5_0'"),
        ("0.5\t\t0.6\t20.0", "no Displ(microns)"),
        ("0.5\t5.0\t0.6", "3 values instead of 4"),
        ("0.5", "1 value instead of 4"),
        ("0.5\t5.0\t0.6\t20.0\t1.0", "5 values instead of 4"),
    ],
)
def test_one_bad_row(refuse, text, row, reason):
    refuse(text({5: row}), f"cannot use 1 row (line 7: {reason});", "pass drop_bad_rows=True")


def test_many_bad_rows_are_counted(refuse, text):
    bad = {i: f"{0.1 * i}\t?\t0.6\t20" for i in range(3, 12)}
    message = refuse(text(bad), "9 rows (line 5:", "line 9: ", "; and 4 more)")
    assert "line 10" not in message


def test_a_truncated_last_row(refuse, text):
    refuse(text().rstrip()[:-12], "line 21: ", "instead of 4")


def test_a_line_of_units(refuse, text):
    refuse(
        text(header="Time\tDispl\tFriction\tNormal_stress\ns\tmicrons\t-\tMPa"),
        "cannot use 1 row (line 2: Time is 's');",
        "if line 2 states units, pass skip_rows=(2,) and units=",
        units={"time": "s", "displacement": "um", "normal_stress": "MPa"},
    )


@pytest.mark.parametrize("separator", ["\t", ";", "  "])
def test_decimal_commas(refuse, text, separator):
    content = text().replace("\t", separator).replace(".", ",")
    for drop in (False, True):
        refuse(content, "20 rows (line 2:", "these are decimal commas", drop_bad_rows=drop)


def test_decimal_commas_between_commas(refuse, text):
    content = text().replace(".", ",").replace("\t", ",")
    refuse(content, "4 names, but most rows have", "between commas")
    content = "t(s),disp(um),mu\n0,1,1,0,0,6\n0,2,2,0,0,6\n0,3,3,0,0,6\n"
    refuse(content, "3 names, but most rows have 6 values", "These are decimal commas")


def test_dropping_more_than_half_is_refused(refuse, text):
    bad = {i: "x\tx\tx\tx" for i in range(11)}
    refuse(text(bad), "11 rows", "does not leave out more than half of the 20", drop_bad_rows=True)


def test_repeated_and_decreasing_times(refuse, text):
    refuse(
        text({5: "0.4\t5\t0.6\t20", 9: "0.7\t9\t0.6\t20"}),
        "time must increase",
        "line 7 repeats 0.4 s; line 11 goes back from 0.8 s to 0.7 s; 2 in all",
        "drop_bad_rows=True",
        "window=(start, stop)",
    )


def test_a_clock_that_restarts_is_never_repaired(refuse, text, rows):
    content = text() + "\n".join(rows)
    refuse(content, "line 22 goes back from 1.9 s to 0 s; 1 in all", drop_bad_rows=True)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Time(s)\tDispl(microns)\tA\tB", "friction"),
        ("Time(s)\tA\tFriction\tB", "displacement"),
        ("A\tDispl(microns)\tFriction\tB", "time"),
        ("A\tB\tC\tD", "time, displacement, friction"),
    ],
)
def test_missing_columns(refuse, text, header, missing):
    names = ", ".join(map(repr, header.split("\t")))
    example = missing.split(", ")[0]
    refuse(
        text(header=header),
        f"no column for {missing}. Line 1 names {names}.",
        f'columns={{"{example}": 0',
        "skip_rows=",
    )


def test_no_names_at_all(refuse, rows):
    refuse("\n".join(rows), "no column for time", "4 columns and no line of names", "by index")


def test_a_first_row_with_text_is_no_line_of_names(refuse, rows):
    refuse(
        "\n".join(["0.0\t0.0\toverload\t20.0", *rows[1:]]),
        "line 1: column 2 is 'overload'",
        columns={"time": 0, "displacement": 1, "friction": 2},
        units={"time": "s", "displacement": "um"},
    )


def test_a_column_left_out_that_is_needed(refuse, text):
    refuse(text(), "no column for friction", columns={"friction": None})


def test_stresses_that_give_no_friction(refuse, text):
    header = "Time(s)\tDispl(um)\tShear_stress(MPa)\tT"
    refuse(text(header=header), "neither friction nor a normal stress", "normal_stress")
    header = "Time(s)\tDispl(um)\tShear_stress(MPa)\tNormal_stress(MPa)"
    refuse(text({4: "0.4\t4\t9\t0"}, header=header), "stress is zero (line 6; 1 in all)", "window=")


def test_a_shear_stress_mapped_to_friction(refuse, write, text):
    content = text(header="Time(s)\tDispl(um)\tShearStress\tLoad")
    columns = {"friction": "ShearStress"}
    refuse(content, "maps the shear stress 'ShearStress' to friction", columns=columns)
    options = {"columns": columns, "units": {"friction": "1"}}
    assert records.read_velocity_step(write(content), **options).friction[0] == 0.6


def test_two_columns_for_one_quantity(refuse, text):
    header = "Time(s)\tDispl(um)\tLP_disp(um)\tmu"
    refuse(text(header=header), "2 columns could be the displacement: 'Displ(um)', 'LP_disp(um)'")
    refuse(text(header="Time(s)\tTime(s)\tmu\tdisp(um)"), "2 columns are called 'Time(s)'; map time"
           " by index, one of [0, 1]", columns={"time": "Time(s)"})  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"time": "Clock"}, ("{\"time\": 'Clock'} is not a column. Line 1 names 'Time(s)'",)),
        ({"time": 4}, ('{"time": 4} is not a column', "from 0 to 3")),
        ({"time": -1}, ('{"time": -1} is not a column',)),
        ({"time": 1, "displacement": 1}, ("maps one column to two quantities",)),
        ({"friction": 2, "shear_stress": 3}, ("maps both friction and shear_stress",)),
    ],
)
def test_columns_that_do_not_fit(refuse, text, columns, parts):
    refuse(text(), *parts, columns=columns)


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("Time\tDispl(um)\tmu\tB", ("'Time' states no unit for the time", 'units={"time"', "ms")),
        ("Time(s)\tDispl\tmu\tB", ("'Displ' states no unit", 'units={"displacement"', "um")),
        ("Time(s)\tDispl()\tmu\tB", ("'' (column 'Displ()') is not a known unit",)),
        ("Time(s)\tDispl(in)\tmu\tB", ("'in' (column 'Displ(in)')", "displacement", "m, cm, mm")),
        ("Time(s)\tDispl(um)\tmu(MPa)\tB", ("'MPa'", "unit of the friction", "no unit")),
        (HEADER.replace("(MPa)", ""), ("states no unit", 'columns={"normal_stress": None}')),
        (HEADER.replace("MPa", "mPa"), ("'mPa'", 'units={"normal_stress": unit}', "MPa")),
        (HEADER.replace("(s)", "(Ms)"), ("'Ms'", "not a known unit")),
    ],
)
def test_unknown_and_missing_units(refuse, text, header, parts):
    refuse(text(header=header), *parts)


def test_units_that_are_passed_are_checked_too(refuse, text):
    refuse(text(), "'furlong'", "not a known unit", units={"displacement": "furlong"})


@pytest.mark.parametrize("option", ["columns", "units"])
def test_quantities_that_do_not_exist(write, text, option):
    with pytest.raises(ValueError, match=f"{option}= has the key 'velocity', but the quantities"):
        records.read_velocity_step(write(text()), **{option: {"velocity": "s"}})


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("t(s)\tdisp(m)\tmu\tT", ("displacement covers 19 m", 'units={"displacement": "um"}')),
        ("t(s)\tmu\tdisp(um)\tT", ("friction are not between", "line 8: 6", "check_ranges=False")),
        (HEADER.replace("MPa", "Pa"), ("20 of 20 values of normal stress", "line 2: 20 Pa")),
        (HEADER.replace("(s)", "(h)"), ()),
    ],
)
def test_wrong_units(refuse, write, text, header, parts):
    if parts:
        refuse(text(header=header), *parts)
    record = records.read_velocity_step(write(text(header=header)), check_ranges=False)
    assert record.time.size == 20


def test_shear_stress_in_pascal_given_as_friction(refuse, text, rows):
    changed = {i: row.replace("\t0.6", "\t6000") for i, row in enumerate(rows)}
    refuse(text(changed), "20 of 20 values of friction", "line 2: 600000", '"shear_stress"')


def test_one_glitch_is_named_and_can_be_skipped(refuse, write, text):
    content = text({8: "0.8\t8\t77\t20"})
    refuse(content, "1 of 20 values of friction", "(line 10: 77)", "skip_rows=(line, ...)")
    assert records.read_velocity_step(write(content), skip_rows=(10,)).time.size == 19


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "the file is empty"),
        ("\n  \n\t\t\n", "the file is empty"),
        ("# Time(s)\n# nothing\n", "holds only comments"),
        (HEADER, "no rows of numbers"),
        (HEADER + "\n0\t0\t0.6\t20\n", "1 row of numbers; a velocity-step record needs 3 or more"),
        (HEADER + "\n0\t0\t0.6\t20\n1\t1\t0.6\t20\n", "2 rows of numbers"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "looks like a binary file"),
        (gzip.compress(HEADER.encode(), mtime=0), "looks like a binary file"),
        (b"PK\x03\x04\x14\x00\x06\x00", "looks like an Excel workbook"),
        (HEADER.encode("utf-16-le"), "looks like a binary file"),
    ],
)
def test_files_without_rows(refuse, content, part):
    refuse(content, part)


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("Time(s)\tDispl(um)\tFriction", ("line 1 has 3 names, but most rows have 4", "(line 2: ")),
        (
            "Time(s),Displ(um),Friction,Stress(MPa)",
            ("has 1 name,", "4 values", "Use one separator"),
        ),
        ("t (in s) disp (in um) mu stress", ("skip_rows=<count>", 'columns={"time": 0')),
        ("Experiment b001", ("line 1 has 2 names", "skip lines above the names")),
    ],
)
def test_names_that_do_not_fit_the_numbers(refuse, text, header, parts):
    refuse(text(header=header), *parts)


@pytest.mark.parametrize("skip_rows", [-1, (0, 1), (-3,), True])
def test_skip_rows_must_count(write, text, skip_rows):
    path = write(text())
    with pytest.raises(ValueError, match="skip_rows=.* must be a count of lines"):
        records.read_velocity_step(path, skip_rows=skip_rows)


def test_skipping_everything(refuse, text):
    refuse(text(), "the file is empty (with skip_rows=99)", skip_rows=99)


def test_windows(refuse, write, text):
    refuse(text(), "0 rows lie in window=(5.0, 6.0)", "0 to 1.9 s", window=(5, 6))
    refuse(text(), "2 rows lie in window=(0.0, 0.1)", window=(0.0, 0.1))
    with pytest.raises(ValueError, match="a window needs start < stop"):
        records.read_velocity_step(write(text()), window=(2.0, 1.0))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file .*b002.txt.*check the name"):
        records.read_velocity_step(tmp_path / "b002.txt")
    with pytest.raises(IsADirectoryError, match="is a folder; name one file in it"):
        records.read_velocity_step(str(tmp_path))

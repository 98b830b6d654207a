"""Files that can be read: names, units, separators, encodings, windows, repairs."""

import numpy as np
import pytest

from jaxfric import records

HEADER = "Time(s)\tDispl(microns)\tFriction\tNormal_stress(MPa)"


@pytest.fixture
def expected(write, text):
    return records.read_velocity_step(write(text(), "expected.txt"))


def assert_same(record, expected):
    for key in ("time", "displacement", "friction", "normal_stress"):
        np.testing.assert_allclose(getattr(record, key), getattr(expected, key), rtol=1e-13)


def test_plain_file(expected):
    assert expected.name == "expected"
    assert expected.notes == ()
    np.testing.assert_allclose(expected.time, 0.1 * np.arange(20), rtol=1e-15)
    np.testing.assert_allclose(expected.displacement, 1e-6 * np.arange(20), rtol=1e-15)
    np.testing.assert_allclose(expected.friction, 0.6 + 1e-3 * np.arange(20), rtol=1e-15)
    np.testing.assert_array_equal(expected.normal_stress, 2e7)


@pytest.mark.parametrize("separator", [",", ";", ", ", "; ", "  ", "\t", " \t "])
def test_separators(write, text, expected, separator):
    path = write(text().replace("\t", separator))
    assert_same(records.read_velocity_step(path), expected)


@pytest.mark.parametrize(
    "header",
    [
        "time [s]\tlp_disp [um]\tmu\tnormal stress [MPa]",
        "t(sec)\tLoad point displacement (µm)\tfriction coefficient\tsigma_n (MPa)",
        "Elapsed_time(s)\tLP_displ(μm)\tCoefficient of friction (-)\tEffective_Normal_stress(MPa)",
        "time_s\tdisp_um\tCOF\tnormal_stress_MPa",
        "Time, s\tDisp., micron\tμ\tσn, mpa",
        "Time (s) \t LPDisp {um}\tFriction []\tEff. normal stress (MPA)\t",
        '"Time(s)"\t"Displ(microns)"\t"Friction"\t"Normal_stress(MPa)"',
    ],
)
def test_names(write, text, expected, header):
    assert_same(records.read_velocity_step(write(text(header=header))), expected)


@pytest.mark.parametrize(
    ("header", "factors"),
    [
        ("t(ms) disp(mm) mu normal_stress(kPa)", (1e-3, 1e-3, 1.0, 1e3)),
        ("t(us) disp(nm) mu normal_stress(GPa)", (1e-6, 1e-9, 1.0, 1e9)),
        ("t(min) disp(cm) mu normal_stress(bar)", (60.0, 1e-2, 1.0, 1e5)),
        ("t(h) disp(m) mu normal_stress(Pa)", (3600.0, 1.0, 1.0, 1.0)),
    ],
)
def test_units(write, text, header, factors):
    path = write(text(header=header.replace(" ", "\t")))
    record = records.read_velocity_step(path, check_ranges=False)
    last = record.time[-1], record.displacement[-1], record.friction[-1], record.normal_stress[-1]
    np.testing.assert_allclose(last, np.multiply((1.9, 19.0, 0.619, 20.0), factors), rtol=1e-14)


def test_options_override_names_and_units(write, text, expected):
    path = write(text(header="clock (ms)\tram\tA\tB"))
    record = records.read_velocity_step(
        path,
        columns={"time": "clock (ms)", "displacement": "ram", "friction": 2, "normal_stress": "B"},
        units={"time": "s", "displacement": "um", "normal_stress": "MPa"},
    )
    assert_same(record, expected)
    by_bare_name = records.read_velocity_step(
        path,
        columns={"time": "clock", "displacement": "ram", "friction": "A", "normal_stress": None},
        units={"displacement": "um"},
    )
    np.testing.assert_allclose(by_bare_name.time, 1e-3 * expected.time, rtol=1e-14)
    assert by_bare_name.normal_stress is None


def test_no_line_of_names(write, rows, expected):
    options = {
        "columns": {"time": 0, "displacement": 1, "friction": 2, "normal_stress": 3},
        "units": {"time": "s", "displacement": "um", "normal_stress": "MPa"},
    }
    assert_same(records.read_velocity_step(write("\n".join(rows)), **options), expected)
    names = "time load point displacement mu stress\n"  # names that do not fit the numbers
    path = write(names + "\n".join(rows).replace("\t", " "))
    assert_same(records.read_velocity_step(path, **options), expected)


def test_names_with_spaces_between_spaces(write, rows, expected):
    values = "\n".join(rows).replace("\t", "   ")
    for header in (
        "Time (s)   Load point disp (um)   Friction   Normal stress (MPa)",
        "Time (s) Displ (um) Friction Normal_stress (MPa)",
    ):
        assert_same(records.read_velocity_step(write(f"{header}\n{values}\n")), expected)


@pytest.mark.parametrize("opening", ["# ", "%", "  #"])
def test_names_in_a_comment(write, text, expected, opening):
    path = write(f"# time\tdisp\tmu\tfree\n{opening}{text()}# end of file\n")
    assert_same(records.read_velocity_step(path), expected)


def test_savetxt(tmp_path, expected):
    path = tmp_path / "saved.csv"
    columns = (expected.time, expected.displacement, expected.friction, expected.normal_stress)
    header = "a free line, of text\ntime(s),disp(m),mu,normal_stress(Pa)"
    np.savetxt(path, np.transpose(columns), delimiter=",", header=header)
    assert_same(records.read_velocity_step(path), expected)


def test_skip_rows(write, text, expected):
    path = write(f"Experiment b001\n20 Nov 2024\n\n{text()}")
    assert_same(records.read_velocity_step(path, skip_rows=3), expected)
    assert_same(records.read_velocity_step(path, skip_rows=(1, 2)), expected)
    units = text(header=HEADER + "\ns\tum\t-\tMPa")
    assert_same(records.read_velocity_step(write(units), skip_rows=[2]), expected)


def test_blank_lines_comments_and_trailing_separators(write, text, expected):
    lines = text().splitlines()
    lines[5:5] = ["", "# motor restarted", "\t\t\t", "   "]
    assert_same(records.read_velocity_step(write("\t\n".join(lines) + "\n,,,\n\n")), expected)


def test_the_end_of_file_mark_of_old_instruments(write, text, expected):
    assert_same(records.read_velocity_step(write(text() + "\x1a")), expected)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends(write, text, expected, end):
    assert_same(records.read_velocity_step(write(text().replace("\n", end))), expected)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(write, text, expected, encoding):
    content = text(header="Time(s)\tDispl(µm)\tFriction\tNormal_stress(MPa)")
    assert_same(records.read_velocity_step(write(content.encode(encoding))), expected)


def test_line_ends_of_unicode_do_not_shift_line_numbers(write, text):
    content = f"# temp\x85rature\n{text({3: 'x	1	0.6	20'})}".encode("latin-1")
    with pytest.raises(ValueError, match="line 6: Time.s. is 'x'"):
        records.read_velocity_step(write(content))


def test_friction_from_stresses(write, rows):
    stresses = [row.replace("\t0.6", "\t12.") for row in rows]
    header = "Time(s)\tDispl(microns)\tShear_stress(MPa)\tNormal_stress(MPa)"
    record = records.read_velocity_step(write("\n".join([header, *stresses])))
    np.testing.assert_allclose(record.friction, (12 + 0.01 * np.arange(20)) / 20, rtol=1e-14)
    assert record.notes == ("Friction is 'Shear_stress(MPa)' over 'Normal_stress(MPa)'.",)
    assert "notes          Friction is" in str(record)


def test_a_friction_column_goes_before_stresses_unless_mapped(write, text):
    lines = text().splitlines()
    path = write("\n".join([lines[0] + "\ttau(kPa)", *(line + "\t8000" for line in lines[1:])]))
    assert records.read_velocity_step(path).friction[0] == 0.6
    record = records.read_velocity_step(path, columns={"shear_stress": "tau(kPa)"})
    np.testing.assert_allclose(record.friction, 0.4, rtol=1e-14)


def test_columns_that_are_not_used_may_hold_anything(write, text, expected):
    lines = text().splitlines()
    remarks = ["Remark\tShear_stress", *(f"remark {i}\tnan" for i in range(19)), "\t"]
    path = write(
        "\n".join(f"{remark}\t{line}" for remark, line in zip(remarks, lines, strict=True))
    )
    assert_same(records.read_velocity_step(path), expected)


def test_window(write, text, expected):
    bad = {0: "start\t-\t-\t-", 17: "1.7\t17\tnan\t20", 19: "short\trow"}
    path = write(text(bad))
    record = records.read_velocity_step(path, window=(0.25, 1.65))
    assert_same(record, expected.crop(0.25, 1.65))
    in_ms = write(text(header=HEADER.replace("(s)", "(ms)")), "ms.txt")
    assert records.read_velocity_step(in_ms, window=(0, 1e-3)).time.size == 11
    with pytest.raises(ValueError, match="line 19: Friction is 'nan'"):
        records.read_velocity_step(path, window=(0.25, 1.85))


def test_drop_bad_rows(write, text, expected):
    bad = {3: "0.3\t3.0\toverload\t20", 4: "0.4\t4.0", 9: "0.8\t9\t0.609\t20", 12: "1.2\t\t0.6\t20"}
    record = records.read_velocity_step(write(text(bad)), drop_bad_rows=True)
    keep = np.setdiff1d(np.arange(20), list(bad))
    np.testing.assert_array_equal(record.friction, expected.friction[keep])
    assert record.notes == (
        "Left out 4 rows (line 5: Friction is 'overload'; line 6: 2 values instead of 4; "
        "line 11: repeats the time 0.8; line 14: no Displ(microns)).",
    )


def test_notes_name_every_row_that_was_dropped(write, text):
    bad = {i: f"0.{i}\t{i}\tnan\t20" for i in range(2, 9)}
    record = records.read_velocity_step(write(text(bad)), drop_bad_rows=True)
    assert record.notes[0].endswith("and 2 more); all lines: 4, 5, 6, 7, 8, 9, 10.")


def test_nothing_to_drop(write, text, expected):
    record = records.read_velocity_step(write(text()), drop_bad_rows=True)
    assert_same(record, expected)
    assert record.notes == ()


def test_a_hold_can_be_read(write, rows):
    held = "\n".join(row.split("\t")[0] + "\t7\t0.6\t20" for row in rows)
    assert np.ptp(records.read_velocity_step(write(f"{HEADER}\n{held}")).displacement) == 0

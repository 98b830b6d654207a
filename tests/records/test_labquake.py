"""Stick-slip files: what is read, what is repaired and noted, what is refused."""

import re
import tempfile
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as npst

from jaxfric import records

N = 400
TIME = 50.0 + 0.1 * np.arange(N)
PHASE = np.arange(N) % 100
SHEAR = 3.0 + 0.005 * PHASE  # MPa
AE1 = 1000.0 + 10 * PHASE + 9e4 * (PHASE < 10)
AE2 = 500.0 + 7 * PHASE + 4e4 * (PHASE < 10)


@pytest.fixture
def quakes(write):
    """Write a file from columns, with some cells changed, and read it with normal_stress=8 MPa."""

    def quakes(changes=None, replaced=None, header=None, read=None, rows=None, **columns):
        table = {"Time": TIME, "Shear_Stress": SHEAR, "Var_Ch1": AE1, "Var_Ch2": AE2}
        table |= replaced or {}
        table |= columns
        cells = {key: [repr(float(x)) for x in column] for key, column in table.items()}
        for (key, row), text in (changes or {}).items():
            cells[key][row] = text
        lines = [header or ",".join(table)]
        lines += [",".join(row) for row in zip(*cells.values(), strict=True)]
        if rows is not None:
            lines = [lines[0], *(lines[1 + i] for i in rows)]
        return records.read_labquake(
            write("\n".join(lines), "p001.csv"), **({"normal_stress": 8e6} | (read or {}))
        )

    return quakes


def note(record, pattern):
    found = [text for text in record.notes if re.search(pattern, text)]
    assert len(found) == 1, record.notes
    return found[0]


def test_a_clean_file(quakes):
    record = quakes()
    np.testing.assert_allclose(record.time, TIME)
    np.testing.assert_allclose(record.emission, np.stack([AE1, AE2], 1))
    np.testing.assert_allclose(record.energy, np.hypot(AE1, AE2))
    np.testing.assert_allclose(record.shear_stress, 1e6 * SHEAR)
    np.testing.assert_allclose(record.friction, SHEAR / 8)
    assert record.target is record.friction
    assert record.channels == ("Var_Ch1", "Var_Ch2")
    assert record.normal_stress == 8e6 and record.name == "p001"
    np.testing.assert_allclose(record.dt, 0.1)
    assert record.displacement is None and record.time_to_failure is None
    assert record.notes == (
        "Units that no name states are taken as usual: Time in s, Shear_Stress in MPa.",
    )
    for column in (record.time, record.emission, record.friction):
        assert column.dtype == np.float64 and not column.flags.writeable


@pytest.mark.parametrize(
    "name",
    ["AE1", "acoustic_data", "KE", "kinetic_energy", "AE energy (J)", "variance", "rms_channel_3"],
)
def test_names_of_a_channel(quakes, name):
    record = quakes(header=f"Time,Shear_Stress,{name},Other")
    assert record.channels == (name,)


def test_columns_by_name_and_index_and_units(quakes):
    record = quakes(
        header="clock,load,left,right",
        read={
            "columns": {"time": 0, "shear_stress": "load", "emission": ["right", 2]},
            "units": {"time": "ms", "shear_stress": "kPa"},
            "normal_stress": 8e3,
        },
    )
    np.testing.assert_allclose(record.time, 1e-3 * TIME)
    np.testing.assert_allclose(record.friction, SHEAR / 8)
    assert record.channels == ("right", "left")
    np.testing.assert_allclose(record.emission[:, 0], AE2)
    assert record.notes == ()


def test_emission_alone_is_a_record(quakes):
    record = quakes(
        read={"normal_stress": None, "columns": {"shear_stress": None, "emission": "Var_Ch2"}}
    )
    assert record.target is None and record.friction is None
    np.testing.assert_array_equal(record.energy, AE2)
    assert "for prediction only" in str(record)


def test_shear_stress_alone_is_the_target(quakes):
    record = quakes(read={"normal_stress": None})
    assert record.friction is None
    np.testing.assert_allclose(record.target, 1e6 * SHEAR)


def test_a_friction_column_goes_before_a_ratio(quakes):
    record = quakes(mu=0.5 + 0.001 * PHASE)
    np.testing.assert_allclose(record.friction, 0.5 + 0.001 * PHASE)


def test_normal_stress_of_a_column(quakes):
    column = 8.0 + 0.001 * PHASE
    record = quakes(Normal_stress=column, read={"normal_stress": None})
    np.testing.assert_allclose(record.friction, SHEAR / column)
    given = quakes(Normal_stress=column)
    np.testing.assert_allclose(given.friction, SHEAR / 8)
    assert not [text for text in given.notes if "disagrees" in text]
    other = quakes(Normal_stress=column / 1e4)
    note(other, r"given normal stress of 8e\+06 Pa was used; the column 'Normal_stress' disagrees")


def test_wrong_normal_stress_is_refused_with_the_remedy(quakes):
    with pytest.raises(ValueError, match=r"would be 4.*e\+05.*pass it in Pa, normal_stress=8e\+06"):
        quakes(read={"normal_stress": 8.0})
    with pytest.raises(ValueError, match=r'0\.000406.*in MPa.*"shear_stress": "MPa"|usual'):
        quakes(read={"normal_stress": 8e9})
    with pytest.raises(ValueError, match=r'looks to be in MPa \(units={"shear_stress": "MPa"}'):
        quakes(read={"units": {"shear_stress": "Pa"}})
    with pytest.raises(ValueError, match=r'looks to be in kPa \(units={"shear_stress": "kPa"}'):
        quakes(replaced={"Shear_Stress": 1e3 * SHEAR})
    for bad in (0.0, -8e6, float("nan")):
        with pytest.raises(ValueError, match="normal_stress must be a positive number"):
            quakes(read={"normal_stress": bad})
    with pytest.raises(ValueError, match="the normal stress must be positive"):
        quakes(Normal_stress=0 * TIME, read={"normal_stress": None})
    assert quakes(read={"normal_stress": 8e9, "check_ranges": False}).friction.max() < 1e-3


@pytest.mark.parametrize("text", ["", "nan", "overload", "inf"])
def test_a_short_gap_is_filled_and_noted(quakes, text):
    changes = {("Var_Ch1", i): text for i in (150, 151, 152)} | {("Shear_Stress", 40): text}
    record = quakes(changes)
    filled = np.exp(np.interp([150, 151, 152], [149, 153], np.log(AE1[[149, 153]])))
    np.testing.assert_allclose(record.emission[150:153, 0], filled)
    np.testing.assert_allclose(record.friction, SHEAR / 8)  # it is linear there
    note(record, r"Var_Ch1: 3 missing values interpolated geometrically \(line 152 to line 154\)")
    note(record, r"Shear_Stress: 1 missing value interpolated linearly \(line 42\)")


def test_a_long_gap_is_refused_with_its_lines(quakes):
    changes = {("Shear_Stress", i): "nan" for i in range(200, 230)}
    with pytest.raises(
        ValueError, match=r"'Shear_Stress' has 1 gap longer than 1 s \(line 202 to line 231: 69.9"
    ):
        quakes(changes)
    assert quakes(changes, read={"window": (50, 69)}).time[-1] == pytest.approx(69.0)
    assert quakes(changes, read={"max_gap": 4.0}).time.size == N


def test_missing_ends(quakes):
    record = quakes({("Shear_Stress", i): "" for i in (0, 1, N - 1)})
    np.testing.assert_allclose(record.time, TIME[2:-1])
    note(record, "Left out 3 rows at the ends, where 'Shear_Stress' had no number")
    with pytest.raises(ValueError, match=r"opens or ends with missing.*window=\(60, 89\.9\)"):
        quakes({("Shear_Stress", i): "" for i in range(100)})


def test_a_time_gap(quakes):
    record = quakes(rows=[i for i in range(N) if not 210 <= i < 214])
    np.testing.assert_allclose(record.time, TIME)
    np.testing.assert_allclose(record.friction, SHEAR / 8)
    note(record, "1 of 395 time steps were uneven")
    with pytest.raises(ValueError, match=r"clock has 1 gap longer than 1 s \(line 211 to line 212"):
        quakes(rows=[i for i in range(N) if not 210 <= i < 240])


def test_jitter_is_resampled_on_the_median_step(quakes):
    rng = np.random.default_rng(0)
    time = TIME + np.where(np.arange(N) % 5 == 0, rng.uniform(-0.03, 0.03, N), 0)
    rise = 3.0 + 0.01 * (time - 50)
    record = quakes(replaced={"Time": time, "Shear_Stress": rise})
    assert np.abs(np.diff(record.time) - 0.1).max() < 1e-9
    np.testing.assert_allclose(record.friction * 8, 3.0 + 0.01 * (record.time - 50))
    note(record, "Resampled every 0.1 s by linear interpolation")


def test_repeated_and_backward_times(quakes):
    time = TIME.copy()
    time[30], time[90] = time[29], time[80]
    record = quakes(replaced={"Time": time}, changes={("Time", 120): "?"})
    text = note(record, "Left out 3 rows")
    assert "line 32 repeats 52.9 s; line 92 goes back to 58 s; line 122 has no time" in text
    np.testing.assert_allclose(record.time, TIME)
    with pytest.raises(ValueError, match="time must increase.*clock that restarts"):
        quakes(replaced={"Time": np.concatenate([TIME[:200], TIME[:200]])})


def test_a_dead_channel_is_left_out(quakes):
    record = quakes(replaced={"Var_Ch2": np.full(N, 7.0)})
    assert record.channels == ("Var_Ch1",)
    note(record, r"Var_Ch2: left out, a dead channel \(constant 7\)")
    empty = quakes({("Var_Ch1", i): "" for i in range(300)})
    assert empty.channels == ("Var_Ch2",)
    note(empty, "Var_Ch1: left out, 300 values are missing")
    with pytest.raises(ValueError, match="every channel of the emission is dead"):
        quakes(replaced={"Var_Ch1": np.ones(N), "Var_Ch2": np.zeros(N)})


def test_a_saturated_channel(quakes):
    clipped = np.minimum(AE1, 3e4)
    record = quakes(replaced={"Var_Ch1": clipped})
    assert record.channels == ("Var_Ch2",)
    note(record, r"Var_Ch1: left out, saturated \(10 % of the samples")
    both = quakes(replaced={"Var_Ch1": clipped, "Var_Ch2": np.minimum(AE2, 9e3)})
    assert both.channels == ("Var_Ch1", "Var_Ch2")
    note(both, "Var_Ch2: kept, as no channel is better")


def test_negative_and_zero_emission(quakes):
    with pytest.raises(ValueError, match=r"'Var_Ch1' has 1 negative values \(line 12: -5\)"):
        quakes({("Var_Ch1", 10): "-5"})
    record = quakes({("Var_Ch1", 10): "0", ("Var_Ch1", 50): "0"})
    floor = AE1[[i for i in range(N) if i not in (10, 50)]].min()
    assert record.emission[10, 0] == record.emission[50, 0] == floor
    note(record, "Var_Ch1: 2 zeros raised to the smallest positive value")


def test_a_constant_target_is_refused(quakes):
    with pytest.raises(ValueError, match=r'friction is constant.*columns={"friction": None}'):
        quakes(replaced={"Shear_Stress": np.full(N, 3.0)})


def test_too_short_and_missing_columns(quakes):
    with pytest.raises(ValueError, match="7 rows with a time; .* needs 8 or more"):
        quakes(rows=range(7))
    with pytest.raises(ValueError, match=r"window=\(0, 9\).*runs from 50 to 89.9 s"):
        quakes(read={"window": (0, 9)})
    with pytest.raises(ValueError, match="no column for emission. Line 1 names 'Time'"):
        quakes(header="Time,Shear_Stress,a,b")
    with pytest.raises(ValueError, match="no column for time"):
        quakes(header="x,Shear_Stress,AE1,AE2")
    with pytest.raises(ValueError, match="'load'} is not a column"):
        quakes(read={"columns": {"shear_stress": "load"}})
    with pytest.raises(ValueError, match="key 'emissions', but the quantities are"):
        quakes(read={"columns": {"emissions": 1}})
    with pytest.raises(ValueError, match="the emission keeps its unit"):
        quakes(read={"units": {"emission": "V"}})
    with pytest.raises(ValueError, match="one column to two quantities"):
        quakes(read={"columns": {"emission": [2, 2]}})
    with pytest.raises(ValueError, match="decimal commas"):
        quakes({("Shear_Stress", 5): '"3,1"'})


def test_time_to_failure_jumps_and_is_not_smoothed(quakes):
    left = 0.1 * (99 - PHASE)
    record = quakes(ttf=left, rows=[i for i in range(N) if i not in (97, 98, 99, 100, 101)])
    np.testing.assert_allclose(
        np.delete(record.time_to_failure, range(97, 102)),
        left[:-5][:97].tolist() + left[102:].tolist(),
    )  # noqa: E501
    # Inside the gap the last known failure is still ahead up to 59.9 s, then the next one is.
    np.testing.assert_allclose(record.time_to_failure[97:102], left[97:102], atol=1e-9)
    holes = quakes(ttf=left, changes={("ttf", i): "" for i in range(300, 400)})
    assert np.isnan(holes.time_to_failure[300:]).all()
    note(holes, "time to failure is unknown .* at 100 samples")


def test_gains_of_the_sensors_only_shift_the_log_energy():
    rng = np.random.default_rng(0)
    emission = np.exp(rng.standard_normal((50, 3)))
    emission[7, 1] = 0.0
    time = np.arange(50.0)
    one = records.LabquakeRecord(time, emission).log_energy
    two = records.LabquakeRecord(time, emission * [1e-6, 1.0, 50.0]).log_energy
    np.testing.assert_allclose(two - one, np.log([1e-6, 50.0]).sum() / 3)
    np.testing.assert_allclose(one[8:], np.log(emission[8:]).mean(axis=1))
    assert np.isfinite(one).all()
    silent = np.stack([emission[:, 0], 0 * emission[:, 0]], axis=1)
    np.testing.assert_array_equal(
        records.LabquakeRecord(time, silent).log_energy, np.log(emission[:, 0])
    )


def test_a_record_shows_its_numbers_and_no_shapes():
    record = records.LabquakeRecord(TIME, AE1, friction=SHEAR / 8, normal_stress=8e6, name="p001")
    assert repr(record) == str(record)
    assert "50 to 89.9 s" in repr(record) and "normal stress    8 MPa" in repr(record)
    stacked = jax.tree_util.tree_map(lambda *columns: np.stack(columns), record, record)
    assert repr(stacked) == "LabquakeRecord 'p001' (batched, time of shape (2, 400))"
    shapes = jax.eval_shape(lambda x: x, record)
    assert repr(shapes) == "LabquakeRecord 'p001' (no arrays)"


def test_crop():
    record = records.LabquakeRecord(TIME, AE1, friction=SHEAR / 8, normal_stress=8e6)
    part = record.crop(60.0, 69.95)
    np.testing.assert_array_equal(part.friction, SHEAR[100:200] / 8)
    assert part.normal_stress == 8e6
    with pytest.raises(ValueError, match="5 samples lie between"):
        record.crop(60.0, 60.45)


@given(st.integers(2, 12), st.integers(0, 11))
def test_block_averages_keep_sums(block, extra):
    n = 10 * block + extra % block
    rng = np.random.default_rng(n)
    x, y = rng.uniform(1, 2, n), rng.uniform(0.4, 0.6, n)
    record = records.LabquakeRecord(0.01 * np.arange(n), x, friction=y)
    slow = record.resample(0.01 * block)
    assert slow.time.size == 10
    np.testing.assert_allclose(slow.emission[:, 0], x[: 10 * block].reshape(10, -1).mean(1))
    np.testing.assert_allclose(slow.friction, y[: 10 * block].reshape(10, -1).mean(1))
    np.testing.assert_allclose(slow.time[0], 0.005 * (block - 1))
    assert "Averaged" in slow.notes[-1]


@pytest.mark.parametrize("dt", [0.25, 0.3, 0.1, 0.07, 0.02])
def test_resampling_a_line_gives_the_line(dt):
    record = records.LabquakeRecord(TIME, 1 + TIME, friction=0.01 * TIME, displacement=TIME)
    other = record.resample(dt)
    np.testing.assert_allclose(other.dt, dt)
    # Blocks of 2.5 samples share some: then a line becomes a staircase of small steps.
    tolerance = 0.006 if dt == 0.25 else 1e-9
    np.testing.assert_allclose(other.emission[:, 0], 1 + other.time, atol=tolerance)
    np.testing.assert_allclose(other.displacement, other.time, atol=tolerance)
    np.testing.assert_allclose(other.friction, 0.01 * other.time, atol=tolerance)
    for bad in (0.0, -1.0, float("nan"), 30.0):
        with pytest.raises(ValueError, match="dt"):
            record.resample(bad)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"time": TIME**2}, "increase evenly"),
        ({"time": TIME[::-1]}, "increase evenly"),
        ({"emission": -AE1}, "negative"),
        ({"emission": AE1[:-1]}, "one length"),
        ({"emission": np.zeros((2, 2, 2))}, r"shape \(n, channels\)"),
        ({"friction": np.where(PHASE == 3, np.nan, 0.5)}, "4 values of friction are not finite"),
        ({"friction": SHEAR[None]}, "one dimension"),
        ({"friction": 100 * SHEAR}, "friction is a plain ratio"),
        ({"channels": ("a", "b")}, "2 names for 1 channels"),
        ({"shear_stress": SHEAR, "friction": None}, "unit or sign looks wrong"),
        ({"time": TIME[:5]}, "5 samples"),
    ],
)
def test_bad_arrays(change, message):
    good = {"time": TIME, "emission": AE1, "friction": SHEAR / 8}
    with pytest.raises(ValueError, match=message):
        if "time" in change and change["time"].size == 5:
            change = {key: value[:5] for key, value in good.items()}
        records.LabquakeRecord(**(good | change))


@given(
    data=st.integers(8, 40).flatmap(
        lambda n: st.tuples(
            st.floats(-1e4, 1e4),
            st.floats(1e-3, 10.0),
            *(npst.arrays(np.float64, n, elements=st.floats(1e-6, 1e6)) for _ in range(2)),
            npst.arrays(np.float64, n, elements=st.floats(1.0, 8.0)),
        )
    ),
    order=st.permutations(range(4)),
    separator=st.sampled_from([",", "\t", ";"]),
)
def test_round_trip(data, order, separator):
    start, step, first, second, shear = data
    # What would be repaired is written by the tests above.
    first[:2], second[:2], shear[:2] = [0.5, 2e6], [0.5, 2e6], [2.0, 3.0]
    columns = [start + step * np.arange(first.size), first, second, shear]
    titles = ["Time (s)", "AE1", "AE2", "Shear_stress (MPa)"]
    lines = [separator.join(titles[i] for i in order)]
    lines += [
        separator.join(repr(float(columns[i][row])) for i in order) for row in range(first.size)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "random.csv")
        path.write_text("\n".join(lines))
        record = records.read_labquake(path, normal_stress=8e6)
    assert record.notes == ()
    names = {"AE1": first, "AE2": second}
    for k, name in enumerate(record.channels):
        np.testing.assert_allclose(record.emission[:, k], names[name], rtol=1e-12)
    np.testing.assert_allclose(record.time, columns[0], rtol=1e-12)
    np.testing.assert_allclose(record.friction, shear / 8, rtol=1e-12)


def test_the_real_file(data_dir):
    record = records.read_labquake(data_dir / "p4581_8MPa_labquakes.csv", normal_stress=8e6)
    assert record.time.size == 2996 and record.channels == ("Var_Ch1", "Var_Ch2")
    np.testing.assert_allclose(record.dt, 0.1, rtol=1e-9)
    np.testing.assert_allclose(record.time[0], 3799.227024, rtol=1e-9)
    assert 0.34 < record.friction.min() < record.friction.max() < 0.46
    np.testing.assert_allclose(np.ptp(record.displacement) / 299.5, 5.8e-6, rtol=0.01)
    note(record, "'NormStress' disagrees")
    note(record, "29 of 3004 time steps were uneven")
    assert "p4581" in str(record) and np.isfinite(record.time_to_failure).all()
    with pytest.raises(ValueError, match="friction would be"):
        records.read_labquake(data_dir / "p4581_8MPa_labquakes.csv")
    alone = records.read_labquake(
        data_dir / "p4581_8MPa_labquakes.csv", columns={"normal_stress": None}
    )
    np.testing.assert_allclose(alone.target, 8e6 * record.friction)

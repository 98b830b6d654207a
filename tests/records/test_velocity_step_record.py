"""The record itself: checks on construction, crop, spans, the summary, the pytree."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import records
from jaxfric.records import VelocityStepRecord


@pytest.fixture
def record(arrays):
    return VelocityStepRecord(*arrays, name="b001")


def test_columns_are_kept_as_read_only_copies(arrays):
    record = VelocityStepRecord(*arrays)
    given = (*(a.copy() for a in arrays),)
    arrays[2][:] = 9.0
    np.testing.assert_array_equal(record.friction, given[2])
    with pytest.raises(ValueError, match="read-only"):
        record.friction[0] = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.name = "other"


def test_lists_integers_and_jax_arrays_are_accepted():
    record = VelocityStepRecord([0, 1, 2], jnp.array([0.0, 1e-6, 2e-6]), np.float32([0.5, 1, 1]))
    assert record.time.dtype == record.displacement.dtype == record.friction.dtype == np.float64
    assert record.normal_stress is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", range(4))
def test_values_that_are_not_finite(arrays, column, value):
    arrays[column][7] = value
    names = ("time", "displacement", "friction", "normal stress")
    with pytest.raises(ValueError, match=f"not finite .row 7: {names[column]} is {value}"):
        VelocityStepRecord(*arrays)


def test_many_bad_values_are_counted(arrays):
    arrays[2][10:30] = np.nan
    with pytest.raises(ValueError, match="20 values.*row 14: friction is nan; and 15 more"):
        VelocityStepRecord(*arrays)


def test_times_must_increase(arrays):
    arrays[0][5] = arrays[0][4]
    arrays[0][20] = arrays[0][18]
    with pytest.raises(ValueError) as error:
        VelocityStepRecord(*arrays, name="b001")
    message = str(error.value)
    assert message.startswith("record 'b001': time must increase")
    assert "row 5 repeats 20086.6 s" in message
    assert "row 20 goes back from 20088.1 s to 20088 s; 2 in all" in message
    assert "drop_bad_rows" not in message  # an option of the reader only


def test_shapes(arrays):
    time, displacement, friction, _ = arrays
    with pytest.raises(ValueError, match="one length; got time 40, displacement 39, friction 40"):
        VelocityStepRecord(time, displacement[1:], friction)
    with pytest.raises(ValueError, match=r"shape \(2, 20\).*build one VelocityStepRecord for each"):
        VelocityStepRecord(time.reshape(2, 20), displacement, friction)
    with pytest.raises(ValueError, match="2 rows of numbers; .* needs 3 or more"):
        VelocityStepRecord(time[:2], displacement[:2], friction[:2])


@pytest.mark.parametrize(
    "friction", [["0.6"] * 40, np.full(40, 0.6 + 0.1j), [None] * 40, [[0.6], [0.6, 0.6]]]
)
def test_values_that_are_no_real_numbers(arrays, friction):
    with pytest.raises(ValueError, match="friction must be an array of real numbers"):
        VelocityStepRecord(arrays[0], arrays[1], friction)


def test_traced_values(arrays):
    time, displacement, friction, _ = arrays
    with pytest.raises(ValueError, match="friction is traced by JAX.*outside jit"):
        jax.jit(lambda mu: VelocityStepRecord(time, displacement, mu))(friction)


@pytest.mark.parametrize(
    ("column", "factor", "message"),
    [
        (0, 1e12, 'unit of time looks wrong.*units={"time": "ms"}'),
        (1, 1e6, 'covers 39 m.*units={"displacement": "um"}'),
        (1, 1e-6, "covers 3.9e-11 m"),
        (2, 1e6, "40 of 40 values of friction are not between -0.5 and 5 .row 0: 600000;.*plain"),
        (3, 1e6, "normal stress are not between 100 and 1e.11 Pa .row 0: 2e.13 Pa"),
        (3, 1e-6, 'units={"normal_stress": "MPa"}'),
        (3, -1.0, "positive in compression"),
    ],
)
def test_implausible_ranges(arrays, column, factor, message):
    changed = [a * factor if i == column else a for i, a in enumerate(arrays)]
    with pytest.raises(ValueError, match=message + ".*pass check_ranges=False"):
        VelocityStepRecord(*changed)
    record = VelocityStepRecord(*changed, check_ranges=False)
    assert record.crop(-np.inf, np.inf).time.size == 40  # what was allowed once stays allowed


def test_a_range_beyond_the_largest_number_is_refused_without_a_warning(arrays):
    arrays[1][:2] = -1.7e308, 1.7e308
    with pytest.raises(ValueError, match="covers inf m"):
        VelocityStepRecord(*arrays)


@pytest.mark.parametrize("wobble", [0.0, 1e-12])
def test_a_hold_is_a_record(arrays, wobble):  # also with round-off
    time, displacement, friction, _ = arrays
    VelocityStepRecord(time, 8e-3 + wobble * displacement, friction)


def test_crop_keeps_both_ends_and_the_clock(record):
    part = record.crop(record.time[10], record.time[20])
    for key in ("time", "displacement", "friction", "normal_stress"):
        np.testing.assert_array_equal(getattr(part, key), getattr(record, key)[10:21])
    assert part.name == record.name
    assert record.crop(0, 1e9).time.size == 40


def test_crop_without_normal_stress(arrays):
    part = VelocityStepRecord(*arrays[:3]).crop(arrays[0][1], np.inf)
    assert part.normal_stress is None
    assert part.time.size == 39


@pytest.mark.parametrize("window", [(2.0, 1.0), (1.0, 1.0), (np.nan, 1.0), (0.0, np.nan)])
def test_crop_needs_an_interval(record, window):
    with pytest.raises(ValueError, match="a window needs start < stop, in seconds"):
        record.crop(*window)


@pytest.mark.parametrize("window", [(0.0, 4.0), (20086.3, 20086.41), (30000.0, 40000.0)])
def test_crop_outside_tells_the_clock(record, window):
    with pytest.raises(ValueError, match=r"'b001': [02] rows lie.*from 20086.2 s to 20090.1 s"):
        record.crop(*window)


def test_require_span(record):
    time = record.time
    record.require_span(time[10])
    record.require_span(time[30])
    with pytest.raises(ValueError, match="has 9 rows before it and 31 after it; 10 are needed"):
        record.require_span(time[9])
    with pytest.raises(ValueError, match="has 31 rows before it and 9 after it"):
        record.require_span(time[31])
    record.require_span(time[31], rows=9)


@pytest.mark.parametrize("step_time", [2.0, 20090.2, np.nan, -np.inf])
def test_a_step_outside_the_record(record, step_time):
    with pytest.raises(ValueError, match="lies outside the record. The record's own clock runs"):
        record.require_span(step_time)


def test_summary():
    lines = str(records.sample("basalt")).splitlines()
    assert lines == [
        "VelocityStepRecord 'velstep4_BRAVA_expb819_basalt': 5849 rows",
        "  time           11607.7 to 11726.03 s, 118.33 s long, a sample every 0.01 s"
        " (0.01 to 0.1 s)",
        "  displacement   8503.602 to 9210.391 um, 706.789 um long",
        "  friction       0.604903 to 0.618971",
        "  normal stress  19.9549 to 19.9787 MPa, 19.9671 MPa on average",
    ]


def test_summary_with_notes_and_long_slip(arrays):
    time, displacement, friction, _ = arrays
    text = str(VelocityStepRecord(time, 1e3 * displacement, friction, notes=("Noted. " * 99,)))
    assert "0 to 39 mm" in text
    assert len(text.splitlines()) == 6
    assert text.endswith("Noted. …")


def test_a_record_passes_through_jit(record):
    @jax.jit
    def mean(record):
        assert str(record) == "VelocityStepRecord 'b001' (traced)"
        return record.friction.mean()

    assert mean(record) == pytest.approx(record.friction.mean(), rel=1e-6)
    shifted = jax.tree_util.tree_map(lambda column: column - column[0], record)
    assert shifted.time[0] == 0.0
    assert shifted.name == "b001"


def test_a_record_shows_its_numbers_and_no_shapes(record):
    assert repr(record) == str(record)
    assert "20086.2 to 20090.1 s" in repr([record]) and "f64[" not in repr([record])
    stacked = jax.tree_util.tree_map(lambda *columns: np.stack(columns), record, record)
    assert repr(stacked) == "VelocityStepRecord 'b001' (batched, time of shape (2, 40))"
    nothing = jax.tree_util.tree_map(lambda _: None, record)
    shapes = jax.eval_shape(lambda x: x, record)
    for empty in (nothing, shapes):
        assert repr(empty) == "VelocityStepRecord 'b001' (no arrays)"

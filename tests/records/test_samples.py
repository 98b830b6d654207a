"""The two shipped records."""

import jax
import numpy as np
import pytest

from jaxfric import records

EXPECTED = {
    # name: rows, first and last time (s), first displacement (m), friction, normal stress (Pa)
    "basalt": (5849, 11607.7, 11726.03, 8503.602e-6, 0.607016, 19.969273e6),
    "sepiolite": (16466, 20086.207, 22319.527, 5753.577e-6, 0.455250, 30.004552e6),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values_are_those_of_the_file_in_si(name):
    rows, start, stop, displacement, friction, stress = EXPECTED[name]
    record = records.sample(name)
    columns = (record.time, record.displacement, record.friction, record.normal_stress)
    for column in columns:
        assert isinstance(column, np.ndarray)
        assert column.dtype == np.float64
        assert column.shape == (rows,)
    assert (record.time[0], record.time[-1]) == (start, stop)
    first = [column[0] for column in columns[1:]]
    np.testing.assert_allclose(first, [displacement, friction, stress], rtol=1e-14)
    assert np.all(np.diff(record.time) > 0)
    assert record.notes == ()


def test_durations_and_names():
    basalt, sepiolite = records.sample("basalt"), records.sample("sepiolite")
    assert np.ptp(basalt.time) == pytest.approx(118.33)
    assert np.ptp(sepiolite.time) == pytest.approx(2233.32)
    assert basalt.name == "velstep4_BRAVA_expb819_basalt"
    assert sepiolite.name == "velstep3_TR2_exp013_sepiolite"


def test_velocities_are_those_of_the_experiments():
    def speed(record, start, stop):
        part = record.crop(start, stop)
        return np.polyfit(part.time - start, part.displacement, 1)[0]

    basalt, sepiolite = records.sample("basalt"), records.sample("sepiolite")
    assert speed(basalt, 11608, 11640) == pytest.approx(3e-6, rel=0.05)
    assert speed(basalt, 11700, 11726) == pytest.approx(10e-6, rel=0.05)
    assert speed(sepiolite, 20090, 21000) == pytest.approx(0.2e-6, rel=0.05)
    assert speed(sepiolite, 22000, 22300) == pytest.approx(2e-6, rel=0.05)


def test_columns_are_float64_whatever_the_precision_of_jax():
    with jax.enable_x64(False):
        record = records.sample("sepiolite")
    assert record.time.dtype == np.float64
    assert np.diff(record.time).min() > 0.1


def test_the_licence_lies_beside_the_data():
    from importlib import resources

    notice = resources.files("jaxfric.records") / "data" / "LICENSE-velstep.txt"
    assert "MIT License" in notice.read_text()


def test_unknown_sample():
    with pytest.raises(ValueError, match="no sample record 'granite'.*'basalt', 'sepiolite'"):
        records.sample("granite")

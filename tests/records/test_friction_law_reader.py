"""Friction laws as files: units, order, and what is refused."""

import numpy as np
import pytest

from jaxfric import records


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "law.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("names", "factors"),
    [
        ("load (N),friction (N)", (1, 1)),
        ("Load [mN],Friction force [mN]", (1e-3, 1e-3)),
        ("normal_force_N,tangential_force_uN", (1, 1e-6)),
        ("friction (µN),load (kN)", (1e3, 1e-6)),
        ("P (N),F (mN)", (1, 1e-3)),
    ],
)
def test_units_are_read_from_the_names(file, names, factors):
    swapped = names.startswith("friction")
    rows = [(1.0, 2.0), (3.0, 5.0), (2.0, 4.0)]
    lines = [f"{b},{a}" if swapped else f"{a},{b}" for a, b in rows]
    loads, friction = records.read_friction_law(file(names, *lines))
    np.testing.assert_allclose(loads, np.array([1.0, 2.0, 3.0]) * factors[0], rtol=1e-12)
    np.testing.assert_allclose(friction, np.array([2.0, 4.0, 5.0]) * factors[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["load,friction (N)", "1,1", "2,2", "3,3"], "no unit of force"),
        (["load (MN),friction (N)", "1,1", "2,2", "3,3"], "no unit of force"),
        (["a (N),b (N)", "1,1", "2,2", "3,3"], "no column of load"),
        (["load (N),load (mN),friction (N)", "1,1,1", "2,2,2", "3,3,3"], "more than one column"),
        (["load (N),friction (N)", "1,1", "2,x", "3,3"], "line 3 holds 'x'"),
        (["load (N),friction (N)", "1,1", "2,nan", "3,3"], "line 3 holds 'nan'"),
        (["load (N),friction (N)", "1,1", "2,2"], "at least 3 loads"),
        (["load (N),friction (N)", "1,1", "2,2", "2,3"], "stands in two rows"),
    ],
)
def test_what_is_refused(file, lines, says):
    with pytest.raises(ValueError, match=says):
        records.read_friction_law(file(*lines))
    with pytest.raises(FileNotFoundError, match="check the name"):
        records.read_friction_law("no-such-file.csv")

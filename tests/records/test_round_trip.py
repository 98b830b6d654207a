"""Random records, written in random styles, are read back."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as npst

from jaxfric import records

TIMES = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}
LENGTHS = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "microns": 1e-6, "nm": 1e-9}
STRESSES = {"Pa": 1.0, "kPa": 1e3, "MPa": 1e6, "GPa": 1e9}


def columns(count):
    def column(low, high):
        return npst.arrays(np.float64, count, elements=st.floats(low, high))

    steps = npst.arrays(np.float64, count, elements=st.floats(1e-3, 10.0))
    return st.tuples(
        st.builds(lambda start, steps: start + np.cumsum(steps), st.floats(-1e5, 1e5), steps),
        # The first value makes the range plausible whatever the others are.
        column(1e-6, 0.5).map(lambda x: np.concatenate([[0.0], x[1:-1], [0.5]])),
        column(-0.4, 4.9),
        column(1e3, 1e10),
    )


@settings(max_examples=100)
@given(
    data=st.integers(3, 30).flatmap(columns),
    separator=st.sampled_from(["\t", ",", ";", " ", "   ", ", "]),
    brackets=st.sampled_from(["()", "[]", "{}"]),
    units=st.tuples(*(st.sampled_from(sorted(u)) for u in (TIMES, LENGTHS, STRESSES))),
    order=st.permutations(range(4)),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]),
    comment=st.sampled_from(["", "# ", "%"]),
)
def test_round_trip(data, separator, brackets, units, order, end, encoding, comment):
    left, right = brackets
    time, length, stress = units
    titles = [
        f"Time{left}{time}{right}",
        f"lp_disp{left}{length}{right}",
        "mu",
        f"Normal_stress{left}{stress}{right}",
    ]
    factors = (TIMES[time], LENGTHS[length], 1.0, STRESSES[stress])
    written = [values / factor for values, factor in zip(data, factors, strict=True)]
    lines = [comment + separator.join(titles[i] for i in order)]
    lines += [
        separator.join(repr(float(written[i][row])) for i in order) for row in range(data[0].size)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "random.dat")
        path.write_bytes(end.join(lines).encode(encoding))
        record = records.read_velocity_step(path)
    read = (record.time, record.displacement, record.friction, record.normal_stress)
    for found, expected in zip(read, data, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


@settings(max_examples=100)
@given(
    data=st.integers(3, 30).flatmap(columns),
    window=st.tuples(st.floats(-2e5, 2e5), st.floats(1e-3, 1e5)),
)
def test_crop_keeps_what_lies_between(data, window):
    start, stop = window[0], window[0] + window[1]
    record = records.VelocityStepRecord(*data)
    inside = [i for i, t in enumerate(record.time) if start <= t <= stop]
    if len(inside) >= 3:
        np.testing.assert_array_equal(record.crop(start, stop).friction, data[2][inside])
    else:
        try:
            record.crop(start, stop)
        except ValueError as error:
            assert f"{len(inside)} rows lie between" in str(error)
        else:
            raise AssertionError("a window with fewer than three rows was accepted")

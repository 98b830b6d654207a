import numpy as np
import pytest

HEADER = "Time(s)\tDispl(microns)\tFriction\tNormal_stress(MPa)"


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file and give its path."""

    def write(content, name="b001.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def rows():
    """Twenty good rows: 10 um/s sampled every 0.1 s at friction 0.6 and 20 MPa."""
    return [f"{0.1 * i:.1f}\t{i}.0\t0.6{i:02d}\t20.0" for i in range(20)]


@pytest.fixture
def text(rows):
    """A good file: the header is line 1, row i is line i + 2."""

    def text(changes=None, header=HEADER):
        changed = [(changes or {}).get(i, row) for i, row in enumerate(rows)]
        return "\n".join([header, *changed]) + "\n"

    return text


@pytest.fixture
def arrays():
    """Time, displacement, friction and normal stress of a small record, SI."""
    time = 20086.2 + 0.1 * np.arange(40)
    return time, 1e-6 * np.arange(40), 0.6 + 0.001 * np.arange(40), np.full(40, 2e7)

"""Files for the commands that `first_answer.py` measures: cropped records, made stick-slip."""

from pathlib import Path

import numpy as np

from jaxfric import records
from jaxfric.inversion import protocol_from_displacement

# Times before and after the step, s: the fit takes a part of each, of another number of rows
WINDOWS = {"basalt": (14.0, 14.0), "sepiolite": (400.0, 660.0)}
SAMPLE_PARTS = (1.0, 0.9, 0.8, 0.95, 0.85, 0.75, 0.98, 0.93, 0.88, 0.83)


def crops(folder: Path, count: int) -> list[Path]:
    """Parts of the two sample records, of different lengths, one after the other."""
    written = []
    for i in range(count):
        name = tuple(WINDOWS)[i % 2]
        part = SAMPLE_PARTS[i // 2 % len(SAMPLE_PARTS)]
        record = records.sample(name)
        step = float(protocol_from_displacement(record).times[1])
        before, after = WINDOWS[name]
        path = folder / f"{name}-{i:02d}.txt"
        write_velocity_step(path, record.crop(step - part * before, step + part * after))
        written.append(path)
    return written


def write_velocity_step(path: Path, record: records.VelocityStepRecord) -> None:
    columns = np.stack([record.time, 1e6 * record.displacement, record.friction], axis=1)
    head = "Time(s)\tDispl(microns)\tFriction"
    np.savetxt(path, columns, delimiter="\t", header=head, comments="", fmt="%.7f")


def stick_slip(path: Path, seconds: float, seed: int) -> Path:
    """Cycles of some 8 s at 10 Hz: stress that rises and drops, emission that bursts at a drop."""
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, seconds, 0.1)
    starts = np.cumsum(rng.normal(8.0, 0.6, int(seconds / 4)))
    last = np.searchsorted(starts, time, side="right")
    since = time - np.concatenate([[-4.0], starts])[last]
    stress = 2.7 + 0.7 * (1 - np.exp(-since / 4))
    emission = np.where(since < 0.8, 200.0, 1 + since / 2)
    emission = emission * np.exp(0.05 * rng.standard_normal(time.size))
    columns = np.stack([time, emission, stress, np.full(time.size, 8.0)], axis=1)
    head = "Time(s),AE1,Shear_stress(MPa),Normal_stress(MPa)"
    np.savetxt(path, columns, delimiter=",", header=head, comments="", fmt="%.6f")
    return path

"""Reading and checking laboratory records.

    from jaxfric import records

    record = records.sample("basalt")       # or records.read_velocity_step("my_experiment.txt")
    print(record)                           # rows, duration, sampling and ranges
    step = record.crop(11655.0, 11690.0)    # a window, in seconds of the record's own clock
    step.time, step.displacement, step.friction, step.normal_stress  # numpy float64: s, m, -, Pa

A file that cannot be read without guessing is refused with a sentence that names the file, its
lines and the remedy.
"""

from jaxfric.records._read import read_velocity_step as read_velocity_step
from jaxfric.records._record import VelocityStepRecord as VelocityStepRecord
from jaxfric.records._sample import sample as sample

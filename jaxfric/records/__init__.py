"""Reading and checking laboratory records; writing surfaces for the workshop.

    from jaxfric import records

    record = records.sample("basalt")       # or records.read_velocity_step("my_experiment.txt")
    print(record)                           # rows, duration, sampling and ranges
    step = record.crop(11655.0, 11690.0)    # a window, in seconds of the record's own clock
    step.time, step.displacement, step.friction, step.normal_stress  # numpy float64: s, m, -, Pa

    quakes = records.read_labquake("stick_slip.csv", normal_stress=8e6)
    quakes.time, quakes.emission, quakes.friction, quakes.time_to_failure  # s, as recorded, -, s
    print(quakes.notes)                     # every repair and every unit that was assumed

    law = records.read_friction_law("force_ramp.csv")  # law.load, law.friction: N, repeats averaged
    print(law)                              # what was assumed, left out, averaged and moved

A file that cannot be read without guessing is refused with a sentence that names the file, its
lines and the remedy.
"""

from jaxfric.records._friction_law import FrictionLaw as FrictionLaw
from jaxfric.records._friction_law_cleaning import measured_law as measured_law
from jaxfric.records._friction_law_reader import read_friction_law as read_friction_law
from jaxfric.records._height_map import AsperityList as AsperityList, HeightMap as HeightMap
from jaxfric.records._height_map_reader import read_height_map as read_height_map
from jaxfric.records._labquake_reader import read_labquake as read_labquake
from jaxfric.records._labquake_record import LabquakeRecord as LabquakeRecord
from jaxfric.records._sample import sample as sample
from jaxfric.records._surface_mesh import (
    cap_mesh as cap_mesh,
    cap_triangles as cap_triangles,
)
from jaxfric.records._surface_reader import (
    read_asperities as read_asperities,
    read_surface as read_surface,
)
from jaxfric.records._surface_stl import stl_bytes as stl_bytes, write_stl as write_stl
from jaxfric.records._surface_table import (
    asperities_csv as asperities_csv,
    foot_radius as foot_radius,
    lattice as lattice,
    surface_volume as surface_volume,
    write_asperities as write_asperities,
)
from jaxfric.records._velocity_step_reader import read_velocity_step as read_velocity_step
from jaxfric.records._velocity_step_record import VelocityStepRecord as VelocityStepRecord

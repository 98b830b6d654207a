"""The two laboratory records that come with the package."""

from importlib import resources

from jaxfric.records._velocity_step_reader import read_velocity_step
from jaxfric.records._velocity_step_record import VelocityStepRecord

_FILES = {
    "basalt": "velstep4_BRAVA_expb819_basalt.txt",
    "sepiolite": "velstep3_TR2_exp013_sepiolite.txt",
}


def sample(name: str) -> VelocityStepRecord:
    """A real laboratory velocity step that comes with the package.

    "basalt": 3 to 10 µm/s on basalt gouge at 20 MPa, 118 s, 5,849 rows. "sepiolite": 0.2 to 2 µm/s
    on sepiolite gouge at 30 MPa, 2,233 s, 16,466 rows.

    Args:
        name: "basalt" or "sepiolite".

    Returns:
        The record, as `read_velocity_step` reads it from the shipped file.

    Raises:
        ValueError: for another name.

    Example:
        >>> sample("basalt").time.shape
        (5849,)

    Source: Giacomel et al. (2021), from `pgiacomel/steadystate` under the MIT licence; the notice
    lies beside the files.
    """
    if name not in _FILES:
        raise ValueError(
            f"there is no sample record {name!r}: choose one of {', '.join(map(repr, _FILES))}, or "
            "read a file of your own with read_velocity_step(path)"
        )
    # A package may be imported from a zip file; `as_file` gives a real path while it is read.
    with resources.as_file(resources.files(__package__) / "data" / _FILES[name]) as path:
        return read_velocity_step(path)

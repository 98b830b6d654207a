"""What tests of the studies share."""

import pytest


class Killed(BaseException):
    """As a signal ends a process: nothing of ours catches it."""


@pytest.fixture
def killed():
    """What a step raises in place of a signal."""
    return Killed


@pytest.fixture
def stand_ins(unchecked_types):
    """A test that puts stand-ins in the place of networks and surfaces: no types are checked."""
    with unchecked_types():
        yield

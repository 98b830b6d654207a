"""`python -m jaxfric`."""

from jaxfric.cli import run

run()

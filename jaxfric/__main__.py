"""`python -m jaxfric`."""

from jaxfric.cli import main

main()

"""The command line: `jaxfric fit-step`, `predict-slip`, `design`, `demo`, `study`, `export`."""

import os
import sys


def main() -> None:
    """Run a command; errors are one sentence on stderr."""
    try:
        import typer  # noqa: F401

        from jaxfric.cli._app import make_app
    except ImportError as error:
        sys.exit(f"the command line needs {error.name}: pip install 'jaxfric[app]'")
    try:
        make_app()()
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"error: {error}")
    except ImportError as error:
        if error.name not in ("matplotlib", "rich", "platformdirs", "flatbuffers"):
            raise
        sys.exit(f"this command needs {error.name}: pip install 'jaxfric[app]'")


def run() -> None:
    """Entry point: `main`, and then an end without taking JAX apart, which takes half a second."""
    code: int | str | None = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)

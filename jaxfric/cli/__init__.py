"""The command line: `jaxfric fit-step`, `predict-slip`, `design`, `gouge`, `study`, and others."""

import os
import sys


def main() -> None:
    """Run a command; errors are one sentence on stderr."""
    # What the commands need comes with the `app` extra, which a user of the library may lack
    try:
        import typer  # noqa: F401

        from jaxfric.cli._app import make_app
    except ImportError as error:
        sys.exit(f"the command line needs {error.name}: pip install 'jaxfric[app]'")
    # These say what was wrong with a request, a file or a result, and a traceback would hide it.
    # Anything else is a fault of ours, and keeps its traceback.
    try:
        make_app()()
    except (ValueError, RuntimeError, OSError) as error:
        sys.exit(f"error: {error}")
    except ImportError as error:
        # Found missing where it is used; any other module that is missing is a fault of ours
        if error.name not in ("matplotlib", "rich", "platformdirs", "flatbuffers"):
            raise
        sys.exit(f"this command needs {error.name}: pip install 'jaxfric[app]'")


def run() -> None:
    """Entry point: `main`, and then an end without taking JAX apart, which takes half a second."""
    # JAX takes half a second to free its programs and threads, which the end of the process does by
    # itself. Nothing is lost: results are written and closed by then, and os._exit skips only what
    # was registered to run at the end, so the two streams are flushed by hand.
    code: int | str | None = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    # As Python itself ends on `sys.exit("text")`
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)

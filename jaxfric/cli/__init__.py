"""The command line: `jaxfric fit-step`, `predict-slip`, `design`, `demo`, `study`, `export`."""

import sys


def main() -> None:
    """Entry point: errors as one sentence on stderr."""
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
        if error.name not in ("matplotlib", "rich", "pandas", "platformdirs", "flatbuffers"):
            raise
        sys.exit(f"this command needs {error.name}: pip install 'jaxfric[app]'")

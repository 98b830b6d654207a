"""Figures drawn by a second process, while this one compiles and computes.

What draws takes half a second to import and as long again for a figure, both inside of Python's
lock: beside JAX, which is imported at the same time, that is a third of a command's second run. The
other process gets arrays of NumPy and gives back the file; it imports no JAX.
"""

import atexit
import contextlib
import importlib
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import IO, Protocol, cast

from jaxfric.cli._files import Figure

SERVE = "from jaxfric.cli._drawing import serve; serve()"


class Draw(Protocol):
    """Makes a figure of plain arrays: `jaxfric.plotting._fit.draw_fits`, say."""

    __module__: str
    __qualname__: str

    def __call__(self, *args: object, **options: object) -> Figure:
        """The figure."""
        ...


class Painter:
    """The process that draws.

    It is started before JAX is imported. Where there is one processor only, or where it fails,
    figures are drawn here, when they are written.

    Arguments:
        apart: whether to start it.
    """

    def __init__(self, *, apart: bool = True) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if apart and (os.cpu_count() or 1) > 1:
            # A new interpreter and no fork: threads of JAX do not survive one
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            atexit.register(self.close)

    def draw(self, module: str, name: str, *args: object, **options: object) -> "Ordered":
        """Order a figure; it is waited for when it is written.

        Arguments:
            module: where the function stands.
            name: of the function, which takes plain arrays and returns a figure.
            args: of it.
            options: of it.
        """
        order = (module, name, args, options)
        if self._process is not None:
            try:
                _send(cast("IO[bytes]", self._process.stdin), order)
            except OSError:  # it has died
                self.close()
        return Ordered(self, order)

    def receive(self) -> bytes | None:
        """The next figure's file, in the order of the orders; None if there will be none."""
        if self._process is None:
            return None
        try:
            answer = pickle.load(cast("IO[bytes]", self._process.stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            self.close()
            return None
        return cast("bytes | None", answer)

    def close(self) -> None:
        """End the process; what was ordered and not written is drawn here."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            # What was written and not read any more has no reader
            with contextlib.suppress(OSError):
                cast("IO[bytes]", pipe).close()


class Ordered:
    """A figure that is being drawn."""

    def __init__(self, painter: Painter, order: "Order"):
        self._painter, self._order = painter, order

    def savefig(self, fname: Path, /) -> None:
        """Write it; the errors of drawing are raised here."""
        content = self._painter.receive()
        if content is None:
            content = _drawn(*self._order)
        fname.write_bytes(content)


Order = tuple[str, str, tuple[object, ...], dict[str, object]]


def serve() -> None:
    """Draw what comes in until the command ends.

    An error is answered by None: the command then draws for itself, and says what is wrong.
    """
    # Whatever a library prints must not stand among the files
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # The first figure of a process loads fonts and whatever else matplotlib leaves until then: one
    # that nobody sees takes that time before there is anything to draw
    with contextlib.suppress(ImportError):
        import numpy as np

        line = np.arange(2.0)
        _drawn("jaxfric.plotting._history", "plot_sensitivity", (line, line, {"p": line}), {})
    while True:
        try:
            order: Order = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            content: bytes | None = _drawn(*order)
        except Exception:
            content = None
        try:
            _send(answers, content)
        except BrokenPipeError:
            # The command has ended with an error of its own while this was being drawn: what is
            # left in the pipe's buffer has no reader, and Python's own end would say so
            os._exit(0)


def _drawn(module: str, name: str, args: tuple[object, ...], options: dict[str, object]) -> bytes:
    draw = cast("Draw", getattr(importlib.import_module(module), name))
    file = io.BytesIO()
    figure = draw(*args, **options)
    figure.savefig(cast("Path", file))
    return file.getvalue()


def _send(pipe: IO[bytes], content: object) -> None:
    pickle.dump(content, pipe)
    pipe.flush()

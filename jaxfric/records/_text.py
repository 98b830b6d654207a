"""Bytes of a file as numbered lines of text."""

import os
import re
from collections.abc import Collection
from pathlib import Path

_LINE_END = re.compile("\r\n|\n|\r")  # str.splitlines also breaks at U+0085 and others
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Line = tuple[int, str]  # counted from 1, as editors do


def read_lines(path: Path, skip_rows: int | Collection[int]) -> list[Line]:
    """The lines that are not blank, without those that the user skips."""
    lines = list(enumerate(_LINE_END.split(_decode(_read_bytes(path), path.name)), start=1))
    if isinstance(skip_rows, int) and not isinstance(skip_rows, bool):
        wrong = skip_rows < 0
        kept = lines[skip_rows:] if not wrong else lines
    else:
        wrong = not _are_line_numbers(skip_rows)
        skipped = frozenset() if wrong else frozenset(skip_rows)  # type: ignore[arg-type]
        kept = [line for line in lines if line[0] not in skipped]
    if wrong:
        raise ValueError(
            f"skip_rows={skip_rows!r} must be a count of lines above the column names, or a "
            "collection of line numbers counted from 1, such as (2, 3)"
        )
    # A line of separators alone is what spreadsheets leave below a table.
    return [(number, text) for number, text in kept if text.strip(" \t,;")]


def _are_line_numbers(rows: object) -> bool:
    return isinstance(rows, Collection) and all(
        isinstance(row, int) and not isinstance(row, bool) and row > 0 for row in rows
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no file {os.fspath(path)!r} (looked for {os.fspath(path.absolute())!r}); "
            "check the name and the folder"
        ) from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; name one file in it") from None


def _decode(content: bytes, source: str) -> str:
    """Text in UTF-8 (with or without mark), UTF-16 with mark, or Latin-1."""
    if content.startswith(_UTF16):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    if _CONTROL.search(text):
        kind = "an Excel workbook or a zip file" if content[:2] == b"PK" else "a binary file"
        raise ValueError(
            f"{source}: this looks like {kind}, not text; export it as text (.txt or .csv) with "
            "one line of column names"
        )
    return text.rstrip("\x1a")  # the end-of-file mark of old instruments

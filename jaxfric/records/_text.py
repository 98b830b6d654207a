"""The first step of every reader: the bytes of a file as numbered lines of text."""

import dataclasses
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, TypeGuard

_COMMENT = ("#", "%")
# `str.splitlines` would also break a line at U+0085 or U+2028, which no editor counts as an end:
# the line numbers in messages would then not be those that the user sees.
_LINE_END = re.compile("\r\n|\n|\r")
# Control characters that no text holds, but any binary file does. Left out of the set are tab, line
# ends, form feeds and 0x1A, which old instruments write at the end of a file.
_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")
_END_OF_FILE = "\x1a"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Excel writes its list separator above a table, "sep=;", and hides that line when it reads the file
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[;,\t]*", re.IGNORECASE)
_ZIP_MARK = b"PK"  # an Excel workbook is a zip file


class Line(NamedTuple):
    """A line and its number, counted from 1 as editors do."""

    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class Text:
    """The lines of a file that are neither blank nor skipped; at least one is no comment."""

    source: str  # the file's name, the opening of every message
    lines: list[Line]

    @property
    def data(self) -> list[Line]:
        """The lines without comments: names, if they stand in a line of their own, and numbers."""
        return [line for line in self.lines if not is_comment(line.text)]


def is_comment(text: str) -> bool:
    """Whether a line is a remark."""
    return text.lstrip().startswith(_COMMENT)


def without_mark(text: str) -> str:
    """A remark without the sign that opens it; any other line as it is."""
    return text.lstrip().lstrip("#%").strip() if is_comment(text) else text


def read_text(path: str | os.PathLike[str], skip_rows: int | Collection[int] = 0) -> Text:
    """The lines of a file; `ValueError` if it is binary or has nothing but comments."""
    path = Path(path)
    content = _decode(_read_bytes(path), path.name)
    lines = [Line(i, line) for i, line in enumerate(_LINE_END.split(content), start=1)]
    if _SEPARATOR_LINE.fullmatch(lines[0].text.strip()):
        lines[0] = Line(1, "")
    lines = _without_skipped(lines, skip_rows)
    # A line of separators alone is what spreadsheets leave below a table.
    text = Text(path.name, [line for line in lines if line.text.strip(" \t,;")])
    if not text.data:
        kind = "holds only comments" if text.lines else "is empty"
        skipped = f" (with skip_rows={skip_rows!r})" if skip_rows else ""
        raise ValueError(
            f"{text.source}: the file {kind}{skipped}; it needs a line of column names and rows of "
            "numbers"
        )
    return text


def _without_skipped(lines: list[Line], skip_rows: int | Collection[int]) -> list[Line]:
    # Python counts True as the number 1; as a count of lines it is more likely a mistake.
    if isinstance(skip_rows, int) and not isinstance(skip_rows, bool) and skip_rows >= 0:
        return lines[skip_rows:]
    if _are_line_numbers(skip_rows):
        skipped = frozenset(skip_rows)
        return [line for line in lines if line.number not in skipped]
    raise ValueError(
        f"skip_rows={skip_rows!r} must be a count of lines above the column names, or a "
        "collection of line numbers counted from 1, such as (2, 3)"
    )


def _are_line_numbers(rows: object) -> TypeGuard[Collection[int]]:
    return isinstance(rows, Collection) and all(
        isinstance(row, int) and not isinstance(row, bool) and row > 0 for row in rows
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # The absolute name too: a wrong working folder is the usual cause.
        raise FileNotFoundError(
            f"there is no file {os.fspath(path)!r} (looked for {os.fspath(path.absolute())!r}); "
            "check the name and the folder"
        ) from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; name one file in it") from None


def _decode(content: bytes, source: str) -> str:
    """Text in UTF-8 (with or without mark), UTF-16 with mark, or Latin-1."""
    if content.startswith(_UTF16_MARKS):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Any bytes are Latin-1, so this comes last; a µ or a ° in it is a byte that UTF-8
            # refuses.
            text = content.decode("latin-1")
    if _CONTROL.search(text):
        kind = "an Excel workbook or a zip file" if content[:2] == _ZIP_MARK else "a binary file"
        raise ValueError(
            f"{source}: this looks like {kind}, not text; export it as text (.txt or .csv) with "
            "one line of column names"
        )
    return text.rstrip(_END_OF_FILE)

"""Errors of the library in the words of the command line.

The library speaks of its own arguments (`steps=`, `protocol=`), which somebody who only typed a
command has never seen. Every command has a table of what each such word is called on its line.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple


class Vocabulary(NamedTuple):
    """How one command calls what the library names.

    `phrases` (patterns, and what stands in their place) go first; then `flags`, where an argument
    is checked ("steps must be …") or offered ("steps=3"); then `pairs`, arguments that are
    dictionaries (`columns={"time": "clock"}` is `--column time=clock`). What the command has no
    word for keeps its name, and `absent` says at the end what to do in its place.
    """

    flags: Mapping[str, str] = {}
    phrases: Mapping[str, str] = {}
    pairs: Mapping[str, str] = {}
    absent: Mapping[str, str] = {}


# What to do where a reader of files offers an option that no flag passes on
_CUT = "cut the file to the rows that are wanted"
_FIRST_LINE = "name columns and units in the line above the numbers, as in 'time (s)'"
_READING = {
    "window=": _CUT,
    "skip_rows": "take those lines out of the file",
    "check_ranges=": "bring the numbers of the file to the units that its first line states",
    "max_gap=": _CUT,
}
# Only what a user of the command can meet: arguments that the command line sets by itself, such as
# the bank of a design, are right already
_COMMANDS = {
    "fit-step": Vocabulary(
        flags={"steps": "--steps", "detrend": "--detrend", "stiffness": "--stiffness"},
        phrases={
            r"crop the record to the steps, or pass protocol= with the velocities that were set": (
                "cut the file to the steps"
            ),
            r"crop the record around the step, give steps= the right number, or pass protocol=": (
                "cut the file to the rows around the step, or give the right number with --steps"
            ),
            r"start from a better guess \(inversion\.guess\), crop a narrower window around the "
            r"step, free the stiffness, or try another evolution law": (
                "choose a narrower --window around the step, leave --stiffness out so that it is "
                "fitted, or try another --evolution"
            ),
            r"\. throw=False returns what there is": "",
            r"a window needs start < stop, in seconds of the record's clock": (
                "--window must leave rows on both sides of the step; from and to, in seconds of "
                "the record's clock"
            ),
        },
        absent=_READING | {"columns=": _FIRST_LINE, "units=": _FIRST_LINE},
    ),
    "design": Vocabulary(
        flags={
            "coefficient": "--linear",
            "exponent": "--power",
            "modulus": "--modulus",
            "shear_strength": "--shear-strength",
            "area_factor": "--area-factor",
            "asperities": "--asperities",
            "radius_bounds": "--radius",
            "radii": "--radii",
            "max_height": "--max-height",
            "quantum": "--quantum",
            "clearance": "--clearance",
            "offset": "--offset",
            "same_load": "--same-load",
            "spacing": "--spacing",
            "base": "--base",
            "max_indentation": "--max-indentation",
            "height_error": "the first of --errors",
            "radius_error": "the second of --errors",
        },
        phrases={
            # The command refines as many finalists as there are starts, up to four
            r"finalists must be 1 to starts = (\S+); got .*": (
                r"--starts must be at least 1; got \1"
            ),
            r"^starts = (\d+), but": r"--starts is \1, but",
            r"\b(clearance|quantum) = (\S+) m": r"--\1 \2",
            r"\bmax_height = (\S+) m": r"--max-height \1",
            r"leave (it|a column|the column) out with columns=\{[^}]*None\}": (
                r"take \1 out of the file"
            ),
            r"with skip_rows=<count>": "of the file",
            r"Use a wider spacing, sink the block less .*": (
                "Use a wider --spacing, or leave it out"
            ),
        },
        pairs={"columns": "--column", "units": "--unit"},
        absent=_READING,
    ),
    "contact": Vocabulary(
        flags={
            "max_load": "--max-load",
            "modulus": "--modulus",
            "shear_strength": "--shear-strength",
            "area_factor": "--area-factor",
            "pixel": "--pixel",
            "unit": "--unit",
            "detrend": "--detrend",
            "window": "--window",
            "apart": "--apart",
        },
        phrases={
            r"name the side of a pixel in metres, as in pixel=\((\S+), (\S+)\) if these are um": (
                r"write their unit into the first cell, as in 'y/x (um)', for a pixel of \1 by \2 m"
            ),
            r"read it with records\.read_asperities": "write its columns as height_m and radius_m",
            r"pixel and unit are those of a height map": (
                "--pixel and --unit are those of a height map"
            ),
            r"take a larger window for": "take a larger --window for",
        },
        absent=_READING,
    ),
    "gouge": Vocabulary(
        flags={
            "slip": "--slip",
            "layers": "--layers",
            "length": "--length",
            "height": "--height",
            "pressure": "--pressure",
            "stiffness_ratio": "--stiffness-ratio",
            "friction": "--friction",
            "velocity": "--velocity",
            "stiffness": "--stiffness",
            "wall_mass": "--wall-mass",
            "sample_every": "--sample-every",
        },
        phrases={
            # The command passes neither on, and both have one cause in its words
            r"more neighbours than the table has places; raise `slots`, or make the skin thinner": (
                "more neighbours than there are places; lower the pressure or raise "
                "--stiffness-ratio"
            ),
            r"raise `steps_per_contact` or the stiffness": "raise --stiffness-ratio",
            r"^length = (\S+) m has no room": r"--length \1 m has no room",
        },
    ),
    "predict-slip": Vocabulary(
        flags={
            "tune": "--tune",
            "part": "--part",
            "method": "--method",
            "normal_stress": "--normal-stress",
        },
        phrases={
            r"leave tuning out": "leave --tune out",
            r"leave (it|a column|the column) out with columns=\{[^}]*None\}": (
                r"take \1 out of the file"
            ),
            r"with skip_rows=\(line, \.\.\.\)": "of the file",
        },
        pairs={"columns": "--column", "units": "--unit"},
        absent=_READING,
    ),
    "study": Vocabulary(
        flags={"preset": "--preset", "normal_stress": "--normal-stress"},
        absent=_READING | {"columns=": _FIRST_LINE, "units=": _FIRST_LINE},
    ),
    "export": Vocabulary(flags={"samples": "--samples", "shard": "--shard"}),
}


def in_flags(command: str, message: str) -> str:
    """What the library said, as the command calls it.

    Arguments:
        command: such as "fit-step"; one without a table says what the library says.
        message: of the library's error.

    Returns:
        The message.

    Example:
        >>> in_flags("fit-step", "steps must be at least 1; got 0")
        '--steps must be at least 1; got 0'
        >>> in_flags("predict-slip", 'name one with columns={"time": name or index}')
        'name one with --column time=name or index'
    """
    vocabulary = _COMMANDS.get(command, Vocabulary())
    # Phrases first: a flag in the middle of one would hide it from its pattern
    for pattern, phrase in vocabulary.phrases.items():
        message = re.sub(pattern, phrase, message)
    for word, flag in vocabulary.pairs.items():
        message = re.sub(rf"\b{word}=\{{(.*?)\}}", lambda found: _pairs(flag, found[1]), message)  # noqa: B023 (called here)
        message = re.sub(rf"\b{word}=", flag, message)
    for word, flag in vocabulary.flags.items():
        # Offered: "steps=3" is "--steps 3", "give it with steps=" is "give it with --steps"
        message = re.sub(rf"\b{word}=(?=[\w'\"])", f"{flag} ", message)
        message = re.sub(rf"\b{word}=", flag, message)
        # Checked, alone or with others: "samples and shard must be at least 1"
        message = re.sub(rf"(?<![\w-]){word}(?= (and \w+ )?must\b)", flag, message)
    # Each remedy once, however many of the options that lack a flag were offered
    remedies = dict.fromkeys(x for word, x in vocabulary.absent.items() if word in message)
    if remedies:
        message = f"{message.rstrip('.')}. On the command line: {'; '.join(remedies)}"
    return message


@contextmanager
def speaking_flags(command: str) -> Iterator[None]:
    """Errors of the block in the words of a command; one that is understood passes as it is."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        message = in_flags(command, str(error))
        if message == str(error):
            raise
        # Of the plain class: some subclasses are not made of one sentence
        raise (ValueError if isinstance(error, ValueError) else RuntimeError)(message) from error


def _pairs(flag: str, inside: str) -> str:
    """The entries of a dictionary, as printed in a message, as flags; '[...]' is any name."""
    given = []
    for key, value in re.findall(r"(\w+)['\"]?: (\[.*?\]|[^,]+)", inside):
        # Of several columns each has a flag of its own
        for item in value.strip("[]").split(","):
            name = item.strip("'\" ")
            given.append(f"{flag} {key}={'name' if name == '...' else name}")
    return " ".join(given) or flag

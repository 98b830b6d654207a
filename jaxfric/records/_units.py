"""Units that files may state, and their factors to SI."""

import unicodedata

# "time", "displacement", "friction", "normal_stress", "shear_stress"; of stick-slip records also
# "time_to_failure" and "emission"; of friction laws "force". A key of the user's is a plain string
# until it is checked.
Quantity = str

# Spellings are those after `normal_form`, in lower case, and each stands for its factor to SI.

_TIME = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
}
_LENGTH = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), 1e-2),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), 1e-3),
    **dict.fromkeys(("um", "μm", "micron", "microns"), 1e-6),
    **dict.fromkeys(("micrometre", "micrometres", "micrometer", "micrometers"), 1e-6),
    **dict.fromkeys(("nm", "nanometre", "nanometres", "nanometer", "nanometers"), 1e-9),
}
# Of surfaces only: what slips by picometres would be a mistake
_SMALL = {"pm": 1e-12, **dict.fromkeys(("å", "angstrom", "angstroms"), 1e-10)}
_STRESS = {"pa": 1.0, "kpa": 1e3, "bar": 1e5, "mpa": 1e6, "gpa": 1e9}
# A load may be stated as the mass of a weight. Standard gravity, 9.80665 m/s² (3rd CGPM, 1901), and
# the pound, 0.45359237 kg (yard and pound agreement, 1959), are exact.
_GRAVITY = 9.80665
_FORCE = {
    **dict.fromkeys(("n", "newton", "newtons"), 1.0),
    **{"kn": 1e3, "dan": 10.0, "cn": 1e-2, "mn": 1e-3, "un": 1e-6, "μn": 1e-6, "nn": 1e-9},
    **dict.fromkeys(("kgf", "kp", "kg"), _GRAVITY),
    **dict.fromkeys(("gf", "g"), 1e-3 * _GRAVITY),
    **{"mg": 1e-6 * _GRAVITY, "lbf": 0.45359237 * _GRAVITY, "dyn": 1e-5},
}
# Friction has no unit; a title may say so, or repeat its symbol in brackets.
_RATIO = dict.fromkeys(("", "-", "1", "/", "none", "dimensionless", "unitless", "mu", "μ"), 1.0)
_UNITS = {
    "time": _TIME,
    "displacement": _LENGTH,
    "friction": _RATIO,
    "normal_stress": _STRESS,
    "shear_stress": _STRESS,
    "time_to_failure": _TIME,
    "force": _FORCE,
    "emission": {},  # kept as recorded, whatever its unit
}
_EXAMPLES = {
    "time": "s, ms, us, min, h",
    "displacement": "m, cm, mm, um, nm",
    "friction": "1 (friction has no unit)",
    "normal_stress": "Pa, kPa, MPa, GPa, bar",
    "shear_stress": "Pa, kPa, MPa, GPa, bar",
    "time_to_failure": "s, ms, us, min, h",
    "force": "N, kN, mN, uN, nN, gf, kgf",
}
# Capitals are free ("Sec", "MPA", "Microns") except where they tell milli from mega: read without
# regard to case, these would be wrong by 1e9, so they are refused as unknown.
_TWO_READINGS = ("mPa", "Ms", "Mm", "MN", "Mg")


def normal_form(text: str) -> str:
    """One spelling for each micro sign, and no surrounding space."""
    # Unicode has two: the micro sign U+00B5 of keyboards and the Greek letter U+03BC. NFKC maps the
    # first to the second.
    return unicodedata.normalize("NFKC", text).strip()


def factor(quantity: Quantity, unit: str) -> float | None:
    """The factor to SI of a unit, or `None` for a unit that is not known."""
    unit = normal_form(unit)
    return None if unit in _TWO_READINGS else _UNITS[quantity].get(unit.lower())


def length(unit: str) -> float | None:
    """The metres in a unit of the lengths of a surface, or `None` for one that is not known."""
    return _SMALL.get(normal_form(unit).lower(), factor("displacement", unit))


def metres(source: str, unit: str, remedy: str = "") -> float:
    """The metres in a unit of the lengths of a surface; `ValueError` for one that is not known."""
    found = length(unit)
    if found is None:
        raise ValueError(
            f"{source}: {unit!r} is no unit of length; known are m, mm, um, nm, pm and "
            f"angstrom{remedy}"
        )
    return found


def needs_unit(quantity: Quantity) -> bool:
    """Whether the quantity has a dimension."""
    return "" not in _UNITS[quantity]


def known_units(quantity: Quantity) -> str:
    """The usual units of a quantity, for messages."""
    return _EXAMPLES[quantity]

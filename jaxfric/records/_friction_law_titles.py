"""What a title says of a friction law's column: load, friction, coefficient or deviation."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from jaxfric.records._table import number
from jaxfric.records._units import Quantity, factor, normal_form

# Names in lower case, letters only, without unit and qualifiers; English, German, French. Symbols
# are those of tribology: F_N and F_T, P and Q of contact mechanics, W for a weight
_NAMES: dict[Quantity, frozenset[str]] = {
    "load": frozenset(
        "load loads normal normalload normalforce forcenormal forcenormale loadforce axialload "
        "axialforce verticalforce verticalload contactload contactforce weight mass loadcell "
        "p w fn fz fnormal fnorm fload last normallast auflast normalkraft anpresskraft axialkraft "
        "gewicht charge chargenormale".split()
    ),
    "friction": frozenset(
        "friction frictions frictionforce frictionalforce forcefriction forceoffriction "
        "tangential tangentialforce tangentialload forcetangential shear shearforce lateral "
        "lateralforce f q ft ff fr fx ffriction ffric ftangential flateral fshear reibung "
        "reibkraft reibungskraft tangentialkraft querkraft frottement forcedefrottement "
        "forcetangentielle".split()
    ),
    "coefficient": frozenset(
        "mu μ cof cf coefficient frictioncoefficient frictioncoeff frictioncoef "
        "coefficientoffriction coeffoffriction coefoffriction coefffriction "
        "coefficientdefrottement reibwert reibzahl reibungszahl reibkoeffizient "
        "reibungskoeffizient ftfn fffn frfn fxfz qp".split()
    ),
}  # fmt: skip
# Words that leave a quantity what it is
_QUALIFIERS = frozenset(
    "mean avg average median measured applied set nominal static kinetic dynamic sliding max min "
    "peak total abs absolute mittel mittlere mittlerer mittelwert gemessen moyenne in of the "
    "at".split()
)
_DEVIATION = frozenset(
    "std sd stdev stddev dev deviation uncertainty unc error err stderr sem sigma σ "
    "standardabweichung stabw unsicherheit fehler incertitude".split()
)
_BRACKETS = re.compile(r"(?P<before>[^(\[{]*)[(\[{](?P<unit>[^()\[\]{}]*)[)\]}](?P<after>.*)")
# "normal_force_N", "Load mN", "Load, mN", and "Fn / N" as in the standards of quantities
_SUFFIX = re.compile(r"(?P<name>.*?[^\s_,/])(?:\s*/\s*|[\s_,]+(?:in\s+)?)(?P<unit>[^\s_,/]+)")
_CAMEL = re.compile(r"(?<=[a-zäöüμ])(?=[A-ZÄÖÜ])")
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")  # "s.d." is "sd"
_PLUS_MINUS = re.compile(r"±|\+/-")


class Meaning(NamedTuple):
    """What a title may mean."""

    quantity: Quantity  # "load", "friction", "coefficient" or "deviation"
    unit: str | None  # as stated, known or not
    of: Quantity = ""  # whose deviation; empty if the title does not say


def meanings(title: str) -> tuple[Meaning, ...]:
    """Each reading of a title: none, one, or for `F_N` two (the normal force; friction in N)."""
    title = normal_form(title)
    found = {}
    bracketed, unit = _bracketed(title)
    if named := _quantity(bracketed, is_force(unit or "")):
        found[named] = Meaning(named[0], unit, named[1])
    suffixed = _SUFFIX.fullmatch(title)
    # The N of F_T/F_N is no unit
    whole = unit is not None or "coefficient" in (meaning.quantity for meaning in found.values())
    if not whole and suffixed and (is_force(suffixed["unit"]) or suffixed["unit"] == "%"):
        if named := _quantity(suffixed["name"], True):
            found[named] = Meaning(named[0], suffixed["unit"], named[1])
    return tuple(found.values())


def stated_unit(title: str) -> str | None:
    """The unit in a title that need not name a quantity."""
    known = [meaning.unit for meaning in meanings(title) if meaning.unit is not None]
    if known:
        return known[0]
    title = normal_form(title)
    suffixed = _SUFFIX.fullmatch(title)
    if suffixed and is_force(suffixed["unit"]):
        return suffixed["unit"]
    return _bracketed(title)[1]


def is_bare(title: str) -> bool:
    """Whether a title is the word friction alone, which many call the coefficient too."""
    return _words(title) in (["friction"], ["reibung"], ["frottement"])


def is_force(unit: str) -> bool:
    """Whether a unit is one of force."""
    return factor("force", unit) is not None


def is_ratio(unit: str) -> bool:
    """Whether a unit says that there is none, or percent."""
    return normal_form(unit) == "%" or factor("friction", unit) is not None


def units_of(cells: Sequence[str]) -> tuple[str, ...] | None:
    """The units in a row of units below or above the names; None if the row is none."""
    units = tuple(normal_form(cell).strip("()[]{} ") for cell in cells)
    if any(number(unit) is not None or (unit and meanings(unit)) for unit in units):
        return None
    return units if any(map(is_force, units)) else None


def _bracketed(title: str) -> tuple[str, str | None]:
    """A title without what stands in brackets, and that; words of the name stay in it."""
    found = _BRACKETS.fullmatch(title)
    if not found:
        return title, None
    words = _words(found["unit"])
    if words and not is_force(found["unit"]) and all(w in _QUALIFIERS | _DEVIATION for w in words):
        return " ".join(found.group("before", "unit", "after")), None
    return f"{found['before']} {found['after']}", found["unit"].strip()


def _words(text: str) -> list[str]:
    text = _CAMEL.sub(" ", _INITIALS.sub("", normal_form(text)))
    return [word for word in re.split(r"[\W\d_]+", text.lower()) if word]


def _quantity(name: str, has_unit: bool) -> tuple[Quantity, Quantity] | None:
    """The quantity of a name, and whose deviation it is."""
    words = _words(name)
    deviates = any(w in _DEVIATION for w in words) or _PLUS_MINUS.search(name) is not None
    rest = [w for w in words if w not in _QUALIFIERS and not (deviates and w in _DEVIATION)]
    of = _named([w for w in rest if not (deviates and w == "standard")])
    # A small letter alone is a load or a friction only with a unit: p is a pressure, f a frequency
    letter = "".join(rest)
    if of in ("load", "friction") and len(letter) == 1 and not has_unit:
        of = of if letter.upper() in name else None
    if not deviates:
        return None if of is None else (of, "")
    if of is None:
        return None if [w for w in rest if w != "standard"] else ("deviation", "")
    return None if of == "load" else ("deviation", of)


def _named(words: list[str]) -> Quantity | None:
    """The quantity that words name, as one name or as several of the same: "normal force Fn"."""
    compact = "".join(words)
    for quantity, names in _NAMES.items():
        if compact in names:
            return quantity
    for i in range(1, len(words)):
        first, second = _named(words[:i]), _named(words[i:])
        if first is not None and first == second:
            return first
    return None

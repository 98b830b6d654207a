"""Columns and units of a file as a command line names them: quantity=name, several times."""

Named = str | int  # a column by its name or its index


def column_of(given: list[str] | None) -> dict[str, Named] | None:
    """One column for each quantity."""
    found: dict[str, Named] = {}
    for quantity, column in (columns_of(given) or {}).items():
        if isinstance(column, list):
            raise ValueError(f"--column names the column of {quantity} twice; keep one")
        found[quantity] = column
    return found or None


def columns_of(given: list[str] | None) -> "dict[str, Named | list[Named]] | None":
    """A quantity that is named twice has several columns."""
    found: dict[str, Named | list[Named]] = {}
    for quantity, name in _pairs("--column", given):
        column: Named = int(name) if name.isdigit() else name
        if quantity in found:
            before = found[quantity]
            found[quantity] = [*(before if isinstance(before, list) else [before]), column]
        else:
            found[quantity] = column
    return found or None


def units_of(given: list[str] | None) -> dict[str, str] | None:
    """A unit is a text even where it is the digit 1, which stands for none."""
    found: dict[str, str] = {}
    for quantity, unit in _pairs("--unit", given):
        if quantity in found:
            raise ValueError(f"--unit names the unit of {quantity} twice; keep one")
        found[quantity] = unit
    return found or None


def _pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    """quantity=name, several times."""
    pairs = []
    for text in given or []:
        quantity, equals, name = text.partition("=")
        if not equals or not name:
            raise ValueError(
                f"{option} takes quantity=name, such as emission=Var_Ch1; got {text!r}"
            )
        pairs.append((quantity, name))
    return pairs

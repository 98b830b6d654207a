"""How parameters and results print: numbers with their units, arrays and batches as their range.

Without this, a module prints the types of its arrays (`a=f64[]`), which tells a user nothing.
"""

import html
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import ArrayLike

FEW = 4  # values of a vector that are read at a glance, and are shown one by one


def shown(value: object, unit: str = "") -> str:
    """One value with its unit: a number, the range of an array, the name of a function.

    Arguments:
        value: a number, an array of any shape, a tuple of these, a function, None.
        unit: such as "m/s"; none if empty.

    Returns:
        Text in one line.

    Example:
        >>> print(shown(1e-6, "m/s"))
        1e-06 m/s
        >>> print(shown(np.array([1e-6, 1e-5]), "m/s"))
        [1e-06, 1e-05] m/s
        >>> print(shown(np.array([2.0, 3.0, np.nan, 1.0, 5.0]), "s"))
        5 values 1 to 5 s (1 not finite)
    """
    # Inside jit there are no numbers yet, and a program that prints must not fail
    if isinstance(value, jax.core.Tracer):
        return "traced"
    # One entry for each state of a law: the unit is that of all of them
    if isinstance(value, tuple):
        inside = ", ".join(shown(x) for x in value)
        return f"({inside}) {unit}".rstrip()
    if value is None or isinstance(value, (str, bool)):
        return str(value)
    if not isinstance(value, (int, float, np.generic, np.ndarray, jax.Array)):
        # A module prints itself; of a function the name is enough
        return getattr(value, "__name__", None) or repr(value)
    array = np.asarray(value)
    after = f" {unit}" if unit else ""
    if array.ndim == 0:
        return f"{array.item():.6g}{after}"
    if array.ndim == 1 and 0 < array.size <= FEW:
        return f"[{', '.join(f'{x:.6g}' for x in array.tolist())}]{after}"
    return f"{_count(array)} {_range(array)}{after}{_not_finite(array)}"


def fields(name: str, values: dict[str, tuple[object, str]]) -> str:
    """A module of parameters as `Name(field=value unit, …)`.

    Arguments:
        name: of the class.
        values: (value, unit) by the name of the field.

    Example:
        >>> print(fields("Spring", {"stiffness": (50.0, "1/m"), "damping": (0.0, "s/m")}))
        Spring(stiffness=50 1/m, damping=0 s/m)
    """
    inside = ", ".join(f"{key}={shown(value, unit)}" for key, (value, unit) in values.items())
    return f"{name}({inside})"


def extent(values: ArrayLike, form: str = ".6g") -> str:
    """Smallest to largest finite value, each in the given form.

    Arguments:
        values: of any shape; what is not finite is left out, as it is told by a status.
        form: a format, as after the colon of an f-string.

    Example:
        >>> print(extent(np.array([0.5, np.nan, 0.25]), ".3g"))
        0.25 to 0.5
    """
    array = np.asarray(values)
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        return "none finite"
    return f"{finite.min():{form}} to {finite.max():{form}}"


def printed(result: eqx.Module, summary: Callable[[], str]) -> str:
    """What `repr` and `str` of a result say: its summary, or its structure if it has no numbers.

    Equinox and JAX put tracers, shapes or None where numbers belong, and a debugger prints those
    too: a `repr` that raises would hide the error that one is looking for.
    """
    if any(isinstance(x, jax.core.Tracer) for x in jax.tree_util.tree_leaves(result)):
        return f"{type(result).__name__}(traced)"
    try:
        return summary()
    except Exception:
        # Equinox's printer reads the fields, not `__repr__`, so this does not come back here
        return eqx.tree_pformat(result)


def html_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", foot: str = ""
) -> str:
    """A plain table, which takes the looks of the notebook; the first cell of a row names it."""
    # Escaped, for the name of a record or a law may hold < or &
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr><th>{html.escape(name)}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    above = f"<caption>{html.escape(title)}</caption>" if title else ""
    below = f"<p>{html.escape(foot)}</p>" if foot else ""
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _count(array: np.ndarray) -> str:
    """How many values, and in which shape when there is more than one axis."""
    if array.ndim > 1:
        return f"{array.shape} values"
    return f"{array.size} value{'' if array.size == 1 else 's'}"


def _range(array: np.ndarray) -> str:
    """Smallest and largest finite value: one NaN must not hide all the others."""
    if np.iscomplexobj(array):  # complex numbers have no order, so no range
        array = np.abs(array)
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        return "none finite" if array.size else "none"
    low, high = finite.min(), finite.max()
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"


def _not_finite(array: np.ndarray) -> str:
    bad = int(np.sum(~np.isfinite(array)))
    return f" ({bad} not finite)" if 0 < bad < array.size else ""

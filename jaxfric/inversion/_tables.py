"""How the results of an inversion appear in a console and in a notebook."""

import html
from collections.abc import Callable, Sequence

import equinox as eqx
import jax


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
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], foot: str = ""
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

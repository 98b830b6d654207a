"""What any network has to beat: a constant, a clock and a ridge regression."""

from collections.abc import Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxfric import _checks
from jaxfric._show import html_table
from jaxfric._types import Mask, Number, Series
from jaxfric.forecast._clock import clock, log_energy as ln, same_shape
from jaxfric.forecast._metrics import Scores, masked_mean, scores
from jaxfric.forecast._ridge import ridge
from jaxfric.forecast._tables import batch_note, without_numbers


class _Column(NamedTuple):
    """A field of the scores as a column of the printed table."""

    field: str
    heading: str
    width: int
    digits: str


# The last two are printed only where failures were compared.
_COLUMNS = (
    _Column("mape", "MAPE %", 8, ".3g"),
    _Column("r2", "R²", 8, ".3f"),
    _Column("mae", "MAE", 10, ".4g"),
    _Column("missed", "missed", 8, ".2f"),
    _Column("timing", "timing s", 9, ".3g"),
)


class Yardsticks(eqx.Module):
    """What `yardsticks` returns: `Scores` by name, also as `result["clock"]`.

    Attributes:
        constant: of the training mean.
        clock: of the clock that runs from the end of the last burst.
        onset_clock: of the one that runs from its onset: the harder one to beat.
        ridge: of the ridge regression.
    """

    constant: Scores
    clock: Scores
    onset_clock: Scores
    ridge: Scores

    def keys(self) -> tuple[str, ...]:
        """The names of the yardsticks."""
        return ("constant", "clock", "onset_clock", "ridge")

    def __getitem__(self, name: str) -> Scores:
        if name not in self.keys():
            raise KeyError(f"{name!r} is none of the yardsticks: {', '.join(self.keys())}")
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Headings and rows of what is printed; of a batch, medians."""
        compared = np.any(np.asarray(self.constant.events) > 0)
        columns = _COLUMNS if compared else _COLUMNS[:3]
        rows = [
            (
                name,
                *(
                    format(float(np.median(np.asarray(getattr(self[name], c.field)))), c.digits)
                    for c in columns
                ),
            )
            for name in self
        ]
        return ("yardstick", *(column.heading for column in columns)), rows

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if (why := without_numbers(self.constant.mape)) is not None:
            return f"Yardsticks ({why})"
        header, rows = self._table()
        widths = [column.width for column in _COLUMNS]
        lines = [
            " ".join([f"{name:<12}", *(f"{x:>{w}}" for x, w in zip(cells, widths, strict=False))])
            for name, *cells in (header, *rows)
        ]
        title = batch_note(self.constant.mape).removesuffix(" (range)")
        return "\n".join([f"Yardsticks{title}", *lines] if title else lines)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        if without_numbers(self.constant.mape) is not None:
            return str(self)
        return html_table(*self._table())


def constant(target_train: Series, n: int) -> Float[Array, " n"]:
    """The mean of the training span, n times.

    Example:
        >>> import jax.numpy as jnp
        >>> print(constant(jnp.array([1.0, 2.0]), 3))
        [1.5 1.5 1.5]
    """
    _checks.vector("target_train", target_train)
    return jnp.full(n, jnp.mean(jnp.asarray(target_train)))


def yardsticks(
    energy: Series,
    target: Series,
    dt: Number,
    train: Mask,
    test: Mask,
    *,
    events: bool = True,
    length: Number | None = None,
) -> Yardsticks:
    """Constant, clocks and ridge, learnt on one span of a record and scored on another.

    Arguments:
        energy: (n,), positive.
        target: (n,), friction or time to failure.
        dt: s between samples, a plain number.
        train: (n,), the samples to learn from.
        test: (n,), the samples to score.
        events: compare failures too; pass False for a time to failure.
        length: as in `failures`; neither `train` nor `test` may hold samples after it.

    Returns:
        `Yardsticks`, which prints as a table.

    Raises:
        ValueError: for shapes that differ, and as `clock` and `ridge`.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(600.0) % 100.0
        >>> energy, friction = jnp.where(phase < 10, 50.0, 1.0), 0.5 + 0.001 * phase
        >>> early = jnp.arange(600) < 300
        >>> table = yardsticks(energy, friction, 0.1, early, ~early)
        >>> print(bool(table["onset_clock"].mape < 1e-3 < table.constant.mape))
        True

    Source: ours.
    """
    same_shape(energy=energy, target=target, train=train, test=test)
    energy, test = jnp.asarray(energy), jnp.asarray(test)
    target = jnp.asarray(target).astype(energy.dtype)
    spacing = dt if events else None

    def score(prediction: Array) -> Scores:
        return scores(target, prediction, spacing, where=test, length=length)

    # One program scores all four: the walk that picks failures is compiled once.
    found = jax.vmap(score)(yardstick_predictions(energy, target, dt, train))
    return Yardsticks(*(jax.tree_util.tree_map(lambda x, i=i: x[i], found) for i in range(4)))


def yardstick_predictions(
    energy: Series, target: Series, dt: Number, train: Mask
) -> Float[Array, "4 n"]:
    """What constant, clock, onset clock and ridge say, in this order; see `yardsticks`.

    Example:
        >>> import jax.numpy as jnp
        >>> phase = jnp.arange(600.0) % 100.0
        >>> energy, friction = jnp.where(phase < 10, 50.0, 1.0), 0.5 + 0.001 * phase
        >>> print(yardstick_predictions(energy, friction, 0.1, jnp.arange(600) < 300).shape)
        (4, 600)
    """
    same_shape(energy=energy, target=target, train=train)
    energy, train = jnp.asarray(energy), jnp.asarray(train)
    target = jnp.asarray(target).astype(energy.dtype)
    return jnp.stack(
        [
            jnp.full(target.shape, masked_mean(target, train)),
            clock(energy, target, dt, train),
            clock(energy, target, dt, train, since="onset"),
            ridge(ln(energy), target, dt, train),
        ]
    )

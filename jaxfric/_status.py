"""The outcome of a computation, carried in its result so that a batch survives one bad member.

Each room says what can happen in it: an `equinox.Enumeration` called `Outcome`, whose sentences
name the remedy, built upon the one of the room below.
"""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Int


class Outcome(eqx.Enumeration):
    """What can happen in any room."""

    successful = "successful"
    not_finite = (
        "a value is not finite; check that a > 0 and that the velocity suits the law's form"
    )


if TYPE_CHECKING:
    # equinox describes its enumerations to a type checker as Python's own, whose items would be
    # the sentences that a class body names: no such type fits what `where` and `promote` take.
    Outcomes = Any
    Item = Any
else:
    # At run time an item belongs to no class that Python would know it by: the enumeration of a
    # room above holds copies of the items below, and its metaclass answers only for its own.
    Outcomes = type
    Item = object


class Status(eqx.Module):
    """Outcome of a run: an item of a room's `Outcome`, a sentence through `str`.

    Arguments:
        outcome: an item of `outcomes`, of one run, or of a batch after `jax.vmap`.
        outcomes: the enumeration, such as `ratestate.Outcome`.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> print(Status(Outcome.successful, Outcome))
        successful
        >>> def run(x):
        ...     return Status.first(Outcome, (~jnp.isfinite(x), Outcome.not_finite))
        >>> batch = jax.vmap(run)(jnp.array([1.0, jnp.nan]))
        >>> print(batch)
        1 of 2 runs failed: [1] a value is not finite; ...
        >>> print(batch.outcome == Outcome.not_finite)
        [False  True]
    """

    outcome: Item
    outcomes: Outcomes = eqx.field(static=True)

    @staticmethod
    def first(
        outcomes: Outcomes, *conditions: tuple[Bool[ArrayLike, ""], Item]
    ) -> "Status":  # fmt: skip
        """The outcome of the first condition that holds, else success.

        Arguments:
            outcomes: an enumeration.
            conditions: pairs of a scalar boolean and an item of `outcomes`.
        """
        # Built from the last condition to the first, so that an earlier one has the last word:
        # all of them are traced, and nothing may branch on their values.
        found = outcomes.successful
        for holds, outcome in reversed(conditions):
            found = outcomes.where(holds, outcome, found)
        return Status(found, outcomes)

    @property
    def ok(self) -> Bool[Array, "..."]:
        """True where the run succeeded."""
        return self.outcome == self.outcomes.successful

    @property
    def code(self) -> Int[Array | np.ndarray, "..."]:
        """Place of the outcome in its enumeration; 0 is success."""
        # The item is a pytree of one leaf, its place; after jax.vmap the leaf has an axis more.
        return jax.tree_util.tree_leaves(self.outcome)[0]

    def or_else(self, later: "Status") -> "Status":
        """This failure, or where there is none, what came later."""
        outcome = self.outcomes.where(self.ok, later.outcome, self.outcome)
        return Status(outcome, self.outcomes)

    def promote(self, outcomes: Outcomes) -> "Status":
        """The same outcome among those of a room above, which `or_else` can then join."""
        if outcomes is self.outcomes:
            return self
        return Status(outcomes.promote(self.outcome), outcomes)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        code = self.code
        if isinstance(code, jax.core.Tracer):
            return "Status(traced)"
        code = np.asarray(code)
        if code.ndim == 0:
            return self._sentence(0)
        bad = np.flatnonzero(code.ravel())
        if bad.size == 0:
            return f"all {code.size} runs successful"
        # One sentence for each kind of failure, however many members share it.
        reasons = []
        for value in np.unique(code.ravel()[bad]):
            places = np.flatnonzero(code.ravel() == value)
            reasons.append(f"{_listed(places)} {self._sentence(int(places[0]))}")
        return f"{bad.size} of {code.size} runs failed: {'; '.join(reasons)}"

    def _sentence(self, place: int) -> str:
        # Equinox prints an item of a batch as an array of sentences: one member is taken out.
        one = jax.tree_util.tree_map(lambda x: np.array(np.ravel(x)[place]), self.outcome)
        return str(self.outcomes[one])


def _listed(indices: np.ndarray) -> str:
    shown = ", ".join(str(i) for i in indices[:3])
    return f"[{shown}{', …' if indices.size > 3 else ''}]"

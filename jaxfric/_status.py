"""The outcome of a computation, carried in its result so that a batch survives one bad member.

Each room says what can happen in it: an `equinox.Enumeration` called `Outcome`, whose sentences
name the remedy, built upon the one of the room below.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Int


class Outcome(eqx.Enumeration):
    """What can happen in any room."""

    successful = "successful"
    not_finite = (
        "a value is not finite; check that a > 0 and that the velocity suits the law's form"
    )


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

    outcome: Any  # an item; an enumeration's metaclass answers no isinstance for its subclasses
    outcomes: Any = eqx.field(static=True)

    @staticmethod
    def first(outcomes: Any, *conditions: tuple[Any, Any]) -> "Status":
        """The outcome of the first condition that holds, else success.

        Arguments:
            outcomes: an enumeration.
            conditions: pairs of a scalar boolean and an item of `outcomes`.
        """
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
        return jax.tree_util.tree_leaves(self.outcome)[0]

    def or_else(self, later: "Status") -> "Status":
        """This failure, or where there is none, what came later."""
        outcome = self.outcomes.where(self.ok, later.outcome, self.outcome)
        return Status(outcome, self.outcomes)

    def promote(self, outcomes: Any) -> "Status":
        """The same outcome among those of a room above."""
        if outcomes is self.outcomes:
            return self
        return Status(outcomes.promote(self.outcome), outcomes)

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
        reasons = []
        for value in np.unique(code.ravel()[bad]):
            places = np.flatnonzero(code.ravel() == value)
            reasons.append(f"{_listed(places)} {self._sentence(int(places[0]))}")
        return f"{bad.size} of {code.size} runs failed: {'; '.join(reasons)}"

    def _sentence(self, place: int) -> str:
        one = jax.tree_util.tree_map(lambda x: np.array(np.ravel(x)[place]), self.outcome)
        return str(self.outcomes[one])


def _listed(indices: np.ndarray) -> str:
    shown = ", ".join(str(i) for i in indices[:3])
    return f"[{shown}{', …' if indices.size > 3 else ''}]"

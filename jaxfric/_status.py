"""The outcome of a simulation, carried in the result so that a batch survives one bad member."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int


class Status(eqx.Module):
    """Outcome of a run: one integer code per run, a sentence through `str`.

    Arguments:
        code: integer array; `()` for one run, `(batch,)` after `jax.vmap`.

    Example:
        >>> import jax.numpy as jnp
        >>> print(Status(jnp.array(0)))
        successful
        >>> print(Status(jnp.array([0, 1])))
        1 of 2 runs failed: [1] the solver used up max_steps; ...
    """

    code: Int[Array, "..."]

    SUCCESSFUL: ClassVar[int] = 0
    MAX_STEPS: ClassVar[int] = 1
    NOT_FINITE: ClassVar[int] = 2
    BAD_PROTOCOL: ClassVar[int] = 3
    BAD_TIME: ClassVar[int] = 4
    BAD_PARAMETER: ClassVar[int] = 5
    SOLVER: ClassVar[int] = 6
    OVERFLOW: ClassVar[int] = 7
    BAD_SURFACE: ClassVar[int] = 8
    BAD_LOAD: ClassVar[int] = 9
    UNSOLVED: ClassVar[int] = 10
    NO_VALUE: ClassVar[int] = 11
    OVERLOADED: ClassVar[int] = 12
    STIFF: ClassVar[int] = 13

    MESSAGES: ClassVar[tuple[str, ...]] = (
        "successful",
        "the solver used up max_steps; raise max_steps or loosen rtol, atol (unstable sliding "
        "without damping or mass accelerates without bound: give the spring a damping)",
        "a value is not finite; check that a > 0 and that the velocity suits the law's form",
        "the velocity protocol is invalid: velocities must be >= 0 (> 0 for imposed sliding in the "
        "classical form or under Nagata's law) and times strictly increasing, inf only as padding "
        "at the end",
        "a sample time lies outside the protocol or the samples are not sorted",
        "a parameter is invalid: Dc, V0, stiffness and velocity must be > 0, damping and mass >= 0",
        "the solver failed to take a step; try another solver or check the parameters",
        "more events than max_events; raise max_events",
        "the surface or the material is invalid: radii, modulus and area_factor must be > 0, "
        "exponents >= 1, heights finite, and one asperity unmasked",
        "a load is negative or not finite",
        "no separation carries a load to the precision promised; use float64, or lengths and "
        "loads nearer to one",
        "the objective returned no finite number for any candidate; try it on the start alone, or "
        "begin elsewhere with a smaller step",
        "a spring starts at or past its limit; raise limit and leaf_limit above the stress at the "
        "start, or begin with a lower one",
        "the spring is so stiff that an explicit solver uses up max_steps following its load "
        "point; take Options(ratestate.stiff_solver(), 1e-6, 1e-8), a softer spring, or slide, "
        "its rigid limit",
    )

    @property
    def ok(self) -> Bool[Array, "..."]:
        """True where the run succeeded."""
        return self.code == Status.SUCCESSFUL

    @staticmethod
    def first(*conditions: tuple[Any, Any]) -> "Status":
        """The code of the first condition that holds, else `SUCCESSFUL`."""
        code = jnp.asarray(Status.SUCCESSFUL, jnp.int32)
        for bad, value in reversed(conditions):
            code = jnp.where(bad, jnp.asarray(value, jnp.int32), code)
        return Status(code)

    def __str__(self) -> str:
        if isinstance(self.code, jax.core.Tracer):
            return "Status(traced)"
        code = np.asarray(self.code)
        if code.ndim == 0:
            return self.MESSAGES[int(code)]
        bad = np.flatnonzero(code.ravel())
        if bad.size == 0:
            return f"all {code.size} runs successful"
        reasons = "; ".join(
            f"{_places(np.flatnonzero(code.ravel() == value))} {self.MESSAGES[value]}"
            for value in np.unique(code.ravel()[bad])
        )
        return f"{bad.size} of {code.size} runs failed: {reasons}"


def _places(indices: np.ndarray) -> str:
    shown = ", ".join(str(i) for i in indices[:3])
    return f"[{shown}{', …' if indices.size > 3 else ''}]"

"""How to integrate."""

import dataclasses
from typing import TYPE_CHECKING

import equinox as eqx

from jaxfric import _show
from jaxfric._types import Number

if TYPE_CHECKING:
    import diffrax


class Options(eqx.Module):
    """How to integrate; the defaults pass gradient checks to 1e-5.

    Arguments:
        solver: any diffrax solver of ordinary differential equations; the simulator's own choice
            if None.
        rtol: relative tolerance of a step, may be traced; None takes 1e-8 (float32: 1e-6).
        atol: absolute tolerance of a step, likewise; None takes 1e-10 (float32: 1e-7).
        max_steps: the most steps before the run ends with the status that says so.
        adjoint: a diffrax adjoint; None takes `DirectAdjoint`, which differentiates in forward and
            reverse mode; `RecursiveCheckpointAdjoint` saves memory in reverse mode only;
            `ForwardMode` is the fastest for a few parameters or no gradient.
        flat: hold the state as one vector: quicker to compile, up to twice as slow in batches.

    Example:
        >>> print(Options(rtol=1e-6, atol=1e-8).max_steps)
        65536
    """

    # Tolerances are data (a fit tightens them without compiling anew); what decides the shape of
    # the program is static
    solver: "diffrax.AbstractSolver | None" = None
    rtol: Number | None = None
    atol: Number | None = None
    max_steps: int = eqx.field(static=True, default=65536)
    adjoint: "diffrax.AbstractAdjoint | None" = None
    flat: bool = eqx.field(static=True, default=False)

    def __repr__(self) -> str:
        return _show.fields(
            "Options",
            {name: (getattr(self, name), "") for name in ("rtol", "atol", "max_steps", "flat")}
            | {x: (_kind(getattr(self, x)), "") for x in ("solver", "adjoint")},
        )

    def tolerances(self, single: bool) -> tuple[Number, Number]:
        """(rtol, atol), of float32 or of float64."""
        # At these a gradient agrees with central differences to 1e-5; float32 carries 1e-7 at most
        rtol, atol = (1e-6, 1e-7) if single else (1e-8, 1e-10)
        return (rtol if self.rtol is None else self.rtol, atol if self.atol is None else self.atol)

    def with_solver(self, solver: "diffrax.AbstractSolver") -> "Options":
        """With this solver."""
        return dataclasses.replace(self, solver=solver)

    def tighter(self, rtol: float, atol: float) -> "Options":
        """With these tolerances where none were given."""
        return dataclasses.replace(
            self,
            rtol=rtol if self.rtol is None else self.rtol,
            atol=atol if self.atol is None else self.atol,
        )


def _kind(part: "diffrax.AbstractSolver | diffrax.AbstractAdjoint | None") -> str | None:
    """The name of its class; diffrax prints all of its parts."""
    return None if part is None else type(part).__name__

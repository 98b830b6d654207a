"""Step control and root finding that survive a velocity step out of steady sliding."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array, PyTree

from jaxfric._types import Number


class FiniteController(diffrax.PIDController):
    """A PID controller that treats an infinite trial step as a bad one.

    diffrax divides the error by the size of the trial step; both infinite give a NaN step size,
    and the solve never ends. It happens where a velocity step ends steady sliding: the step size
    has grown without bound and the first trial after the jump overflows.
    """

    def adapt_step_size(
        self, t0: Number, t1: Number, y0: PyTree, y1_candidate: PyTree, args: PyTree,
        y_error: PyTree, error_order: Number, controller_state: PyTree,
    ) -> tuple[Any, ...]:  # fmt: skip
        """As `diffrax.PIDController`, with the error infinite where the trial step is."""
        # The size of the step is taken as that of y0, a finite number, where the trial overflowed;
        # the infinite error then makes the controller reject it and try a shorter one
        y1 = jax.tree_util.tree_map(
            lambda new, old: jnp.where(jnp.isfinite(new), new, old), y1_candidate, y0
        )
        error = jax.tree_util.tree_map(
            lambda new, err: jnp.where(jnp.isfinite(new), err, jnp.inf), y1_candidate, y_error
        )
        return super().adapt_step_size(
            t0=t0, t1=t1, y0=y0, y1_candidate=y1, args=args, y_error=error,
            error_order=error_order, controller_state=controller_state,
        )  # fmt: skip


def kvaerno5() -> diffrax.Kvaerno5:
    """What `stiff_solver` returns; see there."""
    # Kvaerno's fifth-order scheme is L-stable: the fast modes that inertia adds decay at any step.
    # Its Newton iteration takes its tolerances from the step controller, so that equations are
    # solved as well as the step is accurate.
    root_finder = diffrax.with_stepsize_controller_tols(diffrax.VeryChord)()
    return diffrax.Kvaerno5(root_finder=eqx.tree_at(lambda r: r.norm, root_finder, _notable))


def _notable(correction: PyTree) -> Array:
    """The largest correction, in tolerances; zero where it is at the level of rounding."""
    size = optimistix.max_norm(correction)
    # A thousandth of the tolerance is far below what the error estimate can see
    return jnp.where(size < 1e-3, 0, size)

"""Step control and root finding that survive a velocity step out of steady sliding."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix
from jaxtyping import Array, PyTree


class FiniteController(diffrax.PIDController):
    """A PID controller that treats an infinite trial step as a bad one.

    diffrax divides the error by the size of the trial step; both infinite give a NaN step size,
    and the solve never ends. It happens where a velocity step ends steady sliding: the step size
    has grown without bound and the first trial after the jump overflows.
    """

    def adapt_step_size(
        self, t0: Any, t1: Any, y0: Any, y1_candidate: Any, args: Any, y_error: Any,
        error_order: Any, controller_state: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """As `diffrax.PIDController`, with the error infinite where the trial step is."""
        y1 = jax.tree_util.tree_map(
            lambda new, old: jnp.where(jnp.isfinite(new), new, old), y1_candidate, y0
        )
        error = jax.tree_util.tree_map(
            lambda new, err: jnp.where(jnp.isfinite(new), err, jnp.inf), y1_candidate, y_error
        )
        return super().adapt_step_size(t0, t1, y0, y1, args, error, error_order, controller_state)


def kvaerno5() -> diffrax.Kvaerno5:
    """What `stiff_solver` returns; see there."""
    root_finder = diffrax.with_stepsize_controller_tols(diffrax.VeryChord)()
    return diffrax.Kvaerno5(root_finder=eqx.tree_at(lambda r: r.norm, root_finder, _notable))


def _notable(correction: PyTree) -> Array:
    """The largest correction, in tolerances; zero where it is at the level of rounding."""
    size = optimistix.max_norm(correction)
    return jnp.where(size < 1e-3, 0, size)

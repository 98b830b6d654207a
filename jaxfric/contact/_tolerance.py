"""How errors of manufacture spread a friction law."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import _checks, programs
from jaxfric._show import printed
from jaxfric._types import Number, Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._buckets import bucket, cut, pad
from jaxfric.contact._curve import friction_law, friction_slopes
from jaxfric.contact._metrics import smape
from jaxfric.contact._printing import MICRO, numbers
from jaxfric.contact._targets import check_target


class Tolerance(eqx.Module):
    """What `tolerance` returns.

    Attributes:
        load: (m,), N.
        friction: (m,), of the surface as designed, N.
        deviation: (m,), standard deviation of the friction, linearised, N.
        mean: (m,), mean over the draws, N.
        spread: (m,), standard deviation over the draws, N.
        low, high: (m,), 2.5 and 97.5 percentiles of the draws, N.
        error: (draws,), sMAPE of each draw against the design, percent.
        target_error: (draws,), sMAPE of each draw against the target, percent; None without one.
        clearance: (draws,), between the flat and the block at the largest load, m; negative where
            they would touch; None without a block.
    """

    load: Float[Array, " m"]
    friction: Float[Array, " m"]
    deviation: Float[Array, " m"]
    mean: Float[Array, " m"]
    spread: Float[Array, " m"]
    low: Float[Array, " m"]
    high: Float[Array, " m"]
    error: Float[Array, " draws"]
    target_error: Float[Array, " draws"] | None
    clearance: Float[Array, " draws"] | None

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        friction, spread, error = (numbers(x) for x in (self.friction, self.spread, self.error))
        surfaces = f"{error.size // error.shape[-1]} surfaces, " if error.ndim > 1 else ""
        # A zero load has no friction to be relative to
        relative = np.where(friction > 0, spread / np.where(friction > 0, friction, 1.0), 0.0)
        return (
            f"Tolerance: {surfaces}friction spreads by {relative.mean() * 100:.3g} % on average, "
            f"{relative.max() * 100:.3g} % at worst (one standard deviation)\n"
            f"  sMAPE of a made surface against the design: {_middle_and_tail(error)}"
            f"{self._of_target()}{self._of_block()}"
        )

    def _of_target(self) -> str:
        if self.target_error is None:
            return ""
        tail = _middle_and_tail(numbers(self.target_error))
        return f"\n  sMAPE of a made surface against the target: {tail}"

    def _of_block(self) -> str:
        if self.clearance is None:
            return ""
        clearance = numbers(self.clearance)
        return (
            f"\n  clearance of a made surface: 5th percentile "
            f"{np.percentile(clearance, 5) * MICRO:.4g} µm; {(clearance <= 0).sum()} of "
            f"{clearance.size} touch the block"
        )


def _middle_and_tail(error: np.ndarray) -> str:
    return f"median {np.median(error):.3g} %, 95th percentile {np.percentile(error, 95):.3g} %"


def tolerance(
    surface: Asperities,
    material: Material,
    loads: Vector,
    height_error: Number,
    radius_error: Number,
    *,
    key: Key[Array, ""],
    target: Vector | None = None,
    clearance: Number | None = None,
    draws: int = 1000,
) -> Tolerance:
    """The spread of the friction law when every height and radius is off by chance.

    Independent Gaussian errors. Linearised: Var F = Σ (∂F/∂h_i)² s_h² + (∂F/∂R_i)² s_R². By
    Monte Carlo: what the linearisation misses, contacts made and lost. Errors against the design
    tell what making costs; a design that is off its target is off it as made, too, and that is what
    a user of the part meets: errors against the target.

    Arguments:
        surface: as designed.
        material: modulus and friction.
        loads: (m,), N.
        height_error: standard deviation of a height, m, >= 0.
        radius_error: standard deviation of a radius, m, >= 0.
        key: of the draws.
        target: (m,), the wanted friction, N; None leaves the errors against it out.
        clearance: between the flat and the block at the largest load as designed, m, as
            `part(...).clearance`; None for no block.
        draws: number of surfaces.

    Returns:
        `Tolerance`.

    Raises:
        ValueError: a negative error, no draws, or a target that `check_target` refuses.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> surface = Asperities(-2e-6 * jnp.arange(16.0), jnp.full(16, 5e-4))
        >>> material, loads = Material(1.4e6, 4e5), jnp.linspace(0.1, 1.0, 10)
        >>> found = tolerance(surface, material, loads, 1e-7, 1e-6, key=jax.random.key(0))
        >>> bool(jnp.allclose(found.deviation, found.spread, rtol=0.1))
        True
    """
    _checks.non_negative("height_error", height_error)
    _checks.non_negative("radius_error", radius_error)
    if draws < 2:
        raise ValueError(f"draws must be at least 2; got {draws}")
    dtype = surface.height.dtype
    _checks.vector("loads", loads)
    count = np.shape(loads)[0]
    if target is not None:
        check_target(loads, target)
    errors = tuple(as_array(x, dtype) for x in (height_error, radius_error))
    padded = as_array(pad(loads, bucket(count)), dtype)
    wanted = None if target is None else as_array(pad(target, bucket(count)), dtype)
    room = None if clearance is None else as_array(clearance, dtype)
    found = _spread(surface, material.cast(dtype), padded, wanted, room, errors, key, draws)
    of_loads = ("load", "friction", "deviation", "mean", "spread", "low", "high")
    return cut(found, count, of_loads)


def _tolerance(
    surface: Asperities,
    material: Material,
    loads: Float[Array, " m"],
    target: Float[Array, " m"] | None,
    clearance: Float[Array, ""] | None,
    errors: tuple[Float[Array, ""], Float[Array, ""]],
    key: Key[Array, ""],
    draws: int,
) -> Tolerance:
    s_h, s_R = errors
    curve = friction_law(surface, material, loads)
    by_height, by_radius = friction_slopes(surface, material, curve.indentation)
    # Independent errors: Var F = Σ (∂F/∂h_i)² s_h² + (∂F/∂R_i)² s_R²
    variance = jnp.sum((by_height * s_h) ** 2 + (by_radius * s_R) ** 2, -1)
    # An error of the size of the radius could leave none: a draw keeps a positive one
    smallest = jnp.finfo(loads.dtype).eps * surface.radius

    def draw(key: Key[Array, ""]) -> tuple[Float[Array, " m"], Float[Array, ""]]:
        dh, dR = jax.random.normal(key, (2, surface.size), loads.dtype)
        made = Asperities(
            surface.height + s_h * dh,
            jnp.maximum(surface.radius + s_R * dR, smallest),
            surface.mask,
            surface.exponent,
        )
        made_curve = friction_law(made, material, loads)
        # How much lower the flat stands than on the surface as designed, at the largest load
        raised = made.top - surface.top
        deeper = jnp.max(made_curve.indentation) - jnp.max(curve.indentation)
        return made_curve.friction, deeper - raised

    # (draws, m); 64 surfaces at once, so that the memory does not grow with the draws
    F, lower = jax.lax.map(draw, jax.random.split(key, draws), batch_size=min(draws, 64))
    low, high = jnp.percentile(F, jnp.array([2.5, 97.5]), axis=0)
    error = jax.vmap(lambda f: smape(f, curve.friction))(F)
    return Tolerance(
        load=loads, friction=curve.friction, deviation=jnp.sqrt(variance), mean=jnp.mean(F, 0),
        spread=jnp.std(F, 0, ddof=1), low=low, high=high, error=error,
        target_error=None if target is None else jax.vmap(lambda f: smape(f, target))(F),
        clearance=None if clearance is None else clearance - lower,
    )  # fmt: skip


_spread = programs.program(_tolerance, level=1)  # a sixth of the time at level 0

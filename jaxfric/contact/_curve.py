"""The friction law of a rough surface: the load against the friction it makes."""

import math
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxfric import _checks, programs
from jaxfric._show import printed
from jaxfric._status import Status
from jaxfric._types import Number, Vector
from jaxfric.contact._arrays import as_array
from jaxfric.contact._asperities import Asperities, Material
from jaxfric.contact._outcome import Outcome
from jaxfric.contact._printing import largest, span
from jaxfric.contact._profile import Profile, power, profile, root
from jaxfric.contact._solve import indentation
from jaxfric.contact._sums import area as sum_areas, load_and_stiffness, load_dense

# In units of the last place of the larger one: a difference below this is rounding
ROUNDING = 64


class FrictionCurve(eqx.Module):
    """What `friction_law` returns, for each load.

    Attributes:
        load: (m,), N.
        friction: (m,), friction force, N.
        area: (m,), real contact area, m².
        indentation: (m,), how deep the highest asperity is pressed in, m; exact in float32, where
            `separation` is rounded to the size of the heights.
        separation: (m,), the height d of the rigid plane, m; may be negative.
        contact_count: (m,), asperities in contact.
        contact_radius: (m,), the largest radius of a contact, m.
        indentation_ratio: (m,), the largest δ/R: Hertz wants it small, 1 is past all sense.
        status: outcome; `status.ok` and `str(status)`.
    """

    load: Float[Array, " m"]
    friction: Float[Array, " m"]
    area: Float[Array, " m"]
    indentation: Float[Array, " m"]
    separation: Float[Array, " m"]
    contact_count: Int[Array, " m"]
    contact_radius: Float[Array, " m"]
    indentation_ratio: Float[Array, " m"]
    status: Status

    def contact_ratio(self, spacing: Number) -> Float[Array, "*batch m"]:
        """The largest contact radius over the spacing of neighbours (m).

        Contacts act independently while it is small: two that carry the same load change each
        other's indentation by about the share 4a/(3πs): P/(πE*s) of δ = a²/R.
        """
        return self.contact_radius / spacing

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        *batch, count = np.shape(self.load)
        surfaces = f"{math.prod(batch)} surfaces, " if batch else ""
        return (
            f"FrictionCurve: {surfaces}{count} loads, {span(self.load, 'N')}\n"
            f"  friction {span(self.friction, 'N')}, up to "
            f"{np.max(np.asarray(self.contact_count))} contacts\n"
            f"  pressed in by up to {largest(self.indentation_ratio)} of a radius\n"
            f"  {self.status}"
        )


def friction_law(surface: Asperities, material: Material, loads: Vector) -> FrictionCurve:
    """The friction F(P) of independent asperities whose friction is proportional to contact area.

    P(d) = Σ P_i(h_i − d), A(d) = Σ A_i(h_i − d) and F = σ B A, with d eliminated; for spheres

        P_i = 4/3 E* √R_i δ^(3/2),  A_i = π R_i δ

    The derivatives are those of the implicit function: exact, to any order, in either mode, with
    respect to heights, radii, exponents, material and loads. At load 0, where ∂F/∂P is infinite,
    every derivative is given as 0.

    Arguments:
        surface: n asperities.
        material: modulus and friction.
        loads: (m,), N, >= 0, in any order; cast to the dtype of the surface.

    Returns:
        The curve. What depends on traced values is told by its `status`.

    Raises:
        ValueError: loads of the wrong shape, or (concrete) negative or not finite.

    Warns:
        UserWarning: (concrete) an asperity is pressed in by more than its radius.

    Example:
        >>> import jax.numpy as jnp
        >>> surface = Asperities(jnp.zeros(64), jnp.full(64, 5e-4))
        >>> material = Material(modulus=1.4e6, shear_strength=4e5)
        >>> curve = friction_law(surface, material, jnp.array([1.0, 8.0]))
        >>> print(f"{float(curve.friction[1] / curve.friction[0]):.6f}")  # 8^(2/3)
        4.000000

    Source: J. A. Greenwood and J. B. P. Williamson, Proc. R. Soc. A 295 (1966) 300; A. Aymard et
    al., Science 383 (2024) 200.
    """
    _checks.vector("loads", loads)
    dtype = surface.height.dtype
    loads = as_array(loads, dtype)
    concrete = _checks.is_concrete(surface, material, loads)
    if concrete:
        values = np.asarray(loads)
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            raise ValueError(
                f"loads must be finite and >= 0 N; entry {np.flatnonzero(bad)[0]} is "
                f"{values[bad][0]}"
            )
    curve = _friction_law(surface, material.cast(dtype), loads)
    if concrete and (ratio := np.asarray(curve.indentation_ratio).max()) > 1:
        warnings.warn(
            f"the highest load presses an asperity in by {ratio:.3g} of its radius: far past small "
            "strain, where Hertz' law no longer holds. Lower the load, or use a stiffer material, "
            "larger radii or more asperities",
            stacklevel=2,
        )
    return curve


@programs.program
def _friction_law(
    surface: Asperities, material: Material, loads: Float[Array, " m"]
) -> FrictionCurve:
    shape, gap, E, strength = _prepare(surface, material)
    # The sums know neither E* nor π: P/E* = Σ K δ^q and A/π = Σ B δ^s
    x = indentation(gap, shape, loads / E)
    # Nothing touches at load 0. The compiler may compute the gaps once more for the sums, rounded
    # differently, and leave the highest asperity 1e-21 m deep: a friction that is not 0, and so a
    # relative error of 200 % wherever zero loads are compared
    pressed = loads > 0
    area = jnp.where(pressed, math.pi * sum_areas(gap, shape, x), 0.0)
    # (m, n): how deep each asperity is pressed in at each load
    touching = surface.used[None, :] & pressed[:, None]
    delta = jnp.where(touching, jnp.maximum(x[:, None] - gap[None, :], 0.0), 0.0)
    radius = jnp.where(surface.used, surface.radius, 1.0)[None, :]
    if shape.s is None:  # spheres: a² = R δ; else a² = A/π = B δ^s
        contact_radius = jnp.sqrt(jnp.max(radius * delta, -1))
    else:
        contact_radius = jnp.sqrt(jnp.max(shape.B[None, :] * power(delta, shape.s), -1))
    # Of the load that the solution carries, not of its last step: the residual is what was promised
    carried = load_and_stiffness(gap, shape, x)[0] * E
    unsolved = jnp.abs(carried / loads - 1) > _promised_residual(x.dtype)
    sound = surface.valid & material.valid
    loadable = jnp.all(jnp.isfinite(loads) & (loads >= 0))

    # Bad input may still give finite numbers, which a loss would take for a law
    def told(value: Float[Array, " m"]) -> Float[Array, " m"]:
        return jnp.where(sound & loadable, value, jnp.nan)

    return FrictionCurve(
        load=loads,
        friction=told(strength * area),
        area=told(area),
        indentation=told(x),
        separation=told(surface.top - x),
        contact_count=jnp.sum(delta > 0, -1),
        contact_radius=contact_radius,
        indentation_ratio=jnp.max(delta / radius, -1),
        status=Status.first(
            Outcome,
            (~sound, Outcome.bad_surface),
            (~loadable, Outcome.bad_load),
            (jnp.any(unsolved & (loads > 0)) | ~jnp.all(jnp.isfinite(area)), Outcome.unsolved),
        ),
    )


def load_at(surface: Asperities, material: Material, separation: Vector) -> Float[Array, "..."]:
    """The load P(d) = Σ P_i(h_i − d) that presses the plane down to separation d.

    Arguments:
        surface: n asperities.
        material: its modulus counts.
        separation: d, m, of any shape.

    Returns:
        N, of the shape of `separation`.

    Example:
        >>> import jax.numpy as jnp
        >>> sphere = Asperities(jnp.array([1e-5]), jnp.array([1e-3]))
        >>> print(f"{load_at(sphere, Material(1e6, 4e5), jnp.array(0.0)):.6f}")  # 4/3 E √R δ^1.5
        0.001333
    """
    shape, gap, E, _ = _prepare(surface, material)
    d = jnp.asarray(separation).astype(gap.dtype)
    return (E * load_dense(gap, shape, surface.top - d.ravel())).reshape(d.shape)


def area_at(surface: Asperities, separation: Vector) -> Float[Array, "..."]:
    """The contact area A(d) = Σ A_i(h_i − d) at separation d.

    Arguments:
        surface: n asperities.
        separation: d, m, of any shape.

    Returns:
        m², of the shape of `separation`.

    Example:
        >>> import jax.numpy as jnp
        >>> sphere = Asperities(jnp.array([1e-5]), jnp.array([1e-3]))
        >>> print(f"{area_at(sphere, jnp.array(0.0)) / (jnp.pi * 1e-8):.4f}")  # π R δ
        1.0000
    """
    gap = gaps(surface)
    d = jnp.asarray(separation).astype(gap.dtype)
    # A plane at height d presses the highest asperity in by x = top − d
    x = surface.top - d.ravel()
    return (math.pi * sum_areas(gap, profile(surface), x)).reshape(d.shape)


def gaps(surface: Asperities) -> Float[Array, " n"]:
    """Depths below the highest asperity, m; masked ones take the largest, and no gradient."""
    # Depths, not heights: small next to first contact, where float32 would round heights of tens of
    # micrometres. Masked entries may hold anything, so they are put in their place before use
    gap = jnp.where(surface.used, surface.top - surface.height, 0.0)
    return jnp.where(surface.used, gap, jnp.max(jax.lax.stop_gradient(gap)))


def friction_slopes(
    surface: Asperities, material: Material, x: Float[Array, " m"]
) -> tuple[Float[Array, " m n"], Float[Array, " m n"]]:
    """∂F/∂h and ∂F/∂R of every asperity at fixed load; x: (m,) solved indentations.

    With δ_i = h_i − d and dP = 0: dd = Σ (∂P/∂h_i dh_i + ∂P/∂R_i dR_i) / Σ ∂P/∂h_i.
    """
    shape, gap, _, strength = _prepare(surface, material)
    delta = jnp.maximum(x[:, None] - gap[None, :], 0.0)
    stiffness, area = stiffness_and_growth(shape, delta)
    total = jnp.sum(stiffness, -1, keepdims=True)
    plane = jnp.sum(area, -1, keepdims=True) / jnp.where(total > 0, total, 1.0)  # −∂A/∂d / ∂P/∂d
    used = surface.used[None, :]
    radius = jnp.where(used, surface.radius[None, :], 1.0)
    # At fixed load the plane gives way: dA = Σ ∂A/∂h_i dh_i − (Σ ∂A/∂h_j) dd
    by_height = area - plane * stiffness
    if surface.exponent is None:
        # ∂A_i/∂R_i = π δ, and ∂P_i/∂R_i = P_i/(2 R_i) = ∂P_i/∂h_i · δ/(3 R_i)
        by_radius = jnp.where(used, delta - plane * stiffness * delta / (3 * radius), 0.0)
    else:
        # The two terms are equal for cones, whose area is in proportion to the load: what rounding
        # leaves of them is no slope, and least squares would follow it anywhere
        rounding = ROUNDING * jnp.finfo(x.dtype).eps * area
        by_height = jnp.where(jnp.abs(by_height) > rounding, by_height, 0.0)
        # A ∝ R^(2 − 2/n) δ^(2/n) and P ∝ R^(1 − 1/n) δ^(1 + 1/n), so ∂A_i/∂R_i = (n − 1) δ/R_i
        # ∂A_i/∂h_i and ∂P_i/∂R_i = (n − 1)/(n + 1) δ/R_i ∂P_i/∂h_i
        n = jnp.broadcast_to(surface.exponent, gap.shape)[None, :]
        change = (n - 1) * delta / radius * (area - plane * stiffness / (n + 1))
        by_radius = jnp.where(used, change, 0.0)
    return strength * math.pi * by_height, strength * math.pi * by_radius


def stiffness_and_growth(
    shape: Profile, delta: Float[Array, "m n"]
) -> tuple[Float[Array, "m n"], Float[Array, "m n"]]:
    """∂P/∂δ / E* and ∂A/∂δ / π of every asperity, from P/E* = K δ^q and A/π = B δ^s."""
    K, B, q, s = shape
    if q is None or s is None:  # spheres: q = 3/2 and s = 1
        return 1.5 * K[None, :] * root(delta), jnp.where(delta > 0, B[None, :], 0.0)
    stiffness = (q * K)[None, :] * power(delta, q - 1)
    return stiffness, (s * B)[None, :] * power(delta, s - 1)


def _prepare(
    surface: Asperities, material: Material
) -> tuple[Profile, Float[Array, " n"], Float[Array, ""], Float[Array, ""]]:
    """Profile, gaps, E* and σB in the dtype of the surface."""
    return profile(surface), gaps(surface), *material.constants(surface.height.dtype)


def _promised_residual(dtype: jnp.dtype) -> float:
    """|P(x)/P − 1| above which a load is called unsolved: 1e-10, in float32 1e-5."""
    return 1e-10 if dtype == jnp.float64 else 1e-5

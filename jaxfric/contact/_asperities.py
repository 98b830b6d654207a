"""Asperities and the material they press into."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric._types import Mask, Numbers, Vector
from jaxfric.contact._arrays import as_array, on_device
from jaxfric.contact._printing import MICRO, numbers, span

# Smallest and largest radius of a sphere, m, unless others are asked for: those from which mixtures
# are drawn, which designs keep to, and for which the generator of surfaces was trained.
RADIUS_BOUNDS = (1e-4, 1e-3)


class Asperities(eqx.Module):
    """Independent asperities on a half-space, in any order.

    An asperity of radius R and exponent n has the axisymmetric profile z(r) = (R/2) (r/R)ⁿ below
    its tip; n = 2 is the sphere (to the order of Hertz), n = 1 a cone of slope 1/2. Pressed in by
    δ it carries P and touches over A (Galin 1946; Sneddon 1965; n = 2 is Hertz 1882):

        a = R (2δ / (κ R))^(1/n),  P = 2n/(n+1) E* δ a,  A = π a²,  κ = √π Γ(n/2 + 1) / Γ((n+1)/2)

    Arguments:
        height: (n,), m; only differences matter.
        radius: (n,), m, > 0.
        mask: (n,) bool; False entries carry nothing and have no gradient. All, if left out.
        exponent: () or (n,), >= 1; spheres, if left out.

    Raises:
        ValueError: shapes that do not agree, or (concrete) values that are no surface.

    Example:
        >>> import jax.numpy as jnp
        >>> surface = Asperities(jnp.array([0.0, -1e-6]), jnp.array([1e-4, 2e-4]))
        >>> surface.size
        2
        >>> surface
        Asperities: 2, heights over 1 µm, radii 100 to 200 µm

    Source: K. L. Johnson, Contact Mechanics (1985), sections 4.2 and 5.3.
    """

    height: Float[Array, " n"]
    radius: Float[Array, " n"]
    mask: Bool[Array, " n"] | None = None
    exponent: Float[Array, "..."] | None = None

    def __init__(
        self,
        height: Vector | Sequence[float],
        radius: Vector | Sequence[float],
        mask: Mask | Sequence[bool] | None = None,
        exponent: Numbers | Sequence[float] | None = None,
    ) -> None:
        _checks.vector("height", height)
        _checks.vector("radius", radius)
        for name, value in (("height", height), ("radius", radius)):
            if np.issubdtype(_dtype(value), np.complexfloating):
                raise ValueError(f"{name} must be real; take the real part of complex numbers")
        # Rows of asperities in place of a mask would all become True but row 0
        if mask is not None and _dtype(mask) != np.bool_:
            raise ValueError(
                "mask must be bool, one entry for each asperity; of rows or of 0 and 1 make one, "
                "such as rows == 1"
            )
        dtype = common_dtype(height, radius)
        self.height = on_device(height, dtype)
        self.radius = on_device(radius, dtype)
        self.mask = None if mask is None else on_device(mask, bool)
        self.exponent = None if exponent is None else on_device(exponent, dtype)
        self._check()

    def _check(self) -> None:
        n = self.height.shape[0]
        for name in ("radius", "mask", "exponent"):
            value = getattr(self, name)
            if value is None or (name == "exponent" and value.ndim == 0):
                continue
            if value.shape != (n,):
                raise ValueError(
                    f"{name} has shape {value.shape} but height has shape ({n},): one entry for "
                    "each asperity"
                )
        # Traced values cannot be looked at: `valid` tells them in the status of what is computed
        if not _checks.is_concrete(self):
            return
        used = np.ones(n, bool) if self.mask is None else np.asarray(self.mask)
        if not used.any():
            raise ValueError("every asperity is masked: a surface needs at least one")
        height, radius = np.asarray(self.height)[used], np.asarray(self.radius)[used]
        if not np.isfinite(height).all():
            raise ValueError(
                f"height must be finite; asperity {_first_true(~np.isfinite(height))} is not"
            )
        bad = ~(np.isfinite(radius) & (radius > 0))
        if bad.any():
            raise ValueError(
                f"radius must be positive and finite; asperity {_first_true(bad)} has "
                f"{radius[bad][0]:.6g} m"
            )
        if self.exponent is not None and not (np.asarray(self.exponent) >= 1).all():
            raise ValueError("exponent must be at least 1 (a cone); 2 is a sphere")

    @property
    def size(self) -> int:
        """Number of entries, masked ones included."""
        return self.height.shape[-1]

    @property
    def used(self) -> Bool[Array, " n"]:
        """True for the entries that are not masked."""
        return jnp.ones(self.height.shape, bool) if self.mask is None else self.mask

    @property
    def top(self) -> Float[Array, ""]:
        """The height of the highest asperity, m."""
        return jnp.max(jnp.where(self.used, self.height, -jnp.inf))

    @property
    def valid(self) -> Bool[Array, ""]:
        """True if heights are finite, radii positive, exponents at least 1, and one is used."""
        fine = jnp.isfinite(self.height) & jnp.isfinite(self.radius) & (self.radius > 0)
        if self.exponent is not None:
            fine &= self.exponent >= 1
        return jnp.all(fine | ~self.used) & jnp.any(self.used)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        # Not `self.used`, which computes: printing must not compile a program for each shape
        height = np.asarray(self.height)
        used = np.ones(height.shape, bool) if self.mask is None else np.asarray(self.mask)
        used = np.broadcast_to(used, height.shape)
        high = np.where(used, height, -np.inf).max(-1)
        reach = (high - np.where(used, height, np.inf).min(-1)).max()
        # A batch says how many surfaces; of a masked one, only the entries that count are counted
        batch = "" if height.ndim == 1 else f"{int(np.prod(height.shape[:-1]))} surfaces of "
        profile = "" if self.exponent is None else f", exponents {span(self.exponent)}"
        return (
            f"Asperities: {batch}{span(used.sum(-1))}, heights over "
            f"{'' if height.ndim == 1 else 'up to '}{reach * MICRO:.4g} µm, "
            f"radii {span(np.asarray(self.radius)[used], 'µm', MICRO)}{profile}"
        )


class Material(eqx.Module):
    """The half-space and its friction: F = shear_strength · area_factor · A.

    Arguments:
        modulus: reduced modulus E*, Pa, > 0.
        shear_strength: frictional shear strength σ of the contact, Pa, >= 0.
        area_factor: B, the share of the area that is left under shear, > 0 and at most 1.

    Raises:
        ValueError: a (concrete) value out of range, or not one number.

    Example:
        >>> Material(modulus=1.4e6, shear_strength=0.4e6).area_factor
        1.0
        >>> Material(modulus=1.4e6, shear_strength=0.4e6)
        Material: modulus 1.4e+06 Pa, shear strength 4e+05 Pa, area factor 1
    """

    # Of any shape: under `jax.vmap` over materials, the batch outside holds one number for each
    modulus: Numbers
    shear_strength: Numbers
    area_factor: Numbers = 1.0

    def __check_init__(self) -> None:
        _checks.positive("modulus", self.modulus)
        _checks.non_negative("shear_strength", self.shear_strength)
        _checks.positive("area_factor", self.area_factor)
        if _checks.is_concrete(self.area_factor) and np.asarray(self.area_factor) > 1:
            raise ValueError(
                f"area_factor is the share of the area that is left under shear, at most 1; got "
                f"{float(np.asarray(self.area_factor))}"
            )

    def cast(self, dtype: jnp.dtype) -> "Material":
        """The same numbers as arrays, so that one program serves every material."""
        values = (self.modulus, self.shear_strength, self.area_factor)
        return Material(*(as_array(x, dtype) for x in values))

    def constants(self, dtype: jnp.dtype) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """E* and σB, Pa, in the dtype of a surface or of loads."""
        E, sigma, B = (
            jnp.asarray(x).astype(dtype)
            for x in (self.modulus, self.shear_strength, self.area_factor)
        )
        return E, sigma * B

    @property
    def valid(self) -> Bool[Array, ""]:
        """True if every number is in range."""
        return (
            (jnp.asarray(self.modulus) > 0)
            & (jnp.asarray(self.shear_strength) >= 0)
            & (jnp.asarray(self.area_factor) > 0)
            & (jnp.asarray(self.area_factor) <= 1)
            & jnp.isfinite(self.modulus)
            & jnp.isfinite(self.shear_strength)
            & jnp.isfinite(self.area_factor)
        )

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        size = numbers(self.modulus).size
        return (
            f"Material: {f'{size} of them, ' if size > 1 else ''}"
            f"modulus {span(self.modulus, 'Pa')}, "
            f"shear strength {span(self.shear_strength, 'Pa')}, "
            f"area factor {span(self.area_factor)}"
        )


def common_dtype(*values: object) -> jnp.dtype:
    """The widest float among arrays; the default float for Python numbers and integers."""
    floats = [
        np.dtype(x.dtype)
        for x in values
        if hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating)
    ]
    widest = max(floats, key=lambda d: d.itemsize, default=np.dtype(float))
    return jax.dtypes.canonicalize_dtype(widest)  # float32 where float64 is off


def _dtype(value: object) -> np.dtype:
    """Of lists too; a tracer knows its own."""
    return np.dtype(value.dtype) if hasattr(value, "dtype") else np.asarray(value).dtype


def _first_true(flags: Bool[np.ndarray, " n"]) -> int:
    return int(np.flatnonzero(flags)[0])

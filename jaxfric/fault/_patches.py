"""Laws of many patches."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric._types import Number, Numbers
from jaxfric.ratestate import AbstractEvolution, Aging, RateStateLaw


def patches(
    mu0: Numbers, a: Numbers, b: Numbers, Dc: Numbers, V0: Numbers, *, alpha: Numbers = 0.0,
    evolution: AbstractEvolution | None = None, form: str = "classical",
) -> RateStateLaw:  # fmt: skip
    """A law with a leading axis of patches, from numbers and arrays of shape (n,).

    Arguments:
        mu0: see `ratestate.RateStateLaw`; a number is the same for all patches.
        a: likewise.
        b: likewise.
        Dc: likewise, m.
        V0: likewise, m/s.
        alpha: likewise, of Linker and Dieterich.
        evolution: one evolution for all; aging if None.
        form: "classical" or "regularised".

    Returns:
        `RateStateLaw` with arrays of shape (n,).

    Raises:
        ValueError: if the shapes differ, or a value is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> law = patches(mu0=0.6, a=0.01, b=jnp.array([0.015, 0.016]), Dc=1e-6, V0=1e-6)
        >>> print(law.a)
        [0.01 0.01]

    Source: ours.
    """
    given = {"mu0": mu0, "a": a, "b": b, "Dc": Dc, "V0": V0, "alpha": alpha}
    # (1,) among them makes one patch of numbers alone
    try:
        shape = np.broadcast_shapes((1,), *(np.shape(x) for x in given.values()))
    except ValueError:
        shape = ()
    if len(shape) != 1:
        shapes = {name: np.shape(x) for name, x in given.items()}
        raise ValueError(f"give numbers, or arrays of one shape (patches,); got {shapes}")
    # The law checks these too, but under jax.vmap, where values are traced and nothing raises
    for name in ("Dc", "V0"):
        x = given[name]
        if not isinstance(x, jax.core.Tracer) and not np.all(np.asarray(x) > 0):
            raise ValueError(f"{name} must be positive; got {np.asarray(x).tolist()}")
    dtype = jnp.result_type(float, *given.values())
    arrays = [jnp.broadcast_to(jnp.asarray(x, dtype), shape) for x in given.values()]
    kind = Aging() if evolution is None else evolution

    def one(
        mu0: Number, a: Number, b: Number, Dc: Number, V0: Number, alpha: Number
    ) -> RateStateLaw:  # fmt: skip
        return RateStateLaw(
            mu0=mu0, a=a, b=b, Dc=Dc, V0=V0, evolution=kind, form=form, alpha=alpha
        )  # fmt: skip

    return jax.vmap(one)(*arrays)

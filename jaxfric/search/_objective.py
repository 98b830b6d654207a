"""The user's objective as a function of one vector, with clear words for what JAX cannot trace."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from jaxfric.search._strategy import Candidate

# What JAX raises where a candidate, of which only shape and type are known while a program is
# traced, is handed to NumPy, to `float` or to `if`
UNTRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


def of_vector(
    objective: Callable[..., object],
    unravel: Callable[[Candidate], PyTree],
    args: tuple[PyTree, ...],
    dtype: np.dtype,
) -> Callable[[Candidate], Float[Array, ""]]:
    """The objective, of a flat candidate and in the dtype of the search.

    Raises (as it is traced):
        ValueError: an objective that JAX cannot trace, or whose value is not one real number.
    """

    def value(x: Candidate) -> Float[Array, ""]:
        try:
            found = objective(unravel(x), *args)
        except UNTRACEABLE as error:
            raise ValueError(
                "JAX cannot trace the objective: write it with jax.numpy in place of numpy and "
                "math, and with jnp.where in place of `if` on a candidate's values"
            ) from error
        return _number(found).astype(dtype)

    return value


def _number(found: object) -> Array:
    """What the objective returned, if that is one real number."""
    if found is None:
        raise ValueError("the objective returned None: end it with `return` and its value")
    if not (hasattr(found, "dtype") and hasattr(found, "shape")):
        if isinstance(found, bool) or not isinstance(found, (int, float, complex)):
            raise ValueError(
                f"the objective must return one number; got a {type(found).__name__}: return "
                "the value alone"
            )
    number = jnp.asarray(found)
    if number.shape != ():
        raise ValueError(
            f"the objective must return one number; got an array of shape {number.shape}: "
            + ("return value[0]" if number.size == 1 else "return its jnp.sum, jnp.mean or jnp.max")
        )
    if jnp.issubdtype(number.dtype, jnp.complexfloating):
        raise ValueError("the objective must return a real number; got a complex one: try jnp.abs")
    if not jnp.issubdtype(number.dtype, jnp.number):
        raise ValueError(f"the objective must return a number; got one of type {number.dtype}")
    return number

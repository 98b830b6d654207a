"""Initial weights, drawn so that the size of a signal stays what it is from layer to layer."""

import jax
from flax import nnx


def normal_weights(rngs: nnx.Rngs, rows: int, columns: int, gain: float) -> nnx.Param:
    """(rows, columns), N(0, gain/rows).

    With inputs of mean square s, an output is a sum of `rows` products and has mean square gain·s:
    1 suits linear layers and tanh near zero; 2 (He) makes up for a ReLU, which drops half of it.
    """
    # Not jax.nn.initializers.variance_scaling: it takes the square root in the precision of the
    # weights, and the last bit of what a seed draws would change with it
    return nnx.Param((gain / rows) ** 0.5 * jax.random.normal(rngs.params(), (rows, columns)))

"""The small trained network that ships with the package."""

import io
from importlib.resources import files

from flax import nnx

from jaxfric import training
from jaxfric.networks import FrictionCell


def trained() -> tuple[FrictionCell, dict[str, object]]:
    """A `FrictionCell` trained on 1,000 clean sequences of the aging law, jumps on samples.

    Dimensionless: velocities in total slip per duration. As a law in your units:
    `networks.CellLaw(network, mu0, reference, velocity, time)`.

    Returns:
        (network, facts about its training).

    Example:
        >>> import jax.numpy as jnp
        >>> network, facts = trained()
        >>> change = network(jnp.full(100, 0.5), 0.01)
        >>> print(facts["evolution"], bool(abs(change).max() < 1e-6))
        aging True
    """
    content = files("jaxfric.studies.slide_hold_learn").joinpath("cell.npz").read_bytes()
    # Its arrays replace those of a cell of the same structure: the seed of that one does not matter
    network, facts = training.load_arrays(
        io.BytesIO(content), FrictionCell(2, width=8, rngs=nnx.Rngs(0))
    )
    return network, facts

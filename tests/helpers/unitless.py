"""A request to the generator without units: for tests of metainterface."""

import jax.numpy as jnp
import numpy as np

from jaxfric.studies.metainterface import _canonical as canonical


def request(count=64, size=64, shape=None, **others):
    """A request without units, of a power law of 0.8 unless told otherwise."""
    at = np.log(canonical.FRACTIONS)
    fields = {
        "shape": 0.8 * at if shape is None else shape, "low": -2.0, "high": 0.5, "shallow": 0.0,
        "radii": np.zeros(size), "unit_height": 1e-5, "unit_radius": 1e-3, **others,
    }  # fmt: skip
    arrays = {name: jnp.asarray(x, float) for name, x in fields.items() if name != "wanted"}
    return canonical.Canonical(
        count=jnp.asarray(count), wanted=jnp.asarray(others.get("wanted", False)), **arrays
    )

"""Sizes of the slips of the layers that networks learn from: hundreds of cycles."""

import jax.numpy as jnp
import numpy as np
from _gouge_kit import Cases, table

from jaxfric import forecast
from jaxfric.studies.fault_slip._gouge_runs import INTERVAL, GougeRuns, kept_gouge

SMALLEST = 0.005  # drop of friction that counts: some times what the wall's swinging leaves
EDGES = SMALLEST * 2.0 ** np.arange(8)  # octaves of the drop


def drops(runs: GougeRuns) -> np.ndarray:
    """Drops of friction of all slips, whatever follows them."""
    found = []
    for friction in runs.friction:
        slips = forecast.failures(jnp.asarray(friction, float), INTERVAL, threshold=SMALLEST)
        found.append(np.asarray(slips.drop)[: int(slips.count)])
    return np.concatenate(found)


def sizes(cases: Cases, smoke: bool) -> None:
    """How many drops there are in each octave."""

    def counted() -> dict:
        found = drops(kept_gouge())
        if not smoke:
            found = np.concatenate([found, drops(kept_gouge(long=True))])
        return {"slips": int(found.size), "edges": EDGES, "counts": np.histogram(found, EDGES)[0]}

    cases("sizes", counted)


def sizes_table(found: dict) -> str:
    case = found.get("sizes")
    if case is None:
        return ""
    edges = case["edges"]
    heads = [f"{a:.3g} to {b:.3g}" for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return table(("drop of friction", *heads), [[f"{case['slips']} slips", *case["counts"]]])

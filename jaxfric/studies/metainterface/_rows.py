"""One method on groups of targets: rows of the table."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric.studies._kit import Method
from jaxfric.studies.metainterface._designs import rms_distance
from jaxfric.studies.metainterface._methods import Answer, Answering, apply
from jaxfric.studies.metainterface._paper import parameter_smape
from jaxfric.studies.metainterface._targets import Group

Row = dict[str, Any]
REPEATS, ENOUGH = 3, 5.0  # runs, and seconds after which no other is made
SAME, REDRAWN = "same surface", "redrawn"
TWICE = (SAME, REDRAWN)  # designs of methods that end in a mixture


def ask(
    method: Method, answering: Answering, groups: list[Group], *, seed: int = 0,
    twice: bool = False, training_seconds: float | None = None,
) -> list[Row]:  # fmt: skip
    """Rows of one method, one for each group; two, where its designs are a surface and another.

    All groups go through one compiled program, which is timed apart from its
    compilation: the fastest of up to three runs.
    """
    together = _joined(groups)
    key = jax.random.key(10 + seed)
    first = time.perf_counter()
    program = jax.jit(lambda g, key: apply(answering, g, key)).lower(together, key).compile()
    second = time.perf_counter()
    times: list[float] = []
    while not times or (len(times) < REPEATS and sum(times) < ENOUGH):
        began = time.perf_counter()
        answer = jax.block_until_ready(program(together, key))
        times.append(time.perf_counter() - began)
    spent = min(times)
    common = {
        "seed": seed,
        "asperities": groups[0].asperities,
        "ms_per_design": 1e3 * spent / answer.error.size,
        "ms_per_target": 1e3 * spent / together.size,
        "compile_s": second - first,
        "training_s": training_seconds,
    }
    rows, at = [], 0
    for group in groups:
        part = jax.tree_util.tree_map(lambda x, a=at, g=group: x[a : a + g.size], answer)
        at += group.size
        if not twice:
            rows.append({**method.facts(), **numbers(part, group), **common})
            continue
        for i, surface in enumerate(TWICE):
            own = jax.tree_util.tree_map(lambda x, i=i: x[:, i : i + 1], part)
            rows.append({**on(method, surface).facts(), **numbers(own, group), **common})
    return rows


def on(method: Method, surface: str) -> Method:
    """A method that was scored on one of the two surfaces of its mixture."""
    control = ", ".join(x for x in (method.control, surface) if x)
    return Method(method.kind, method.part, method.level, control)


def numbers(answer: Answer, group: Group) -> dict[str, Any]:
    """Errors over all designs of all targets, and how far the designs of a target are apart."""
    e = np.asarray(answer.error, float)
    found: dict[str, Any] = {
        "group": group.name,
        "targets": group.size,
        "designs": e.shape[1],
        "median": float(np.median(e)),
        "mean": float(e.mean()),
        "p95": float(np.percentile(e, 95)),
        "worst": float(e.max()),
        "best_median": float(np.median(e.min(1))),
    }
    if answer.profile is not None and e.shape[1] > 1:
        apart = jax.vmap(rms_distance)(answer.profile)
        found["diversity"] = float(jnp.sqrt(jnp.mean(apart**2)) / group.scale)
    if answer.theta is not None and group.known:
        errors = jax.vmap(jax.vmap(parameter_smape, (0, None)))(answer.theta, group.theta)
        found["parameter_smape"] = float(jnp.median(errors))
    return found


def _joined(groups: list[Group]) -> Group:
    def of(name: str) -> Array:
        return jnp.concatenate([getattr(g, name) for g in groups])

    return Group(
        "all", groups[0].asperities, of("friction"), of("theta"), of("keys"), groups[0].scale
    )

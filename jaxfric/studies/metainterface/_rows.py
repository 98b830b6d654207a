"""One method on groups of targets: rows of the table."""

import time

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric.studies._kit import Method
from jaxfric.studies.metainterface._answers import Answer, Answering, apply
from jaxfric.studies.metainterface._diversity import rms_distance
from jaxfric.studies.metainterface._paper import parameter_smape
from jaxfric.studies.metainterface._targets import Group

Row = dict[str, str | float | int | None]  # as JSON keeps it; None where there is no number
REPEATS, ENOUGH = 3, 5.0  # runs, and seconds after which no other is made
# Controls of methods that end in a mixture: the score of the surface that they found or were given,
# and that of another one drawn from its mixture
SAME, REDRAWN = "same surface", "redrawn"
TWICE = (SAME, REDRAWN)  # in the order of the designs of such an answer


def ask(
    method: Method, answering: Answering, groups: list[Group], *, seed: int = 0,
    twice: bool = False, training_seconds: float | None = None,
) -> list[Row]:  # fmt: skip
    """Rows of one method, one for each group; two, where its designs are a surface and another.

    All groups go through one compiled program, which is timed apart from its compilation: the
    fastest of up to three runs.

    Arguments:
        method: what the rows are called.
        answering: what answers a target.
        groups: of one number of asperities.
        seed: of the draws; also that of the network.
        twice: whether the designs of a target are a surface and another one of its mixture.
        training_seconds: what the training took, for the rows; None if nothing was trained.

    Returns:
        The rows, in the order of the groups.
    """
    together = _joined(groups)
    key = jax.random.key(10 + seed)
    first = time.perf_counter()
    # Ahead of time, so that no run includes it
    program = jax.jit(lambda g, key: apply(answering, g, key)).lower(together, key).compile()
    second = time.perf_counter()
    times: list[float] = []
    while not times or (len(times) < REPEATS and sum(times) < ENOUGH):
        began = time.perf_counter()
        answer = jax.block_until_ready(program(together, key))
        times.append(time.perf_counter() - began)
    # Whatever else the machine does makes a run longer, never shorter
    spent = min(times)
    common: Row = {
        "seed": seed,
        "asperities": groups[0].asperities,
        "ms_per_design": 1e3 * spent / answer.error.size,
        "ms_per_target": 1e3 * spent / together.size,
        "compile_s": second - first,
        "training_s": training_seconds,
    }
    rows: list[Row] = []
    begin = 0
    for group in groups:
        end = begin + group.size
        part = jax.tree_util.tree_map(lambda x, a=begin, b=end: x[a:b], answer)
        begin = end
        if not twice:
            rows.append({**method.facts(), **numbers(part, group), **common})
            continue
        for i, surface in enumerate(TWICE):
            scored = jax.tree_util.tree_map(lambda x, i=i: x[:, i : i + 1], part)
            rows.append({**on(method, surface).facts(), **numbers(scored, group), **common})
    return rows


def on(method: Method, surface: str) -> Method:
    """A method that was scored on one of the two surfaces of its mixture."""
    control = ", ".join(x for x in (method.control, surface) if x)
    return Method(method.kind, method.part, method.level, control)


def numbers(answer: Answer, group: Group) -> Row:
    """Errors over all designs of all targets, and how far the designs of a target are apart."""
    # (targets, designs)
    e = np.asarray(answer.error, float)
    found: Row = {
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
        # Over that between random surfaces, so that 1 is as different as surfaces of other laws are
        apart = jax.vmap(rms_distance)(answer.profile)
        found["diversity"] = float(jnp.sqrt(jnp.mean(apart**2)) / group.scale)
    if answer.theta is not None and group.known:
        errors = jax.vmap(jax.vmap(parameter_smape, (0, None)))(answer.theta, group.theta)
        found["parameter_smape"] = float(jnp.median(errors))
    return found


def _joined(groups: list[Group]) -> Group:
    """The targets of all groups as one group: one program for all of them is compiled once."""

    def joined(name: str) -> Array:
        return jnp.concatenate([getattr(g, name) for g in groups])

    return Group(
        name="all",
        asperities=groups[0].asperities,
        friction=joined("friction"),
        theta=joined("theta"),
        keys=joined("keys"),
        scale=groups[0].scale,
    )

"""Outcomes of runs: codes, sentences, batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import Status

CODES = [name for name in vars(Status) if name.isupper() and name != "MESSAGES"]


def test_every_code_has_a_sentence():
    codes = sorted(getattr(Status, name) for name in CODES)
    assert codes == list(range(len(Status.MESSAGES)))
    assert len(set(Status.MESSAGES)) == len(Status.MESSAGES)
    assert str(Status(jnp.array(Status.SUCCESSFUL))) == "successful"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (Status.MAX_STEPS, "raise max_steps"),
        (Status.NOT_FINITE, "check that a > 0"),
        (Status.BAD_PROTOCOL, "velocities must be >= 0"),
        (Status.BAD_TIME, "outside the protocol"),
        (Status.BAD_PARAMETER, "Dc, V0, stiffness and velocity must be > 0"),
        (Status.SOLVER, "try another solver"),
        (Status.OVERFLOW, "raise max_events"),
        (Status.OVERLOADED, "raise limit and leaf_limit"),
    ],
)
def test_sentences_name_the_remedy(code, remedy):
    status = Status(jnp.array(code))
    assert remedy in str(status) and not bool(status.ok)


def test_first_condition_decides():
    status = Status.first((False, 1), (True, 2), (True, 3))
    assert int(status.code) == 2 and status.code.dtype == jnp.int32
    assert int(Status.first((False, 1)).code) == Status.SUCCESSFUL
    assert int(Status.first().code) == Status.SUCCESSFUL


def test_a_batch_has_one_status_a_member():
    codes = jax.jit(jax.vmap(lambda x: Status.first((x > 2, 5), (x > 1, 1))))(jnp.arange(5))
    np.testing.assert_array_equal(codes.code, [0, 0, 1, 5, 5])
    np.testing.assert_array_equal(codes.ok, [True, True, False, False, False])
    text = str(codes)
    assert text.startswith("3 of 5 runs failed: [2] ") and "; [3, 4] " in text
    assert Status.MESSAGES[1] in text and Status.MESSAGES[5] in text


def test_a_long_list_of_failures_is_cut():
    status = Status(jnp.full((4, 3), Status.SOLVER))
    assert str(status).startswith("12 of 12 runs failed: [0, 1, 2, …]")
    assert str(Status(jnp.zeros((2, 3), int))) == "all 6 runs successful"


def test_a_traced_status_says_so():
    seen = []

    @jax.jit
    def run(x):
        seen.append(str(Status.first((x > 0, 1))))
        return x

    run(1.0)
    assert seen == ["Status(traced)"]

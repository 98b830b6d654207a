"""Outcomes of runs: sentences, batches, those of each room."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import Status, contact, dynamics, fault, ratestate as rs, search

Outcome = rs.Outcome


def status(outcome, outcomes=Outcome):
    return Status(outcome, outcomes)


@pytest.mark.parametrize(
    ("room", "outcome", "remedy"),
    [
        (dynamics, "max_steps", "raise max_steps"),
        (dynamics, "not_finite", "check that a > 0"),
        (dynamics, "bad_protocol", "velocities must be >= 0"),
        (dynamics, "bad_time", "outside the protocol"),
        (dynamics, "bad_parameter", "Dc, V0, stiffness and velocity must be > 0"),
        (dynamics, "solver", "try another solver"),
        (rs, "too_many_events", "raise max_events"),
        (rs, "stiff", "stiff_solver()"),
        (fault, "overloaded", "raise limit and leaf_limit"),
        (contact, "bad_surface", "radii, modulus and area_factor must be > 0"),
        (contact, "bad_load", "negative or not finite"),
        (contact, "unsolved", "use float64"),
        (search, "no_value", "begin elsewhere"),
        (search, "bad_start", "the steps are positive"),
        (search, "unbounded", "bound it from below"),
        (search, "stagnated", "raise generations"),
    ],
)
def test_sentences_name_the_remedy(room, outcome, remedy):
    found = status(getattr(room.Outcome, outcome), room.Outcome)
    assert remedy in str(found) and not bool(found.ok)
    assert str(status(room.Outcome.successful, room.Outcome)) == "successful"


def test_a_room_knows_the_outcomes_of_the_rooms_below():
    below = status(dynamics.Outcome.max_steps, dynamics.Outcome)
    above = below.promote(rs.Outcome).promote(fault.Outcome)
    assert above.outcome == fault.Outcome.max_steps and str(above) == str(below)
    assert below.promote(dynamics.Outcome) is below


def test_first_condition_decides():
    conditions = (False, Outcome.max_steps), (True, Outcome.bad_time), (True, Outcome.stiff)
    found = Status.first(Outcome, *conditions)
    assert found.outcome == Outcome.bad_time and found.code.dtype == jnp.int32
    assert Status.first(Outcome, (False, Outcome.stiff)).ok and Status.first(Outcome).ok


def test_what_came_later_counts_where_nothing_came_before():
    fine, early, late = (
        status(x) for x in (Outcome.successful, Outcome.bad_time, Outcome.max_steps)
    )
    assert early.or_else(late).outcome == Outcome.bad_time
    assert fine.or_else(late).outcome == Outcome.max_steps
    assert fine.or_else(fine).ok


def test_a_batch_has_one_status_a_member():
    def run(x):
        return Status.first(Outcome, (x > 2, Outcome.bad_time), (x > 1, Outcome.max_steps))

    found = jax.jit(jax.vmap(run))(jnp.arange(5))
    np.testing.assert_array_equal(found.ok, [True, True, False, False, False])
    np.testing.assert_array_equal(found.outcome == Outcome.bad_time, [0, 0, 0, 1, 1])
    text = str(found)
    assert text.startswith("3 of 5 runs failed: [2] the solver used up") and "; [3, 4] a " in text


def test_a_long_list_of_failures_is_cut():
    many = jax.vmap(lambda x: Status.first(Outcome, (x > 0, Outcome.solver)))
    assert str(many(jnp.ones(12))).startswith("12 of 12 runs failed: [0, 1, 2, …]")
    assert str(many(jnp.zeros(6))) == "all 6 runs successful"


def test_a_traced_status_says_so():
    seen = []

    @jax.jit
    def run(x):
        seen.append(str(Status.first(Outcome, (x > 0, Outcome.stiff))))
        return x

    run(1.0)
    assert seen == ["Status(traced)"]

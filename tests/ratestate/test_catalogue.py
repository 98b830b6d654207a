"""Events of stick-slip: hand-made histories, simulated cycles, derivatives, scaling."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import Status, ratestate as rs

SLOW, FAST, THRESHOLD = 1e-9, 1e-3, 1e-6

# A stick-slip cycle at half the critical stiffness
A, B, DC, STIFFNESS, LOAD = 0.010, 0.015, 1e-5, 250.0, 1e-5
POINT = (A, B, DC, STIFFNESS, LOAD)
DURATION, MAX_STEPS = 120.0, 4096


def history(velocity, friction=None, outcome=rs.Outcome.successful):
    """A record sampled every second, slipping at the velocity before each sample."""
    V = jnp.asarray(velocity)
    mu = jnp.full(V.shape, 0.6) if friction is None else jnp.asarray(friction)
    t = jnp.arange(V.size).astype(V.dtype)
    return rs.History(t, V, mu, t, jnp.cumsum(V), Status(outcome, rs.Outcome))


@partial(jax.jit, static_argnames="places")
def find(run, threshold=THRESHOLD, places=4):
    return rs.catalogue(run, threshold=threshold, max_events=places)


def sawtooth(events):
    """Rises through the threshold half-way from one sample to the next, and falls so."""
    return [SLOW, FAST] * events + [SLOW]


# Hand-made histories -----------------------------------------------------------------------------


def test_events_of_a_history_made_by_hand():
    V = jnp.array([SLOW, SLOW, FAST, 1e-2, SLOW, SLOW, FAST, SLOW])
    mu = jnp.array([0.60, 0.70, 0.65, 0.50, 0.55, 0.72, 0.60, 0.58])
    events = find(history(V, mu))
    assert int(events.count) == 2 and bool(events.status.ok)
    np.testing.assert_array_equal(events.valid, [True, True, False, False])
    # ln V crosses 1e-6 half-way from 1e-9 to 1e-3, and 4/7 of the way down from 1e-2
    np.testing.assert_allclose(events.time, [1.5, 5.5, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(events.duration, [2 + 1 / 14, 1, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(events.recurrence, [0, 4, 0, 0], rtol=1e-5)
    # peak 0.70 to 0.50; then 0.72 since that event to 0.58
    np.testing.assert_allclose(events.drop, [0.20, 0.14, 0, 0], rtol=1e-4)
    np.testing.assert_allclose(events.peak_velocity, [1e-2, 1e-3, 0, 0], rtol=1e-5)
    # V is exponential between samples, so slip follows V: all but the part below the threshold
    share = (1e-6 - 1e-9) / (1e-3 - 1e-9)
    first = FAST * (1 - share) + 1e-2 + SLOW * (1e-2 - 1e-6) / (1e-2 - 1e-9)
    second = FAST * (1 - share) + SLOW * (1 - share)
    np.testing.assert_allclose(events.slip, [first, second, 0, 0], rtol=1e-4)


def test_threshold_is_ten_times_the_mean_velocity():
    made = history(sawtooth(3) + [SLOW] * 100)
    mean = float((made.slip[-1] - made.slip[0]) / (made.time[-1] - made.time[0]))
    assert 10 * mean < FAST
    given, default = find(made, 10 * mean), find(made, None)
    assert int(default.count) == 3
    np.testing.assert_allclose(default.time, given.time, rtol=1e-6)


@pytest.mark.parametrize(
    ("velocity", "times"),
    [
        ([FAST, SLOW, SLOW, FAST, SLOW], [2.5]),  # begins inside one
        ([SLOW, FAST, SLOW, SLOW, FAST], [0.5]),  # ends inside one
        ([FAST, SLOW, FAST, SLOW, FAST], [1.5]),  # both
        ([FAST, SLOW, FAST], []),
        ([SLOW, SLOW, SLOW], []),
        ([FAST, FAST, FAST], []),
    ],
)
def test_events_cut_by_the_record_do_not_count(velocity, times):
    events = find(history(velocity))
    assert int(events.count) == len(times)
    np.testing.assert_allclose(events.time, times + [0.0] * (4 - len(times)), rtol=1e-5)
    assert bool(events.status.ok) and int(events.valid.sum()) == len(times)


def test_cut_event_does_not_spoil_the_drop_of_the_next():
    made = history([FAST, SLOW, FAST, SLOW, FAST], [0.9, 0.4, 0.7, 0.3, 0.8])
    np.testing.assert_allclose(find(made).drop, [0.4, 0, 0, 0], atol=1e-6)


def test_more_events_than_places_say_so():
    events = find(history(sawtooth(5)), places=2)
    assert events.status.outcome == rs.Outcome.too_many_events
    assert "raise max_events" in str(events.status)
    assert int(events.count) == 5 and events.valid.shape == (2,) and bool(events.valid.all())
    np.testing.assert_allclose(events.time, [0.5, 2.5], rtol=1e-5)
    np.testing.assert_allclose(events.recurrence, [0.0, 2.0], rtol=1e-5)
    assert bool(find(history(sawtooth(2)), places=2).status.ok)


def test_failure_of_the_run_is_passed_on():
    failed = find(history(sawtooth(5), outcome=rs.Outcome.max_steps), places=2)
    assert failed.status.outcome == rs.Outcome.max_steps


def test_a_batch_of_histories():
    runs = [history(sawtooth(2) + [SLOW] * 4), history(sawtooth(4)), history([SLOW] * 9)]
    batch = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *runs)
    events = jax.jit(jax.vmap(partial(find, places=3)))(batch)
    np.testing.assert_array_equal(events.count, [2, 4, 0])
    np.testing.assert_array_equal(
        events.status.code, [0, Status(rs.Outcome.too_many_events, rs.Outcome).code, 0]
    )
    for i, run in enumerate(runs):
        np.testing.assert_allclose(events.time[i], find(run, places=3).time, rtol=1e-6)
    assert "3 runs of 0 to 4 events" in str(events)


def test_catalogue_prints_a_row_for_each_event():
    lines = str(find(history(sawtooth(2)))).splitlines()
    assert lines[0] == "Catalogue: 2 events (successful)"
    assert len(lines) == 4 and lines[2].split()[0] == "0.5"


# Bad input ---------------------------------------------------------------------------------------


def test_bad_arguments():
    made = history(sawtooth(1))
    with pytest.raises(ValueError, match="max_events must be at least 1"):
        rs.catalogue(made, max_events=0)
    for threshold in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="threshold must be"):
            rs.catalogue(made, threshold=threshold)


def test_a_batch_asks_for_vmap():
    batch = jax.vmap(lambda s: history(s * jnp.array(sawtooth(1))))(jnp.ones(2))
    with pytest.raises(ValueError, match="use jax.vmap"):
        rs.catalogue(batch)


# Simulated stick-slip ----------------------------------------------------------------------------


def cycle(p, t=None, rtol=None):
    """Stick-slip from rest at 1 µm/s under parameters p = (a, b, Dc, stiffness, load velocity)."""
    a, b, Dc, stiffness, load = p
    law = rs.RateStateLaw(0.6, a, b, Dc, 1e-6)
    start = jnp.full((), 1e-6)
    return rs.spring_slider(
        law,
        rs.Spring(stiffness, damping=1e-2),
        rs.VelocityProtocol(jnp.zeros(1), load[None]),
        jnp.array([0.0, DURATION]) if t is None else t,
        initial=(start, law.initial(start)),
        steps=t is None,
        options=rs.Options(
            rtol=rtol, atol=None if rtol is None else rtol / 100, max_steps=MAX_STEPS
        ),
    )


@jax.jit
def cycles(p):
    """History and events of a batch of parameters."""

    def one(p):
        run = cycle(p)
        return run, rs.catalogue(run, threshold=1e-3, max_events=8)

    return jax.vmap(one)(p)


@pytest.fixture(scope="module")
def simulated():
    """Two load velocities in one batch."""
    p = jnp.array([POINT, POINT]).at[1, 4].set(2 * LOAD)
    run, events = cycles(p)
    assert bool(run.status.ok.all()) and bool(events.status.ok.all())
    return run, events


@pytest.mark.x64
def test_cycles_repeat(simulated):
    _, events = simulated
    np.testing.assert_array_equal(events.count, [3, 7])
    recurrence = np.asarray(events.recurrence[1, 2:7])
    np.testing.assert_allclose(recurrence, recurrence[-1], rtol=1e-3)
    drop = np.asarray(events.drop[1, 1:6])  # whole cycles
    np.testing.assert_allclose(drop, drop[0], rtol=1e-3)


@pytest.mark.x64
def test_slip_keeps_up_with_the_load_point(simulated):
    run, events = simulated
    for i, load in enumerate((LOAD, 2 * LOAD)):
        n = int(events.count[i])
        time, slip, onset = run.time[i], run.slip[i], events.time[i, :n]
        between = np.diff(np.interp(onset, time, slip))[1:]
        # in the limit cycle, slip from onset to onset is what the load point travels
        np.testing.assert_allclose(between, load * events.recurrence[i, 2:n], rtol=2e-3)
        # nearly all of it in the event, and the spring gives what friction drops
        assert np.all(events.slip[i, 1:n] < between[0]) and events.slip[i, 1] > 0.8 * between[0]
        assert STIFFNESS * between[0] == pytest.approx(float(events.drop[i, 1]), rel=0.03)


@pytest.mark.x64
def test_recurrence_falls_as_the_inverse_of_the_load_rate(simulated):
    _, events = simulated
    slow, fast = (float(events.recurrence[i, 2]) * v for i, v in ((0, LOAD), (1, 2 * LOAD)))
    assert fast == pytest.approx(slow, rel=0.06)
    # what is left is healing: (b − a) ln 2 less drop at half the hold time
    assert STIFFNESS * (slow - fast) == pytest.approx((B - A) * np.log(2), rel=0.3)


@pytest.mark.x64
def test_steps_of_the_solver_against_dense_samples(simulated):
    run, events = simulated
    onset, end = (float(x[0, 1]) for x in (events.time, events.time + events.duration))
    after = (run.time[0] > onset) & (run.time[0] < onset + 20)
    peak = float(run.time[0][jnp.argmax(jnp.where(after, run.velocity[0], 0))])
    windows = (
        (0, onset + 20, 400),
        (onset - 0.05, end + 0.05, 12000),
        (peak - 2e-5, peak + 2e-5, 2000),
    )
    t = np.sort(np.concatenate([np.linspace(*window) for window in windows]))
    dense = find(jax.jit(cycle)(jnp.array(POINT), jnp.asarray(t)), 1e-3)
    k = int(jnp.argmin(jnp.abs(dense.time - onset)))
    assert float(dense.time[k]) == pytest.approx(onset, rel=1e-6)
    for name, error in (
        ("drop", 1e-3),
        ("peak_velocity", 1e-3),
        ("slip", 1e-3),
        ("duration", 0.01),
    ):
        theirs = float(getattr(dense, name)[k])
        assert float(getattr(events, name)[0, 1]) == pytest.approx(theirs, rel=error), name


# Derivatives -------------------------------------------------------------------------------------


def numbers(p):
    """Time, recurrence and drop of the second event."""
    events = rs.catalogue(cycle(p, rtol=1e-10), threshold=1e-3, max_events=4)
    return jnp.stack([events.time[1], events.recurrence[1], events.drop[1]])


@pytest.fixture(scope="module")
def differences():
    """d numbers / d ln p by central differences of fourth order."""
    p, h = jnp.array(POINT), 3e-4
    shifts = jnp.diag(h * p)
    moved = jax.jit(jax.vmap(numbers))(
        jnp.concatenate([p[None] + s * shifts for s in (1.0, -1.0, 2.0, -2.0)])
    )
    plus, minus, plus2, minus2 = np.asarray(moved).reshape(4, len(POINT), 3)
    return ((8 * (plus - minus) - (plus2 - minus2)) / (12 * h)).T


def assert_derivatives(derivative, differences):
    ours = np.asarray(jax.jit(derivative(numbers))(jnp.array(POINT))) * np.array(POINT)
    assert np.all(np.isfinite(ours))
    # relative to the largest derivative of each quantity
    scale = np.max(np.abs(differences), axis=1, keepdims=True)
    np.testing.assert_allclose(ours / scale, differences / scale, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.x64
def test_derivatives_in_forward_mode(differences):
    assert_derivatives(jax.jacfwd, differences)


@pytest.mark.slow
@pytest.mark.x64
def test_derivatives_in_reverse_mode(differences):
    assert_derivatives(jax.jacrev, differences)


@pytest.mark.parametrize("derivative", [jax.jacfwd, jax.jacrev])
def test_event_time_of_a_known_history_differentiates(derivative):
    """ln V = s (t − t0) about the crossing: dt*/dt0 = 1, dt*/ds = 0, and so on."""

    def event_time(p):
        onset, steepness = p
        t = jnp.linspace(0.0, 10.0, 101)
        V = THRESHOLD * jnp.exp(steepness * jnp.minimum(t - onset, 2 * (7.05 - t)))
        fine = Status(rs.Outcome.successful, rs.Outcome)
        run = rs.History(t, V, 0.6 - 0.01 * jnp.log(V), t, jnp.cumsum(V), fine)
        events = rs.catalogue(run, threshold=THRESHOLD, max_events=2)
        return jnp.stack([events.time[0], events.duration[0]])

    found = np.asarray(jax.jit(derivative(event_time))(jnp.array([4.03, 3.0])))
    np.testing.assert_allclose(found, [[1.0, 0.0], [-1.0, 0.0]], atol=2e-4)

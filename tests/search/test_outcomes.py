"""What a search says of itself: scales of nine decades, values that are none, false minima."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxfric import search

N = 6
GENERATIONS = 300
DOUBLE = jnp.zeros(()).dtype == jnp.float64
SMALL = 1e-10 if DOUBLE else 1e-6


def quadratic(x, scale):
    return jnp.sum((x / scale) ** 2)


def valley(x, scale):
    """The same on axes that are turned: two variables by two, by 45 degrees."""
    a, b = x[::2], x[1::2]
    return quadratic(jnp.concatenate([a + b, a - b]) / 2**0.5, scale)


def unbounded(x, scale):
    return jnp.where(x[0] > scale[0], -jnp.inf, quadratic(x, scale))


def walled(x, scale):
    return jnp.where(x[0] > scale[0], jnp.inf, quadratic(x, scale))


def minus_infinity(x, scale):
    return -jnp.inf + 0 * x[0]


def infinity(x, scale):
    return jnp.inf + 0 * x[0]


def constant(x, scale):
    return 1.0 + 0 * x[0]


def slope(x, scale):
    return jnp.sum(x / scale)


def blind(x, scale):
    return quadratic(x[:-1], scale[:-1])


def terraced(x, scale):
    """A staircase whose steps are wider than those of the search."""
    return jnp.floor(quadratic(x, scale))


def rippled(x, scale):
    """Local minima near the integers; from one to the next is a step of the search."""
    u = x / scale
    return jnp.sum(u**2 - 10 * jnp.cos(2 * jnp.pi * u) + 10)


def offset(x, scale):
    return 1.0 + quadratic(x, scale)


OBJECTIVES = [
    quadratic, valley, unbounded, walled, minus_infinity, infinity, constant, slope, blind,
    terraced, rippled, offset,
]  # fmt: skip


@jax.jit
def _search(which, start, step_size, scale, key):
    def objective(x, which, scale):
        return jax.lax.switch(which, OBJECTIVES, x, scale)

    return search.minimise(
        objective, start, which, scale, key=key, step_size=step_size, generations=GENERATIONS
    )


def run(objective, start=1.0, step_size=1.0, scale=1.0, key=0):
    """One program for every objective, with a step for each variable."""
    vectors = [jnp.broadcast_to(jnp.asarray(v, float), N) for v in (start, step_size, scale)]
    return _search(OBJECTIVES.index(objective), *vectors, jax.random.key(key))


@jax.jit
def _long(which, scale, key):
    def objective(x, scale):
        return jax.lax.switch(which, [quadratic, valley], x, scale)

    start = jnp.ones(N)
    return search.minimise(objective, start, scale, key=key, generations=3000, goal=SMALL)


NINE_DECADES = np.logspace(-6, 3, N)


def test_nine_decades_with_a_step_for_each_variable():
    found = run(quadratic, 3 * NINE_DECADES, NINE_DECADES, NINE_DECADES)
    assert found.status.ok
    assert found.value < SMALL


def test_nine_decades_with_one_step_are_not_called_a_success():
    found = run(quadratic, 3 * NINE_DECADES, 0.3, NINE_DECADES)
    assert found.value > 1.0
    assert found.status.outcome == search.Outcome.stagnated
    assert "a step_size of its own" in str(found)


@pytest.mark.parametrize("decades", [(-6, 3), (3, -6)])
def test_nine_decades_with_one_step_are_met_in_time(decades):
    """The covariance follows scales that the eigenvalues of one matrix do not hold."""
    found = _long(0, jnp.asarray(np.logspace(*decades, N), float), jax.random.key(1))
    assert found.value <= SMALL
    assert found.status.ok


@pytest.mark.x64
def test_a_turned_valley_of_condition_1e14_is_followed():
    """No units of the variables help here: the eigenvalues are those of the valley."""
    found = _long(1, jnp.logspace(-7, 0, N), jax.random.key(2))
    assert found.value <= SMALL


@pytest.mark.parametrize("key", range(4))
def test_a_valley_too_narrow_for_the_digits_is_told(key):
    """Condition 1e20 in float64, 1e12 in float32: steps shrink, and not around the minimum."""
    narrowest = -10 if DOUBLE else -6
    found = _long(1, jnp.asarray(np.logspace(narrowest, 0, N), float), jax.random.key(key))
    assert found.status.ok == (found.value <= SMALL)


exponents = st.lists(st.integers(-20, 10), min_size=N, max_size=N)


@settings(max_examples=20)
@given(exponents)
def test_units_of_the_variables_change_nothing(exponents):
    """x → s x, start and steps with it, is the same search, bit for bit where s is 2^k."""
    scale = 2.0 ** np.array(exponents)
    plain, scaled = run(quadratic), run(quadratic, scale, scale, scale)
    np.testing.assert_array_equal(scaled.best / scale, plain.best)
    np.testing.assert_array_equal(scaled.history, plain.history)
    np.testing.assert_array_equal(scaled.step_size, plain.step_size)
    assert scaled.status.ok == plain.status.ok


@settings(max_examples=30)
@given(st.lists(st.floats(-6, 3), min_size=N, max_size=N), st.floats(-6, 3), st.integers(0, 99))
def test_success_is_a_minimum(exponents, step, key):
    """Whatever the scales and the common step: what is called a success is near the minimum."""
    scale = 10.0 ** np.array(exponents)
    found = run(quadratic, 3 * scale, 10.0**step, scale, key)
    # Contracted to ε^(1/4) of steps that may be 1e9 of the scale
    known = np.finfo(found.value.dtype).eps ** 0.25 * 10.0**step / scale
    if found.status.ok:
        assert found.value <= 10 * np.sum(known**2)
    if found.value > 1.0:
        assert not found.status.ok or np.sum(known**2) > 0.1


@pytest.mark.parametrize("objective", [walled, offset, valley])
def test_a_minimum_is_a_success(objective):
    found = run(objective)
    assert found.status.ok
    np.testing.assert_allclose(found.best, 0.0, atol=1e-2)


@pytest.mark.parametrize("objective", [constant, slope, blind, terraced, rippled])
def test_what_is_no_minimum_is_not_a_success(objective):
    found = run(objective, start=4.0)
    assert found.status.outcome == search.Outcome.stagnated
    assert np.isfinite(found.value) and np.isfinite(np.asarray(found.best)).all()


def test_a_plateau_shrinks_no_step():
    assert run(constant).step_size == 1.0


def test_minus_infinity_is_never_the_best():
    found = run(unbounded)
    assert np.isfinite(found.value) and (found.history > -np.inf).all()
    assert found.best[0] <= 1.0
    assert found.status.outcome == search.Outcome.unbounded
    assert "bound it from below" in str(found)


@pytest.mark.parametrize(
    "objective, outcome",
    [
        (minus_infinity, search.Outcome.unbounded),
        (infinity, search.Outcome.no_value),
    ],
)
def test_nothing_but_infinity_teaches_nothing(objective, outcome):
    found = run(objective)
    assert found.status.outcome == outcome
    assert found.value == np.inf and found.step_size == 1.0
    np.testing.assert_array_equal(found.best, 1.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_traced_steps_that_are_none_set_the_status(bad):
    """One step of six is enough."""
    found = run(quadratic, step_size=np.array([1.0] * (N - 1) + [bad]))
    assert found.status.outcome == search.Outcome.bad_start


def test_a_batch_has_a_status_for_each_member():
    steps = jnp.array([NINE_DECADES, np.full(N, 0.3), np.full(N, np.nan)], float)
    start, scale = (jnp.asarray(x, float) for x in (3 * NINE_DECADES, NINE_DECADES))
    batch = jax.vmap(_search, (None, None, 0, None, None))
    found = batch(OBJECTIVES.index(quadratic), start, steps, scale, jax.random.key(0))
    np.testing.assert_array_equal(found.status.ok, [True, False, False])
    assert "[1] the search stagnated" in str(found.status)
    assert "[2] a start, step_size" in str(found.status)


def test_a_start_outside_of_its_bounds_comes_in():
    def objective(x):
        return quadratic(jnp.clip(x, 1.0, 2.0), 1.0) + search.outside(x, 1.0, 2.0)

    found = search.minimise(objective, jnp.full(2, 9.0), key=jax.random.key(0), generations=150)
    assert found.status.ok
    np.testing.assert_allclose(found.best, 1.0, atol=1e-2)


def test_steps_of_a_pytree():
    """A number holds for a leaf; the deviations of the first generation are those of the steps."""
    start = {"pressure": jnp.full(2, 3e6), "slip": jnp.array(3e-6)}
    steps = {"pressure": 1e6, "slip": jnp.array(1e-6)}

    def objective(p):
        return jnp.sum((p["pressure"] / 1e6) ** 2) + (p["slip"] / 1e-6) ** 2

    found = search.minimise(
        objective, start, key=jax.random.key(0), step_size=steps, generations=150,
        restarts=2, spread=steps, smallest_step=jax.tree_util.tree_map(lambda s: s / 1e3, steps),
    )  # fmt: skip
    assert found.status.ok
    np.testing.assert_allclose(found.best["pressure"], 0.0, atol=1e4)
    np.testing.assert_allclose(found.best["slip"], 0.0, atol=1e-8)


def test_the_precision_is_that_of_the_start():
    def objective(x):
        return jnp.sum(x**2)

    found = search.minimise(objective, jnp.ones(2, jnp.float32), key=jax.random.key(0))
    assert found.best.dtype == found.value.dtype == jnp.float32
    assert found.status.ok


@pytest.mark.parametrize(
    "objective, message",
    [
        (lambda x: np.linalg.norm(x), "jax.numpy in place of numpy"),
        (lambda x: float(x[0]), "jax.numpy in place of numpy"),
        (lambda x: x[0] if x[0] > 0 else -x[0], "jnp.where in place of `if`"),
        (lambda x: jnp.sum(x[x > 0]), "cannot trace the objective"),
        (lambda x: None, "returned None"),
        (lambda x: (x[0], x[1]), "got a tuple"),
        (lambda x: {"value": x[0]}, "got a dict"),
        (lambda x: "0.1", "got a str"),
        (lambda x: True, "got a bool"),
        (lambda x: x[:1], r"shape \(1,\): return value\[0\]"),
        (lambda x: x, r"shape \(3,\): return its jnp.sum"),
        (lambda x: x[0] * 1j, "try jnp.abs"),
        (lambda x: x[0] > 0, "must return a number"),
    ],
)
def test_an_objective_that_is_none(objective, message):
    with pytest.raises(ValueError, match=message):
        search.minimise(objective, jnp.ones(3), key=jax.random.key(0))


def test_whole_numbers_are_values():
    def steps(x):
        return jnp.sum(jnp.abs(jnp.round(10 * x))).astype(jnp.int32)

    found = search.minimise(steps, jnp.ones(2), key=jax.random.key(0), goal=0.0)
    assert found.value == 0 and found.status.ok


@pytest.mark.parametrize(
    "options, message",
    [
        ({"step_size": -0.1}, "step_size must be positive"),
        ({"step_size": np.nan}, "step_size must be finite"),
        ({"step_size": np.array([0.1, 0.0, 0.1])}, "step_size must be positive and be finite"),
        ({"step_size": np.array([0.1, np.nan, 0.1])}, "got nan"),
        ({"step_size": np.array([0.1, 0.1])}, "of the shape of the start"),
        ({"step_size": {"a": 0.1}}, "of the shape of the start"),
        ({"smallest_step": 0.0}, "smallest_step must be positive"),
        ({"smallest_step": 0.4}, "smallest_step must not exceed step_size"),
        ({"spread": -1.0}, "spread must not be negative"),
        ({"spread": np.array([0.0, -1.0, 0.0])}, "spread must not be negative"),
        ({"goal": np.nan}, "goal must be a number"),
        ({"restarts": True}, "restarts must be a whole number"),
        ({"start": {}}, "start is empty"),
        ({"start": {"a": jnp.ones(2), "n": 3}}, "write 0.0 in place of 0"),
        ({"start": jnp.ones(2) * 1j}, "floating-point"),
        ({"start": jnp.ones(2, jnp.bfloat16)}, "float32 or float64"),
    ],
)
def test_bad_arguments(options, message):
    start = options.get("start", jnp.zeros(3))
    rest = {name: value for name, value in options.items() if name != "start"}
    with pytest.raises(ValueError, match=message):
        search.minimise(constant, start, 1.0, key=jax.random.key(0), **rest)


@pytest.mark.parametrize(
    "low, high, message",
    [
        (1.0, 0.0, "each low must be below its high; got 1.0 and 0.0"),
        (0.0, 0.0, "fixed"),
        (np.nan, 1.0, "below its high"),
        (0.0, np.array([1.0, -1.0, 1.0]), "got 0.0 and -1.0"),
        (np.zeros(2), 1.0, "low must be one number or have the shape of x"),
        (0.0, np.ones(1), "high must be one number or have the shape of x"),
    ],
)
def test_bounds_that_are_none(low, high, message):
    with pytest.raises(ValueError, match=message):
        search.outside(jnp.zeros(3), low, high)


def test_traced_bounds_that_are_none_give_no_value():
    penalty = jax.jit(search.outside)
    assert np.isnan(penalty(jnp.zeros(3), 1.0, 0.0))
    assert penalty(jnp.full(3, 2.0), -jnp.inf, 1.0) == 3.0

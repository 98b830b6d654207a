"""CMA-ES: classic functions, batches, restarts, early stop, bad objectives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import search

N = 6
SCALES = 10.0 ** (jnp.arange(N) * 3 / (N - 1))


def sphere(x):
    return jnp.sum(x**2)


def ellipsoid(x):
    return jnp.sum(SCALES.astype(x.dtype) * x**2)


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def half(x):
    return jnp.where(x[0] < 0.2, jnp.nan, jnp.sum((x - 0.3) ** 2))


def nothing(x):
    return jnp.nan * jnp.sum(x)


def flat(x):
    return 0 * x[0]


def box(x):
    return jnp.sum((jnp.clip(x, 0.0, 1.0) - 2.0) ** 2) + 10 * search.outside(x, 0.0, 1.0)


OBJECTIVES = [sphere, ellipsoid, rosenbrock, half, nothing, flat, box]
GENERATIONS, POPULATION = 900, 9


@jax.jit
def _any_of(which, start, step_size, goal, key):
    def objective(x, which):
        return jax.lax.switch(which, OBJECTIVES, x)

    return search.minimise(
        objective, start, which, key=key, step_size=step_size, goal=goal, generations=GENERATIONS
    )


def run(objective, start=0.5, step_size=0.3, goal=-np.inf):
    """One program for every objective of N numbers."""
    floats = [jnp.asarray(x, float) for x in (step_size, goal)]
    which = OBJECTIVES.index(objective)
    return _any_of(which, jnp.full(N, start), *floats, jax.random.key(0))


def run_alone(objective, start, **options):
    return jax.jit(lambda key: search.minimise(objective, start, key=key, **options))(
        jax.random.key(0)
    )


@pytest.mark.parametrize("objective", [sphere, ellipsoid, rosenbrock])
def test_finds_the_minimum(objective):
    goal = 1e-8 if jnp.zeros(()).dtype == jnp.float64 else 1e-6
    found = run(objective, start=0.0, step_size=0.5, goal=goal)
    assert found.status.ok
    assert found.value <= goal
    np.testing.assert_allclose(objective(found.best), found.value, rtol=1e-3, atol=1e-9)


def test_stops_at_the_goal_and_counts():
    found = run(sphere, goal=1e-2)
    assert found.value <= 1e-2
    assert found.evaluations % POPULATION == 0
    generation = int(found.evaluations) // POPULATION
    assert generation < GENERATIONS
    assert found.history[generation - 1] <= 1e-2 < found.history[generation - 2]
    assert (found.history[generation:] == found.value).all()
    assert (jnp.diff(found.history) <= 0).all()
    assert "evaluations, successful" in str(found)


def test_a_batch_is_its_members():
    """Another member that searches longer changes nothing."""
    targets = jnp.array([[0.1] * N, [2.0] * N])

    def shifted(x, target):
        return jnp.sum((x - target) ** 2)

    def one(target, key):
        return search.minimise(
            shifted, jnp.zeros(N), target, key=key, generations=150, goal=1e-4, population=10
        )

    keys = jax.random.split(jax.random.key(1), 2)
    together = jax.jit(jax.vmap(one))(targets, keys)
    for i in range(2):
        alone = jax.jit(one)(targets[i], keys[i])
        np.testing.assert_allclose(together.best[i], alone.best, rtol=1e-4, atol=1e-5)
        assert together.evaluations[i] == alone.evaluations
    assert together.evaluations[0] != together.evaluations[1]
    assert repr(together).startswith("2 searches: values") and "all 2 runs" in str(together)


def test_any_pytree_is_searched():
    start = {"a": jnp.zeros(2), "b": jnp.zeros(())}
    found = run_alone(
        lambda p: jnp.sum((p["a"] - 1) ** 2) + (p["b"] + 2) ** 2, start, generations=300
    )
    np.testing.assert_allclose(found.best["a"], 1.0, atol=1e-3)
    np.testing.assert_allclose(found.best["b"], -2.0, atol=1e-3)


def test_restarts_leave_a_local_minimum():
    """A narrow deep well beside a wide shallow one."""

    def two_wells(x):
        wide = 1 + jnp.sum(x**2)
        deep = 20 * jnp.sum((x - 2.0) ** 2)
        return jnp.minimum(wide, deep)

    start = jnp.zeros(2)
    single, several = (
        run_alone(two_wells, start, step_size=0.1, generations=60, **options)
        for options in ({}, {"restarts": 48, "spread": 2.0})
    )
    assert single.value > 0.9
    assert several.value < 1e-3
    assert several.evaluations > 10 * single.evaluations


def test_some_nan_values_are_only_bad():
    found = run(half)
    assert found.value < 1e-4
    assert found.status.ok


def test_nothing_but_nan_is_reported():
    found = run(nothing)
    assert not found.status.ok
    assert "no finite number" in str(found.status)
    np.testing.assert_array_equal(found.best, 0.5)
    # nothing was learned, nothing shrank
    np.testing.assert_allclose(found.step_size, 1.0)


def test_a_start_where_all_is_nan_can_be_left():
    """One lucky candidate is enough."""

    def far(x):
        return jnp.where(jnp.sum(x**2) < 1.0, jnp.sum(x**2), jnp.nan)

    found = run_alone(far, jnp.full(2, 1.2), step_size=0.4, generations=150)
    assert found.value < 1e-3


def test_a_step_never_falls_below_its_floor():
    """Long after convergence: no NaN, no step of zero."""
    found = run(sphere)
    assert np.isfinite(found.value)
    assert np.isfinite(np.asarray(found.best)).all()
    assert found.step_size > 0


def test_a_flat_objective_is_survived():
    found = run(flat)
    assert found.value == 0
    assert np.isfinite(np.asarray(found.best)).all()


def test_penalty_is_graded():
    x = jnp.array([-1.0, 0.5, 4.0])
    assert search.outside(x, 0.0, 1.0) == 10.0
    assert search.outside(x, -2.0, jnp.array([1.0, 1.0, 3.0])) == 1.0
    assert search.outside({"a": x}, -9.0, 9.0) == 0.0


def test_box_with_penalty_ends_inside():
    found = run(box)
    np.testing.assert_allclose(found.best, 1.0, atol=1e-2)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"population": 1}, "population must be at least 4"),
        ({"generations": 0}, "generations and restarts"),
        ({"restarts": 0}, "generations and restarts"),
        ({"step_size": 0.0}, "step_size must be positive"),
        ({"start": jnp.array([0.0, jnp.nan])}, "start must be finite"),
        ({"start": jnp.zeros(0)}, "floating-point"),
        ({"start": jnp.arange(3)}, "floating-point"),
    ],
)
def test_bad_arguments(options, message):
    start = options.pop("start", jnp.zeros(3))
    with pytest.raises(ValueError, match=message):
        search.minimise(sphere, start, key=jax.random.key(0), **options)

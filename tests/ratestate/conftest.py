"""Laws, random loadings and finite differences that the physics tests share."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs

DATA = Path(__file__).parents[1] / "data"

# One of each, with numbers of order one: V0 = 1, Dc around 0.1, velocities 0.01 … 10.
EVOLUTIONS = {
    "aging": rs.Aging(),
    "slip": rs.Slip(),
    "prz": rs.PRZ(),
    "nagata": rs.Nagata(c=2.0),
    "composite": rs.Composite(Vc=0.5),
}


def pytest_generate_tests(metafunc):
    """`name` runs over every evolution, `exact_name` over those with a closed form."""
    for argument, names in (("name", EVOLUTIONS), ("exact_name", list(EVOLUTIONS)[:4])):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, list(names))


@pytest.fixture(scope="session")
def evolutions():
    return EVOLUTIONS


@pytest.fixture(scope="session")
def make_law():
    """A law of one state, or of one state per name."""

    def make(*names, form="classical", **changes):
        values = {"mu0": 0.6, "a": 0.011, "b": 0.016, "Dc": 0.1, "V0": 1.0} | changes
        states = [EVOLUTIONS[n] if isinstance(n, str) else n for n in names]
        if len(states) == 1:
            return rs.RateStateLaw(**values, evolution=states[0], form=form)
        n = len(states)
        values = values | {
            "b": changes.get("b", tuple(0.016 / (i + 1) for i in range(n))),
            "Dc": changes.get("Dc", tuple(0.1 * (i + 1) for i in range(n))),
        }
        return rs.RateStateLaw(**values, evolution=tuple(states), form=form)

    return make


@pytest.fixture(scope="session")
def data():
    """A file of facts by its name."""

    def read(name):
        path = DATA / name
        if path.suffix == ".json":
            return json.loads(path.read_text())
        return np.genfromtxt(path, delimiter=",", names=True)

    return read


@pytest.fixture(scope="session")
def random_loading():
    """(times, velocities) of n random protocols: 2–5 jumps, a hold, padding; NumPy, float64."""

    def draw(n, seed=0, slowest=1e-2, fastest=10.0, hold=1e-8, segments=6):
        rng = np.random.default_rng(seed)
        times = np.sort(rng.uniform(0.02, 0.98, (n, segments)), axis=1)
        times[:, 0] = 0.0
        velocities = np.exp(rng.uniform(np.log(slowest), np.log(fastest), (n, segments)))
        used = rng.integers(3, segments + 1, n)
        velocities[np.arange(n), rng.integers(1, used - 1)] = hold
        times[np.arange(segments) >= used[:, None]] = np.inf
        return times, velocities

    return draw


@pytest.fixture(scope="session")
def central_differences():
    """The Jacobian of f at x by central differences with steps relative to x, vmapped."""

    def jacobian(f, x, relative=1e-4):
        h = jnp.diag(relative * x)
        difference = jax.jit(jax.vmap(lambda h: f(x + h) - f(x - h)))(h)
        return jax.vmap(jnp.divide)(difference, 2 * relative * x).T

    return jacobian


@pytest.fixture(scope="session")
def eps():
    """The rounding error of the default float."""
    return float(jnp.finfo(jnp.zeros(()).dtype).eps)

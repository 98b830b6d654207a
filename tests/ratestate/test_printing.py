"""Parameters and results print numbers with their units, batches as ranges, never types."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import ratestate as rs
from jaxfric._status import Status

LAW = rs.RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)
FINE = Status(rs.Outcome.successful, rs.Outcome)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            LAW,
            "RateStateLaw(mu0=0.6, a=0.006, b=0.016, Dc=1e-05 m, V0=1e-06 m/s, "
            "evolution=Aging(), form=classical)",
        ),
        (
            rs.RateStateLaw(0.6, 0.006, (0.016, 0.01), (1e-5, 1e-4), 1e-6, rs.Nagata(2.0), alpha=0),
            "RateStateLaw(mu0=0.6, a=0.006, b=(0.016, 0.01), Dc=(1e-05, 0.0001) m, V0=1e-06 m/s, "
            "evolution=(Nagata(c=2), Nagata(c=2)), form=classical)",
        ),
        (rs.Spring(50.0), "Spring(stiffness=50 1/m, damping=0 s/m)"),
        (
            rs.Spring(50.0, 1.0, jnp.array([1.0, 2.0])[0]),
            "Spring(stiffness=50 1/m, damping=1 s/m, mass=1 s²/m)",
        ),
        (
            rs.VelocityProtocol([0.0, 10.0], [1.0, 2.0]),
            "VelocityProtocol(times=[0, 10] s, velocities=[1, 2] m/s)",
        ),
        (
            rs.VelocityProtocol(np.arange(5.0), np.arange(5.0)),
            "VelocityProtocol(times=5 values 0 to 4 s, velocities=5 values 0 to 4 m/s)",
        ),
        (rs.NormalStress([0.0, 1.0], [1.0, 2.0]), "NormalStress(times=[0, 1] s, ratios=[1, 2])"),
        (FINE, "successful"),
    ],
)
def test_parameters_print_their_numbers(value, text):
    assert repr(value) == str(value) == text


def test_results_print_their_numbers_and_how_many_runs_failed():
    V = jnp.array([1e-6, -1.0])
    batch = jax.vmap(lambda V: rs.steady_state(LAW, V))(V)
    assert "[0.6, nan]" in repr(batch)
    assert "1 of 2 runs failed: [1] a parameter is invalid" in repr(batch)
    stiffness = jax.vmap(lambda V: rs.critical_stiffness(LAW, V))(jnp.array([1e-6, 1e-5]))
    assert repr(stiffness) == "critical stiffness [1000, 1000] 1/m, all 2 runs successful"


@jax.jit
def printed(V):
    """What a traced result prints: a sentence, not an error."""
    state = rs.SteadyState(V, V, FINE)
    modes = rs.Eigenvalues(jnp.stack([V, V]).astype(complex), FINE)
    assert "traced" in repr(state) and "traced" in repr(modes) and "traced" in repr(law_of(V))
    return V


def law_of(V):
    return rs.RateStateLaw(mu0=V, a=0.006, b=0.016, Dc=1e-5, V0=1e-6)


def test_traced_results_print():
    printed(jnp.array(1.0))


def events(count):
    """A catalogue of three places."""
    x = jnp.array([1.5, 4.5, 0.0])
    return rs.Catalogue(
        time=x, recurrence=x, drop=x, peak_velocity=x, slip=x, duration=x,
        count=jnp.asarray(count), status=FINE,
    )  # fmt: skip


def test_a_catalogue_is_a_table():
    found = events(2)
    assert repr(found).splitlines()[0] == "Catalogue: 2 events (successful)"
    assert len(repr(found).splitlines()) == 4
    table = found._repr_html_()
    assert table.count("<tr>") == 3 and "recurrence s" in table
    batch = jax.vmap(events)(jnp.array([0, 2]))
    assert repr(batch) == "Catalogue: 2 runs of 0 to 2 events (all 2 runs successful)"
    assert "2 runs of 0 to 2 events" in batch._repr_html_()


def test_a_history_with_failed_runs_prints_the_others():
    t = jnp.linspace(0.0, 1.0, 3)
    history = rs.History(t, t, jnp.array([0.5, jnp.nan, 0.6]), t, t, FINE)
    assert "3 samples, 0 to 1 s" in repr(history) and "friction 0.5 to 0.6" in repr(history)

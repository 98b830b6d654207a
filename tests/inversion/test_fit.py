"""Inversion of one record: known truth, real records, failures with a remedy."""

import dataclasses
import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, ratestate as rs, records

# As many rows in every record, the real ones too, so that a law is one program.
ROWS = 1100
TIME = np.linspace(0.0, 60.0, ROWS)
START, STEP = 100.0, 20.0
FREE = ("stiffness", "step_time")
TRUTH = {"a": 0.010, "b": 0.014, "Dc": 2e-5, "stiffness": 2000.0}
EVOLUTIONS = {
    "aging": rs.Aging(),
    "slip": rs.Slip(),
    "prz": rs.PRZ(),
    "nagata": rs.Nagata(c=2.0),
    "composite": rs.Composite(Vc=2e-6),
}
simulate = eqx.filter_jit(rs.spring_slider)


def make_law(evolution="aging", a=TRUTH["a"], b=TRUTH["b"], Dc=TRUTH["Dc"]):
    return rs.RateStateLaw(0.6, a, b, Dc, 1e-6, EVOLUTIONS.get(evolution, evolution))


def make_record(law, *, time=TIME, breaks=(STEP,), velocities=(1e-6, 1e-5), drift=(), noise=0.0):
    """What a laboratory would log: its own clock, the load point's displacement, friction."""
    protocol = rs.VelocityProtocol([0.0, *breaks], velocities)
    spring = rs.Spring(jnp.asarray(TRUTH["stiffness"]))
    history = simulate(law, spring, protocol, jnp.asarray(time))
    assert bool(history.status.ok)
    friction = np.asarray(history.friction)
    friction = friction + sum(c * (time / time[-1]) ** (k + 1) for k, c in enumerate(drift))
    friction = friction + noise * np.random.default_rng(0).normal(size=time.size)
    slip = np.asarray(protocol.displacement(jnp.asarray(time)))
    return records.VelocityStepRecord(START + time, slip, friction, name="synthetic")


def fit_from_guess(record, evolution="aging", free=FREE, **options):
    law, spring = inversion.guess(record, EVOLUTIONS[evolution])
    return inversion.fit_step(record, law, spring, free=free, **options)


def assert_recovered(fit, relative=1e-5, **truth):
    assert fit.converged
    for name, value in truth.items():
        assert fit.value(name) == pytest.approx(value, rel=relative), name


@functools.cache
def clean(evolution, detrend="linear", drift=()):
    """The fit of a noiseless step, from the guess."""
    record = make_record(make_law(evolution), drift=drift)
    return fit_from_guess(record, evolution, detrend=detrend)


@functools.cache
def noisy(evolution="aging"):
    """A law fitted to a noisy step of an aging interface."""
    return fit_from_guess(make_record(make_law(), noise=1e-3), evolution)


# Known truth -------------------------------------------------------------------------------------


def assert_recovers_everything(fit, mu0=0.6):
    assert_recovered(fit, **TRUTH)
    assert fit.value("step_time") == pytest.approx(START + STEP, abs=1e-5)
    assert fit.value("mu0") == pytest.approx(mu0, abs=1e-7)
    assert fit.value("a-b") == pytest.approx(-0.004, rel=1e-5)
    fitted = (fit.law.a, fit.law.b, fit.law.Dc, fit.spring.stiffness)
    for name, number in zip(("a", "b", "Dc", "stiffness"), fitted, strict=True):
        assert float(number) == pytest.approx(fit.value(name), rel=1e-14)
    assert fit.rms < 1e-8


@pytest.mark.x64
@pytest.mark.parametrize("evolution", ["aging", pytest.param("slip", marks=pytest.mark.slow)])
def test_noiseless_step_is_recovered_from_the_guess(evolution):
    assert_recovers_everything(clean(evolution))


# A law or a detrending is a program of its own, so the other laws take the other detrendings.


@pytest.mark.slow
@pytest.mark.x64
def test_noiseless_step_is_recovered_by_nagatas_law():
    assert_recovers_everything(clean("nagata"))


@pytest.mark.slow
@pytest.mark.x64
def test_noiseless_step_is_recovered_without_a_drift():
    fit = clean("prz", "none")
    assert_recovers_everything(fit)
    np.testing.assert_array_equal(fit.trend, 0)


@pytest.mark.slow
@pytest.mark.x64
def test_drift_is_fitted_with_the_law():
    """a, b, Dc are free of a drift of the degree asked for, and not of a higher one."""
    s, drift = TIME / 60, (0.01, -0.02)
    at_step = 0.01 / 3 - 0.02 / 9
    curved = clean("composite", "quadratic", drift)
    assert_recovers_everything(curved, mu0=0.6 + at_step)
    np.testing.assert_allclose(curved.trend, 0.01 * s - 0.02 * s**2 - at_step, atol=1e-8)
    straight = fit_from_guess(make_record(make_law(), drift=drift))
    assert straight.rms > 1e3 * curved.rms
    assert abs(straight.value("a") - 0.010) > 1e-5
    assert_recovered(fit_from_guess(make_record(make_law(), drift=drift[:1])), **TRUTH)


@pytest.mark.slow
@pytest.mark.x64
def test_what_is_fixed_stays():
    """A parameter by name; stiffness and step time where they are not free."""
    record = make_record(make_law())
    fit = inversion.fit_step(record, make_law(b=0.013, Dc=3e-5), rs.Spring(2000.0), fixed=("a",))
    assert fit.names == ("b", "Dc", "mu0") and float(fit.law.a) == TRUTH["a"]
    assert_recovered(fit, b=0.014, Dc=2e-5)
    assert float(fit.spring.stiffness) == TRUTH["stiffness"]
    # the step time is the one that the displacement tells
    expected = inversion.protocol_from_displacement(record).times
    np.testing.assert_allclose(np.asarray(fit.protocol.times), expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.x64
def test_negative_b():
    law = make_law(a=0.012, b=-0.004, Dc=4e-5)
    fit = fit_from_guess(make_record(law))
    assert_recovered(fit, a=0.012, b=-0.004, Dc=4e-5, stiffness=2000.0)


@pytest.mark.slow
@pytest.mark.x64
def test_two_states_through_a_sequence_of_steps():
    """The second step comes one long Dc after the first: a steady start there would be wrong."""
    law = rs.RateStateLaw(
        0.6, 0.012, (0.010, 0.005), (5e-6, 6e-5), 1e-6, (rs.Aging(), rs.Slip())
    )  # fmt: skip
    record = make_record(law, breaks=(20.0, 26.0, 50.0), velocities=(1e-6, 1e-5, 3e-6, 1e-5))
    _, spring = inversion.guess(record, steps=3)
    guess = dataclasses.replace(law, a=0.010, b=(0.008, 0.006), Dc=(7e-6, 4e-5))
    fit = inversion.fit_step(record, guess, spring, free=FREE, steps=3)
    times = ("step_time1", "step_time2", "step_time3")
    assert fit.names == ("a", "b1", "b2", "Dc1", "Dc2", "stiffness", *times, "mu0")
    assert_recovered(fit, a=0.012, b1=0.010, b2=0.005, Dc1=5e-6, Dc2=6e-5, stiffness=2000.0)
    assert fit.value("a-b") == pytest.approx(-0.003, rel=1e-5)
    assert [float(x) for x in fit.law.Dc] == [fit.value("Dc1"), fit.value("Dc2")]
    np.testing.assert_allclose(np.asarray(fit.protocol.times), [100, 120, 126, 150], atol=1e-5)


# What a fit tells --------------------------------------------------------------------------------


@pytest.mark.x64
def test_pieces_of_a_fit_add_up():
    fit = noisy()
    n = TIME.size
    assert fit.residual.shape == fit.model.shape == fit.trend.shape == fit.time.shape == (n,)
    np.testing.assert_array_equal(fit.residual, fit.observed - fit.model)
    assert fit.rms == pytest.approx(np.sqrt(np.mean(fit.residual**2)))
    assert fit.rms == pytest.approx(1e-3, rel=0.1)
    assert fit.steady_noise == pytest.approx(1e-3, rel=0.1)
    at_step = np.interp(fit.value("step_time"), fit.time, fit.trend)
    assert at_step == pytest.approx(0, abs=1e-3 * np.ptp(fit.trend) + 1e-12)
    # the law with its mu0 and the trend is the model
    protocol = rs.VelocityProtocol(fit.protocol.times - START, fit.protocol.velocities)
    again = simulate(fit.law, fit.spring, protocol, jnp.asarray(fit.time - START))
    np.testing.assert_allclose(np.asarray(again.friction) + fit.trend, fit.model, atol=1e-7)
    assert fit.fitted == 7 and fit.degrees == 7 + sum(m.phi.size + 1 for m in fit.noise)
    assert fit.bic - fit.aic == pytest.approx(fit.degrees * (np.log(n) - 2))


@pytest.mark.x64
def test_the_fit_does_not_depend_on_the_clock():
    record = make_record(make_law(), noise=1e-3)
    later = records.VelocityStepRecord(record.time + 1e5, record.displacement, record.friction)
    fit = fit_from_guess(later)
    assert fit.value("step_time") == pytest.approx(noisy().value("step_time") + 1e5, abs=1e-4)
    for name in ("a", "b", "Dc", "stiffness"):
        assert fit.value(name) == pytest.approx(noisy().value(name), rel=1e-5)


@pytest.mark.x64
def test_errors_and_intervals():
    fit = noisy()
    a, b = fit.names.index("a"), fit.names.index("b")
    C = fit.covariance
    np.testing.assert_allclose(C, C.T, rtol=1e-9)
    assert np.all(np.linalg.eigvalsh(C / np.sqrt(np.outer(np.diag(C), np.diag(C)))) > 0)
    assert fit.error("a") == pytest.approx(np.sqrt(C[a, a]))
    assert fit.error("a-b") == pytest.approx(np.sqrt(C[a, a] + C[b, b] - 2 * C[a, b]))
    assert fit.interval("a", sigmas=1.0) == pytest.approx(
        (fit.value("a") - fit.error("a"), fit.value("a") + fit.error("a"))
    )
    low, high = fit.interval("Dc")
    assert low * high == pytest.approx(fit.value("Dc") ** 2) and 0 < low < high
    for name in ("a", "b", "a-b", "Dc", "stiffness"):
        truth = TRUTH.get(name, -0.004)
        assert abs(fit.value(name) - truth) < 4 * fit.error(name)
    with pytest.raises(ValueError, match="no fitted parameter is called 'c'"):
        fit.value("c")


@pytest.mark.x64
def test_a_slip_distance_between_two_samples_is_named():
    """Such a fit converges, to an error of nothing: it would be believed."""
    fit = noisy()
    assert fit.unresolved == () and "sample finer" not in str(fit)
    between = float(fit.protocol.velocities[1]) * np.median(np.diff(fit.time))
    for Dc, names in ((0.2 * between, ("Dc",)), (0.5 * between, ())):
        values = np.where(np.array(fit.names) == "Dc", Dc, fit.values)
        short = eqx.tree_at(lambda f: f.values, fit, values)
        assert short.unresolved == names and ("Dc passes between" in str(short)) == bool(names)


@pytest.mark.x64
def test_table():
    fit = noisy()
    rows = {row["name"]: row for row in fit.table()}
    assert list(rows) == ["a", "b", "a-b", "Dc", "stiffness", "step_time", "mu0"]
    assert [rows[x]["unit"] for x in ("a", "Dc", "stiffness", "step_time")] == ["", "m", "1/m", "s"]
    assert all(row["low"] < row["value"] < row["high"] for row in rows.values())
    assert json.loads(json.dumps(fit.table()))[0]["name"] == "a"
    text = str(fit)
    assert text.startswith("Aging fitted to synthetic (1100 samples)")
    assert "95 % interval" in text and "converged in" in text and "BIC" in text
    assert all(name in text for name in rows)
    # every printed value shows two digits of its error
    printed = {line.split()[0]: line.split()[1:3] for line in text.splitlines()[2:-1]}
    for name, (value, error) in printed.items():
        assert float(value) == pytest.approx(rows[name]["value"], abs=0.06 * rows[name]["error"])
        assert float(error) == pytest.approx(rows[name]["error"], rel=0.06)


@pytest.mark.x64
def test_results_show_their_numbers_in_console_and_notebook():
    """No shapes in place of numbers; the notebook's table has the rows of the text."""
    fit = noisy()
    assert repr(fit) == str(fit) and "f64" not in repr(fit)
    assert repr(fit.identifiability()) == str(fit.identifiability())
    page = fit._repr_html_()
    assert page.count("<tr>") == 1 + len(fit.table()) and "Aging fitted to synthetic" in page
    for line in str(fit).splitlines()[2:-1]:
        name, value, error = line.split()[:3]
        assert f"<tr><th>{name}</th><td>{value}</td><td>{error}</td>" in page
    compared = inversion.compare([fit])
    assert repr(compared) == str(compared) and compared.rows[0].delta_bic == 0.0
    assert f"<tr><th>Aging</th><td>{fit.rms:.3g}</td><td>0.0</td>" in compared._repr_html_()
    # a debugger may print what holds no numbers
    empty = jax.tree_util.tree_map(lambda _: None, fit)
    assert repr(empty).startswith("StepFit(")


@pytest.mark.slow
@pytest.mark.x64
def test_laws_are_compared_by_bic():
    aging, slip = noisy("aging"), noisy("slip")
    assert aging.bic < slip.bic - 10 and aging.rms < slip.rms
    lines = str(inversion.compare([slip, aging])).splitlines()
    assert lines[1].startswith("Aging") and lines[2].startswith("Slip")
    assert float(lines[1].split()[3]) == 0.0
    assert float(lines[2].split()[3]) == pytest.approx(slip.bic - aging.bic, abs=0.06)


@pytest.mark.x64
def test_only_fits_of_one_record_are_compared():
    for fits in ([noisy(), clean("aging")], []):
        with pytest.raises(ValueError, match="one and the same record"):
            inversion.compare(fits)


# What the record leaves open ---------------------------------------------------------------------


@pytest.mark.x64
def test_identifiability_of_a_good_record():
    found = noisy().identifiability()
    assert "mu0" not in found.names and len(found.names) == 5
    assert np.all(np.diff(found.errors) <= 0) and found.errors[0] < 0.2
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(5), atol=1e-9)
    assert "combination" in str(found) and len(str(found).splitlines()) == 6


@pytest.mark.x64
def test_steady_states_alone_tell_a_minus_b():
    """Without the rows of the transient, no law can tell a from b, nor find Dc and stiffness."""
    time = np.concatenate([np.linspace(0, 19, ROWS // 2), np.linspace(300, 400, ROWS // 2)])
    record = make_record(make_law(), time=time, noise=1e-4)
    protocol = rs.VelocityProtocol([START, START + STEP], [1e-6, 1e-5])
    fit = inversion.fit_step(
        record, make_law(), rs.Spring(2000.0), free=FREE, protocol=protocol, throw=False
    )  # fmt: skip
    assert fit.value("a-b") == pytest.approx(-0.004, abs=4 * fit.error("a-b"))
    assert fit.error("a-b") < 1e-3
    assert min(fit.error("a"), fit.error("b")) > 100 * fit.error("a-b")
    found = fit.identifiability()
    assert found.errors[0] > 10
    # the best known direction is a − b
    best = dict(zip(found.names, found.directions[-1], strict=True))
    assert best["a"] == pytest.approx(-best["b"], abs=0.02)
    assert abs(best["a"]) == pytest.approx(np.sqrt(0.5), abs=0.02)


# Real records ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize(
    ("sample", "before", "after", "every"), [("basalt", 10, 20, 2), ("sepiolite", 600, 600, 8)]
)
def test_real_records_are_fitted_to_their_noise(sample, before, after, every):
    record = records.sample(sample)
    step = float(inversion.protocol_from_displacement(record).times[1])
    record = record.crop(step - before, step + after)
    columns = (record.time, record.displacement, record.friction)
    record = records.VelocityStepRecord(*(x[::every][:ROWS] for x in columns), name=sample)
    fits = [fit_from_guess(record, evolution) for evolution in ("aging", "slip")]
    best = min(fits, key=lambda fit: fit.rms)
    assert best.rms <= 1.1 * best.steady_noise
    for fit in fits:
        assert fit.converged and abs(fit.value("step_time") - step) < 0.05 * (before + after)
        assert 0.004 < fit.value("a") < 0.03 and 1e-6 < fit.value("Dc") < 1e-3
        assert all(0 < row["error"] < np.inf for row in fit.table())
        # laboratory noise is correlated
        assert max(model.phi.size for model in fit.noise) > 0
    if sample == "sepiolite":  # strengthens with velocity, both laws agree
        for fit in fits:
            assert fit.interval("a-b")[0] > 0.01


# Failures ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.x64
def test_no_convergence_says_what_to_do():
    record = make_record(make_law(), noise=1e-3)
    law, spring = inversion.guess(record)
    with pytest.raises(RuntimeError, match="did not converge in 3 iterations") as error:
        inversion.fit_step(record, law, spring, free=FREE, max_iterations=3)
    for remedy in ("better guess", "crop", "throw=False"):
        assert remedy in str(error.value)
    fit = inversion.fit_step(record, law, spring, free=FREE, max_iterations=3, throw=False)
    assert not fit.converged and np.all(np.isfinite(fit.covariance))
    assert "NOT CONVERGED" in str(fit)


@pytest.mark.x64
def test_a_guess_that_cannot_run_says_what_to_do():
    """Far below the critical stiffness and undamped, the slider accelerates without bound."""
    record = make_record(make_law())
    with pytest.raises(RuntimeError, match="better guess"):
        inversion.fit_step(record, make_law(a=0.001, b=0.05, Dc=1e-6), rs.Spring(2000.0), free=FREE)


@pytest.fixture(scope="module")
def ideal():
    """A record with a step in the displacement; friction does not matter."""
    slip = 1e-6 * TIME + 9e-6 * np.maximum(TIME - STEP, 0)
    return records.VelocityStepRecord(START + TIME, slip, np.full(TIME.size, 0.6), name="ideal")


@pytest.mark.x64
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"free": ("nonsense",)}, "free may name stiffness and step_time; got 'nonsense'"),
        ({"free": ("a",)}, "free may name"),
        ({"fixed": ("nonsense",)}, "no parameter is called 'nonsense'"),
        ({"fixed": ("Dc3",)}, "no parameter is called 'Dc3'"),
        ({"fixed": ("a", "b", "Dc")}, "fixed names every parameter"),
        ({"detrend": "cubic"}, "detrend must be one of none, linear, quadratic; got 'cubic'"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 2}, "velocity step|rows before it"),
    ],
)
def test_bad_options(ideal, options, message):
    with pytest.raises(ValueError, match=message):
        inversion.fit_step(ideal, make_law(), rs.Spring(2000.0), **options)


@pytest.mark.x64
def test_a_law_with_functions_of_velocity_has_no_numbers_to_fit(ideal):
    a = jax.tree_util.Partial(lambda V: 0.01 + 0 * V)
    for law in (make_law(a=a), make_law(b=a), make_law(Dc=a)):
        with pytest.raises(ValueError, match="give a, b and Dc as numbers"):
            inversion.fit_step(ideal, law, rs.Spring(2000.0))


@pytest.mark.x64
@pytest.mark.parametrize(
    ("times", "velocities", "message"),
    [
        ([START + 5, START + STEP], [1e-6, 1e-5], "starts at 105 s, after the record's first row"),
        ([START, START + 90], [1e-6, 1e-5], "lies outside the record"),
        ([START, START + 59.9], [1e-6, 1e-5], "rows"),
        ([START], [1e-6], "at least one velocity step"),
    ],
)
def test_protocol_must_suit_the_record(ideal, times, velocities, message):
    protocol = rs.VelocityProtocol(times, velocities)
    with pytest.raises(ValueError, match=message):
        inversion.fit_step(ideal, make_law(), rs.Spring(2000.0), protocol=protocol)


@pytest.mark.x64
def test_displacement_must_hold_a_step(ideal):
    for slip, message in (
        (1e-6 * TIME, "no 1 velocity step"),
        (-ideal.displacement, "does not increase"),
        (0 * TIME, "does not increase"),
    ):
        record = records.VelocityStepRecord(ideal.time, slip, ideal.friction)
        with pytest.raises(ValueError, match=message):
            inversion.fit_step(record, make_law(), rs.Spring(2000.0))


def test_inversion_needs_float64(ideal):
    with jax.enable_x64(False), pytest.raises(ValueError, match="jax_enable_x64"):
        inversion.fit_step(ideal, make_law(), rs.Spring(2000.0))


@pytest.mark.x64
def test_a_trial_that_no_protocol_allows_is_a_bad_one_and_no_error():
    """Step times before the start, lengths beyond all numbers: the search turns back from them."""
    from jaxfric.inversion._fit import Problem
    from jaxfric.inversion._problem import make_block, make_layout

    record = make_record(make_law())
    load = inversion.protocol_from_displacement(record)
    block = make_block(record.time, record.friction, make_law(), rs.Spring(2000.0), load, 1)
    layout, guess = make_layout([block], ["a", "b", "Dc"], FREE, ())
    problem = Problem(layout, (block,))
    assert np.isfinite(problem.residuals(np.array(guess))[0]).all()
    for name, value in (("step_time", -5.0), ("Dc", 1e3), ("Dc", -1e3), ("stiffness", 1e3)):
        trial = np.array(guess)
        trial[layout.labels.index(name)] = value
        residuals, jacobian = problem.residuals(trial)
        assert not np.isfinite(residuals).all() and jacobian.shape[1] == trial.size

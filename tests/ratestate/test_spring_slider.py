"""A slider behind a spring: reference curves, force balance, limits, inertia, bad input."""

import math

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import Status, ratestate as rs

EVOLUTIONS = {"aging": rs.Aging(), "slip": rs.Slip(), "prz": rs.PRZ(), "nagata": rs.Nagata(c=2.0)}
T = np.arange(41.0)  # the samples of the reference curves

x64 = pytest.mark.x64


def load_step(before, after, *, at):
    """A velocity step in a protocol of three segments, so that one program serves most tests."""
    return rs.VelocityProtocol([0.0, at, np.inf], [before, after, 0.0])


@jax.jit
def run(law, spring, protocol, t):
    return rs.spring_slider(law, spring, protocol, t)


@jax.jit
def started(law, spring, protocol, t, initial):
    return rs.spring_slider(law, spring, protocol, t, initial=initial)


def law_of(names, b, Dc, a=0.01, **options):
    if len(names) == 1:
        b, Dc, evolution = b[0], Dc[0], EVOLUTIONS[names[0]]
    else:
        b, Dc, evolution = tuple(b), tuple(Dc), tuple(EVOLUTIONS[n] for n in names)
    return rs.RateStateLaw(0.6, a, b, Dc, 1.0, evolution, **options)


def assert_rates(history, spring, protocol, atol):
    """μ' + η V' = k (V_lp − V), from the rates that the history carries."""
    rate = history.friction_rate + spring.damping * history.velocity * history.log_velocity_rate
    pull = spring.stiffness * (protocol(history.time) - history.velocity)
    np.testing.assert_allclose(rate, pull, rtol=0, atol=atol)


def assert_force_balance(history, spring, protocol, atol, stress=1.0):
    """n μ + η V − k (x_lp − x) keeps its first value without inertia."""
    pull = spring.stiffness * (protocol.displacement(history.time) - history.slip)
    total = stress * history.friction + spring.damping * history.velocity - pull
    np.testing.assert_allclose(total, total[0], rtol=0, atol=atol)


# Against independent solutions -------------------------------------------------------------------


@x64
@pytest.mark.parametrize(
    "curve", ["dieterich", "ruina", "prz", "prz_2", "two_state_dieterich", "two_state_ruina"]
)
def test_reference_curves(curve, data):
    case = data("spring_slider_reference.json")[curve]
    law = law_of(case["laws"], case["b"], case["Dc"], case["a"])
    protocol = load_step(*case["load_velocity"], at=case["step_time"])
    t = jnp.asarray(case["times"], float)
    history = run(law, rs.Spring(case["k"]), protocol, t)
    assert history.status.ok
    np.testing.assert_allclose(history.friction, case["friction"], rtol=0, atol=1e-7)
    # The slip is integrated beside the friction: its error is some rtol = 1e-8 of the slip.
    slip_error = 1e-7 * case["k"] * float(history.slip[-1])
    assert_force_balance(history, rs.Spring(case["k"]), protocol, slip_error)


@x64
def test_velocity_step_to_100_s_without_jit():
    law = rs.RateStateLaw(mu0=0.6, a=0.001, b=0.0015, Dc=1e-4, V0=1e-6)
    protocol = rs.VelocityProtocol([0.0], [1e-5])
    start = (1e-6, law.initial(1e-6))
    history = rs.spring_slider(law, rs.Spring(50.0), protocol, jnp.array([100.0]), initial=start)
    assert abs(float(history.friction[0]) - 0.59884871) <= 1e-7


def runge_kutta(names, a, b, Dc, k, load, c=2.0, times=T, dt=2e-3):
    """The textbook equations in μ and θ by classical Runge–Kutta; V follows from μ.

    μ' = k (V_lp − V); θ' of each law at V; Nagata: θ' = 1 − q − (c/b) θ μ'. μ0 = 0.6, V0 = 1.
    Velocities are (before, after, step time); starts at steady state.
    """
    factor = [2.0 if n == "prz" else 1.0 for n in names]
    states = list(zip(names, b, Dc, factor, strict=True))

    def rates(y, V_load):
        psi = sum(bi * math.log(th / (f * D)) for th, (_, bi, D, f) in zip(y[1:], states, strict=True))  # fmt: skip  # noqa: E501
        V = math.exp((y[0] - 0.6 - psi) / a)
        mu_rate = k * (V_load - V)
        out = [mu_rate]
        for theta, (name, bi, D, _) in zip(y[1:], states, strict=True):
            q = V * theta / D
            if name == "slip":
                out.append(-q * math.log(q))
            elif name == "prz":
                out.append(1 - (q / 2) ** 2)
            else:
                out.append(1 - q - (c / bi * theta * mu_rate if name == "nagata" else 0))
        return out

    before, after, at = load
    y = [0.6 + (a - sum(b)) * math.log(before)] + [f * D / before for _, _, D, f in states]
    mu = [y[0]]
    for start, end in zip(times[:-1], times[1:], strict=True):
        V_load = before if start < at else after
        n = round((end - start) / dt)
        h = (end - start) / n
        for _ in range(n):
            k1 = rates(y, V_load)
            k2 = rates([u + h / 2 * r for u, r in zip(y, k1, strict=True)], V_load)
            k3 = rates([u + h / 2 * r for u, r in zip(y, k2, strict=True)], V_load)
            k4 = rates([u + h * r for u, r in zip(y, k3, strict=True)], V_load)
            y = [
                u + h / 6 * (p + 2 * q + 2 * r + s)
                for u, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True)
            ]
        mu.append(y[0])
    return np.array(mu)


def test_runge_kutta_agrees_with_the_reference_curves(data):
    """The check's own check."""
    case = data("spring_slider_reference.json")["two_state_dieterich"]
    mu = runge_kutta(case["laws"], case["a"], case["b"], case["Dc"], case["k"], (1, 10, 10))
    np.testing.assert_allclose(mu, case["friction"], rtol=0, atol=2e-9)


@x64
@pytest.mark.parametrize(
    ("names", "a", "b", "Dc", "k"),
    [
        (["prz", "prz"], 0.012, [0.0185, 0.0088], [5.0, 50.0], 0.012),
        (["nagata"], 0.01, [0.012], [10.0], 0.002),
        (["nagata"], 0.005, [0.01], [10.0], 0.001),
        (["nagata", "slip"], 0.012, [0.01, 0.006], [5.0, 20.0], 0.004),
    ],
)
def test_textbook_equations(names, a, b, Dc, k):
    history = run(
        law_of(names, b, Dc, a), rs.Spring(k), load_step(1.0, 10.0, at=10.0), jnp.asarray(T)
    )
    expected = runge_kutta(names, a, b, Dc, k, (1.0, 10.0, 10.0))
    assert history.status.ok
    np.testing.assert_allclose(history.friction, expected, rtol=0, atol=1e-7)


# Limits and balances -----------------------------------------------------------------------------


@x64
@given(
    log_k=st.floats(-3, 1), a=st.floats(0.004, 0.02), b=st.floats(0.0, 0.02),
    damping=st.floats(0, 1e-2), after=st.floats(0, 30),
)  # fmt: skip
def test_force_balance(log_k, a, b, damping, after):
    """Stable, unstable, held: the load is carried by friction and damping at every sample."""
    spring = rs.Spring(10**log_k * 1e-3, damping + 1e-4)
    protocol = load_step(1.0, after, at=10.0)
    history = run(law_of(["aging"], [b], [10.0], a), spring, protocol, jnp.asarray(T))
    assert history.status.ok
    assert_force_balance(history, spring, protocol, 3e-7)
    assert jnp.all(history.velocity > 0) and jnp.all(jnp.diff(history.slip) >= 0)


@x64
@given(time=st.floats(1e-3, 1e6), length=st.floats(1e-6, 1.0))
def test_units_do_not_matter(time, length):
    def friction(t, x):
        law = rs.RateStateLaw(0.6, 0.005, 0.01, 10.0 * x, x / t, rs.Aging())
        spring = rs.Spring(1e-3 / x, 1e-3 * t / x)
        return run(
            law, spring, load_step(x / t, 10 * x / t, at=10 * t), jnp.asarray(T * t)
        ).friction

    np.testing.assert_allclose(friction(time, length), friction(1.0, 1.0), rtol=0, atol=1e-7)


@x64
@pytest.mark.parametrize("name_", ["aging", "nagata"])
def test_rigid_spring_is_imposed_sliding(name_):
    """Stiffness 300 times the critical one; the slider lags by Δμ/k < 0.02/k."""
    law, protocol, t = law_of([name_], [0.016], [10.0]), load_step(1.0, 3.0, at=9.5), jnp.asarray(T)
    k = 0.2
    ours, imposed = run(law, rs.Spring(k), protocol, t), rs.slide(law, protocol, t)
    assert ours.status.ok
    late = np.abs(T - 10) > 0.6  # the jump itself takes a few a/(k V)
    np.testing.assert_allclose(ours.velocity[late], imposed.velocity[late], rtol=0.02)
    np.testing.assert_allclose(ours.friction[late], imposed.friction[late], rtol=0, atol=3e-4)
    np.testing.assert_allclose(ours.slip, imposed.slip, rtol=0, atol=0.02 / k)


@x64
def test_hold_and_reslide():
    """Load point at rest: the slider creeps on and unloads; aging heals, so the reslide peaks."""
    protocol = rs.VelocityProtocol([0.0, 20.0, 35.0], [1.0, 0.0, 1.0])
    spring = rs.Spring(0.01)
    peaks = {}
    for name in ("aging", "slip"):
        history = run(law_of([name], [0.016], [10.0]), spring, protocol, jnp.asarray(T))
        assert history.status.ok
        assert_force_balance(history, spring, protocol, 1e-7)
        assert history.friction[34] < 0.6 - 0.01 and history.velocity[34] < 0.1
        peaks[name] = float(jnp.max(history.friction[35:])) - 0.6
    assert peaks["aging"] > peaks["slip"] > 1e-3


@x64
def test_stick_slip_keeps_its_balance():
    """A tenth of the critical stiffness: ten decades of velocity, with radiation damping."""
    law, spring = law_of(["aging"], [0.016], [0.1]), rs.Spring(0.006, 1e-6)
    protocol = load_step(1.0, 1.2, at=1.0)
    history = run(law, spring, protocol, jnp.asarray(T))
    assert history.status.ok
    assert_force_balance(history, spring, protocol, 1e-6)
    assert_rates(history, spring, protocol, 1e-9)
    drop = jnp.max(history.friction) - jnp.min(history.friction)
    assert drop > 0.05 and jnp.min(history.velocity) < 1e-2


@x64
def test_normal_stress_history():
    """n μ + η V = k (x_lp − x) through a ramp of σ; ln θ gains −(α/b) ln n."""
    law = law_of(["slip"], [0.01], [10.0], alpha=0.2)
    stress = rs.NormalStress([10.0, 10.0 + 1e-6], [1.0, 1.1])
    protocol, spring = load_step(1.0, 0.0, at=30.0), rs.Spring(0.01, 1e-3)
    times = np.sort(np.append(T, 10 + 1e-6))

    @jax.jit
    def stressed(law, protocol, t):
        return rs.spring_slider(law, spring, protocol, t, normal_stress=stress)

    history = stressed(law, protocol, jnp.asarray(times))
    assert history.status.ok
    assert_force_balance(history, spring, protocol, 3e-7, stress(history.time))
    gain = jnp.log(history.state[11] / history.state[10])
    np.testing.assert_allclose(gain, -0.2 / 0.01 * np.log(1.1), rtol=1e-3)
    # Nothing slips within a microsecond, so the shear load is unchanged but for damping.
    np.testing.assert_allclose(
        1.1 * history.friction[11] + 1e-3 * history.velocity[11],
        history.friction[10] + 1e-3 * history.velocity[10],
        atol=1e-6,
    )


@x64
def test_smooth_load():
    """V_lp = 1 + 0.5 sin t, linear response: δV/V = k δV_lp / (k + s Z(s)), s = i, Z from θ.

    δμ = k δV_lp/(s) − … : a δV/V + b δθ/θ, δθ/θ = −(V/Dc) δV/V / (s + V/Dc) for the aging law.
    """
    amplitude, a, b, k = 1e-4, 0.02, 0.01, 0.05
    load = jax.tree_util.Partial(lambda A, t: 1 + A * jnp.sin(t), jnp.asarray(amplitude))
    law = law_of(["aging"], [b], [1.0], a)
    t = np.linspace(30.0, 40.0, 41)
    history = run(law, rs.Spring(k), load, jnp.asarray(np.append(0.0, t)))
    s = 1j
    gain = k / (k + s * (a - b / (s + 1)))
    expected = np.imag(gain * np.exp(s * t)) * amplitude
    np.testing.assert_allclose(history.velocity[1:] - 1, expected, rtol=0, atol=1e-3 * amplitude)


# Inertia -----------------------------------------------------------------------------------------


def inertial_runge_kutta(a, b, Dc, k, damping, mass, load, t_end, dt):
    """m V' = F − μ − η V, F' = k (V_lp − V), θ' = 1 − q in V, θ, F; a load step at t = 1."""

    def rates(V, theta, F, V_load):
        mu = 0.6 + a * math.log(V) + b * math.log(theta / Dc)
        return (F - mu - damping * V) / mass, 1 - V * theta / Dc, k * (V_load - V)

    before, after = load
    y = (before, Dc / before, 0.6 + (a - b) * math.log(before) + damping * before)
    out, n = [y], round(0.025 / dt)
    for i in range(round(t_end / dt)):
        V_load = before if i * dt < 1 - dt / 2 else after
        k1 = rates(*y, V_load)
        k2 = rates(*(u + dt / 2 * r for u, r in zip(y, k1, strict=True)), V_load)
        k3 = rates(*(u + dt / 2 * r for u, r in zip(y, k2, strict=True)), V_load)
        k4 = rates(*(u + dt * r for u, r in zip(y, k3, strict=True)), V_load)
        y = tuple(
            u + dt / 6 * (p + 2 * q + 2 * r + s)
            for u, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True)
        )
        if (i + 1) % n == 0:
            out.append(y)
    return np.array(out)


@x64
def test_inertia():
    """Finite masses by Runge–Kutta; a tiny one is the quasi-dynamic limit."""
    law, protocol = law_of(["aging"], [0.016], [1.0]), load_step(1.0, 2.0, at=1.0)
    t = np.arange(401) * 0.025
    for mass in (1e-2, 1e-3):
        history = run(law, rs.Spring(0.05, 1e-3, mass), protocol, jnp.asarray(t))
        expected = inertial_runge_kutta(0.01, 0.016, 1.0, 0.05, 1e-3, mass, (1.0, 2.0), 10.0, 5e-4)
        assert history.status.ok
        np.testing.assert_allclose(history.velocity, expected[:, 0], rtol=0, atol=1e-6)
        np.testing.assert_allclose(history.state, expected[:, 1], rtol=0, atol=1e-6)
        pull = 0.05 * (protocol.displacement(history.time) - history.slip)
        np.testing.assert_allclose(expected[:, 2] - expected[0, 2], pull, rtol=0, atol=1e-7)
    light = run(law, rs.Spring(0.05, 1e-3, 1e-8), protocol, jnp.asarray(t))
    massless = run(law, rs.Spring(0.05, 1e-3), protocol, jnp.asarray(t))
    np.testing.assert_allclose(light.friction, massless.friction, rtol=0, atol=1e-6)


@x64
def test_energy_is_conserved():
    """∫ F V_lp dt = elastic + kinetic energy gained + ∫ (μ + η V) V dt, by Simpson's rule."""
    law, k, eta, mass = law_of(["aging"], [0.016], [1.0]), 0.05, 1e-3, 1e-2
    t = np.linspace(0.0, 4.0, 401)
    protocol = load_step(1.0, 2.0, at=1e-9)
    history = jax.tree_util.tree_map(
        np.asarray, run(law, rs.Spring(k, eta, mass), protocol, jnp.asarray(t))
    )
    V = history.velocity
    F = history.friction[0] + eta + k * (protocol.displacement(history.time) - history.slip)
    weights = np.full(401, 2 / 300)
    weights[1::2], weights[[0, -1]] = 4 / 300, 1 / 300
    work = np.sum(weights * F * 2.0)
    lost = np.sum(weights * (history.friction + eta * V) * V)
    stored = (F[-1] ** 2 - F[0] ** 2) / (2 * k) + mass * (V[-1] ** 2 - V[0] ** 2) / 2
    assert abs(stored) > 1e-3
    np.testing.assert_allclose(work, lost + stored, rtol=1e-6)


# Parameters and laws of the user's own -----------------------------------------------------------


class Network(eqx.Module):
    """A small network for a(V), in float32."""

    weight: jax.Array
    bias: jax.Array

    def __call__(self, V):
        x = jnp.log(V).astype(self.weight.dtype)
        return 0.01 + 0.002 * jnp.tanh(self.weight * x + self.bias)


@x64
@pytest.mark.parametrize("dtype", [pytest.param("float64", marks=pytest.mark.slow), "float32"])
def test_network_as_direct_effect(dtype):
    """a(V): d(a ln V)/d ln V carries the load; against Runge–Kutta in ln V and θ."""
    network = Network(jnp.asarray(0.5, dtype), jnp.asarray(0.1, dtype))
    law = rs.RateStateLaw(0.6, network, 0.012, 10.0, 1.0)
    history = run(law, rs.Spring(2e-3), load_step(1.0, 10.0, at=10.0), jnp.asarray(T))

    def rates(w, theta, V_load):
        V = math.exp(w)
        tanh = math.tanh(0.5 * w + 0.1)
        slope = 0.01 + 0.002 * tanh + w * 0.002 * 0.5 * (1 - tanh**2)
        theta_rate = 1 - V * theta / 10
        return (2e-3 * (V_load - V) - 0.012 * theta_rate / theta) / slope, theta_rate

    y, mu, h = (0.0, 10.0), [], 2.5e-3
    for i in range(41):
        w, theta = y
        mu.append(0.6 + (0.01 + 0.002 * math.tanh(0.5 * w + 0.1)) * w + 0.012 * math.log(theta / 10))  # fmt: skip  # noqa: E501
        for _ in range(400):
            V_load = 1.0 if i < 10 else 10.0
            k1 = rates(*y, V_load)
            k2 = rates(*(u + h / 2 * r for u, r in zip(y, k1, strict=True)), V_load)
            k3 = rates(*(u + h / 2 * r for u, r in zip(y, k2, strict=True)), V_load)
            k4 = rates(*(u + h * r for u, r in zip(y, k3, strict=True)), V_load)
            y = tuple(
                u + h / 6 * (p + 2 * q + 2 * r + s)
                for u, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True)
            )
    assert history.status.ok and history.friction.dtype == jnp.float64
    np.testing.assert_allclose(
        history.friction, mu, rtol=0, atol=1e-7 if dtype == "float64" else 1e-6
    )


class Aged(eqx.Module):
    """An aging law with the three methods only, its state in a dictionary."""

    def initial(self, V):
        return {"age": 10.0 / V}

    def friction(self, V, state):
        return 0.6 + 0.01 * jnp.log(V) + 0.012 * jnp.log(state["age"] / 10.0)

    def rate(self, V, state):
        return {"age": 1 - V * state["age"] / 10.0}


@x64
def test_a_law_is_whatever_has_the_methods():
    protocol, t = load_step(1.0, 10.0, at=10.0), jnp.asarray(T)
    ours = run(Aged(), rs.Spring(2e-3), protocol, t)
    expected = run(law_of(["aging"], [0.012], [10.0]), rs.Spring(2e-3), protocol, t)
    assert ours.status.ok
    np.testing.assert_allclose(ours.friction, expected.friction, rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours.state["age"], expected.state, rtol=1e-6)


@x64
def test_start_may_be_given():
    """Out of steady state, with the load point at rest, in the regularised form."""
    law = law_of(["aging"], [0.012], [10.0], form="regularised")
    protocol = rs.VelocityProtocol([0.0], [0.0])
    t = jnp.array([0.0, 50.0])
    history = started(law, rs.Spring(1e-3), protocol, t, (jnp.asarray(2.0), jnp.asarray(1.0)))
    np.testing.assert_allclose(history.velocity[0], 2.0)
    np.testing.assert_allclose(history.state[0], 1.0)
    start = 0.6 + 0.01 * np.log(2.0) + 0.012 * np.log(0.1)
    np.testing.assert_allclose(history.friction[0], start, rtol=1e-12)
    assert_force_balance(history, rs.Spring(1e-3), protocol, 1e-7)
    assert history.velocity[1] < 0.2


# Batches, steps, solvers -------------------------------------------------------------------------


@x64
def test_vmap_is_a_loop():
    protocol, t = load_step(1.0, 10.0, at=10.0), jnp.asarray(T)

    def friction(k):
        return rs.spring_slider(law_of(["aging"], [0.01], [10.0]), rs.Spring(k), protocol, t).friction  # fmt: skip  # noqa: E501

    k = jnp.array([1e-3, 2e-3, 1e-2])
    together = jax.jit(jax.vmap(friction))(k)
    law = law_of(["aging"], [0.01], [10.0])
    for i in range(3):
        jitted = run(law, rs.Spring(k[i]), protocol, t).friction
        np.testing.assert_allclose(together[i], jitted, rtol=0, atol=1e-8)


@x64
def test_padding_changes_nothing():
    law, t = law_of(["aging"], [0.01], [10.0]), jnp.asarray(T)
    short = run(law, rs.Spring(2e-3), rs.VelocityProtocol.step(1.0, 10.0, at=10.0), t)
    padded = run(law, rs.Spring(2e-3), load_step(1.0, 10.0, at=10.0), t)
    np.testing.assert_allclose(padded.friction, short.friction, rtol=0, atol=1e-8)


@x64
def test_the_solvers_own_steps_and_running_out_of_them():
    protocol, t = load_step(1.0, 10.0, at=10.0), jnp.array([30.0])

    @jax.jit
    def stepped(law, spring):
        return rs.spring_slider(
            law, spring, protocol, t, steps=True, options=rs.Options(max_steps=512)
        )

    stable = law_of(["aging"], [0.005], [10.0])
    history = stepped(stable, rs.Spring(1e-3))
    assert history.status.ok
    assert history.time[0] == 0.0 and history.time[-1] == 30.0
    steps = jnp.diff(history.time)
    assert jnp.all(steps >= 0)
    used = int(jnp.sum(steps > 0)) + 1
    assert 30 < used < 512
    np.testing.assert_array_equal(history.friction[used:], history.friction[-1])
    some = np.linspace(0, used - 1, T.size).astype(int)
    expected = run(stable, rs.Spring(1e-3), protocol, history.time[some]).friction
    np.testing.assert_allclose(history.friction[some], expected, atol=1e-7)
    assert_force_balance(history, rs.Spring(1e-3), protocol, 1e-7)

    history = stepped(law_of(["aging"], [0.016], [0.1]), rs.Spring(0.006, 1e-6))
    assert history.status.outcome == rs.Outcome.max_steps
    assert jnp.all(jnp.isfinite(history.friction)) and history.time[-1] < 30


@x64
@pytest.mark.slow
@pytest.mark.parametrize("solver", [diffrax.Dopri8(), rs.stiff_solver()])
def test_solver_is_selectable(solver, data):
    case = data("spring_slider_reference.json")["two_state_dieterich"]
    law = law_of(case["laws"], case["b"], case["Dc"], case["a"])
    history = rs.spring_slider(
        law, rs.Spring(case["k"]), load_step(1.0, 10.0, at=10.0), jnp.asarray(T),
        options=rs.Options(solver, 1e-9, 1e-11, adjoint=diffrax.RecursiveCheckpointAdjoint()),
    )  # fmt: skip
    assert history.status.ok
    np.testing.assert_allclose(history.friction, case["friction"], rtol=0, atol=1e-7)


@x64
@pytest.mark.slow
@pytest.mark.parametrize(
    ("law_name", "form"),
    [
        # every law, and both forms where friction and state are coupled; the first four of these
        # and as many samples as everywhere make programs that the tests above have compiled
        ("aging", "classical"), ("slip", "classical"), ("prz", "classical"),
        ("nagata", "classical"), ("nagata", "regularised"), ("composite", "regularised"),
    ],
)  # fmt: skip
def test_many_stick_slip_cycles(law_name, form, evolutions):
    """Each law below its critical stiffness, 20 cycles: still in balance, still bounded."""
    evolution = rs.Composite(1e-3) if law_name == "composite" else evolutions[law_name]
    law = rs.RateStateLaw(0.6, 0.01, 0.016, 0.1, 1.0, evolution, form=form)
    spring = rs.Spring(0.01 if law_name != "nagata" else 0.005, 1e-5)
    protocol = load_step(1.0, 1.1, at=1.0)
    frictions = []
    for phase in np.arange(5):  # 41 samples in each, between those of the others
        t = np.minimum(5 * T + phase, 200.0)
        history = run(law, spring, protocol, jnp.asarray(np.append(0.0, t[1:])))
        assert history.status.ok
        assert_force_balance(history, spring, protocol, 1e-5)
        frictions.append(history.friction)
    assert 0.02 < np.ptp(frictions) < 0.6


# Bad input ---------------------------------------------------------------------------------------


@x64
def test_traced_bad_values_set_the_status():
    """One batch: the bad members say why, the good ones are not disturbed."""
    good = {
        "Dc": 10.0, "k": 2e-3, "eta": 1e-3, "V": [1.0, 10.0], "times": [0.0, 10.0],
        "t": [0.0, 20.0], "start": 1.0,
    }  # fmt: skip
    cases = [
        (good, rs.Outcome.successful),
        (good | {"V": [1.0, 0.0]}, rs.Outcome.successful),  # a hold is legal
        (good | {"V": [1.0, -1.0]}, rs.Outcome.bad_protocol),
        (good | {"V": [1.0, np.nan]}, rs.Outcome.bad_protocol),
        (good | {"times": [0.0, -1.0]}, rs.Outcome.bad_protocol),
        (good | {"times": [0.0, 0.0]}, rs.Outcome.bad_protocol),
        (good | {"Dc": -10.0}, rs.Outcome.bad_parameter),
        (good | {"Dc": np.nan}, rs.Outcome.bad_parameter),
        (good | {"k": 0.0}, rs.Outcome.bad_parameter),
        (good | {"k": -1.0}, rs.Outcome.bad_parameter),
        (good | {"eta": -1.0}, rs.Outcome.bad_parameter),
        (good | {"t": [-1.0, 20.0]}, rs.Outcome.bad_time),
        (good | {"t": [0.0, np.nan]}, rs.Outcome.bad_time),
        (good | {"t": [20.0, 0.0]}, rs.Outcome.bad_time),
        (good, rs.Outcome.successful),
    ]

    def one(case):
        law = law_of(["aging"], [0.012], [case["Dc"]])
        protocol = rs.VelocityProtocol(case["times"], case["V"])
        start = (case["start"], jnp.asarray(10.0))
        spring = rs.Spring(case["k"], case["eta"])
        options = rs.Options(max_steps=1000)
        return rs.spring_slider(law, spring, protocol, case["t"], initial=start, options=options)

    batch = {key: jnp.array([case[key] for case, _ in cases]) for key in good}
    history = jax.jit(jax.vmap(one))(batch)
    expected = [Status(outcome, rs.Outcome).code for _, outcome in cases]
    np.testing.assert_array_equal(history.status.code, expected)
    np.testing.assert_array_equal(history.friction[0], history.friction[-1])
    assert jnp.all(jnp.isfinite(history.friction[1]))


@x64
def test_traced_start_at_rest_sets_the_status():
    law = law_of(["aging"], [0.01], [10.0])
    history = run(law, rs.Spring(2e-3), load_step(0.0, 2.0, at=10.0), jnp.asarray(T))
    assert not history.status.ok


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.Spring(0.0), "stiffness must be positive; got 0.0"),
        (lambda: rs.Spring(-1.0), "stiffness must be positive; got -1.0"),
        (lambda: rs.Spring(np.inf), "stiffness must be finite"),
        (lambda: rs.Spring(1.0, -1.0), "damping must not be negative; got -1.0"),
        (lambda: rs.Spring(1.0, 0.0, -1.0), "mass must not be negative; got -1.0"),
        (lambda: rs.Spring(1.0, 0.0, np.nan), "mass must be finite"),
        (lambda: rs.Spring.from_stress(1.0, normal_stress=0.0), "normal_stress must be positive"),
    ],
)
def test_bad_springs_raise(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_spring_from_stress():
    spring = rs.Spring.from_stress(5e8, eta=5e6, mass=2e7, normal_stress=1e7)
    np.testing.assert_allclose([spring.stiffness, spring.damping, spring.mass], [50.0, 0.5, 2.0])
    assert rs.Spring(1.0).mass is None and rs.Spring(1.0, mass=0).mass is None


@x64
def test_bad_loads_raise():
    law, spring, t = law_of(["aging"], [0.016], [10.0]), rs.Spring(1.0), jnp.array([0.0, 1.0])
    protocol = rs.VelocityProtocol([0.0], [1.0])

    def raises(words, law=law, spring=spring, protocol=protocol, t=t, **options):
        with pytest.raises(ValueError, match=words):
            rs.spring_slider(law, spring, protocol, t, **options)

    raises(
        r"starts at velocity 0.*initial=\(V, state\)", protocol=rs.VelocityProtocol([0.0], [0.0])
    )
    raises("finite and sorted", t=jnp.array([1.0, 0.0]))
    raises("before the protocol's start, 0.0 s", t=jnp.array([-1.0, 0.0]))
    raises(r"t must have shape \(n,\).*jax.vmap", t=jnp.zeros((3, 2)))
    batch = jax.vmap(rs.VelocityProtocol)(jnp.zeros((5, 1)), jnp.ones((5, 1)))
    raises(r"protocol times must have shape \(n,\).*jax.vmap", protocol=batch)
    raises("jax.vmap", law=jax.vmap(lambda a: law_of(["aging"], [0.016], [10.0], a))(jnp.ones(5)))
    raises("jax.vmap", spring=jax.vmap(rs.Spring)(jnp.ones(5)))
    for V in (0.0, -1.0, np.nan):
        raises("initial", initial=(V, law.initial(1.0)))
    for theta in (0.0, -1.0):
        raises("initial", initial=(1.0, jnp.asarray(theta)))


@x64
def test_float32_arrays_raise():
    """With 64 bits on, but single-precision arrays only."""
    protocol = rs.VelocityProtocol(np.float32([0.0]), np.float32([1.0]))
    with pytest.raises(ValueError, match="every array given is float32; pass t and the protocol"):
        rs.spring_slider(law_of(["aging"], [0.016], [10.0]), rs.Spring(1.0), protocol, np.float32([0, 1]))  # fmt: skip  # noqa: E501


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="says how to enable float64")
def test_float32_says_how_to_enable_float64():
    with pytest.raises(ValueError, match=r"jax.config.update\('jax_enable_x64', True\)"):
        rs.spring_slider(
            law_of(["aging"], [0.016], [10.0]), rs.Spring(1.0),
            rs.VelocityProtocol([0.0], [1.0]), jnp.array([0.0, 1.0]),
        )  # fmt: skip

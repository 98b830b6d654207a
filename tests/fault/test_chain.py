"""Chains of patches: one patch, energy, stability, recurrence, gradients."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import fault, ratestate

pytestmark = pytest.mark.x64

A, B, DC, V0, SIGMA = 0.01, 0.015, 2e-6, 1e-6, 5e6


def chain_of(n=1, *, loader=2e10, leaf=2e10, b=B, **options):
    law = fault.patches(mu0=0.6, a=A, b=jnp.full(n, b), Dc=DC, V0=V0)
    given = {"coupling": 0.0, "damping": 1e6} | options
    return fault.FaultChain(law, SIGMA, loader=loader, leaf=leaf, **given)


def simulated(*args, **options):
    how = {k: options.pop(k) for k in ("rtol", "atol") if k in options}
    how = fault.Options(adjoint=diffrax.ForwardMode(), max_steps=16384, **how)
    return fault.simulate(*args, options=how, **options)


def start(n, V=1e-6, perturbed=1.0):
    return jnp.full(n, V * perturbed), jnp.full(n, DC / V)


def test_one_patch_is_a_spring_slider_on_both_springs_in_series():
    t = jnp.linspace(0.0, 60.0, 301)
    chain = chain_of()
    history = simulated(chain, 1e-5, t, initial=start(1))
    law = ratestate.RateStateLaw(mu0=0.6, a=A, b=B, Dc=DC, V0=V0)
    spring = ratestate.Spring.from_stress(1e10, 1e6, normal_stress=SIGMA)
    V, theta = start(1)
    expected = ratestate.spring_slider(
        law, spring, ratestate.VelocityProtocol([0.0], [1e-5]), t, initial=(V[0], theta[0])
    )
    assert bool(history.status.ok)
    # the bulk friction of the chain carries the radiation damping, η V/σ
    bulk = expected.friction + 1e6 / SIGMA * expected.velocity
    np.testing.assert_allclose(history.friction, bulk, atol=2e-6)
    np.testing.assert_allclose(history.slip, expected.slip, atol=2e-10)


def test_equal_patches_move_as_one_whatever_couples_them():
    t = jnp.linspace(0.0, 30.0, 61)
    one = simulated(chain_of(), 1e-5, t, initial=start(1))
    many = simulated(chain_of(5, coupling=7e9), 1e-5, t, initial=start(5))
    np.testing.assert_allclose(many.friction, one.friction, atol=1e-6)
    np.testing.assert_allclose(many.kinetic_integral, 5 * one.kinetic_integral, rtol=1e-3)


def test_work_of_the_loader_is_stored_or_dissipated():
    """x' F = (elastic energy)' + Σ τ V for limited loader and leaves, and neighbours."""
    limit, K, k, c, V_load = 5e6, 2e10, 3e10, 1e10, 1e-5
    leaf_limit = np.array([4e6, np.inf, 6e6])
    law = fault.patches(mu0=0.6, a=A, b=jnp.array([0.014, 0.015, 0.017]), Dc=DC, V0=V0)
    sigma = jnp.array([4e6, 5e6, 6e6])
    chain = fault.FaultChain(
        law, sigma, loader=K, leaf=k, coupling=c, damping=1e6, limit=limit,
        leaf_limit=leaf_limit, roughness=0.004, wavelengths=(3e-5, 7e-5),
        phases=jnp.arange(6.0).reshape(3, 2), drift=0.01, drift_time=20.0,
    )  # fmt: skip
    first = jnp.array([1e-6, 2e-6, 3e-6]), jnp.full(3, 1.0)
    history = simulated(chain, V_load, jnp.array([12.0]), initial=first, steps=True, patches=True)
    assert int(history.catalogue(threshold=1e-3).count) >= 2

    def stored(i):
        force, tau, slip = (
            np.asarray(x[i]) for x in (history.friction * 5e6, history.patch_stress,
                                       history.patch_slip)
        )  # fmt: skip
        stretch = np.diff(slip)
        leaf = tau - c * np.diff(stretch, prepend=0, append=0)
        leaves = [curved(f, k, most) for f, most in zip(leaf, leaf_limit, strict=True)]
        return 3 * curved(force, K, limit) + sum(leaves) + c / 2 * np.sum(stretch**2)

    def curved(force, stiffness, limit):
        """∫ F dδ of F = L (1 − exp(−K δ/L))."""
        if np.isinf(limit):
            return force**2 / (2 * stiffness)
        return -(limit**2 * np.log1p(-force / limit) + limit * force) / stiffness

    supplied = 3 * V_load * 5e6 * float(history.friction_integral[-1])
    dissipated = float(history.work[-1])
    assert supplied == pytest.approx(stored(-1) - stored(0) + dissipated, rel=1e-6)
    assert abs(stored(-1) - stored(0)) > 1e-3 * supplied  # the balance is not of two terms only


def test_springs_of_one_limit_in_series_are_one_spring_of_that_limit():
    """Of stiffness K k/(K + k): F = L − (L − F₀) exp(−K_s V t/L) while the patches hold."""
    limit, K, k, V_load = 3.5e6, 2e10, 5e10, 1e-5
    chain = chain_of(3, loader=K, leaf=k, coupling=1e10, limit=limit, leaf_limit=limit)
    log_state = (0.3 - 0.6 - A * jnp.log(1e-9 / V0)) / B  # F₀ = 0.3 σ
    first = jnp.full(3, 1e-9), jnp.full(3, DC / V0 * jnp.exp(log_state))
    t = jnp.linspace(0.0, 12.0, 7)
    history = simulated(chain, V_load, t, initial=first)
    stiffness = K * k / (K + k)
    force = limit - (limit - 0.3 * SIGMA) * np.exp(-stiffness * V_load * np.asarray(t) / limit)
    assert force[-1] > 0.6 * limit
    np.testing.assert_allclose(history.friction, force / SIGMA, atol=1e-4)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_sliding_is_unstable_below_the_critical_stiffness(n, factor):
    """The stiffness of loader and leaf in series, each patch on its own."""
    critical = (B - A) * SIGMA / DC
    leaf = 2 * factor * critical
    chain = chain_of(n, loader=leaf, leaf=leaf, damping=1.0)
    t = jnp.linspace(0.0, 60.0, 601)
    history = simulated(chain, 1e-6, t, initial=start(n, perturbed=1.001))
    swing = np.abs(np.log(np.asarray(history.velocity) / 1e-6))
    early, late = swing[:300].max(), swing[300:].max()
    assert (late > early) == (factor < 1)


@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_mass_of_the_plate_raises_the_critical_stiffness(factor):
    """By 1 + M V²/(σ a Dc) where leaves are stiff: between the two, mass alone makes it slip."""
    V = 1e-6
    mass = 0.5 * SIGMA * A * DC / V**2
    critical = 1.5 * (B - A) * SIGMA / DC
    chain = chain_of(1, loader=factor * critical, leaf=500 * critical, damping=1.0, plate_mass=mass)
    t = jnp.linspace(0.0, 100.0, 1001)
    history = simulated(chain, V, t, initial=start(1, V, perturbed=1.001), rtol=1e-7)
    swing = np.abs(np.log(np.asarray(history.velocity) / V))
    assert bool(history.status.ok)
    assert (swing[500:].max() > swing[100:500].max()) == (factor < 1)


def test_a_plate_rings_on_its_springs_and_overshoots():
    """Period 2π √(M/(K + k)) and decay C/2M while the patch holds; a deeper trough than without."""
    K, k = 2e9, 4e10
    mass = K * (0.3 / (2 * np.pi)) ** 2
    damping = 0.03 * np.sqrt(mass * (K + k))
    t = jnp.linspace(0.0, 60.0, 60_001)

    def run(M):
        chain = chain_of(1, loader=K, leaf=k, plate_mass=M, plate_damping=damping)
        return simulated(chain, 1e-5, t, initial=start(1, 1e-5, 1.2))

    heavy, light = run(mass), run(None)
    mu, V = np.asarray(heavy.friction), np.asarray(heavy.velocity)
    event = int(np.argmax(V[20_000:])) + 20_000
    stuck = event + int(np.argmax(V[event:] < 1e-8))
    late = mu[stuck : stuck + 1500]
    swing = late - np.polyval(np.polyfit(np.arange(1500), late, 3), np.arange(1500))
    up = np.flatnonzero((swing[:-1] < 0) & (swing[1:] >= 0))
    period = np.mean(np.diff(up)) * 1e-3
    assert period == pytest.approx(2 * np.pi * np.sqrt(mass / (K + k)), rel=0.03)
    peaks = [swing[a:b].max() for a, b in zip(up[:-1], up[1:], strict=True)]
    decay = -np.polyfit(up[:-1] * 1e-3, np.log(peaks), 1)[0]
    assert decay == pytest.approx(damping / (2 * mass), rel=0.15)
    # once it has rung out
    drop = mu[20_000:].max() - late[500:].mean()
    assert drop > 1.3 * np.ptp(np.asarray(light.friction)[20_000:])


def test_a_light_plate_is_one_without_mass():
    t = jnp.linspace(0.0, 10.0, 41)
    heavy = simulated(chain_of(2, plate_mass=1e5), 1e-5, t, rtol=1e-7)
    light = simulated(chain_of(2), 1e-5, t, rtol=1e-7)
    np.testing.assert_allclose(heavy.friction, light.friction, atol=1e-5)


def test_events_wait_for_the_load_and_grow_with_the_logarithm_of_their_recurrence():
    """T V K/σ = drop; it falls by about b − a for each e-fold of the load's velocity."""
    velocities = np.geomspace(1e-6, 1e-4, 5)

    @jax.vmap
    def run(V):
        events = simulated(
            chain_of(), V, 40 * 1e-5 / V[None], initial=start(1, V, 2.0), steps=True, rtol=1e-6
        ).catalogue(threshold=100 * V)
        later = (jnp.arange(64) >= 2) & events.valid
        return events.count, jnp.mean(events.recurrence, where=later) * V

    counts, slips = jax.jit(run)(jnp.asarray(velocities))
    assert min(counts) >= 4
    drops = np.asarray(slips) * 1e10 / SIGMA
    slope, _ = np.polyfit(np.log(velocities), drops, 1)
    residual = np.polyval(np.polyfit(np.log(velocities), drops, 1), np.log(velocities)) - drops
    assert -1.6 * (B - A) < slope < -0.8 * (B - A)
    assert np.abs(residual).max() < 0.03 * np.mean(drops)


def test_patches_of_different_strength_make_events_of_different_sizes():
    b = A + 0.005 * jnp.exp(0.5 * jax.random.normal(jax.random.key(3), (8,)))
    law = fault.patches(mu0=0.6, a=A, b=b, Dc=DC, V0=V0)
    sigma = SIGMA * jnp.linspace(0.7, 1.3, 8)
    chain = fault.FaultChain(
        law, sigma, loader=4e9, leaf=2e10, coupling=1e9, damping=1e6, roughness=0.01,
        wavelengths=(6e-5, 1.7e-4), phases=jax.random.uniform(jax.random.key(4), (8, 2)) * 6,
    )  # fmt: skip
    history = simulated(chain, 1e-5, jnp.array([120.0]), steps=True, rtol=1e-6)
    events = history.catalogue(threshold=1e-4)
    count = min(int(events.count), 64)
    drop, recurrence = np.asarray(events.drop)[1:count], np.asarray(events.recurrence)[1:count]
    assert count >= 6
    assert drop.max() > 2 * drop.min()
    assert recurrence.std() > 0.1 * recurrence.mean()
    # bulk friction reports what the catalogue holds
    assert drop.max() <= float(history.friction.max() - history.friction.min())


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "plate"), [("forward", ()), ("reverse", (2e8, 2e8))])
def test_gradients_through_stick_slip_agree_with_differences(mode, plate):
    """`plate`: its mass and damping, if it has any."""
    t = jnp.array([2.0, 5.0, 8.0])
    x0 = jnp.log(jnp.array([0.014, 0.016, 2e-6, 2e10, 5e6, 1e6, 0.01, 8e6, *plate]))

    def friction(x):
        b1, b2, Dc, K, sigma, eta, drift, leaf_limit, *own = jnp.exp(x)
        heavy = dict(zip(("plate_mass", "plate_damping"), own, strict=True)) if own else {}
        law = fault.patches(mu0=0.6, a=A, b=jnp.stack([b1, b2]), Dc=Dc, V0=V0)
        chain = fault.FaultChain(
            law, sigma, loader=K, leaf=3e10, coupling=1e9, damping=eta, limit=6e6,
            leaf_limit=leaf_limit, drift=drift, drift_time=5.0, roughness=0.3 * drift,
            wavelengths=(4e-5,), **heavy,
        )  # fmt: skip
        history = fault.simulate(
            chain, 1e-5, t, options=fault.Options(rtol=1e-10, atol=1e-12, max_steps=8192)
        )
        return history.friction + 1e-3 * history.slip / 1e-5

    jacobian = (jax.jacfwd if mode == "forward" else jax.jacrev)(friction)(x0)
    value = jax.jit(friction)
    assert np.isfinite(value(x0)).all(), "the solver did not reach the end: NaN equals NaN below"
    step = 1e-5
    for k in range(x0.size):
        change = jnp.zeros_like(x0).at[k].set(step)
        difference = (value(x0 + change) - value(x0 - change)) / (2 * step)
        scale = np.abs(difference).max()
        np.testing.assert_allclose(jacobian[:, k], difference, atol=2e-4 * scale + 1e-9)


def test_batches_run_in_lockstep_and_one_bad_member_says_so():
    b = jnp.array([0.014, 0.016, 0.015])
    t = jnp.linspace(0.0, 20.0, 41)

    def run(b):
        return simulated(chain_of(b=b), 1e-5, t, rtol=1e-6)

    many = jax.jit(jax.vmap(run))(b)
    np.testing.assert_allclose(many.friction[1], run(b[1]).friction, atol=1e-7)
    short = jax.vmap(
        lambda x: fault.simulate(chain_of(b=x), 1e-5, t, options=fault.Options(max_steps=8))
    )(b)
    assert not bool(jnp.any(short.status.ok)) and "max_steps" in str(short.status)
    # samples that were not reached are NaN, not an extrapolation
    assert bool(jnp.all(jnp.isnan(short.friction[:, -1]) & jnp.isfinite(short.friction[:, 0])))


def test_a_traced_parameter_out_of_range_is_in_the_status():
    t = jnp.linspace(0.0, 5.0, 11)
    many = jax.vmap(lambda eta: simulated(chain_of(damping=eta), 1e-5, t, rtol=1e-6).status)(
        jnp.array([1e6, -1.0])
    )
    assert many.ok.tolist() == [True, False] and "parameter" in str(many)


@pytest.mark.parametrize("plate", [{}, {"plate_mass": 1e8}])
@pytest.mark.parametrize("spring", ["limit", "leaf_limit"])
def test_a_spring_that_cannot_carry_the_start_is_refused(spring, plate):
    """At 0.999 of the stress it would pull backwards; at 1.001 it carries a steady slide."""
    t = jnp.linspace(0.0, 2.0, 5)
    low = {"initial": (jnp.full(2, V0), jnp.full(2, DC / V0)), "rtol": 1e-6}
    stress = float(chain_of(2).stress(0.0, low["initial"][0], jnp.log(low["initial"][1]),
                                      jnp.zeros(2))[0])  # fmt: skip

    def run(factor):
        return simulated(chain_of(2, **{spring: factor * stress}, **plate), 1e-6, t, **low)

    with pytest.raises(ValueError, match="Raise the limits"):
        run(0.999)
    assert bool(run(1.001).status.ok)
    many = jax.vmap(lambda x: run(x).status)(jnp.array([0.999, 1.001]))
    assert many.ok.tolist() == [False, True] and "raise limit" in str(many)


def test_a_plain_forward_solve_gives_the_same():
    t = jnp.linspace(0.0, 20.0, 41)
    one = fault.simulate(chain_of(2), 1e-5, t)
    other = fault.simulate(
        chain_of(2), 1e-5, t, options=fault.Options(adjoint=diffrax.ForwardMode())
    )
    np.testing.assert_allclose(one.friction, other.friction, atol=1e-9)


def test_bad_input_is_refused_with_the_remedy():
    law = fault.patches(mu0=0.6, a=A, b=B, Dc=DC, V0=V0)
    single = ratestate.RateStateLaw(mu0=0.6, a=A, b=B, Dc=DC, V0=V0)
    good = {"loader": 1e10, "leaf": 1e10, "coupling": 0.0, "damping": 1e6}
    with pytest.raises(ValueError, match="fault.patches"):
        fault.FaultChain(single, 5e6, **good)
    with pytest.raises(ValueError, match="damping must be positive"):
        fault.FaultChain(law, 5e6, **(good | {"damping": 0.0}))
    with pytest.raises(ValueError, match="coupling"):
        fault.FaultChain(law, 5e6, **(good | {"coupling": -1.0}))
    with pytest.raises(ValueError, match="plate_mass must be positive"):
        fault.FaultChain(law, 5e6, plate_mass=0.0, **good)
    with pytest.raises(ValueError, match="plate_damping must not be negative"):
        fault.FaultChain(law, 5e6, plate_mass=1.0, plate_damping=-1.0, **good)
    with pytest.raises(ValueError, match="normal_stress must be one number or have shape"):
        fault.FaultChain(law, jnp.ones(3), **good)
    with pytest.raises(ValueError, match="phases"):
        fault.FaultChain(law, 5e6, phases=jnp.ones((2, 2)), **good)
    with pytest.raises(ValueError, match="one shape"):
        fault.patches(mu0=0.6, a=A, b=jnp.ones(2), Dc=jnp.ones(3), V0=V0)
    with pytest.raises(ValueError, match="Dc must be positive"):
        fault.patches(mu0=0.6, a=A, b=B, Dc=-1.0, V0=V0)
    chain = fault.FaultChain(law, 5e6, **good)
    for t in ([-1.0, 2.0], [2.0, 1.0], [0.0], [float("nan")]):
        with pytest.raises(ValueError, match="time"):
            fault.simulate(chain, 1e-5, jnp.array(t))
    with pytest.raises(ValueError, match="velocity must be positive"):
        fault.simulate(chain, 0.0, jnp.array([1.0]))
    with pytest.raises(ValueError, match="initial"):
        fault.simulate(chain, 1e-5, jnp.array([1.0]), initial=(1e-6, 1.0))
    # the widest dtype among the arguments counts, as everywhere
    single = jax.tree_util.tree_map(lambda x: jnp.asarray(x, jnp.float32), chain)
    with pytest.raises(ValueError, match="float64"):
        fault.simulate(single, 1e-5, jnp.array([1.0], jnp.float32))

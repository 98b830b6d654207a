"""Friction networks against the equations they are made of, and inside the simulators."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxfric import networks, ratestate as rs

DT = 0.01
A, B, DC = 0.006, 0.016, 1 / 30
EVOLUTIONS = {"aging": rs.Aging(), "slip": rs.Slip()}
slide, spring_slider = jax.jit(rs.slide), jax.jit(rs.spring_slider)


@pytest.fixture(params=["aging", "slip"])
def law_and_cell(request):
    """A law, and a cell that was given its constants."""
    law = rs.slide_hold_learn_law(EVOLUTIONS[request.param])
    return law, knowing(request.param)


def knowing(name, positions=1):
    cell = networks.FrictionCell(1, rngs=nnx.Rngs(0), width=4, positions=positions)
    kind = 0 if name == "aging" else 1
    dtype = cell.direct[...].dtype
    cell.log_length[...] = jnp.log(jnp.array([DC, DC], dtype))
    cell.direct[...] = jnp.asarray(A / 0.01, dtype)
    cell.weights[...] = jnp.zeros(2, dtype).at[kind].set(B / 0.01)
    cell.share[...] = jnp.asarray(-40.0, dtype)  # a jump lies on the sample
    return cell


@partial(jax.jit, static_argnames=("n", "grid", "seed", "size"))
def samples(n=100, grid=True, seed=0, size=20):
    """Velocity, slip since the sample before, protocols of the paper's kind."""
    t = jnp.asarray(np.arange(n) / n)
    draw = lambda key: rs.sample_protocol(key=key, grid=50 if grid else None)  # noqa: E731
    protocols = jax.vmap(draw)(jax.random.split(jax.random.key(seed), size))
    velocity = jax.vmap(lambda p: p(t))(protocols)
    slip = jax.vmap(lambda p: jnp.diff(p.displacement(t), prepend=0))(protocols)
    return t, protocols, velocity, slip


@jax.jit
def truth(law, protocols, t):
    friction = jax.vmap(lambda p: rs.slide(law, p, t).friction)(protocols)
    return friction - friction[:, :1]


# The network of the paper ------------------------------------------------------------------------


def test_gru_is_the_equations_of_the_paper():
    network = networks.FrictionGRU(5, rngs=nnx.Rngs(1))
    velocity = np.random.default_rng(0).uniform(0, 2, 12).astype(np.float32)
    W, U = np.asarray(network.input_weights[0][...]), np.asarray(network.hidden_weights[...][0])
    b, c = np.asarray(network.input_bias[...][0]), np.asarray(network.hidden_bias[...][0])
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    h, expected = np.zeros(5), []
    for V in velocity:
        i, u = V * W[0] + b, h @ U + c
        r, z = sigmoid(i[:5] + u[:5]), sigmoid(i[5:10] + u[5:10])
        n = np.tanh(i[10:] + r * u[10:])
        h = (1 - z) * n + z * h
        expected.append(h @ np.asarray(network.read_out[...]) + float(network.read_out_bias[...]))
    np.testing.assert_allclose(network(velocity, DT), expected, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"log_velocity": True}, {"time_step": True},
                                     {"use_slip": True}, {"layers": 3}])  # fmt: skip
def test_options_change_what_the_gru_sees(options):
    network = networks.FrictionGRU(6, rngs=nnx.Rngs(0), **options)
    V, slip = jnp.ones(10), jnp.full(10, DT)
    extra = (slip,) if "use_slip" in options else ()
    base = network(V, DT, *extra)
    assert base.shape == (10,) and np.all(np.isfinite(base))
    held = network(V.at[5].set(1e-3), DT, *extra) - network(V.at[5].set(1e-2), DT, *extra)
    # In V alone a hold and slow sliding look almost the same
    assert (float(jnp.abs(held).max()) > 0.005) == ("log_velocity" in options)
    finer = network(V, DT / 2, *extra)
    assert (float(jnp.abs(finer - base).max()) > 1e-3) == ("time_step" in options)


# The structured cell -----------------------------------------------------------------------------


def test_steady_sliding_changes_nothing():
    cell = networks.FrictionCell(rngs=nnx.Rngs(2), positions=3)
    np.testing.assert_allclose(cell(jnp.full(50, 0.3), DT), 0, atol=1e-6)


@pytest.mark.parametrize("n", [50, 100, 200, 400])
def test_cell_that_knows_the_constants_is_the_law_at_any_step(law_and_cell, n):
    law, cell = law_and_cell
    t, protocols, velocity, _ = samples(n)
    found = jax.jit(jax.vmap(lambda v: cell(v, 1 / n)))(velocity)
    np.testing.assert_allclose(found, truth(law, protocols, t), atol=3e-6)


def test_slip_increments_tell_where_a_jump_fell(law_and_cell):
    law, cell = law_and_cell
    t, protocols, velocity, slip = samples(grid=False)
    found = jax.vmap(lambda v, s: cell(v, DT, s))(velocity, slip)
    blind = jax.vmap(lambda v: cell(v, DT))(velocity)
    true = truth(law, protocols, t)
    error, without = (np.abs(np.asarray(x - true)) for x in (found, blind))
    assert np.median(error.max(axis=1)) < 2e-5  # two jumps within a step cannot be told apart
    assert error.mean() < without.mean() / 10


def test_a_hold_heals_with_the_logarithm_of_time_in_float32():
    cell = knowing("aging")
    velocity = jnp.concatenate([jnp.ones(2), jnp.full(90, 1e-8), jnp.ones(1)])
    change = np.asarray(cell(velocity.astype(jnp.float32), 0.1))
    held = 0.1 * np.arange(1, 91)
    expected = A * np.log(1e-8) + B * np.log(1 + held / DC)
    np.testing.assert_allclose(change[3:92], expected[:-1], atol=3e-6)


def test_assumed_positions_of_a_jump_are_averaged():
    cell = knowing("aging", positions=4)
    cell.share[...] = 0 * cell.share[...]
    np.testing.assert_allclose(np.mean(cell.shares()), 0.5, atol=1e-6)
    assert np.all(np.diff(cell.shares()) > 0) and 0 < cell.shares()[0] < cell.shares()[-1] < 1
    V = jnp.concatenate([jnp.ones(3), jnp.full(3, 5.0)])
    each = []
    for share in np.asarray(cell.shares()):
        single = knowing("aging")
        single.share[...] = jnp.asarray(np.log(share / (1 - share)) / 8, V.dtype)
        each.append(single(V, DT))
    np.testing.assert_allclose(cell(V, DT), np.mean(each, axis=0), atol=1e-6)


# Derivatives -------------------------------------------------------------------------------------


@pytest.mark.x64
@pytest.mark.parametrize("kind", ["gru", "cell"])
def test_instantaneous_slope_holds_the_state_before_it(kind):
    network = (
        networks.FrictionGRU(5, rngs=nnx.Rngs(1), log_velocity=True)
        if kind == "gru"
        else networks.FrictionCell(rngs=nnx.Rngs(1))
    )
    network = jax.tree_util.tree_map(lambda x: x.astype(jnp.float64), network)
    V = jnp.asarray(np.random.default_rng(1).uniform(0.3, 2, 8))
    change, slope = networks.unroll_with_slopes(network, V, DT)
    np.testing.assert_allclose(change, network(V, DT), rtol=1e-12)
    for k in (0, 3, 7):
        hidden = network.initial(V[0])
        for i in range(k):
            hidden, _ = network.step(hidden, V[i], DT)
        up, down = (network.step(hidden, V[k] * (1 + h), DT)[1] for h in (1e-6, -1e-6))
        assert float(slope[k]) == pytest.approx(float((up - down) / (2e-6 * V[k])), rel=1e-5)


def test_gradients_of_training_are_finite_through_a_hold_at_rest():
    cell = networks.FrictionCell(rngs=nnx.Rngs(0))
    V = jnp.concatenate([jnp.ones(5), jnp.zeros(10), jnp.ones(5)])

    def total(cell):
        change, slope = networks.unroll_with_slopes(cell, V, DT)
        return jnp.sum(change**2) + networks.direct_effect(slope, V)

    for x in jax.tree_util.tree_leaves(jax.jit(jax.grad(total))(cell)):
        assert np.all(np.isfinite(x))


class Forgetting:
    """A recurrence of the user's: h' = h/2 + V, ŷ = h' V. It knows nothing of slip."""

    def initial(self, V):
        return {"h": jnp.zeros_like(V)}

    def step(self, hidden, velocity, dt):
        h = hidden["h"] / 2 + velocity
        return {"h": h}, h * velocity


def test_any_recurrence_is_unrolled_whatever_its_hidden_state():
    V = np.array([1.0, 3.0, 2.0])
    h = np.array([1.0, 3.5, 3.75])
    for velocity in (V, jnp.asarray(V)):
        change, slope = networks.unroll_with_slopes(Forgetting(), velocity, DT)
        np.testing.assert_allclose(change, h * V)
        np.testing.assert_allclose(slope, h + V)  # of h' V at fixed h
        np.testing.assert_array_equal(networks.unroll(Forgetting(), velocity, DT), change)


def test_the_hidden_state_of_a_cell_says_what_it_holds():
    cell = networks.FrictionCell(rngs=nnx.Rngs(0), positions=3)
    before = cell.initial(2.0)
    after, change = cell.step(before, 0.5, DT)
    assert type(after) is type(before) and float(after.start) == float(before.start)
    assert before.log_states.shape == after.log_states.shape == (3, 4)
    assert (float(before.velocity), float(after.velocity)) == (2, 0.5) and change.shape == ()


# Loss terms --------------------------------------------------------------------------------------


def test_loss_terms_by_hand():
    y, z = jnp.array([1.0, 2.0, 4.0]), jnp.array([0.0, 2.0, 3.0])
    assert float(networks.mean_absolute(y, z)) == pytest.approx(2 / 3)
    assert float(networks.mean_squared(y, z)) == pytest.approx(2 / 3)
    assert float(networks.initial_value(y, z)) == 1
    slope, V = jnp.array([2.0, 1.0, 0.5]), jnp.array([1.0, 2.0, 6.0])
    assert float(networks.initial_gradient(slope)) == 4
    assert float(networks.direct_effect(slope, V)) == 1  # V·slope = 2, 2, 3
    jumps = jnp.array([False, False, True])
    assert float(networks.jump_sizes(y, z, jumps)) == 1  # 2 against 1
    assert float(networks.l2({"w": y, "n": 3})) == 21


def test_direct_effect_vanishes_for_rate_and_state_friction():
    """V ∂μ/∂V = a at every sample, whatever the state."""
    _, _, velocity, _ = samples(size=3)
    cell = knowing("aging")
    slopes = jax.jit(jax.vmap(lambda v: networks.unroll_with_slopes(cell, v, DT)[1]))
    slope = slopes(velocity)
    sliding = np.asarray(velocity) > 1e-6
    np.testing.assert_allclose(np.asarray(velocity * slope)[sliding], A, rtol=1e-4)


def test_healing_term_sees_only_the_hold():
    hold = jnp.array([False, True, True, True, False])
    y = jnp.array([5.0, 0.0, np.log(2.0), np.log(3.0), -7.0])
    assert float(networks.healing(y, jnp.zeros(5), hold)) == pytest.approx(1, rel=1e-5)
    assert float(networks.healing(y, jnp.zeros(5), jnp.zeros(5, bool))) == 0


# As friction laws --------------------------------------------------------------------------------


def load():
    return rs.VelocityProtocol([0.0, 0.2, 0.5], [1.0, 0.0, 2.0])


@pytest.mark.x64
def test_cell_as_a_law_behind_a_spring(law_and_cell):
    law, cell = law_and_cell
    learned = networks.CellLaw(cell, mu0=0.415)
    t, spring = jnp.linspace(0, 1, 101), rs.Spring(2.0)
    expected, found = (spring_slider(each, spring, load(), t) for each in (law, learned))
    assert found.status.ok
    np.testing.assert_allclose(found.friction, expected.friction, atol=2e-5)


@pytest.mark.slow
@pytest.mark.x64
def test_cell_as_a_law_in_other_units(law_and_cell):
    """1 unit of velocity is 2 µm/s, of time 50 s: lengths are 100 µm."""
    law, cell = law_and_cell
    learned = networks.CellLaw(cell, mu0=0.6, reference=2e-6, velocity=2e-6, time=50.0)
    real = rs.RateStateLaw(0.6, A, B, DC * 1e-4, 2e-6, law.evolution)
    protocol = rs.VelocityProtocol([0.0, 3.0, 20.0], [2e-6, 1e-8, 5e-6])
    t = jnp.linspace(0, 40, 81)
    expected, found = (slide(each, protocol, t) for each in (real, learned))
    np.testing.assert_allclose(found.friction, expected.friction, atol=5e-6)
    spring = rs.Spring(20000.0)
    expected, found = (spring_slider(each, spring, protocol, t) for each in (real, learned))
    np.testing.assert_allclose(found.friction, expected.friction, atol=2e-5)


def test_network_that_only_steps_slides():
    network = networks.FrictionGRU(6, rngs=nnx.Rngs(0))
    law = networks.SteppedLaw(network, DT, mu0=0.6)
    protocol = rs.VelocityProtocol([0.0, 0.2], [1.0, 2.0])
    t = jnp.asarray(np.arange(50) / 100)
    history = rs.slide(law, protocol, t, step=DT)
    assert history.status.ok
    np.testing.assert_allclose(history.friction, 0.6 + network(protocol(t), DT), atol=1e-6)


@pytest.mark.slow
@pytest.mark.x64
def test_network_that_only_steps_converges_behind_a_spring():
    """First order in the step towards the same cell integrated by diffrax."""
    cell, t, spring = knowing("aging"), jnp.linspace(0, 1, 51), rs.Spring(0.6)
    law = rs.slide_hold_learn_law()
    expected = spring_slider(law, spring, load(), t).friction
    errors = []
    for dt in (2e-3, 1e-3):
        stepped = networks.SteppedLaw(cell, dt, mu0=0.415)
        found = rs.spring_slider(stepped, spring, load(), t, step=dt)
        assert found.status.ok
        errors.append(float(jnp.abs(found.friction - expected).max()))
    assert errors[1] < 0.65 * errors[0] < 0.006


@pytest.mark.x64
def test_stepped_spring_slider_is_differentiable():
    network = networks.FrictionGRU(6, rngs=nnx.Rngs(0), log_velocity=True, output_scale=0.05)
    network = jax.tree_util.tree_map(lambda x: x.astype(jnp.float64), network)
    protocol, t = rs.VelocityProtocol([0.0, 0.1], [1.0, 2.0]), jnp.linspace(0, 0.3, 11)

    def final(k):
        law = networks.SteppedLaw(network, DT, mu0=0.6)
        return rs.spring_slider(law, rs.Spring(k, 0.5), protocol, t, step=DT).friction[-1]

    slope = jax.jit(jax.grad(final))(2.0)
    up, down = final(2.0 + 1e-5), final(2.0 - 1e-5)
    assert float(slope) == pytest.approx(float((up - down) / 2e-5), rel=1e-4)
    assert float(jax.jit(jax.jacfwd(final))(2.0)) == pytest.approx(float(slope), rel=1e-9)


# Bad input ---------------------------------------------------------------------------------------


def test_batches_and_wrong_lengths_are_refused():
    cell = networks.FrictionCell(rngs=nnx.Rngs(0))
    for velocity in (jnp.ones((2, 5)), jnp.ones(0), jnp.ones(())):
        with pytest.raises(ValueError, match="use jax.vmap"):
            networks.unroll(cell, velocity, DT)
        with pytest.raises(ValueError, match="use jax.vmap"):
            networks.unroll_with_slopes(cell, velocity, DT)
    with pytest.raises(ValueError, match="slip must have the shape"):
        networks.unroll(cell, jnp.ones(5), DT, jnp.ones(4))
    with pytest.raises(ValueError, match="dt must be one number"):
        networks.unroll(cell, jnp.ones(5), jnp.ones(5))
    with pytest.raises(ValueError, match="slip increments"):
        networks.FrictionGRU(4, use_slip=True, rngs=nnx.Rngs(0))(jnp.ones(5), DT)
    with pytest.raises(ValueError, match="at least 1"):
        networks.FrictionCell(0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least 1"):
        networks.FrictionGRU(0, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="at least 1"):
        networks.FrictionCell(positions=0, rngs=nnx.Rngs(0))


@pytest.mark.x64
def test_steps_are_asked_for_where_they_are_needed():
    stepped = networks.SteppedLaw(networks.FrictionGRU(4, rngs=nnx.Rngs(0)), DT)
    protocol, t = rs.VelocityProtocol([0.0], [1.0]), jnp.linspace(0, 0.1, 3)
    with pytest.raises(ValueError, match="has no rate: give the fixed step"):
        rs.slide(stepped, protocol, t)
    with pytest.raises(ValueError, match="has no rate: give the fixed step"):
        rs.spring_slider(stepped, rs.Spring(1.0), protocol, t)
    with pytest.raises(ValueError, match="leave it out"):
        rs.slide(rs.slide_hold_learn_law(), protocol, t, step=DT)
    with pytest.raises(ValueError, match="leave out the mass"):
        rs.spring_slider(stepped, rs.Spring(1.0, mass=1.0), protocol, t, step=DT)


@pytest.mark.slow
@pytest.mark.x64
def test_cell_behind_a_spring_has_finite_right_gradients():
    """Through a velocity step, where the solver tries steps that it rejects."""
    cell, t = knowing("aging"), jnp.linspace(0, 0.3, 31)
    protocol = rs.VelocityProtocol([0.0, 0.2], [0.5, 2.0])

    def total(cell, stiffness):
        learned = networks.CellLaw(cell, mu0=0.4)
        return jnp.sum(rs.spring_slider(learned, rs.Spring(stiffness), protocol, t).friction)

    value = jax.jit(total)
    slopes = jax.jit(jax.grad(total, argnums=(0, 1)))(cell, 1.0)
    assert all(np.all(np.isfinite(x)) for x in jax.tree_util.tree_leaves(slopes))
    central = (value(cell, 1 + 1e-4) - value(cell, 1 - 1e-4)) / 2e-4
    np.testing.assert_allclose(slopes[1], central, rtol=1e-4)
    stiff, soft = knowing("aging"), knowing("aging")
    stiff.direct[...], soft.direct[...] = cell.direct[...] + 1e-4, cell.direct[...] - 1e-4
    central = (value(stiff, 1.0) - value(soft, 1.0)) / 2e-4
    np.testing.assert_allclose(slopes[0].direct[...], central, rtol=1e-4)

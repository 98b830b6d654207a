"""Least squares, the bank, families of targets, what cannot be had, tolerances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact
from jaxfric.contact import RADIUS_BOUNDS, _bank, _design
from jaxfric.contact._request import Box

LOADS = np.arange(1, 129) / 128
# Small loads: few contacts, small strain.
STIFF = contact.Material(modulus=1.4e6, shear_strength=1e5)
pytestmark = pytest.mark.filterwarnings("ignore:the highest load presses")


def law(surface, material):
    return contact.friction_law(surface, material, jnp.asarray(LOADS)).friction


@pytest.fixture(scope="module")
def target(rough, material):
    return np.asarray(law(rough(48, 5), material))


# Refine ------------------------------------------------------------------------------------------


def test_a_disturbed_surface_finds_back(rough, material, target):
    true = rough(48, 5)
    rng = np.random.default_rng(0)
    start = contact.Asperities(
        true.height + 2e-6 * rng.normal(size=48), true.radius * (1 + 0.1 * rng.normal(size=48))
    )
    before = contact.smape(law(start, material), target)
    design = contact.refine(start, material, LOADS, target, fit_loads=None)
    assert design.status.ok and before > 0.5 and design.error < 0.02
    np.testing.assert_allclose(design.friction, law(design.surface, material), rtol=1e-5)
    np.testing.assert_allclose(contact.smape(design.friction, target), design.error, rtol=1e-5)
    assert design.surface.height.max() == 0
    assert "sMAPE" in str(design)


@pytest.mark.parametrize(
    "options",
    [
        {"radii": "common"}, {"radii": "fixed"}, {"max_height": 3e-5}, {"quantum": 1e-6},
        {"quantum": 1e-6, "radii": "fixed"}, {"radius_bounds": (2e-4, 4e-4)},
        {"max_indentation": 0.3},
    ],
    ids=str,
)  # fmt: skip
def test_options_hold_and_help(options, rough, material, target):
    start = rough(48, 6)
    design = contact.refine(start, material, LOADS, target, **options)
    height, R = (np.asarray(x, float) for x in (design.surface.height, design.surface.radius))
    bare = contact.refine(start, material, LOADS, target, steps=0, **options)
    assert design.status.ok and design.error < 0.7 * bare.error
    if options.get("radii") == "common":
        np.testing.assert_allclose(R, R[0], rtol=1e-5)
    if options.get("radii") == "fixed":
        np.testing.assert_array_equal(R, start.radius)
    if "max_height" in options:
        assert np.ptp(height) <= 3e-5 * (1 + 1e-5)
    if "quantum" in options:
        steps = height / 1e-6
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    low, high = options.get("radius_bounds", (0.5 * start.radius.min(), 2 * start.radius.max()))
    assert low * (1 - 1e-5) <= R.min() and high * (1 + 1e-5) >= R.max()
    if "max_indentation" in options:
        assert design.indentation_ratio < 0.3 * 1.02 < bare.indentation_ratio


def test_a_refined_batch_is_a_loop_and_masks_stay(rough, material, target):
    starts = [rough(48, seed) for seed in (7, 8)]
    mask = jnp.arange(48) < 30
    height, radius = (jnp.stack([getattr(s, k) for s in starts]) for k in ("height", "radius"))

    def refined(h, R):
        start = contact.Asperities(h, R, mask)
        return contact.refine(start, material, LOADS, target, radius_bounds=RADIUS_BOUNDS, steps=5)

    batch = jax.jit(jax.vmap(refined))(height, radius)
    for i in range(2):
        alone = refined(height[i], radius[i])
        np.testing.assert_allclose(batch.error[i], alone.error, rtol=0.02)
        np.testing.assert_array_equal(batch.surface.mask[i], mask)


@pytest.mark.x64
def test_a_refined_design_is_differentiable():
    """With respect to its start: finite, and as differences say."""

    def error(spread):
        start = contact.Asperities(-1e-6 * jnp.arange(8.0) * spread, jnp.full(8, 4e-4))
        return contact.refine(
            start, STIFF, LOADS, 0.5 * LOADS, steps=5, radius_bounds=RADIUS_BOUNDS
        ).error

    x = jnp.asarray(1.0)
    slope = (error(x + 1e-5) - error(x - 1e-5)) / 2e-5
    np.testing.assert_allclose(jax.grad(error)(x), slope, rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": LOADS[::-1]}, "must increase with the load; it does not after"),
        ({"target": np.where(LOADS == 0.5, np.nan, LOADS)}, "entry 63 is not"),
        ({"target": LOADS[:5]}, "loads and target must agree"),
        ({"loads": LOADS[:2], "target": LOADS[:2]}, "at least 3 loads"),
        ({"loads": -LOADS, "target": LOADS}, "loads must be >= 0"),
        ({"target": 0 * LOADS}, "friction positive"),
        ({"radii": "all"}, "one of free, common, fixed"),
        ({"radius_bounds": (2.0, 1.0)}, "0 < low <= high"),
        ({"quantum": -1.0}, "quantum must be positive"),
    ],
)
def test_bad_requests(change, says, rough, material):
    arguments = {"loads": LOADS, "target": LOADS} | change
    with pytest.raises(ValueError, match=says):
        contact.refine(rough(8), material, arguments.pop("loads"), arguments.pop("target"),
                       **arguments)  # fmt: skip


# Families, the bank, feasibility -----------------------------------------------------------------

FAMILIES = {
    "linear": contact.linear_law(LOADS, 0.6),
    "power 2/3": contact.power_law(LOADS, 2 / 3, 0.6, 1.0),
    "power 0.85": contact.power_law(LOADS, 0.85, 0.6, 1.0),
    "softer": contact.bilinear_law(LOADS, 0.6, 0.51, 0.5),
    "stiffer": contact.bilinear_law(LOADS, 0.5, 0.6, 0.5),
}


@pytest.fixture(scope="module")
def designed(bank):
    """Designs and feasibilities of all families."""
    return {
        name: (
            contact.design(STIFF, LOADS, target, bank=bank, starts=8, finalists=2),
            contact.feasibility(STIFF, LOADS, target, bank=bank),
        )
        for name, target in FAMILIES.items()
    }


@pytest.mark.parametrize("name", list(FAMILIES))
def test_families_are_met(name, designed):
    design, told = designed[name]
    assert design.error < 0.3 and design.status.ok
    assert told.floor >= 0.5 * design.error
    assert bool(told.feasible) == (told.floor < 0.3 and told.indentation_ratio < 1)


def test_families_are_met_in_a_batch(bank):
    targets = jnp.stack([jnp.asarray(FAMILIES[name]) for name in ("power 0.85", "stiffer")])

    def design(target):
        return contact.design(STIFF, jnp.asarray(LOADS), target, bank=bank, starts=8, finalists=2)

    def told(target):
        return contact.feasibility(STIFF, jnp.asarray(LOADS), target, bank=bank)

    found = jax.jit(jax.vmap(design))(targets)
    assert np.all(found.error < 0.3) and found.status.ok.all()
    assert found.friction.shape == jax.eval_shape(jax.vmap(told), targets).closest.shape == (2, 128)


def test_one_bank_serves_every_material_and_range(bank, designed):
    """Heights α, radii β: the same law from another material, in other newtons."""
    material = contact.Material(modulus=1.4e9, shear_strength=1e8)
    loads, target = 1000 * LOADS, 1000 * np.asarray(FAMILIES["linear"])
    design = contact.design(material, loads, target, bank=bank, starts=8, finalists=2)
    np.testing.assert_allclose(design.error, designed["linear"][0].error, atol=0.05)


def test_designs_are_ranked(bank):
    found = contact.designs(STIFF, LOADS, FAMILIES["linear"], bank=bank)
    assert found.error.shape == (4,) and np.all(np.diff(found.error) >= 0)
    assert "4 designs" in str(found)
    with pytest.raises(ValueError, match="1 to starts"):
        contact.design(STIFF, LOADS, LOADS, bank=bank, starts=2, finalists=3)
    with pytest.raises(ValueError, match="the bank holds 4096"):
        contact.design(STIFF, LOADS, LOADS, bank=bank, starts=5000)
    with pytest.raises(ValueError, match="must increase"):
        contact.design(STIFF, LOADS[::-1].copy(), LOADS[::-1].copy(), bank=bank)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (1e-3 * LOADS, "smallest radius makes more friction"),
        (1e3 * LOADS, "Are loads and friction in newtons"),
        (np.asarray(contact.bilinear_law(LOADS, 0.6, 0.24, 0.5)), "bends as no sum of Hertz"),
    ],
    ids=["too low", "too high", "kink"],
)
def test_what_cannot_be_had_is_said(target, says, bank):
    told = contact.feasibility(STIFF, LOADS, target, bank=bank)
    assert not told.feasible and says in str(told)
    assert told.floor >= told.bound_error
    np.testing.assert_allclose(
        contact.smape(told.closest, target), told.floor, rtol=1e-3, atol=1e-3
    )
    found = contact.design(STIFF, LOADS, target, bank=bank)
    assert told.floor / 1.5 <= found.error <= told.floor * 1.05


def test_bounds_hold_for_any_surface(rough, material):
    for n in (1, 5, 64):
        low, high = contact.friction_bounds(n, material, LOADS, RADIUS_BOUNDS)
        for seed in range(20):
            friction = law(rough(n, seed), material)
            assert np.all(low <= friction * 1.001) and np.all(friction <= high * 1.001)
    np.testing.assert_allclose(
        law(contact.Asperities(jnp.zeros(1), jnp.full(1, 1e-4)), material),
        contact.friction_bounds(1, material, LOADS, RADIUS_BOUNDS)[0], rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(
        law(contact.Asperities(jnp.zeros(64), jnp.full(64, 1e-3)), material),
        contact.friction_bounds(64, material, LOADS, RADIUS_BOUNDS)[1], rtol=1e-4,
    )  # fmt: skip


# Programs ----------------------------------------------------------------------------------------


@pytest.fixture
def compilations():
    """How many programs were compiled since the test began."""
    found = []

    def listen(name, *_, **__):
        if name == "/jax/core/compile/backend_compile_duration":
            found.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


def test_other_numbers_compile_nothing(bank, rough, compilations):
    """Other materials, loads, targets, limits, surfaces, keys; fewer loads of the same bucket."""

    def everything(k):
        material = contact.Material((1 + k) * 1e6, (1 + k) * 1e5, 1 - 0.1 * k)
        loads, key, bounds = (1 + k) * LOADS[k:], jax.random.key(k), (1e-4, 1e-3 + 1e-4 * k)
        target = (0.5 + 0.1 * k) * loads
        limits = {"max_height": 1e-4 * (1 + k), "max_indentation": 0.5 + 0.1 * k}
        made = contact.make_bank(256, key=key, asperities=8)
        search = {"bank": bank, "radius_bounds": bounds, "max_height": 1e-4 * (1 + k)}
        contact.feasibility(material, loads, target, **search)
        contact.design(material, loads, target, starts=8, finalists=2, **search)
        contact.random_errors(made, material, loads, target, count=10)
        surface, loads = rough(16, k), (1 + k) * LOADS  # here their number makes the program
        contact.friction_law(surface, material, loads)
        contact.refine(surface, material, loads, 0.5 * loads, steps=3 + k, **limits)
        contact.refine(surface, material, loads, 0.5 * loads, radius_bounds=bounds, **limits)
        contact.tolerance(surface, material, loads[k:], 1e-7 * k, 1e-6, key=key, draws=10)

    everything(0)
    compilations.clear()
    everything(1)
    assert not compilations


@pytest.mark.x64
def test_loads_that_make_up_the_number_have_no_say(bank):
    """A target of fewer loads than its program was compiled for, against one compiled for it."""
    loads = np.arange(1, 101) / 100
    target = 0.6 * loads**0.9

    box = Box.of(bank.load.dtype, "free", RADIUS_BOUNDS, None, None, None, None)
    effort, most = _design.Effort(8, 2, 3), _design.Effort(8, 2, 12)

    def found():
        searched = _design._searched(
            STIFF, loads, target, bank=bank, box=box, effort=effort, most=most
        )
        return searched, contact.random_errors(bank, STIFF, loads, target, count=20)

    made_up = found()
    with pytest.MonkeyPatch.context() as patch:
        for module in (_bank, _design):
            patch.setattr(module, "bucket", lambda count: count)
        alone = found()
    for a, b in zip(jax.tree.leaves(made_up), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


# The closed form ---------------------------------------------------------------------------------


def test_abel_inversion_of_a_linear_law_is_exponential():
    """A = (σB)⁻¹ μ P needs heights of mean s = πR (σB / μE)², and as many as carry the load."""
    R, mu, loads = 3e-4, 0.6, 3 * LOADS
    design = contact.closed_form_design(STIFF, loads, mu * loads, radius=R, asperities=2000)
    s = np.pi * R * (1e5 / (mu * 1.4e6)) ** 2
    depth = np.sort(-np.asarray(design.surface.height, float))
    touching = int(design.curve.contact_count[-1])
    assert touching > 200
    # N grows by a factor e over s
    half, most = touching // 4, touching // 2
    np.testing.assert_allclose(depth[most] - depth[half], s * np.log(2), rtol=0.05)
    inner = slice(16, None)
    ratio = np.asarray(design.friction / design.target)[inner]
    np.testing.assert_allclose(ratio, 1, atol=0.03)


def test_abel_inversion_starts_least_squares(bank):
    target = np.asarray(FAMILIES["power 0.85"])
    start = contact.closed_form_design(STIFF, LOADS, target, radius=4e-4)
    design = contact.refine(start.surface, STIFF, LOADS, target, radius_bounds=RADIUS_BOUNDS)
    assert start.error < 20 and design.error < 0.3
    with pytest.raises(ValueError, match="leave the zero load out"):
        contact.closed_form_design(STIFF, LOADS - LOADS[0], LOADS - LOADS[0], radius=4e-4)
    with pytest.raises(ValueError, match="radius must be positive"):
        contact.closed_form_design(STIFF, LOADS, LOADS, radius=0.0)


# Tolerances --------------------------------------------------------------------------------------


def test_small_errors_spread_as_linearised(rough, material):
    found = contact.tolerance(
        rough(32, 3), material, LOADS[7:], 2e-8, 2e-7, key=jax.random.key(0), draws=2000
    )
    np.testing.assert_allclose(found.spread, found.deviation, rtol=0.1)
    np.testing.assert_allclose(found.mean, found.friction, rtol=1e-3)
    assert np.all(found.low < found.friction) and np.all(found.friction < found.high)
    assert "one standard deviation" in str(found)


def test_one_sphere_spreads_as_its_radius(material):
    """F ∝ R^(2/3): a relative error of R counts two thirds."""
    surface = contact.Asperities(jnp.zeros(1), jnp.full(1, 5e-4))
    found = contact.tolerance(surface, material, LOADS, 1e-6, 5e-6, key=jax.random.key(0))
    np.testing.assert_allclose(found.deviation / found.friction, 2 / 300, rtol=1e-3)
    with pytest.raises(ValueError, match="height_error must not be negative"):
        contact.tolerance(surface, material, LOADS, -1.0, 0.0, key=jax.random.key(0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: contact.linear_law(LOADS, -0.1), "coefficient must be positive"),
        (lambda: contact.power_law(LOADS, 0.0, 1.0, 1.0), "exponent must be positive"),
        (lambda: contact.bilinear_law(LOADS, 1.0, 1.0, 0.0), "at must be positive"),
        (lambda: contact.make_bank(0, key=jax.random.key(0)), "at least 1"),
    ],
)
def test_bad_numbers(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_nan_is_no_small_error():
    good = jnp.array([0.0, 1.0, 2.0])
    assert contact.smape(good, good) == 0
    assert jnp.isnan(contact.smape(good.at[1].set(jnp.nan), good))
    assert jnp.isfinite(jax.grad(lambda f: contact.smape(f, good))(1.1 * good)).all()


def test_a_traced_target_that_is_none_is_told():
    start = contact.Asperities(-1e-6 * jnp.arange(8.0), jnp.full(8, 5e-4))
    made, loads = contact.Material(1.4e6, 4e5), jnp.linspace(0.01, 0.1, 8)
    target = contact.friction_law(start, made, loads).friction
    found = jax.jit(jax.vmap(lambda t: contact.refine(start, made, loads, t, steps=2)))(
        jnp.stack([target, target.at[3].set(jnp.nan)])
    )
    np.testing.assert_array_equal(found.status.ok, [True, False])
    assert "the target is invalid" in str(found.status)
    with pytest.raises(ValueError, match="target"):
        contact.tolerance(
            start, made, loads, 1e-7, 1e-7, key=jax.random.key(0), target=target.at[3].set(jnp.nan)
        )
    with pytest.raises(ValueError, match="fit_loads must be at least 1"):
        contact.refine(start, made, loads, target, fit_loads=0)
    cone = contact.Asperities([0.0], [5e-4], exponent=1.0)
    with pytest.raises(ValueError, match="leave exponent out"):
        contact.refine_interacting(cone, jnp.zeros((1, 2)), made, loads, target)

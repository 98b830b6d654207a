"""Parts: no flat touches its block, what is written has the law that was designed, and as made."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import contact, records

pytestmark = pytest.mark.filterwarnings("ignore:the highest load presses")
SHARES = np.arange(1, 33) / 32  # of the largest load
COUNT = 64


def hertz(height, radius, material, loads):
    """Approach and friction at each load: P(x) = Σ 4/3 E √R (x − depth)^1.5 by bisection."""
    E, strength = float(material.modulus), float(material.shear_strength)
    depth = height.max() - height
    stiffness = 4 / 3 * E * np.sqrt(radius)
    low = np.zeros(len(loads))
    high = depth.max() + (loads / stiffness.min()) ** (2 / 3)
    for _ in range(100):
        x = (low + high) / 2
        delta = np.maximum(x[:, None] - depth, 0)
        carried = (stiffness * delta * np.sqrt(delta)).sum(-1)
        low, high = np.where(carried < loads, x, low), np.where(carried < loads, high, x)
    delta = np.maximum(x[:, None] - depth, 0)
    return x, strength * np.pi * (radius * delta).sum(-1)


def read(table):
    caps = np.atleast_1d(np.genfromtxt(io.StringIO(table), delimiter=",", names=True))
    return caps["height_m"], caps["radius_m"]


def written(part):
    """Heights above the block and radii, from what is written."""
    position = records.lattice(part.height.size, 1e-3)
    return read(records.asperities_csv(position, part.height, part.radius))


def families(shares):
    """Linear, concave, convex and with a kink either way, of one at the largest load."""
    kinked = [np.minimum(shares, 0.5) + slope * np.maximum(shares - 0.5, 0) for slope in (0.5, 1.5)]
    return [shares, *(shares**m for m in (2 / 3, 0.8, 1.2, 1.35)), *(k / k[-1] for k in kinked)]


def requests(size, number, rng):
    """Targets, materials and surfaces to start from, over everything that may be asked for."""
    E = 10 ** rng.uniform(3, 11, number)
    # Of the radius: from hardly touched to far past small strain, where a block is most in the way
    radius = 10 ** rng.uniform(-6, -2, number)
    P = E * radius**2 * 10 ** rng.uniform(-4, 0, number)
    strength = E * 10 ** rng.uniform(-2, -0.5, number)
    used = rng.integers(1, size + 1, number)
    height = -radius[:, None] * 10 ** rng.uniform(-4, -1, (number, 1)) * rng.random((number, size))
    radii = radius[:, None] * rng.uniform(0.3, 3, (number, size))
    start = (height, radii, np.arange(size) < used[:, None])
    laws = np.array([families(SHARES)[i % 7] for i in range(number)])
    scale = np.array(
        [
            hertz(h[m], R[m], contact.Material(e, s), np.array([p]))[1][0]
            for h, R, m, e, s, p in zip(*start, E, strength, P, strict=True)
        ]
    )
    return start, (E, strength), P[:, None] * SHARES, laws * scale[:, None] * rng.uniform(0.5, 1.5)


@pytest.mark.x64
@pytest.mark.parametrize(("size", "number"), [(COUNT, 960), (1024, 40)])
def test_no_flat_touches_its_block(size, number):
    """A thousand designs of all families, 1 to 1,024 caps, materials of 1e3 to 1e11 Pa."""
    rng = np.random.default_rng(size)
    start, (E, strength), loads, targets = requests(size, number, rng)

    @jax.jit
    def designs(height, radius, mask, E, strength, P, T):
        surface = contact.Asperities(height, radius, mask)
        material = contact.Material(E, strength)
        return contact.refine(surface, material, P, T, steps=4, fit_loads=16)

    found = jax.vmap(designs)(*start, E, strength, loads, targets)
    assert found.status.ok.all()
    found = jax.tree_util.tree_map(np.asarray, found)
    for i in range(number):
        design = jax.tree_util.tree_map(lambda x: jax.device_put(x[i]), found)  # noqa: B023
        part = contact.part(design)
        height, radius = written(part)
        approach, friction = hertz(height, radius, design.material, loads[i])
        # The stated room: a quarter more than the deepest indentation, for the lowest tip as well
        assert height.max() - approach[-1] >= 1.25 * approach[-1] * (1 - 1e-6)
        assert height.min() >= 1.25 * approach[-1] * (1 - 1e-6)
        assert part.clearance == pytest.approx(height.max() - approach[-1], rel=1e-6)
        np.testing.assert_allclose(friction, design.friction, rtol=1e-6)


@pytest.fixture(scope="module")
def design():
    """Concave, from tips that differ little: each is pressed in by more than tips are apart."""
    material, loads = contact.Material(1.4e6, 1e5), SHARES
    rng = np.random.default_rng(0)
    start = contact.Asperities(-3e-5 * rng.random(16), rng.uniform(3e-4, 9e-4, 16))
    target = 0.35 * loads**0.8
    return contact.refine(start, material, loads, target, radius_bounds=(1e-4, 1e-3), steps=30)


@pytest.mark.parametrize("quantum", [None, 5e-6])
@pytest.mark.parametrize("clearance", [None, 2e-5])
def test_clearance_is_what_was_asked_for(design, clearance, quantum):
    if quantum is not None:
        design = contact.refine(
            design.surface, design.material, SHARES, design.target, radius_bounds=(1e-4, 1e-3),
            quantum=quantum,
        )  # fmt: skip
    part = contact.part(design, clearance=clearance, quantum=quantum)
    approach = float(design.curve.indentation.max())
    wanted = 1.25 * approach if clearance is None else clearance
    # Heights on a grid are rounded up: of the highest tip, by less than a quantum
    grid = quantum or 0.0
    reach = max(approach, float(np.ptp(part.height)))
    assert -1e-9 <= part.height.max() - reach - wanted <= grid + 1e-9
    assert part.clearance >= wanted * (1 - 1e-6) and part.height.min() >= wanted * (1 - 1e-6)
    assert "above it" in str(part)


def test_errors_of_heights_want_room(design):
    part = contact.part(design, height_error=1e-4)
    assert part.clearance >= 5e-4 * (1 - 1e-6)


@pytest.mark.x64
@pytest.mark.parametrize("clearance", [None, 1e-5])
def test_a_part_keeps_below_its_height(design, clearance):
    """Least squares that know of the block: tips below the limit, a flat that keeps clear."""
    tallest = 1.2e-4
    free = float(design.curve.indentation.max())
    space = contact.room(tallest, clearance, 1e-6)
    assert free > space  # else nothing would be tested
    found = contact.refine(
        design.surface, design.material, SHARES, design.target, radius_bounds=(1e-4, 2e-3),
        max_height=space, max_approach=0.99 * space, quantum=1e-6,
    )  # fmt: skip
    part = contact.part(found, max_height=tallest, clearance=clearance, quantum=1e-6)
    height, radius = written(part)
    approach, _ = hertz(height, radius, design.material, SHARES)
    assert height.max() <= tallest * (1 + 1e-9)
    assert (
        height.max() - approach[-1] >= (0.25 * tallest if clearance is None else clearance) - 1e-9
    )
    np.testing.assert_allclose(height / 1e-6, np.round(height / 1e-6), atol=1e-6)
    # What would not fit is refused, with the numbers
    with pytest.raises(ValueError, match=r"the part needs tips .* max_height = 0.00012"):
        contact.part(design, max_height=tallest, clearance=clearance)


@pytest.mark.parametrize("more", [1.0, 1.1, 5.0, 1e3])
def test_a_limit_above_the_part_changes_nothing(design, more):
    """The clearance that is wanted goes before a share of a limit that does not bind."""
    free = contact.part(design)
    limited = contact.part(design, max_height=more * free.height.max() * (1 + 1e-9))
    np.testing.assert_array_equal(limited.height, free.height)
    assert limited.clearance == free.clearance


def test_heights_between_multiples_are_refused(design):
    with pytest.raises(ValueError, match="multiples: design with quantum=1e-06"):
        contact.part(design, quantum=1e-6)


def test_idle_tips_are_raised_and_change_no_law(design):
    deep = contact.Asperities(
        jnp.append(design.surface.height, -1e-2), jnp.append(design.surface.radius, 5e-4)
    )
    curve = contact.friction_law(deep, design.material, SHARES)
    idle = contact.Design(deep, design.material, design.target, curve, design.error)
    part = contact.part(idle)
    approach = float(curve.indentation.max())
    assert np.ptp(part.height) == pytest.approx(max(1.5 * approach, np.ptp(design.surface.height)))
    after = contact.friction_law(part.design.surface, design.material, SHARES)
    np.testing.assert_array_equal(after.friction, curve.friction)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"clearance": 0.0}, "clearance must be positive"),
        ({"quantum": np.nan}, "quantum must be positive"),
        ({"height_error": -1.0}, "height_error must be >= 0"),
        ({"max_height": 1e-5, "clearance": 2e-5}, "clearance = 2e-05 m leave no room below"),
        ({"max_height": 1e-6, "quantum": 2e-6}, "leave no room below max_height"),
    ],
)
def test_bad_numbers_are_named(design, options, says):
    with pytest.raises(ValueError, match=says):
        contact.part(design, **options)


def test_a_surface_without_its_law_is_no_part(design):
    said = "what design or refine returns|typechecking parameter"
    with pytest.raises((ValueError, TypeError), match=said):
        contact.part(design.surface)


def test_a_batch_is_not_a_part(design):
    both = jax.tree_util.tree_map(lambda x: jnp.stack([x, x]), design)
    with pytest.raises(ValueError, match="a part is of one design"):
        contact.part(both)


# As made ------------------------------------------------------------------------------------------


@pytest.mark.x64
def test_errors_as_made_against_independent_draws(design):
    """Against the target and against the design, each by its name; touching parts are counted."""
    s_h, s_R = 2e-6, 5e-6
    loads = SHARES[3::4]
    friction = contact.friction_law(design.surface, design.material, loads).friction
    target = np.asarray(friction) * 1.004  # which the design misses by 0.4 %
    approach = float(design.curve.indentation.max())
    found = contact.tolerance(
        design.surface, design.material, loads, s_h, s_R, key=jax.random.key(0), target=target,
        clearance=3e-7, draws=8000,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    height, radius = (np.asarray(x) for x in (design.surface.height, design.surface.radius))
    errors, gaps = [], []
    for _ in range(4000):
        made = height + s_h * rng.normal(size=16), radius + s_R * rng.normal(size=16)
        x, F = hertz(*made, design.material, loads)
        errors.append([200 * np.mean(np.abs(F - T) / (F + T)) for T in (target, friction)])
        # The block stands 0.3 µm below where the flat ends on the surface as designed
        gaps.append(made[0].max() - x[-1] - (height.max() - approach - 3e-7))
    for ours, theirs in zip((found.target_error, found.error), np.transpose(errors), strict=True):
        for q in (50, 95):
            assert np.percentile(ours, q) == pytest.approx(np.percentile(theirs, q), rel=0.05)
    assert np.median(found.target_error) > 1.2 * np.median(found.error)
    share = np.mean(np.asarray(found.clearance) < 0)
    assert 0.05 < share < 0.95 and share == pytest.approx(np.mean(np.array(gaps) < 0), abs=0.03)
    text = str(found)
    assert "against the design" in text and "against the target" in text and "touch" in text


@pytest.mark.parametrize("seed", range(3))
def test_loads_that_are_made_up_change_no_error(design, seed):
    """Eight loads are computed as 32, of which 24 are 0, and those have no friction to compare."""
    loads, key = SHARES[3::4], jax.random.key(seed)
    options = {"key": key, "draws": 300}
    few = contact.tolerance(design.surface, design.material, loads, 2e-6, 5e-6, **options)

    @jax.jit
    def made(key):
        dh, dR = jax.random.normal(key, (2, 16), design.surface.height.dtype)
        height, radius = design.surface.height + 2e-6 * dh, design.surface.radius + 5e-6 * dR
        surface = contact.Asperities(height, radius)
        # In one program with its surface, the law sees heights that are rounded as never before
        return contact.friction_law(surface, design.material, jnp.append(0.0, loads)).friction

    F = np.asarray(jax.vmap(made)(jax.random.split(key, 300)), float)
    assert (F[:, 0] == 0).all()
    friction = np.asarray(few.friction, float)
    errors = 200 * np.mean(np.abs(F[:, 1:] - friction) / (F[:, 1:] + friction), -1)
    np.testing.assert_allclose(few.error, errors, rtol=1e-3)


def test_a_design_says_whether_it_can_be_used(design):
    """Good; off its target; pressed in past all sense."""
    assert bool(design.usable) and "meets its target" in str(design)
    far = contact.Design(
        design.surface, design.material, 1.2 * design.target, design.curve,
        contact.smape(design.friction, 1.2 * design.target),
    )  # fmt: skip
    assert not far.usable and "misses its target by 18.2 %" in str(far)
    one = contact.Asperities([0.0], [1e-4])
    curve = contact.friction_law(one, design.material, SHARES)
    deep = contact.Design(one, design.material, curve.friction, curve, jnp.zeros(()))
    assert not deep.usable and "of its radius, far past small strain" in str(deep)
    # Told by a design in place of a trial
    assert not contact.judged(far).feasible and bool(contact.judged(design).feasible)
    assert "pressed in by" in str(contact.judged(deep, radius_bounds=(1e-4, 1e-4)))


@pytest.mark.parametrize(
    ("limits", "says", "forecast"),
    [
        ({"max_approach": 1e-6}, "more than the 1 µm that was allowed", "leaves room for 1 µm"),
        ({"max_indentation": 1e-3}, "more than the 0.001 that was allowed", "0.001 is allowed"),
    ],
    ids=["approach", "indentation"],
)
def test_limits_that_cannot_be_kept_are_named(design, limits, says, forecast):
    """Radii up to 1 mm sink in deeper than that under any law of this friction."""
    law = (design.material, SHARES, design.target)
    found = contact.refine(design.surface, *law, radius_bounds=(1e-4, 1e-3), **limits)
    assert not found.usable and says in found.verdict and "meets" not in found.verdict
    told = contact.judged(found)
    assert not told.feasible and forecast in str(told)
    kept = contact.refine(
        design.surface, *law, max_approach=1.1 * float(design.approach), max_indentation=0.99
    )
    assert kept.keeps_approach and kept.keeps_indentation
    # Of several, each is judged by its own
    both = jax.tree_util.tree_map(lambda a, b: jnp.stack([a, b]), found, found)
    assert both.verdict == "0 of 2 are usable"


def test_a_quantum_beyond_the_height_is_refused(design):
    law = (design.material, SHARES, design.target)
    with pytest.raises(ValueError, match="quantum = 2e-05 m is larger than max_height = 1e-05 m"):
        contact.refine(design.surface, *law, quantum=2e-5, max_height=1e-5)

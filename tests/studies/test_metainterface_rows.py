"""Rows, lines, headline and table of Friction on Demand: scores of answers made by hand."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import contact
from jaxfric.studies import metainterface
from jaxfric.studies._kit import Keeper, Method
from jaxfric.studies.metainterface import (
    _answers as methods,
    _diversity as diversity,
    _lines as table,
    _rows as rows_module,
    _study as whole,
    _summary as of_table,
)
from jaxfric.studies.metainterface._answers import Answer
from jaxfric.studies.metainterface._presets import PRESETS
from jaxfric.studies.metainterface._targets import Group
from jaxfric.studies.metainterface._trained import Trained

LAPTOP, SMOKE = PRESETS["laptop"], PRESETS["smoke"]


def group(size=2, known=True, name="random, 64", asperities=64, level=1.0, scale=2.0):
    theta = jnp.ones((size, 23)) if known else jnp.full((size, 23), jnp.nan)
    friction = level * (1 + jnp.arange(float(size)))[:, None] * jnp.ones(128)
    keys = jax.random.split(jax.random.key(0), size)
    return Group(name, asperities, friction, theta, keys, jnp.asarray(scale))


# ---------------------------------------------------------------- how far designs are apart


@given(st.integers(2, 5), st.integers(0, 99))
def test_the_distance_of_designs_is_that_over_all_pairs(designs, seed):
    """Without a table of pairs in the code, with one here."""
    profiles = np.random.default_rng(seed).uniform(0, 1, (5, 3))[:designs]
    pairs = [(a - b) ** 2 for i, a in enumerate(profiles) for b in profiles[:i]]
    found = diversity.rms_distance(jnp.asarray(profiles))
    assert float(found) == pytest.approx(np.sqrt(np.mean(pairs)), rel=1e-5)


def design(height, reach, usable=None, mask=None):
    """What the distance of designs looks at."""
    height, reach = jnp.asarray(height), jnp.asarray(reach)
    indentation = jnp.stack([reach / 2, reach], axis=-1)
    return SimpleNamespace(
        surface=SimpleNamespace(height=height, mask=mask),
        curve=SimpleNamespace(indentation=indentation), usable=usable,
    )  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
def test_only_depths_that_touch_make_designs_different():
    """Heights in any order; below the deepest indentation they are all the same."""
    found = design([[-3.0, 0.0, -1.0], [5.0, 4.0, -90.0]], [2.0, 1.5])
    depths = diversity.touching_heights(found)
    np.testing.assert_allclose(depths, [[0, 1, 2], [0, 1, 1.5]])
    apart = float(diversity.diversity(found))
    assert apart == pytest.approx(np.sqrt(0.5**2 / 3) / 1.75, rel=1e-5)


@pytest.mark.usefixtures("stand_ins")
def test_masked_asperities_lie_deep():
    found = design([[9.0, 0.0, -1.0]], [2.0], mask=jnp.asarray([[False, True, True]]))
    np.testing.assert_allclose(diversity.touching_heights(found), [[0, 1, 2]])


@pytest.mark.usefixtures("stand_ins")
def test_designs_that_cannot_be_made_do_not_count_as_different():
    touching = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 9.0]])
    found = design(np.zeros((3, 2)), [4.0, 4.0, 100.0], usable=np.array([True, True, False]))
    assert diversity.usable_diversity(found, touching) == pytest.approx(np.sqrt(0.5) / 4)
    one = SimpleNamespace(curve=found.curve, usable=np.array([False, True, False]))
    assert diversity.usable_diversity(one, touching) == 0.0


# ---------------------------------------------------------------- scores of answers


def test_scores_are_over_all_designs_of_all_targets():
    errors = jnp.asarray([[1.0, 3.0], [5.0, 11.0]])
    found = rows_module.numbers(Answer(errors), group(2))
    assert found["group"] == "random, 64" and (found["targets"], found["designs"]) == (2, 2)
    assert (found["median"], found["mean"], found["worst"]) == (4.0, 5.0, 11.0)
    assert found["p95"] == pytest.approx(5 + 0.85 * 6)
    assert found["best_median"] == 3.0
    assert "diversity" not in found and "parameter_smape" not in found


def test_diversity_is_over_that_of_random_surfaces():
    """Two designs of the first target 3 apart in each height, of the second 4: √12.5 over 2."""
    profile = jnp.asarray([[[0.0, 0.0], [3.0, 3.0]], [[4.0, 1.0], [0.0, 5.0]]])
    found = rows_module.numbers(Answer(jnp.ones((2, 2)), profile), group(2, scale=2.0))
    assert found["diversity"] == pytest.approx(np.sqrt((9 + 16) / 2) / 2, rel=1e-5)
    one = rows_module.numbers(Answer(jnp.ones((2, 1)), profile[:, :1]), group(2))
    assert "diversity" not in one


def test_parameters_are_scored_where_they_are_known():
    """θ̂ = 3 where θ = 1 is 100 % by sMAPE, 2 is 66.7 %."""
    theta = jnp.stack([jnp.full((1, 23), 3.0), jnp.full((1, 23), 3.0), jnp.full((1, 23), 2.0)])
    answer = Answer(jnp.ones((3, 1)), None, theta)
    found = rows_module.numbers(answer, group(3))
    assert found["parameter_smape"] == pytest.approx(100.0, rel=1e-5)
    assert "parameter_smape" not in rows_module.numbers(answer, group(3, known=False))


def test_every_target_gets_its_own_group_back():
    """One program for all groups: their rows do not mix."""
    groups = [group(2), group(1, known=False, name="linear", level=10.0)]

    def method(target, key):
        return Answer(target.friction[:2])

    found = rows_module.ask(Method("toy"), method, groups, seed=1, training_seconds=4.5)
    assert [(r["group"], r["targets"], r["mean"]) for r in found] == [
        ("random, 64", 2, 1.5), ("linear", 1, 10.0),
    ]  # fmt: skip
    for row in found:
        assert Method("toy").made(row)
        assert (row["seed"], row["asperities"], row["training_s"]) == (1, 64, 4.5)
        # Three targets of two designs each were timed together
        assert row["ms_per_target"] == pytest.approx(2 * row["ms_per_design"])
        assert row["compile_s"] > 0


def test_a_surface_and_another_of_its_mixture_are_rows_of_their_own():
    def method(target, key):
        return Answer(jnp.stack([target.friction[0], 7 + target.friction[0]]))

    found = rows_module.ask(Method("toy", control="odd"), method, [group(2)], twice=True)
    assert [(r["method"], r["mean"], r["designs"]) for r in found] == [
        ("toy, odd, same surface", 1.5, 1), ("toy, odd, redrawn", 8.5, 1),
    ]  # fmt: skip
    assert rows_module.on(Method("toy"), "redrawn") == Method("toy", control="redrawn")


def test_targets_are_answered_with_keys_of_their_own(monkeypatch):
    """And seven at a time where there are seven: a remainder would be a program of its own."""
    together = []
    mapped = jax.lax.map

    def watched(f, xs, *, batch_size):
        together.append(batch_size)
        return mapped(f, xs, batch_size=batch_size)

    monkeypatch.setattr(methods.jax.lax, "map", watched)

    def method(target, key):
        return Answer(jax.random.uniform(key, (1,)))

    for size, expected in ((7, 7), (12, 6), (11, 1)):
        found = methods.apply(method, group(size), jax.random.key(3))
        assert len(np.unique(np.asarray(found.error))) == size
        assert together.pop() == expected


# ---------------------------------------------------------------- yardsticks

KEY = jax.random.key(4)


def smape(F, T):
    F, T = np.asarray(F), np.asarray(T)
    return 200 * np.mean(np.abs(F - T) / (F + T))


def target(friction):
    return methods.Target(jnp.asarray(friction), jnp.ones(23), KEY)


def test_a_constant_is_the_median_of_the_target():
    law = np.linspace(1.0, 9.0, 128) ** 2
    found = methods.constant(target(law), KEY)
    assert found.profile is None and found.theta is None
    np.testing.assert_allclose(found.error, [smape(np.median(law), law)], rtol=1e-5)


def test_the_best_of_random_laws_is_the_nearest_of_those_drawn():
    """One draw is any law; of very many the best is the best of all."""
    laws = np.outer([1.0, 2.0, 4.0], np.ones(128))
    wanted = target(2.2 * np.ones(128))
    errors = [smape(law, wanted.friction) for law in laws]
    many = methods.best_random(jnp.asarray(laws), 60)(wanted, KEY)
    np.testing.assert_allclose(many.error, [min(errors)], rtol=1e-5)
    one = {round(float(methods.best_random(jnp.asarray(laws), 1)(wanted, jax.random.key(k))
                       .error[0]), 3) for k in range(12)}  # fmt: skip
    assert one == {round(x, 3) for x in errors}


def test_a_redraw_is_of_the_true_mixture_with_another_key(monkeypatch):
    seen = []

    def law(mixture, n, key, loads):
        seen.append((n, key))
        return mixture.to_vector()[0] * loads

    monkeypatch.setattr(methods, "mixture_law", law)
    theta = jnp.asarray([0.25] * 3 + [1.0] * 8 + [1.0, 0.0, 1.0] * 4)
    loads = methods.study_loads()
    asked = methods.Target(loads, theta, jax.random.key(9))
    found = methods.redrawn(16)(asked, KEY)
    # Four equal weights: the law is a quarter of the load, as far from it as 0.25 is from 1
    np.testing.assert_allclose(found.error, [200 * 0.75 / 1.25], rtol=1e-4)
    ((n, key),) = seen
    assert n == 16 and jnp.array_equal(jax.random.key_data(key), jax.random.key_data(KEY))


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("count, best, zeros", [(4, False, 0), (4, True, 1), (1, False, 1)])
def test_the_most_accurate_design_is_asked_for_alone_or_where_the_best_counts(
    monkeypatch, count, best, zeros
):
    """z = 0 of one design, first of those of which the best counts; else all are draws alike."""
    seen = []

    class Drawn:
        latent = 3

        def __call__(self, material, loads, friction, z, *, asperities, radius_bounds):
            return contact.Asperities(z, jnp.ones(asperities))

    def refined(starts, wanted, steps, only_best):
        seen.append((np.asarray(starts.height), steps, only_best))
        return Answer(jnp.ones(1))

    monkeypatch.setattr(methods, "_refined", refined)
    methods.ours(Drawn(), 3, count, 5, best)(target(np.ones(128)), KEY)
    ((z, steps, only_best),) = seen
    assert z.shape == (count, 3) and (steps, only_best) == (5, best)
    assert not np.any(z[:zeros]) and np.all(z[zeros:] != 0)


# ---------------------------------------------------------------- lines of the table


@pytest.fixture
def lines(tmp_path):
    """The lines of a preset by name, for one number of asperities and a seed."""

    def listed(plan=LAPTOP, asperities=64, seed=0):
        trained = Trained(Keeper(plan, tmp_path))
        return {x.method.name: x for x in table.Lines(trained, asperities, seed)}

    return listed


def test_a_line_names_the_network_whose_training_it_is_charged_with(lines):
    """Kind, size of z, steps and seed: of the laptop preset, seed 1."""
    found = {name: line.network for name, line in lines(seed=1).items() if line.network}
    ours = {name for name in found if name.startswith("ours")}
    assert {found[name] for name in ours} == {"generator_1"} and len(ours) == 6
    assert {name: found[name] for name in set(found) - ours} == {
        "MLP": "mlp_56_600_1", "GAN": "gan_56_600_1", "CVAE, prior": "cvae_56_2000_1",
        "CVAE, posterior": "cvae_56_2000_1", "VAE + CMA-ES": "vae_16_2000_1",
    }  # fmt: skip


def test_lines_are_asked_what_they_can_answer(lines):
    found = lines()
    assert {k for k, x in found.items() if x.known} == {"true mixture, redrawn", "CVAE, posterior"}
    searches = {"VAE + CMA-ES", "CMA-ES on parameters"}
    assert {k for k, x in found.items() if x.searched} == searches
    assert {k for k, x in found.items() if x.twice} == searches | {"CVAE, posterior"}


def test_the_shortest_preset_leaves_lines_out(lines):
    left_out = set(lines()) - set(lines(SMOKE))
    assert left_out - {"trees"} == {
        "bank, as found", "bank, 3 LM", "bank, 10 LM", "MLP", "GAN", "CMA-ES on parameters",
        "ours, 1 LM", "ours, 10 LM",
    }  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name, expected", [
    ("ours, one pass", (1, 0, False)), ("ours, drawn", (16, 0, False)),
    ("ours, 3 LM", (16, 3, False)), ("ours, best", (16, 10, True)),
])  # fmt: skip
def test_a_line_of_ours_has_its_designs_and_steps(lines, monkeypatch, name, expected):
    asked = []
    monkeypatch.setattr(Trained, "generator", lambda self, seed: f"generator {seed}")
    monkeypatch.setattr(
        methods, "ours",
        lambda generator, n, count, steps, best: asked.append((generator, n, count, steps, best)),
    )  # fmt: skip
    lines(seed=2, asperities=16)[name].build()
    assert asked == [("generator 2", 16, *expected)]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name, steps, best", [
    ("bank, as found", 0, False), ("bank, 3 LM", 3, False), ("bank, 10 LM", 10, False),
    ("bank, best", 10, True),
])  # fmt: skip
def test_a_line_of_the_bank_has_its_steps(lines, monkeypatch, name, steps, best):
    asked = []
    monkeypatch.setattr(
        table.contact, "make_bank", lambda size, *, key, asperities: (size, asperities)
    )
    monkeypatch.setattr(methods, "retrieval", lambda bank, count, steps, best=False: asked.append(
        (bank, count, steps, best)))  # fmt: skip
    lines(asperities=256)[name].build()
    assert asked == [((200_000, 256), 16, steps, best)]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name, count", [("random surface", 1), ("best of 1,000 random", 1000)])
def test_random_laws_are_nobodys_targets(lines, monkeypatch, name, count):
    asked, drawn = [], []

    def random_group(n, asperities, seed=98):
        drawn.append((n, asperities, seed))
        return group(3)

    monkeypatch.setattr(table, "random_group", random_group)
    monkeypatch.setattr(methods, "best_random", lambda laws, k: asked.append(k))
    lines()[name].build()
    assert asked == [count]
    ((n, asperities, seed),) = drawn
    assert (n, asperities) == (1000, 64) and seed not in (98, 99)


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name, expected", [
    ("MLP", ("mlp", 1, 600, 56)), ("GAN", ("gan", 1, 600, 56)),
    ("CVAE, prior", ("cvae", 1, 2000, 56)), ("CVAE, posterior", ("cvae", 1, 2000, 56)),
    ("VAE + CMA-ES", ("vae", 1, 2000, 16)),
])  # fmt: skip
def test_a_line_asks_for_the_network_that_it_names(lines, monkeypatch, name, expected):
    """The training whose time is told is the one that was made."""
    asked = []

    def network(self, recipe, seed, steps, latent=56):
        asked.append((recipe.kind, seed, steps, latent))
        return SimpleNamespace(generate=None, decode=None, latent=latent)

    monkeypatch.setattr(Trained, "network", network)
    for maker in ("regressed", "generated", "reconstructed", "searched", "bounded"):
        monkeypatch.setattr(methods, maker, lambda *_, **__: None)
    line = lines(seed=1)[name]
    line.build()
    assert set(asked) == {expected}
    kind, seed, steps, latent = expected
    assert line.network == f"{kind}_{latent}_{steps}_{seed}"


# ---------------------------------------------------------------- which targets


def test_families_are_asked_of_the_first_size_alone(monkeypatch):
    drawn = []

    def random_group(count, asperities):
        drawn.append((count, asperities))
        return group(2, asperities=asperities)

    monkeypatch.setattr(whole, "random_group", random_group)
    monkeypatch.setattr(whole, "families", lambda count, like: [
        group(count, known=False, name=f"family of {like.asperities}")])  # fmt: skip
    found = whole.groups(LAPTOP)
    assert drawn == [(200, 64), (100, 16), (100, 256)]
    assert [[g.name for g in same] for same in found] == [
        ["random, 64", "family of 64"], ["random, 64"], ["random, 64"],
    ]  # fmt: skip
    assert found[0][1].size == 16
    drawn.clear()
    # Of one target half would be none: two are the least that have a scale
    whole.groups(dataclasses.replace(SMOKE, targets=3, counts=(64, 16)))
    assert drawn == [(3, 64), (2, 16)]


@pytest.fixture
def toy(monkeypatch, killed):
    """The study with answers that only count; `toy.die` is the line in which it is killed."""
    seen = SimpleNamespace(taken=[], die=None, asked={})

    def ask(method, answering, groups, *, seed, twice, training_seconds):
        if seen.die == len(seen.taken):
            seen.die = None
            raise killed
        seen.taken.append((seed, groups[0].asperities, method.name))
        seen.asked[seed, groups[0].asperities, method.name] = (
            [(g.name, g.size) for g in groups], twice, training_seconds,
        )  # fmt: skip
        return [
            {**method.facts(), "group": g.name, "targets": g.size, "mean": 1.0 + seed,
             "median": 2.0, "p95": 3.0, "diversity": 0.5, "ms_per_target": 4.0, "seed": seed}
            for g in groups
        ]  # fmt: skip

    def groups(plan):
        families = [group(2, known=False, name="linear")]
        return [
            [group(5, name=f"random, {n}", asperities=n), *(families if n == 64 else [])]
            for n in plan.counts
        ]  # fmt: skip

    answers = {"reconstruction": [{"parameter_smape": 8.0}]}
    monkeypatch.setattr(whole, "ask", ask)
    monkeypatch.setattr(whole, "groups", groups)
    monkeypatch.setattr(whole, "shown", lambda generator, same, count: [{"designs": count}])
    monkeypatch.setattr(whole, "Questions", lambda trained, targets: SimpleNamespace(
        answers=lambda: answers))  # fmt: skip
    monkeypatch.setattr(Trained, "generator", lambda self, seed: None)
    for name in ("_yardsticks", "_retrieval", "_paper", "_ours"):
        original = getattr(table.Lines, name)
        monkeypatch.setattr(table.Lines, name, lambda self, f=original: (
            line._replace(build=lambda: None) for line in f(self)))  # fmt: skip
    return seen


@pytest.mark.usefixtures("stand_ins")
def test_killed_in_any_line_it_ends_with_the_same_rows_and_none_taken_twice(toy, tmp_path, killed):
    first = metainterface.run("smoke", tmp_path / "whole")
    steps = list(toy.taken)
    assert len(steps) == len(set(steps)) == 12
    for k in range(len(steps)):
        toy.taken.clear()
        toy.die, out = k, tmp_path / f"{k}"
        with pytest.raises(killed):
            metainterface.run("smoke", out)
        assert toy.taken == steps[:k] and not (out / "metrics.json").exists()
        again = metainterface.run("smoke", out, resume=True)
        assert toy.taken == steps
        assert [again[x] for x in ("rows", "analyses", "headline")] == [
            first[x] for x in ("rows", "analyses", "headline")
        ]
    assert (tmp_path / "whole" / "shown.json").read_text().split() == ["[", "{", '"designs":', "4",
                                                                      "}", "]"]  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
def test_who_is_asked_for_what(toy, tmp_path, monkeypatch):
    """Searches of a few targets of one size; true mixtures only where there are some."""
    plan = dataclasses.replace(LAPTOP, seeds=2, searched=3)
    monkeypatch.setitem(whole.PRESETS, "laptop", plan)
    metrics = metainterface.run("laptop", tmp_path)
    both, random = [("random, 64", 5), ("linear", 2)], [("random, 64", 5)]
    assert toy.asked[0, 64, "constant"] == (both, False, None)
    assert toy.asked[1, 16, "constant"][0] == [("random, 16", 5)]
    assert toy.asked[0, 64, "true mixture, redrawn"][0] == random
    assert toy.asked[0, 64, "CVAE, posterior"][:2] == (random, True)
    assert toy.asked[1, 64, "VAE + CMA-ES"][:2] == ([("random, 64", 3), ("linear", 2)], True)
    assert (0, 16, "VAE + CMA-ES") not in toy.asked and (0, 16, "ours, best") in toy.asked
    # The mean over two seeds; of 16 asperities as well
    assert metrics["headline"]["one_pass_mean"] == 1.5 == metrics["headline"]["one_pass_n16_mean"]
    assert metrics["headline"]["reconstruction_median"] == 8.0


@pytest.mark.usefixtures("stand_ins")
def test_the_seconds_of_a_training_stand_beside_the_rows_that_needed_it(toy, tmp_path):
    keeper = Keeper(LAPTOP, tmp_path)
    keeper.record("trained_generator_0", {}, 12.5)
    for line in table.Lines(Trained(keeper), 64, 0):
        whole._rows(keeper, line, [group(2)], 0)
    told = {name: seconds for (_, _, name), (_, _, seconds) in toy.asked.items()}
    assert told["ours, one pass"] == told["ours, best"] == 12.5
    assert told["MLP"] is None and told["constant"] is None


# ---------------------------------------------------------------- headline and table


def row(method, group="random, 64", seed=0, **numbers):
    return {**method.facts(), "group": group, "targets": 200, "seed": seed, **numbers}


def headline_of(*rows):
    metrics = {"rows": list(rows), "analyses": {"reconstruction": [{"parameter_smape": 2.5}]}}
    found = of_table.headline(metrics)
    assert found.pop("reconstruction_median") == 2.5
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize("key", list(of_table.HEADLINE))
def test_each_number_of_the_headline_is_one_column_of_one_method(key):
    method, asperities, column = of_table.HEADLINE[key]
    numbers = {"mean": 1.0, "median": 2.0, "p95": 3.0, "diversity": 4.0, "ms_per_target": 5.0}
    mine = row(method, f"random, {asperities}", **numbers)
    other = row(Method(method.kind, "-", "-", "odd"), f"random, {asperities}", **numbers)
    elsewhere = row(method, "linear", **numbers)
    assert headline_of(mine, other, elsewhere)[key] == numbers[column]
    assert key not in headline_of(other, elsewhere)


def test_the_headline_asks_for_lines_that_exist(lines):
    """A method that no line is would be None for ever."""
    asked = {method for method, _, _ in of_table.HEADLINE.values()}
    made = set()
    for line in lines().values():
        made |= {rows_module.on(line.method, x) for x in rows_module.TWICE} if line.twice else {
            line.method}  # fmt: skip
    assert asked <= made
    sizes = {n for _, n, _ in of_table.HEADLINE.values()}
    assert sizes <= set(LAPTOP.counts)


def test_seconds_of_a_search_are_those_of_a_target():
    method = rows_module.on(Method("VAE + CMA-ES"), "same surface")
    found = headline_of(row(method, ms_per_target=400.0), row(method, seed=1, ms_per_target=200.0))
    assert found == {"vae_cma_seconds_per_target": 0.3}


def test_the_table_has_a_line_for_each_method_of_each_group():
    ours, constant = Method("ours", control="drawn"), Method("constant")
    rows = [
        row(constant, median=50.0, mean=51.25, p95=58.5, ms_per_design=0.00696),
        row(ours, median=1.0, mean=2.0, p95=4.0, diversity=0.75, ms_per_design=0.5,
            parameter_smape=None),
        row(ours, seed=1, median=3.0, mean=2.5, p95=6.0, diversity=0.25, ms_per_design=0.7),
        row(ours, "linear", median=9.0, mean=9.0, p95=9.0),
    ]  # fmt: skip
    text = metainterface.table({"rows": rows, "headline": {"one_pass_mean": 0.30589, "odd": None}})
    lines = text.splitlines()
    assert lines[0] == "targets: random, 64 (200 laws), sMAPE of the friction law, percent"
    assert lines[2].split() == ["constant", "50", "51.2", "58.5", "-", "-", "0.00696"]
    # The means over two seeds; what neither has is a dash
    assert lines[3].split() == ["ours,", "drawn", "2", "2.25", "5", "0.5", "-", "0.6"]
    assert lines[5].startswith("targets: linear")
    assert lines[7].split() == ["ours,", "drawn", "9", "9", "9", "-", "-", "-"]
    assert "CVAE one pass 37.95 (mean), VAE + CMA-ES 4.35" in text
    assert lines[-1] == "one_pass_mean: 0.3059" and "odd" not in text
    # Numbers end below the names of their columns
    for name, number in (("median", "2"), ("mean", "2.25"), ("95th", "5"), ("diversity", "0.5"),
                         ("parameters", "-"), ("ms each", "0.6")):  # fmt: skip
        end = lines[1].index(name) + len(name)
        assert lines[3][:end].endswith(f" {number}"), name

"""Programs: compiled once for a kind of arguments, kept between processes, never stale."""

import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import programs
from jaxfric.programs._describe import UnknownStructureError, describe


class Pair(eqx.Module):
    first: jax.Array
    name: str = eqx.field(static=True)
    second: float | jax.Array = 2.0


def _scaled(pair, factor, power):
    return Pair(factor * pair.first**power, pair.name, pair.second), {"sum": pair.first.sum()}


scaled = programs.program(_scaled)


@pytest.fixture
def keeper(tmp_path):
    yield programs.keep(tmp_path)
    programs.forget()


def call(values=(1.0, 2.0), power=2):
    return scaled(Pair(jnp.array(values), "a"), jnp.asarray(3.0), power)


def test_other_numbers_of_the_same_kind_compile_nothing(compilations):
    call()
    other = Pair(jnp.array([5.0, 7.0]), "a")
    factor = jnp.asarray(0.5)
    assert compilations(scaled, other, factor, 2) == 0
    assert compilations(scaled, other, factor, 3) == 1  # a number of Python's is static


def test_a_program_under_jit_vmap_and_grad_is_an_ordinary_function():
    def total(x):
        return scaled(Pair(x, "a"), jnp.asarray(3.0), 2)[0].first.sum()

    x = jnp.array([1.0, 2.0])
    np.testing.assert_allclose(jax.grad(total)(x), [6.0, 12.0])
    np.testing.assert_allclose(jax.jit(total)(x), 15.0)
    np.testing.assert_allclose(jax.vmap(total)(jnp.stack([x, 2 * x])), [15.0, 60.0])


def test_a_function_of_the_users_own_is_traced_at_every_call():
    """It may read a number that has changed; what was traced would not know."""
    number = [1.0]
    run = programs.program(lambda f, x: f(x))

    def own(x):
        return x + number[0]

    assert run(own, jnp.asarray(1.0)) == 2.0
    number[0] = 5.0
    assert run(own, jnp.asarray(1.0)) == 6.0


def test_kept_programs_give_the_same_result(keeper, tmp_path):
    expected = jax.jit(_scaled, static_argnums=2)(
        Pair(jnp.array([1.0, 2.0]), "a"), jnp.asarray(3.0), 2
    )
    for source in ("traced", "kept"):
        pair, sums = call()
        assert keeper.used == {"tests.programs.test_programs._scaled": source}
        np.testing.assert_array_equal(pair.first, expected[0].first)
        np.testing.assert_array_equal(sums["sum"], 3.0)
        assert (pair.name, pair.second) == ("a", 2.0)
        keeper = programs.keep(tmp_path)


def test_another_kind_of_arguments_is_another_program(keeper, tmp_path):
    call()
    call((1.0, 2.0, 3.0))
    call(power=3)
    assert len(list(tmp_path.glob("*.program"))) == 3


@pytest.mark.parametrize("damage", ["truncate", "sources", "version", "note"])
def test_what_cannot_be_trusted_is_traced_anew(keeper, tmp_path, damage, monkeypatch):
    call()
    (path,), (note,) = tmp_path.glob("*.program"), tmp_path.glob("*.json")
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "sources":
        note.write_text(note.read_text().replace(json.loads(note.read_text())["sources"], "0"))
    elif damage == "note":
        note.write_text("{")
    else:
        read, old = jax.export.deserialize, [path]
        monkeypatch.setattr(
            jax.export, "deserialize", lambda x: old.clear() or 1 / 0 if old else read(x)
        )
    keeper = programs.keep(tmp_path)
    pair, _ = call()
    np.testing.assert_array_equal(pair.first, [3.0, 12.0])
    assert set(keeper.used.values()) == {"traced"}


def test_a_folder_that_cannot_be_written_to_costs_time_only(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    programs.keep(tmp_path / "file" / "folder")
    try:
        np.testing.assert_array_equal(call()[0].first, [3.0, 12.0])
    finally:
        programs.forget()
    assert "programs are not kept" in capsys.readouterr().err


def test_arguments_are_described_by_structure_and_never_by_value():
    a, b = Pair(jnp.ones(2), "a"), Pair(jnp.zeros(2), "a")
    assert describe((a, 1, None)) == describe((b, 1, None))
    others = [Pair(jnp.ones(3), "a"), Pair(jnp.ones(2), "b"), Pair(jnp.ones(2), "a", 3.0)]
    others += [Pair(jnp.ones(2, jnp.float16), "a"), (jnp.ones(2), "a", 2.0), [a], {"x": a}]
    texts = [describe(x) for x in (a, *others)]
    assert len(set(texts)) == len(texts)
    assert describe(jax.tree_util.Partial(_scaled, a)) == describe(
        jax.tree_util.Partial(_scaled, b)
    )


@pytest.mark.parametrize("unknown", [lambda x: x, functools.partial(_scaled), object()])
def test_what_another_process_could_not_know_is_not_kept(unknown):
    with pytest.raises(UnknownStructureError):
        describe((unknown,))

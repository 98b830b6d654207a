"""Scores against closed forms."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxfric import forecast

PHASE = np.arange(600) % 100
TRUTH = jnp.asarray(0.5 + 0.001 * PHASE)  # six cycles, failures at 99, 199, ... 499
score = jax.jit(forecast.scores)  # one program a shape, not one an operation


def test_a_perfect_prediction():
    found = score(TRUTH, TRUTH, 0.1)
    assert (float(found.mape), float(found.r2), float(found.mae)) == (0, 1, 0)
    assert (float(found.rmse), float(found.missed), float(found.timing)) == (0, 0, 0)
    assert int(found.events) == int(found.picks) == 5
    np.testing.assert_allclose(found.drop_ratio, 1.0, rtol=1e-6)


def test_a_constant():
    found = score(TRUTH, jnp.full(600, jnp.mean(TRUTH)), 0.1)
    # |p − y| averages 0.025 for a uniform distribution over 0.1 (100 levels: exactly 0.025).
    np.testing.assert_allclose(found.mae, 0.025, rtol=1e-5)
    np.testing.assert_allclose(found.r2, 0.0, atol=1e-5)
    np.testing.assert_allclose(found.rmse, 0.001 * np.sqrt((100**2 - 1) / 12), rtol=1e-5)
    assert float(found.missed) == 1 and float(found.drop_ratio) == 0
    np.testing.assert_allclose(found.timing, 5.0, rtol=1e-6)  # half the recurrence
    assert float(score(TRUTH, jnp.full(600, 0.6)).r2) < 0


def test_mape_of_a_factor_and_a_sample_near_zero():
    np.testing.assert_allclose(score(TRUTH, 0.97 * TRUTH).mape, 3.0, rtol=1e-4)
    truth = jnp.array([2.0, 1.0, 0.0, 3.0])
    found = score(truth, truth + jnp.array([0.2, -0.1, 5.0, 0.3]))
    np.testing.assert_allclose(found.mape, 10.0, rtol=1e-5)  # the zero is left out, 5 stays in MAE
    np.testing.assert_allclose(found.mae, 5.6 / 4, rtol=1e-6)


@pytest.mark.parametrize("after", ["edge", "reflect"])
def test_samples_after_the_length_of_a_record_are_passed_over(after):
    """What fills a record up, from the middle of a failure on, changes no event and no score."""
    truth = np.convolve(TRUTH, np.ones(10) / 10, "same")[5:505]
    shifted = np.roll(truth, 3) + 0.003 * np.cos(np.arange(500))
    where = np.arange(600) > 150
    longer = (np.pad(x, (0, 100), mode=after) for x in (truth, shifted))
    short = score(truth, shifted, 0.1, where=where[:500])
    long = score(*longer, 0.1, where=where, length=np.asarray(500))
    assert int(short.events) == 4
    tolerance = 1e-12 if jax.config.jax_enable_x64 else 1e-5
    for one, two in zip(*map(jax.tree_util.tree_leaves, (short, long)), strict=True):
        np.testing.assert_allclose(two, one, rtol=tolerance)


@pytest.mark.parametrize("shift", [-7, 0, 4, 20])
def test_timing_of_a_shifted_prediction(shift):
    found = score(TRUTH, jnp.roll(TRUTH, shift), 0.1)
    np.testing.assert_allclose(found.timing, 0.1 * abs(shift), atol=1e-6)
    assert float(found.missed) == 0


def test_a_missed_and_a_false_failure():
    smooth = np.array(TRUTH)
    smooth[199:399] = 0.599  # the second to fourth: no drop until 399
    found = score(TRUTH, jnp.asarray(smooth), 0.1)
    assert int(found.picks) == 3
    np.testing.assert_allclose(found.missed, 0.4, rtol=1e-6)
    assert float(found.timing) == 0
    back = score(jnp.asarray(smooth), TRUTH, 0.1)
    assert (int(back.events), int(back.picks), float(back.missed)) == (3, 5, 0)


def test_drop_ratio():
    found = score(TRUTH, 0.55 + 0.6 * (TRUTH - 0.55), 0.1)
    np.testing.assert_allclose(found.drop_ratio, 0.6, rtol=1e-5)


def test_only_what_counts_is_scored():
    where = jnp.arange(600) >= 250
    wrong_before = jnp.where(where, TRUTH, 0.1)
    found = score(TRUTH, wrong_before, 0.1, where=where)
    assert (float(found.mape), float(found.r2)) == (0, 1)
    assert int(found.events) == 3  # 299, 399, 499
    cut = score(TRUTH[250:], 0.9 * TRUTH[250:])
    whole = score(TRUTH, 0.9 * TRUTH, where=where)
    np.testing.assert_allclose(whole.rmse, cut.rmse, rtol=1e-5)
    np.testing.assert_allclose(whole.r2, cut.r2, rtol=1e-4)


@given(st.floats(1e-3, 1e3), st.integers(0, 2**31 - 1))
def test_mape_and_r2_do_not_depend_on_the_unit(factor, seed):
    prediction = TRUTH + 0.02 * np.random.default_rng(seed).normal(size=600).astype(TRUTH.dtype)
    plain = score(TRUTH, prediction)
    scaled = score(factor * TRUTH, factor * prediction)
    np.testing.assert_allclose(plain.mape, scaled.mape, rtol=1e-3)
    np.testing.assert_allclose(plain.r2, scaled.r2, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(factor * plain.rmse, scaled.rmse, rtol=1e-3)
    assert float(plain.mae) <= float(plain.rmse) * (1 + 1e-6)


@pytest.mark.x64
@pytest.mark.parametrize("name", ["mape", "r2", "mae", "rmse", "drop_ratio"])
def test_gradients(name):
    noise = 0.002 * np.random.default_rng(3).normal(size=600)
    prediction = TRUTH + noise

    def one(p):
        return getattr(score(TRUTH, p, 0.1), name)

    direction = jnp.asarray(np.random.default_rng(4).normal(size=600))
    h = 1e-7
    slope = (one(prediction + h * direction) - one(prediction - h * direction)) / (2 * h)
    gradient = jax.jit(jax.grad(one))(prediction)
    np.testing.assert_allclose(jnp.vdot(gradient, direction), slope, rtol=1e-5, atol=1e-8)
    _, forward = jax.jvp(one, (prediction,), (direction,))
    np.testing.assert_allclose(forward, slope, rtol=1e-5, atol=1e-8)


def test_gradients_are_finite_at_a_perfect_prediction():
    for name in ("mape", "r2", "mae", "rmse"):
        gradient = jax.grad(lambda p, name=name: getattr(score(TRUTH, p), name))(TRUTH)
        assert np.isfinite(gradient).all()


def test_degenerate_truths_give_numbers():
    constant = score(jnp.ones(50), jnp.ones(50), 0.1)
    assert float(constant.r2) == 0 and float(constant.timing) == 0 and int(constant.events) == 0
    zeros = score(jnp.zeros(50), jnp.ones(50), 0.1)
    nowhere = score(TRUTH, TRUTH, 0.1, where=jnp.zeros(600, bool))
    for found in (constant, zeros, nowhere):
        assert all(np.isfinite(x) for x in jax.tree_util.tree_leaves(found))


def test_under_jit_and_vmap_and_in_print():
    batch = jnp.stack([TRUTH, 0.9 * TRUTH])
    many = jax.jit(jax.vmap(lambda p: score(TRUTH, p, 0.1)))(batch)
    np.testing.assert_allclose(many.mape, [0.0, 10.0], atol=1e-4)
    assert "batched" in str(many)
    assert "failures" in str(score(TRUTH, TRUTH, 0.1))
    assert "failures" not in str(score(TRUTH, TRUTH))


def test_scores_show_numbers_and_no_shapes():
    found = score(TRUTH, 0.9 * TRUTH, 0.1)
    assert repr(found) == str(found)
    assert str(found).splitlines()[0] == "mean absolute error, relative           10 %"
    assert str(found).splitlines()[4] == "failures in the truth                    5"
    many = jax.vmap(lambda p: score(TRUTH, p, 0.1))(jnp.stack([TRUTH, 0.9 * TRUTH, 0.7 * TRUTH]))
    title, first, *_ = str(many).splitlines()
    assert title == "Scores (batched, 3): median (range)"
    assert re.fullmatch(r"mean absolute error, relative +10 \(0 to 30\) %", first)
    assert repr(jax.eval_shape(lambda x: x, found)) == "Scores (no numbers)"
    assert repr(jax.tree_util.tree_map(lambda _: None, found)) == "Scores (no numbers)"


def test_a_notebook_shows_the_same_rows():
    found = score(TRUTH, 0.9 * TRUTH, 0.1)
    page = found._repr_html_()
    assert page.startswith("<table>") and page.endswith("</table>")
    assert page.count("<tr>") == 1 + len(str(found).splitlines())
    assert "<th>mean absolute error, relative</th><td>10</td><td>%</td>" in page
    many = jax.vmap(lambda p: score(TRUTH, p, 0.1))(jnp.stack([TRUTH, 0.9 * TRUTH]))
    assert "batched, 2" in many._repr_html_()
    assert jax.eval_shape(lambda x: x, found)._repr_html_() == "Scores (no numbers)"


def test_bad_input():
    with pytest.raises(ValueError, match=r"shape \(600,\); got \(599,\)\. For a batch"):
        forecast.scores(TRUTH, TRUTH[:-1])

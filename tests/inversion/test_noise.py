"""The autoregressive model of correlated noise, against known processes. NumPy only."""

import numpy as np
import pytest

from jaxfric.inversion._noise import Noise, _burg, _levinson, _stretches, noise_model, weighted_gram

AR2 = np.array([1.2, -0.5])  # roots 0.6 ± 0.37i
NOTHING = np.zeros((4000, 0))  # the Jacobian of a fit without parameters


@pytest.fixture(scope="module")
def process():
    """A stationary autoregressive series: a long run-in is thrown away."""

    def make(n, phi, sd=1.0, seed=0):
        e = sd * np.random.default_rng(seed).normal(size=n + 2000)
        x = np.zeros_like(e)
        for t in range(len(phi), e.size):
            x[t] = e[t] + np.dot(phi, x[t - len(phi) : t][::-1])
        return x[2000:]

    return make


def toeplitz(covariance):
    i = np.arange(covariance.size)
    return covariance[np.abs(i[:, None] - i[None, :])]


def test_autocovariance_of_first_order():
    """γ_k = σ² ρ^k / (1 − ρ²)."""
    for rho in (0.3, 0.9, -0.6, 0.99):
        found = Noise(slice(0, 500), np.array([rho]), 0.25).autocovariance(500)
        expected = 0.25 * rho ** np.arange(500) / (1 - rho**2)
        np.testing.assert_allclose(found, expected, atol=1e-9 * expected[0])


def test_autocovariance_of_second_order_obeys_yule_walker():
    covariance = Noise(slice(0, 300), AR2, 2.0).autocovariance(300)
    np.testing.assert_allclose(
        covariance[2:], AR2[0] * covariance[1:-1] + AR2[1] * covariance[:-2], atol=1e-12
    )
    assert covariance[0] - AR2 @ covariance[1:3] == pytest.approx(2.0, rel=1e-12)


def test_white_noise_has_no_covariance_at_a_lag():
    covariance = Noise(slice(0, 10), np.zeros(0), 3.0).autocovariance(10)
    np.testing.assert_array_equal(covariance, [3.0] + [0.0] * 9)


@pytest.mark.parametrize("phi", [np.array([0.7]), np.array([0.95]), AR2], ids=["0.7", "0.95", "2"])
def test_levinson_recovers_the_model_of_an_autocovariance(phi):
    covariance = Noise(slice(0, 5000), phi, 0.3).autocovariance(5000)[: phi.size + 1]
    found, variance = _levinson(covariance)
    np.testing.assert_allclose(found, phi, atol=1e-9)
    assert variance == pytest.approx(0.3, rel=1e-9)


@pytest.mark.parametrize("phi", [np.array([0.5]), np.array([0.9]), AR2], ids=["0.5", "0.9", "2"])
def test_burg_recovers_a_process(process, phi):
    found = dict((p.size, (p, v)) for p, v in _burg(process(20000, phi, sd=0.1), 5))
    ours, variance = found[phi.size]
    np.testing.assert_allclose(ours, phi, atol=4 / np.sqrt(20000))
    assert variance == pytest.approx(0.01, rel=0.04)
    # further coefficients are zero, and all models are stable
    np.testing.assert_allclose(found[5][0][phi.size :], 0, atol=4 / np.sqrt(20000))
    for p, v in found.values():
        assert Noise(slice(0, 9), p, v).slowest < 1


def test_burg_of_a_constant_series():
    assert all(v > 0 and np.all(np.isfinite(p)) for p, v in _burg(np.zeros(100), 5))


@pytest.mark.parametrize(("phi", "order"), [([], 0), ([0.8], 1), (AR2, 2)])
def test_order_is_chosen_by_bic(process, phi, order):
    time = np.arange(4000.0)
    sizes = [noise_model(process(4000, phi, seed=s), time, NOTHING)[0].phi.size for s in range(20)]
    assert sizes.count(order) >= 18


def test_model_of_a_process(process):
    (model,) = noise_model(process(4000, [0.8], sd=0.02), np.arange(4000.0), NOTHING)
    assert model.rows == slice(0, 4000)
    np.testing.assert_allclose(model.phi, [0.8], atol=0.04)
    assert model.innovation == pytest.approx(4e-4, rel=0.1)


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_what_a_fit_absorbed_is_added_back(process, rho):
    """Variance of a trend's coefficients, from residuals of the trend, is right on average."""
    n, time = 300, np.arange(300.0)
    basis = np.stack([(time / n) ** k for k in range(6)], axis=1)
    inverse = np.linalg.pinv(basis)
    truth = Noise(slice(0, n), np.array([rho] if rho else []), 1.0)
    expected = inverse @ toeplitz(truth.autocovariance(n)) @ inverse.T
    ratios = []
    for seed in range(200):
        x = process(n, truth.phi, seed=seed)
        models = noise_model(x - basis @ (inverse @ x), time, basis)
        gram = np.linalg.inv(basis.T @ basis)
        found = gram @ weighted_gram(basis, models) @ gram
        ratios.append(np.diag(found) / np.diag(expected))
    mean = np.mean(ratios, axis=0)
    # without the correction the mean would be 0.98 and 0.6
    np.testing.assert_allclose(mean, 1, atol=0.03 if rho == 0 else 0.15)


# J^T Σ J -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", [np.zeros(0), np.array([0.9]), AR2], ids=["0", "1", "2"])
def test_weighted_gram_against_a_dense_covariance(phi):
    jacobian = np.random.default_rng(0).normal(size=(257, 4))
    model = Noise(slice(0, 257), phi, 0.7)
    dense = toeplitz(model.autocovariance(257))
    found = weighted_gram(jacobian, [model])
    np.testing.assert_allclose(found, jacobian.T @ dense @ jacobian, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found, found.T)


def test_weighted_gram_of_two_stretches():
    jacobian = np.random.default_rng(1).normal(size=(100, 3))
    models = [Noise(slice(0, 60), np.array([0.5]), 1.0), Noise(slice(60, 100), np.zeros(0), 2.0)]
    dense = np.zeros((100, 100))
    dense[:60, :60] = toeplitz(models[0].autocovariance(60))
    dense[60:, 60:] = 2 * np.eye(40)
    expected = jacobian.T @ dense @ jacobian
    np.testing.assert_allclose(weighted_gram(jacobian, models), expected, rtol=1e-9, atol=1e-9)


def test_log_likelihood_of_white_noise(process):
    x = process(500, [], sd=0.3)
    (model,) = noise_model(x, np.arange(500.0), NOTHING[:500])
    variance = np.mean(x**2)
    expected = np.sum(-0.5 * np.log(2 * np.pi * variance) - x**2 / (2 * variance))
    assert model.phi.size == 0
    assert model.log_likelihood == pytest.approx(expected, rel=1e-9)


def test_noise_prints_its_numbers():
    model = Noise(slice(0, 60), AR2, 0.25)
    assert repr(model) == str(model)
    assert str(model).startswith("noise of rows 0 to 60: innovations of 0.5 ")
    assert str(model).endswith("1.2, -0.5")
    assert str(model._replace(phi=np.zeros(0))).endswith("none")


# Sampling ----------------------------------------------------------------------------------------


def times(*pieces):
    """Samples at the given (number, interval) pairs."""
    return np.concatenate([[0.0], np.cumsum(np.concatenate([np.full(n, dt) for n, dt in pieces]))])


def test_even_sampling_is_one_stretch():
    assert _stretches(times((500, 0.1))) == [slice(0, 501)]


def test_a_change_of_the_sampling_rate_splits_stretches():
    found = _stretches(times((200, 1.0), (300, 0.01)))
    assert len(found) == 2 and found[0].start == 0 and found[1].stop == 501
    assert found[0].stop == found[1].start and abs(found[0].stop - 200) <= 1
    assert len(_stretches(times((200, 1.0), (300, 0.01), (100, 1.0)))) == 3


def test_jitter_and_short_bursts_do_not_split():
    steps = np.random.default_rng(0).uniform(0.08, 0.12, 500)
    assert _stretches(np.cumsum(steps)) == [slice(0, 500)]
    assert len(_stretches(times((300, 0.1), (1, 10.0), (300, 0.1)))) <= 2
    whole = _stretches(times((300, 0.1), (20, 0.001), (300, 0.1)))
    assert whole[0].start == 0 and whole[-1].stop == 621
    assert all(a.stop == b.start for a, b in zip(whole[:-1], whole[1:], strict=True))


def test_each_stretch_has_its_own_noise(process):
    x = np.concatenate([process(1500, [0.9], sd=0.1), process(1500, [], sd=1.0, seed=1)])
    models = noise_model(x, times((1500, 0.01), (1499, 1.0)), NOTHING[:3000])
    assert [m.phi.size for m in models] == [1, 0]
    assert models[0].phi[0] == pytest.approx(0.9, abs=0.05)
    assert models[1].innovation == pytest.approx(1.0, rel=0.15)


def test_a_few_samples_are_taken_as_white():
    (model,) = noise_model(np.array([1.0, -1.0, 1.0, -1.0]), np.arange(4.0), NOTHING[:4])
    assert model.phi.size == 0 and model.innovation == pytest.approx(1.0)

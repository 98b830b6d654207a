"""The wavelet transforms: closed forms, pycwt, round trips, causality, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxfric import signals

WAVELETS = [signals.Ricker(), signals.Morlet()]
BOTH = pytest.mark.parametrize("wavelet", WAVELETS, ids=["ricker", "morlet"])
SCALES = np.geomspace(0.04, 1.5, 12)


def precise(tight=1e-11, loose=2e-5):
    """A tolerance for what is exact but for rounding."""
    return tight if jnp.zeros(()).dtype == jnp.float64 else loose


def close(actual, expected, tight=1e-11, loose=2e-5):
    """Equal, beside the largest number of all."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=precise(tight, loose) * scale)


def psi(wavelet, eta):
    """ψ0(η) as the paper's table 1 has it."""
    if isinstance(wavelet, signals.Ricker):
        return (1 - eta**2) * np.exp(-(eta**2) / 2) / np.sqrt(np.sqrt(np.pi) * 3 / 4)
    return np.pi**-0.25 * np.exp(1j * wavelet.omega0 * eta - eta**2 / 2)


def noise(n, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def walk(n, seed=0):
    return jnp.asarray(np.cumsum(noise(n, seed)) / 10)


def stick_slip(seconds=60, rate=1000, seed=1):
    """Linear loading over 10 s, more or less, and drops of a few milliseconds."""
    rng = np.random.default_rng(seed)
    t = np.arange(seconds * rate) / rate
    times = np.cumsum(10 * rng.uniform(0.85, 1.15, 20))
    drops = np.interp(times, times, 0.03 * rng.uniform(0.8, 1.2, 20))
    x = 0.6 + 0.003 * t
    for when, drop in zip(times, drops, strict=True):
        x = x - drop * np.where(t > when, 1 - np.exp(-np.maximum(t - when, 0) / 0.003), 0)
    return x


# ---------------------------------------------------------------- closed forms


@BOTH
def test_cosine(wavelet):
    """√(2πs/dt) ψ̂0(sω) cos ωt; half of exp(iωt) for an analytic wavelet."""
    n, dt, cycles = 1024, 0.02, 40
    omega = 2 * np.pi * cycles / (n * dt)
    phase = omega * dt * np.arange(n)
    u = SCALES * omega
    if isinstance(wavelet, signals.Ricker):
        height, wave = u**2 * np.exp(-(u**2) / 2) / np.sqrt(np.sqrt(np.pi) * 3 / 4), np.cos(phase)
    else:
        height, wave = np.pi**-0.25 * np.exp(-((u - 6) ** 2) / 2) / 2, np.exp(1j * phase)
    expected = (np.sqrt(2 * np.pi * SCALES / dt) * height)[:, None] * wave
    close(signals.cwt(jnp.asarray(np.cos(phase)), dt, SCALES, wavelet), expected)


@pytest.mark.parametrize("padding", ["zero", "reflect", "edge"])
def test_gaussian(padding):
    """The Ricker wavelet is a derivative of a Gaussian, and Gaussians convolve to Gaussians."""
    n, dt, b = 3000, 0.02, 0.3
    tau = dt * (np.arange(n) - n // 2)
    s = SCALES[:, None]
    c = np.sqrt(b**2 + s**2)
    integral = np.sqrt(2 * np.pi) * b * (s / c) ** 3 * (1 - (tau / c) ** 2)
    integral = integral * np.exp(-((tau / c) ** 2) / 2) / np.sqrt(np.sqrt(np.pi) * 3 / 4)
    x = jnp.asarray(np.exp(-((tau / b) ** 2) / 2))
    W = signals.cwt(x, dt, SCALES, padding=padding)
    close(W, integral / np.sqrt(s * dt), tight=1e-6)


@BOTH
def test_unit_sample(wavelet):
    """The answer is the wavelet itself, √(dt/s) ψ0*(−t/s), of energy 1 at every scale."""
    n, dt, at = 2048, 0.01, 1000
    eta = -dt * (np.arange(n) - at) / SCALES[:, None]
    expected = np.sqrt(dt / SCALES)[:, None] * np.conj(psi(wavelet, eta))
    W = signals.cwt(jnp.zeros(n).at[at].set(1), dt, SCALES, wavelet)
    close(W, expected, tight=1e-6)
    np.testing.assert_allclose(np.sum(np.abs(W) ** 2, 1), 1, rtol=1e-4)
    np.testing.assert_allclose(wavelet.centre, abs(psi(wavelet, 0.0)), rtol=1e-12)


@BOTH
def test_parseval(wavelet):
    """The energy of each scale is that of the spectrum under the wavelet's."""
    n, dt = 512, 0.02
    x = noise(n)
    omega = 2 * np.pi * np.fft.fftfreq(n, dt)
    u = SCALES[:, None] * omega
    if isinstance(wavelet, signals.Ricker):
        response = u**2 * np.exp(-(u**2) / 2) / np.sqrt(np.sqrt(np.pi) * 3 / 4)
    else:
        response = np.pi**-0.25 * np.exp(-((u - 6) ** 2) / 2) * (omega > 0)
    power = 2 * np.pi * SCALES[:, None] / dt * response**2 * np.abs(np.fft.fft(x)) ** 2
    W = signals.cwt(jnp.asarray(x), dt, SCALES, wavelet)
    np.testing.assert_allclose(np.sum(np.abs(W) ** 2, 1), power.sum(1) / n, rtol=precise())


def test_constants_of_the_wavelets():
    ricker, morlet = signals.Ricker(), signals.Morlet()
    np.testing.assert_allclose(ricker.reconstruction, np.sqrt(2 * np.pi) / np.log(2), rtol=1e-12)
    np.testing.assert_allclose(morlet.reconstruction, 0.776, rtol=4e-3)  # tabulated
    np.testing.assert_allclose(ricker.fourier_period, 3.974, rtol=1e-3)
    np.testing.assert_allclose(morlet.fourier_period, 1.033, rtol=1e-3)
    # Stirling-like series of ∫ exp(−(u − ω0)²/2)/u du, far from zero
    series = np.sqrt(2 * np.pi) / 12 * (1 + 1 / 144 + 3 / 144**2 + 15 / 144**3)
    constant = np.sqrt(2 * np.pi) / (2 * np.log(2)) * series
    np.testing.assert_allclose(signals.Morlet(12.0).reconstruction, constant, rtol=1e-5)


# ---------------------------------------------------------------- the inverse


@BOTH
def test_cosine_comes_back(wavelet):
    n, dt = 1024, 0.02
    x = np.cos(2 * np.pi * 5 * np.arange(n) / n)
    scales = signals.log_scales(dt, dt / 2, 100.0, 120)
    back = signals.icwt(signals.cwt(jnp.asarray(x), dt, scales, wavelet), dt, scales, wavelet)
    np.testing.assert_allclose(back, x, atol=5e-4)


def test_what_a_range_of_scales_keeps():
    """exp(−(s_0 ω)²/2) − exp(−(s_J ω)²/2) of a cosine."""
    n, dt = 1024, 0.02
    omega = 2 * np.pi * 20 / (n * dt)
    x = np.cos(omega * dt * np.arange(n))
    scales = signals.log_scales(dt, 0.12, 0.4, 400)
    kept = np.exp(-((scales[0] * omega) ** 2) / 2) - np.exp(-((scales[-1] * omega) ** 2) / 2)
    back = signals.icwt(signals.cwt(jnp.asarray(x), dt, scales), dt, scales)
    assert 0.2 < kept < 0.8
    np.testing.assert_allclose(back, kept * x, atol=5e-3)
    flipped = signals.icwt(signals.cwt(jnp.asarray(x), dt, scales[::-1]), dt, scales[::-1])
    np.testing.assert_allclose(flipped, back, atol=1e-5)


@pytest.mark.parametrize(
    "padding, longest, number", [("zero", 20.0, 32), ("zero", 20.0, 64), ("reflect", 40.0, 48)]
)
def test_stick_slip_comes_back(padding, longest, number):
    """Friction to 0.1 % once its mean is put back."""
    x, dt = stick_slip(), 1e-3
    scales = signals.log_scales(dt, 2 * dt, longest, number)
    W = signals.cwt(jnp.asarray(x - x.mean()), dt, scales, padding=padding)
    back = signals.icwt(W, dt, scales) + x.mean()
    assert np.mean(np.abs(back - x) / x) < 1e-3
    # the drops are not merely smoothed away
    assert np.abs(np.diff(back[::10])).max() > 0.6 * np.abs(np.diff(x[::10])).max()
    # the tabulated constant inflates
    inflated = signals.icwt(W, dt, scales, reconstruction=3.541)
    np.testing.assert_allclose(inflated, 1.02126 * (back - x.mean()), atol=1e-6)


# ---------------------------------------------------------------- the peer


@pytest.mark.slow  # the peer stays out of the fast suite
@pytest.mark.x64
@BOTH
@pytest.mark.parametrize("n", [300, 512])
def test_pycwt(wavelet, n):
    pycwt = pytest.importorskip("pycwt")
    mother = pycwt.MexicanHat() if isinstance(wavelet, signals.Ricker) else pycwt.Morlet(6)
    x, dt, dj = np.asarray(walk(n)), 0.1, 1 / 4
    W, scales, _, cone, _, _ = pycwt.cwt(x, dt, dj, 0.2, 30, mother)
    close(signals.cwt(x, dt, scales, wavelet), W, tight=1e-6)
    back = signals.icwt(W, dt, scales, wavelet, reconstruction=mother.cdelta)
    close(back, pycwt.icwt(W, scales, dt, dj, mother), tight=1e-6)
    periods = signals.cone_of_influence(n, dt, wavelet) * wavelet.fourier_period
    close(periods, cone, tight=1e-6)


# ---------------------------------------------------------------- padding, types, batches


@BOTH
def test_padding_is_what_it_says(wavelet):
    n, dt, scales = 200, 0.02, 2 * SCALES  # none that is cut off at the highest frequency
    x, reach = walk(n), 1800
    edge = jnp.concatenate([jnp.full(reach, x[0]), x, jnp.full(reach, x[-1])])
    mirrored = jnp.concatenate([x[::-1], x] * 9)
    for padding, longer, at in (("edge", edge, reach), ("reflect", mirrored, 9 * n)):
        W = signals.cwt(x, dt, scales, wavelet, padding=padding)
        whole = signals.cwt(longer - x[0], dt, scales, wavelet)
        close(W, whole[:, at : at + n], tight=1e-7, loose=1e-4)


@BOTH
@pytest.mark.parametrize("padding", ["reflect", "edge"])
def test_a_constant_has_no_transform(wavelet, padding):
    W = signals.cwt(jnp.full(100, 0.7), 0.02, SCALES, wavelet, padding=padding)
    np.testing.assert_array_equal(W, 0)
    C = signals.causal_cwt(jnp.full(100, 0.7), 0.02, SCALES, wavelet, history=30)
    np.testing.assert_array_equal(C, 0)


@pytest.mark.x64
@BOTH
def test_float32_is_close_to_float64(wavelet):
    x = walk(700)
    single, dt = x.astype(jnp.float32), 0.02
    for padding in ("zero", "reflect", "edge"):
        W = signals.cwt(single, dt, SCALES, wavelet, padding=padding)
        assert W.dtype == (jnp.complex64 if wavelet.analytic else jnp.float32)
        close(W, signals.cwt(x, dt, SCALES, wavelet, padding=padding), tight=2e-6)
        assert signals.icwt(W, dt, SCALES, wavelet).dtype == jnp.float32
    C = signals.causal_cwt(single, dt, SCALES, wavelet, history=64)
    assert C.dtype == (jnp.complex64 if wavelet.analytic else jnp.float32)
    close(C, signals.causal_cwt(x, dt, SCALES, wavelet, history=64), tight=2e-6)


@BOTH
def test_a_batch_is_its_members(wavelet):
    X = jnp.stack([walk(150, seed) for seed in range(3)])
    for transform in (
        lambda x: signals.cwt(x, 0.02, SCALES, wavelet),
        lambda x: signals.cwt(x, 0.02, SCALES, wavelet, padding="edge"),
        lambda x: signals.causal_cwt(x, 0.02, SCALES, wavelet, history=40),
        lambda x: signals.icwt(signals.cwt(x, 0.02, SCALES, wavelet), 0.02, SCALES, wavelet),
    ):
        together = jax.jit(jax.vmap(transform))(X)
        close(together, jnp.stack([transform(x) for x in X]))


def test_whole_numbers_are_a_record():
    x = np.arange(20) % 7
    W = signals.cwt(x, 0.02, SCALES)
    close(W, signals.cwt(x.astype(float), 0.02, SCALES))


# ---------------------------------------------------------------- nothing from the future


@BOTH
def test_a_column_is_the_last_of_its_history(wavelet):
    x, dt, history = walk(120), 0.02, 50
    C = signals.causal_cwt(x, dt, SCALES, wavelet, history=history)
    assert C.shape == (SCALES.size, 120)
    early = jnp.concatenate([jnp.full(history, x[0]), x])
    for k in (0, 7, history - 1, history, 119):
        window = early[k + 1 : k + 1 + history]
        last = signals.cwt(window, dt, SCALES, wavelet, padding="edge")[:, -1]
        np.testing.assert_allclose(C[:, k], last, atol=precise(1e-12, 2e-5))
    assert np.abs(C).max() > 0.1


@BOTH
def test_what_comes_later_changes_nothing(wavelet):
    x, k = walk(200), 90
    later = x.at[k + 1 :].set(5 * walk(200, seed=9)[k + 1 :] - 3)
    one, two = (
        signals.causal_cwt(y, 0.02, SCALES, wavelet, history=64) for y in (x, later)
    )  # fmt: skip
    close(two[:, : k + 1], one[:, : k + 1], tight=1e-13, loose=1e-4)
    assert np.abs(two[:, k + 1] - one[:, k + 1]).max() > 0.1
    # the transform of the whole record does look ahead
    one, two = (signals.cwt(y, 0.02, SCALES, wavelet) for y in (x, later))
    assert np.abs(two[:, k] - one[:, k]).max() > 0.1


@pytest.mark.x64
def test_derivatives_do_not_look_ahead_either():
    x, history = walk(60), 20
    jacobian = jax.jacobian(lambda x: signals.causal_cwt(x, 0.02, SCALES, history=history))(x)
    k, j = np.arange(60)[:, None], np.arange(60)[None, :]
    assert np.abs(jacobian[:, j > k]).max() < 1e-12
    # nor beyond the history; the first sample stands in for what came before the record
    assert np.abs(jacobian[:, (j <= k - history) & (j > 0)]).max() < 1e-12
    assert np.abs(np.diagonal(jacobian, axis1=1, axis2=2)[:, 1:]).min() > 1e-3


def test_a_step_by_hand():
    """A sample of age l after a step of 1 sees Σ_{j <= l} K_j, and that is an integral of ψ0."""
    n, step, dt, s = 200, 40, 1.0, 20.0
    x = jnp.where(jnp.arange(n) < step, 0.0, 1.0)
    C = signals.causal_cwt(x, dt, jnp.array([s]), history=250)[0]
    age = np.arange(n - step)
    # the sum of ψ up to half a sample after the age: its integral is η exp(−η²/2)
    eta = (age + 0.5) / s
    expected = np.sqrt(s) * eta * np.exp(-(eta**2) / 2) / np.sqrt(np.sqrt(np.pi) * 3 / 4)
    np.testing.assert_allclose(C[:step], 0, atol=1e-6)
    np.testing.assert_allclose(C[step:], expected, atol=1e-3)


# ---------------------------------------------------------------- derivatives


@pytest.mark.x64
@BOTH
def test_gradients_are_finite_differences(wavelet):
    x, weights = walk(40), jnp.asarray(noise(40, 5))

    def loss(x, log_dt, log_scales):  # logarithms, so that one step suits all
        dt, scales = jnp.exp(log_dt), jnp.exp(log_scales)
        W = signals.cwt(x, dt, scales, wavelet)
        return jnp.sum(jnp.abs(W[:, 3:30]) ** 2) + jnp.sum(
            weights * signals.icwt(W, dt, scales, wavelet)
        )

    args = (x, jnp.log(0.02), jnp.log(SCALES))
    check_grads(jax.jit(loss), args, order=1, modes=["fwd", "rev"], eps=1e-5)


@pytest.mark.x64
@BOTH
def test_gradients_of_the_other_transforms(wavelet):
    x = walk(40)

    def loss(x, transform):
        return jnp.sum(jnp.abs(transform(x)[:, 5:30]) ** 2)

    for transform in (
        lambda x: signals.cwt(x, 0.02, SCALES, wavelet, padding="reflect"),
        lambda x: signals.cwt(x, 0.02, SCALES, wavelet, padding="edge"),
        lambda x: signals.causal_cwt(x, 0.02, SCALES, wavelet, history=15),
    ):
        of_x = jax.jit(lambda x, t=transform: loss(x, t))
        check_grads(of_x, (x,), order=1, modes=["fwd", "rev"])


# ---------------------------------------------------------------- scales, cone, bad input


def test_scales():
    scales = signals.log_scales(0.01, 0.02, 0.64, 11)
    np.testing.assert_allclose(scales, 0.02 * 2 ** (0.5 * np.arange(11)), rtol=1e-12)
    # a constant, also where all else is traced
    jax.jit(lambda x: signals.cwt(x, 0.01, signals.log_scales(0.01, 0.02, 1.0, 4), padding="edge"))(
        jnp.ones(9)
    )


def test_cone_of_influence():
    cone = signals.cone_of_influence(5, 0.1)
    expected = np.array([0.5, 1.5, 2.5, 1.5, 0.5]) * 0.1 / np.sqrt(2)
    np.testing.assert_allclose(cone, expected, rtol=1e-6)
    # where it holds, an end that is not there (mirror) changes less than the end that is (zeros)
    n, dt = 512, 0.02
    x = walk(n) + 3
    change = signals.cwt(x, dt, SCALES) - signals.cwt(x, dt, SCALES, padding="reflect")
    inside = SCALES[:, None] < np.asarray(signals.cone_of_influence(n, dt)) / 2.5
    assert np.abs(np.where(inside, change, 0)).max() < 0.05 * np.abs(change).max()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: signals.cwt(jnp.ones((2, 9)), 0.1, SCALES), "use jax.vmap"),
        (lambda: signals.cwt(jnp.ones(1), 0.1, SCALES), "at least 2 samples"),
        (lambda: signals.cwt(jnp.ones(9).at[4].set(jnp.nan), 0.1, SCALES), "sample 4 is not"),
        (lambda: signals.cwt(jnp.ones(9), 0.0, SCALES), "dt must be positive"),
        (lambda: signals.cwt(jnp.ones(9), 0.1, np.array([0.1, -1.0])), "scales must be positive"),
        (lambda: signals.cwt(jnp.ones(9), 0.1, SCALES, padding="wrap"), "padding must be one of"),
        (
            lambda: jax.jit(lambda s: signals.cwt(jnp.ones(9), 0.1, s, padding="edge"))(SCALES),
            "must not be traced",
        ),
        (lambda: signals.causal_cwt(jnp.ones(9), 0.1, SCALES, history=1), "history must be"),
        (lambda: signals.icwt(jnp.ones((3, 9)), 0.1, SCALES), "W must have shape"),
        (lambda: signals.icwt(jnp.ones((3, 9)), 0.1, np.array([1.0, 2.0, 3.0])), "geometric"),
        (lambda: signals.icwt(jnp.ones((3, 9)), 0.1, np.ones(3)), "geometric"),
        (lambda: signals.log_scales(0.1, 0.01, 1.0, 8), "at least dt/2"),
        (lambda: signals.log_scales(0.1, 1.0, 0.5, 8), "longest must exceed"),
        (lambda: signals.log_scales(0.1, 0.1, 1.0, 1), "number be at least 2"),
        (lambda: signals.cone_of_influence(0, 0.1), "n must be at least 1"),
        (lambda: signals.Morlet(2.0), "omega0 must be finite and at least 5"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""What one would write without jaxfric: a velocity step fitted with odeint and least_squares.

    python benchmarks/_fit_scipy.py FILE START STOP [FIGURE]

Both evolution laws, the rows between two times, the same free parameters and trend as `fit-step`;
the first guess is by eye, for the step on basalt. Prints JSON, with the errors of white noise.
"""

import json
import sys

import numpy as np
from scipy.integrate import odeint
from scipy.optimize import curve_fit, least_squares

GUESS = {"a": 0.01, "b": 0.01, "Dc": 1e-5, "stiffness": 5e3}

file, start, stop = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
t, x, friction = np.loadtxt(file, skiprows=1, usecols=(0, 1, 2)).T
keep = (t >= start) & (t <= stop)
t, x, friction = t[keep], x[keep], friction[keep]
line = lambda t, x0, V1, V2, at: x0 + V1 * (t - at) + (V2 - V1) * np.maximum(t - at, 0)  # noqa: E731
speed = np.gradient(x, t)
first = [x.mean(), speed[:50].mean(), speed[-50:].mean(), t.mean()]
_, V1, V2, step = curve_fit(line, t, x, first)[0]
V1, V2 = 1e-6 * V1, 1e-6 * V2  # the file has µm
trend = np.linalg.qr(np.stack([np.ones_like(t), t - t.mean()], axis=1))[0]


def parameters(p):
    """(a, b, Dc, stiffness, step time) of numbers near 1, as least_squares wants them."""
    return *np.array(list(GUESS.values())) * np.exp(p[:4] - 1), step + p[4]


def simulate(p, law):
    a, b, Dc, k, at = parameters(p)

    def rate(y, _):  # of ln(V/V1) and ln(θ V1/Dc)
        V, q = V1 * np.exp(y[0]), np.exp(y[0] + y[1])
        aged = V / Dc * ((1 - q) / q if law == "aging" else -y[0] - y[1])
        return [(k * (V2 - V) - b * aged) / a, aged]

    y = np.zeros((t.size, 2))
    after = t > at
    y[after] = odeint(rate, [0.0, 0.0], np.append(at, t[after]), rtol=1e-8, atol=1e-10)[1:]
    return a * y[:, 0] + b * y[:, 1]


def residual(p, law):
    r = friction - simulate(p, law)
    return r - trend @ (trend.T @ r)


found = {}
for law in ("aging", "slip"):
    fit = least_squares(residual, [1, 1, 1, 1, 1e-2], args=(law,), diff_step=1e-4, x_scale="jac")
    rms = np.sqrt(np.mean(fit.fun**2))
    errors = rms * np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)))
    values = np.array(parameters(fit.x))
    errors[:4] *= values[:4]
    pairs = zip(values.tolist(), errors.tolist(), strict=True)
    found[law] = {**dict(zip([*GUESS, "step_time"], pairs, strict=True)), "rms": float(rms)}
    if len(sys.argv) > 4:
        import matplotlib.figure

        figure = matplotlib.figure.Figure()
        figure.subplots().plot(t, friction, ".", t, friction - fit.fun)
        figure.savefig(f"{sys.argv[4]}-{law}.png")
print(json.dumps(found))

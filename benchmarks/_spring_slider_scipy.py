"""The velocity step of a spring-slider in SciPy, formulated for speed.

Two equations in w = ln(V/V0) and u = ln(θ V0/Dc), both 0 before the step, so each solve starts at
the step and no solver meets a jump; a right-hand side of scalar arithmetic, which is faster for two
equations than NumPy's.
"""

from math import exp

import numpy as np

MU0, V0 = 0.6, 1e-6
METHODS = ("odeint", "LSODA", "RK45", "DOP853", "Radau", "BDF")
with_jacobian = ("Radau", "BDF")  # LSODA gains nothing from one here, with odeint or without


def right_hand_side(a, b, Dc, k, V):
    r, s = V0 / Dc, b / a * V0 / Dc
    drive, load = k / a * V0, k / a * V

    def rate(_, y):
        e = exp(y[0])
        g = exp(-y[1]) - e
        return [load - drive * e - s * g, r * g]

    def jacobian(_, y):
        e, h = exp(y[0]), exp(-y[1])
        return [[(s - drive) * e, s * h], [-r * e, -r * h]]

    return rate, jacobian


def friction_of(p, t, method, tolerance):
    """Friction of one slider at the times t."""
    from scipy.integrate import odeint, solve_ivp

    rate, jacobian = right_hand_side(p["a"], p["b"], p["Dc"], p["k"], p["V"])
    after = np.searchsorted(t, p["at"])
    w, u = np.zeros((2, len(t)))
    tolerances = {"rtol": tolerance, "atol": tolerance}
    if method == "odeint":
        times = np.concatenate([[p["at"]], t[after:]])
        y = odeint(rate, [0.0, 0.0], times, tfirst=True, mxstep=100_000, **tolerances)[1:].T
    else:
        if method in with_jacobian:
            tolerances["jac"] = jacobian
        span = (p["at"], t[-1])
        solved = solve_ivp(rate, span, [0.0, 0.0], method, t_eval=t[after:], **tolerances)
        if not solved.success:
            raise OverflowError(solved.message)
        y = solved.y
    w[after:], u[after:] = y
    return MU0 + p["a"] * w + p["b"] * u


def friction_of_all(parameters, t, method, tolerance):
    """Friction of all sliders, one after the other; None when a solve breaks down."""
    columns = {name: values.tolist() for name, values in parameters.items()}
    try:
        return np.stack(
            [
                friction_of({name: x[i] for name, x in columns.items()}, t[i], method, tolerance)
                for i in range(len(t))
            ]
        )
    except OverflowError:  # a trial step too long for exp
        return None

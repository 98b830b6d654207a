"""The velocity step of many spring-sliders in one loop of JAX, written for nothing else.

What is left when a solver need not be general: the two equations of `_spring_slider_scipy.py` for
all sliders at once, the tableau of Tsit5, steps kept as they come, and all samples read off them at
the end by quintic Hermite polynomials. No jumps, no other solver, no gradient in reverse mode.
"""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

MU0, V0 = 0.6, 1e-6
MOST_STEPS = 511
TABLEAU = diffrax.Tsit5.tableau


def weighted(weights, slopes):
    terms = [float(w) * k for w, k in zip(np.asarray(weights), slopes, strict=False) if w != 0]
    return sum(terms[1:], terms[0])


def field(p):
    """(w', u') and (w'', u'') in units of the time from the step to the end."""
    span = p["end"] - p["at"]
    r, s = V0 / p["Dc"], p["b"] / p["a"] * V0 / p["Dc"]
    drive, load = p["k"] / p["a"] * V0, p["k"] / p["a"] * p["V"]

    def rate(w, u):
        e = jnp.exp(w)
        g = jnp.exp(-u) - e
        return span * (load - drive * e - s * g), span * r * g

    def second(w, u, dw, du):
        e_rate = jnp.exp(w) * dw
        g_rate = -jnp.exp(-u) * du - e_rate
        return span * (-drive * e_rate - s * g_rate), span * r * g_rate

    return rate, second


def trial_step(rate, h, w, u, dw, du):
    """Values and slopes after a step, and the estimates of their errors."""
    slopes_w, slopes_u = [dw], [du]
    for row in TABLEAU.a_lower:  # the last stage is the step itself, its slope the next first one
        after = w + h * weighted(row, slopes_w), u + h * weighted(row, slopes_u)
        for slopes, slope in zip((slopes_w, slopes_u), rate(*after), strict=True):
            slopes.append(slope)
    errors = [h * weighted(TABLEAU.b_error, slopes) for slopes in (slopes_w, slopes_u)]
    return (*after, slopes_w[-1], slopes_u[-1]), errors


def solve(p, tolerance):
    """Times (steps, sliders) and (w, u, w', u') of all steps; a rejected one repeats the last."""
    rate, _ = field(p)
    zero = jnp.zeros_like(p["a"])
    start = (zero, zero, *rate(zero, zero))
    times, states = jnp.ones((MOST_STEPS + 1, zero.size)), jnp.zeros((MOST_STEPS + 1, 4, zero.size))
    h = jnp.minimum(0.1 * tolerance**0.2 / jnp.abs(start[2]), 0.1)

    def step(carry):
        i, t, h, y, times, states = carry
        h = jnp.minimum(h, 1 - t)
        after, errors = trial_step(rate, h, *y)
        scales = [
            tolerance * (1 + jnp.maximum(abs(a), abs(b)))
            for a, b in zip(y[:2], after[:2], strict=True)
        ]
        error = jnp.sqrt(sum((e / s) ** 2 for e, s in zip(errors, scales, strict=True)) / 2)
        error = jnp.where(jnp.isfinite(error), error, 1e10)
        accept = error < 1
        t = jnp.where(accept, jnp.where(h == 1 - t, 1, t + h), t)
        y = tuple(jnp.where(accept, b, a) for a, b in zip(y, after, strict=True))
        h = h * jnp.clip(0.9 * jnp.maximum(error, 1e-10) ** -0.2, 0.2, 10)
        i = i + 1
        return i, t, h, y, times.at[i].set(t), states.at[i].set(jnp.stack(y))

    def unfinished(carry):
        return (carry[0] < MOST_STEPS) & jnp.any(carry[1] < 1)

    first = (0, zero, h, start, times.at[0].set(0), states.at[0].set(jnp.stack(start)))
    *_, times, states = jax.lax.while_loop(unfinished, step, first)
    return times, states


def sample(p, x, times, states):
    """w and u of one slider at the times x, 0 to 1 from the step to the end."""
    _, second = field(p)
    k = jnp.clip(jnp.searchsorted(times, x) - 1, 0, MOST_STEPS - 1)
    (t0, t1), (y0, y1) = (times[k], times[k + 1]), (states[k].T, states[k + 1].T)
    h = t1 - t0
    z = (x - t0) / jnp.where(h > 0, h, 1)
    found = []
    for i, bends in enumerate(zip(second(*y0), second(*y1), strict=True)):
        change, f, g = y1[i] - y0[i], h * y0[i + 2], h * y1[i + 2]
        a, b = (h**2 * bend for bend in bends)
        cubic = 10 * change - 6 * f - 4 * g - 1.5 * a + 0.5 * b
        quartic = -15 * change + 8 * f + 7 * g + 1.5 * a - b
        quintic = 6 * change - 3 * f - 3 * g - 0.5 * a + 0.5 * b
        value = y0[i] + z * (f + z * (a / 2 + z * (cubic + z * (quartic + z * quintic))))
        found.append(jnp.where(x > 0, value, 0))
    return found


def friction_in_one_loop(p, t, tolerance):
    """Friction (sliders, samples) at the times t; NaN where a slider did not reach its end."""
    times, states = solve(p, tolerance)
    x = (t - p["at"][:, None]) / (p["end"] - p["at"])[:, None]
    w, u = jax.vmap(sample, in_axes=(0, 0, 1, 2))(p, x, times, states)
    friction = MU0 + p["a"][:, None] * w + p["b"][:, None] * u
    return jnp.where(times[-1, :, None] == 1, friction, jnp.nan)

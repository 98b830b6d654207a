"""Events of a stick-slip record.

Samples lie where the solver stepped, so onsets, ends and extremes are interpolated between them.
Their derivatives cannot be those of the samples at fixed time: a parameter that shifts an event in
time changes the velocity at a fixed time within it by decades, while the event itself hardly
changes. So samples are compared at fixed phase: at the same ln V where it is monotone (onset and
end), and μ at the same ln V, ln V at the same μ for the extremes. With u the phase and f what is
sampled,

∂f/∂p at fixed u = ∂f/∂p − (df/du) ∂u/∂p,

which for f = t and u = ln V is dt*/dp = −(∂ln V/∂p)/(ln V)'.
"""

import html

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxfric import _checks, _show
from jaxfric._status import Status
from jaxfric._types import Number
from jaxfric.programs import program
from jaxfric.ratestate._history import History


class Catalogue(eqx.Module):
    """Slip events, in time order; places from `count` on are padding of zeros.

    Attributes:
        time: (max_events,), s, when the velocity rises through the threshold.
        recurrence: (max_events,), s, time since the event before; 0 for the first.
        drop: (max_events,), friction drop, dimensionless: the peak since the event before minus
            the lowest until the next.
        peak_velocity: (max_events,), m/s.
        slip: (max_events,), m, above the threshold.
        duration: (max_events,), s, above the threshold.
        count: number of complete events (may exceed max_events, then `status` says so).
        status: outcome.
    """

    time: Float[Array, " events"]
    recurrence: Float[Array, " events"]
    drop: Float[Array, " events"]
    peak_velocity: Float[Array, " events"]
    slip: Float[Array, " events"]
    duration: Float[Array, " events"]
    count: Int[Array, ""]
    status: Status

    @property
    def valid(self) -> Bool[Array, " events"]:
        """Which places hold an event."""
        return jnp.arange(self.time.shape[0]) < self.count

    def __repr__(self) -> str:
        if isinstance(self.count, jax.core.Tracer):
            return "Catalogue(traced)"
        if np.ndim(self.count) > 0:
            events = _show.extent(self.count, "d")
            return f"Catalogue: {np.size(self.count)} runs of {events} events ({self.status})"
        lines = [f"Catalogue: {int(self.count)} events ({self.status})"]
        lines += [" time s    recurrence s  drop      peak m/s   slip m     duration s"]
        lines += [
            f" {t:<9.4g} {r:<13.4g} {d:<9.5f} {v:<10.3e} {s:<10.3e} {w:.3g}"
            for t, r, d, v, s, w in self._rows()
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The table, as a notebook shows it."""
        if isinstance(self.count, jax.core.Tracer) or np.ndim(self.count) > 0:
            return f"<pre>{html.escape(repr(self))}</pre>"
        names = ("time s", "recurrence s", "drop", "peak m/s", "slip m", "duration s")
        rows = [[f"{x:.4g}" for x in row] for row in self._rows()]
        return _show.html_table(names, rows, title=f"{int(self.count)} events ({self.status})")

    def _rows(self) -> list[tuple[float, ...]]:
        """The events that have a place, without the padding."""
        n = min(int(self.count), self.time.shape[0])
        columns = (
            self.time, self.recurrence, self.drop, self.peak_velocity, self.slip, self.duration
        )  # fmt: skip
        return list(zip(*(np.asarray(c)[:n].tolist() for c in columns), strict=True))


def catalogue(
    history: History, *, threshold: Number | None = None, max_events: int = 64
) -> Catalogue:
    """Find the slip events of a stick-slip record.

    An event lasts from the time the velocity rises through the threshold until it falls below;
    events cut by the ends of the record do not count. Let the samples resolve events
    (`spring_slider(steps=True)`): onsets, ends and extremes lie between them, on cubics through
    the values and rates of the history. First derivatives with respect to whatever made the
    history are those of the event, dt*/dp = −(∂ln V/∂p)/(ln V)', and of the extremes, at fixed
    phase.

    Arguments:
        history: a `History` with samples of shape (m,).
        threshold: velocity, m/s; ten times the mean sliding velocity of the record if None.
        max_events: places in the result, a static number.

    Returns:
        `Catalogue`.

    Raises:
        ValueError: for a batch (use jax.vmap) or a threshold or max_events that is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxfric.ratestate import Outcome
        >>> V = jnp.array([1e-9, 1e-9, 1e-3, 1e-9, 1e-9, 1e-3, 1e-9])
        >>> t, mu = jnp.arange(7.0), jnp.array([0.6, 0.7, 0.65, 0.5, 0.7, 0.6, 0.5])
        >>> h = History(t, V, mu, t, jnp.cumsum(V), Status(Outcome.successful, Outcome))
        >>> events = catalogue(h, threshold=1e-6, max_events=4)
        >>> print(events.time)
        [1.5 4.5 0.  0. ]
        >>> print(events.drop.round(3))
        [0.2 0.2 0.  0. ]

    Source: standard definitions; ours in detail.
    """
    _checks.vector("history.time", history.time)
    if max_events < 1:
        raise ValueError(f"max_events must be at least 1; got {max_events}")
    if threshold is not None:
        _checks.positive("threshold", threshold)
        threshold = jnp.asarray(threshold, history.velocity.dtype)
    return _catalogue(history, threshold, max_events)


@program
def _catalogue(history: History, threshold: Array | None, max_events: int) -> Catalogue:
    """`catalogue` of checked arguments."""
    if threshold is None:
        # Ten times the mean is above the creep before an event and below the slip in it, which are
        # decades apart
        span = history.time[-1] - history.time[0]
        threshold = 10 * (history.slip[-1] - history.slip[0]) / span
    # ln(V/threshold): its zeros are the onsets and ends, and it is nearly straight between samples
    log_V = jnp.log(history.velocity) - jnp.log(threshold)
    above = log_V > 0
    up, down = ~above[:-1] & above[1:], above[:-1] & ~above[1:]
    # For each sample the number of onsets and of ends up to it
    begun = jnp.concatenate([jnp.zeros(1, int), jnp.cumsum(up)])
    # A record that begins inside an event: its fall ends none of ours
    ended = jnp.concatenate([jnp.zeros(1, int), jnp.cumsum(down)]) - above[0].astype(int)
    count = jnp.maximum(ended[-1], 0)

    onset, onset_slip = _crossings(history, log_V, up, max_events)
    end, end_slip = _crossings(history, log_V, down & (ended[1:] > 0), max_events)
    valid = jnp.arange(max_events) < count

    def kept(values: Array) -> Array:
        return jnp.where(valid, jnp.where(jnp.isfinite(values), values, 0), 0)

    # Groups of samples, one for each event; `max_events + 1` is a group that is not read. The peak
    # of friction comes before an event ends, since the event before it did; the lowest friction and
    # the peak velocity come after its onset, until the next one's
    until_end = jnp.where(ended < 0, max_events + 1, ended)
    since_onset = jnp.where(begun == 0, max_events + 1, begun - 1)
    mu, mu_rate, rate = history.friction, history.friction_rate, history.log_velocity_rate
    # μ and ln V never rest together, so each marks the phase of the other's extremes
    highest = _largest(history.time, (mu, mu_rate), (log_V, rate), until_end, max_events)
    minus = (-mu, None if mu_rate is None else -mu_rate)
    lowest = -_largest(history.time, minus, (log_V, rate), since_onset, max_events)
    peak = _largest(history.time, (log_V, rate), (mu, mu_rate), since_onset, max_events)
    before = jnp.concatenate([onset[:1], onset[:-1]])
    outcomes = history.status.outcomes  # of the room that made the history
    return Catalogue(
        time=kept(onset),
        recurrence=kept(onset - before),
        drop=kept(highest - lowest),
        peak_velocity=kept(threshold * jnp.exp(peak)),
        slip=kept(end_slip - onset_slip),
        duration=kept(end - onset),
        count=count,
        status=history.status.or_else(
            Status.first(outcomes, (count > max_events, outcomes.too_many_events))
        ),
    )


def _crossings(
    history: History, log_V: Array, where: Bool[Array, " m1"], max_events: int
) -> tuple[Array, Array]:
    """Time and slip where ln V crosses zero in the marked intervals."""
    (i,) = jnp.nonzero(where, size=max_events, fill_value=0)
    # Unused places point at interval 0, where ln V need not rise at all: 1 keeps them finite
    rise = jnp.where(where[i], log_V[i + 1] - log_V[i], 1)
    time, slip, V, rate = history.time, history.slip, history.velocity, history.log_velocity_rate
    if rate is None:
        part = -log_V[i] / rise
        # V is exponential between the samples: slip by the secant of V, not of time
        gained = (jnp.exp(part * rise) - 1) / jnp.where(where[i], V[i + 1] / V[i] - 1, 1)
        return _between(time, i, i + 1, part), _between(slip, i, i + 1, gained)
    # t(ln V) and x(ln V): where ln V is monotone it is a clock that moves with the event. Cubics
    # with the slopes dt/dlnV = 1/(ln V)' and dx/dlnV = V/(ln V)'; where on them is held, as the
    # derivatives at fixed phase hold everything that follows from ln V
    part = jax.lax.stop_gradient(-log_V[i] / rise)
    rise = jax.lax.stop_gradient(rise)
    pace = jax.lax.stop_gradient(_reciprocal(rate))
    return (
        _cubic(_at_phase(time, pace, log_V), pace, i, i + 1, part, rise),
        _cubic(_at_phase(slip, V * pace, log_V), V * pace, i, i + 1, part, rise),
    )


def _largest(
    time: Array,
    values: tuple[Array, Array | None],
    phase: tuple[Array, Array | None],
    group: Int[Array, " m"],
    max_events: int,
) -> Float[Array, " events"]:
    """Largest value in each group of samples, between samples where rates are known."""
    f, f_rate = values
    u, u_rate = phase
    # The largest sample of each group, the first one where several are equal
    number = max_events + 2
    top = jax.ops.segment_max(jax.lax.stop_gradient(f), group, num_segments=number)
    index = jnp.where(f == top[group], jnp.arange(f.size), f.size)
    j = jax.ops.segment_min(index, group, num_segments=number)[:max_events]
    j = jnp.clip(j, 0, f.size - 1)
    if f_rate is None or u_rate is None:
        return f[j]
    f_rate, u_rate = jax.lax.stop_gradient((f_rate, u_rate))
    # The top lies between the largest sample and the neighbour towards which it rises, if the rate
    # changes its sign there: at the zero of the rate, taken as straight
    n = jnp.clip(jnp.where(f_rate[j] > 0, j + 1, j - 1), 0, f.size - 1)
    turns = f_rate[j] * f_rate[n] < 0
    part = jnp.where(turns, f_rate[j] * _reciprocal(f_rate[j] - f_rate[n]), 0)
    value = _cubic(jax.lax.stop_gradient(f), f_rate, j, n, part, time[n] - time[j])
    # The value from the cubic in time, the derivative from the samples at fixed phase
    moved = _at_phase(f, f_rate * _reciprocal(u_rate), u)
    moved = moved - jax.lax.stop_gradient(moved)
    # Between samples where the phase turns back it marks no place: take the derivative of one
    same_way = u_rate[j] * u_rate[n] > 0
    return value + _between(moved, j, n, jnp.where(same_way, part, 0))


def _at_phase(f: Array, slope: Array, phase: Array) -> Array:
    """The samples `f`, with derivatives at fixed phase instead of fixed time; slope = df/dphase."""
    return f - jax.lax.stop_gradient(slope) * (phase - jax.lax.stop_gradient(phase))


def _between(f: Array, i: Array, j: Array, part: Array) -> Array:
    return f[i] + part * (f[j] - f[i])


def _cubic(f: Array, slope: Array, i: Array, j: Array, part: Array, width: Array) -> Array:
    """Cubic through values and slopes at i and j, derivatives by the line between them."""
    # Hermite's cubic: the line plus p (1 − p) [(1 − p) (f_i' w − Δf) + p (Δf − f_j' w)]
    rise = f[j] - f[i]
    left, right = slope[i] * width - rise, rise - slope[j] * width
    bend = part * (1 - part) * ((1 - part) * left + part * right)
    return _between(f, i, j, part) + jax.lax.stop_gradient(bend)


def _reciprocal(x: Array) -> Array:
    """1/x, and 0 for x = 0."""
    return jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x))

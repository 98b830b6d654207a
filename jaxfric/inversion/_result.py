"""What an inversion returns: parameters with honest errors."""

from typing import NamedTuple, TypedDict

import equinox as eqx
import numpy as np
from jaxtyping import Float64

from jaxfric._show import html_table, printed
from jaxfric.dynamics import VelocityProtocol
from jaxfric.inversion._identifiability import Identifiability, identifiability, unresolved
from jaxfric.inversion._names import EFFECTS, a_minus_b, is_log, kind, law_title, unit
from jaxfric.inversion._noise import Noise
from jaxfric.ratestate import RateStateLaw, Spring

# A normal variable lies within as many standard deviations of its mean in 95 % of all cases
NORMAL_95 = 1.959963984540054
HEADER = ("", "value", "± std error", "95 % interval", "unit")


class Row(TypedDict):
    """A parameter in the table of a fit; SI, `low` and `high` of its 95 % interval."""

    name: str
    value: float
    error: float
    low: float
    high: float
    unit: str


class Estimates(NamedTuple):
    """Parameters by name, and their errors.

    Apart from the fit, for a table asks thirty times, and every access to a method of an Equinox
    module makes an object.
    """

    names: tuple[str, ...]
    values: Float64[np.ndarray, " p"]
    covariance: Float64[np.ndarray, "p p"]

    def value(self, name: str) -> float:
        """Of a parameter, "a-b" included."""
        return float(self._weights(name) @ self.values)

    def error(self, name: str) -> float:
        """Standard error of a parameter, "a-b" included."""
        weights = self._weights(name)
        # Var(wᵀp) = wᵀCw: the covariance of a and b, which is most of both, cancels in a − b
        return float(np.sqrt(weights @ self.covariance @ weights))

    def interval(self, name: str, sigmas: float = NORMAL_95) -> tuple[float, float]:
        """Interval of ± `sigmas` standard errors, on a log scale for Dc and k."""
        value, error = self.value(name), self.error(name)
        # Delta method: the error of ln x is that of x over x, and an interval of ln x is never
        # negative in x
        if is_log(name):
            factor = float(np.exp(sigmas * error / value))
            return value / factor, value * factor
        return value - sigmas * error, value + sigmas * error

    def _weights(self, name: str) -> np.ndarray:
        if name == "a-b":
            return a_minus_b(self.names)
        if name not in self.names:
            raise ValueError(f"no fitted parameter is called {name!r}; names: {self.names}")
        return np.array([float(n == name) for n in self.names])


class StepFit(eqx.Module):
    """A rate-and-state law fitted to one record; `print` it for the table.

    Attributes:
        law: the fitted `RateStateLaw`; `float(fit.law.a)` and so on.
        spring: the loading, with the stiffness fitted if it was free.
        protocol: load-point velocities on the record's clock, with the fitted step times.
        names: names of the parameters in `values` and `covariance`, mu0 last.
        values: (p,), SI.
        covariance: (p, p), corrected for the noise's correlation.
        time: (n,), s, the record's clock.
        observed: (n,), measured friction.
        model: (n,), fitted friction, trend included.
        trend: (n,), the fitted drift; 0 at the (first) velocity step.
        residual: (n,), observed − model.
        noise: autoregressive models of the residual, one per stretch of even sampling.
        steady_noise: rms about straight lines of the steady parts, before the step and in the last
            half after it; what no law can beat.
        converged: whether the iteration ended by itself.
        iterations: how many steps it took.
        title: the record's name.
    """

    law: RateStateLaw
    spring: Spring
    protocol: VelocityProtocol
    names: tuple[str, ...] = eqx.field(static=True)
    values: Float64[np.ndarray, " p"]
    covariance: Float64[np.ndarray, "p p"]
    time: Float64[np.ndarray, " n"]
    observed: Float64[np.ndarray, " n"]
    model: Float64[np.ndarray, " n"]
    trend: Float64[np.ndarray, " n"]
    noise: list[Noise]
    steady_noise: float
    converged: bool
    iterations: int
    title: str = eqx.field(static=True)
    fitted: int = eqx.field(static=True)  # parameters, trend included

    @property
    def law_name(self) -> str:
        """The law's evolution, such as "Slip" or "Aging + Aging"."""
        return law_title(self.law)

    @property
    def residual(self) -> Float64[np.ndarray, " n"]:
        """Measured minus fitted friction."""
        return self.observed - self.model

    @property
    def rms(self) -> float:
        """Root mean square of the residual."""
        return float(np.sqrt(np.mean(self.residual**2)))

    @property
    def log_likelihood(self) -> float:
        """Gaussian log-likelihood of the residuals under their autoregressive model."""
        return float(sum(model.log_likelihood for model in self.noise))

    @property
    def degrees(self) -> int:
        """Number of parameters: of the law, the trend and the noise."""
        return self.fitted + sum(model.phi.size + 1 for model in self.noise)

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 p − 2 ln L; smaller is better."""
        return 2 * self.degrees - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian criterion: p ln n − 2 ln L; smaller is better."""
        return self.degrees * float(np.log(self.time.size)) - 2 * self.log_likelihood

    @property
    def _estimates(self) -> Estimates:
        return Estimates(self.names, self.values, self.covariance)

    def value(self, name: str) -> float:
        """Value of a parameter by name, "a-b" included."""
        return self._estimates.value(name)

    def error(self, name: str) -> float:
        """Standard error of a parameter by name, "a-b" included."""
        return self._estimates.error(name)

    def interval(self, name: str, sigmas: float = NORMAL_95) -> tuple[float, float]:
        """Interval of ± `sigmas` standard errors (95 % by default), on a log scale for Dc and k."""
        return self._estimates.interval(name, sigmas)

    def identifiability(self) -> Identifiability:
        """Which combinations of the parameters the record does not constrain."""
        # μ0 is a level: every record tells it, and it has no unit to compare it in
        kept = [i for i, name in enumerate(self.names) if kind(name) != "mu0"]
        return identifiability(
            tuple(self.names[i] for i in kept),
            self.values[kept],
            self.covariance[np.ix_(kept, kept)],
            float(np.max(np.asarray(self.protocol.velocities))),
        )

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Names of slip distances too short for the record's samples: their errors mean nothing."""
        velocities = np.asarray(self.protocol.velocities)
        return unresolved(self.names, self.values, velocities, self.time)

    def table(self) -> list[Row]:
        """Rows of name, value, standard error and 95 % interval; a−b included."""
        names = list(self.names)
        effects = [i for i, name in enumerate(names) if kind(name) in EFFECTS]
        names.insert(1 + max(effects, default=-1), "a-b")
        estimates = self._estimates
        rows: list[Row] = []
        for name in names:
            low, high = estimates.interval(name)
            rows.append(
                {
                    "name": name,
                    "value": estimates.value(name),
                    "error": estimates.error(name),
                    "low": low,
                    "high": high,
                    "unit": unit(name),
                }
            )
        return rows

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        _, value, error, interval, _ = HEADER
        lines = [self._head(), f"  {'':<11}{value:>12}{error:>13}   {interval}"]
        for name, value, error, interval, unit_ in self._cells():
            line = f"  {name:<11}{value:>12}{error:>13}   {interval:<26}{unit_}"
            lines.append(line.rstrip())
        lines.append(f"  {self._foot()}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        return html_table(HEADER, self._cells(), title=self._head(), foot=self._foot())

    def _cells(self) -> list[tuple[str, str, str, str, str]]:
        """Under `HEADER`, each value to the second digit of its error."""
        cells = []
        for row in self.table():
            value, low, high = (
                _rounded(x, row["error"]) for x in (row["value"], row["low"], row["high"])
            )
            interval = f"[{low}, {high}]"
            cells.append((row["name"], value, f"{row['error']:.2g}", interval, row["unit"]))
        return cells

    def _head(self) -> str:
        return f"{self.law_name} fitted to {self.title or 'a record'} ({self.time.size} samples)"

    def _foot(self) -> str:
        state = f"converged in {self.iterations} iterations" if self.converged else "NOT CONVERGED"
        note = ""
        if self.unresolved:
            note = (
                f"; {', '.join(self.unresolved)} passes between two samples, so that neither value "
                "nor error of it mean anything: sample finer, or fit fewer parameters"
            )
        return (
            f"residual rms {self.rms:.3g} (steady parts {self.steady_noise:.3g}), "
            f"BIC {self.bic:.1f}, {state}{note}"
        )


class JointFit(eqx.Module):
    """One law fitted to several records.

    Attributes:
        fits: a `StepFit` for each record.
        names: names of the parameters; "[2]" marks one of the second record alone.
        values: (p,), SI.
        covariance: (p, p).
    """

    fits: tuple[StepFit, ...]
    names: tuple[str, ...] = eqx.field(static=True)
    values: Float64[np.ndarray, " p"]
    covariance: Float64[np.ndarray, "p p"]

    @property
    def rms(self) -> float:
        """Root mean square of all residuals."""
        return float(np.sqrt(np.mean(np.concatenate([f.residual for f in self.fits]) ** 2)))

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        lines = [self._head()]
        for name, value, error, unit_ in self._cells():
            lines.append(f"  {name:<14}{value:>12} ± {error} {unit_}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        header = ("", "value", "± std error", "unit")
        return html_table(header, self._cells(), title=self._head())

    def _head(self) -> str:
        return f"joint fit of {len(self.fits)} records, residual rms {self.rms:.3g}"

    def _cells(self) -> list[tuple[str, str, str, str]]:
        errors = np.sqrt(np.diag(self.covariance))
        return [
            (name, f"{value:.5g}", f"{error:.2g}", unit(name))
            for name, value, error in zip(self.names, self.values, errors, strict=True)
        ]


def _rounded(value: float, error: float) -> str:
    """A number to the second digit of its error."""
    if not (np.isfinite(value) and np.isfinite(error) and error > 0) or value == 0:
        return f"{value:.5g}"
    # Two digits of the error: as many digits of the value as there are from its first to there
    digits = int(np.floor(np.log10(abs(value)))) - int(np.floor(np.log10(error))) + 2
    return f"{value:.{min(max(digits, 1), 15)}g}"

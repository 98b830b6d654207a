"""The level of friction, which neither a scalogram nor a burst of emission tells.

After a change of load friction relaxes to a new steady state over some cycles. From the cycles
that are seen, the level path infers y = c0 + c1 s(t) + A exp(−t/τ), s being what the network says,
by Bayesian regression with an amplitude of the order of the spread; the time constants τ, from a
fraction of a recurrence to many, and no relaxation at all, are averaged by their evidence.
"""

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from jaxfric.studies.fault_slip._features import Scale
from jaxfric.studies.fault_slip._sampling import DT

NOISE = 0.25  # error of a network, in spreads of friction
MEMORY = 0.95  # correlation of the errors of neighbouring samples


class Prior(NamedTuple):
    """What holds of c0, c1 and A, in spreads, and of τ, in recurrences, before a cycle is seen.

    Attributes:
        rise: mean of −A.
        taus: as likely as each other.
        deviations: standard deviations of c0, c1 and A.
    """

    rise: float
    taus: tuple[float, ...]
    deviations: tuple[float, float, float] = (2.0, 0.3, 1.0)


# The simulated levels rise by 0.2 ± 0.3 of a drop, which is √12 spreads. A recurrent network asks
# for it; the encoder-decoder, whose scalogram holds the slower changes, is better off without.
RISING = Prior(0.7, (0.5, 1.0, 2.0, 4.0))
EVEN = Prior(0.0, (0.5, 1.0, 2.0, 4.0, 8.0, 16.0))


class Level(eqx.Module):
    """c0, c1 and relaxations, in units of friction.

    Attributes:
        offset: c0.
        gain: c1.
        relaxation: (m,), Σ p_τ A_τ exp(−t/τ), zero at the end of time.
        probability: (1 + τs,), of no relaxation and of each τ.
    """

    offset: float
    gain: float
    relaxation: Float[np.ndarray, " m"]
    probability: Float[np.ndarray, " taus"]

    def __call__(self, s: Any) -> Float[np.ndarray, " m"]:
        """Friction for what the network says, (m,)."""
        return self.offset + self.gain * np.asarray(s, np.float64) + self.relaxation


def fit_level(
    s: Any, friction: Any, where: Any, recurrence: float, drift: bool = True,
    prior: Prior = RISING,
) -> Level:  # fmt: skip
    """Regress the friction that is seen (where `where`) on the network's output and relaxations."""
    s, friction = (np.asarray(x, np.float64) for x in (s, friction))
    seen = np.asarray(where, bool)
    scale = Scale.of_record(friction, seen)
    y = scale.unit(friction[seen])
    t = np.arange(s.size) * DT
    # Correlated errors: as many independent samples as n (1 − ρ)/(1 + ρ)
    variance = NOISE**2 * (1 + MEMORY) / (1 - MEMORY)
    centre, deviation = np.array([0.0, 1.0, -prior.rise]), np.array(prior.deviations)
    found, evidence = [], []
    for tau in (None, *prior.taus) if drift else (None,):
        shape = np.zeros_like(t) if tau is None else np.exp(-t / (tau * recurrence))
        basis = np.stack([np.ones_like(s), s, shape], axis=1)
        A = basis[seen]
        precision = A.T @ A / variance + np.diag(1 / deviation**2)
        c = np.linalg.solve(precision, A.T @ y / variance + centre / deviation**2)
        left = y - A @ c
        fit = left @ left / variance + np.sum(((c - centre) / deviation) ** 2)
        determinant = np.linalg.slogdet(precision)[1] + 2 * np.sum(np.log(deviation))
        evidence.append(-0.5 * (fit + determinant))
        found.append((c, c[2] * shape))
    p = np.exp(np.array(evidence) - max(evidence))
    p /= p.sum()
    offset, gain, _ = np.tensordot(p, np.stack([c for c, _ in found]), 1)
    relaxation = np.tensordot(p, np.stack([r for _, r in found]), 1)
    spread = scale.spread
    return Level(
        float(scale.back(offset)), float(spread * gain), np.asarray(spread * relaxation), p
    )

"""The level of friction, which neither a scalogram nor a burst of emission tells.

After a change of load friction relaxes to a new steady state over some cycles. From the cycles
that are seen, the level path infers y = c0 + c1 s(t) + A exp(−t/τ), s being what the network says,
by Bayesian regression with an amplitude of the order of the spread; the time constants τ, from a
fraction of a recurrence to many, and no relaxation at all, are averaged by their evidence.
"""

from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from jaxfric._types import Mask, Series
from jaxfric.studies.fault_slip._features import Scale
from jaxfric.studies.fault_slip._sampling import DT

# What is taken for the error of a network, as a standard deviation in spreads of friction; on
# held-out simulations errors of 0.27 to 0.29 of a spread were seen.
NOISE = 0.25
# What is taken for the correlation of the errors of neighbouring samples, a tenth of a second
# apart. A network that is wrong about a cycle is wrong for seconds; as independent numbers some
# hundred samples of a cycle would outweigh any prior.
MEMORY = 0.95


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


# One cycle cannot tell its own level from that of the cycles to come: on p4581 the first lies 5.7 %
# below the mean of the rest. The prior says what holds for the simulated faults on the average,
# whose levels rise by 0.2 ± 0.3 of a drop (`fault.FaultRanges.drift`); a sawtooth's drop is √12 of
# its standard deviations, which makes 0.7 ± 1.0 spreads. Recurrent networks need this prior; the
# encoder-decoder, whose scalogram already holds the slower changes, is better off without the rise
# and with longer time constants. Both were chosen on the first 120 s of p4581.
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

    def __call__(self, s: Series) -> Float[np.ndarray, " m"]:
        """Friction for what the network says, (m,), in spreads."""
        return self.offset + self.gain * np.asarray(s, np.float64) + self.relaxation


def fit_level(
    s: Series, friction: Series, where: Mask, recurrence: float, drift: bool = True,
    prior: Prior = RISING,
) -> Level:  # fmt: skip
    """Regress the friction that is seen on the network's output and relaxations.

    For each τ the posterior mean of c = (c0, c1, A) under y = c0 + c1 s + A exp(−t/τ) + noise, and
    their average by the evidence of each τ and of no relaxation.

    Arguments:
        s: (m,), what the network says, in spreads.
        friction: (m,), or a stress; nothing is read of it outside `where`.
        where: (m,), the samples that are seen.
        recurrence: s, the unit of τ.
        drift: the level may relax; c0 and c1 alone if false.
        prior: of c and τ.

    Returns:
        `Level`, in units of the friction.

    Source: ours.
    """
    s, friction = (np.asarray(x, np.float64) for x in (s, friction))
    seen = np.asarray(where, bool)
    # In spreads of what is seen one prior serves friction and stress, large drops and small ones
    scale = Scale.of_record(friction, seen)
    y = scale.unit(friction[seen])
    t = np.arange(s.size) * DT
    # Correlated errors: as many independent samples as n (1 − ρ)/(1 + ρ), said by a larger variance
    variance = NOISE**2 * (1 + MEMORY) / (1 - MEMORY)
    # Before anything is seen the network is believed: offset 0 and gain 1
    centre, deviation = np.array([0.0, 1.0, -prior.rise]), np.array(prior.deviations)
    fits, evidence = [], []
    for tau in (None, *prior.taus) if drift else (None,):
        # Without a relaxation its column is zero, and A stays at its prior, which costs nothing:
        # the evidence of this model is that of the one with c0 and c1 alone
        shape = np.zeros_like(t) if tau is None else np.exp(-t / (tau * recurrence))
        basis = np.stack([np.ones_like(s), s, shape], axis=1)
        A = basis[seen]
        # Posterior mean of a linear model with Gaussian noise and prior
        precision = A.T @ A / variance + np.diag(1 / deviation**2)
        c = np.linalg.solve(precision, A.T @ y / variance + centre / deviation**2)
        left = y - A @ c
        # Its log evidence, but for what all τ share: the misfit of data and prior at the mean, and
        # how much the data narrowed the prior
        fit = left @ left / variance + np.sum(((c - centre) / deviation) ** 2)
        determinant = np.linalg.slogdet(precision)[1] + 2 * np.sum(np.log(deviation))
        evidence.append(-0.5 * (fit + determinant))
        fits.append((c, c[2] * shape))
    # Only ratios count: less the largest, none overflows
    p = np.exp(np.array(evidence) - max(evidence))
    p /= p.sum()
    offset, gain, _ = np.tensordot(p, np.stack([c for c, _ in fits]), 1)
    relaxation = np.tensordot(p, np.stack([r for _, r in fits]), 1)
    spread = scale.spread
    return Level(
        float(scale.back(offset)), float(spread * gain), np.asarray(spread * relaxation), p
    )

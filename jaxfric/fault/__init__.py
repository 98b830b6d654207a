"""Seismogenic faults: chains of rate-and-state patches, what they emit, what they tell.

law = patches(mu0=0.45, a=0.01, b=b, Dc=Dc, V0=1e-6)                  # arrays of shape (n,)
chain = FaultChain(law, normal_stress, loader=K, leaf=k, coupling=c, damping=eta)
history = simulate(chain, 1e-5, t)                                    # .friction .kinetic_energy
history.catalogue()                                                   # slip events
"""

from jaxfric.dynamics import Options as Options
from jaxfric.fault._chain import FaultChain as FaultChain
from jaxfric.fault._emission import (
    add_background as add_background,
    add_bursts as add_bursts,
    add_noise as add_noise,
    channels as channels,
    compress as compress,
    window_average as window_average,
)
from jaxfric.fault._history import FaultHistory as FaultHistory
from jaxfric.fault._outcome import Outcome as Outcome
from jaxfric.fault._patches import patches as patches
from jaxfric.fault._ranges import FaultRanges as FaultRanges
from jaxfric.fault._sampling import (
    Instrument as Instrument,
    Motion as Motion,
    Recording as Recording,
    record as record,
    sample_fault as sample_fault,
    sample_instrument as sample_instrument,
)
from jaxfric.fault._simulate import simulate as simulate

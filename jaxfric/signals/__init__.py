"""Scalograms of records and back, and windows of them.

from jaxfric import signals

scales = signals.log_scales(dt, 2 * dt, 20.0, 48)               # s, geometric
W = signals.cwt(friction - friction.mean(), dt, scales)         # (48, n): whole record
C = signals.causal_cwt(emission, dt, scales, history=4000)      # (48, n): nothing after a sample
friction = signals.icwt(W, dt, scales) + friction.mean()
images = signals.windows(W, 2000, 200)                          # (n_windows, 48, 2000)
"""

from jaxfric.signals._cwt import (
    causal_cwt as causal_cwt,
    cwt as cwt,
    icwt as icwt,
)
from jaxfric.signals._wavelet import (
    AbstractWavelet as AbstractWavelet,
    Morlet as Morlet,
    Ricker as Ricker,
    cone_of_influence as cone_of_influence,
    log_scales as log_scales,
)
from jaxfric.signals._windows import overlap_average as overlap_average, windows as windows

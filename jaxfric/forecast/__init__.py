"""When a fault fails: failures of a record, what predicts them, and how predictions are scored.

found = failures(time, friction)                               # each drop of a stick-slip record
wait = time_to_failure(time, found)                            # s, at every sample
table = yardsticks(time, emission, friction, train=early)      # a clock, a ridge: what to beat
"""

from jaxfric.forecast._clock import clock as clock, time_since_burst as time_since_burst
from jaxfric.forecast._failures import (
    Failures as Failures,
    failures as failures,
    time_to_failure as time_to_failure,
)
from jaxfric.forecast._metrics import Scores as Scores, scores as scores
from jaxfric.forecast._yardsticks import (
    Yardsticks as Yardsticks,
    constant as constant,
    ridge as ridge,
    yardstick_predictions as yardstick_predictions,
    yardsticks as yardsticks,
)

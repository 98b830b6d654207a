"""When a fault fails: failures of a record, what predicts them, and how predictions are scored.

found = failures(friction, dt)                                # each drop of a stick-slip record
wait, known = time_to_failure(found.start, dt)                # s, at every sample
table = yardsticks(energy, friction, dt, train, test)         # a clock, a ridge: what to beat
print(scores(friction, prediction, dt, where=test))           # a prediction of your own
"""

from jaxfric.forecast._clock import clock as clock, time_since_burst as time_since_burst
from jaxfric.forecast._failures import (
    Failures as Failures,
    failures as failures,
    time_to_failure as time_to_failure,
)
from jaxfric.forecast._metrics import Scores as Scores, scores as scores
from jaxfric.forecast._ridge import ridge as ridge
from jaxfric.forecast._yardsticks import (
    Yardsticks as Yardsticks,
    constant as constant,
    yardstick_predictions as yardstick_predictions,
    yardsticks as yardsticks,
)

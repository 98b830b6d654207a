"""Learning rates of Adam, at the top of each schedule."""

SEQUENCES = 4e-3
IMAGES = 2e-3
# Some cycles teach little, and less than the rate of training forgets little of the simulations.
# Chosen on the first 120 s of p4581.
TUNING = 1.5e-3

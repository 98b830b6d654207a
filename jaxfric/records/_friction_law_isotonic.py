"""The nearest curve to noisy values that never falls."""

import numpy as np
from jaxtyping import Float64


def isotonic(
    values: Float64[np.ndarray, " m"], weights: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, " m"]:
    """Isotonic regression: the x₁ ≤ x₂ ≤ … that minimises Σ w (x − y)².

    Pool adjacent violators: a value that falls below the block before it joins that block, whose
    weighted mean both then take, until the means of all blocks rise.

    Arguments:
        values: y.
        weights: w, > 0.

    Returns:
        x; equal neighbours are the blocks.

    Example:
        >>> isotonic(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
        [1.0, 2.5, 2.5, 4.0]

    Source: M. Ayer, H. D. Brunk, G. M. Ewing, W. T. Reid and E. Silverman, Ann. Math. Stat. 26
    (1955) 641.
    """
    means: list[float] = []
    sums: list[float] = []  # of the weights of each block
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        size = 1
        # Blocks before the last already rise, so only the last can stand above what joins it
        while means and means[-1] >= value:
            before = sums.pop()
            # Moved from one mean towards the other, so that rounding keeps it between the two
            value += (means.pop() - value) * (before / (before + weight))
            weight += before
            size += sizes.pop()
        means.append(value)
        sums.append(weight)
        sizes.append(size)
    return np.repeat(np.array(means), sizes)

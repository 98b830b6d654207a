"""Numbers that stand for pixels without a height."""

import numpy as np

from jaxfric.records._rows import count_of

# What programs write where an instrument measured nothing, up to the sign: nines, and the ends of
# integers of 16 and 32 bits
KNOWN = (9999, 99999, 999999, 32767, 32768, 65535, 2147483640, 2147483647, 2147483648)
# Of the range of all other heights: how far beyond them a number is none of them. Of a known one
# less is enough: a map in nanometres may reach over more than 9999
FAR, FAR_KNOWN = 10.0, 0.1
SEVERAL = 2  # pixels: one alone is a spike, unless it is known
MOST = 0.5  # of the pixels: what most of them are is a surface


def without_sentinels(height: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """NaN where the lowest or the highest number cannot be a height, and a note on each.

    A number is none if it stands beyond all others by more than `FAR` times their range, in several
    pixels but not in most, and is not 0, which may be the flat between pillars. One of `KNOWN`
    needs to stand beyond them by `FAR_KNOWN` times their range only, in one pixel or more.

    Arguments:
        height: (ny, nx), in any unit; NaN where there is none.
    """
    height, notes = height.copy(), []
    for end in (np.nanmin, np.nanmax):
        finite = np.isfinite(height)
        if not finite.any():
            break
        number = float(end(height[finite]))
        here = height == number
        rest = height[finite & ~here]
        if rest.size and _is_none(number, int(here.sum()), rest):
            height[here] = np.nan
            count = count_of(int(here.sum()), "pixel")
            notes.append(f"Took {number:.10g}, far off all heights, as missing: {count}.")
    return height, tuple(notes)


def _is_none(number: float, count: int, rest: np.ndarray) -> bool:
    low, high = float(rest.min()), float(rest.max())
    beyond = low - number if number < low else number - high
    if abs(number) in KNOWN:
        return beyond > FAR_KNOWN * (high - low)
    several = SEVERAL <= count <= MOST * (count + rest.size) and number != 0 and high > low
    return several and beyond > FAR * (high - low)

"""Several designs for one friction law, and how much they differ."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxfric import contact


class Generated(eqx.Module):
    """What `design_many` returns.

    Attributes:
        designs: `contact.Design` with a leading axis, the best first.
        distance: of the request from those of training; 1 is the limit.
        searched: True if a search answered in place of the generator.
        diversity: RMS difference of the heights where designs touch, over the mean reach, of those
            that are usable (`Design.usable`); 0 for fewer than two.
    """

    designs: contact.Design
    distance: Float[Array, ""]
    searched: Bool[Array, ""]
    diversity: float

    def __str__(self) -> str:
        error = np.asarray(self.designs.error)
        source = "a search" if bool(self.searched) else "the generator"
        return (
            f"{error.size} designs from {source}, sMAPE {error.min():.3g} to {error.max():.3g} %\n"
            f"  {self.designs.verdict}; their heights differ by "
            f"{100 * self.diversity:.2g} % of the depth that touches"
        )

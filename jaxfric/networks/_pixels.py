"""Images rearranged so that a convolution is a matrix product: windows of pixels as channels."""

import jax.numpy as jnp
from jaxtyping import Array, Float

# Zeros before and after an axis. A window of the past has both in front, so that its last pixel is
# the newest one. 3 × 3 windows, 4 × 4 windows of stride 2 and 2 × 2 windows around corners need
# the same two.
SAME, PAST = (1, 1), (2, 0)


def pad(
    x: Float[Array, "*m s t c"], scales: tuple[int, int], columns: tuple[int, int]
) -> Float[Array, "*m u v c"]:
    """Zeros around the image."""
    return jnp.pad(x, [(0, 0)] * (x.ndim - 3) + [scales, columns, (0, 0)])


def windows(x: Float[Array, "*m s t c"], k: int) -> Float[Array, "*m u v d"]:
    """All k × k windows: (..., s − k + 1, t − k + 1, k² c)."""
    s, t = x.shape[-3] - k + 1, x.shape[-2] - k + 1
    # k² shifted images side by side. Their gradient is a sum of shifted images, with no scatter
    parts = [x[..., a : a + s, b : b + t, :] for a in range(k) for b in range(k)]
    return jnp.concatenate(parts, axis=-1)


def to_blocks(x: Float[Array, "*m s t c"]) -> Float[Array, "*m u v d"]:
    """Blocks of 2 × 2 pixels into the channels: (..., s/2, t/2, 4 c)."""
    *m, s, t, c = x.shape
    x = x.reshape(*m, s // 2, 2, t // 2, 2, c)
    return jnp.swapaxes(x, -4, -3).reshape(*m, s // 2, t // 2, 4 * c)


def from_blocks(x: Float[Array, "*m s t c"]) -> Float[Array, "*m u v d"]:
    """The inverse: (..., 2 s, 2 t, c/4)."""
    *m, s, t, c = x.shape
    x = jnp.swapaxes(x.reshape(*m, s, t, 2, 2, c // 4), -4, -3)
    return x.reshape(*m, 2 * s, 2 * t, c // 4)

"""Causal sequence networks: features of the emission at every sample → outputs at every sample."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxfric._types import Numbers
from jaxfric.networks._encoder_decoder import count, latent_width
from jaxfric.networks._gru_scan import gated_unit
from jaxfric.networks._initial import normal_weights


class EmissionGRU(nnx.Module):
    """Dense entry → gated recurrent unit(s) → residual latent layers → head.

    x' = tanh(x E + e); r = σ(W_r x' + b_r + U_r h), z likewise, n = tanh(W_n x' + b_n + r ∘
    (U_n h + c)), h' = (1 − z) ∘ n + z ∘ h; then h + tanh(h A + a) B + b → head. What enters the
    gates from x' is one matrix product for all samples, before the scan.

    The parts are the attributes `encoder` (entry and units), `latent` and `head`. B and b begin
    at zero: a new latent part changes nothing until it is trained.

    Arguments:
        inputs: features for each sample.
        hidden: units.
        outputs: numbers for each sample.
        layers: stacked units.
        latent: width of A; if None, the one that brings `latent` nearest to 20 % of all parameters.
        unroll: samples for each iteration of the scan; above 1 it compiles longer and was no
            faster on a CPU.
        rngs: of the initial weights.

    Raises:
        ValueError: sizes below 1.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> print(EmissionGRU(3, 8, 2, rngs=nnx.Rngs(0))(jnp.ones((20, 3))).shape)
        (20, 2)

    Source: K. Cho et al., EMNLP (2014); the arrangement is ours.
    """

    def __init__(
        self,
        inputs: int = 1,
        hidden: int = 48,
        outputs: int = 2,
        layers: int = 1,
        *,
        latent: int | None = None,
        unroll: int = 1,
        rngs: nnx.Rngs,
    ):
        _positive(inputs, hidden, outputs, layers, unroll, 1 if latent is None else latent)
        self.inputs = inputs
        self.encoder = Recurrent(inputs, hidden, layers, unroll, rngs=rngs)
        self.head = Head(hidden, outputs, rngs=rngs)
        self.latent = _latent(self, hidden, latent, rngs)

    def __call__(self, x: Numbers) -> Float[Array, "n outputs"]:
        """One sequence (n, inputs); use jax.vmap for a batch."""
        return _through(self, x)


class EmissionTCN(nnx.Module):
    """Dense entry → dilated causal convolutions → residual latent layers → head.

    Block l: x ← x + relu(Σ_j W_j x_{k − j 2^l} + b) V, j = 0 … kernel − 1. An output sees the
    last `receptive_field` = 1 + (kernel − 1)(2^layers − 1) samples; before the record are zeros.

    The interface and the parts are those of `EmissionGRU`.

    Arguments:
        inputs: features for each sample.
        hidden: channels.
        outputs: numbers for each sample.
        layers: blocks.
        kernel: samples of each convolution.
        latent: see `EmissionGRU`.
        rngs: of the initial weights.

    Raises:
        ValueError: sizes below 1, or a kernel below 2.

    Example:
        >>> import jax.numpy as jnp
        >>> from flax import nnx
        >>> network = EmissionTCN(3, 8, 2, layers=4, rngs=nnx.Rngs(0))
        >>> print(network(jnp.ones((20, 3))).shape, network.receptive_field)
        (20, 2) 31

    Source: S. Bai, J. Z. Kolter and V. Koltun, arXiv:1803.01271; the arrangement is ours.
    """

    def __init__(
        self,
        inputs: int = 1,
        hidden: int = 32,
        outputs: int = 2,
        layers: int = 8,
        *,
        kernel: int = 3,
        latent: int | None = None,
        rngs: nnx.Rngs,
    ):
        _positive(inputs, hidden, outputs, layers, kernel - 1, 1 if latent is None else latent)
        self.inputs = inputs
        # Block l reaches (kernel − 1) 2^l samples further back: doubled from block to block, the
        # reach grows with 2^layers at the cost of `layers`
        self.receptive_field = 1 + (kernel - 1) * (2**layers - 1)
        self.encoder = Dilated(inputs, hidden, layers, kernel, rngs=rngs)
        self.head = Head(hidden, outputs, rngs=rngs)
        self.latent = _latent(self, hidden, latent, rngs)

    def __call__(self, x: Numbers) -> Float[Array, "n outputs"]:
        """One sequence (n, inputs); use jax.vmap for a batch."""
        return _through(self, x)


class Recurrent(nnx.Module):
    """Entry and stacked gated recurrent units: (n, inputs) → (n, hidden)."""

    def __init__(self, inputs: int, hidden: int, layers: int, unroll: int, *, rngs: nnx.Rngs):
        self.unroll = unroll
        self.entry, self.entry_bias = _dense(rngs, inputs, hidden), _zeros(hidden)
        self.input_weights = nnx.List([_dense(rngs, hidden, 3 * hidden) for _ in range(layers)])
        self.hidden_weights = nnx.List([_dense(rngs, hidden, 3 * hidden) for _ in range(layers)])
        # The biases of r and z stand here alone; n has a second one, inside its reset gate
        self.biases = nnx.List([_zeros(3 * hidden) for _ in range(layers)])
        self.hidden_biases = nnx.List([_zeros(hidden) for _ in range(layers)])

    def __call__(self, x: Float[Array, "n inputs"]) -> Float[Array, "n hidden"]:
        """(n, hidden)."""
        x = jnp.tanh(x @ self.entry[...] + self.entry_bias[...])
        groups = (self.input_weights, self.biases, self.hidden_weights, self.hidden_biases)
        # The inputs' part of the gates is one product over all samples, with no loop to wait for
        for W, b, U, c in zip(*groups, strict=True):
            x = gated_unit(self.unroll, x @ W[...] + b[...], U[...], c[...])
        return x


class Dilated(nnx.Module):
    """Entry and dilated causal convolutions: (n, inputs) → (n, hidden)."""

    def __init__(self, inputs: int, hidden: int, layers: int, kernel: int, *, rngs: nnx.Rngs):
        self.kernel = kernel
        self.entry, self.entry_bias = _dense(rngs, inputs, hidden), _zeros(hidden)
        # All taps of a block as one matrix; 2 is He's gain, as a ReLU follows
        self.taps = nnx.List([_dense(rngs, kernel * hidden, hidden, 2.0) for _ in range(layers)])
        self.biases = nnx.List([_zeros(hidden) for _ in range(layers)])
        # Blocks add up along the path around them. With 1/layers of the variance each, their sum
        # begins with the size of one, however many there are
        self.mixes = nnx.List([_dense(rngs, hidden, hidden, 1 / layers) for _ in range(layers)])

    def __call__(self, x: Float[Array, "n inputs"]) -> Float[Array, "n hidden"]:
        """(n, hidden)."""
        n = x.shape[0]
        x = x @ self.entry[...] + self.entry_bias[...]
        for k, (W, b, V) in enumerate(zip(self.taps, self.biases, self.mixes, strict=True)):
            # Sample k − j 2^l by padding in front and cutting off at the end: no output sees a
            # later sample. A tap that lies before a short record sees zeros only
            before = [min(j * 2**k, n) for j in range(self.kernel)]
            taps = [jnp.pad(x, ((d, 0), (0, 0)))[:n] for d in before]
            x = x + jax.nn.relu(jnp.concatenate(taps, axis=1) @ W[...] + b[...]) @ V[...]
        return x


class Bottleneck(nnx.Module):
    """Residual latent layers h + tanh(h A + a) B + b; B and b begin at zero."""

    def __init__(self, size: int, width: int, *, rngs: nnx.Rngs):
        # With A drawn and B zero it adds nothing at first, and yet B has a gradient: tuning a new
        # latent part begins from the network as it was
        self.down, self.down_bias = _dense(rngs, size, width), _zeros(width)
        self.up, self.up_bias = _zeros(width, size), _zeros(size)

    def __call__(self, h: Float[Array, "n size"]) -> Float[Array, "n size"]:
        """The same shape."""
        z = jnp.tanh(h @ self.down[...] + self.down_bias[...])
        return h + z @ self.up[...] + self.up_bias[...]


class Head(nnx.Module):
    """tanh(h P + p) Q + q, small at first."""

    def __init__(self, size: int, outputs: int, *, rngs: nnx.Rngs):
        # A tenth of the variance at the exit: the first answers are near zero, and not a guess that
        # training would have to undo
        self.entry, self.bias = _dense(rngs, size, size), _zeros(size)
        self.exit, self.exit_bias = _dense(rngs, size, outputs, 0.1), _zeros(outputs)

    def __call__(self, h: Float[Array, "n size"]) -> Float[Array, "n outputs"]:
        """(n, outputs)."""
        return jnp.tanh(h @ self.entry[...] + self.bias[...]) @ self.exit[...] + self.exit_bias[...]


def _through(network: EmissionGRU | EmissionTCN, x: Numbers) -> Float[Array, "n outputs"]:
    x = jnp.asarray(x)
    if x.ndim != 2 or x.shape[1] != network.inputs or x.shape[0] == 0:
        raise ValueError(
            f"x must have shape (n, {network.inputs}), n >= 1; got {x.shape}. A network takes one "
            "sequence; for a batch, use jax.vmap"
        )
    # The precision is that of the weights: float64 features do not make a float64 network
    h = network.encoder(x.astype(network.head.exit[...].dtype))
    return network.head(network.latent(h))


def _latent(
    network: EmissionGRU | EmissionTCN, size: int, width: int | None, rngs: nnx.Rngs
) -> Bottleneck:
    """The latent part of a network whose other parts are made already."""
    if width is None:
        # A unit has `size` weights on either side and a bias; `size` biases more lead back to h
        width = latent_width(count((network.encoder, network.head)), 2 * size + 1, size)
    return Bottleneck(size, width, rngs=rngs)


def _positive(*sizes: int) -> None:
    if min(sizes) < 1:
        raise ValueError("every size must be at least 1, and a kernel at least 2")


def _dense(rngs: nnx.Rngs, rows: int, columns: int, gain: float = 1.0) -> nnx.Param:
    """`normal_weights` for a layer before a tanh, unless a gain is given."""
    return normal_weights(rngs, rows, columns, gain)


def _zeros(*shape: int) -> nnx.Param:
    return nnx.Param(jnp.zeros(shape))

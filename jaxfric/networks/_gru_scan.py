"""A gated recurrent unit along a sequence, with a derivative that is cheap to train with."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


# custom_jvp and not custom_vjp: JAX transposes a rule for forward mode into one for reverse mode,
# so that one hand-written rule serves gradients, `jax.jvp` and derivatives of derivatives.
@partial(jax.custom_jvp, nondiff_argnums=(0,))
def gated_unit(
    unroll: int,
    gates: Float[Array, "n gates"],
    U: Float[Array, "hidden gates"],
    c: Float[Array, " hidden"],
) -> Float[Array, "n hidden"]:
    """Hidden states after every sample, from zero.

    r, z = σ(g + h U), n = tanh(g_n + r ∘ ((h U)_n + c)), h' = n + z ∘ (h − n).

    What a change of U and c does to the gates is one product for all samples, before the loop of
    the derivative. In reverse mode their gradients are then one product after it, where JAX's own
    derivative of a scan adds a whole matrix at every sample.

    Arguments:
        unroll: samples for each iteration of the scan.
        gates: (n, 3 hidden), what enters from outside, for r, z and n in turn.
        U: (hidden, 3 hidden), weights of the hidden state, for r, z and n in turn.
        c: (hidden,), bias inside the reset gate; those of r and z are part of `gates`.
    """
    return _forward(unroll, gates, U, c)[0]


@gated_unit.defjvp
def _derivative(
    unroll: int, primals: tuple[Array, ...], tangents: tuple[Array, ...]
) -> tuple[Array, Array]:
    (gates, U, c), (d_gates, d_U, d_c) = primals, tangents
    hidden, *kept = _forward(unroll, gates, U, c)
    m = U.shape[0]
    before = jnp.concatenate([jnp.zeros_like(hidden[:1]), hidden[:-1]])
    # d(h U + c) at fixed h. All hidden states are known by now, so that this is one product, and
    # so is its transpose: the gradient of U. Inside the loop it would be a sum of n outer products
    from_U = before @ d_U
    from_U = from_U.at[:, 2 * m :].add(d_c)  # c enters n alone

    def body(d_h: Array, sample: tuple[Array, ...]) -> tuple[Array, Array]:
        rz, n, s, h, d_gate, d_u = sample
        r, z = rz[:m], rz[m:]
        d_u = d_u + d_h @ U
        d_rz = rz * (1 - rz) * (d_gate[: 2 * m] + d_u[: 2 * m])  # σ' = σ (1 − σ)
        # tanh' = 1 − tanh²; its argument is g_n + r ∘ s
        d_n = (1 - n**2) * (d_gate[2 * m :] + d_rz[:m] * s + r * d_u[2 * m :])
        # of h' = n + z ∘ (h − n)
        d_h = d_n + d_rz[m:] * (h - n) + z * (d_h - d_n)
        return d_h, d_h

    samples = (*kept, before, d_gates, from_U)
    d_hidden = jax.lax.scan(body, jnp.zeros_like(hidden[0]), samples, unroll=unroll)[1]
    return hidden, d_hidden


def _forward(unroll: int, gates: Array, U: Array, c: Array) -> tuple[Array, Array, Array, Array]:
    """Hidden states, r and z, n, and what r is multiplied with: the derivative needs all four."""
    m = U.shape[0]

    def body(h: Array, gate: Array) -> tuple[Array, tuple[Array, ...]]:
        u = h @ U  # of all three gates in one product
        rz = jax.nn.sigmoid(gate[: 2 * m] + u[: 2 * m])
        s = u[2 * m :] + c
        n = jnp.tanh(gate[2 * m :] + rz[:m] * s)
        h = n + rz[m:] * (h - n)
        return h, (h, rz, n, s)

    hidden, rz, n, s = jax.lax.scan(body, jnp.zeros(m, gates.dtype), gates, unroll=unroll)[1]
    return hidden, rz, n, s

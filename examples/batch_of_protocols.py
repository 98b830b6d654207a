"""Simulate and differentiate ten thousand random slide-hold-slide protocols at once, in float32."""

import time

import jax
import jax.numpy as jnp

from jaxfric import ratestate as rs

samples = jnp.linspace(0.0, 1.0, 100)  # dimensionless, as in "Slide, Hold, Learn"
law = rs.slide_hold_learn_law()


@jax.jit
@jax.vmap
def friction(key):
    history = rs.slide(law, rs.sample_protocol(key=key), samples)
    return history.friction, history.status.ok


@jax.jit
def mean_square_change(b, keys):
    def one(key):
        law = rs.RateStateLaw(mu0=0.415, a=0.006, b=b, Dc=1 / 30, V0=1.0)
        mu = rs.slide(law, rs.sample_protocol(key=key), samples).friction
        return jnp.mean((mu - mu[0]) ** 2)

    return jnp.mean(jax.vmap(one)(keys))


keys = jax.random.split(jax.random.key(0), 10_000)
jax.block_until_ready(friction(keys))  # compile
begin = time.perf_counter()
mu, ok = jax.block_until_ready(friction(keys))
print(f"{mu.shape[0]:,} protocols of {mu.shape[1]} samples in {time.perf_counter() - begin:.3f} s")
print(f"all successful: {bool(ok.all())}; friction {mu.min():.3f} to {mu.max():.3f}")

value, slope = jax.value_and_grad(mean_square_change)(0.016, keys)
print(f"mean square change of friction {value:.3e}, ∂/∂b {slope:.3e}")

"""How the recurrence and the friction drop of stick-slip depend on a, b, Dc and the stiffness."""

import diffrax
import jax
import jax.numpy as jnp

from jaxfric import ratestate as rs

jax.config.update("jax_enable_x64", True)

load = rs.VelocityProtocol([0.0], [1e-5])  # m/s


def catalogue(logs):
    a, b, Dc, stiffness = jnp.exp(logs)
    law = rs.RateStateLaw(mu0=0.6, a=a, b=b, Dc=Dc, V0=1e-6)
    history = rs.spring_slider(
        law, rs.Spring(stiffness, damping=1e-2), load, jnp.array([200.0]),
        initial=(1e-6, law.initial(1e-6)), steps=True,
        options=rs.Options(
            rtol=1e-10, atol=1e-12, max_steps=8192, adjoint=diffrax.ForwardMode()
        ),
    )  # fmt: skip
    return rs.catalogue(history, threshold=1e-4, max_events=6)


point = jnp.log(jnp.array([0.010, 0.015, 1e-5, 250.0]))
events = jax.jit(catalogue)(point)
slopes = jax.jit(jax.jacfwd(catalogue))(point)
print(events)

print("\nlast event:        ∂/∂ln a    ∂/∂ln b    ∂/∂ln Dc   ∂/∂ln k")
last = int(events.count) - 1
for name in ("time", "recurrence", "drop"):
    row = getattr(slopes, name)[last]
    print(f"{name:<15}" + "".join(f"{float(x):11.4g}" for x in row))

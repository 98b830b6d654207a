"""Slide-hold-slide: healing against hold time for three evolution laws, stiff and soft machine."""

import jax
import jax.numpy as jnp

from jaxfric import inversion, ratestate as rs

jax.config.update("jax_enable_x64", True)

holds = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]  # s
protocol = rs.VelocityProtocol.slide_hold_slide(1e-6, holds, slide=60.0)
end = float(protocol.times[-1]) + 60.0
t = jnp.linspace(0.0, end, int(20 * end) + 1)  # 20 Hz
stiffnesses = jnp.array([2e4, 3e3])  # 1/m

for evolution in (rs.Aging(), rs.Slip(), rs.Nagata(c=2.0)):
    law = rs.RateStateLaw(mu0=0.6, a=0.006, b=0.008, Dc=3e-6, V0=1e-6, evolution=evolution)

    @jax.jit
    @jax.vmap
    def run(stiffness, law=law):
        return rs.spring_slider(law, rs.Spring(stiffness), protocol, t)

    histories = run(stiffnesses)
    print(f"{type(evolution).__name__}: {histories.status}")
    for k, mu in zip(stiffnesses, histories.friction, strict=True):
        result = inversion.healing(t, mu, protocol)
        rises = "  ".join(f"{rise:.4f}" for rise in result.delta_mu)
        print(f"  k = {k:6.0f} 1/m   Δμ {rises}   slope {result.per_decade:.4f} per decade")

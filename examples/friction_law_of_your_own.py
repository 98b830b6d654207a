"""A law of your own: any object with initial, friction and rate; here with a(V) as a module."""

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxfric import ratestate as rs

jax.config.update("jax_enable_x64", True)


class DirectEffect(eqx.Module):  # a(V) falls from `slow` to `fast` around 3 µm/s
    slow: float = 0.014
    fast: float = 0.008

    def __call__(self, V):
        return self.fast + (self.slow - self.fast) / (1 + V / 3e-6)


class ContactAge(eqx.Module):  # the state is the strength ψ = 0.6 + b ln(θ V0/Dc), V0 = 1 µm/s
    a: DirectEffect
    b: float = 0.012
    Dc: float = 1e-5

    def initial(self, V):
        return 0.6 - self.b * jnp.log(V / 1e-6)

    def friction(self, V, state):
        return state + self.a(V) * jnp.log(V / 1e-6)

    def rate(self, V, state):  # the clip keeps rejected trial steps, and so gradients, finite
        return self.b / self.Dc * (1e-6 * jnp.exp(jnp.clip((0.6 - state) / self.b, -50, 50)) - V)


law, t = ContactAge(DirectEffect()), jnp.linspace(0.0, 60.0, 601)
step, spring = rs.VelocityProtocol.step(1e-6, 1e-5, at=10.0), rs.Spring(2000.0)
print(rs.spring_slider(law, spring, step, t))
print(f"critical stiffness at 10 µm/s: {rs.critical_stiffness(law, 1e-5).value:.0f} 1/m")
slope = jax.jit(jax.grad(lambda x: rs.spring_slider(x, spring, step, t).friction.max()))(law)
print(f"∂(peak)/∂(a.slow, a.fast): {slope.a.slow:.4f}, {slope.a.fast:.4f}; ∂/∂b: {slope.b:.4f}")

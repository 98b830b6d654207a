"""A law of your own: any object with initial, friction and rate; here with a(V) as a module."""

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxfric import ratestate as rs

jax.config.update("jax_enable_x64", True)


class DirectEffect(eqx.Module):  # a(V) falls from `slow` to `fast` around V_c
    slow: float = 0.014
    fast: float = 0.008
    V_c: float = 3e-6

    def __call__(self, V):
        return self.fast + (self.slow - self.fast) / (1 + V / self.V_c)


class ContactAge(eqx.Module):  # the state is the strength ψ; ψ' = (b V0/Dc) (e^{(μ0−ψ)/b} − V/V0)
    a: DirectEffect
    mu0: float = 0.6
    b: float = 0.012
    Dc: float = 1e-5
    V0: float = 1e-6

    def initial(self, V):
        return self.mu0 - self.b * jnp.log(V / self.V0)

    def friction(self, V, state):
        return state + self.a(V) * jnp.log(V / self.V0)

    def rate(self, V, state):
        return self.b * self.V0 / self.Dc * (jnp.exp((self.mu0 - state) / self.b) - V / self.V0)


law, t = ContactAge(DirectEffect()), jnp.linspace(0.0, 60.0, 601)
step, spring = rs.VelocityProtocol.step(1e-6, 1e-5, at=10.0), rs.Spring(2000.0)
print(rs.spring_slider(law, spring, step, t))
built_in = rs.RateStateLaw(0.6, law.a, law.b, law.Dc, law.V0)  # the same with the aging law
gap = rs.slide(law, step, t).friction - rs.slide(built_in, step, t).friction
print(f"largest difference from the built-in aging law: {jnp.abs(gap).max():.0e}")
print(f"critical stiffness at 10 µm/s: {rs.critical_stiffness(law, 1e-5):.0f} 1/m")
slope = jax.jit(jax.grad(lambda x: rs.spring_slider(x, spring, step, t).friction.max()))(law)
print(f"∂(peak)/∂(a.slow, a.fast): {slope.a.slow:.4f}, {slope.a.fast:.4f}; ∂/∂b: {slope.b:.4f}")

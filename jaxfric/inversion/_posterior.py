"""Posterior samples of a fitted law by Hamiltonian Monte Carlo (the `bayes` extra)."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Key, PyTree

from jaxfric import _checks
from jaxfric._show import printed
from jaxfric.inversion._model import simulate, simulate_with_slopes
from jaxfric.inversion._names import a_minus_b, kind
from jaxfric.inversion._noise import Noise
from jaxfric.inversion._problem import Block, Layout, make_block
from jaxfric.inversion._result import StepFit


class Posterior(eqx.Module):
    """Samples of the parameters of a law.

    Attributes:
        names: names of the columns.
        samples: (samples, p), SI.
        acceptance: mean acceptance probability; 0.7 to 0.95 is sound.
        divergent: number of divergent trajectories; more than a few spoil the result.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    samples: Float64[np.ndarray, "samples p"]
    acceptance: float
    divergent: int

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval of a parameter by name, "a-b" included."""
        if name == "a-b":
            column = self.samples @ a_minus_b(self.names)
        elif name in self.names:
            column = self.samples[:, self.names.index(name)]
        else:
            raise ValueError(f"no sampled parameter is called {name!r}; names: {self.names}")
        low, high = np.quantile(column, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def __repr__(self) -> str:
        return printed(self, self._summary)

    __str__ = __repr__

    def _summary(self) -> str:
        lines = [
            f"posterior: {self.samples.shape[0]} samples, acceptance {self.acceptance:.2f}, "
            f"{self.divergent} divergent"
        ]
        for name in (*self.names, "a-b"):
            low, high = self.interval(name)
            lines.append(f"  {name:<11} 95 % in [{low:.5g}, {high:.5g}]")
        return "\n".join(lines)


def posterior(
    fit: StepFit, *, key: Key[Array, ""], samples: int = 500, warmup: int = 200
) -> Posterior:
    """Sample the posterior of a fitted law with the no-U-turn sampler.

    Gaussian likelihood with the fit's autoregressive noise, held fixed; flat priors in a, b, ln Dc,
    ln stiffness and step time; μ0 and the trend are integrated out. Starts at the fit.

    Arguments:
        fit: result of `fit_step`.
        key: typed PRNG key.
        samples: number kept.
        warmup: steps of adaptation before, thrown away.

    Returns:
        `Posterior`.

    Raises:
        ImportError: without the `bayes` extra.
        ValueError: if samples or warmup is below 1.

    Source: Hoffman & Gelman (2014), through blackjax.
    """
    if samples < 1 or warmup < 1:
        raise ValueError(f"samples and warmup must be at least 1; got {samples}, {warmup}")
    _checks.float64("posterior", jax.dtypes.canonicalize_dtype(float))
    try:
        import blackjax
    except ImportError as error:
        raise ImportError("posterior needs blackjax: pip install 'jaxfric[bayes]'") from error

    layout, block, centre, factor = _problem(fit)
    friction = _with_cheap_gradient(layout, block)
    whiten = _whitener(fit.noise)
    basis, _ = jnp.linalg.qr(whiten(jnp.asarray(block.trend)))

    # In z = L⁻¹ (p − p̂), with LLᵀ the covariance of the fit, the posterior is near a standard
    # normal: the sampler's steps then fit all directions, a − b and a alike.
    def log_density(z: Float[Array, " p"]) -> Float[Array, ""]:
        misfit = jnp.asarray(block.friction) - friction(centre + factor @ z)
        # A trajectory may stray to where the simulator fails: a misfit of 1,000 in every sample is
        # so improbable that the trajectory is refused
        misfit = jnp.where(jnp.all(jnp.isfinite(misfit)), misfit, 1e3)
        white = whiten(misfit[:, None])
        # μ0 and the trend have flat priors; integrated out, they leave the whitened misfit without
        # its part along the whitened trend, and a constant
        white = white - basis @ (basis.T @ white)
        return -0.5 * jnp.sum(white**2)

    warm_key, run_key = jax.random.split(key)
    start = jnp.zeros_like(centre)
    adaptation = blackjax.window_adaptation(blackjax.nuts, log_density)
    (state, parameters), _ = adaptation.run(warm_key, start, num_steps=warmup)
    kernel = blackjax.nuts(log_density, **parameters)

    def one(state: PyTree, key: Array) -> tuple[PyTree, tuple[Array, Array, Array]]:
        state, info = kernel.step(key, state)
        return state, (state.position, info.acceptance_rate, info.is_divergent)

    keys = jax.random.split(run_key, samples)
    _, (positions, acceptance, divergent) = jax.jit(lambda s: jax.lax.scan(one, s, keys))(state)
    # Back from z to SI, and from the record's first row to its own clock
    drawn = np.array(centre + positions @ factor.T)
    drawn[:, layout.log] = np.exp(drawn[:, layout.log])
    steps = [kind(name) == "step_time" for name in layout.labels]
    drawn[:, steps] += fit.time[0]
    return Posterior(layout.labels, drawn, float(acceptance.mean()), int(divergent.sum()))


def _problem(fit: StepFit) -> tuple[Layout, Block, Array, Array]:
    """The fit's problem again, its optimum and the Cholesky factor of its covariance."""
    labels = fit.names[:-1]  # mu0, the last, is part of the trend
    layout = Layout(labels, (tuple((name, i) for i, name in enumerate(labels)),))
    # `fitted` counts the labels and the degree + 1 coefficients of the trend
    degree = fit.fitted - len(labels) - 1
    block = make_block(fit.time, fit.observed, fit.law, fit.spring, fit.protocol, degree)
    values = fit.values[:-1].copy()
    # Delta method: the covariance of ln x is that of x over x², as d ln x = dx/x
    scale = np.where(layout.log, 1 / values, 1.0)
    covariance = fit.covariance[:-1, :-1] * np.outer(scale, scale)
    values[layout.log] = np.log(values[layout.log])
    values -= [fit.time[0] if kind(name) == "step_time" else 0.0 for name in labels]
    return layout, block, jnp.asarray(values), jnp.linalg.cholesky(jnp.asarray(covariance))


def _with_cheap_gradient(layout: Layout, block: Block) -> Callable[[Array], Array]:
    """Friction of the parameters; a few forward tangents beat a reverse pass through the solver."""

    # The sampler asks for gradients in reverse mode. The rule answers with the Jacobian that the
    # forward pass made: gᵀ ∂μ/∂p, with nothing of the solver to be run backwards.
    @jax.custom_vjp
    def friction(p: Array) -> Array:
        return simulate(layout, p, 0, block)

    def forward(p: Array) -> tuple[Array, Array]:
        return simulate_with_slopes(layout, p, 0, block)

    def backward(slopes: Array, g: Array) -> tuple[Array]:
        return (g @ slopes,)

    friction.defvjp(forward, backward)
    return friction


def _whitener(models: list[Noise]) -> Callable[[Array], Array]:
    """e_t = (x_t − Σ φ_k x_{t−k})/σ on each stretch of even sampling."""

    def whiten(x: Float[Array, "n k"]) -> Float[Array, "n k"]:
        # The first rows of a stretch have fewer earlier ones and are whitened by those there are
        parts = []
        for model in models:
            part = x[model.rows]
            white = part
            for k, phi in enumerate(model.phi, start=1):
                white = white.at[k:].add(-phi * part[:-k])
            parts.append(white / np.sqrt(model.innovation))
        return jnp.concatenate(parts)

    return whiten

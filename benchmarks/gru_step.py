"""One physics-informed training step of the paper's GRU, beside the same step in PyTorch."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from _common import NOT_INSTALLED, Table, arguments, installed, timed, timed_jit  # noqa: E402
from flax import nnx  # noqa: E402

from jaxfric import networks  # noqa: E402

DT, RATE = 0.01, 1e-3
COLUMNS = {
    "compile_s": "compile",
    "min_s": "min",
    "median_s": "median",
    "loss": "loss",
    "ratio": "time / ours",
    "operations": "GFLOP/s",
}


def loss(network, velocity, target):
    """MAE + initial value + initial gradient + direct effect, as in the paper."""

    def one(v, y):
        predicted, slope = networks.unroll_with_slopes(network, v, DT)
        return (
            networks.mean_absolute(predicted, y)
            + networks.initial_value(predicted, y)
            + networks.initial_gradient(slope)
            + networks.direct_effect(slope, v)
        )

    return jnp.mean(jax.vmap(one)(velocity, target))


def torch_step(network, velocity, target, how):
    """The same loss, gradient, clipping and Adam step, from the same weights.

    `how`: the tangent of the cell with respect to its input by `torch.func.jvp`, or written out by
    hand, which no user of PyTorch would enjoy but which is its fastest.
    """
    import torch

    def own(x):
        return torch.tensor(np.asarray(x), requires_grad=True)

    W, U = own(network.input_weights[0][...][0]), own(network.hidden_weights[...][0])
    b, c = own(network.input_bias[...][0]), own(network.hidden_bias[...][0])
    w, d = own(network.read_out[...]), own(network.read_out_bias[...])
    n = network.hidden
    weights = [W, U, b, c, w, d]
    optimiser = torch.optim.Adam(weights, lr=RATE)
    V, y = torch.tensor(np.asarray(velocity)), torch.tensor(np.asarray(target))

    def cell(v, h):
        i, u = v[:, None] * W + b, h @ U + c
        gates = torch.sigmoid(i[:, : 2 * n] + u[:, : 2 * n])
        r, z = gates[:, :n], gates[:, n:]
        candidate = torch.tanh(i[:, 2 * n :] + r * u[:, 2 * n :])
        return (1 - z) * candidate + z * h, (r, z, candidate, u[:, 2 * n :])

    def with_tangent(v, h):
        after, (r, z, candidate, u) = cell(v, h)
        dr, dz = r * (1 - r) * W[:n], z * (1 - z) * W[n : 2 * n]
        dn = (1 - candidate**2) * (W[2 * n :] + dr * u)
        return after, (1 - z) * dn + dz * (h - candidate)

    def with_jvp(v, h):
        return torch.func.jvp(lambda v: cell(v, h)[0], (v,), (torch.ones_like(v),))

    advance = with_tangent if how == "by hand" else with_jvp

    def step():
        optimiser.zero_grad()
        h, predicted, slope = torch.zeros(len(V), n), [], []
        for k in range(V.shape[1]):
            h, dh = advance(V[:, k], h)
            predicted.append(h @ w + d)
            slope.append(dh @ w)
        predicted, slope = torch.stack(predicted, 1), torch.stack(slope, 1)
        total = (
            (predicted - y).abs().mean(1)
            + (predicted[:, 0] - y[:, 0]) ** 2
            + slope[:, 0] ** 2
            + (torch.diff(V * slope, dim=1) ** 2).sum(1)
        ).mean()
        total.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        return float(total.detach())

    return step


def main() -> None:
    smoke = arguments(__doc__).smoke
    batch, samples, hidden, repeats = (4, 20, 8, 3) if smoke else (32, 100, 64, 60)
    rng = np.random.default_rng(0)
    velocity = rng.uniform(0, 2, (batch, samples)).astype(np.float32)
    target = (0.1 * rng.normal(size=(batch, samples))).astype(np.float32)
    network = networks.FrictionGRU(hidden, rngs=nnx.Rngs(0))
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(RATE))

    def step(network, state):
        value, gradient = jax.value_and_grad(loss)(network, velocity, target)
        update, state = optimiser.update(gradient, state, network)
        return optax.apply_updates(network, update), state, value

    table = Table("gru_step", COLUMNS, smoke)
    (_, _, value), ours = timed_jit(step, network, optimiser.init(network), repeats=repeats)
    # Products of the cell and of its tangent, forward and twice as many back
    work = 3 * 2 * batch * samples * hidden * (3 * hidden)
    table.add("ours", ours, loss=float(value), ratio=1.0, operations=work / ours.best / 1e9)
    if installed("torch"):
        import torch

        for how in ("torch.func.jvp", "by hand"):
            for threads in sorted({1, os.cpu_count() or 1}):
                torch.set_num_threads(threads)
                one = torch_step(network, velocity, target, how)
                first = one()
                _, timing = timed(one, repeats, 20.0)
                table.add(
                    f"PyTorch, tangent {how}, {threads} thread{'s' * (threads > 1)}",
                    timing,
                    loss=first,
                    ratio=timing.best / ours.best,
                    operations=work / timing.best / 1e9,
                )
    else:
        table.add(f"PyTorch: {NOT_INSTALLED}")
    table.notes.append("The loss of the first step shows that the work is the same.")
    table.finish()


if __name__ == "__main__":
    main()

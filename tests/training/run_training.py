"""A small training run in a process of its own; prints its weights as JSON."""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxfric import training


def loss(p, batch, key):
    hidden = jnp.tanh(batch["x"][:, None] * p["w"] + p["b"])
    return jnp.mean((hidden @ p["v"] - batch["y"]) ** 2)


def main():
    how, folder, *rest = sys.argv[1:]
    if how == "process":
        port, index = rest
        jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(index))
    mesh = None if how == "single" else jax.make_mesh((jax.device_count(),), ("data",))
    x = np.linspace(-1, 1, 64).astype(np.float32)
    w, b, v = (
        jax.random.normal(k, (8,), jnp.float32) for k in jax.random.split(jax.random.key(1), 3)
    )
    trained = training.train(
        loss, {"w": w, "b": b, "v": v}, {"x": x, "y": np.sin(3 * x)},
        key=jax.random.key(0), optimiser=optax.adam(0.01), epochs=40, batch_size=16,
        checkpoint=None if folder == "none" else folder, mesh=mesh,
    )  # fmt: skip
    weights = [np.asarray(x).tolist() for x in jax.tree_util.tree_leaves(trained.last)]
    print(json.dumps({"weights": weights, "devices": jax.device_count()}))


if __name__ == "__main__":
    main()

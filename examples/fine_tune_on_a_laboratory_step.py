"""Fine-tune a network trained on simulations to half of a laboratory step; predict the rest.

The network is a friction law inside a spring-slider, and everything is tuned through the simulator.
Beside it stands the rate-and-state law fitted to the same half.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxfric import inversion, networks, ratestate as rs, records, training
from jaxfric.studies import slide_hold_learn

jax.config.update("jax_enable_x64", True)
# Windows that begin before the step, and whose first half ends well after it, s
WINDOWS = {"basalt": (-5.0, 15.0), "sepiolite": (-100.0, 300.0)}


def halves(name):
    """The record on a clock that starts at zero, its loading, and how many rows are to tune."""
    record = records.sample(name)
    at = float(inversion.protocol_from_displacement(record).times[1])
    before, after = WINDOWS[name]
    record = record.crop(at + before, at + after)
    tuned = int(np.searchsorted(record.time, at + (before + after) / 2))
    first = record.crop(record.time[0], record.time[tuned - 1])
    return record, first, tuned


def fitted(first):
    """The rate-and-state law of the first half."""
    law, spring = inversion.guess(first, rs.Slip())
    return inversion.fit_step(first, law, spring, free=("stiffness", "step_time"), detrend="none")


def tuned_network(first, fit, steps):
    """The shipped network tuned to the first half; mu0 and stiffness start at the fit's."""
    network, _ = slide_hold_learn.trained()
    network = jax.tree_util.tree_map(lambda x: x.astype(jnp.float64), network)
    velocity, at = fit.protocol.velocities[1], fit.protocol.times[0]
    # The network's length 1/30 becomes that of the fit
    time = 30 * fit.law.Dc / velocity
    start = {"network": network, "mu0": jnp.asarray(float(fit.law.mu0)),
             "log_stiffness": jnp.log(fit.spring.stiffness)}  # fmt: skip

    def friction(p, t):
        law = networks.CellLaw(p["network"], p["mu0"], fit.law.V0, velocity, time)
        history = rs.spring_slider(
            law, rs.Spring(jnp.exp(p["log_stiffness"])), fit.protocol, t,
            options=rs.Options(rtol=1e-6, atol=1e-8),
        )  # fmt: skip
        return history.friction

    def loss(p, data, key):
        keep = 1e-3 * sum(
            jnp.sum((x - y) ** 2)
            for x, y in zip(
                jax.tree_util.tree_leaves(p["network"]), jax.tree_util.tree_leaves(network),
                strict=True,
            )
        )  # fmt: skip
        return 1e6 * jnp.mean((friction(p, data["t"][0]) - data["mu"][0]) ** 2) + keep

    thin = slice(None, None, max(first.time.size // 200, 1))
    data = {"t": np.maximum(first.time[thin], at)[None], "mu": first.friction[thin][None]}
    trained = training.train(
        loss, start, data, key=jax.random.key(0), epochs=steps, clip=10.0,
        optimiser=optax.adam(optax.cosine_decay_schedule(0.02, steps)),
        evaluate_every=steps // 10,
    )  # fmt: skip
    print(f"  tuned: {trained}, loss {trained.history['loss'][0]:.3g} to "
          f"{trained.history['loss'][-1]:.3g}")  # fmt: skip
    return friction, start, trained.parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    steps = parser.parse_args().steps
    for name in WINDOWS:
        record, first, tuned = halves(name)
        print(f"{name}: tuned on {tuned} rows, then {record.time.size - tuned} rows predicted")
        fit = fitted(first)
        friction, start, best = tuned_network(first, fit, steps)
        t = jnp.asarray(record.time)
        law = rs.spring_slider(fit.law, fit.spring, fit.protocol, t).friction
        run = jax.jit(friction)
        columns = {
            "the friction before stays": np.full(
                t.size, np.mean(record.friction[tuned - 50 : tuned])
            ),
            "rate-and-state law": law,
            "network, units set, not tuned": run(start, t),
            "network, tuned": run(best, t),
        }
        for label, predicted in columns.items():
            miss = np.asarray(predicted) - record.friction
            rms = [np.sqrt(np.mean(part**2)) for part in (miss[:tuned], miss[tuned:])]
            print(f"  {label:30} rms {rms[0]:.5f} on the first half, {rms[1]:.5f} on the second")
        print(f"  noise of the steady parts      {fit.steady_noise:.5f}")


if __name__ == "__main__":
    main()

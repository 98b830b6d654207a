"""The paper's own questions: what its networks reconstruct, break, and what small errors cost."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxfric import contact
from jaxfric.networks import CVAE
from jaxfric.studies.metainterface._gan import GAN
from jaxfric.studies.metainterface._methods import apply, generated, ours, retrieval
from jaxfric.studies.metainterface._model import Generator
from jaxfric.studies.metainterface._paper import (
    MATERIAL,
    TOP,
    breaks,
    clamped,
    condition,
    mixture_law,
    parameter_smape,
    samples,
    study_loads,
    unscaled,
)
from jaxfric.studies.metainterface._searches import search_law
from jaxfric.studies.metainterface._targets import Group

TEST_KEY = 77


def reconstruction(network: CVAE, count: int, conditional: bool = True) -> dict[str, float]:
    """Median sMAPE (%) and R² of the parameters that go through the bottleneck."""
    data = jax.jit(samples(count))(jax.random.key(TEST_KEY))
    given = data.condition if conditional else jnp.zeros((count, 0))

    @jax.jit
    def decode(theta: Array, given: Array) -> Array:
        return jax.vmap(lambda t, c: network.decode(network.encode(t, c)[0], c))(theta, given)

    return parameter_scores(decode(data.theta, given), data.theta)


def parameter_scores(guess: Array, theta: Array) -> dict[str, float]:
    """Scores of scaled parameters against the true ones."""
    errors = jax.vmap(parameter_smape)(jax.vmap(unscaled)(guess), jax.vmap(unscaled)(theta))
    rest = jnp.sum((guess - theta) ** 2)
    total = jnp.sum((theta - jnp.mean(theta, 0)) ** 2)
    return {
        "parameter_smape": float(jnp.median(errors)),
        "r2": float(1 - rest / total),
        "broken_percent": 100 * float(jnp.mean(jax.vmap(lambda g: breaks(unscaled(g)))(guess))),
    }


def broken(network: CVAE | GAN, count: int) -> float:
    """Share of raw outputs for prior draws that are no mixture, percent."""
    data = jax.jit(samples(count))(jax.random.key(TEST_KEY))
    decode = network.generate if isinstance(network, GAN) else network.decode

    @jax.jit
    def share(given: Array) -> Array:
        z = jax.random.normal(jax.random.key(1), (count, network.latent))
        return jnp.mean(jax.vmap(lambda z, c: breaks(unscaled(decode(z, c))))(z, given))

    return 100 * float(share(data.condition))


def perturbation(group: Group) -> list[dict[str, float]]:
    """Functional error of 1 to 10 % of noise on the parameters, the same surface drawn."""

    @jax.jit
    def errors(noise: Array) -> Array:
        def one(x: tuple[Array, Array, Array]) -> Array:
            theta, key, wanted = x
            moved = theta * (1 + noise * jax.random.normal(jax.random.fold_in(key, 1), (23,)))
            law = mixture_law(clamped(moved), group.asperities, key, study_loads())
            return contact.smape(law, wanted)

        return jax.lax.map(one, (group.theta, group.keys, group.friction), batch_size=8)

    return [
        {"percent": p, "functional_median": float(jnp.median(errors(jnp.asarray(p / 100))))}
        for p in (1, 2, 3, 5, 10)
    ]


def requests(
    made: Generator, bank: contact.Bank, cvae: CVAE, group: Group, count: int
) -> list[dict[str, Any]]:
    """Noisy and truncated targets and another material: medians of the error against what is asked.

    Noise has no floor of its own here: a design can only be as good as its target is smooth.
    """
    part = jax.tree_util.tree_map(lambda x: x[:count], (group.friction, group.theta, group.keys))
    n, P = group.asperities, np.asarray(study_loads())
    true = part[0]
    noise = jax.random.normal(jax.random.key(5), true.shape)
    decode = {
        "ours, one pass": ours(made, n, 1, 0),
        "ours, 10 LM": ours(made, n, 1, 10),
        "nearest of the bank, 10 LM": retrieval(bank, 1, 10),
        "CVAE, prior": generated(lambda z, c: cvae.decode(z, c), cvae.latent, n, 1),
    }
    cases: dict[str, Array] = {"as it is": true}
    for level in (0.01, 0.03):
        jagged = true * (1 + level * noise)
        # Friction that falls with the load is no target: what was measured is made monotonic
        cases[f"noise of {100 * level:g} %"] = jax.vmap(_rising)(jagged)
    above = P > 0.2 * TOP
    first = int(np.argmax(above))
    start = true[:, first : first + 1]
    power = jnp.asarray((P / P[first]) ** 0.8).astype(true.dtype)
    cases["only loads above a fifth, continued as a power law"] = jnp.where(
        jnp.asarray(above)[None, :], true, start * power[None, :]
    )
    joined = [jnp.concatenate([x] * len(cases)) for x in part[1:]]
    asked = Group(
        group.name, n, jnp.concatenate(list(cases.values())), joined[0], joined[1], group.scale
    )
    rows = []
    for name, method in decode.items():
        found = jax.jit(lambda g, m=method: apply(m, g, jax.random.key(0)))(asked)
        medians = jnp.median(found.error.reshape(len(cases), -1), axis=1)
        rows += [
            {"targets": what, "method": name, "median": float(x)}
            for what, x in zip(cases, medians, strict=True)
        ]
    rows.append(_another_material(made, part[0], n))
    return rows


def _rising(friction: Array) -> Array:
    """The running maximum, with a slope too small to matter."""
    step = 1 + 1e-5 * jnp.arange(friction.shape[0]).astype(friction.dtype)
    return jax.lax.cummax(friction) * step


def _another_material(made: Generator, friction: Array, n: int) -> dict[str, Any]:
    """Ten times the modulus and the loads, a third of the strength: the same design."""
    other = contact.Material(10 * MATERIAL.modulus, MATERIAL.shear_strength / 3, 0.8)
    factor = 0.8 / 3

    def height(material: contact.Material, loads: Array, wanted: Array) -> Array:
        return made(material, loads, wanted, jnp.zeros(made.latent), asperities=n).height

    P = study_loads()
    first = jax.jit(jax.vmap(lambda F: height(MATERIAL, P, F)))(friction)
    second = jax.jit(jax.vmap(lambda F: height(other, 10 * P, factor * F)))(friction)
    change = jnp.max(jnp.abs(first - second)) / jnp.max(jnp.abs(first))
    return {"targets": "10 E*, σ/3, B = 0.8", "method": "ours, one pass",
            "largest_change_of_heights": float(change)}  # fmt: skip


def saved_evaluations(
    cvae: CVAE, group: Group, count: int, generations: int, goal: float = 2.0
) -> dict[str, Any]:
    """Evaluations of CMA-ES to an error, begun at the CVAE's guess and at the middle of the box."""
    n, population = group.asperities, 16
    at = jnp.full(contact.SurfaceMixture.SIZE, 0.5).at[:3].set(jnp.array([0.25, 0.5, 0.75]))
    middle = contact.mixture_at(at).to_unconstrained()  # equal weights
    part = [x[:count] for x in (group.friction, group.keys)]

    def run(start: Array, F: Array, key: Array) -> tuple[Array, Array]:
        found, _ = search_law(
            contact.SurfaceMixture.from_unconstrained, start, F, key=key, asperities=n,
            step_size=0.3, population=population, generations=generations, goal=goal,
        )  # fmt: skip
        return found.evaluations, found.value

    def both(x: tuple[Array, Array]) -> tuple[Array, ...]:
        F, key = x
        z = jax.random.normal(jax.random.fold_in(key, 2), (cvae.latent,))
        guess = clamped(unscaled(cvae.decode(z, condition(F, jnp.asarray(n)))))
        begin = jnp.clip(guess.to_unconstrained(), -10.0, 10.0)
        return (*run(begin, F, key), *run(middle.astype(F.dtype), F, key))

    warm, a, cold, b = jax.jit(lambda x: jax.lax.map(both, x, batch_size=8))(tuple(part))
    return {
        "goal_percent": goal,
        "from_cvae": {"evaluations_median": float(jnp.median(warm)),
                      "reached_percent": 100 * float(jnp.mean(a <= goal))},
        "from_the_middle": {"evaluations_median": float(jnp.median(cold)),
                            "reached_percent": 100 * float(jnp.mean(b <= goal))},
    }  # fmt: skip

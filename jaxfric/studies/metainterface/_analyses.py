"""The paper's own questions: what its networks reconstruct, break, and what small errors cost."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxfric import contact
from jaxfric.networks import CVAE
from jaxfric.studies.metainterface._answers import apply, generated, ours, retrieval
from jaxfric.studies.metainterface._gan import GAN
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

TEST_KEY = 77  # of samples for scores: no training draws with it
ENOUGH = 2.0  # percent: an error at which a search has found the law

AnalysisRow = dict[str, str | float | int]


def reconstruction(network: CVAE, count: int, conditional: bool = True) -> dict[str, float]:
    """Median sMAPE (%) and R² of the parameters that go through the bottleneck.

    Arguments:
        network: encodes the parameters and decodes them again, with the mean of z.
        count: samples.
        conditional: whether it is given the law too.
    """
    data = jax.jit(samples(count))(jax.random.key(TEST_KEY))
    given = data.condition if conditional else jnp.zeros((count, 0))

    @jax.jit
    def decode(
        theta: Float[Array, "samples 23"], given: Float[Array, "samples condition"]
    ) -> Float[Array, "samples 23"]:
        return jax.vmap(lambda t, c: network.decode(network.encode(t, c)[0], c))(theta, given)

    return parameter_scores(decode(data.theta, given), data.theta)


def parameter_scores(
    guess: Float[Array, "samples 23"], theta: Float[Array, "samples 23"]
) -> dict[str, float]:
    """Scores of scaled parameters against the true ones."""
    # sMAPE as the paper has it, of parameters in metres and their squares; R² over the scaled ones,
    # as in metres the weights, of order one, would be all of it
    errors = jax.vmap(parameter_smape)(jax.vmap(unscaled)(guess), jax.vmap(unscaled)(theta))
    rest = jnp.sum((guess - theta) ** 2)
    total = jnp.sum((theta - jnp.mean(theta, 0)) ** 2)
    return {
        "parameter_smape": float(jnp.median(errors)),
        "r2": float(1 - rest / total),
        "broken_percent": 100 * float(jnp.mean(jax.vmap(lambda g: breaks(unscaled(g)))(guess))),
    }


def broken(network: CVAE | GAN, count: int) -> float:
    """Share of raw outputs that are no mixture, percent, with z from N(0, 1)."""
    data = jax.jit(samples(count))(jax.random.key(TEST_KEY))
    decode = network.generate if isinstance(network, GAN) else network.decode

    @jax.jit
    def share(given: Float[Array, "samples condition"]) -> Float[Array, ""]:
        z = jax.random.normal(jax.random.key(1), (count, network.latent))
        return jnp.mean(jax.vmap(lambda z, c: breaks(unscaled(decode(z, c))))(z, given))

    return 100 * float(share(data.condition))


def perturbation(group: Group) -> list[AnalysisRow]:
    """Error of the law (percent) for 1 to 10 % of noise on the parameters of its mixture.

    The same surface is drawn, with its own key: what the noise alone costs, without a redraw.
    """

    @jax.jit
    def errors(noise: Float[Array, ""]) -> Float[Array, " targets"]:
        def error(
            member: tuple[Float[Array, "23"], Key[Array, ""], Float[Array, " loads"]],
        ) -> Float[Array, ""]:
            theta, key, wanted = member
            # Another key than that of the surface, or the noise would go with its heights
            moved = theta * (1 + noise * jax.random.normal(jax.random.fold_in(key, 1), (23,)))
            law = mixture_law(clamped(moved), group.asperities, key, study_loads())
            return contact.smape(law, wanted)

        return jax.lax.map(error, (group.theta, group.keys, group.friction), batch_size=8)

    return [
        {"percent": p, "functional_median": float(jnp.median(errors(jnp.asarray(p / 100))))}
        for p in (1, 2, 3, 5, 10)
    ]


def requests(
    generator: Generator, bank: contact.Bank, cvae: CVAE, group: Group, count: int
) -> list[AnalysisRow]:
    """Noisy and truncated targets and another material: medians of the error against what is asked.

    Noise has no floor of its own here: a design can only be as good as its target is smooth.

    Arguments:
        generator: ours.
        bank: for the nearest of its laws.
        cvae: the paper's network.
        group: random laws.
        count: how many of them.
    """
    first, n = group.first(count), group.asperities
    methods = {
        "ours, one pass": ours(generator, n, 1, 0),
        "ours, 10 LM": ours(generator, n, 1, 10),
        "nearest of the bank, 10 LM": retrieval(bank, 1, 10),
        "CVAE, prior": generated(lambda z, c: cvae.decode(z, c), cvae.latent, n, 1),
    }
    cases = _altered(first.friction)
    # All cases as one group: one compilation for each method
    keys, theta = (jnp.concatenate([x] * len(cases)) for x in (first.keys, first.theta))
    asked = Group(
        name=group.name,
        asperities=n,
        friction=jnp.concatenate(list(cases.values())),
        theta=theta,
        keys=keys,
        scale=group.scale,
    )
    rows: list[AnalysisRow] = []
    for name, method in methods.items():
        found = jax.jit(lambda g, m=method: apply(m, g, jax.random.key(0)))(asked)
        medians = jnp.median(found.error.reshape(len(cases), -1), axis=1)
        rows += [
            {"targets": what, "method": name, "median": float(x)}
            for what, x in zip(cases, medians, strict=True)
        ]
    rows.append(_another_material(generator, first.friction, n))
    return rows


def _altered(
    friction: Float[Array, "targets loads"],
) -> dict[str, Float[Array, "targets loads"]]:
    """Laws as they are, and as measurement might give them: noisy, or without small loads."""
    P = np.asarray(study_loads())
    noise = jax.random.normal(jax.random.key(5), friction.shape)
    cases = {"as it is": friction}
    for level in (0.01, 0.03):
        jagged = friction * (1 + level * noise)
        # Friction that falls with the load is no target: what was measured is made monotonic
        cases[f"noise of {100 * level:g} %"] = jax.vmap(_rising)(jagged)
    above = P > 0.2 * TOP
    i = int(np.argmax(above))
    start = friction[:, i : i + 1]
    # Whoever has no small loads continues the law by a guess: 0.8 is typical of random surfaces
    power = jnp.asarray((P / P[i]) ** 0.8).astype(friction.dtype)
    cases["only loads above a fifth, continued as a power law"] = jnp.where(
        jnp.asarray(above)[None, :], friction, start * power[None, :]
    )
    return cases


def _rising(friction: Float[Array, " loads"]) -> Float[Array, " loads"]:
    """The running maximum, with a slope too small to matter."""
    step = 1 + 1e-5 * jnp.arange(friction.shape[0]).astype(friction.dtype)
    return jax.lax.cummax(friction) * step


def _another_material(
    generator: Generator, friction: Float[Array, "targets loads"], n: int
) -> AnalysisRow:
    """Ten times the modulus and the loads, a third of the strength: the same design."""
    # p = P/E* and a = F/(πσB) are then what they were, and the request without units with them
    other = contact.Material(10 * MATERIAL.modulus, MATERIAL.shear_strength / 3, 0.8)
    factor = 0.8 / 3

    def height(
        material: contact.Material, loads: Float[Array, " loads"], wanted: Float[Array, " loads"]
    ) -> Float[Array, " n"]:
        z = jnp.zeros(generator.latent)
        return generator(material, loads, wanted, z, asperities=n).height

    P = study_loads()
    first = jax.jit(jax.vmap(lambda F: height(MATERIAL, P, F)))(friction)
    second = jax.jit(jax.vmap(lambda F: height(other, 10 * P, factor * F)))(friction)
    change = jnp.max(jnp.abs(first - second)) / jnp.max(jnp.abs(first))
    return {"targets": "10 E*, σ/3, B = 0.8", "method": "ours, one pass",
            "largest_change_of_heights": float(change)}  # fmt: skip


def saved_evaluations(
    cvae: CVAE, group: Group, count: int, generations: int, goal: float = ENOUGH
) -> dict[str, object]:
    """Evaluations of CMA-ES to an error, begun at the CVAE's guess and at the middle of the box.

    Arguments:
        cvae: the paper's network.
        group: random laws.
        count: how many of them.
        generations: the budget of a search.
        goal: error at which it ends, percent.
    """
    n, population = group.asperities, 16
    # The middle of all ranges. Weights are the spacings of three sorted numbers: quarters make them
    # equal, where three halves would make two of them vanish
    at = jnp.full(contact.SurfaceMixture.SIZE, 0.5).at[:3].set(jnp.array([0.25, 0.5, 0.75]))
    # Both begin in the same variables, in which any numbers are a mixture: nothing has to be
    # clamped
    middle = contact.mixture_at(at).to_unconstrained()
    part = (group.friction[:count], group.keys[:count])

    def run(
        start: Float[Array, "23"], F: Float[Array, " loads"], key: Key[Array, ""]
    ) -> tuple[Array, Array]:
        found, _ = search_law(
            contact.SurfaceMixture.from_unconstrained, start, F, key=key, asperities=n,
            step_size=0.3, population=population, generations=generations, goal=goal,
        )  # fmt: skip
        return found.evaluations, found.value

    def both(member: tuple[Float[Array, " loads"], Key[Array, ""]]) -> tuple[Array, ...]:
        F, key = member
        z = jax.random.normal(jax.random.fold_in(key, 2), (cvae.latent,))
        guess = clamped(unscaled(cvae.decode(z, condition(F, jnp.asarray(n)))))
        # A weight of zero, as a clamp leaves it, is −∞ there
        begin = jnp.clip(guess.to_unconstrained(), -10.0, 10.0)
        return (*run(begin, F, key), *run(middle.astype(F.dtype), F, key))

    warm, a, cold, b = jax.jit(lambda x: jax.lax.map(both, x, batch_size=8))(part)
    return {
        "goal_percent": goal,
        "from_cvae": {"evaluations_median": float(jnp.median(warm)),
                      "reached_percent": 100 * float(jnp.mean(a <= goal))},
        "from_the_middle": {"evaluations_median": float(jnp.median(cold)),
                            "reached_percent": 100 * float(jnp.mean(b <= goal))},
    }  # fmt: skip

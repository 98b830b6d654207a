"""Checks of a law's parameters, where they are concrete."""

from jaxfric import _checks
from jaxfric.ratestate._evolution import AbstractEvolution
from jaxfric.ratestate._parameters import (
    Coefficient,
    OneParameter,
    Parameter,
    as_tuple,
    check_parameter,
)


def check_law(
    *, mu0: object, a: OneParameter, b: Parameter, Dc: Parameter, V0: object, evolution: object,
    alpha: Coefficient,
) -> None:  # fmt: skip
    """Raise for a parameter out of range, or numbers of states that differ."""
    _checks.finite("mu0", mu0)
    _checks.positive("V0", V0)
    check_parameter("a", a, _checks.finite)
    # The numbers of states first: what follows pairs the entries
    _check_states(b, Dc, evolution, alpha)
    for one_b in as_tuple(b):
        check_parameter("b", one_b, _checks.finite)
    for one_Dc in as_tuple(Dc):
        check_parameter("Dc", one_Dc, _checks.positive)
    for one_alpha in as_tuple(alpha):
        _checks.finite("alpha", one_alpha)
    evolutions = evolution if isinstance(evolution, tuple) else (evolution,)
    for one in evolutions:
        if not isinstance(one, AbstractEvolution):
            raise ValueError(
                "evolution must be an instance of Aging, Slip, PRZ, Nagata, Composite or a "
                f"class of your own under AbstractEvolution; got {one!r}"
            )
    for one, one_b in zip(evolutions, as_tuple(b), strict=True):
        # θ' = g − (c/b) θ μ': where b depends on V, that is no longer what the law says
        if isinstance(one, AbstractEvolution) and one.coupled and callable(one_b):
            raise ValueError(
                f"{type(one).__name__} divides by b: give b as a number, not a function of V"
            )


def _check_states(b: Parameter, Dc: Parameter, evolution: object, alpha: Coefficient) -> None:
    """Raise unless b, Dc, evolution and alpha are all single or tuples of one length."""
    several = {"b": b, "Dc": Dc, "evolution": evolution}
    counts = {k: len(v) if isinstance(v, tuple) else None for k, v in several.items()}
    if isinstance(alpha, tuple):
        counts["alpha"] = len(alpha)
    elif counts["b"] is not None and counts["Dc"] is not None:
        raise ValueError("alpha needs one value per state: give a tuple as long as b")
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError(
            "b, Dc and evolution must all be single or tuples of one length (one entry a "
            f"state); got {', '.join(f'{k}: {v or 1}' for k, v in counts.items())}"
        )

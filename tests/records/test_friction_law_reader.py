"""Measured friction laws: files as machines write them, and what is made of their rows."""

import pathlib
import re
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import isotonic_regression

from jaxfric import contact, records

# The numbers that the files below are made of, N
LOADS = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
FRICTION = np.array([0.19, 0.33, 0.58, 1.02, 1.79])


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, encoding="utf-8", **options):
        path = tmp_path / "law.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return records.read_friction_law(path, **options)

    return write_and_read


def rows(*columns, sep=",", form="{:.6g}", end=""):
    """Rows of numbers as text."""
    return "".join(
        sep.join(form.format(float(x)) for x in row) + end + "\n"
        for row in zip(*columns, strict=True)
    )


def commas(*columns, sep=";", form="{:.4f}"):
    return rows(*columns, sep=sep, form=form).replace(".", ",")


MU = FRICTION / LOADS
TIME = np.arange(5.0)

# Each is read as LOADS and FRICTION: text, encoding, options, what the notes must state
READ = {
    "units in brackets": ("Fn (N),Ft (N)\n" + rows(LOADS, FRICTION), "utf-8", {}, []),
    "symbols": (
        "F_N,F_T\n" + rows(LOADS, FRICTION), "utf-8", {},
        ["beside 'F_N': N assumed", "beside 'F_T': N assumed"],
    ),
    "symbols with units": ("P_N,F_mN\n" + rows(LOADS, 1e3 * FRICTION), "utf-8", {}, []),
    "P and F in N": ("P_N,F_N\n" + rows(LOADS, FRICTION), "utf-8", {}, []),
    "German, decimal commas": (
        "Normalkraft / N;Reibkraft / mN\n" + commas(LOADS, 1e3 * FRICTION), "utf-8", {},
        ["Commas were read as decimal signs"],
    ),
    "Excel": (
        "sep=;\r\nNormal force [mN];Friction force [mN];\r\n"
        + rows(1e3 * LOADS, 1e3 * FRICTION, sep=";", end=";").replace("\n", "\r\n"),
        "utf-8-sig", {}, [],
    ),
    "one unit for two": (
        "Normal force [mN];Reibkraft\n" + rows(1e3 * LOADS, 1e3 * FRICTION, sep=";"), "utf-8", {},
        ["beside 'Reibkraft': mN assumed, as of the load"],
    ),
    "tabs, UTF-16": ("load\tfriction force\n" + commas(LOADS, FRICTION, sep="\t"), "utf-16", {},
                     ["Commas were read", "beside 'load': N assumed",
                      "beside 'friction force': N assumed"]),
    "micro sign in Latin-1": ("load (µN),friction (kN)\n" + rows(1e6 * LOADS, 1e-3 * FRICTION),
                              "latin-1", {}, []),
    "coefficient": ("Load (N),COF\n" + rows(LOADS, MU, form="{:.12g}"), "utf-8", {},
                    ["coefficient is 'COF', times the load"]),
    "coefficient by its unit": (
        "Load (N),friction (-)\n" + rows(LOADS, MU, form="{:.12g}"), "utf-8", {},
        ["coefficient is 'friction (-)', times the load"],
    ),
    "coefficient mapped": (
        "Load (N),friction\n" + rows(LOADS, MU, form="{:.12g}"), "utf-8",
        {"columns": {"coefficient": "friction"}}, [],
    ),
    "force before coefficient": (
        "Fz (N),µ,Fx (N)\n" + rows(LOADS, 9 * MU, FRICTION), "utf-8", {}, ["not used: 'µ'"],
    ),
    "row of units": ("Time;Load;Friction\ns;N;mN\n" + rows(TIME, LOADS, 1e3 * FRICTION, sep=";"),
                     "utf-8", {}, ["not used: 'Time'"]),
    "numpy.savetxt": ("# load friction\n# N mN\n" + rows(LOADS, 1e3 * FRICTION, sep=" "),
                      "utf-8", {}, []),
    "Matlab, no names": ("% run 12\n" + rows(LOADS, FRICTION, sep="   ", form="{:.7e}"),
                         "utf-8", {}, ["the first is assumed to be the load", "N assumed"]),
    "no names, by index": (
        rows(TIME, FRICTION, LOADS, sep="\t"), "utf-8",
        {"columns": {"load": 2, "friction": 1}, "units": {"load": "N", "friction": "N"}}, [],
    ),
    "no names, spaces, commas": (commas(LOADS, FRICTION, sep=" "), "utf-8", {},
                                 ["Commas were read as decimal signs",
                                  "the first is assumed to be the load",
                                  "beside 'column 0': N assumed", "beside 'column 1': N assumed"]),
    "index and text": (
        ",sample,load (N),friction (N)\n"
        + "".join(f"{i},disc {i},{a},{b}\n" for i, (a, b) in enumerate(zip(LOADS, FRICTION,
                                                                           strict=True))),
        "utf-8", {}, ["not used: 'sample'"],
    ),
    "above the names": (
        "Tribometer 3\nOperator: M. Muster\nLoad (N),Friction (N)\n" + rows(LOADS, FRICTION),
        "utf-8", {}, ["Left out lines 1 to 2, above the names"],
    ),
    "weights": ("load (g),friction (N)\n" + rows(LOADS / 9.80665e-3, FRICTION, form="{:.12g}"),
                "utf-8", {}, ["taken as a weight, at 9.80665 m/s²"]),
    "units by option": (
        "Fz,Fx\n" + rows(1e3 * LOADS, 1e3 * FRICTION), "utf-8",
        {"units": {"load": "mN", "friction": "mN"}}, [],
    ),
    "unsorted, negative": (
        "P (N),F (N)\n" + rows(-LOADS[::-1], -FRICTION[::-1]), "utf-8", {},
        ["sign of the load was changed", "sign of the friction was changed"],
    ),
    "gaps": (
        "load (N);friction (N)\n" + rows(LOADS, FRICTION, sep=";") + "9;NaN\n10;\n11;#N/A\n;3\n",
        "utf-8", {}, ["Left out 4 rows without a finite number (line 7; line 8; line 9; line 10)"],
    ),
    "zero load": (
        "load (N),friction (N)\n0,0.0895\n-0.1,0.05\n" + rows(LOADS, FRICTION), "utf-8", {},
        ["1 row at zero load, with a friction of 0.0895 N (5 % of the largest)",
         "1 row of negative load (down to -0.1 N)"],
    ),
    "offset taken off": (
        "load (N),friction (N)\n0,0.05\n0,0.15\n" + rows(LOADS, FRICTION + 0.1), "utf-8",
        {"offset": "subtract"}, ["Friction at zero load, 0.1 N, was taken off all rows"],
    ),
    "repeats": (
        "load (N),friction (N)\n" + rows(LOADS, FRICTION - 0.01) + rows(LOADS, FRICTION + 0.01),
        "utf-8", {}, ["10 rows stand at 5 loads: 5 with 2 rows each"],
    ),
    "remarks": ("load (N), friction (N) \n" + rows(LOADS, FRICTION, end=" # slid"), "utf-8", {},
                []),
    "typography": (
        "load (N);friction (N)\n" + rows(LOADS, -FRICTION, sep=";").replace("-", "−"), "utf-8", {},
        ["sign of the friction was changed"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_a_file_gives_the_numbers_that_it_was_made_of(read, case):
    content, encoding, options, stated = READ[case]
    law = read(content, encoding, **options)
    np.testing.assert_allclose(law.load, LOADS, rtol=1e-9)
    np.testing.assert_allclose(law.friction, FRICTION, rtol=1e-9)
    np.testing.assert_array_equal(law.friction, law.measured)
    for sentence in stated:
        assert sentence in str(law)
    # Nothing else is said to have been assumed, left out or changed
    for note in law.notes[1:]:
        assert any(sentence in note for sentence in stated), note


@settings(max_examples=60)
@given(
    order=st.permutations(range(5)),
    units=st.tuples(*[st.sampled_from([("N", 1), ("mN", 1e3), ("µN", 1e6), ("kN", 1e-3)])] * 2),
    names=st.sampled_from(
        [("Load", "Friction force"), ("F_N", "F_T"), ("Normalkraft", "Reibkraft")]
    ),
    style=st.sampled_from(["{} ({})", "{} [{}]", "{}_{}", "{} / {}", "{}, {}"]),
    sep=st.sampled_from([";", "\t"]), comma=st.booleans(), swapped=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_any_style_gives_the_same_law(
    order, units, names, style, sep, comma, swapped, encoding, end
):
    titles = [style.format(name, unit) for name, (unit, _) in zip(names, units, strict=True)]
    columns = [x[list(order)] * k for x, (_, k) in zip((LOADS, FRICTION), units, strict=True)]
    if swapped:
        titles, columns = titles[::-1], columns[::-1]
    body = rows(*columns, sep=sep, form="{:.12f}")
    text = sep.join(titles) + "\n" + (body.replace(".", ",") if comma else body)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "law.txt")
        path.write_bytes(text.replace("\n", end).encode(encoding))
        law = records.read_friction_law(path)
    np.testing.assert_allclose(law.load, LOADS, rtol=1e-9)
    np.testing.assert_allclose(law.friction, FRICTION, rtol=1e-9)
    assert len(law.notes) == 1 + comma


REFUSED = {
    "no columns": ("a (N),b (N)\n1,1\n2,2\n3,3\n", {},
        "no column of load. Line 1 names 'a (N)', 'b (N)'. Name it in the file, as in 'load (N)', "
        'or say which it is with columns={"load": name or index}'),
    "three without names": ("1 2 3\n2 3 4\n3 4 5\n", {},
        "no column of load. The file has 3 columns and no line of names above the numbers. Name it "
        "in the file, as in 'load (N)', or say which it is with "
        'columns={"load": name or index}'),
    "two loads": ("load (N),load (mN),friction (N)\n1,1,1\n2,2,2\n3,3,3\n", {},
        "2 columns could be the load: 'load (N)', 'load (mN)'. Name one with "
        'columns={"load": name or index}'),
    "two frictions": ("P,static friction (N),kinetic friction (N)\n1,1,1\n2,2,2\n3,3,3\n", {},
        "2 columns could be the friction: 'static friction (N)', 'kinetic friction (N)'. Name one "
        'with columns={"friction": name or index}'),
    "mega or milli": ("load (MN),friction (N)\n1,1\n2,2\n3,3\n", {},
        "'MN' (column 'load (MN)') is not a known unit of force: pass "
        'units={"load": unit} with one of N, kN, mN, uN, nN, gf, kgf'),
    "assumed unit": ("load,friction (mN)\n0.1,30\n0.2,60\n0.3,90\n", {},
        "friction is 300 times the load if the units that the file does not state are as assumed; "
        'state them with units={"load": unit, "friction": unit}'),
    "force or coefficient": ("load (N),friction\n1,0.3\n2,0.31\n4,0.3\n", {},
        "'friction' hardly grows with the load and states no unit, so it may be a coefficient or a "
        'force: say which with columns={"coefficient": name or index} or '
        'units={"friction": unit}'),
    "coefficient as force": ("load (N),COF\n1,1\n2,2\n3,3\n", {"columns": {"friction": "COF"}},
        "columns= maps the coefficient 'COF' to friction, which is a force: map it to coefficient, "
        'which is multiplied by the load; or pass units={"friction": "N"} if it is a force'),
    "both mapped": ("P,F,mu\n1,1,1\n2,2,2\n3,3,3\n", {"columns": {"friction": 1, "coefficient": 2}},
        "columns= maps both friction and coefficient; map the one that friction is to be taken "
        "from"),
    "thousands": ("load (N);friction (N)\n1.000,5;0,3\n2.000,5;0,6\n3.000,1;0,9\n", {},
        "line 2 holds '1.000,5', with a thousands separator; write numbers without one, as in "
        "1234.5"),
    "quoted thousands": ('load (N),friction (N)\n"1,000.5",3\n"2,000.5",6\n"3,000.5",9\n', {},
        "line 2 holds '1,000.5', with a thousands separator; write numbers without one, as in "
        "1234.5"),
    "thousands that split": ("load (N),friction (N)\n500,3\n800,6\n900,7\n1,000,9\n", {},
        "line 5 has 3 values, but most rows have 2: ['1', '000', '9']. Write cells without "
        "separators of their own"),
    "comma of two readings": ("load (N);friction (N)\n1,000;3,000\n2,000;6,000\n3,000;9,000\n", {},
        "line 2 holds '1,000', whose comma may be a decimal sign or separate thousands; write "
        "decimal points and no thousands separators"),
    "text": ("load (N),friction (N)\n1,1\n2,x\n3,3\n", {},
        "line 3 holds 'x', not a number; mend or drop it"),
    "mostly empty": ("load (N);friction (N)\n1;1\n2;\n3;\n4;NaN\n", {},
        "3 of 4 rows lack a number (line 3; line 4; line 5); correct them, or name other "
        "columns with columns="),
    "one row": ("load (N),friction (N)\n1,1\n", {},
        "1 row of numbers is no law; give at least 3 different loads"),
    "one load": ("load (N),friction (N)\n2,1\n2,2\n2,3\n", {},
        "1 load above zero is no law; give at least 3 different loads"),
    "units only": ("load,friction\nN,mN\n", {}, "a row of units and no rows of numbers below it"),
    "names only": ("load (N),friction (N)\n", {},
        "one line of text and no rows of numbers below it"),
    "empty": ("", {}, "the file is empty; it needs a line of column names and "
        "rows of numbers"),
    "both directions": ("P (N),F (N)\n1,0.3\n1,-0.3\n2,0.6\n2,-0.6\n", {},
        "friction has both signs, -0.6 to 0.6 N, as in sliding back and forth: keep one "
        "direction, or give half the difference of the two at each load"),
    "loads of both signs": ("P (N),F (N)\n-3,0.3\n-2,0.4\n2,0.6\n3,0.7\n", {},
        "load has both signs, -3 to 3 N, which does not tell compression: keep the rows of one "
        "sign"),
    "falls": ("P (N),F (N)\n1,4\n2,3\n3,2\n4,1\n", {},
        "friction does not rise with the load, as more load can only add contact area (the "
        "nearest law that never falls explains 0 % of its variance). Check which columns are load "
        "and friction, or cut the file to the loads where friction rises"),
    "no zero load": ("P (N),F (N)\n1,1\n2,2\n3,3\n", {"offset": "subtract"},
        'offset="subtract" needs a row at zero load; the smallest load is 1 N. Add that row, or '
        'leave the offset in with offset="keep"'),
    "zero deviation": ("P (N),F (N),std\n1,1,0.1\n2,2,0\n3,3,0.1\n", {},
        "line 3 has a standard deviation of 0; it must be positive. Correct it, or leave the "
        'column out with columns={"deviation": None}'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(read, case):
    content, options, sentence = REFUSED[case]
    with pytest.raises(ValueError, match=f"^law.csv: {re.escape(sentence)}$"):
        read(content, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"columns": {"weight": 0}}, "columns= has the key 'weight'"),
        ({"units": {"coefficient": "N"}}, "units= has the key 'coefficient'"),
        ({"columns": {"load": "Fz"}}, "is not a column"),
        ({"columns": {"load": 0, "friction": 0}}, "maps one column to two quantities"),
        ({"columns": {"load": None}}, "no column of load"),
        ({"units": {"load": "Pa"}}, "'Pa' .* is not a known unit of force"),
        ({"offset": "drop"}, "offset= must be one of keep, subtract; got 'drop'"),
        ({"same_load": 1.0}, "same_load= must be a fraction"),
        ({"skip_rows": -1}, "skip_rows=-1"),
    ],
)
def test_bad_options(read, options, says):
    with pytest.raises(ValueError, match=says):
        read("load (N),friction (N)\n" + rows(LOADS, FRICTION), **options)
    with pytest.raises(FileNotFoundError, match="check the name"):
        records.read_friction_law("no-such-file.csv")


# Deviations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "columns", "expected"),
    [
        ("load (N),friction (N),std (mN)", (LOADS, FRICTION, np.full(5, 20.0)), np.full(5, 0.02)),
        ("load (N),friction (mN),±", (LOADS, 1e3 * FRICTION, TIME + 1), 1e-3 * (TIME + 1)),
        ("load (N),friction (N),sd (%)", (LOADS, FRICTION, TIME + 1), (TIME + 1) / 100 * FRICTION),
        ("load (kN),mu,uncertainty", (1e-3 * LOADS, MU, 0.01 * MU), 0.01 * FRICTION),
        ("P (N),F (N),mu_std,F_std (N)", (LOADS, FRICTION, MU, 0.1 * MU), 0.1 * MU),
    ],
)
def test_a_column_of_deviations(read, names, columns, expected):
    law = read(names + "\n" + rows(*columns, form="{:.12g}"))
    np.testing.assert_allclose(law.friction, FRICTION, rtol=1e-9)
    np.testing.assert_allclose(law.deviation, expected, rtol=1e-9)


def test_a_column_of_deviations_may_be_left_out(read):
    text = "load (N),friction (N),std\n" + rows(LOADS, FRICTION, TIME)
    assert read(text, columns={"deviation": None}).deviation is None


def test_repeats_give_mean_and_deviation():
    """Against the definitions, and for a single row the relative spread of the others."""
    law = records.measured_law([1, 1, 1, 2, 4, 4], [0.29, 0.3, 0.34, 0.6, 1.1, 1.3])
    three, two = np.array([0.29, 0.3, 0.34]), np.array([1.1, 1.3])
    np.testing.assert_allclose(law.friction, [three.mean(), 0.6, two.mean()], rtol=1e-12)
    np.testing.assert_array_equal(law.count, [3, 1, 2])
    squares = 2 * (three.std(ddof=1) / three.mean()) ** 2 + (two.std(ddof=1) / two.mean()) ** 2
    expected = [three.std(ddof=1), np.sqrt(squares / 3) * 0.6, two.std(ddof=1)]
    np.testing.assert_allclose(law.deviation, expected, rtol=1e-12)
    # Rows with deviations of their own: the mean with least variance, which is 1/Σ s⁻²
    law = records.measured_law([1, 1, 2, 3], [0.3, 0.36, 0.6, 0.9], [0.01, 0.02, 0.02, 0.02])
    np.testing.assert_allclose(law.friction[0], (0.3 / 1e-4 + 0.36 / 4e-4) / 12500, rtol=1e-12)
    np.testing.assert_allclose(law.deviation[0] / np.sqrt(2), 12500**-0.5, rtol=1e-12)


def test_loads_that_are_nearly_one():
    """Set to 1, 2 and 4 N, and measured."""
    loads, friction = [0.99, 1.0, 1.01, 2.0, 2.02, 4.0], [0.3, 0.31, 0.32, 0.6, 0.6, 1.1]
    assert records.measured_law(loads, friction).load.size == 6
    law = records.measured_law(loads, friction, same_load=0.03)
    np.testing.assert_allclose(law.load, [1.0, 2.01, 4.0], rtol=1e-12)
    np.testing.assert_allclose(law.friction, [0.31, 0.6, 1.1], rtol=1e-12)
    ramp = np.linspace(0.01, 10.0, 20_000)
    law = records.measured_law(ramp, 0.3 * ramp, same_load=0.05)
    assert law.load.size == 133 and law.count.sum() == 20_000
    np.testing.assert_allclose(law.friction, 0.3 * law.load, rtol=1e-9)


# Noise -------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.data(), st.integers(3, 40), st.floats(0.0, 0.05), st.booleans())
def test_noise_is_moved_to_the_nearest_law_that_never_falls(data, size, noise, weighted):
    """Against SciPy's isotonic regression, whatever the order of the rows."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    load = np.cumsum(random.uniform(0.1, 1.0, size))
    friction = 0.3 * load + noise * load[-1] * random.normal(size=size)
    deviation = random.uniform(0.01, 0.1, size) if weighted else None
    weights = None if deviation is None else deviation**-2
    expected = isotonic_regression(friction, weights=weights).x
    order = random.permutation(size)
    given_deviation = None if deviation is None else deviation[order]
    try:
        law = records.measured_law(load[order], friction[order], given_deviation)
    except ValueError as error:
        assert re.search("does not rise|above zero|both signs", str(error))
        return
    keep = np.isin(load, law.load)
    np.testing.assert_allclose(law.friction, expected[keep], rtol=1e-9, atol=1e-12)
    assert (expected[~keep] <= 0).all() and (law.friction > 0).all()
    assert (np.diff(law.friction) >= 0).all() and (np.diff(law.load) > 0).all()
    # What is said of it is what was done
    moved = np.abs(expected - friction) > 1e-12 * np.abs(friction).max()
    said = re.search(r"(\d+) of (\d+) loads were moved", str(law))
    assert (said is None) == (not moved.any())
    if said:
        assert [int(x) for x in said.groups()] == [moved.sum(), size]
    # A law that rises is left as it is
    again = records.measured_law(law.load, law.friction)
    np.testing.assert_array_equal(again.friction, law.friction)
    assert again.notes == ()


def test_a_noisy_file_comes_near_the_law_that_it_was_made_from(read):
    """F = 0.4 P^0.9 with 5 % noise, three rows at each of 30 loads; the fit is nearer than them."""
    random = np.random.default_rng(4)
    load = np.repeat(np.linspace(0.1, 3.0, 30), 3)
    truth = 0.4 * load**0.9
    noisy = truth * (1 + 0.05 * random.normal(size=90))
    law = read("load (N),friction (N)\n" + rows(load, noisy, form="{:.12g}"))
    error = np.sqrt(np.mean((law.friction / truth[::3] - 1) ** 2))
    assert error < np.sqrt(np.mean((law.measured / truth[::3] - 1) ** 2)) < 0.05 / np.sqrt(3) * 1.3
    np.testing.assert_allclose(
        np.sqrt(np.mean((law.deviation / law.friction) ** 2)), 0.05, rtol=0.2
    )
    assert "isotonic regression, weighted by the rows at each load" in str(law)


# A law as a target -------------------------------------------------------------------------------


def test_a_measured_law_is_a_target():
    """Plateaus are let pass; friction without load is not, nor a fall, and the remedy is named."""
    law = records.measured_law([0, 1, 2, 3, 4, 5], [0.1, 0.3, 0.7, 0.6, 1.1, 1.6])
    assert (np.diff(law.friction) == 0).any()
    loads, target = contact.check_target(jnp.asarray(law.load), jnp.asarray(law.friction))
    np.testing.assert_allclose(target, law.friction, rtol=1e-6)
    with pytest.raises(
        ValueError, match="after 2 N, where it falls from 0.7 to 0.6 N.*measured_law"
    ):
        contact.check_target(law.load, law.measured)
    with pytest.raises(ValueError, match="friction of 0.1 N at zero load, where no sum of Hertz"):
        contact.check_target(np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.3, 0.6]))
    with pytest.raises(ValueError, match="1 N stands twice.*averages repeats"):
        contact.check_target(np.array([1.0, 1.0, 2.0]), np.array([0.1, 0.3, 0.6]))


def test_a_law_is_a_pytree():
    """It passes through jit and stacks under vmap, and prints what it then is."""
    law = records.measured_law(LOADS, FRICTION, name="disc")
    printed = []

    @jax.jit
    def largest(law):
        printed.append(str(law))
        return law.friction.max()

    np.testing.assert_allclose(largest(law), FRICTION.max(), rtol=1e-6)
    both = jax.tree_util.tree_map(lambda x: np.stack([x, x]), law)
    assert [*printed, str(both)] == ["FrictionLaw 'disc' (traced)", "FrictionLaw 'disc' (batched)"]


def test_arrays_that_are_no_columns():
    with pytest.raises(ValueError, match="one length; got load 3, friction 2"):
        records.measured_law([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="0 rows of numbers are no law"):
        records.measured_law(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="real numbers"):
        records.measured_law(["1", "2", "3"], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="2 of 3 rows lack a number .row 1; row 2.; correct them$"):
        records.measured_law([1.0, 2.0, 3.0], [1.0, np.nan, np.nan])
    with pytest.raises(ValueError, match="row 1 has a standard deviation of -1; .* deviation out$"):
        records.measured_law([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, -1.0, 1.0])
    extreme = records.measured_law([1, 1, 2, 3], [1, 1, 2, 3], [1e-200, 1.0, 1e200, 1.0])
    assert np.isfinite(extreme.deviation).all() and np.isfinite(extreme.friction).all()
    law = records.measured_law([1.0, 2.0, np.inf, 3.0], [1.0, 2.0, 3.0, 3.0])
    assert law.notes == ("Left out 1 row without a finite number (row 2).",)
    with pytest.raises(ValueError, match="read-only"):
        law.load[0] = 2.0

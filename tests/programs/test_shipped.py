"""The traced programs that come with the package: of the code as it is, and right."""

import json
import pickle
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxfric import inversion, programs, ratestate as rs, records
from jaxfric.programs._sources import digest
from jaxfric.programs._store import Note

NOTES = sorted(programs.SHIPPED.glob("*.json"))
REMEDY = "the code has changed since the programs were made: run `make programs`"


def test_programs_are_shipped():
    assert NOTES
    assert {p.stem for p in NOTES} == {p.stem for p in programs.SHIPPED.glob("*.program")}


def test_the_programs_of_a_first_run_are_shipped():
    """The bank is made by the first design on a machine only."""
    names = {json.loads(path.read_text())["name"] for path in NOTES}
    assert "jaxfric.contact._bank._laws" in names


@pytest.mark.parametrize("path", NOTES, ids=lambda p: p.stem)
def test_shipped_programs_are_of_this_code(path):
    note = Note(**json.loads(path.read_text()))
    assert note.jax
    assert note.sources == digest(note.name.rsplit(".", 1)[0]), f"{note.name}: {REMEDY}"


@pytest.fixture
def keeper():
    yield programs.keep(None)
    programs.forget()


@pytest.mark.slow
@pytest.mark.x64
@pytest.mark.parametrize("evolution", [rs.Aging(), rs.Slip()], ids=["aging", "slip"])
def test_a_shipped_fit_is_the_traced_one(keeper, evolution):
    record = records.sample("basalt").crop(11666.0, 11686.0)
    law, spring = inversion.guess(record, evolution)

    def fit():
        return inversion.fit_step(record, law, spring, free=("stiffness", "step_time"))

    shipped = fit()
    assert set(keeper.used.values()) == {"shipped"}
    programs.forget()
    traced = fit()
    # the same to rounding, which ten steps of least squares amplify
    np.testing.assert_allclose(shipped.values, traced.values, rtol=1e-8)
    np.testing.assert_allclose(shipped.model, traced.model, rtol=0, atol=1e-10)
    assert jax.tree_util.tree_all(
        jax.tree_util.tree_map(lambda x: bool(jnp.isfinite(x).all()), shipped.law)
    )


@pytest.mark.parametrize("path", NOTES, ids=lambda p: p.stem)
def test_shipped_programs_name_no_files(path):
    """Paths of the machine that made them would be of use to nobody, and change with every edit."""
    content = pickle.loads(zlib.decompress(path.with_suffix(".program").read_bytes()))
    for module in content[1].values():
        assert b".py" not in module

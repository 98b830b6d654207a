"""`import jaxfric` in a fresh process: light, and without side effects on JAX."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("matplotlib", "typer", "rich", "pandas", "flax", "orbax", "evosax", "scipy", "blackjax")
SCRIPT = """
import json, sys, warnings
warnings.simplefilter("error")
import {module}
import jax
print(json.dumps({{
    "loaded": sorted({{name.split(".")[0] for name in sys.modules}}),
    "x64": jax.config.jax_enable_x64,
    "jaxfric": sorted(name for name in sys.modules if name.startswith("jaxfric")),
}}))
"""


@pytest.fixture(scope="module")
def fresh():
    """What a new process has loaded after importing a module."""

    def load(module):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(module=module)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return load


@pytest.fixture(scope="module")
def loaded(fresh):
    return fresh("jaxfric")


@pytest.mark.parametrize("name", HEAVY)
def test_import_leaves_out_what_is_used_later(loaded, name):
    assert name not in loaded["loaded"]


def test_import_does_not_configure_jax(loaded):
    assert loaded["x64"] is False


def test_import_offers_physics_and_records(loaded, fresh):
    """By name, and loaded when they are first asked for."""
    import jaxfric

    assert {"ratestate", "contact", "fault", "signals", "records"} <= set(dir(jaxfric))
    assert jaxfric.ratestate.RateStateLaw and jaxfric.records.sample
    with pytest.raises(AttributeError, match="has no attribute 'rubber'"):
        jaxfric.rubber  # noqa: B018
    assert loaded["jaxfric"] == ["jaxfric"]


ALL_ROOMS = """
import pkgutil, sys
import jaxfric
rooms = {room.name for room in pkgutil.iter_modules(jaxfric.__path__) if room.ispkg} - {"cli"}
assert rooms <= set(dir(jaxfric))
assert not [name for name in sys.modules if name.startswith("jaxfric.")]
for name in sorted(rooms):
    assert getattr(jaxfric, name).__name__ == f"jaxfric.{name}" and name in vars(jaxfric)
"""


def test_every_room_is_loaded_by_its_name():
    """`import jaxfric; jaxfric.training`, and nothing before it is asked for."""
    done = subprocess.run([sys.executable, "-c", ALL_ROOMS], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["jaxfric.ratestate", "jaxfric.fault", "jaxfric.contact"])
def test_physics_imports_no_solver_before_it_solves(fresh, module):
    assert not {*HEAVY, "diffrax", "optimistix", "optax"} & set(fresh(module)["loaded"])


@pytest.mark.parametrize("module", ["jaxfric.plotting", "jaxfric.cli"])
def test_figures_and_command_line_import_their_tools_when_used(fresh, module):
    assert not {"matplotlib", "typer", "rich", "pandas"} & set(fresh(module)["loaded"])


def test_public_names_exist():
    import jaxfric
    from jaxfric import networks, plotting, ratestate, records, training
    from jaxfric.studies import slide_hold_learn

    assert jaxfric.__version__
    for package in (jaxfric, ratestate, records, plotting, networks, training, slide_hold_learn):
        assert package.__doc__
        for name in vars(package):
            if not name.startswith("_"):
                assert getattr(package, name) is not None

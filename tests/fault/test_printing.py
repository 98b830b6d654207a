"""Chains, instruments and recordings print numbers with their units."""

import jax
import jax.numpy as jnp
import pytest

from jaxfric import fault

pytestmark = pytest.mark.x64


def test_a_chain_prints_a_line_for_each_parameter():
    law = fault.patches(0.6, 0.01, jnp.array([0.014, 0.015]), 2e-6, 1e-6)
    chain = fault.FaultChain(law, 5e6, loader=2e10, leaf=1e10, coupling=1e9, damping=1e6)
    lines = repr(chain).splitlines()
    assert lines[0] == "FaultChain of 2 patches"
    assert "b=[0.014, 0.015], Dc=[2e-06, 2e-06] m" in lines[1]
    assert "  normal_stress = [5e+06, 5e+06] Pa" in lines and "  loader = 2e+10 Pa/m" in lines
    assert not any("plate_mass" in line or "f64" in line for line in lines)


def test_instruments_and_recordings():
    instrument = fault.sample_instrument(key=jax.random.key(0))
    assert repr(instrument).startswith("Instrument(window=") and "1/s" in repr(instrument)
    recording = fault.Recording(jnp.ones((5, 2)), jnp.linspace(0.5, 0.6, 5))
    text = "Recording: 5 samples of 2 channels\n  emission 1 to 1\n  friction 0.5 to 0.6"
    assert repr(recording) == text
    batch = jax.vmap(lambda x: fault.Recording(x * jnp.ones((5, 2)), jnp.full(5, 0.5)))(
        jnp.arange(3.0)
    )
    assert repr(batch).startswith("Recording: 3 runs of 5 samples of 2 channels")
    assert "friction=(0.3, 0.75)" in repr(fault.FaultRanges())

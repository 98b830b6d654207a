"""Simulate a fault and its acoustic emission; read its friction back with the shipped networks.

Run it with `python examples/predict_fault_slip.py`; it takes a minute, mostly compiling. With a
laboratory's file, replace the simulated record by `records.read_labquake(FILE, normal_stress=...)`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxfric import fault, records
from jaxfric.studies import fault_slip

jax.config.update("jax_enable_x64", True)  # stick-slip needs float64

key = jax.random.key(7)
chain, velocity = fault.sample_fault(key=key, patches=8)
t = jnp.arange(0.0, 240.0, 0.1)
history = fault.simulate(chain, velocity, t, options=fault.Options(rtol=1e-5, atol=1e-5))
print(history)

# What two sensors make of it, and a record like one read from a file
heard = fault.record(history, fault.sample_instrument(key=key), 0.1, key=key)
late = slice(400, None)  # the start is forgotten
record = records.LabquakeRecord(
    np.asarray(t)[late],
    np.asarray(heard.emission)[late],
    friction=np.asarray(heard.friction)[late],
    name="simulated",
)
print(record)

print("\nUntuned, the level of the record given:")
print(fault_slip.predict_slip(record))
print("\nTuned on four cycles:")
print(fault_slip.predict_slip(record, tune=4, part="latent"))

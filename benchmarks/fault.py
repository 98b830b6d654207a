"""600 records of 300 s of stick-slip simulated on this machine, as the study draws them.

Chains of 8 patches from the study's ranges, sampled at 10 Hz, to a tolerance of 1e-4; in batches,
each as long as its slowest member. Beside it one patch a chain, and the same chains to 1e-6.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import time  # noqa: E402

import diffrax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _common import Table, Timing, arguments, compiled  # noqa: E402

from jaxfric import fault  # noqa: E402

BATCH = 50
COLUMNS = {
    "compile_s": "compile",
    "min_s": "all records",
    "records": "records",
    "failed": "failed",
    "max_error": "max change of μ",
    "ratio": "time / first",
}


def simulated(records: int, seconds: float, patches: int, tolerance: float):
    """Friction of every record, failures, and the time for all."""
    t = jnp.arange(0.0, seconds, 0.1)

    def one(key):
        chain, velocity = fault.sample_fault(key=key, patches=patches)
        options = fault.Options(
            rtol=tolerance, atol=tolerance, max_steps=32768, adjoint=diffrax.ForwardMode()
        )
        history = fault.simulate(chain, velocity, t, options=options)
        return history.friction, history.status.code

    keys = jax.random.split(jax.random.key(0), records)
    run, compile_s = compiled(jax.vmap(one), keys[: min(BATCH, records)])
    began, found = time.perf_counter(), []
    for i in range(0, records, BATCH):
        found.append(jax.tree_util.tree_map(np.asarray, run(keys[i : i + BATCH])))
    spent = time.perf_counter() - began
    friction, code = (np.concatenate(x) for x in zip(*found, strict=True))
    return friction, code, Timing(compile_s, (spent,))


def main() -> None:
    smoke = arguments(__doc__).smoke
    records, seconds = (2, 20.0) if smoke else (600, 300.0)
    table = Table("fault", COLUMNS, smoke)
    friction, code, first = simulated(records, seconds, 8, 1e-4)
    table.add("8 patches, 1e-4", first, records=records, failed=int(np.sum(code > 0)))
    few = records if smoke else 50
    for patches, tolerance in ((8, 1e-6), (1, 1e-4), (16, 1e-4)):
        other, code, timing = simulated(few, seconds, patches, tolerance)
        row = {"ratio": timing.best / few * records / first.best}
        if patches == 8:
            # Chains are chaotic over many events: the first two recurrences, not the last
            early = slice(0, other.shape[1] // 20)
            row["max_error"] = float(np.abs(other - friction[:few])[:, early].max())
        table.add(f"{patches} patches, {tolerance:.0e}", timing, records=few,
                  failed=int(np.sum(code > 0)), **row)  # fmt: skip
    table.finish()


if __name__ == "__main__":
    main()

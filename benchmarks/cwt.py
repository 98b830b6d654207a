"""Wavelet transforms of `jaxfric.signals` beside pycwt: batches, the inverse, a causal transform.

The same scales, the same padding, Ricker wavelet, every number of the transform as the result.
Ours is one program for the batch: `vmap`, and `lax.map`, which on a processor keeps what lies
between in the cache. pycwt takes one record after another. The causal transform of one record is
the last column of as many transforms as it has samples; pycwt is given each history with its last
value repeated, padded by as much as ours.
"""

import importlib.metadata
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _common import Table, arguments, installed, timed, timed_jit  # noqa: E402

from jaxfric import signals  # noqa: E402

DT, NUMBER = 1e-3, 32
COLUMNS = {
    "compile_s": "compile",
    "min_s": "min",
    "median_s": "median",
    "error": "max error",
    "ratio": "time / ours",
}


def records(count: int, n: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(size=(count, n)), axis=1) / np.sqrt(n)


def error(found, expected) -> float:
    """Largest difference beside the largest number."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


def peer_cwt(x: np.ndarray, scales: np.ndarray) -> np.ndarray:
    import pycwt

    step = np.log2(scales[1] / scales[0])
    return pycwt.cwt(x, DT, step, scales[0], len(scales) - 1, pycwt.MexicanHat())[0]


def peer_icwt(W: np.ndarray, scales: np.ndarray) -> np.ndarray:
    import pycwt

    return pycwt.icwt(W, scales, DT, np.log2(scales[1] / scales[0]), pycwt.MexicanHat())


def compare(table: Table, what: str, programs, X: np.ndarray, peer, repeats: int) -> None:
    """Rows of our programs, each (name, function, dtype), and of the peer, a function or None."""
    rows, expected = [], None
    for name, function, dtype in programs:
        rows.append((name, *timed_jit(function, jnp.asarray(X, dtype), repeats=repeats)))
    # ours: the fastest of those as accurate as the peer
    best = min(t.best for (_, _, dtype), (_, _, t) in zip(programs, rows, strict=True)
               if dtype == np.float64)  # fmt: skip
    if peer is not None:
        expected, timing = timed(peer, repeats)
    for name, found, t in rows:
        numbers = {} if expected is None else {"error": error(found, np.asarray(expected))}
        table.add(f"{what}, {name}", t, **numbers)
    if peer is None:
        table.absent(f"{what}, pycwt")
    else:
        version = importlib.metadata.version("pycwt")
        table.add(f"{what}, pycwt", timing, ratio=timing.best / best, version=version)


def batches(table: Table, count: int, n: int, repeats: int, peers: bool) -> None:
    X, scales = records(count, n), signals.log_scales(DT, 2 * DT, n * DT / 3, NUMBER)

    def forward(x):
        return signals.cwt(x, DT, scales)

    def there_and_back(x):
        return signals.icwt(forward(x), DT, scales, reconstruction=3.541)

    for what, function, peer in (
        ("transform", forward, lambda x: peer_cwt(x, scales)),
        ("and inverse", there_and_back, lambda x: peer_icwt(peer_cwt(x, scales), scales)),
    ):
        programs = [
            ("vmap", jax.vmap(function), np.float64),
            ("map", lambda X, f=function: jax.lax.map(f, X), np.float64),
            ("map float32", lambda X, f=function: jax.lax.map(f, X), np.float32),
        ]
        run = (lambda peer=peer: np.stack([peer(x) for x in X])) if peers else None
        compare(table, f"{count} x {n}, {what}", programs, X, run, repeats)


def causal(table: Table, n: int, history: int, repeats: int, peers: bool) -> None:
    x, scales = records(1, n)[0], signals.log_scales(DT, 2 * DT, history * DT / 3, NUMBER)
    reach = int(np.ceil(8 * scales[-1] / DT))

    def peer():
        early = np.concatenate([np.full(history, x[0]), x])
        columns = []
        for k in range(n):
            window = np.pad(early[k + 1 : k + 1 + history], reach, "edge")
            # their padding is zeros: the level must go, and each end needs room of its own
            columns.append(peer_cwt(window - window[0], scales)[:, reach + history - 1])
        return np.stack(columns, 1)

    def ours(x):
        return signals.causal_cwt(x, DT, scales, history=history)

    what = f"causal, {n} samples, history {history}"
    programs = [("jaxfric", ours, np.float64)]
    compare(table, what, programs, x, peer if peers else None, repeats)


def main() -> None:
    smoke = arguments(__doc__).smoke
    peers = installed("pycwt") and not smoke
    table = Table("cwt", COLUMNS, smoke)
    repeats = 2 if smoke else 10
    for count, n in ((3, 200),) if smoke else ((64, 3000), (512, 300), (1024, 64)):
        batches(table, count, n, repeats, peers)
    causal(table, *((100, 20) if smoke else (1000, 200)), repeats, peers)
    table.note("pycwt / the fastest of ours in float64; the error is the difference from pycwt")
    table.finish()


if __name__ == "__main__":
    main()

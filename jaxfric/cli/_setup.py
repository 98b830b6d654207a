"""What the command line decides before JAX starts; the library itself decides none of it."""

import os
from pathlib import Path

# Most of the time to a first answer is compilation. At level 0 it takes a third of that at the
# default; what computes for seconds names a higher level of its own (`programs.program`).
QUICK_XLA = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_use_fusion_emitters=false",
)
CACHE = "JAXFRIC_CACHE"


def prepare(*, quick: bool = True, x64: bool = True) -> None:
    """Precision, compilation and the cache of programs, for this process.

    Arguments:
        quick: compile quickly rather than well: for commands whose arithmetic takes a second.
        x64: whether numbers are float64.
    """
    # A program with a callback to the host cannot be kept; what fails is NaN, which every command
    # looks for in its results.
    os.environ.setdefault("EQX_ON_ERROR", "nan")
    # Threads that wait for each other beside JAX's own turned a decomposition of milliseconds into
    # seconds on a busy machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if quick:
        given = os.environ.get("XLA_FLAGS", "")
        names = [flag.split("=")[0] for flag in given.split()]
        ours = [flag for flag in QUICK_XLA if flag.split("=")[0] not in names]
        os.environ["XLA_FLAGS"] = " ".join([*ours, given]).strip()
    import jax

    from jaxfric import programs

    jax.config.update("jax_enable_x64", x64)  # an application may; the library never does
    folder = cache_folder()
    programs.keep(None if folder is None else folder / "programs")
    if folder is not None and not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def cache_folder() -> Path | None:
    """Of traced and compiled programs: what `JAXFRIC_CACHE` names, else the user's cache.

    None where it says "off".
    """
    named = os.environ.get(CACHE, "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("jaxfric"))

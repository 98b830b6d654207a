"""What the command line decides before JAX starts; the library itself decides none of it."""

import os

from jaxfric.cli._cache import cache_folder

# Most of the time to a first answer is compilation. At level 0 it takes a third of that at the
# default; what computes for seconds names a higher level of its own (`programs.program`).
QUICK_XLA = (
    "--xla_backend_optimization_level=0",
    # Passes of LLVM that take long and make the loops of long-running programs faster
    "--xla_llvm_disable_expensive_passes=true",
    # XLA's older way to emit fused loops on the CPU, which has less to compile at this level
    "--xla_cpu_use_fusion_emitters=false",
)


def prepare(*, quick: bool = True, x64: bool = True) -> None:
    """Precision, compilation and the cache of programs, for this process.

    Arguments:
        quick: compile quickly rather than well: for commands whose arithmetic takes a second.
        x64: whether numbers are float64.
    """
    # Equinox raises errors from inside a program by a callback to the host, and a program with one
    # cannot be kept. With this setting what fails is NaN, which every command looks for in its
    # results. Like the next two it is read when JAX and NumPy are imported, so it comes before.
    os.environ.setdefault("EQX_ON_ERROR", "nan")
    # NumPy's linear algebra has threads of its own. Waiting for each other beside JAX's they turned
    # a decomposition of milliseconds into seconds on a busy machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if quick:
        given = os.environ.get("XLA_FLAGS", "")
        # What the user has set stays
        names = [flag.split("=")[0] for flag in given.split()]
        ours = [flag for flag in QUICK_XLA if flag.split("=")[0] not in names]
        os.environ["XLA_FLAGS"] = " ".join([*ours, given]).strip()
    import jax

    from jaxfric import programs

    jax.config.update("jax_enable_x64", x64)  # an application may; the library never does
    folder = cache_folder()
    programs.keep(None if folder is None else folder / "programs")
    if folder is not None and not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        # Every compiled program, however small and quick: a command runs a few hundred of them, and
        # JAX would by itself keep those alone that took a second
        jax.config.update("jax_compilation_cache_dir", str(folder / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

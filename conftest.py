"""Settings of every test and doctest; they must stand before JAX and jaxfric are imported."""

import collections
import contextlib
import gc
import math
import os
from pathlib import Path

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"

# The environment, not jax.config, so that commands the tests start inherit it.
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(CACHE / "hypothesis"))
os.environ.setdefault("MPLBACKEND", "Agg")

from jaxtyping import install_import_hook  # noqa: E402

# Once is enough: the annotations name no precision that float32 could break
if os.environ["JAX_ENABLE_X64"].lower() not in ("0", "false"):
    install_import_hook("jaxfric", "beartype.beartype")

import hypothesis  # noqa: E402
import jax  # noqa: E402
import jaxtyping  # noqa: E402
import pytest  # noqa: E402

hypothesis.settings.register_profile(
    "jaxfric", deadline=None, derandomize=True, database=None, max_examples=25
)
hypothesis.settings.load_profile("jaxfric")

# Tracing makes millions of objects that live as long as their program. At Python's own thresholds
# the collector walks all of them again and again: a tenth of the time it takes to trace.
gc.freeze()
gc.set_threshold(50_000, 20, 20)

MOST_REGIONS = 20_000  # mapped after a file; Linux allows 65,530, and one file adds some thousands

# optax and flax.nnx mix dtypes; what is built on them cannot be held to strict promotion.
LENIENT_FOLDERS = {"networks", "training", "search", "studies"}


def pytest_collection_modifyitems(items):
    """Files with the most slow tests first; skip what needs float64 where it is off.

    A file belongs to one worker, so a long one must not begin last (--no-loadscope-reorder).
    """
    slow = collections.Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
    if jax.config.jax_enable_x64:
        return
    skip = pytest.mark.skip(reason="needs float64; run with JAX_ENABLE_X64=1")
    for item in items:
        if item.get_closest_marker("x64"):
            item.add_marker(skip)


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """Drop every compiled program between files, before there are too many.

    Each maps a few regions of memory, and a process may have only so many (vm.max_map_count):
    the whole suite in one process would die inside the compiler. Dropped after every file, the
    many small ones would be compiled again in each.
    """
    yield
    if _regions() > MOST_REGIONS:
        jax.clear_caches()
        gc.collect()


def _regions():
    """Of memory that this process maps; infinitely many where nobody counts."""
    try:
        with open("/proc/self/maps", "rb") as regions:
            return sum(1 for _ in regions)
    except OSError:
        return math.inf


@pytest.fixture(autouse=True)
def strict_promotion(request):
    """Physics must mix neither dtypes nor ranks by accident."""
    folders = set(request.path.relative_to(ROOT).parts)
    if request.node.get_closest_marker("lenient") or folders & LENIENT_FOLDERS:
        yield
        return
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture(scope="session")
def data_dir():
    """The folder of laboratory records that are not shipped with the package."""
    name = os.environ.get("JAXFRIC_DATA")
    if not name:
        pytest.skip("JAXFRIC_DATA is not set; point it at the folder of laboratory records")
    folder = Path(name)
    if not folder.is_dir():
        pytest.fail(f"JAXFRIC_DATA names {folder}, which is not a folder", pytrace=False)
    return folder


@pytest.fixture
def unchecked_types():
    """Switch the checks of types off, for the many calls that follow one which was checked.

    They take twice as long as what a fit does itself.
    """

    @contextlib.contextmanager
    def switched_off():
        before = jaxtyping.config.jaxtyping_disable
        jaxtyping.config.update("jaxtyping_disable", True)
        yield
        jaxtyping.config.update("jaxtyping_disable", before)

    return switched_off


@pytest.fixture
def compilations():
    """Run something and count what XLA compiled for it."""

    def count(function, *args):
        _COMPILED.clear()
        function(*args)
        return len(_COMPILED)

    return count


_COMPILED: list[str] = []


def _note_compilation(event, _seconds, **_):
    if event == "/jax/core/compile/backend_compile_duration":
        _COMPILED.append(event)


jax.monitoring.register_event_duration_secs_listener(_note_compilation)

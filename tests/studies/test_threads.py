"""Work on all cores."""

import threading
import time

import pytest

from jaxfric.studies._threads import in_threads


def test_results_come_in_the_order_of_the_items():
    assert in_threads(lambda x: x**2, range(20)) == [x**2 for x in range(20)]
    assert in_threads(lambda x: x, []) == []


def test_an_error_is_raised_and_ends_the_others():
    done = []

    def work(x):
        if x == 3:
            raise ValueError("the fourth")
        time.sleep(1e-3)
        done.append(x)

    with pytest.raises(ValueError, match="the fourth"):
        in_threads(work, range(1000))
    assert len(done) < 1000


def test_no_thread_outlives_the_program():
    seen = in_threads(lambda _: threading.current_thread().daemon, range(2))
    assert all(seen)

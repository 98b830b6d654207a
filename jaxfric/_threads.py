"""Work that uses one core at a time, on all of them."""

import os
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int | None = None
) -> list[Result]:
    """`work` of every item, in order; as many at a time as there are cores, or `threads`.

    An error in one ends the others at their next item and is raised. The threads are daemons:
    Ctrl-C does not wait until hours of training have ended.
    """
    # Not a pool of `concurrent.futures`: its threads are waited for when the program ends. Threads
    # take places from a queue, so that a long item holds up no other
    queue: SimpleQueue[int] = SimpleQueue()
    for i in range(len(items)):
        queue.put(i)
    found: dict[int, Result] = {}
    errors: list[BaseException] = []

    def run() -> None:
        while not errors:
            try:
                i = queue.get_nowait()
            except Empty:
                return
            try:
                found[i] = work(items[i])
            except BaseException as error:
                # In a thread it would only be printed: it is kept, and raised where the caller is
                errors.append(error)

    count = min(threads or _cores(), len(items))
    running = [Thread(target=run, daemon=True) for _ in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    return [found[i] for i in range(len(items))]


def _cores() -> int:
    # What this process may use, where the system tells: a container has fewer than the machine
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Several threads that do the same thing at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def race(runners: int, act: Callable[[int], T]) -> list[T | Exception]:
    """What each of the runners came to: its result, or what it raised."""
    barrier = Barrier(runners)

    def run(number: int) -> T | Exception:
        barrier.wait()
        try:
            return act(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(run, range(runners)))

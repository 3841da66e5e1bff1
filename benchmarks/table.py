"""A table of medians, printed plainly."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_seconds(work: Callable[[], object], times: int = 5) -> float:
    """The median of several runs, after one that is not counted."""
    work()
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    return statistics.median(taken)


def row(what: str, value: str, beside: str = "") -> None:
    print(f"{what:<62} {value:>14}  {beside}")

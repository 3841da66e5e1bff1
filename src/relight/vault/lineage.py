"""Which points belong to the one history that a workload goes on from: a pure question."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import inf

from relight.situation import PointSummary


def lineage(points: Iterable[PointSummary]) -> tuple[PointSummary, ...]:
    """The points of the history that holds, oldest first.

    An epoch goes on from the training step `epoch_from`. So a point is out of the lineage when a point of a
    later epoch began before it: that one's history does not contain it.
    """
    kept: list[PointSummary] = []
    began = inf  # the earliest beginning among all later epochs
    newest_first = sorted(points, key=age, reverse=True)
    for _, of_epoch in groupby(newest_first, key=lambda point: point.epoch):
        group = list(of_epoch)
        kept += [point for point in group if point.step <= began]
        began = min(began, *(point.epoch_from for point in group))
    return tuple(reversed(kept))


def age(point: PointSummary) -> tuple[int, int, str]:
    """Sorts points from the oldest to the newest; the id only makes the order of a tie the same always."""
    return (point.epoch, point.step, point.id)


def newest(points: Iterable[PointSummary]) -> PointSummary | None:
    """The newest of some points; None if there are none."""
    return max(points, key=age, default=None)

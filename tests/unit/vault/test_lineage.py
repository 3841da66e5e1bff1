"""Which points belong to the history that holds."""

from __future__ import annotations

from contextlib import suppress
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from relight.errors import Refused
from relight.situation import PointSummary
from relight.vault.head import Head
from relight.vault.lineage import lineage, newest
from rig.points import summary_of

summaries = st.builds(
    summary_of,
    step=st.integers(0, 12),
    epoch=st.integers(1, 4),
    epoch_from=st.integers(0, 12),
)


def steps(points: tuple[PointSummary, ...]) -> list[tuple[int, int]]:
    return [(point.epoch, point.step) for point in points]


def test_points_of_one_epoch_are_all_in_it_oldest_first() -> None:
    assert steps(lineage([summary_of(20), summary_of(10)])) == [(1, 10), (1, 20)]


def test_what_the_old_side_sealed_after_the_fence_is_out() -> None:
    points = [summary_of(10), summary_of(20), summary_of(30), summary_of(25, epoch=2, epoch_from=20)]
    assert steps(lineage(points)) == [(1, 10), (1, 20), (2, 25)]


def test_an_epoch_that_a_later_one_began_before_is_out_whole() -> None:
    points = [summary_of(10), summary_of(25, 2, 20), summary_of(15, 3, 10)]
    assert steps(lineage(points)) == [(1, 10), (3, 15)]


@given(st.lists(summaries, max_size=10))
def test_a_point_is_out_exactly_when_a_later_epoch_began_before_it(points: list[PointSummary]) -> None:
    expected = {p for p in points if not any(q.epoch > p.epoch and q.epoch_from < p.step for q in points)}
    kept = lineage(points)
    assert set(kept) == expected
    assert steps(kept) == sorted(steps(kept))


@given(st.lists(summaries, max_size=10, unique_by=lambda point: (point.epoch, point.step)))
def test_the_order_in_which_points_are_listed_says_nothing(points: list[PointSummary]) -> None:
    assert lineage(points) == lineage(reversed(points))


@given(st.lists(summaries, max_size=12, unique_by=lambda point: (point.epoch, point.step)))
def test_what_a_full_head_lets_go_brings_nothing_back_into_the_lineage(points: list[PointSummary]) -> None:
    with patch("relight.vault.head.LISTED_POINTS", 3):
        head, sealed = Head(), list[PointSummary]()
        for point in points:
            with suppress(Refused):
                head = head.sealed(point)
                sealed.append(point)
            assert len(head.points) <= 3
            assert set(lineage(head.points)) <= set(lineage(sealed))
            assert newest(lineage(head.points)) == newest(lineage(sealed))


def test_the_newest_is_of_the_latest_epoch_and_of_nothing_there_is_none() -> None:
    assert newest([summary_of(99), summary_of(5, 2)]) == summary_of(5, 2)
    assert newest([]) is None

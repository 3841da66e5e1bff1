"""Nodes over rungs, in order, and on to the next where a rung does not deliver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from relight.estate import ClusterPool, Rung
from relight.provision.spreading import exhausted, is_spread_of, move_on, rooms_of, spread

ROOMS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40), min_size=1)
SIZE = st.integers(0, 120)


@given(SIZE, ROOMS, st.sets(st.sampled_from("abcdef")))
def test_no_rung_gives_more_than_it_has_and_all_that_can_be_given_is(
    size: int, rooms: dict[str, int], empty: set[str]
) -> None:
    sizes = spread(size, rooms, empty)
    room = sum(nodes for rung, nodes in rooms.items() if rung not in empty)
    assert list(sizes) == list(rooms)
    assert all(0 <= sizes[rung] <= rooms[rung] for rung in rooms)
    assert sum(sizes.values()) == min(size, room)
    assert not any(sizes[rung] for rung in empty & set(rooms))


@given(SIZE, ROOMS)
def test_a_rung_is_asked_only_once_all_before_it_are_full(size: int, rooms: dict[str, int]) -> None:
    sizes, order = spread(size, rooms), list(rooms)
    for place, rung in enumerate(order):
        if sizes[rung]:
            assert all(sizes[before] == rooms[before] for before in order[:place])
    assert exhausted(sizes, rooms) == {}
    assert is_spread_of(sum(sizes.values()), sizes, rooms)


@given(SIZE, ROOMS, st.data())
def test_moving_on_loses_no_node_and_comes_to_an_end(
    size: int, rooms: dict[str, int], data: st.DataObject
) -> None:
    gives = {rung: data.draw(st.integers(0, room)) for rung, room in rooms.items()}
    sizes = spread(size, rooms)
    wanted = sum(sizes.values())
    seen = [sizes]
    while True:
        ready = {rung: min(nodes, gives[rung]) for rung, nodes in sizes.items()}
        sizes = move_on(sizes, ready, rooms, patient=())
        assert sum(sizes.values()) == wanted
        assert all(sizes[rung] <= rooms[rung] for rung in rooms)
        assert is_spread_of(wanted, sizes, rooms)  # nothing need be remembered to go on
        if sizes == seen[-1]:
            break
        assert sizes not in seen
        seen.append(sizes)
    if sum(gives.values()) >= wanted and wanted:
        assert len(seen) <= len(rooms) + 1


def test_what_a_best_effort_rung_does_not_give_moves_to_the_next_that_has_room() -> None:
    rooms = {"reserved": 4, "on-demand": 4, "spot": 4}
    sizes = spread(8, rooms)
    moved = move_on(sizes, {"reserved": 4, "on-demand": 1, "spot": 0}, rooms, patient={"reserved"})
    assert moved == {"reserved": 4, "on-demand": 1, "spot": 3}
    assert exhausted(moved, rooms) == {"on-demand": 1}
    assert move_on(moved, {"reserved": 4, "on-demand": 1, "spot": 0}, rooms, patient={"reserved"}) == moved


def test_a_guaranteed_rung_is_waited_for() -> None:
    rooms = {"reserved": 4, "spot": 4}
    assert move_on({"reserved": 4, "spot": 0}, {}, rooms, patient={"reserved"}) == {"reserved": 4, "spot": 0}


def test_sizes_that_no_spreading_makes_are_not_kept() -> None:
    rooms = {"reserved": 4, "spot": 4}
    assert is_spread_of(4, {"reserved": 1, "spot": 3}, rooms)
    assert not is_spread_of(6, {"reserved": 1, "spot": 3}, rooms)
    assert not is_spread_of(4, {"reserved": 4, "gone": 0}, rooms)


def test_a_block_gives_its_nodes_between_its_dates_only() -> None:
    starts = datetime(2026, 3, 1, tzinfo=UTC)
    block = Rung(kind="capacity-block", nodes=8, id="cr-1", starts=starts, ends=starts + timedelta(days=1))
    pool = ClusterPool(nodes=8, rungs=(block, Rung(kind="spot", nodes=2)))
    for now, room in (
        (starts - timedelta(seconds=1), 0),
        (starts, 8),
        (starts + timedelta(days=1), 0),
    ):
        assert rooms_of(pool, now) == {"capacity-block": room, "spot": 2}

"""How the nodes of a pool are spread over its rungs, and moved on where a rung does not deliver.

A rung is filled before the next is asked. So the sizes alone tell which rungs gave up: one that is not full
although a later one is asked for nodes. Nothing else needs to be remembered from one attempt to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from relight.estate import Pool


def spread(size: int, rooms: Mapping[str, int], empty: Collection[str] = frozenset()) -> dict[str, int]:
    """Nodes per rung, in the order of `rooms` (rung to the most it may give); `empty` ones get none.

    The sum is `size`, or all the room that there is where that is less.
    """
    sizes, left = {}, size
    for rung, room in rooms.items():
        sizes[rung] = 0 if rung in empty else min(left, room)
        left -= sizes[rung]
    return sizes


def rooms_of(pool: Pool, now: datetime) -> dict[str, int]:
    """The most that each rung may give now, in order; a block outside of its dates gives nothing."""
    return {
        rung.key: 0 if (rung.starts and now < rung.starts) or (rung.ends and now >= rung.ends) else rung.nodes
        for rung in pool.rungs
    }


def comes_with_pods(pool: Pool) -> tuple[str, ...]:
    """Rungs whose size is a limit: their nodes come for pods that wait for them, and no earlier."""
    return tuple(rung.key for rung in pool.rungs if rung.kind == "flex-start")


def exhausted(sizes: Mapping[str, int], rooms: Mapping[str, int]) -> dict[str, int]:
    """Rungs that gave up, and what each keeps of what it gave."""
    order = list(rooms)
    return {
        rung: sizes.get(rung, 0)
        for place, rung in enumerate(order)
        if sizes.get(rung, 0) < rooms[rung] and any(sizes.get(later, 0) for later in order[place + 1 :])
    }


def is_spread_of(size: int, sizes: Mapping[str, int], rooms: Mapping[str, int]) -> bool:
    """Whether `sizes` is what spreading, and moving on, makes of `size`: such sizes are kept, not redone."""
    capped = {**rooms, **exhausted(sizes, rooms)}
    return set(sizes) <= set(rooms) and {rung: sizes.get(rung, 0) for rung in rooms} == spread(size, capped)


def move_on(
    sizes: Mapping[str, int],
    ready: Mapping[str, int],
    rooms: Mapping[str, int],
    patient: Collection[str],
) -> dict[str, int]:
    """The sizes after what is missing has moved to later rungs; unchanged where none has room.

    `patient` rungs (guaranteed and booked ones) are waited for, whatever they give.
    """
    gave_up = exhausted(sizes, rooms)
    for rung, wanted in sizes.items():
        has = min(ready.get(rung, 0), wanted)
        if has < wanted and rung not in patient:
            moved = spread(sum(sizes.values()), {**rooms, **gave_up, rung: has})
            if sum(moved.values()) == sum(sizes.values()):
                gave_up[rung] = has
    return spread(sum(sizes.values()), {**rooms, **gave_up})

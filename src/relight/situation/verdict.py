"""From what several observers see to what they conclude together.

A capability is *lost* when a strict majority of all declared observers see it down and none sees it up: one
lookout that still sees it alive is enough to doubt, because two sites that write at once are worse than a
wait, and people can override a doubt but not undo a split brain. It is *healthy* when a strict majority
see it up; *unknown* when fewer than a majority could say anything; *suspect* otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from relight.canonical import Frozen

Verdict = Literal["healthy", "suspect", "lost", "unknown"]


class Opinion(Frozen):
    """What one observer sees of one capability of one site."""

    observer: str
    site: str
    capability: str
    up: bool
    since: datetime  # when this observer began to see what it sees
    last_up: datetime | None  # when it last saw it up; None: never
    reason: str = ""  # why it is seen down: "connection refused"
    progress: dict[str, int] = {}  # last training step that the site reported, per workload


def conclude(opinions: Iterable[Opinion], observers: int) -> Verdict:
    """The verdict of the opinions on one capability, out of `observers` declared in all."""
    opinions = tuple(opinions)
    up = sum(opinion.up for opinion in opinions)
    down = len(opinions) - up
    majority = observers // 2 + 1
    if up >= majority:
        return "healthy"
    if down >= majority and not up:
        return "lost"
    if len(opinions) < majority:
        return "unknown"
    return "suspect"

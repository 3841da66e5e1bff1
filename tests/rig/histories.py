"""Runs that happened as a test says, second by second, for what is told of them afterwards."""

from __future__ import annotations

import heapq
import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from relight.control import Report, report_of
from relight.engine import (
    ApprovalGiven,
    AttemptDone,
    AttemptStarted,
    Event,
    GateReached,
    RunStarted,
    RunState,
    decide,
)
from relight.plan import Plan

BEGAN = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def second(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


class History:
    """A run of a plan; `add` lets an event happen."""

    def __init__(self, plan: Plan, run: str = "r1") -> None:
        started = RunStarted(at=BEGAN, run=run, by="ann", digest=plan.digest, plan={})
        self.plan = plan
        self.events: list[Event] = [started]
        self.state = RunState(run, plan, started)

    def add(self, kind: type[Any], seconds: float, **fields: Any) -> History:
        self.happened(kind(at=second(seconds), **fields))
        return self

    def happened(self, event: Event) -> None:
        self.state.apply(event)
        self.events.append(event)

    def did(self, name: str, start: float, end: float, /, **facts: Any) -> History:
        """A step that was done at the first try."""
        self.add(AttemptStarted, start, step=name, attempt=1)
        return self.add(AttemptDone, end, step=name, attempt=1, facts=facts)

    def approved(self, gate: str, seconds: float, who: str, reason: str = "yes") -> History:
        return self.add(
            ApprovalGiven, seconds, gate=gate, identity=who, reason=reason, digest=self.plan.digest
        )

    @property
    def report(self) -> Report:
        return report_of(self.state, self.events)


def simulated(plan: Plan, draw: random.Random, room: int = 100) -> History:
    """A run of a plan by the engine's own decisions: steps and people take as long as is drawn."""
    history = History(plan)
    state, clock = history.state, 0.0
    due: list[tuple[float, int, Event]] = []
    order = count()
    while True:
        while events := decide(state, second(clock), room - len(state.running)):
            for event in events:
                history.happened(event)
                at = clock + draw.choice([0.0, 1.0, 5.0, 60.0])
                match event:
                    case AttemptStarted():
                        done = AttemptDone(at=second(at), step=event.step, attempt=event.attempt, facts={})
                        heapq.heappush(due, (at, next(order), done))
                    case GateReached():
                        for person in range(event.identities):
                            said = ApprovalGiven(
                                at=second(at + person),
                                gate=event.gate,
                                identity=f"p{person}",
                                reason="yes",
                                digest=plan.digest,
                            )
                            heapq.heappush(due, (at + person, next(order), said))
                    case _:
                        pass
        if not due or state.ended:
            return history
        clock, _, happening = heapq.heappop(due)
        history.happened(happening)

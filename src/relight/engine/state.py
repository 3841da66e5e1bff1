"""The state of a run: a fold over its events, indexed so that each event costs what it touches.

`fold(events)` is a function of the events alone: no clock, no I/O, no randomness. Inside, `apply` updates
one state in place and keeps the queues that `decide` reads (what is ready in each lane, what has become
impossible, which gates to announce), so that a plan of 10,000 steps costs 10,000 times one step and not its
square. `pass_time` moves what has become due into those queues.

A step is *needed* while a step that may still start waits for it, or if nothing comes after it; a step
that is neither settled nor needed is a straggler, and the run does not wait for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from relight.engine.events import (
    ApprovalGiven,
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    ClaimsTaken,
    Event,
    GateReached,
    LeaseTaken,
    RequestRefused,
    RunEnded,
    RunStarted,
    StepBlocked,
    StepLetGo,
)
from relight.plan import Catalogue, Plan, Progress, Step


class Status(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"  # for what it comes after
    GATED = "gated"  # people decide whether it starts
    READY = "ready"  # may start: lane and room permitting
    RUNNING = "running"
    RETRYING = "retrying"  # a try failed, the next has its time
    ASKING = "asking"  # a try was cut off and a person decides
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"  # will not start: too much before it failed
    LET_GO = "let go"  # nothing waited for it any more


_AGAIN = (
    "the controller was gone while {step} ran, and what it did cannot be looked up: go on? "
    "A command that still runs, or has ended, is taken up; else it is started again."
)

SETTLED = frozenset({Status.DONE, Status.FAILED, Status.BLOCKED, Status.LET_GO})


@dataclass(slots=True)
class StepState:
    """One step as it stands. Times are None until they happened."""

    step: Step
    status: Status = Status.WAITING
    attempt: int = 0
    failures: int = 0  # tries that failed by themselves; cut-off ones do not count
    started_at: datetime | None = None  # of the first try
    attempt_at: datetime | None = None  # of the current or last try
    ended_at: datetime | None = None
    not_before: datetime | None = None
    progress: Progress | None = None
    facts: dict[str, Any] | None = None
    reason: str = ""
    remedy: str = ""
    succeeded_before: int = 0
    dead_before: int = 0
    waiting_after: int = 0  # steps after it that may still start and wait for it
    is_released: bool = False  # it no longer counts as waiting for what comes before it


@dataclass(slots=True)
class GateState:
    """A gate as it stands; each identity counts once."""

    question: str
    identities: int
    reached_at: datetime | None = None
    approvals: dict[str, ApprovalGiven] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether enough people approved."""
        return len(self.approvals) >= self.identities


class RunState:
    """A run as it stands; see the module for how it is kept."""

    def __init__(self, run: str, plan: Plan, started: RunStarted) -> None:
        self.run = run
        self.plan = plan
        self.by = started.by
        self.started_at = started.at
        self.ended: RunEnded | None = None
        self.term = 0
        self.holder = ""
        self.has_claims = False
        self.refusals: list[RequestRefused] = []
        self.steps = {step.id: StepState(step) for step in plan.steps}
        self.gates = {f.gate: GateState(f.message, f.identities) for f in plan.overrides}
        self.gates |= {s.id: GateState(s.gate.question, s.gate.identities) for s in plan.steps if s.gate}
        self.overrides = tuple(f.gate for f in plan.overrides)
        self.after: dict[str, list[str]] = {step.id: [] for step in plan.steps}
        # What decide reads; dicts are ordered sets.
        self.ready: dict[str | None, dict[str, None]] = {lane: {} for lane in (None, *plan.lanes)}
        self.unannounced: dict[str, None] = dict.fromkeys(self.overrides)
        self.running: dict[str, None] = {}
        self.impossible: dict[str, None] = {}
        self.overdue: dict[str, None] = {}
        self._due: list[tuple[datetime, str]] = []
        self.lanes_used: dict[str, int] = dict.fromkeys(plan.lanes, 0)
        self.needed_open = len(plan.steps)
        for step in plan.steps:
            for before in step.after:
                self.after[before].append(step.id)
        for step in plan.steps:
            self.steps[step.id].waiting_after = len(self.after[step.id])
        for step in plan.steps:
            if step.needed == 0:
                self._make_ready(self.steps[step.id])

    # Questions

    @property
    def unmet_overrides(self) -> tuple[str, ...]:
        """The override gates that still wait for people."""
        return tuple(name for name in self.overrides if not self.gates[name].is_open)

    @property
    def waiting_gates(self) -> dict[str, GateState]:
        """The gates that the run has reached and that are not open."""
        return {name: gate for name, gate in self.gates.items() if gate.reached_at and not gate.is_open}

    def is_needed(self, name: str) -> bool:
        """Whether the run waits for this step: see the module."""
        return not self.after[name] or self.steps[name].waiting_after > 0

    # Events

    def apply(self, event: Event) -> None:  # noqa: PLR0912 (one branch an event is the whole idea)
        """Take in what happened."""
        match event:
            case LeaseTaken():
                self.term, self.holder = event.term, event.holder
            case ClaimsTaken():
                self.has_claims = True
            case GateReached():
                self.gates[event.gate].reached_at = event.at
                self.unannounced.pop(event.gate, None)
            case ApprovalGiven():
                self._approve(event)
            case RequestRefused():
                self.refusals.append(event)
            case AttemptStarted():
                self._start(event)
            case AttemptProgressed():
                self.steps[event.step].progress = event.progress
            case AttemptDone():
                self._finish(event.step, Status.DONE, event.at, facts=event.facts)
            case AttemptRetried():
                self._retry(event)
            case AttemptFailed():
                self._finish(event.step, Status.FAILED, event.at, reason=event.reason, remedy=event.remedy)
            case AttemptInterrupted():
                self._interrupt(event)
            case StepBlocked():
                self._finish(event.step, Status.BLOCKED, event.at, reason=event.reason)
            case StepLetGo():
                self._finish(event.step, Status.LET_GO, event.at, reason=event.reason)
            case RunEnded():
                self.ended = event
            case RunStarted():
                raise ValueError("a run starts once")

    def _approve(self, event: ApprovalGiven) -> None:
        gate = self.gates.get(event.gate)
        if gate is None or event.digest != self.plan.digest:
            return  # an approval of another plan, or of nothing, opens no gate
        gate.approvals.setdefault(event.identity, event)
        state = self.steps.get(event.gate.removeprefix("again:"))
        if not gate.is_open or state is None:
            return
        if state.status is Status.ASKING:
            del self.gates[event.gate]  # the next cut-off asks anew
            self._enqueue(state)
        elif state.status is Status.GATED:
            self._enqueue(state)

    def _start(self, event: AttemptStarted) -> None:
        state = self.steps[event.step]
        del self.ready[state.step.lane][event.step]
        state.status, state.attempt = Status.RUNNING, event.attempt
        state.started_at = state.started_at or event.at
        state.attempt_at, state.progress, state.reason = event.at, None, ""
        self.running[event.step] = None
        if state.step.lane:
            self.lanes_used[state.step.lane] += 1
        heapq.heappush(self._due, (event.at + state.step.timeout, event.step))

    def _retry(self, event: AttemptRetried) -> None:
        state = self.steps[event.step]
        self._stop_running(state)
        state.status, state.failures = Status.RETRYING, state.failures + 1
        state.reason, state.not_before = event.reason, event.not_before
        heapq.heappush(self._due, (event.not_before, event.step))

    def _interrupt(self, event: AttemptInterrupted) -> None:
        state = self.steps[event.step]
        self._stop_running(state)
        if event.meaning == "ask":
            state.status = Status.ASKING
            gate = f"again:{event.step}"
            self.gates[gate] = GateState(_AGAIN.format(step=event.step), 1)
            self.unannounced[gate] = None
        else:
            self._enqueue(state)

    def _finish(
        self,
        name: str,
        status: Status,
        at: datetime,
        *,
        reason: str = "",
        remedy: str = "",
        facts: dict[str, Any] | None = None,
    ) -> None:
        state = self.steps[name]
        self._stop_running(state)
        self.ready[state.step.lane].pop(name, None)
        self.impossible.pop(name, None)
        if self.is_needed(name):
            self.needed_open -= 1
        state.status, state.ended_at, state.facts = status, at, facts
        state.reason, state.remedy = reason, remedy
        self._release(state)
        for follower in (self.steps[after] for after in self.after[name]):
            if follower.status is not Status.WAITING:
                continue
            follower.succeeded_before += status is Status.DONE
            follower.dead_before += status is not Status.DONE
            if follower.succeeded_before >= follower.step.needed:
                self._make_ready(follower)
            elif len(follower.step.after) - follower.dead_before < follower.step.needed:
                self.impossible[follower.step.id] = None

    # Queues

    def pass_time(self, now: datetime) -> None:
        """Put retries whose wait is over among the ready, and tries past their timeout among the overdue."""
        while self._due and self._due[0][0] <= now:
            at, name = heapq.heappop(self._due)
            if self._is_alarm_stale(at, name):
                continue
            if self.steps[name].status is Status.RETRYING:
                self._enqueue(self.steps[name])
            else:
                self.overdue[name] = None

    def wake_at(self) -> datetime | None:
        """When time alone will change what is to be done: the next timeout or retry."""
        while self._due and self._is_alarm_stale(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _is_alarm_stale(self, at: datetime, name: str) -> bool:
        """Whether an alarm was for a try that is over."""
        state = self.steps[name]
        if state.status is Status.RETRYING:
            return state.not_before != at
        if state.status is not Status.RUNNING or state.attempt_at is None:
            return True
        return state.attempt_at + state.step.timeout != at

    def _make_ready(self, state: StepState) -> None:
        gate = self.gates.get(state.step.id)
        if gate and not gate.is_open:
            state.status = Status.GATED
            self.unannounced[state.step.id] = None
        else:
            self._enqueue(state)
        self._release(state)

    def _enqueue(self, state: StepState) -> None:
        state.status, state.not_before = Status.READY, None
        self.ready[state.step.lane][state.step.id] = None

    def _stop_running(self, state: StepState) -> None:
        if state.status is Status.RUNNING:
            del self.running[state.step.id]
            self.overdue.pop(state.step.id, None)
            if state.step.lane:
                self.lanes_used[state.step.lane] -= 1

    def _release(self, state: StepState) -> None:
        """`state` waits for nothing any more: what came before it may have become a straggler."""
        freed = [state]
        while freed:
            current = freed.pop()
            if current.is_released:
                continue
            current.is_released = True
            for before in (self.steps[name] for name in current.step.after):
                before.waiting_after -= 1
                if before.waiting_after == 0 and before.status not in SETTLED:
                    self.needed_open -= 1
                    if before.status is Status.WAITING:
                        freed.append(before)  # nobody needs it, so nobody needs what it waits for


def begin(started: RunStarted, catalogue: Catalogue) -> RunState:
    """The state right after a run's first event."""
    return RunState(started.run, catalogue.from_data(started.plan, f"the plan of {started.run}"), started)


def fold(events: Iterable[Event], catalogue: Catalogue) -> RunState:
    """The state that events lead to; the first must be RunStarted."""
    stream = iter(events)
    first = next(stream, None)
    if not isinstance(first, RunStarted):
        raise ValueError("a run begins with run-started")  # noqa: TRY004 (the value, not its type)
    state = begin(first, catalogue)
    for event in stream:
        state.apply(event)
    return state

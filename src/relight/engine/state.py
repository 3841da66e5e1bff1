"""The state of a run: a fold over its events, indexed so that each event costs what it touches.

`fold(events)` is a function of the events alone: no clock, no I/O, no randomness. Inside, `apply` updates
one state in place and keeps the queues that `decide` reads (what is ready in each lane, what has become
impossible, which gates to announce), so that a plan of 10,000 steps costs 10,000 times one step and not its
square. `pass_time` moves what has become due into those queues. What people do (retry, skip, abort) is rare
and may reach far, so it has the indexes worked out anew.

A step is *needed* while a step that may still start waits for it, or if nothing comes after it; a step
that is neither settled nor needed is a straggler, and the run does not wait for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

from relight.engine.events import (
    AbortAsked,
    ApprovalGiven,
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    ClaimsTaken,
    Event,
    GateEscalated,
    GateExpired,
    GateReached,
    GateRefused,
    GroupOpened,
    LeaseTaken,
    RequestRefused,
    Resurveyed,
    RetryAsked,
    RunContinued,
    RunEnded,
    RunPaused,
    RunStarted,
    RunStuck,
    StepBlocked,
    StepLetGo,
    StepSkipped,
)
from relight.engine.steps import SETTLED, SUCCEEDED, GateState, Status, StepState, WindowState
from relight.engine.undoing import undo_steps
from relight.plan import Catalogue, Gate, Plan

_AGAIN = (
    "the controller was gone while {step} ran, and what it did cannot be looked up: go on? "
    "A command that still runs, or has ended, is taken up; else it is started again."
)
_BEYOND_BUDGET = "more of {window} failed than its budget of {budget} allows: go on with the others?"


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
        self.is_resurveyed = False
        self.worse: tuple[str, ...] = ()
        self.paused: RunPaused | None = None
        self.aborted: AbortAsked | None = None
        self.refused: GateRefused | GateExpired | None = None  # of an override: the run does not happen
        self.stuck: RunStuck | None = None
        self.refusals: list[RequestRefused] = []
        self.statements: set[str] = set()  # that people signed and that were taken: each counts once
        self.steps = {step.id: StepState(step) for step in plan.steps}
        self.gates = {
            f.gate: GateState(Gate(question=f.message, identities=f.identities)) for f in plan.overrides
        }
        self.overrides = tuple(self.gates)
        self.gates |= {step.id: GateState(step.gate) for step in plan.steps if step.gate}
        self.windows = {
            name: WindowState(window, allowed_failures=window.budget) for name, window in plan.windows.items()
        }
        # What decide reads; dicts are ordered sets.
        self.ready: dict[str | None, dict[str, None]] = {lane: {} for lane in (None, *plan.lanes)}
        self.running: dict[str, None] = {}
        self.overdue: dict[str, None] = {}
        self.impossible: dict[str, None] = {}
        self.failed: dict[str, None] = {}
        self.unannounced: dict[str, None] = dict.fromkeys(self.overrides)
        self.gates_due: dict[str, None] = {}
        self.lanes_used: dict[str, int] = dict.fromkeys(plan.lanes, 0)
        self._due: list[tuple[datetime, str]] = []  # of steps
        self._gates_due: list[tuple[datetime, str]] = []
        self._order: tuple[str, ...] = ()
        self._reindex()

    # Questions

    @property
    def unmet_overrides(self) -> tuple[str, ...]:
        """The override gates that still wait for people."""
        return tuple(name for name in self.overrides if not self.gates[name].is_open)

    @property
    def waiting_gates(self) -> dict[str, GateState]:
        """The gates that the run has reached and that still decide something: not open, not refused."""
        return {
            name: gate
            for name, gate in self.gates.items()
            if gate.reached_at and not gate.is_open and not gate.refused_by and not self._is_moot(name)
        }

    def _is_moot(self, gate: str) -> bool:
        """Whether what stands behind a gate is settled already: it was skipped, or the run aborted."""
        name = gate.removeprefix("again:")
        if name in self.steps:
            return self.steps[name].status in SETTLED
        return self.aborted is not None

    @property
    def waits_for_people(self) -> bool:
        """Whether only people can move the run on: a gate, a pause, or a step that failed for good."""
        idle = not self.running and self.wake_at(gates=False) is None
        return idle and not self.ended and bool(self.waiting_gates or self.paused or self.stuck)

    def is_needed(self, name: str) -> bool:
        """Whether the run waits for this step: see the module."""
        return not self.after[name] or self.steps[name].waiting_after > 0

    # Events

    def apply(self, event: Event) -> None:  # noqa: PLR0912 (one branch an event is the whole idea)
        """Take in what happened."""
        match event:
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
            case StepSkipped():
                self._skip(event)
            case RetryAsked():
                self._revive(event.step)
            case GroupOpened():
                self._open_group(event.window, event.group)
            case GateReached():
                self._reach_gate(event)
            case ApprovalGiven():
                self.statements.add(event.evidence.get("statement", ""))
                if event.gate in self.gates and event.digest == self.plan.digest:
                    self.gates[event.gate].approve(event)
                    self._pass_gate(event.gate)
            case GateEscalated():
                self._escalate(event)
            case GateRefused():
                self.statements.add(event.evidence.get("statement", ""))
                self._close_gate(event)
            case GateExpired():
                self._close_gate(event)
            case AbortAsked():
                self._abort(event)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        """Events that only leave a mark."""
        match event:
            case LeaseTaken():
                self.term, self.holder = event.term, event.holder
            case ClaimsTaken():
                self.has_claims = True
            case Resurveyed():
                self.is_resurveyed, self.worse = True, event.worse
            case RequestRefused():
                self.refusals.append(event)
            case RunPaused():
                self.paused = event
            case RunContinued():
                self.paused = None
            case RunStuck():
                self.stuck = event
            case RunEnded():
                self.ended = event
            case _:
                raise ValueError(f"a run cannot take in {event.type}")

    # Attempts

    def _start(self, event: AttemptStarted) -> None:
        state = self.steps[event.step]
        # In a replay nobody told the time: a retry that had become ready is still waiting here.
        self.ready[state.step.lane].pop(event.step, None)
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
            self.gates[gate] = GateState(Gate(question=_AGAIN.format(step=event.step)))
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
        if state.status in SETTLED:
            return
        self._leave_queues(state)
        if self.is_needed(name):
            self.needed_open -= 1
        state.status, state.ended_at, state.facts = status, at, facts
        state.reason, state.remedy = reason, remedy
        if status is Status.FAILED:
            self.failed[name] = None
        self._release(state)
        self._leave_group(state)
        for follower in (self.steps[after] for after in self.after[name]):
            if follower.status is Status.WAITING:
                follower.succeeded_before += status in SUCCEEDED
                follower.dead_before += status not in SUCCEEDED
                self._settle_join(follower)

    def _settle_join(self, state: StepState) -> None:
        """Let a waiting step start when its join is met, and name it when it can never be."""
        if state.succeeded_before >= state.step.needed:
            self._make_ready(state)
        elif len(state.step.after) - state.dead_before < state.step.needed:
            self.impossible[state.step.id] = None

    # Time

    def pass_time(self, now: datetime) -> None:
        """Put what has become due where `decide` finds it: retries, timeouts, gates nobody answered."""
        while self._due and self._due[0][0] <= now:
            at, name = heapq.heappop(self._due)
            if self._is_alarm_stale(at, name):
                continue
            if self.steps[name].status is Status.RETRYING:
                self._enqueue(self.steps[name])
            else:
                self.overdue[name] = None
        while self._gates_due and self._gates_due[0][0] <= now:
            _, gate = heapq.heappop(self._gates_due)
            if gate in self.waiting_gates:
                self.gates_due[gate] = None

    def wake_at(self, *, gates: bool = True) -> datetime | None:
        """When time alone will change what is to be done: the next timeout, retry or gate's limit."""
        while self._due and self._is_alarm_stale(*self._due[0]):
            heapq.heappop(self._due)
        heads = [heap[0][0] for heap in (self._due, self._gates_due if gates else []) if heap]
        return min(heads, default=None)

    def _is_alarm_stale(self, at: datetime, name: str) -> bool:
        """Whether an alarm was for a try that is over."""
        state = self.steps[name]
        if state.status is Status.RETRYING:
            return state.not_before != at
        if state.status is not Status.RUNNING or state.attempt_at is None:
            return True
        return state.attempt_at + state.step.timeout != at

    # Gates and people

    def _reach_gate(self, event: GateReached) -> None:
        gate = self.gates[event.gate]
        gate.reached_at = event.at
        self.unannounced.pop(event.gate, None)
        for limit in (gate.gate.escalate_after, gate.gate.expire_after):
            if limit is not None:
                heapq.heappush(self._gates_due, (event.at + limit, event.gate))

    def _escalate(self, event: GateEscalated) -> None:
        self.gates[event.gate].escalated_at = event.at
        self.gates_due.pop(event.gate, None)

    def _pass_gate(self, name: str) -> None:
        """Let start what stood behind a gate, if it is open now."""
        gate = self.gates[name]
        if not gate.is_open:
            return
        self.gates_due.pop(name, None)
        if name.startswith("window:"):
            window = self.windows[name.removeprefix("window:")]
            window.allowed_failures = len(window.failed) + window.window.budget
            del self.gates[name]  # the next time that it is spent is another question
            return
        state = self.steps.get(name.removeprefix("again:"))
        if state and state.status is Status.ASKING:
            del self.gates[name]  # the next cut-off asks anew
            self._enqueue(state)
        elif state and state.status is Status.GATED:
            self._admit(state)

    def _close_gate(self, event: GateExpired | GateRefused) -> None:
        gate = self.gates.get(event.gate)
        self.gates_due.pop(event.gate, None)
        if gate is None or (isinstance(event, GateRefused) and event.digest != self.plan.digest):
            return
        if isinstance(event, GateExpired) and event.fallback == "approve":
            gate.is_granted = True
            self._pass_gate(event.gate)
            return
        who = event.identity if isinstance(event, GateRefused) else "nobody in time"
        why = event.reason if isinstance(event, GateRefused) else "the gate's limit has passed"
        gate.refused_by = who
        self.unannounced.pop(event.gate, None)
        if event.gate in self.overrides:
            self.refused = event
        elif event.gate.startswith("window:"):
            self.windows[event.gate.removeprefix("window:")].is_closed = True
        elif (name := event.gate.removeprefix("again:")) in self.steps:
            self._finish(name, Status.FAILED, event.at, reason=f"refused by {who}: {why}")

    def _skip(self, event: StepSkipped) -> None:
        state = self.steps[event.step]
        self._leave_queues(state)
        state.status, state.ended_at, state.facts = Status.SKIPPED, event.at, event.facts
        state.reason = f"skipped by {event.identity}: {event.reason}"
        self._reindex()

    def _revive(self, name: str) -> None:
        state = self.steps[name]
        self._leave_queues(state)
        state.failures, state.reason, state.remedy, state.ended_at = 0, "", "", None
        gate = self.gates.get(name)
        if gate and gate.refused_by:
            gate.refused_by = ""  # asked again: it was the answer that made the step fail
        state.status = Status.WAITING
        self._reindex()

    def _abort(self, event: AbortAsked) -> None:
        self.aborted, self.paused, self.stuck = event, None, None
        for state in list(self.steps.values()):
            if state.status not in SETTLED:
                self._leave_queues(state)
                state.status, state.ended_at = Status.LET_GO, event.at
                state.reason = f"aborted by {event.identity}: {event.reason}"
        self.unannounced.clear()
        if event.undo:
            for step in undo_steps(self._order, self.steps, self.after):
                self.steps[step.id] = StepState(step)
        self._order = ()
        self._reindex()

    # Windows

    def _open_group(self, name: str, group: str) -> None:
        window = self.windows[name]
        window.opened[group] = window.under_way[group] = None
        for held in window.waiting.pop(group, []):
            self._enqueue(self.steps[held])

    def _admit(self, state: StepState) -> None:
        """Past its gate: ready, or held until its group may begin."""
        step = state.step
        window = self.windows.get(step.window or "")
        if window is None or step.group is None or step.group in window.opened:
            self._enqueue(state)
        else:
            state.status = Status.HELD
            window.waiting.setdefault(step.group, []).append(step.id)
            self._ask_beyond_budget(step.window or "")

    def _ask_beyond_budget(self, name: str) -> None:
        """Have people asked whether a window goes on, if it is halted and something waits for it."""
        window, gate = self.windows[name], f"window:{name}"
        if window.is_halted and window.waiting and gate not in self.gates:
            question = _BEYOND_BUDGET.format(window=name, budget=window.window.budget)
            self.gates[gate] = GateState(Gate(question=question, identities=window.window.identities))
            self.unannounced[gate] = None

    def _leave_group(self, state: StepState) -> None:
        step = state.step
        if step.window is None or step.group is None:
            return
        window = self.windows[step.window]
        window.left[step.group] -= 1
        if state.status not in SUCCEEDED:
            window.dead[step.group] = None
            self._ask_beyond_budget(step.window)
        if window.left[step.group] == 0 and step.group in window.under_way:
            del window.under_way[step.group]
            window.succeeded += step.group not in window.dead

    # Queues

    def _make_ready(self, state: StepState) -> None:
        gate = self.gates.get(state.step.id)
        if gate and not gate.is_open:
            state.status = Status.GATED
            if not gate.reached_at:
                self.unannounced[state.step.id] = None
        else:
            self._admit(state)
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

    def _leave_queues(self, state: StepState) -> None:
        """Take a step out of every queue, whatever it was waiting for or doing."""
        name, step = state.step.id, state.step
        self._stop_running(state)
        self.ready[step.lane].pop(name, None)
        self.impossible.pop(name, None)
        self.failed.pop(name, None)
        for gate in (name, f"again:{name}"):
            self.unannounced.pop(gate, None)
        self.gates.pop(f"again:{name}", None)
        if state.status is Status.HELD and step.window is not None and step.group is not None:
            waiting = self.windows[step.window].waiting
            waiting[step.group].remove(name)
            if not waiting[step.group]:
                del waiting[step.group]

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

    def _reindex(self) -> None:
        """Work out every count anew from where the steps stand, and what follows from it."""
        if not self._order:
            graph = {name: state.step.after for name, state in self.steps.items()}
            self._order = tuple(TopologicalSorter(graph).static_order())
            self.after: dict[str, list[str]] = {name: [] for name in self.steps}
            for name, state in self.steps.items():
                for before in state.step.after:
                    self.after[before].append(name)
        self.stuck = None
        for name in self._order:
            self._count_before(name)
        for name in reversed(self._order):
            self._count_followers(name)
        self.needed_open = sum(
            state.status not in SETTLED and self.is_needed(name) for name, state in self.steps.items()
        )
        self._count_groups()
        for name in self._order:
            if self.steps[name].status is Status.WAITING:
                self._settle_join(self.steps[name])

    def _count_groups(self) -> None:
        for window in self.windows.values():
            for kept in (window.left, window.waiting, window.under_way, window.dead):
                kept.clear()
        for state in self.steps.values():
            step = state.step
            if step.window is None or step.group is None:
                continue
            window = self.windows[step.window]
            window.left[step.group] = window.left.get(step.group, 0) + (state.status not in SETTLED)
            if state.status is Status.HELD:
                window.waiting.setdefault(step.group, []).append(step.id)
            if state.status in SETTLED - SUCCEEDED:
                window.dead[step.group] = None
        for window in self.windows.values():
            window.under_way |= {group: None for group in window.opened if window.left[group]}
            ended = [group for group in window.opened if not window.left[group]]
            window.succeeded = sum(group not in window.dead for group in ended)

    def _count_before(self, name: str) -> None:
        """What came of the steps before; a blocked one waits again if its join can be met after all."""
        state = self.steps[name]
        before = [self.steps[b].status for b in state.step.after]
        state.succeeded_before = sum(status in SUCCEEDED for status in before)
        state.dead_before = sum(status in SETTLED and status not in SUCCEEDED for status in before)
        window = self.windows.get(state.step.window or "")
        if window and window.is_closed and state.step.group not in window.opened:
            return  # people said no to it, whatever came of the steps before
        if state.status is Status.BLOCKED and len(before) - state.dead_before >= state.step.needed:
            state.status, state.ended_at, state.reason = Status.WAITING, None, ""

    def _count_followers(self, name: str) -> None:
        """How many of the steps behind still wait for it, and whether it waits for anything itself."""
        state = self.steps[name]
        followers = [self.steps[after] for after in self.after[name]]
        state.waiting_after = sum(not follower.is_released for follower in followers)
        unneeded = bool(followers) and state.waiting_after == 0
        state.is_released = state.status is not Status.WAITING or unneeded


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

"""Which steps decided when a run was done, from the times that were: the critical path.

Backwards from a step: it could start when the last of what it needed had succeeded (of an "at least k" join:
the k-th to succeed), so that one was decisive. What lies between its end and the step's own is divided into
waiting for people, waiting for room, and work; so all parts of the path together are the time it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.control.report import CriticalStep, GateReport
from relight.engine import (
    SUCCEEDED,
    AttemptFailed,
    Event,
    RetryAsked,
    RunContinued,
    RunPaused,
    RunState,
    Status,
    StepSkipped,
    StepState,
)

_ZERO = timedelta(0)
_CONCLUSIVE = SUCCEEDED | {Status.FAILED}


@dataclass(frozen=True)
class Span:
    """A time between two instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class PeopleTimes:
    """When people were waited for: before anything could start, before one step could, while it was on."""

    everywhere: tuple[Span, ...]  # findings to be signed, pauses
    before: Mapping[str, Sequence[Span]]  # by step: its gate, its window's
    during: Mapping[str, Sequence[Span]]  # by step: whether to go on after a cut-off or a failure

    def held(self, step: str, start: datetime, end: datetime) -> timedelta:
        """How much of a time people kept the step from starting."""
        return _covered(Span(start, end), (*self.everywhere, *self.before.get(step, ())))

    def asked(self, step: str, start: datetime, end: datetime) -> timedelta:
        """How much of a time a step that had begun waited for people."""
        return _covered(Span(start, end), self.during.get(step, ()))


def people_times(state: RunState, events: Sequence[Event], gates: Iterable[GateReport]) -> PeopleTimes:
    """When a run waited for people, up to its last event."""
    last = events[-1].at if events else state.started_at
    everywhere, during = _pauses(events, last), _failures(events)
    before: dict[str, list[Span]] = {}
    for gate in gates:
        span = Span(gate.reached_at, gate.answered_at or last)
        kind, _, name = gate.gate.partition(":")
        if gate.gate in state.overrides:
            everywhere.append(span)
        elif kind == "window":
            for step in state.plan.steps:
                if step.window == name:
                    before.setdefault(step.id, []).append(span)
        elif kind == "again":
            during.setdefault(name, []).append(span)
        else:
            before.setdefault(gate.gate, []).append(span)
    return PeopleTimes(tuple(everywhere), before, during)


def _pauses(events: Iterable[Event], last: datetime) -> list[Span]:
    spans: list[Span] = []
    paused: datetime | None = None
    for event in events:
        if isinstance(event, RunPaused):
            paused = paused or event.at
        elif isinstance(event, RunContinued) and paused:
            spans.append(Span(paused, event.at))
            paused = None
    return [*spans, Span(paused, last)] if paused else spans


def _failures(events: Iterable[Event]) -> dict[str, list[Span]]:
    """From each failure of a step that people answered to that answer."""
    spans: dict[str, list[Span]] = {}
    failed: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, AttemptFailed):
            failed[event.step] = event.at
        elif isinstance(event, (RetryAsked, StepSkipped)) and event.step in failed:
            spans.setdefault(event.step, []).append(Span(failed.pop(event.step), event.at))
    return spans


def critical_path(state: RunState, people: PeopleTimes, end: str) -> tuple[CriticalStep, ...]:
    """The steps that decided when `end` was done, the first of them first; empty if it has not ended."""
    path: list[CriticalStep] = []
    name: str | None = end
    while name is not None:
        step = state.steps[name]
        if step.ended_at is None:
            break
        before = _decisive(state, step)
        ready_at = state.steps[before].ended_at if before else None
        path.append(_measured(step, ready_at or state.started_at, step.ended_at, people))
        name = before
    return tuple(reversed(path))


def last_step(state: RunState) -> str | None:
    """The step that ended the work: the last end of the plan to come, else the last that was tried.

    Stragglers do not count: nothing waited for them.
    """
    ended = {
        name: at
        for name in state.plan.by_id
        if state.steps[name].status in _CONCLUSIVE and (at := state.steps[name].ended_at)
    }
    followed = {before for step in state.plan.steps for before in step.after}
    ends = {name: at for name, at in ended.items() if name not in followed}
    return max(ends or ended, key=lambda name: ended[name], default=None)


def _decisive(state: RunState, step: StepState) -> str | None:
    """Which of what a step comes after it waited for in the end."""
    if not step.step.needed:
        return None
    succeeded = [
        (ended, name)
        for name in step.step.after
        if state.steps[name].status in SUCCEEDED and (ended := state.steps[name].ended_at)
    ]
    succeeded.sort()
    return succeeded[step.step.needed - 1][1] if len(succeeded) >= step.step.needed else None


def _measured(step: StepState, ready_at: datetime, ended_at: datetime, people: PeopleTimes) -> CriticalStep:
    ready_at = min(ready_at, ended_at)
    began = min(max(step.started_at or ended_at, ready_at), ended_at)
    name = step.step.id
    before = people.held(name, ready_at, began)
    if step.started_at is None:
        before = began - ready_at  # never tried: a person answered for it
    during = people.asked(name, began, ended_at)
    return CriticalStep(
        step=name,
        title=step.step.title,
        ended_at=ended_at,
        waited_for_people=before + during,
        waited_for_room=began - ready_at - before,
        worked=ended_at - began - during,
    )


def _covered(whole: Span, spans: Iterable[Span]) -> timedelta:
    """How much of `whole` is in any of the spans, which may overlap."""
    total, reached = _ZERO, whole.start
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(span.start, reached), min(span.end, whole.end)
        if end > start:
            total += end - start
            reached = end
    return total

"""The timeline of a run: every event as a sentence, and how long people took at each gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from relight.control.report import Answer, GateReport, TimelineEntry
from relight.engine import (
    ApprovalGiven,
    Event,
    GateEscalated,
    GateExpired,
    GateReached,
    GateRefused,
    RetryAsked,
    RunStarted,
)
from relight.markdown import named

About = Literal["people", "controller", "trouble", "work", "progress"]


@dataclass(frozen=True)
class Saying:
    """How an event of a type is told; Any, as each sentence knows the type it is for."""

    about: About
    sentence: Callable[[Any], str]


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


SAYINGS: Mapping[str, Saying] = {
    "run-started": Saying("people", lambda e: f"{e.by} submitted the plan {e.digest}"),
    "lease-taken": Saying("controller", lambda e: f"controller {e.holder} drives the run (term {e.term})"),
    "claims-taken": Saying("controller", lambda e: f"took {named(e.claims) or 'nothing'} for itself"),
    "resurveyed": Saying("controller", lambda e: _resurveyed(e.worse)),
    "gate-reached": Saying("people", lambda e: f"{e.gate} waits for {e.identities}: {e.question}"),
    "gate-escalated": Saying("people", lambda e: f"{e.gate}: nobody answered; called {named(e.to)} too"),
    "gate-expired": Saying("people", lambda e: f"{e.gate}: nobody answered; it counts as {e.fallback}d"),
    "gate-refused": Saying("people", lambda e: f"{e.identity} refused {e.gate}{_because(e.reason)}"),
    "approval-given": Saying("people", lambda e: f"{e.identity} approved {e.gate}{_because(e.reason)}"),
    "run-paused": Saying("people", lambda e: f"{e.identity} paused the run{_because(e.reason)}"),
    "run-continued": Saying("people", lambda e: f"{e.identity} let the run go on{_because(e.reason)}"),
    "retry-asked": Saying("people", lambda e: f"{e.identity} had {e.step} tried again{_because(e.reason)}"),
    "step-skipped": Saying("people", lambda e: f"{e.identity} answered for {e.step}{_because(e.reason)}"),
    "abort-asked": Saying(
        "people", lambda e: f"{e.identity} aborted the run{_undoing(e)}{_because(e.reason)}"
    ),
    "request-refused": Saying("people", lambda e: f"refused to {e.identity}: {e.request}: {e.why}"),
    "run-stuck": Saying("trouble", lambda e: f"cannot go on without people: {named(e.steps)}"),
    "group-opened": Saying("work", lambda e: f"{e.group} of {e.window} began"),
    "attempt-started": Saying("work", lambda e: f"{e.step} began{_attempt(e.attempt)}"),
    "attempt-progressed": Saying("progress", lambda e: f"{e.step}: {e.progress.note}"),
    "attempt-done": Saying("work", lambda e: f"{e.step} is done{_attempt(e.attempt)}"),
    "attempt-retried": Saying("trouble", lambda e: f"{e.step} did not work{_attempt(e.attempt)}: {e.reason}"),
    "attempt-failed": Saying("trouble", lambda e: f"{e.step} failed{_attempt(e.attempt)}: {e.reason}"),
    "attempt-interrupted": Saying("trouble", lambda e: f"{e.step} was cut off{_attempt(e.attempt)}"),
    "step-blocked": Saying("trouble", lambda e: f"{e.step} will not start: {e.reason}"),
    "step-let-go": Saying("trouble", lambda e: f"{e.step} was let go: {e.reason}"),
    "run-ended": Saying("controller", lambda e: f"the run is {e.result}{_because(e.reason)}"),
}
"""One entry a type of event; a test holds that none is missing."""


def timeline_of(events: Iterable[Event]) -> tuple[TimelineEntry, ...]:
    """Everything that happened, in order, but for progress; an answer says how long its gate had waited."""
    reached: dict[str, datetime] = {}
    entries = []
    for event in events:
        saying = SAYINGS.get(event.type) or _unknown(event)
        if saying.about == "progress":
            continue
        gate = str(getattr(event, "gate", ""))
        waited = None
        if isinstance(event, GateReached):
            reached[gate] = event.at
        elif isinstance(event, (ApprovalGiven, GateRefused, GateExpired)) and gate in reached:
            waited = event.at - reached[gate]
        entries.append(
            TimelineEntry(
                at=event.at,
                type=event.type,
                about=saying.about,
                text=saying.sentence(event),
                who=str(getattr(event, "identity", getattr(event, "by", ""))),
                step=str(getattr(event, "step", "")),
                gate=gate,
                waited=None if waited is None else max(timedelta(0), waited),
            )
        )
    return tuple(entries)


def gates_of(events: Iterable[Event]) -> tuple[GateReport, ...]:
    """Every time that the run waited for people at a gate, in the order that it came to them."""
    asked: list[_Asked] = []
    last: dict[str, _Asked] = {}
    early: dict[str, list[ApprovalGiven]] = {}
    digest = ""
    for event in events:
        match event:
            case RunStarted():
                digest = event.digest
            case GateReached():
                last[event.gate] = _Asked(event, early.pop(event.gate, []))
                asked.append(last[event.gate])
            case ApprovalGiven() if event.digest == digest:
                if event.gate in last and last[event.gate].answer == "open":
                    last[event.gate].approve(event)
                elif event.gate not in last:
                    early.setdefault(event.gate, []).append(event)
            case GateRefused() if event.gate in last and event.digest == digest:
                last[event.gate].close(event.at, "refused", event.identity)
            case GateEscalated() if event.gate in last:
                last[event.gate].escalated_at = event.at
            case GateExpired() if event.gate in last:
                said = event.fallback == "approve"
                last[event.gate].close(event.at, "expired, so approved" if said else "expired, so refused")
            case RetryAsked() if event.step in last and last[event.step].answer.endswith("refused"):
                # What was refused is asked again, without being announced again.
                last[event.step] = _Asked(last[event.step].reached.model_copy(update={"at": event.at}), [])
                asked.append(last[event.step])
            case _:
                pass
    return tuple(gate.report() for gate in asked)


@dataclass
class _Asked:
    reached: GateReached
    given: list[ApprovalGiven]
    escalated_at: datetime | None = None
    answered_at: datetime | None = None
    answer: Answer = "open"
    by: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        before, self.given = self.given, []
        for approval in before:
            self.approve(approval)

    def approve(self, approval: ApprovalGiven) -> None:
        """Count an approval as the engine does: one person once, one key once."""
        keys = {given.key for given in self.given if given.key}
        if approval.identity in self.by or approval.key in keys:
            return
        self.given.append(approval)
        self.by.append(approval.identity)
        if len(self.by) == self.reached.identities:
            self.close(approval.at, "approved")

    def close(self, at: datetime, answer: Answer, *by: str) -> None:
        if self.answer == "open":
            self.answered_at, self.answer = max(at, self.reached.at), answer
            self.by = list(by) or self.by

    def report(self) -> GateReport:
        waited = None if self.answered_at is None else self.answered_at - self.reached.at
        return GateReport(
            gate=self.reached.gate,
            question=self.reached.question,
            identities=self.reached.identities,
            reached_at=self.reached.at,
            escalated_at=self.escalated_at,
            answered_at=self.answered_at,
            answer=self.answer,
            by=tuple(self.by),
            waited=waited,
        )


def _attempt(number: int) -> str:
    return f" (try {number})" if number > 1 else ""


def _undoing(event: Any) -> str:
    return ", and has what was done taken back" if event.undo else ""


def _resurveyed(worse: tuple[str, ...]) -> str:
    if not worse:
        return "looked at the world again: nothing has become worse"
    return f"looked at the world again: worse: {'; '.join(worse)}"


def _unknown(event: Event) -> Saying:
    """Of a type that a later version writes: its fields as they are."""
    fields = event.model_dump(mode="json", exclude={"at", "type"}, exclude_defaults=True)
    told = ", ".join(f"{name} {value}" for name, value in fields.items())
    return Saying("trouble", lambda _: f"{event.type.replace('-', ' ')}{_because(told)}")

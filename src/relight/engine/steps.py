"""One step, one gate, one window of a run, as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from relight.engine.events import ApprovalGiven
from relight.plan import Gate, Progress, Step, Window

UNDO = "undo."
"""Before the id of a step, the id of what undoes it; no step of a plan may begin with it."""


class Status(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"  # for what it comes after
    GATED = "gated"  # people decide whether it starts
    HELD = "held"  # its window has no room for its group yet
    READY = "ready"  # may start: lane and room permitting
    RUNNING = "running"
    RETRYING = "retrying"  # a try failed, the next has its time
    ASKING = "asking"  # a try was cut off and a person decides
    DONE = "done"
    SKIPPED = "skipped"  # a person answered for it
    FAILED = "failed"
    BLOCKED = "blocked"  # will not start: too much before it failed
    LET_GO = "let go"  # nothing waited for it any more


SUCCEEDED = frozenset({Status.DONE, Status.SKIPPED})
SETTLED = SUCCEEDED | {Status.FAILED, Status.BLOCKED, Status.LET_GO}


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
    """A gate as it stands. One person counts once, and so does one key: two identities are two of both."""

    gate: Gate
    reached_at: datetime | None = None
    escalated_at: datetime | None = None
    approvals: dict[str, ApprovalGiven] = field(default_factory=dict)
    is_granted: bool = False  # by its fallback: nobody answered
    refused_by: str = ""

    @property
    def question(self) -> str:
        """What people are asked."""
        return self.gate.question

    @property
    def identities(self) -> int:
        """How many people must approve."""
        return self.gate.identities

    @property
    def is_open(self) -> bool:
        """Whether enough people approved."""
        return self.is_granted or len(self.approvals) >= self.gate.identities

    def approve(self, approval: ApprovalGiven) -> None:
        """Count an approval, unless this person or this key is counted already."""
        keys = {given.key for given in self.approvals.values() if given.key}
        if approval.identity not in self.approvals and approval.key not in keys:
            self.approvals[approval.identity] = approval


@dataclass(slots=True)
class WindowState:
    """A rolling window as it stands; groups by name, dicts as ordered sets."""

    window: Window
    left: dict[str, int] = field(default_factory=dict)  # steps of each group that are not settled
    waiting: dict[str, list[str]] = field(default_factory=dict)  # groups not begun, with their held steps
    opened: dict[str, None] = field(default_factory=dict)
    under_way: dict[str, None] = field(default_factory=dict)
    succeeded: int = 0
    dead: dict[str, None] = field(default_factory=dict)  # groups of which a step did not succeed
    allowed_failures: int = 0
    is_closed: bool = False  # people said no: nothing further begins

    @property
    def failed(self) -> tuple[str, ...]:
        """The groups that began and did not come through; one that never began cost nothing."""
        return tuple(group for group in self.dead if group in self.opened)

    @property
    def is_halted(self) -> bool:
        """Whether more groups failed than may, so that people must say whether to go on."""
        return len(self.failed) > self.allowed_failures

    @property
    def room(self) -> int:
        """How many groups may begin now."""
        if self.is_halted or self.is_closed:
            return 0
        proven = self.succeeded >= self.window.canaries
        size = self.window.size if proven else min(self.window.size, self.window.canaries - self.succeeded)
        return max(0, size - len(self.under_way))

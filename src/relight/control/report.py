"""What a run came to, as values: the shapes of a report. Fields may join; what is there keeps its meaning."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from relight.canonical import Frozen
from relight.plan import Estimate
from relight.units import Duration

Answer = Literal["approved", "refused", "expired, so approved", "expired, so refused", "open"]


class StepReport(Frozen):
    """One step: how long it took against how long it was to take."""

    step: str
    title: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    took: Duration | None
    forecast: Estimate
    attempts: int
    reason: str = ""


class WorkloadReport(Frozen):
    """One workload: what was reached against what was declared; None where the run did not show it."""

    workload: str
    is_back: bool
    rto_objective: Duration
    rto: Duration | None
    rto_forecast: Estimate | None
    rto_met: bool
    rpo_objective: Duration
    rpo: Duration | None
    rpo_steps: int | None
    rpo_gpu_hours: float | None
    rpo_met: bool | None
    restored_point: str | None
    resumed_from_step: int | None
    passed_over: tuple[str, ...] = ()


class PersonSaid(Frozen):
    """An approval, for the record."""

    at: datetime
    identity: str
    gate: str
    reason: str


class GateReport(Frozen):
    """A gate that the run came to, and how long people took."""

    gate: str
    question: str
    identities: int
    reached_at: datetime
    escalated_at: datetime | None = None
    answered_at: datetime | None = None
    answer: Answer = "open"
    by: tuple[str, ...] = ()
    waited: Duration | None = None  # None: it is still open


class CriticalStep(Frozen):
    """A step on the way that decided when all was done: each waits for the one before it.

    The four parts of all of them together are the time from the run's start to the end of the last.
    """

    step: str
    title: str
    ended_at: datetime
    waited_for_people: Duration  # gates, pauses, and answers to what had failed
    waited_for_room: Duration  # a lane, a window, a worker, a controller
    worked: Duration  # tries and the waits between them

    @property
    def took(self) -> timedelta:
        """From when it could have started, had everything been there, to its end."""
        return self.waited_for_people + self.waited_for_room + self.worked


class TimelineEntry(Frozen):
    """One thing that happened."""

    at: datetime
    type: str  # of the event
    about: Literal["people", "controller", "trouble", "work"]
    text: str
    who: str = ""
    step: str = ""
    gate: str = ""
    waited: Duration | None = None  # of an answer: since the gate was reached


class Improvement(Frozen):
    """Something to make better before the next time; `cost` is the time that it took of this run."""

    code: str
    subject: str
    message: str
    remedy: str
    cost: Duration | None = None


class Report(Frozen):
    """A run, from its events alone."""

    run: str
    runbook: str
    goal: str
    by: str
    result: str  # "done", "failed", "refused", "aborted" or "running"
    reason: str
    started_at: datetime
    ended_at: datetime | None
    took: Duration | None
    forecast: Estimate | None
    workloads: tuple[WorkloadReport, ...]
    steps: tuple[StepReport, ...]
    approvals: tuple[PersonSaid, ...]
    refused_requests: tuple[str, ...]
    controllers: int  # how many times a controller took the run up
    interruptions: int  # tries that were cut off
    retries: int
    gates: tuple[GateReport, ...] = ()
    critical_path: tuple[CriticalStep, ...] = ()  # to the last step that mattered, the first of them first
    timeline: tuple[TimelineEntry, ...] = ()
    improve: tuple[Improvement, ...] = ()  # what cost the most first

    @property
    def objectives_met(self) -> bool:
        """Whether every workload came back within its objectives, as far as the run shows."""
        return all(w.is_back and w.rto_met and w.rpo_met is not False for w in self.workloads)

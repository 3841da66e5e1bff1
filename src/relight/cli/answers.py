"""What `--json` prints: one shape per command, documented in docs/guides/command.md.

`version` grows when a shape changes in a way that could break a reader; fields may join without that. Times
are ISO 8601 in UTC, durations are written as the estate writes them ("1h30m").
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from relight.canonical import Frozen
from relight.cli.waits import Wait
from relight.control import Exposure, Report
from relight.control.changes import ChangeWord
from relight.control.preflight import CheckResult, PlanReadiness
from relight.estate import Objective
from relight.plan import Estimate, PlanDifference, Progress
from relight.situation import Authority, Observed, Opinion, PointSummary, Verdict
from relight.units import Duration

RunWord = Literal["done", "failed", "refused", "aborted", "driven", "waits", "left", "unreadable"]
"""How it is with a run. driven: a controller is at it; waits: for people; left: nobody drives it."""


class Answer(Frozen):
    """Every answer says which version of its shape it has."""

    version: Literal[1] = 1


class FoundFault(Frozen):
    """One thing that `check` found; line and column count from 1, None where there is no place."""

    severity: Literal["error", "warning"]
    what: str
    remedy: str
    code: str = ""
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None


class CheckAnswer(Answer):
    """`relight check`."""

    file: str
    is_usable: bool  # whether the file could be read as an estate at all
    errors: int
    warnings: int
    faults: tuple[FoundFault, ...]
    runbooks: tuple[str, ...]  # those of the project that load


class ShownPool(Frozen):
    """One pool of a stack: nodes by rung, in quiet times and at full size."""

    machine: str
    gpus_each: int
    quiet: dict[str, int]
    full: dict[str, int]
    guaranteed: int  # of the full ones, those that are sure
    idle_usd_per_hour: float  # of reservations and commitments: what nobody uses in quiet times
    quiet_usd_per_hour: float  # of all its nodes in quiet times, the idle part in it
    full_usd_per_hour: float
    is_priced: bool  # whether the estate has a price for all that costs


class ShownResource(Frozen):
    """One resource of a stack; `billed_while_asleep`, or at full size if that is shown."""

    name: str
    kind: str
    within: str
    billed: str
    billed_while_asleep: bool
    note: str


class StackAnswer(Answer):
    """`relight stacks show`."""

    stack: str
    meaning: str
    pools: dict[str, ShownPool]
    resources: tuple[ShownResource, ...]
    size: Literal["quiet", "full"]
    warnings: tuple[str, ...]


class DriftAnswer(Answer):
    """`relight stacks drift`; `drifted` has a line per resource, as "update TYPE NAME: property"."""

    clean: tuple[str, ...]
    drifted: dict[str, tuple[str, ...]]
    unknown: dict[str, str]  # stacks that could not be looked at, or not wholly, and why
    never_up: tuple[str, ...] = ()  # stacks with nothing in them


class PreviewAnswer(Answer):
    """`relight stacks preview`."""

    stack: str
    digest: str
    same: int
    changes: tuple[dict[str, Any], ...]


class SiteStatus(Frozen):
    """One site as it is seen now."""

    verdicts: dict[str, Verdict]
    lost_since: dict[str, datetime]  # per capability that is not healthy, where any observer saw it up before
    opinions: tuple[Opinion, ...]
    silent_observers: dict[str, str]
    gpus: int
    free_gpus: Observed[int]
    running: Observed[tuple[str, ...]]


class SeenPoints(Frozen):
    """The points of a workload in one store."""

    count: int
    newest: PointSummary | None


class WorkloadStatus(Frozen):
    """One workload as it is seen now; `authority` and `exposure` are None for one that writes nothing."""

    kind: str
    objective: Objective
    active_site: str | None
    authority: Observed[Authority] | None
    points: dict[str, Observed[SeenPoints]]
    exposure: Exposure | None


class NameStatus(Frozen):
    """One DNS name: the address that each of its servers gives."""

    name: str
    addresses: dict[str, Observed[str]]


class Silence(Frozen):
    """Something that was asked and gave no answer."""

    what: str
    reason: str


class RunLine(Frozen):
    """A run in a list."""

    run: str
    runbook: str
    goal: str
    by: str
    started_at: datetime
    ended_at: datetime | None
    state: RunWord
    reason: str
    events: int


class StatusAnswer(Answer):
    """`relight status`."""

    estate: str
    now: datetime
    sites: dict[str, SiteStatus]
    workloads: dict[str, WorkloadStatus]
    names: dict[str, NameStatus]
    silent: tuple[Silence, ...]
    runs: tuple[RunLine, ...]  # the newest last


class PlanAnswer(Answer):
    """`relight plan`; `plan` is what `-o` writes."""

    digest: str
    is_blocked: bool
    plan: dict[str, Any]


class InputShown(Frozen):
    """An input of a runbook; `default` None: it must be given; no `choices`: any text."""

    name: str
    about: str
    default: str | None
    choices: tuple[str, ...]


class RunbookShown(Frozen):
    """A runbook of the project."""

    name: str
    summary: str
    file: str
    inputs: tuple[InputShown, ...]


class RunbooksAnswer(Answer):
    """`relight runbook list`."""

    runbooks: tuple[RunbookShown, ...]


class DifferenceAnswer(Answer):
    """`relight runbook diff OLD.json [NEW.json]`."""

    is_empty: bool
    approvals_hold: bool  # whether both plans have one digest
    difference: PlanDifference


class RunsAnswer(Answer):
    """`relight runs`, the newest last."""

    runs: tuple[RunLine, ...]


class GateShown(Frozen):
    """A gate of a run."""

    gate: str
    question: str
    identities: int
    approved_by: tuple[str, ...]
    reached_at: datetime | None
    is_open: bool
    is_asked: bool  # whether people are to answer it now
    refused_by: str  # empty: nobody
    escalates_to: tuple[str, ...]
    escalates_at: datetime | None
    escalated_at: datetime | None
    expires_at: datetime | None
    fallback: Literal["approve", "refuse"] | None  # what no answer until then means; None: it never expires


class PauseShown(Frozen):
    """Who holds the run."""

    by: str
    at: datetime
    reason: str


class AbortShown(Frozen):
    """Who ended the run."""

    by: str
    at: datetime
    reason: str
    undo: bool


class WindowShown(Frozen):
    """A rolling window: groups of steps, of which so many may be under way at once."""

    window: str
    size: int
    groups: int
    succeeded: int
    under_way: tuple[str, ...]
    failed: tuple[str, ...]
    to_come: int
    canaries: int  # that must come through before the others begin
    may_fail: int  # groups, before people are asked
    is_halted: bool  # more than that failed
    is_closed: bool  # people said no to going on


class StepShown(Frozen):
    """A step of a run as it stands."""

    step: str
    title: str
    kind: str
    status: str
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    forecast: Estimate
    took: Duration | None
    progress: Progress | None
    reason: str
    remedy: str
    window: str | None
    group: str | None


class ShowAnswer(Answer):
    """`relight show RUN`."""

    run: str
    runbook: str
    goal: str
    inputs: dict[str, str]
    by: str
    digest: str
    state: RunWord
    reason: str
    started_at: datetime
    ended_at: datetime | None
    term: int
    holder: str
    lease_until: datetime | None
    claims: tuple[str, ...]
    gates: tuple[GateShown, ...]
    open_requests: tuple[str, ...]  # asked for, and not judged by a controller yet
    refused_requests: tuple[str, ...]
    steps: tuple[StepShown, ...]
    paused: PauseShown | None
    aborted: AbortShown | None
    stuck: tuple[str, ...]  # steps about which people must decide
    windows: tuple[WindowShown, ...]
    waits: tuple[Wait, ...]  # all that people are to decide: `about`, `what`, `notes`, `commands`


class ReportAnswer(Answer):
    """`relight report RUN`."""

    objectives_met: bool
    report: Report


class FoundTampering(Frozen):
    """One thing that is wrong with a run's record; sequence 0: with the run as a whole."""

    run: str
    sequence: int
    what: str


class RunVerified(Frozen):
    """What checking one run came to; `anchor` is what the witness had to say."""

    run: str
    events: int
    head: str
    anchor: str
    is_whole: bool


class AuditAnswer(Answer):
    """`relight audit verify`."""

    is_whole: bool
    runs: tuple[RunVerified, ...]
    faults: tuple[FoundTampering, ...]


class PreflightAnswer(Answer):
    """`relight preflight`."""

    estate: str
    at: datetime
    took: Duration
    is_passed: bool
    checks: tuple[CheckResult, ...]
    plans: tuple[PlanReadiness, ...]


class PreflightChange(Answer):
    """One line of `relight preflight --every`."""

    at: datetime
    change: ChangeWord
    check: CheckResult

"""What can happen in a run: the closed set of events that the journal holds.

An event is named in the past tense and says only what happened; whatever follows from it is worked out by
`RunState.apply`. Times are the holder's clock, in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from relight.canonical import Frozen
from relight.plan import Interruption, Progress


class _Event(Frozen):
    at: datetime


class RunStarted(_Event):
    """A plan was submitted. Everything that the run will do is in it."""

    type: Literal["run-started"] = "run-started"
    run: str
    by: str
    digest: str
    plan: dict[str, Any]


class LeaseTaken(_Event):
    """A controller began to drive the run."""

    type: Literal["lease-taken"] = "lease-taken"
    term: int
    holder: str


class ClaimsTaken(_Event):
    """The run took for itself what its plan claims; no other run may touch it until this one has ended."""

    type: Literal["claims-taken"] = "claims-taken"
    claims: tuple[str, ...]


class GateReached(_Event):
    """The run needs people: nothing behind this gate starts before they approve."""

    type: Literal["gate-reached"] = "gate-reached"
    gate: str
    question: str
    identities: int


class ApprovalGiven(_Event):
    """A named person approved a gate, for the plan with this digest.

    `key` is the fingerprint of the key that signed it, and `evidence` what a stranger needs to check that;
    both are empty where the estate asks for no signatures.
    """

    type: Literal["approval-given"] = "approval-given"
    gate: str
    identity: str
    reason: str
    digest: str
    key: str = ""
    evidence: dict[str, str] = {}


class GateRefused(_Event):
    """A named person said no: what is behind the gate does not happen."""

    type: Literal["gate-refused"] = "gate-refused"
    gate: str
    identity: str
    reason: str
    digest: str
    key: str = ""
    evidence: dict[str, str] = {}


class GateEscalated(_Event):
    """Nobody answered in time; these people are called too, and their answer counts."""

    type: Literal["gate-escalated"] = "gate-escalated"
    gate: str
    to: tuple[str, ...]


class GateExpired(_Event):
    """Nobody answered at all; the plan had named what that means."""

    type: Literal["gate-expired"] = "gate-expired"
    gate: str
    fallback: Literal["approve", "refuse"]


class RunPaused(_Event):
    """A person holds the run: nothing new starts, what is under way goes on."""

    type: Literal["run-paused"] = "run-paused"
    identity: str
    reason: str


class RunContinued(_Event):
    """A person lets a paused run go on."""

    type: Literal["run-continued"] = "run-continued"
    identity: str
    reason: str


class RetryAsked(_Event):
    """A person has a failed step tried again; what it had blocked may start after all."""

    type: Literal["retry-asked"] = "retry-asked"
    step: str
    identity: str
    reason: str


class StepSkipped(_Event):
    """A person answers for a step: it counts as done, with these facts."""

    type: Literal["step-skipped"] = "step-skipped"
    step: str
    identity: str
    reason: str
    facts: dict[str, Any]


class AbortAsked(_Event):
    """A person ends the run: nothing starts any more, and where `undo`, what was done is taken back."""

    type: Literal["abort-asked"] = "abort-asked"
    identity: str
    reason: str
    undo: bool


class Resurveyed(_Event):
    """The world was looked at again before the first effect; `worse` is what has become worse since."""

    type: Literal["resurveyed"] = "resurveyed"
    worse: tuple[str, ...]


class RunStuck(_Event):
    """Nothing more can happen without people: steps that are needed have failed."""

    type: Literal["run-stuck"] = "run-stuck"
    steps: tuple[str, ...]


class GroupOpened(_Event):
    """The next member of a rolling window begins."""

    type: Literal["group-opened"] = "group-opened"
    window: str
    group: str


class RequestRefused(_Event):
    """Somebody asked for something that the run does not do."""

    type: Literal["request-refused"] = "request-refused"
    identity: str
    request: str
    why: str


class AttemptStarted(_Event):
    """A try of a step begins. Durable before anything is dispatched."""

    type: Literal["attempt-started"] = "attempt-started"
    step: str
    attempt: int


class AttemptProgressed(_Event):
    """A try goes on, and its progress has changed."""

    type: Literal["attempt-progressed"] = "attempt-progressed"
    step: str
    attempt: int
    progress: Progress


class AttemptDone(_Event):
    """The step holds; its facts are what later steps may refer to."""

    type: Literal["attempt-done"] = "attempt-done"
    step: str
    attempt: int
    facts: dict[str, Any]


class AttemptRetried(_Event):
    """A try failed; another one follows, not before the time given."""

    type: Literal["attempt-retried"] = "attempt-retried"
    step: str
    attempt: int
    reason: str
    not_before: datetime


class AttemptFailed(_Event):
    """The step failed for good."""

    type: Literal["attempt-failed"] = "attempt-failed"
    step: str
    attempt: int
    reason: str
    remedy: str = ""


class AttemptInterrupted(_Event):
    """The controller was gone while the try was under way; what that means is the kind's to say."""

    type: Literal["attempt-interrupted"] = "attempt-interrupted"
    step: str
    attempt: int
    meaning: Interruption


class StepBlocked(_Event):
    """Too much of what the step comes after has failed: it will not start."""

    type: Literal["step-blocked"] = "step-blocked"
    step: str
    reason: str


class StepLetGo(_Event):
    """Nothing waits for this straggler any more; the run ends without it."""

    type: Literal["step-let-go"] = "step-let-go"
    step: str
    reason: str


class RunEnded(_Event):
    """The run is over. `refused`: it had no effect, because of a claim, a no, or what had become worse."""

    type: Literal["run-ended"] = "run-ended"
    result: Literal["done", "failed", "refused", "aborted"]
    reason: str = ""


Event = (
    RunStarted
    | LeaseTaken
    | ClaimsTaken
    | GateReached
    | ApprovalGiven
    | GateRefused
    | GateEscalated
    | GateExpired
    | RunPaused
    | RunContinued
    | RetryAsked
    | StepSkipped
    | AbortAsked
    | Resurveyed
    | RunStuck
    | GroupOpened
    | RequestRefused
    | AttemptStarted
    | AttemptProgressed
    | AttemptDone
    | AttemptRetried
    | AttemptFailed
    | AttemptInterrupted
    | StepBlocked
    | StepLetGo
    | RunEnded
)

EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
"""Decodes an event from JSON."""

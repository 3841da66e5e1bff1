"""Driving a run: the one loop that turns decisions into durable events, and events into calls.

One thread owns the journal. Each turn it takes in outcomes and requests, decides until nothing more follows,
makes all of it durable in one transaction, and only then dispatches what was started. So a SIGKILL at any
instant leaves either no trace of a step or a durable `AttemptStarted`, and `drive` goes on from there.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Protocol

from relight.engine.anchoring import AnchorPublisher
from relight.engine.decide import decide, recorded
from relight.engine.events import (
    EVENT,
    AbortAsked,
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptRetried,
    AttemptStarted,
    ClaimsTaken,
    Event,
    GateRefused,
    LeaseTaken,
    Resurveyed,
    RunEnded,
    StepLetGo,
    StepSkipped,
)
from relight.engine.holder import is_gone, this_holder
from relight.engine.journal import Journal
from relight.engine.ports import Anchors, Call, Claims, Executor, Processes
from relight.engine.requests import Judge, answer, unrecordable
from relight.engine.state import RunState, fold
from relight.engine.steps import SETTLED, Status, StepState
from relight.errors import Conflict, LeaseLost, Refused, RelightError, Unreachable
from relight.plan import Catalogue, Facts, Failed, Outcome, Plan, Progress, Retry, Working

LEASE = timedelta(seconds=15)
_REQUEST_POLL_SECONDS = 0.2
_PROGRESS_EVERY = timedelta(minutes=1)
_LAST_ANCHOR_SECONDS = 5.0
_HUNG_SECONDS = 30.0  # a handler returns within two


class Listener(Protocol):
    """Watches a run as it is driven; called on the driving thread, after what it is told is durable."""

    def recorded(self, events: list[Event], state: RunState) -> None:
        """These events happened."""

    def progressed(self, step: str, progress: Progress, state: RunState) -> None:
        """A step got on; most progress is shown and never recorded."""


@dataclass(frozen=True)
class Surroundings:
    """What a driver works with; the composition root fills it."""

    catalogue: Catalogue
    executor: Executor
    processes: Processes
    claims: Claims
    anchors: Anchors
    redact: Callable[[str], str]
    why_not: Judge
    resurvey: Callable[[Plan], tuple[str, ...]] | None = None
    """What has become worse since a plan was made; None: nothing can be looked at again."""
    lease: timedelta = LEASE


class Driver:
    """Drives one run from wherever its journal stands to its end, or to where people must decide."""

    def __init__(
        self, run: str, journal: Journal, around: Surroundings, listener: Listener | None = None
    ) -> None:
        self._run = run
        self._journal = journal
        self._around = around
        self._listener = listener
        self._outcomes: SimpleQueue[tuple[Call, Outcome | BaseException]] = SimpleQueue()
        self._busy: dict[tuple[str, int], float] = {}  # calls under way, by step and attempt, since when
        self._check_ins: list[tuple[float, str, int]] = []
        self._facts: dict[str, Facts] = {}
        self._pending: list[Event] = []
        self._ending: dict[str, None] = {}  # steps whose process must end before anything builds on it
        self._progress_at: dict[str, datetime] = {}
        self._thread_journals = threading.local()
        self._term = 0
        self._valid_until = 0.0  # on the monotonic clock: SIGSTOP and clock changes do not lengthen it
        self._state: RunState
        self._anchor: AnchorPublisher
        self.anchor_trouble = ""

    def drive(self, *, wait: bool = True) -> RunState:
        """Drive until the run has ended; without `wait` also return when only people can move it on.

        Raise Refused if another controller drives it or a claim is held by another run, LeaseLost if
        another controller took over meanwhile, JournalError if the journal cannot be written; in each case
        the run can be resumed.
        """
        self._take_over()
        self._anchor = AnchorPublisher(self._around.anchors, self._run)
        try:
            if not self._state.ended:
                self._begin()
                self._loop(wait)
            if self._state.ended:
                self._give_back_claims()
            self._journal.release_lease(self._run, self._term)
        finally:
            self._around.executor.close()
            self._anchor.close(_LAST_ANCHOR_SECONDS if self._state.ended else 0.5)
            self.anchor_trouble = self.anchor_trouble or self._anchor.trouble
        return self._state

    # Taking over

    def _take_over(self) -> None:
        row = self._journal.row(self._run)
        holder = this_holder()
        before = time.monotonic()
        self._term = self._journal.take_lease(
            self._run, holder, _now(), self._around.lease, is_dead=is_gone(row.holder) if row.holder else True
        )
        self._valid_until = before + self._around.lease.total_seconds()
        self._state = fold(self._journal.verified_events(self._run), self._around.catalogue)
        for name, step in self._state.steps.items():
            if step.status is Status.DONE or (step.status is Status.SKIPPED and step.facts):
                self._remember_facts(name)

    def _begin(self) -> None:
        now = _now()
        self._record(LeaseTaken(at=now, term=self._term, holder=this_holder()))
        # A controller that was killed may not have come to stop what its last events had ended.
        given_up = SETTLED - {Status.DONE} | {Status.RETRYING, Status.READY}
        self._ending |= {n: None for n, s in self._state.steps.items() if s.attempt and s.status in given_up}
        self._end_processes()
        for name in list(self._state.running):
            step = self._state.steps[name]
            meaning = step.step.spec.interruption
            self._record(AttemptInterrupted(at=now, step=name, attempt=step.attempt, meaning=meaning))
        if not self._state.has_claims:
            self._claim(now)
        self._commit()

    def _claim(self, now: datetime) -> None:
        claims = self._state.plan.claims
        try:
            self._around.claims.take(self._run, claims, this_holder(), now)
        except Refused as error:
            self._record(RunEnded(at=now, result="refused", reason=str(error)))
            self._commit()
            self._journal.release_lease(self._run, self._term)
            raise
        self._record(ClaimsTaken(at=now, claims=claims))

    def _give_back_claims(self) -> None:
        try:
            self._around.claims.release(self._run)
        except Unreachable as error:
            # The run is over all the same; a later submit gives back what an ended run still holds.
            self.anchor_trouble = f"the claims could not be given back: {error}"

    # The loop

    def _loop(self, wait: bool) -> None:
        while True:
            answered = self._take_requests()
            self._decide_all()
            self._commit(answered)
            if self._state.ended or (not wait and self._state.waits_for_people):
                return
            self._renew_lease()
            self._end_processes()
            self._take_outcome(self._seconds_to_wait())

    def _decide_all(self) -> None:
        while True:
            now = _now()
            self._state.pass_time(now)
            if self._is_resurvey_due():
                self._resurvey()
            calls = self._calls_that_count()
            room = self._around.executor.capacity - len(calls) - len(self._to_start())
            events = decide(self._state, now, max(0, room), {*calls, *self._ending})
            if not events or (self._ending and isinstance(events[-1], RunEnded)):
                return  # a run has not ended, nor are its claims given back, while a process of it runs
            for event in events:
                self._record(event)
                if isinstance(event, (AttemptRetried, AttemptFailed, StepLetGo)):
                    # It timed out, or nothing waits for it: its process must not go on.
                    self._ending[event.step] = None

    def _calls_that_count(self) -> set[str]:
        """Steps with a call under way. One that hangs long after its try was given up stands in nobody's way:
        whatever it would still do, `check` bars."""
        late = time.monotonic() - _HUNG_SECONDS
        return {
            name for (name, _), since in self._busy.items() if name in self._state.running or since > late
        }

    def _end_processes(self) -> None:
        """Stop what must end, again until it has: TERM, and after the grace KILL."""
        for name in list(self._ending):
            process = self._around.processes.find(self._run, name)
            if process is None or not process.running:
                del self._ending[name]
            else:
                self._around.processes.stop(self._run, name)

    def _is_resurvey_due(self) -> bool:
        """Whether the next thing to happen may be the run's first effect."""
        state = self._state
        begun = state.is_resurveyed or state.ended or state.refused or state.aborted
        held = state.unmet_overrides or state.paused
        return self._around.resurvey is not None and not begun and not held

    def _resurvey(self) -> None:
        assert self._around.resurvey is not None  # noqa: S101 (asked right before)
        worse = self._around.resurvey(self._state.plan)
        now = _now()
        self._record(Resurveyed(at=now, worse=worse))
        if worse:
            reason = f"since the plan was made it became worse: {'; '.join(worse)}"
            self._record(RunEnded(at=now, result="refused", reason=reason))

    def _to_start(self) -> list[AttemptStarted]:
        return [event for event in self._pending if isinstance(event, AttemptStarted)]

    def _seconds_to_wait(self) -> float:
        seconds = [_REQUEST_POLL_SECONDS]
        due = self._state.wake_at()
        if due:
            seconds.append((due - _now()).total_seconds())
        if self._check_ins:
            seconds.append(self._check_ins[0][0] - time.monotonic())
        return max(0.0, min(seconds))

    def _renew_lease(self) -> None:
        lease = self._around.lease.total_seconds()
        before = time.monotonic()
        if self._valid_until - before < lease * 2 / 3:
            self._journal.renew_lease(self._run, self._term, _now() + self._around.lease)
            self._valid_until = before + lease

    # Events

    def _record(self, event: Event) -> None:
        """Take an event into the state; it is dispatched or shown only once `_commit` made it durable."""
        event = self._redacted(event)
        self._state.apply(event)
        self._pending.append(event)
        if isinstance(event, AttemptDone) or (isinstance(event, StepSkipped) and event.facts):
            self._remember_facts(event.step)

    def _commit(self, answered: tuple[int, ...] = ()) -> None:
        if not self._pending and not answered:
            return
        events, self._pending = self._pending, []
        sequence, head = self._journal.append(self._run, self._term, events, answered)
        self._anchor.offer(sequence, head)
        self._end_processes()
        if self._listener:
            self._listener.recorded(events, self._state)
        for event in events:
            if isinstance(event, AttemptStarted):
                self._dispatch(event.step, event.attempt)

    def _redacted(self, event: Event) -> Event:
        values = event.model_dump()
        redacted = _redact_strings(values, self._around.redact)
        return event if redacted == values else EVENT.validate_python(redacted)

    def _remember_facts(self, name: str) -> None:
        step = self._state.steps[name]
        self._facts[name] = self._around.catalogue.decode_facts(step.step.spec.kind, step.facts or {})

    # Calls

    def _dispatch(self, name: str, attempt: int) -> None:
        state = self._state.steps[name]
        started_at = state.started_at or _now()
        try:
            spec = self._around.catalogue.resolve(state.step, self._facts)
        except Refused as error:
            call = Call(self._run, name, attempt, state.step.spec, started_at, lambda: None)
            self._outcomes.put((call, Failed(str(error))))
            return
        self._busy[name, attempt] = time.monotonic()
        call = Call(self._run, name, attempt, spec, started_at, lambda: self._check(state, attempt))
        self._around.executor.submit(call, lambda made, outcome: self._outcomes.put((made, outcome)))

    def _check(self, state: StepState, attempt: int) -> None:
        """Called by handlers on worker threads right before an effect."""
        if state.status is not Status.RUNNING or state.attempt != attempt:
            raise Refused(f"attempt {attempt} of {state.step.id} is over: it timed out, or people ended it")
        if time.monotonic() > self._valid_until:
            raise LeaseLost("the lease ran out while this controller was not running")
        journal = getattr(self._thread_journals, "journal", None)
        if journal is None:
            journal = self._thread_journals.journal = Journal(self._journal.path, writable=False)
        if not journal.holds(self._run, self._term):
            raise LeaseLost(f"another controller drives {self._run} now")

    def _take_outcome(self, seconds: float) -> None:
        try:
            call, outcome = self._outcomes.get(timeout=seconds) if seconds else self._outcomes.get_nowait()
        except Empty:
            self._check_in()
            return
        self._settle(call, outcome)
        while not self._outcomes.empty():
            self._settle(*self._outcomes.get())
        self._check_in()

    def _settle(self, call: Call, raw: Outcome | BaseException) -> None:
        self._busy.pop((call.step, call.attempt), None)
        state = self._state.steps[call.step]
        if state.status is not Status.RUNNING or state.attempt != call.attempt:
            return  # the try was over before its call came back: timed out, or let go
        outcome = self._judged(raw)
        now = _now()
        if isinstance(outcome, Working):
            due = time.monotonic() + outcome.check_in.total_seconds()
            heapq.heappush(self._check_ins, (due, call.step, call.attempt))
            if self._listener and state.progress != outcome.progress:
                self._listener.progressed(call.step, outcome.progress, self._state)
            if not self._is_progress_due(call.step, outcome.progress, now):
                return
            self._progress_at[call.step] = now
        event = recorded(outcome, state, self._run, now)
        if fault := unrecordable(event):
            event = recorded(Failed(f"its facts cannot be recorded: {fault}"), state, self._run, now)
        self._record(event)

    def _judged(self, raw: Outcome | BaseException) -> Outcome:
        match raw:
            case LeaseLost():
                # Renewing tells whether it only slept, and nobody took over meanwhile.
                self._journal.renew_lease(self._run, self._term, _now() + self._around.lease)
                self._valid_until = time.monotonic() + self._around.lease.total_seconds()
                return Retry("the lease had run out, and nobody else took it: looking again", timedelta(0))
            case Unreachable() | Conflict():
                return Retry(str(raw))
            case RelightError():
                return Failed(raw.what + "".join(f"; {r}" for r in raw.reasons), raw.remedy)
            case BaseException():
                return Failed(
                    f"the handler broke: {type(raw).__name__}: {raw}", "this is a fault of Relight's"
                )
        return raw

    def _is_progress_due(self, step: str, progress: Progress, now: datetime) -> bool:
        last = self._progress_at.get(step)
        changed = self._state.steps[step].progress != progress
        return changed and (last is None or now - last >= _PROGRESS_EVERY)

    def _check_in(self) -> None:
        now = time.monotonic()
        while self._check_ins and self._check_ins[0][0] <= now:
            _, name, attempt = heapq.heappop(self._check_ins)
            state = self._state.steps[name]
            if (
                state.status is Status.RUNNING
                and state.attempt == attempt
                and (name, attempt) not in self._busy
            ):
                self._dispatch(name, attempt)

    # Requests

    def _take_requests(self) -> tuple[int, ...]:
        requests = self._journal.requests(self._run)
        around = self._around
        for request in requests:
            event = answer(request, self._state, _now(), around.catalogue, around.why_not)
            self._abandon_what_ends(event)
            self._record(event)
        return tuple(request.id for request in requests)

    def _abandon_what_ends(self, event: Event) -> None:
        """Processes of steps that a person ends must not go on."""
        if isinstance(event, StepSkipped):
            self._ending[event.step] = None
        elif isinstance(event, GateRefused):
            name = event.gate.removeprefix("again:")
            if name in self._state.steps:
                self._ending[name] = None
        elif isinstance(event, AbortAsked):
            self._ending |= {
                n: None for n, s in self._state.steps.items() if s.attempt and s.status not in SETTLED
            }


def _now() -> datetime:
    return datetime.now(UTC)


def _redact_strings(value: object, redact: Callable[[str], str]) -> object:
    match value:
        case str():
            return redact(value)
        case dict():
            return {_redact_strings(k, redact): _redact_strings(item, redact) for k, item in value.items()}
        case list() | tuple():
            return type(value)(_redact_strings(item, redact) for item in value)
    return value

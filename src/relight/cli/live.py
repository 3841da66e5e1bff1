"""What a person sees of a run while it is driven: a board on a terminal, a line per event elsewhere.

Both are told on the driving thread, so they only take notes there: a board is drawn by a thread of its own,
and a line that nobody reads any more is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from relight.cli.waits import gate_wait, stuck_waits, waits_of
from relight.cli.wording import brief, clock
from relight.engine import (
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
    Listener,
    RequestRefused,
    Resurveyed,
    RetryAsked,
    RunContinued,
    RunEnded,
    RunPaused,
    RunStarted,
    RunState,
    RunStuck,
    StepBlocked,
    StepLetGo,
    StepSkipped,
)
from relight.plan import Progress


@contextmanager
def watching(*, plain: bool) -> Iterator[Listener]:
    """The listener for where the output goes; a board stays on the screen as it was at the end."""
    if plain or not sys.stdout.isatty():
        yield Lines()
        return
    from relight.cli.board import Board  # noqa: PLC0415 - drawing is slow to import, and a pipe needs none of it

    with Board() as board:
        yield board


class Lines:
    """A line per event, with the time of day in UTC."""

    def __init__(self) -> None:
        self._is_read = True

    def recorded(self, events: list[Event], state: RunState) -> None:
        """Print what happened."""
        for event in events:
            self._print(f"{clock(event.at)}  {told(event, state)}")
            if isinstance(event, LeaseTaken) and event.term > 1:
                # Who takes a run over was not there when it began to wait.
                for wait in waits_of(state, event.at):
                    self._print(f"          {_below(wait.lines)}")

    def progressed(self, step: str, progress: Progress, state: RunState) -> None:
        """Nothing: what of it is worth keeping comes as an event."""

    def _print(self, line: str) -> None:
        if not self._is_read:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            # Nobody reads, or the disk of a log is full: the work is what counts.
            self._is_read = False


def told(event: Event, state: RunState) -> str:  # noqa: PLR0911 - one branch an event is the whole idea
    """An event, in one line wherever nobody has to do anything about it."""
    match event:
        case AttemptStarted():
            return f"{event.step}: {_try(event.attempt)}{state.steps[event.step].step.title}"
        case AttemptProgressed():
            return f"{event.step}: {shown_progress(event.progress)}"
        case AttemptDone():
            return f"{event.step}: done{_took(event.step, state)}"
        case AttemptRetried():
            wait = brief(max(event.not_before - event.at, event.at - event.at))
            return f"{event.step}: again in {wait}: {event.reason}"
        case AttemptFailed():
            return f"{event.step}: failed: {event.reason}" + (f" ({event.remedy})" if event.remedy else "")
        case AttemptInterrupted():
            return f"{event.step}: was cut off in try {event.attempt} ({event.meaning})"
        case StepBlocked():
            return f"{event.step}: blocked: {event.reason}"
        case StepLetGo():
            return f"{event.step}: let go: {event.reason}"
        case GroupOpened():
            return f"window {event.window}: {event.group} begins"
        case _:
            return _told_of_run(event, state)


def _told_of_run(event: Event, state: RunState) -> str:  # noqa: PLR0911 - as above
    match event:
        case RunStarted():
            return f"{event.run} was submitted by {event.by}"
        case LeaseTaken():
            return f"this controller drives {state.run} (term {event.term})"
        case ClaimsTaken():
            return f"claimed {', '.join(event.claims) or 'nothing'}"
        case Resurveyed():
            return f"looked again: {'; '.join(event.worse) or 'nothing has become worse'}"
        case RunStuck():
            waits = stuck_waits(state, event.steps)
            return _below(["nothing more can happen without people", *(x for w in waits for x in w.lines)])
        case RunEnded():
            return f"{state.run} is {event.result}" + (f": {event.reason}" if event.reason else "")
        case _:
            return _told_of_people(event, state)


def _told_of_people(event: Event, state: RunState) -> str:  # noqa: PLR0911 - as above
    match event:
        case GateReached():
            return _gate(event, state)
        case GateEscalated():
            called = ", ".join(event.to) or "nobody further"
            return f"{event.gate}: nobody answered yet; called {called}\n          {_gate(event, state)}"
        case GateExpired():
            meaning = "approved" if event.fallback == "approve" else "refused"
            return f"{event.gate}: nobody answered in time, so it counts as {meaning}"
        case ApprovalGiven():
            return f"{event.identity} signed {event.gate}: {event.reason}"
        case RequestRefused():
            return f"refused {event.identity}: {event.request}: {event.why}"
        case RunPaused() | RunContinued() | AbortAsked() | GateRefused() | RetryAsked() | StepSkipped():
            return f"{event.identity} {_did(event, state)}" + (f": {event.reason}" if event.reason else "")
        case _:
            return event.type.replace("-", " ")


def shown_progress(progress: Progress) -> str:
    """How far a step has come."""
    part = "" if progress.fraction is None else f"{progress.fraction:.0%} "
    return part + progress.note


def _gate(event: GateReached | GateEscalated, state: RunState) -> str:
    gate = state.gates.get(event.gate)
    if gate is None:  # answered at the same moment
        return f"waits for people to sign {event.gate}"
    return _below(gate_wait(state, event.gate, gate, event.at).lines)


def _below(lines: Iterable[str]) -> str:
    """Lines that stand below each other, behind the time of the first."""
    return "\n          ".join(lines)


def _did(
    event: RunPaused | RunContinued | AbortAsked | GateRefused | RetryAsked | StepSkipped, state: RunState
) -> str:
    match event:
        case RunPaused():
            return f"holds the run (it goes on with: relight resume {state.run})"
        case RunContinued():
            return "lets the run go on"
        case AbortAsked():
            return "ends the run, and what was done is taken back" if event.undo else "ends the run"
        case GateRefused():
            return f"said no to {event.gate}"
        case RetryAsked():
            return f"has {event.step} tried again"
        case StepSkipped():
            return f"answers for {event.step}, which counts as done"


def _try(attempt: int) -> str:
    return f"try {attempt}: " if attempt > 1 else ""


def _took(name: str, state: RunState) -> str:
    step = state.steps[name]
    if step.started_at is None or step.ended_at is None:
        return ""
    return f" after {brief(step.ended_at - step.started_at)}"

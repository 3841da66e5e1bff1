"""Asking something of a run, and learning at once what became of it: what the verbs for people share."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from typing import Annotated

import typer

from relight.app import CATALOGUE
from relight.approval import Judge
from relight.cli.drivers import driver_of, is_driven
from relight.cli.exits import DONE, FAILED
from relight.cli.gates import still_missing
from relight.cli.output import write
from relight.cli.session import read_journal
from relight.control import Project, ask, find_run, why_not
from relight.engine import (
    AbortAsked,
    ApprovalGiven,
    Event,
    GateRefused,
    Journal,
    Request,
    RequestRefused,
    RetryAsked,
    RunContinued,
    RunPaused,
    RunState,
    StepSkipped,
    answer,
    fold,
)
from relight.errors import UsageError
from relight.estate import Estate, Secrets, load_estate

Answer = (
    AbortAsked
    | ApprovalGiven
    | GateRefused
    | RequestRefused
    | RetryAsked
    | RunContinued
    | RunPaused
    | StepSkipped
)
"""What a request comes to."""

AsOption = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who asks; else you.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record. It must be given.")
]
AnyReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")
]
StepArgument = Annotated[str, typer.Argument(metavar="STEP", help="As relight show has it.")]

_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.05
_ANSWERS: dict[str, type[Answer]] = {
    "abort": AbortAsked,
    "approve": ApprovalGiven,
    "continue": RunContinued,
    "pause": RunPaused,
    "refuse": GateRefused,
    "retry": RetryAsked,
    "skip": StepSkipped,
}


def read_state(project: Project, run: str) -> RunState:
    """The run that a name means, as it stands now. Raise UsageError."""
    journal = read_journal(project)
    return fold(journal.events(find_run(journal, run)), CATALOGUE)


def require_step(state: RunState, name: str) -> str:
    """`name`, if the run has such a step. Raise UsageError."""
    if name not in state.steps:
        remedy = meant(name, state.steps) or f"relight show {state.run} has its steps"
        raise UsageError(f"{state.run} has no step {name!r}", remedy)
    return name


def meant(given: str, names: Iterable[str]) -> str:
    """ "did you mean wait-for-nodes?", where something is called nearly so."""
    close = get_close_matches(given, list(names), 1)
    return f"did you mean {shlex.quote(close[0])}?" if close else ""


def ask_and_tell(project: Project, run: str, kind: str, person: str, body: dict[str, str]) -> int:
    """Ask something of a run, say what became of it, and return the exit code.

    The controller has about two seconds to answer. Without one, what it will say is worked out here; the
    request stands in the journal all the same, and whoever drives the run next answers it, on record.
    """
    journal = Journal(project.journal_path)
    before = journal.row(run).sequence
    request = Request(ask(journal, run, kind, identity=person, body=body), run, kind, person, body)
    answered = _await_answer(journal, before, request)
    if isinstance(answered, RequestRefused):
        return _fail(f"refused: {answered.why}")
    if answered is not None:
        write(_told(answered, fold(journal.events(run), CATALOGUE)))
        return DONE
    return _tell_unanswered(project, journal, run, request.id)


def _await_answer(journal: Journal, before: int, request: Request) -> Answer | None:
    """What the run's controller made of a request; None: nothing, within the time that people wait."""
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        # Asked first: one that answers and ends right then has answered all the same.
        may_answer = is_driven(journal.row(request.run)) and time.monotonic() < until
        if not _is_open(journal, request.run, request.id):
            return _find_answer(journal, request.run, before, request)
        if not may_answer:
            return None
        time.sleep(_POLL_SECONDS)


def _find_answer(journal: Journal, run: str, before: int, wanted: Request) -> Answer | None:
    """The newest event behind `before` that answers such a request of this person."""
    subject = wanted.body.get("gate") or wanted.body.get("step") or ""
    found: Answer | None = None
    for event in journal.events(run, after=before):
        match event:
            case RequestRefused():
                about = event.request.partition(" ")
                fits = (about[0], about[2]) == (wanted.kind, subject)
            case ApprovalGiven() | GateRefused():
                fits = isinstance(event, _ANSWERS[wanted.kind]) and event.gate == subject
            case RetryAsked() | StepSkipped():
                fits = isinstance(event, _ANSWERS[wanted.kind]) and event.step == subject
            case RunPaused() | RunContinued() | AbortAsked():
                fits = isinstance(event, _ANSWERS[wanted.kind])
            case _:
                continue
        if fits and event.identity == wanted.identity:
            found = event
    return found


def _told(event: Answer, state: RunState) -> str:  # noqa: PLR0911 - one line an event is the whole idea
    run = state.run
    match event:
        case ApprovalGiven():
            gate = state.gates.get(event.gate)
            missing = still_missing(gate) if gate else ""
            return f"signed: {event.gate}\n" + (f"{missing}\n" if missing else "")
        case GateRefused():
            return f"said no: {event.gate}; what is behind it does not happen\n"
        case RunPaused():
            return f"paused: what is under way goes on, nothing new starts\n  relight resume {run} lifts it\n"
        case RunContinued():
            return f"{run} goes on\n"
        case RetryAsked():
            return f"{event.step} is tried again\n"
        case StepSkipped():
            return f"{event.step} counts as done; {event.identity} answers for it\n"
        case AbortAsked():
            undo = "; what was done is taken back" if event.undo else "; what was done stays"
            return f"{run} starts nothing any more{undo}\n"
        case RequestRefused():
            return f"refused: {event.why}\n"


def _tell_unanswered(project: Project, journal: Journal, run: str, request: int) -> int:
    """It stands in the journal and will be judged; what can be told of that now."""
    row = journal.row(run)
    if not _is_open(journal, run, request):
        write(f"answered; what it came to: relight show {run}\n")
        return DONE
    if row.ended:
        return _fail(f"{run} has ended meanwhile, without an answer: relight report {run}")
    if is_driven(row):
        write(f"noted; {driver_of(row.holder, row.term)} drives {run} and has not answered yet\n")
        write(f"  what it comes to: relight show {run}\n")
        return DONE
    foreseen = _foresee(project, journal, run, request)
    if isinstance(foreseen, RequestRefused):
        return _fail(f"it will be refused: {foreseen.why}")
    if isinstance(foreseen, RunPaused):
        write(f"noted; nobody drives the run now, so nothing starts until: relight resume {run}\n")
        write("  which also lifts the pause, in the name of who calls it\n")
    else:
        write(f"noted; nobody drives the run now, so it counts only on: relight resume {run}\n")
    return DONE


def _foresee(project: Project, journal: Journal, run: str, request: int) -> Event | None:
    """What a controller would make of a request now, after those that came before it."""
    state = fold(journal.events(run), CATALOGUE)
    try:
        estate = load_estate(project.estate_path)
    except UsageError:
        return None  # whoever drives the run will meet that file, and say so
    judge = _judge(project, estate)
    for waiting in journal.requests(run):
        event = answer(waiting, state, datetime.now(UTC), CATALOGUE, judge)
        if waiting.id == request:
            return event
        state.apply(event)
    return None


def _judge(project: Project, estate: Estate) -> partial[str]:
    return partial(why_not, estate, Judge(project.root, estate), Secrets(project.root).redact)


def _is_open(journal: Journal, run: str, request: int) -> bool:
    return any(waiting.id == request for waiting in journal.requests(run))


def _fail(what: str) -> int:
    sys.stderr.write(f"error: {what}\n")
    return FAILED

"""`relight approve`: a person signs what a run waits for, and learns at once what became of it."""

from __future__ import annotations

import sys
import time
from difflib import get_close_matches
from typing import Annotated

import typer

from relight.app import CATALOGUE
from relight.cli.exits import DONE, FAILED
from relight.cli.gates import people
from relight.cli.journal_lines import is_driven
from relight.cli.output import write
from relight.cli.session import ProjectOption, RunArgument, command, find_project, read_journal, this_person
from relight.control import Project, find_run
from relight.control import approve as ask_to_approve
from relight.engine import ApprovalGiven, GateState, Journal, RequestRefused, RunState, fold
from relight.errors import Refused, UsageError
from relight.estate import load_estate

_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.05

app = command()


@app.command()
def approve(
    context: typer.Context,
    *,
    run: RunArgument,
    gate: Annotated[
        str | None, typer.Argument(metavar="[GATE]", help="What is signed; needed if more than one waits.")
    ] = None,
    identity: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who signs; else you.")] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")
    ] = "",
    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="SHA256:…", help="The plan that was read; another one is refused."),
    ] = None,
    project: ProjectOption = None,
) -> int:
    """Sign a gate that a run waits for.

    The signature is for the plan of the run, by its digest, and goes into the record with name and reason.
    Each person counts once. Ends with 4 if it was refused.
    """
    found = find_project(context, project)
    reading = read_journal(found)
    name = find_run(reading, run)
    state = fold(reading.events(name), CATALOGUE)
    wanted = _gate(state, gate)
    person = identity or this_person()
    if person in state.gates[wanted].approvals:
        raise Refused(
            f"{person} has signed {wanted} already, and each person counts once",
            _still_missing(state.gates[wanted]) or "nothing more is needed",
        )
    journal = Journal(found.journal_path)
    before = journal.row(name).sequence
    ask_to_approve(journal, name, wanted, identity=person, reason=reason, digest=digest or state.plan.digest)
    answer = _await_answer(journal, name, before, wanted, person)
    if answer is None:
        return _tell_unanswered(found, journal, state, person, digest or state.plan.digest)
    return _tell(journal, state.run, wanted, answer)


def _gate(state: RunState, given: str | None) -> str:
    """The gate that is meant. Raise UsageError."""
    waiting = list(state.waiting_gates)
    if given is None:
        if len(waiting) == 1:
            return waiting[0]
        if not waiting:
            raise UsageError(f"{state.run} waits for nobody's signature", f"relight show {state.run}")
        raise UsageError("more than one gate waits", f"name one: {', '.join(waiting)}")
    if given not in state.gates:
        close = get_close_matches(given, state.gates, 1)
        remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(state.gates) or 'none'}"
        raise UsageError(f"{state.run} has no gate {given!r}", remedy)
    return given


def _await_answer(
    journal: Journal, run: str, before: int, gate: str, person: str
) -> ApprovalGiven | RequestRefused | None:
    """What the run's controller answered; None: it did not, within the time that people wait."""
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        # Asked first: one that answers and ends right then has answered all the same.
        may_answer = is_driven(journal.row(run)) and time.monotonic() < until
        for event in journal.events(run, after=before):
            match event:
                case ApprovalGiven(identity=who, gate=name) if (who, name) == (person, gate):
                    return event
                case RequestRefused(identity=who) if who == person:
                    return event
                case _:
                    pass
        if not may_answer:
            return None
        time.sleep(_POLL_SECONDS)


def _tell(journal: Journal, run: str, gate: str, answer: ApprovalGiven | RequestRefused) -> int:
    if isinstance(answer, RequestRefused):
        sys.stderr.write(f"error: refused: {answer.why}\n")
        return FAILED
    gates = fold(journal.events(run), CATALOGUE).gates
    write(f"signed: {gate}\n")
    if gate in gates and (missing := _still_missing(gates[gate])):
        write(f"{missing}\n")
    return DONE


def _tell_unanswered(project: Project, journal: Journal, state: RunState, person: str, digest: str) -> int:
    """It stands in the journal and will be judged; what can be told of that now."""
    if digest != state.plan.digest:
        sys.stderr.write(f"error: it will be refused: the plan of {state.run} is {state.plan.digest}\n")
        return FAILED
    approvers = _approvers(project)
    if approvers and person not in approvers:
        who = ", ".join(approvers)
        sys.stderr.write(f"error: it will be refused: {person} is not among the estate's approvers ({who})\n")
        return FAILED
    if is_driven(journal.row(state.run)):
        write(f"noted; the controller of {state.run} has not answered yet: relight show {state.run}\n")
    else:
        write(f"noted; nobody drives the run now, so it counts only on: relight resume {state.run}\n")
    return DONE


def _approvers(project: Project) -> tuple[str, ...]:
    try:
        return load_estate(project.estate_path).approvers
    except UsageError:
        return ()  # whoever drives the run will meet that file, and say so


def _still_missing(gate: GateState) -> str:
    missing = gate.identities - len(gate.approvals)
    return f"{people(missing)} must still sign" if missing > 0 else ""

"""Answering a gate, with a yes or a no: what `approve` and `refuse` share."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from relight.approval import Decision, Signed, body_of, new_statement, read_statement, sign, unpack
from relight.cli.asking import ask_and_tell, meant, read_state
from relight.cli.gates import open_gates, still_missing
from relight.cli.session import find_project, this_person
from relight.cli.sign import key_of
from relight.control import Project
from relight.engine import RunState
from relight.errors import Refused, UsageError
from relight.estate import load_estate

GateArgument = Annotated[
    str | None, typer.Argument(metavar="[GATE]", help="What is answered; needed if more than one waits.")
]
SignerOption = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who answers; else you.")]
DigestOption = Annotated[
    str | None,
    typer.Option("--digest", metavar="SHA256:…", help="The plan that was read; another one is refused."),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar="RELIGHT_KEY",
        help="Where answers are signed: a private key, or the .pub of one in an agent; else yours is found.",
    ),
]
SignedOption = Annotated[
    str | None,
    typer.Option("--signed", metavar="FILE|-", help="Hand in what relight sign printed elsewhere."),
]

_LARGEST_FILE = 1 << 20  # bytes; a signed answer has a few KiB


@dataclass(frozen=True)
class Given:
    """What the person typed; None or empty: nothing."""

    run: str
    gate: str | None
    identity: str | None
    reason: str
    digest: str | None
    key: Path | None
    signed: str | None


def answer_gate(context: typer.Context, folder: Path | None, decision: Decision, given: Given) -> int:
    """Answer a gate, say what became of it, and return the exit code."""
    project = find_project(context, folder)
    state = read_state(project, given.run)
    if given.signed is not None:
        person, body = _hand_in(_read_signed(given.signed), decision, state.run, given)
        if _needs_signatures(project) is False:
            _note_unsigned()
            body = {name: body[name] for name in ("gate", "reason", "digest")}
        return ask_and_tell(project, state.run, decision, person, body)
    gate = _gate(state, given.gate)
    person = given.identity or this_person()
    _require_open(state, gate, person, decision)
    if not given.reason.strip():
        raise UsageError(f"to {decision} needs a reason", 'say why: --reason "…"; it goes into the record')
    digest = given.digest or state.plan.digest
    body = {"gate": gate, "reason": given.reason, "digest": digest}
    needed = _needs_signatures(project)
    if needed or (needed is None and given.key):
        statement = new_statement(
            run=state.run, decision=decision, identity=person, at=datetime.now(UTC), **body
        )
        body = body_of(sign(statement, given.key or key_of(person, context, folder)))
    elif given.key:
        _note_unsigned()
    return ask_and_tell(project, state.run, decision, person, body)


def _gate(state: RunState, given: str | None) -> str:
    """The gate that is meant. Raise UsageError."""
    waiting = list(open_gates(state))
    if given is None:
        if len(waiting) == 1:
            return waiting[0]
        if not waiting:
            raise UsageError(f"{state.run} waits for nobody's signature", f"relight show {state.run}")
        raise UsageError(
            "more than one gate waits", f"name one: {', '.join(shlex.quote(name) for name in waiting)}"
        )
    if given not in state.gates:
        there = ", ".join(shlex.quote(name) for name in state.gates) or "none"
        raise UsageError(
            f"{state.run} has no gate {given!r}", meant(given, state.gates) or f"there are {there}"
        )
    return given


def _require_open(state: RunState, name: str, person: str, decision: Decision) -> None:
    """Raise Refused where an answer would change nothing, or come too late."""
    gate = state.gates[name]
    if gate.refused_by:
        again = f"relight retry {state.run} {name} has it asked again" if name in state.steps else ""
        raise Refused(f"{gate.refused_by} said no to {name} already", again)
    if decision == "approve" and person in gate.approvals:
        raise Refused(
            f"{person} has signed {name} already, and each person counts once",
            still_missing(gate) or "nothing more is needed",
        )
    if decision == "refuse" and gate.is_open:
        who = ", ".join(gate.approvals) or "its time limit"
        raise Refused(
            f"{name} is open already, by {who}: a no comes too late",
            f"relight pause {state.run} holds the run; relight abort {state.run} ends it",
        )


def _read_signed(where: str) -> Signed:
    """The signed answer in a file, or on standard input. Raise UsageError, Refused."""
    try:
        if where == "-":
            content = sys.stdin.buffer.read(_LARGEST_FILE)
        else:
            with Path(where).open("rb") as file:
                content = file.read(_LARGEST_FILE)
    except OSError as error:
        raise UsageError(
            f"cannot read {where}: {error.strerror}", "relight sign prints what is read here"
        ) from None
    return unpack(content.decode(errors="replace"))


def _hand_in(signed: Signed, decision: Decision, run: str, given: Given) -> tuple[str, dict[str, str]]:
    """Who signed, and the request's body. Raise UsageError where something else was typed than signed.

    An answer for another run or plan is handed in all the same: that somebody tried belongs on record.
    """
    statement = read_statement(signed.statement)
    if statement.decision != decision:
        raise UsageError(
            f"{statement.identity} signed to {statement.decision}",
            f"if that is meant: relight {statement.decision} {run} --signed …",
        )
    typed = {
        "gate": given.gate,
        "--as": given.identity,
        "--reason": given.reason or None,
        "--digest": given.digest,
    }
    says = {
        "gate": statement.gate,
        "--as": statement.identity,
        "--reason": statement.reason,
        "--digest": statement.digest,
    }
    for name, value in typed.items():
        if value is not None and value != says[name]:
            raise UsageError(
                f"{name} is {value!r}, and signed was {says[name]!r}", "leave it out, or sign anew"
            )
    return statement.identity, body_of(signed)


def _needs_signatures(project: Project) -> bool | None:
    """Whether the estate has answers signed; None: it cannot be read, as whoever drives the run will say."""
    try:
        return load_estate(project.estate_path).approvals is not None
    except UsageError:
        return None


def _note_unsigned() -> None:
    sys.stderr.write("note: the estate declares no approvals, so the signature is neither checked nor kept\n")

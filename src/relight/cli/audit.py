"""`relight audit`: proves that the record of a run is what was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from relight.app import open_world
from relight.audit import Fault, Verification, answer_faults, verify_run
from relight.cli.answers import AuditAnswer, FoundTampering, RunVerified
from relight.cli.exits import DONE, FOUND
from relight.cli.output import Screen, write_json
from relight.cli.session import JsonOption, ProjectOption, command, find_project, read_journal
from relight.cli.wording import count
from relight.control import Project, find_run
from relight.engine import Anchors, Journal
from relight.errors import JournalError, RelightError

app = command()


@app.callback()
def audit() -> None:
    """Prove that the record of a run is whole."""


@app.command()
def verify(
    context: typer.Context,
    *,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help='A run or "last"; without it, every run.')
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the witness: a cut tail may not show then.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check the chain of every event, and its end against what the witness saw.

    Ends with 1 if anything was changed, taken out, added or cut off; each fault is named by its event.
    """
    found = find_project(context, project)
    answer = _verified(found, run, offline=offline)
    if as_json:
        write_json(answer)
    else:
        _show(answer)
    return DONE if answer.is_whole else FOUND


def _verified(project: Project, run: str | None, *, offline: bool) -> AuditAnswer:
    verified: list[RunVerified] = []
    faults: list[Fault] = []
    try:
        journal = read_journal(project)
        names = [find_run(journal, run)] if run else [row.run for row in journal.runs()]
        faults += [
            Fault(orphan, 0, "it has events, and the journal's index has lost it")
            for orphan in journal.orphans()
        ]
    except JournalError as error:
        names = []
        faults.append(Fault("the journal", 0, error.what))
    world = open_world(project.root) if names else None
    anchors = world.anchors() if world and not offline else None
    for name in names:
        try:
            checked = _verify(journal, name, anchors)
        except JournalError as error:
            faults.append(Fault(name, 0, error.what))
            continue
        if world:
            signed = tuple(answer_faults(name, journal.entries(name), project.root, world.estate))
            checked = replace(checked, faults=(*checked.faults, *signed))
        faults += checked.faults
        verified.append(
            RunVerified(
                run=name,
                events=checked.events,
                head=checked.head,
                anchor=checked.anchor,
                is_whole=not checked.faults,
            )
        )
    found = tuple(FoundTampering(run=fault.run, sequence=fault.sequence, what=fault.what) for fault in faults)
    return AuditAnswer(is_whole=not faults, runs=tuple(verified), faults=found)


def _verify(journal: Journal, run: str, anchors: Anchors | None) -> Verification:
    if anchors is None:
        return verify_run(journal, run, None, "the witness was not asked: a cut tail would not show")
    try:
        anchor, trouble = anchors.read(run), ""
    except RelightError as error:
        anchor, trouble = None, f"the witness does not answer ({error.what}): a cut tail would not show"
    return verify_run(journal, run, anchor, trouble)


def _show(answer: AuditAnswer) -> None:
    screen = Screen()
    for checked in answer.runs:
        said = Text(
            "whole" if checked.is_whole else "NOT what was written", "green" if checked.is_whole else "red"
        )
        line = Text(f"{checked.run}: {count(checked.events, 'event')}, ").append(said)
        screen.print(line.append(f"; {checked.anchor}" if checked.anchor else "", "dim"), soft_wrap=True)
    for fault in answer.faults:
        where = f"{fault.run}, event {fault.sequence}" if fault.sequence else fault.run
        screen.print(Text().append(f"  {where}: ", "bold red").append(fault.what, "red"), soft_wrap=True)
    if not answer.runs and not answer.faults:
        screen.print("nothing has run in this project yet")

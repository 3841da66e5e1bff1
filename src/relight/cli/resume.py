"""`relight resume`: goes on with a run from wherever its journal stands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from relight.app import open_world
from relight.cli.drivers import driver_of, is_driven, pause_of
from relight.cli.driving import Manner, drive_run
from relight.cli.session import (
    ProjectOption,
    RunArgument,
    command,
    find_project,
    read_journal,
    this_person,
)
from relight.control import Project, ask, find_run
from relight.engine import Journal

app = command()


@app.command()
def resume(
    context: typer.Context,
    *,
    run: RunArgument,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 5 instead of waiting for people.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line per event, on a terminal too.")] = False,
    identity: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who lifts a pause; else you.")
    ] = None,
    project: ProjectOption = None,
) -> int:
    """Go on with a run: after a crash, after Ctrl-C, after people have signed, or after a pause.

    What was done stays done; a step that was cut off is looked at, repeated or asked about, as its kind says.
    A pause is lifted in your name. If another controller drives the run, that is all that is done.
    """
    found = find_project(context, project)
    name = find_run(read_journal(found), run)
    journal = Journal(found.journal_path)
    if journal.row(name).ended:
        sys.stderr.write(f"{name} has ended: relight report {name}\n")
        # Only here: a run that is taken up after a crash must not wait for it.
        from relight.cli.outcome import exit_of, read_report  # noqa: PLC0415

        return exit_of(read_report(journal, name))
    if held := pause_of(journal, name):
        person = identity or this_person()
        sys.stdout.write(f"{held[0]} paused {name}{': ' + held[1] if held[1] else ''}; {person} lifts it\n")
        if is_driven(journal.row(name)):
            return _lift(found, journal, name, person)
        ask(journal, name, "continue", identity=person, body={"reason": ""})
    return drive_run(open_world(found.root), journal, name, Manner(wait=not no_wait, plain=plain))


def _lift(project: Project, journal: Journal, run: str, person: str) -> int:
    """Let a run go on that another controller drives."""
    # Only here: a run that is taken up after a crash must not wait for what only people's answers need.
    from relight.cli.asking import ask_and_tell  # noqa: PLC0415

    code = ask_and_tell(project, run, "continue", person, {"reason": ""})
    row = journal.row(run)
    if is_driven(row):
        sys.stdout.write(f"{driver_of(row.holder, row.term)} drives it; watch it: relight show {run}\n")
    return code

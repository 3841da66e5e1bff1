"""`relight resume`: goes on with a run from wherever its journal stands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from relight.app import open_world
from relight.cli.driving import Manner, drive_run
from relight.cli.session import ProjectOption, RunArgument, command, find_project, read_journal
from relight.control import find_run
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
    project: ProjectOption = None,
) -> int:
    """Go on with a run: after a crash, after Ctrl-C, or after people have signed.

    What was done stays done; a step that was cut off is looked at, repeated or asked about, as its kind says.
    """
    found = find_project(context, project)
    name = find_run(read_journal(found), run)
    journal = Journal(found.journal_path)
    if journal.row(name).ended:
        sys.stderr.write(f"{name} has ended: relight report {name}\n")
        # Only here: a run that is taken up after a crash must not wait for it.
        from relight.cli.outcome import exit_of, read_report  # noqa: PLC0415

        return exit_of(read_report(journal, name))
    return drive_run(open_world(found.root), journal, name, Manner(wait=not no_wait, plain=plain))

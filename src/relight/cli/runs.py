"""`relight runs`: the runs of this project."""

from __future__ import annotations

from typing import Annotated

import typer

from relight.cli.answers import RunsAnswer
from relight.cli.journal_lines import run_lines, run_table
from relight.cli.output import Screen, write_json
from relight.cli.session import JsonOption, ProjectOption, command, find_project, open_journal

app = command()


@app.command()
def runs(
    context: typer.Context,
    *,
    project: ProjectOption = None,
    newest: Annotated[
        int | None, typer.Option("-n", "--newest", min=1, metavar="COUNT", help="Only the newest so many.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs of this project, the newest last.

    A run is done, failed, refused, driven (a controller is at it), waits (for people) or left (nobody drives
    it: relight resume).
    """
    journal = open_journal(find_project(context, project))
    lines = run_lines(journal, newest) if journal else ()
    if as_json:
        write_json(RunsAnswer(runs=lines))
    elif lines:
        Screen().print(run_table(lines))
    else:
        Screen().print("nothing has run in this project yet")

"""`relight report`: what a run came to."""

from __future__ import annotations

import typer

from relight.cli.answers import ReportAnswer
from relight.cli.outcome import read_report
from relight.cli.output import Screen, write_json
from relight.cli.report_view import report_view
from relight.cli.session import JsonOption, ProjectOption, RunArgument, command, find_project, read_journal
from relight.control import find_run

app = command()


@app.command()
def report(
    context: typer.Context,
    *,
    run: RunArgument = "last",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a run came to: actual against objective and forecast, step by step, and who signed what."""
    journal = read_journal(find_project(context, project))
    made = read_report(journal, find_run(journal, run))
    if as_json:
        write_json(ReportAnswer(objectives_met=made.objectives_met, report=made))
    else:
        Screen().print(report_view(made, steps=True))

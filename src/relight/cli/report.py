"""`relight report`: what a run came to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from relight.app import open_world
from relight.cli.answers import ReportAnswer
from relight.cli.outcome import read_report
from relight.cli.output import Screen, write, write_json
from relight.cli.report_view import report_view
from relight.cli.session import JsonOption, ProjectOption, RunArgument, command, find_project, read_journal
from relight.control import Project, Report, as_report_page, find_run
from relight.engine import RunRow
from relight.errors import RelightError

app = command()


class Format(StrEnum):
    """How a report is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@app.command()
def report(
    context: typer.Context,
    *,
    run: RunArgument = "last",
    form: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.TEXT,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the witness whether it has the end of the record.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a run came to: actual against objective and forecast, who did what, and what to make better.

    Markdown and JSON have the timeline too.
    """
    found = find_project(context, project)
    journal = read_journal(found)
    name = find_run(journal, run)
    row = journal.row(name)
    made = read_report(journal, name, "" if offline or not row.ended else _anchor_trouble(found, row))
    match Format.JSON if as_json else form:
        case Format.TEXT:
            Screen().print(report_view(made, steps=True))
            _show_improvements(made)
        case Format.MARKDOWN:
            write(as_report_page(made))
        case Format.JSON:
            write_json(ReportAnswer(objectives_met=made.objectives_met, report=made))


def _anchor_trouble(project: Project, row: RunRow) -> str:
    """Why the witness does not vouch for the end of a run's record; empty: it does."""
    try:
        anchor = open_world(project.root).anchors().read(row.run)
    except RelightError as error:
        return f"it does not answer ({error.what})"
    if anchor is None:
        return "it has nothing of this run"
    sequence, head = anchor
    if sequence < row.sequence:
        return f"it has event {sequence}, and the record goes to {row.sequence}"
    if (sequence, head) != (row.sequence, row.head):
        return f"it saw another event {sequence}: relight audit verify {row.run}"
    return ""


def _show_improvements(report: Report) -> None:
    screen = Screen()
    if report.improve:
        screen.print("\nto make better", style="bold")
    for improvement in report.improve:
        screen.print(Text(f"  {improvement.message}"), soft_wrap=True)
        screen.print(Text(f"    {improvement.remedy}", "dim"), soft_wrap=True)

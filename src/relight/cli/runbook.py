"""`relight runbook`: what there is, what each would do, and what is different between two plans."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from relight.app import CATALOGUE, open_world
from relight.cli.answers import DifferenceAnswer, InputShown, RunbooksAnswer, RunbookShown
from relight.cli.exits import DONE, FOUND
from relight.cli.output import Screen, table, write, write_json
from relight.cli.session import (
    DeadlineOption,
    InputsOption,
    JsonOption,
    ProjectOption,
    command,
    find_project,
    plan_now,
    read_deadline,
    read_inputs,
)
from relight.control import LoadedRunbook, Supposing, described, read_supposition
from relight.errors import UsageError
from relight.estate import Estate, load_estate
from relight.plan import Plan, as_runbook_page, compare, difference_markdown, difference_text
from relight.units import parse_bytes

app = command()


class Format(StrEnum):
    """How a difference is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@app.callback()
def runbook() -> None:
    """List runbooks, describe one before anything has happened, and compare two plans."""


@app.command("list")
def list_runbooks(
    context: typer.Context, *, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """List the runbooks of this project: what each is for, and its inputs."""
    found = find_project(context, project)
    estate = load_estate(found.estate_path)
    answer = RunbooksAnswer(runbooks=tuple(_shown(each, estate) for each in found.runbooks().values()))
    if as_json:
        write_json(answer)
        return
    shown = table("runbook", "", "inputs")
    for each in answer.runbooks:
        inputs = [f"{i.name}={'|'.join(i.choices) or i.default or '…'}  {i.about}" for i in each.inputs]
        shown.add_row(Text(each.name, "bold"), Text(each.summary), Text("\n".join(inputs)))
    Screen().print(shown)


@app.command()
def doc(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As site-failover.")],
    inputs: InputsOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there.")
    ] = None,
    supposed: Annotated[
        str | None,
        typer.Option(
            "--suppose",
            metavar="WHAT",
            help="quiet, lost:SITE or away:SITE; else the situation that the runbook is for.",
        ),
    ] = None,
    point_size: Annotated[
        str | None,
        typer.Option("--point-size", metavar="SIZE", help="Of a recovery point, as 980GB: for the times."),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Describe a runbook as Markdown: graph, who signs, gates, times, undo, what it takes for itself.

    Nothing is asked and nothing has to be up: the situation is supposed. The page stays the same until
    runbook, estate or inputs change, so it can be kept in git, and a check can make it anew.
    """
    found = find_project(context, project)
    estate = load_estate(found.estate_path)
    how = Supposing(
        now=datetime.now(UTC),
        supposition=read_supposition(supposed, estate) if supposed else None,
        point_size=_size(point_size),
    )
    page = described(found.runbook(name), estate, read_inputs(inputs or ()), CATALOGUE, how)
    _put(as_runbook_page(page), output)


@app.command()
def diff(
    context: typer.Context,
    *,
    old: Annotated[Path, typer.Argument(metavar="OLD.json", help="A plan that was kept.")],
    new: Annotated[
        Path | None,
        typer.Argument(metavar="[NEW.json]", help="Another; without it, the same runbook is planned now."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.TEXT,
    project: ProjectOption = None,
    deadline: DeadlineOption = "5s",
    as_json: JsonOption = False,
) -> int:
    """Show what is different between two plans, and whether approvals of the old one still count.

    Ends with 1 if they do not: the plans do not mean the same.
    """
    before = _read(old)
    if new is None:
        found = find_project(context, project)
        world = open_world(found.root)
        after = plan_now(found, world, before.runbook, dict(before.inputs), read_deadline(deadline))
    else:
        after = _read(new)
    difference = compare(before, after)
    match Format.JSON if as_json else form:
        case Format.TEXT:
            write(difference_text(difference))
        case Format.MARKDOWN:
            write(difference_markdown(difference))
        case Format.JSON:
            write_json(
                DifferenceAnswer(
                    is_empty=difference.is_empty,
                    approvals_hold=difference.approvals_hold,
                    difference=difference,
                )
            )
    return DONE if difference.approvals_hold else FOUND


def _shown(loaded: LoadedRunbook, estate: Estate) -> RunbookShown:
    return RunbookShown(
        name=loaded.runbook.name,
        summary=loaded.runbook.summary,
        file=str(loaded.path),
        inputs=tuple(
            InputShown(
                name=name,
                about=declared.about,
                default=declared.default,
                choices=declared.choices(estate) if declared.choices else (),
            )
            for name, declared in loaded.runbook.inputs.items()
        ),
    )


def _size(text: str | None) -> int:
    try:
        return parse_bytes(text) if text else 0
    except ValueError as error:
        raise UsageError(f"--point-size: {error}") from None


def _read(path: Path) -> Plan:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", "relight plan RUNBOOK -o PLAN.json makes one"
        ) from None
    return CATALOGUE.decode(content, str(path))


def _put(page: str, path: Path | None) -> None:
    if path is None:
        write(page)
        return
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name a file you may write") from None
    sys.stderr.write(f"written to {path}\n")

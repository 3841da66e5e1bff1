"""`relight plan`: what a runbook would do now, what it would come to, and who would have to sign."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from relight.app import CATALOGUE, open_world
from relight.cli.answers import PlanAnswer
from relight.cli.exits import DONE, FOUND
from relight.cli.output import write, write_json
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
from relight.errors import UsageError
from relight.plan import Plan, as_graph, as_markdown, as_text

app = command()


class Format(StrEnum):
    """How a plan is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"
    GRAPH = "graph"
    JSON = "json"


@app.command()
def plan(
    context: typer.Context,
    *,
    runbook: Annotated[str, typer.Argument(metavar="RUNBOOK", help="As site-failover.")],
    inputs: InputsOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN.json", help="Keep it, for relight run.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.TEXT,
    project: ProjectOption = None,
    deadline: DeadlineOption = "5s",
    as_json: JsonOption = False,
) -> int:
    """Look at the world, build the plan of a runbook and show it; nothing is changed.

    Ends with 1 if the plan is blocked.
    """
    found = find_project(context, project)
    made = plan_now(
        found, open_world(found.root), runbook, read_inputs(inputs or ()), read_deadline(deadline)
    )
    if output:
        _keep(made, output)
        sys.stderr.write(f"kept in {output}; carry it out with: relight run {output}\n")
    match Format.JSON if as_json else form:
        case Format.TEXT:
            write(as_text(made) + "\n")
        case Format.MARKDOWN:
            write(as_markdown(made) + "\n")
        case Format.GRAPH:
            write(as_graph(made) + "\n")
        case Format.JSON:
            data = made.model_dump(mode="json")
            write_json(PlanAnswer(digest=made.digest, is_blocked=bool(made.blocks), plan=data))
    return FOUND if made.blocks else DONE


def _keep(made: Plan, path: Path) -> None:
    try:
        path.write_bytes(CATALOGUE.encode(made))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name a file you may write") from None

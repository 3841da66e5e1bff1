"""`relight check`: all that is wrong with the estate and the runbooks, each with its place and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from relight.approval import check_approvals
from relight.canonical import canonical_json
from relight.cli.answers import CheckAnswer, FoundFault
from relight.cli.exits import DONE, FOUND, USAGE
from relight.cli.output import Screen, write, write_json
from relight.cli.session import JsonOption, ProjectOption, command, find_project
from relight.cli.wording import count
from relight.control import Project
from relight.errors import InvalidFile, Reason, UsageError
from relight.estate import Reading, check_bookings, estate_schema, read_estate
from relight.provision import check_project_file

app = command()


@app.command()
def check(
    context: typer.Context,
    *,
    project: ProjectOption = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of an estate, for editors, and end.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Read estate.yaml and every runbook, and say all that is wrong with them.

    Ends with 0 if nothing is wrong (warnings may be left), 1 if something is, 2 if the estate cannot be read.
    """
    if schema:
        write(canonical_json(estate_schema()).decode() + "\n")
        return DONE
    answer = check_project(find_project(context, project))
    if as_json:
        write_json(answer)
    else:
        _show(answer)
    if not answer.is_usable:
        return USAGE
    return FOUND if answer.errors else DONE


def check_project(project: Project) -> CheckAnswer:
    """Everything that can be said about a project without asking the world."""
    faults: list[FoundFault] = []
    is_usable = False
    try:
        reading = read_estate(project.estate_path)
    except InvalidFile as error:
        faults += _of_reasons(error.reasons or (Reason(error.what, error.remedy),))
    else:
        is_usable = reading.estate is not None
        faults += _of_reading(project, reading)
    runbooks: tuple[str, ...] = ()
    try:
        runbooks = tuple(project.runbooks())
    except UsageError as error:
        faults += _of_reasons(error.reasons or (Reason(error.what, error.remedy),))
    return CheckAnswer(
        file=str(project.estate_path),
        is_usable=is_usable,
        errors=sum(fault.severity == "error" for fault in faults),
        warnings=sum(fault.severity == "warning" for fault in faults),
        faults=tuple(faults),
        runbooks=runbooks,
    )


def _of_reading(project: Project, reading: Reading) -> Iterator[FoundFault]:
    yield from _of_reasons(reading.reasons)
    checks = list(reading.check())
    if reading.estate is not None:
        now = datetime.now(UTC)
        checks += check_bookings(reading.estate, now)
        checks += check_approvals(project.root, reading.estate, now)
        checks += check_project_file(project.root, reading.estate)
    for found in checks:
        reason = Reason(found.message, found.remedy, reading.places.place(found.path), found.path)
        yield _fault(reason, found.severity, found.code)


def _of_reasons(reasons: Iterable[Reason]) -> list[FoundFault]:
    return [_fault(reason, "error", "") for reason in reasons]


def _fault(reason: Reason, severity: str, code: str) -> FoundFault:
    place = reason.place
    return FoundFault(
        severity="warning" if severity == "warning" else "error",
        what=reason.what,
        remedy=reason.remedy,
        code=code,
        path=reason.path,
        file=place.file if place else None,
        line=place.line if place else None,
        column=place.column if place else None,
    )


def _show(answer: CheckAnswer) -> None:
    screen = Screen()
    for fault in answer.faults:
        line = Text()
        if fault.file:
            line.append(f"{_relative(fault.file)}:{fault.line}:{fault.column}: ", "bold")
        line.append(f"{fault.severity}: ", "bold red" if fault.severity == "error" else "bold yellow")
        line.append(f"{fault.path}: " if fault.path else "").append(fault.what)
        screen.print(line, soft_wrap=True)
        if fault.remedy:
            screen.print(f"    {fault.remedy}", style="dim", soft_wrap=True)
    found = f"{count(answer.errors, 'error')}, {count(answer.warnings, 'warning')}"
    of = f"{_relative(answer.file)}, {count(len(answer.runbooks), 'runbook')}"
    if not answer.faults:
        screen.print(f"{of}: nothing is wrong", style="green")
    else:
        screen.print(f"{of}: {found}", style="red" if answer.errors else "yellow")


def _relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file

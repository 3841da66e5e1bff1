"""What most commands begin with: the project they are called in, its world, a plan."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from relight.app import CATALOGUE, World, surveyor
from relight.control import Project, make_plan
from relight.engine import Journal
from relight.errors import UsageError
from relight.plan import Plan
from relight.units import parse_duration

ProjectOption = Annotated[
    Path | None, typer.Option("-C", "--project", metavar="DIR", help="The folder with estate.yaml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, as docs/guides/command.md has it.")]
InputsOption = Annotated[
    list[str] | None,
    typer.Option("-i", "--input", metavar="NAME=VALUE", help="An input of the runbook. Repeatable."),
]
DeadlineOption = Annotated[
    str, typer.Option("--deadline", metavar="TIME", help="How long a survey may take; the rest is unknown.")
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help='Its name, the beginning or end of it, or "last".')
]


def find_project(context: typer.Context, folder: Path | None) -> Project:
    """The project of `-C` before or behind the command, else the nearest upwards. Raise UsageError."""
    chosen = folder or context.find_root().obj
    if not isinstance(chosen, Path):
        return Project.find(Path.cwd())
    project = Project(chosen.resolve())
    if not project.estate_path.is_file():
        raise UsageError(
            f"there is no {project.estate_path.name} in {chosen}",
            f"relight init {chosen} makes a project there",
        )
    return project


def open_journal(project: Project) -> Journal | None:
    """The project's journal, to read; None: nothing has run yet."""
    return Journal(project.journal_path, writable=False) if project.journal_path.exists() else None


def read_journal(project: Project) -> Journal:
    """`open_journal`, for commands that need one. Raise UsageError."""
    return Journal(project.journal_path, writable=False)


def read_deadline(text: str) -> timedelta:
    """A deadline as it was typed. Raise UsageError."""
    try:
        deadline = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--deadline: {error}") from None
    if not deadline:
        raise UsageError("--deadline: nothing answers in no time at all", "give it some seconds: 5s")
    return deadline


def read_inputs(given: Iterable[str]) -> dict[str, str]:
    """The inputs as they were typed. Raise UsageError."""
    inputs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is no input", "write -i NAME=VALUE")
        if inputs.get(name, value) != value:
            raise UsageError(f"input {name!r} is given twice, and differs", "give it once")
        inputs[name] = value
    return inputs


def plan_now(
    project: Project, world: World, runbook: str, inputs: dict[str, str], deadline: timedelta
) -> Plan:
    """Look at the world and build the plan of a runbook for it."""
    loaded = project.runbook(runbook)
    situation = surveyor(world).survey(world.estate, deadline)
    return make_plan(loaded, world.estate, situation, inputs, CATALOGUE)


def this_person() -> str:
    """Who calls the command, as far as the machine knows."""
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (OSError, KeyError):
        return f"uid-{os.getuid()}"


def command() -> typer.Typer:
    """The app of one command, or of a group of them; `main` loads it by its module."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)

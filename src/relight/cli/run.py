"""`relight run`: shows a plan, asks, and carries it out."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from relight.app import CATALOGUE, World, open_world
from relight.cli.driving import Manner, drive_run
from relight.cli.exits import FOUND, WAITS
from relight.cli.gates import approve_command, people, refuse_command
from relight.cli.output import write
from relight.cli.session import (
    DeadlineOption,
    InputsOption,
    ProjectOption,
    command,
    find_project,
    plan_now,
    read_deadline,
    read_inputs,
    this_person,
)
from relight.control import Project, submit
from relight.engine import Journal
from relight.errors import Reason, UsageError
from relight.plan import Finding, Plan, as_text

app = command()


@app.command()
def run(
    context: typer.Context,
    *,
    what: Annotated[
        str, typer.Argument(metavar="PLAN.json|RUNBOOK", help="A kept plan, or a runbook to plan now.")
    ],
    inputs: InputsOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="SHA256:…", help="Start only this very plan; do not ask."),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 5 instead of waiting for people.")
    ] = False,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who starts it; else you.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="A line per event, on a terminal too.")] = False,
    project: ProjectOption = None,
    deadline: DeadlineOption = "5s",
) -> int:
    """Show a plan, ask, then carry it out: kill it at any time, relight resume goes on with it.

    Findings that people must sign do not keep the run from starting: it takes its claims and waits for them
    before its first effect.
    """
    found = find_project(context, project)
    world = open_world(found.root)
    plan = _plan(found, world, what, read_inputs(inputs or ()), read_deadline(deadline))
    write(as_text(plan) + "\n")
    if plan.blocks:
        _tell_blocks(plan.blocks)
        return FOUND
    if digest is not None and digest != plan.digest:
        raise UsageError(
            f"the plan has changed: you named {digest}, and it is {plan.digest} now",
            "read it above; if it is right, name its digest",
        )
    if digest is None and not yes and not _agrees():
        sys.stderr.write("nothing was started\n")
        return WAITS
    journal = Journal(found.journal_path)
    name = submit(journal, plan, by or this_person(), world.claims())
    write(f"\nrun {name}\n")
    _tell_overrides(plan, name)
    return drive_run(world, journal, name, Manner(wait=not no_wait, plain=plain))


def _plan(project: Project, world: World, what: str, inputs: dict[str, str], deadline: timedelta) -> Plan:
    path = Path(what)
    if path.suffix != ".json":
        return plan_now(project, world, what, inputs, deadline)
    if inputs:
        raise UsageError("a kept plan has its inputs already", "leave -i out, or name the runbook")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", "relight plan RUNBOOK -o PLAN.json"
        ) from None
    plan = CATALOGUE.decode(content, what)
    if plan.estate != world.estate.name:
        raise UsageError(
            f"{what} was made for the estate {plan.estate!r}, and this is {world.estate.name!r}",
            "call it in the project that it was made in",
        )
    return plan


def _tell_blocks(blocks: tuple[Finding, ...]) -> None:
    sys.stderr.write("error: the plan is blocked, and nothing was started\n")
    for block in blocks:
        sys.stderr.write(f"  {Reason(block.message, block.remedy)}\n")


def _tell_overrides(plan: Plan, run: str) -> None:
    """Say what people must sign before the first effect, and what they must type."""
    for finding in plan.overrides:
        write(f"{people(finding.identities)} must sign: {finding.message}\n")
        write(f"  {approve_command(run, finding.gate)}\n  {refuse_command(run, finding.gate)}\n")


def _agrees() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked", "say --yes, or --digest with the digest of the plan")
    return typer.confirm("Start?", default=False)

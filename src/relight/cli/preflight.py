"""`relight preflight`: everything that a declared plan would need, tried from here, before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from relight.app import CATALOGUE, named, open_world
from relight.cli.answers import PreflightAnswer
from relight.cli.exits import DONE, FOUND
from relight.cli.output import Screen, write_json
from relight.cli.preflight_view import preflight_view
from relight.cli.preflight_watch import keep_watch
from relight.cli.session import (
    DeadlineOption,
    JsonOption,
    ProjectOption,
    command,
    find_project,
    read_deadline,
)
from relight.control import LoadedRunbook, Project
from relight.control.declared import declared_plans
from relight.control.preflight import Preflight, project_checks, run_preflight
from relight.errors import RelightError, UsageError
from relight.estate import Estate
from relight.plan import Spec
from relight.units import parse_duration

PREFLIGHTS = tuple(
    f"relight.{domain}.preflight"
    for domain in ("fence", "vault", "workload", "traffic", "provision", "generic")
)
"""Where each domain says what it tries (`preflight`), and what steps need of it (`needs`)."""
_STEP_CHECKS = "relight.generic.preflight:step_checks"
_SHORTEST_EVERY = timedelta(seconds=1)

app = command()


@app.command()
def preflight(
    context: typer.Context,
    *,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="TIME", help="Keep at it; say only what changes. As 30m."),
    ] = None,
    alert: Annotated[
        str | None,
        typer.Option("--alert", metavar="CMD", help="With --every: run this on changes, told on its input."),
    ] = None,
    project: ProjectOption = None,
    deadline: DeadlineOption = "10s",
    as_json: JsonOption = False,
) -> int:
    """Try every credential, store, name server, observer, scheduler and secret that a plan would need.

    Everything is asked at once, from here, and nothing is left behind. Ends with 1 if anything failed or did
    not answer in time; each failure names the plans that would not work.
    """
    found = find_project(context, project)
    longest = read_deadline(deadline)
    if every is not None:
        return keep_watch(partial(look, found.root, longest), _read_every(every), alert, as_json=as_json)
    if alert is not None:
        raise UsageError("--alert tells what changes, which one look cannot see", "give --every too: 30m")
    estate = open_world(found.root).estate.name
    seen = look(found.root, longest)
    if as_json:
        write_json(
            PreflightAnswer(
                estate=estate,
                at=seen.at,
                took=seen.took,
                is_passed=seen.is_passed,
                checks=seen.checks,
                plans=seen.plans,
            )
        )
    else:
        Screen().print(preflight_view(estate, seen))
    return DONE if seen.is_passed else FOUND


def look(root: Path, deadline: timedelta) -> Preflight:
    """One round, with an estate, runbooks and ports that are made anew: all of them may have changed."""
    world = open_world(root)
    project = Project(root)
    runbooks, told = _load(project)
    plans = declared_plans(runbooks, world.estate, CATALOGUE, needs, datetime.now(UTC))
    checks = [*project_checks(project, told)]
    for place in PREFLIGHTS:
        checks += named(f"{place}:preflight")(world.estate, world)
    specs = [step.spec for plan in plans for built in plan.plans for step in built.steps]
    checks += named(_STEP_CHECKS)(specs, world.estate, world)
    return run_preflight(checks, plans, deadline, world.secrets.redact)


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need, of every domain."""
    specs = tuple(specs)
    for place in PREFLIGHTS:
        domain_needs: Any = named(f"{place}:needs")
        yield from domain_needs(specs, estate)


def _load(project: Project) -> tuple[dict[str, LoadedRunbook], Callable[[], str]]:
    """The runbooks, and a question that is answered by whether they load."""
    try:
        runbooks = project.runbooks()
    except RelightError as error:
        return {}, partial(_refuse, error)
    return runbooks, lambda: ", ".join(runbooks) or "there are none"


def _refuse(error: RelightError) -> str:
    raise error


def _read_every(text: str) -> timedelta:
    try:
        every = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    if every < _SHORTEST_EVERY:
        raise UsageError(f"--every: {text} is too often", "stores and name servers count requests: 30m")
    return every

"""`relight stacks`: what stacks are made of, whether clouds still are so, and what an update would change."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from relight.app import CATALOGUE, World, open_world
from relight.cli.answers import DriftAnswer, PreviewAnswer, ShownPool, ShownResource, StackAnswer
from relight.cli.exits import DONE, FAILED, FOUND
from relight.cli.output import Screen, write, write_json
from relight.cli.session import JsonOption, ProjectOption, command, find_project
from relight.cli.stacks_view import print_drift, print_preview, print_stack
from relight.control import Project, make_plan
from relight.errors import UsageError
from relight.estate import Estate, check_provisioning
from relight.provision import Preview, sort_drift
from relight.situation import SiteSituation, Situation, WorkloadSituation

app = command()

StackArgument = Annotated[str, typer.Argument(metavar="STACK", help="A site, a link, or global.")]


class View(StrEnum):
    """How a stack is shown."""

    TABLE = "table"
    TREE = "tree"
    GRAPH = "graph"


@app.callback()
def stacks() -> None:
    """What stacks are made of, whether clouds still are so, and what an update would change."""


@app.command()
def show(
    context: typer.Context,
    *,
    stack: StackArgument,
    view: Annotated[View, typer.Option("--view", help="graph: Mermaid.")] = View.TABLE,
    at_full: Annotated[bool, typer.Option("--full", help="At full size, not in quiet times.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what a stack declares, and what of it is billed while it sleeps. Asks no cloud and no engine."""
    estate = open_world(find_project(context, project).root).estate
    topology = _topology()
    now = datetime.now(UTC)
    graph = topology.graph_of(estate, stack, now, at_full=at_full)
    answer = StackAnswer(
        stack=stack,
        meaning=topology.sentence(estate, stack) if stack in estate.sites else _meaning(estate, stack),
        pools={
            pool.name: ShownPool(
                machine=pool.machine,
                gpus_each=pool.gpus_each,
                quiet=dict(pool.quiet),
                full=dict(pool.full),
                guaranteed=pool.guaranteed,
                idle_usd_per_hour=pool.idle_usd_per_hour,
                quiet_usd_per_hour=pool.quiet_usd_per_hour,
                full_usd_per_hour=pool.full_usd_per_hour,
                is_priced=pool.priced,
            )
            for pool in (topology.pools_of(estate, stack, now) if stack in estate.sites else ())
        },
        resources=tuple(ShownResource(**row.to_dict()) for row in topology.list_rows(graph)),
        size="full" if at_full else "quiet",
        warnings=tuple(check.message for check in check_provisioning(estate) if stack in check.path),
    )
    if as_json:
        write_json(answer)
    elif view is View.TABLE:
        print_stack(Screen(), answer)
    else:
        write(topology.draw_tree(graph) if view is View.TREE else topology.draw_mermaid(graph))
    return DONE


@app.command()
def preview(
    context: typer.Context,
    *,
    stack: StackArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN.json", help="Keep it, for relight run.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> int:
    """Ask the engine what an update would change; -o keeps it as a plan that does this and nothing else."""
    found = find_project(context, project)
    world = open_world(found.root)
    _topology().require_stack(world.estate, stack)
    seen = world.stacks(stack).preview(stack)
    if output:
        _keep(world, seen, output)
    if as_json:
        changes = tuple(change.model_dump(mode="json") for change in seen.changes)
        write_json(PreviewAnswer(stack=stack, digest=seen.digest, same=seen.same, changes=changes))
    else:
        print_preview(Screen(), seen, output)
    return DONE


@app.command()
def drift(
    context: typer.Context,
    *,
    stacks: Annotated[
        list[str] | None, typer.Argument(metavar="[STACK]…", help="None: every stack of the estate.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> int:
    """Compare clouds with Pulumi's state; changes neither.

    Ends with 1 if anything drifted, else with 4 if a stack could not be looked at or was never brought up.
    """
    world = open_world(find_project(context, project).root)
    topology = _topology()
    names = tuple(stacks or topology.stack_names(world.estate))
    for name in names:  # what is wrong with the estate holds no look up
        topology.require_named(world.estate, name)
    if not names:
        raise UsageError(f"the estate {world.estate.name} has no stacks", "add stacks: and a site in a cloud")
    answer = _drift(world, names)
    if as_json:
        write_json(answer)
    else:
        print_drift(Screen(), answer)
    return FOUND if answer.drifted else FAILED if answer.unknown or answer.never_up else DONE


def _drift(world: World, names: tuple[str, ...]) -> DriftAnswer:
    seen = sort_drift(lambda name: world.stacks(name).drift(name), names)
    return DriftAnswer(
        clean=seen.clean,
        drifted=seen.drifted,
        unknown={name: world.secrets.redact(why) for name, why in seen.unknown.items()},
        never_up=seen.never_up,
    )


def _keep(world: World, seen: Preview, path: Path) -> None:
    """The plan of stack-up with what the preview showed in it."""
    estate = world.estate
    situation = Situation(
        now=datetime.now(UTC),
        estate_digest=estate.digest,
        sites=dict.fromkeys(estate.sites, SiteSituation()),
        workloads=dict.fromkeys(estate.workloads, WorkloadSituation()),
    )
    inputs = {"stack": seen.stack, "preview": seen.model_dump_json()}
    loaded = Project(world.project).runbook("stack-up")
    plan = make_plan(loaded, estate, situation, inputs, CATALOGUE)
    try:
        path.write_bytes(CATALOGUE.encode(plan))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "name a file you may write") from None


def _meaning(estate: Estate, stack: str) -> str:
    if stack in estate.links:
        link = estate.links[stack]
        return f"the way between {link.between[0]} and {link.between[1]}, which neither site's stack needs"
    return "what outlives every site: the witness, names and their health checks"


def _topology() -> Any:
    """The room of Pulumi's components: large, and not everybody has installed what it needs."""
    try:
        return import_module("relight.topology")
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'relight[stacks]'") from None

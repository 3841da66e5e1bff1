"""`relight status`: look at everything now, and say what is seen, what is not, and what that puts at risk."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from relight.app import open_world, surveyor
from relight.cli.answers import (
    NameStatus,
    SeenPoints,
    Silence,
    SiteStatus,
    StatusAnswer,
    WorkloadStatus,
)
from relight.cli.journal_lines import run_lines
from relight.cli.output import Screen, write_json
from relight.cli.session import (
    DeadlineOption,
    JsonOption,
    ProjectOption,
    command,
    find_project,
    open_journal,
    read_deadline,
)
from relight.cli.status_view import status_view
from relight.control import Exposure, exposures
from relight.estate import Estate
from relight.situation import (
    DnsSituation,
    Known,
    Observed,
    PointSummary,
    SiteSituation,
    Situation,
    Unknown,
    WorkloadSituation,
)

_RUNS_SHOWN = 5

app = command()


@app.command()
def status(
    context: typer.Context,
    *,
    project: ProjectOption = None,
    deadline: DeadlineOption = "5s",
    as_json: JsonOption = False,
) -> None:
    """Ask every observer, store, scheduler, name server and the witness, all at once, and show the answers.

    RPO is shown as it stands: the age of the newest sealed point that can be seen now in a store that would
    outlive the workload's site.
    """
    found = find_project(context, project)
    world = open_world(found.root)
    situation = surveyor(world).survey(world.estate, read_deadline(deadline))
    journal = open_journal(found)
    lines = run_lines(journal, _RUNS_SHOWN) if journal else ()
    answer = status_of(world.estate, situation).model_copy(update={"runs": lines})
    if as_json:
        write_json(answer)
    else:
        Screen().print(status_view(answer))


def status_of(estate: Estate, situation: Situation) -> StatusAnswer:
    """What a situation comes to, without the runs."""
    at_risk = {exposure.workload: exposure for exposure in exposures(estate, situation)}
    names = {
        key: NameStatus(name=declared.name, addresses=situation.dns.get(key, DnsSituation()).addresses)
        for key, declared in estate.dns.names.items()
    }
    return StatusAnswer(
        estate=estate.name,
        now=situation.now,
        sites={name: _site(estate, situation, name) for name in estate.sites},
        workloads={name: _workload(estate, situation, name, at_risk.get(name)) for name in estate.workloads},
        names=names,
        silent=tuple(_silences(situation)),
        runs=(),
    )


def _site(estate: Estate, situation: Situation, name: str) -> SiteStatus:
    declared, seen = estate.sites[name], situation.sites.get(name, SiteSituation())
    since = {capability: seen.lost_since(capability) for capability in declared.probes}
    return SiteStatus(
        verdicts={capability: seen.verdict(capability) for capability in declared.probes},
        lost_since={capability: at for capability, at in since.items() if at},
        opinions=seen.opinions,
        silent_observers=seen.silent_observers,
        gpus=estate.gpus_at(name),
        free_gpus=seen.free_gpus,
        running=seen.running,
    )


def _workload(estate: Estate, situation: Situation, name: str, exposure: Exposure | None) -> WorkloadStatus:
    declared, seen = estate.workloads[name], situation.workloads.get(name, WorkloadSituation())
    return WorkloadStatus(
        kind=declared.kind,
        objective=declared.objective,
        active_site=situation.active_site(estate, name),
        authority=seen.authority if declared.writes else None,
        points={store: _points(observed) for store, observed in seen.points.items()},
        exposure=exposure,
    )


def _points(observed: Observed[tuple[PointSummary, ...]]) -> Observed[SeenPoints]:
    if not isinstance(observed, Known):
        return observed
    return Known(value=SeenPoints(count=len(observed.value), newest=next(reversed(observed.value), None)))


def _silences(situation: Situation) -> Iterator[Silence]:
    """Everything that gave no answer, in words that people use."""
    observers: dict[str, str] = {}  # one that is silent to several questions is named once
    for site in situation.sites.values():
        observers = site.silent_observers | observers
    for observer, reason in observers.items():
        yield Silence(what=f"observer {observer}", reason=reason)
    for name, site in situation.sites.items():
        if isinstance(site.free_gpus, Unknown):
            yield Silence(what=f"the scheduler of {name}", reason=site.free_gpus.reason)
    for name, workload in situation.workloads.items():
        if isinstance(workload.authority, Unknown) and workload.points:
            yield Silence(what=f"who may write for {name}", reason=workload.authority.reason)
        for store, points in workload.points.items():
            if isinstance(points, Unknown):
                yield Silence(what=f"points of {name} in store {store}", reason=points.reason)
    for name, answers in situation.dns.items():
        for server, address in answers.addresses.items():
            if isinstance(address, Unknown):
                yield Silence(what=f"{name} at name server {server}", reason=address.reason)

"""The status for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from relight.cli.answers import SiteStatus, StatusAnswer, WorkloadStatus
from relight.cli.journal_lines import run_table
from relight.cli.output import table
from relight.cli.wording import brief, clock, instant, lost_hours
from relight.control import Exposure
from relight.situation import Known, Observed

_STYLES = {"healthy": "green", "suspect": "yellow", "lost": "bold red", "unknown": "magenta"}


def status_view(answer: StatusAnswer) -> RenderableType:
    """Sites, workloads, names, what is silent, and the last runs."""
    parts: list[RenderableType] = [Text(f"{answer.estate}, {instant(answer.now)}", "bold")]
    parts += [_headed("SITES"), _sites(answer)]
    parts += [_headed("WORKLOADS"), _workloads(answer)]
    if answer.names:
        parts += [_headed("NAMES"), _names(answer)]
    if answer.silent:
        parts.append(_headed("NO ANSWER FROM"))
        silent = table("", "")
        silent.show_header = False
        for silence in answer.silent:
            silent.add_row(Text(silence.what, "magenta"), silence.reason)
        parts.append(silent)
    if answer.runs:
        parts += [_headed("RUNS"), run_table(answer.runs)]
    return Group(*parts)


def _headed(title: str) -> Text:
    return Text(f"\n{title}", "bold")


def _sites(answer: StatusAnswer) -> Table:
    shown = table("site", "", "what the observers see", "GPUs free", "runs")
    for name, site in answer.sites.items():
        for index, (capability, verdict) in enumerate(site.verdicts.items()):
            since = site.lost_since.get(capability)
            said = Text().append(verdict, _STYLES[verdict])
            if since:
                said.append(f", last seen up {clock(since)} ({brief(answer.now - since)} ago)")
            free = _value(site.free_gpus, f"{{}} of {site.gpus}") if index == 0 else ""
            running = (
                Known(value=", ".join(site.running.value))
                if isinstance(site.running, Known)
                else site.running
            )
            runs = _value(running) if index == 0 else ""
            shown.add_row(name if index == 0 else "", capability, said, free, runs)
            for line in _sights(site, capability):
                shown.add_row("", "", Text(f"  {line}", "dim"), "", "")
    return shown


def _sights(site: SiteStatus, capability: str) -> Iterator[str]:
    """What each observer says of a capability; in one line where they agree."""
    asked = [opinion for opinion in site.opinions if opinion.capability == capability]
    ups = [opinion.observer for opinion in asked if opinion.up]
    if ups:
        yield f"up: {', '.join(ups)}"
    for opinion in asked:
        if not opinion.up:
            why = opinion.reason or "no reason given"
            yield f"{opinion.observer}: down since {clock(opinion.since)}, {why}"
    if site.silent_observers and capability == next(iter(site.verdicts)):
        yield f"no word from {', '.join(site.silent_observers)}"


def _workloads(answer: StatusAnswer) -> Table:
    shown = table("workload", "kind", "at", "epoch", "newest points", "RPO as it stands", "objective")
    for name, workload in answer.workloads.items():
        epoch = _value(workload.authority, attribute="epoch") if workload.authority else "-"
        at = workload.active_site or Text("unknown", "magenta")
        shown.add_row(
            name, workload.kind, at, epoch, _newest(workload, answer), *_standing(workload.exposure)
        )
    return shown


def _newest(workload: WorkloadStatus, answer: StatusAnswer) -> Text:
    lines = []
    for store, observed in workload.points.items():
        if not isinstance(observed, Known):
            lines.append(f"{store}: unknown")
        elif observed.value.newest is None:
            lines.append(f"{store}: none")
        else:
            newest = observed.value.newest
            age = brief(answer.now - newest.sealed_at)
            lines.append(f"{store}: step {newest.step}, {age} old")
    return Text("\n".join(lines) or "-")


def _standing(exposure: Exposure | None) -> tuple[Text, str]:
    if exposure is None:
        return Text("-"), "-"
    objective = brief(exposure.objective)
    if exposure.age is None:
        return Text(f"nothing could be restored: {exposure.reason}", "bold red"), objective
    said = Text().append(brief(exposure.age), "green" if exposure.is_met else "bold red")
    if exposure.steps is not None:
        said.append(f", {exposure.steps} steps")
    said.append(f", {lost_hours(exposure.gpu_hours)} (from {exposure.store})")
    return said, objective


def _names(answer: StatusAnswer) -> Table:
    shown = table("name", "server", "address")
    for status in answer.names.values():
        for server, address in status.addresses.items():
            shown.add_row(status.name, server, _value(address))
    return shown


def _value(observed: Observed[Any], pattern: str = "{}", attribute: str = "") -> Text:
    """An observed value, or that it is unknown; the reason stands further down."""
    if not isinstance(observed, Known):
        return Text("unknown", "magenta")
    value = getattr(observed.value, attribute) if attribute else observed.value
    return Text(pattern.format(value))

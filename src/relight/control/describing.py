"""A runbook described before anything has happened: built for the situation that it is meant for, supposed.

A runbook does not say which situation that is. So it is built in each that can be supposed, and the one is
taken in which it is not blocked and the fewest people must sign: a failover where the site is lost, a
failback where its work is away. The page says which one it was.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from relight.control.planning import make_plan
from relight.control.project import LoadedRunbook
from relight.control.supposing import Supposition, suppose, suppositions
from relight.errors import UsageError
from relight.estate import Estate
from relight.plan import Catalogue, Finding, Plan, Runbook, RunbookPage
from relight.situation import Situation
from relight.units import format_bytes


@dataclass(frozen=True)
class Supposing:
    """What a description supposes. `supposition` None: the one that the runbook is for; points in bytes."""

    now: datetime
    supposition: Supposition | None = None
    point_size: int = 0


def described(
    loaded: LoadedRunbook, estate: Estate, inputs: Mapping[str, str], catalogue: Catalogue, how: Supposing
) -> RunbookPage:
    """What a runbook's page is made of. Raise UsageError for inputs, InvalidFile for a faulty plan.

    An input that must be given and is not is the first of its choices.
    """
    runbook = loaded.runbook
    choices = {name: i.choices(estate) for name, i in runbook.inputs.items() if i.choices}
    given = {**_first_choices(runbook, choices), **inputs}
    wanted = [how.supposition] if how.supposition else list(_all_suppositions(estate))
    built = _built(runbook, estate, runbook.accepted(given, estate), how, wanted)
    chosen, rough_plan = min(built, key=lambda pair: (len(pair[1].blocks), len(pair[1].overrides)))
    situation = _situation(estate, how, chosen)
    return RunbookPage(
        runbook=runbook,
        plan=make_plan(loaded, estate, situation, given, catalogue),
        supposed=tuple(_sentences(chosen, how)),
        otherwise=_otherwise(built, {finding.gate for finding in rough_plan.overrides}),
        choices=choices,
        approvers=estate.approvers,
        command=_command(runbook.name, inputs, how),
    )


def _built(
    runbook: Runbook, estate: Estate, inputs: Mapping[str, str], how: Supposing, wanted: list[Supposition]
) -> list[tuple[Supposition, Plan]]:
    """The plan in each situation, not forecast. What a runbook breaks in is not the situation it is for."""
    plans = []
    for supposed in wanted:
        try:
            plans.append((supposed, runbook.build(estate, _situation(estate, how, supposed), inputs)))
        except Exception:
            if supposed is wanted[-1] and not plans:
                raise
    return plans


def _otherwise(built: list[tuple[Supposition, Plan]], known: set[str]) -> tuple[tuple[str, Finding], ...]:
    """What people would sign in the other situations that do not block the plan; each gate once."""
    found: dict[str, tuple[str, Finding]] = {}
    for supposed, plan in built:
        for finding in () if plan.blocks else plan.overrides:
            if finding.gate not in known:
                found.setdefault(finding.gate, (str(supposed), finding))
    return tuple(found.values())


def _situation(estate: Estate, how: Supposing, supposed: Supposition) -> Situation:
    return suppose(estate, how.now, supposed.lost, away=supposed.away, point_size=how.point_size)


def read_supposition(text: str, estate: Estate) -> Supposition:
    """What "quiet", "lost:north" or "away:north" supposes. Raise UsageError."""
    what, _, site = text.partition(":")
    if text == "quiet":
        return Supposition()
    if what in ("lost", "away") and site in estate.sites:
        return Supposition(lost=site) if what == "lost" else Supposition(away=site)
    known = ", ".join(f"lost:{site}, away:{site}" for site in estate.sites)
    raise UsageError(f"{text!r} is nothing that can be supposed", f"there are quiet, {known}")


def _all_suppositions(estate: Estate) -> Iterator[Supposition]:
    """One thing at most, and then the two that a site's second disaster needs: it has the other's work."""
    yield from suppositions(estate)
    for site in estate.topology.members:
        yield Supposition(lost=site, away=estate.other_site(site))


def _first_choices(runbook: Runbook, choices: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    needed = (name for name, declared in runbook.inputs.items() if declared.default is None)
    return {name: choices[name][0] for name in needed if choices.get(name)}


def _sentences(supposed: Supposition, how: Supposing) -> Iterator[str]:
    yield f"{supposed}."
    yield "Each store that a workload writes to holds a point that is one checkpoint interval old."
    if how.point_size:
        yield f"A point has {format_bytes(how.point_size)}."
    else:
        yield (
            "Bringing a point over costs no time: how large points are is not declared. "
            "Say it with --point-size, else the times are too short."
        )
    yield "People answer at once; how long it takes to notice a loss is not counted."


def _command(name: str, inputs: Mapping[str, str], how: Supposing) -> str:
    words = ["relight", "runbook", "doc", name]
    for key, value in inputs.items():
        words += ["-i", f"{key}={value}"]
    if how.point_size:
        words += ["--point-size", format_bytes(how.point_size)]
    supposed = how.supposition
    if supposed:
        site = supposed.lost or supposed.away
        what = "lost" if supposed.lost else "away"
        words += ["--suppose", f"{what}:{site}" if site else "quiet"]
    return shlex.join(words)

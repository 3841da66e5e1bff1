"""Every plan that a project declares: each runbook, for each site, in the situation that it is for.

Nothing is asked: situations are supposed. A runbook does not say what it is for, so it is built in all of
them; what it is for is where it has something to move, nothing stands in its way and the fewest must sign.
Pure: the same arguments give the same plans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Literal

from relight.control.planning import make_plan
from relight.control.project import LoadedRunbook
from relight.control.supposing import Supposition, suppose, suppositions
from relight.errors import RelightError
from relight.estate import Estate
from relight.plan import Catalogue, Plan, Runbook, Spec

Needs = Callable[[Iterable[Spec], Estate], Iterable[str]]
"""What steps need, as things that checks are about: "store:south", "server:north"."""

EVERY_RUN = "run"
"""The thing that every run needs, whatever it does: its journal, its project."""
APPROVALS = "approvals"
"""The thing that plans need in which people are asked."""
_NOTHING_TO_MOVE = "nothing-to-move"
"""The code of the block that says: there is no work of this site that the runbook could move."""


@dataclass(frozen=True)
class DeclaredPlan:
    """One runbook with its inputs. blocked: it cannot be built; idle: it is for nothing here."""

    name: str  # "site-failover(site=north)"
    state: Literal["built", "blocked", "idle", "untried"]
    reason: str
    remedy: str = ""
    plans: tuple[Plan, ...] = ()  # one per situation that it is for
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Built:
    supposed: Supposition
    plan: Plan

    @property
    def disasters(self) -> int:
        return (self.supposed.lost is not None) + (self.supposed.away is not None)

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.plan.overrides), self.disasters


def declared_plans(
    runbooks: Mapping[str, LoadedRunbook], estate: Estate, catalogue: Catalogue, needs: Needs, now: datetime
) -> tuple[DeclaredPlan, ...]:
    """Build every plan; what a runbook raises is the reason that its plan is blocked."""
    plans = []
    for name, loaded in runbooks.items():
        missing = [each for each in loaded.runbook.inputs if not _values(loaded.runbook, each, estate)]
        if missing:
            reason = f"its input {missing[0]} has neither a default nor choices"
            plans.append(DeclaredPlan(f"{name}({missing[0]}=…)", "untried", reason))
            continue
        for inputs in _every_input(loaded.runbook, estate):
            shown = ", ".join(f"{key}={value}" for key, value in inputs.items())
            plan_name = f"{name}({shown})"
            try:
                plans.append(
                    _declared(plan_name, loaded, estate, inputs, catalogue=catalogue, needs=needs, now=now)
                )
            except RelightError as error:
                plans.append(DeclaredPlan(plan_name, "blocked", str(error), "mend the runbook"))
            except Exception as error:  # noqa: BLE001 (a user's runbook may raise anything)
                broken = f"the runbook breaks: {type(error).__name__}: {error}"
                plans.append(DeclaredPlan(plan_name, "blocked", broken, f"mend {loaded.path.name}"))
    return tuple(plans)


def site_of(thing: str, estate: Estate) -> str | None:
    """The site that a thing dies with; None: it stands apart, or is not known."""
    kind, _, name = thing.partition(":")
    match kind:
        case "store" | "points":
            store = estate.stores.get(name.rpartition("@")[2])
            return store.site if store else None
        case "server":
            server = estate.dns.servers.get(name)
            return server.site if server else None
        case "observer":
            observer = estate.observers.get(name)
            return observer.site if observer else None
        case "scheduler" | "room" | "ssh":
            return name
        case "folder":
            return next((s for s, site in estate.sites.items() if name.startswith(f"{site.data}/")), None)
    return None


def _declared(
    name: str,
    loaded: LoadedRunbook,
    estate: Estate,
    inputs: Mapping[str, str],
    *,
    catalogue: Catalogue,
    needs: Needs,
    now: datetime,
) -> DeclaredPlan:
    def build(supposed: Supposition) -> Plan:
        situation = suppose(estate, now, supposed.lost, away=supposed.away)
        return loaded.runbook.build(estate, situation, loaded.runbook.accepted(inputs, estate))

    every = [_Built(supposed, build(supposed)) for supposed in _supposed(estate)]
    relevant = [b for b in every if all(block.code != _NOTHING_TO_MOVE for block in b.plan.blocks)]
    if not relevant:
        return DeclaredPlan(name, "idle", "; ".join(block.message for block in every[0].plan.blocks))
    if blocked := _what_blocks(relevant):
        blocks = blocked.plan.blocks
        reason = f"if {blocked.supposed}: " + "; ".join(block.message for block in blocks)
        remedy = "; ".join(dict.fromkeys(block.remedy for block in blocks if block.remedy))
        return DeclaredPlan(name, "blocked", reason, remedy)
    best = min(b.rank for b in relevant if not b.plan.blocks)
    chosen = [b for b in relevant if not b.plan.blocks and b.rank == best]
    needed = {EVERY_RUN}
    for built in chosen:
        catalogue.require(built.plan, f"the plan {name}")
        specs = [step.spec for step in built.plan.steps]
        if built.plan.overrides or any(step.gate for step in built.plan.steps):
            needed.add(APPROVALS)
        # What dies with the lost site is not there to be used: a plan that counts on it was blocked above.
        lost = built.supposed.lost
        needed |= {need for need in needs(specs, estate) if lost is None or site_of(need, estate) != lost}
    first = chosen[0].supposed
    situation = suppose(estate, now, first.lost, away=first.away)
    signed = [f.message for f in make_plan(loaded, estate, situation, inputs, catalogue).overrides]
    reason = f"if {first}" + (f"; people would have to sign: {'; '.join(signed)}" if signed else "")
    plans = tuple(built.plan for built in chosen)
    return DeclaredPlan(name, "built", reason, plans=plans, needs=frozenset(needed))


def _what_blocks(relevant: list[_Built]) -> _Built | None:
    """The built plan whose blocks count; None: in the situation that the runbook is for there are none."""
    blocked = [b for b in relevant if b.plan.blocks]
    best = min((b.rank for b in relevant if not b.plan.blocks), default=None)
    if best is None:
        return min(blocked, key=lambda b: (len(b.plan.blocks), b.disasters))
    # Of use only where people sign that the site is not lost, but blocked once it is lost: no plan for it.
    return next((b for b in blocked if b.disasters and len(b.plan.overrides) < best[0]), None)


def _supposed(estate: Estate) -> Iterator[Supposition]:
    """One disaster at most, and then two: a site dies while it has the other's work."""
    yield from suppositions(estate)
    for site in estate.topology.members:
        yield Supposition(lost=site, away=estate.other_site(site))


def _every_input(runbook: Runbook, estate: Estate) -> Iterator[dict[str, str]]:
    for values in product(*(_values(runbook, name, estate) for name in runbook.inputs)):
        yield dict(zip(runbook.inputs, values, strict=True))


def _values(runbook: Runbook, name: str, estate: Estate) -> tuple[str, ...]:
    """Every site, where an input is one; else its default, or the first of its choices."""
    declared = runbook.inputs[name]
    choices = declared.choices(estate) if declared.choices else ()
    if choices and set(choices) <= set(estate.sites):
        return choices
    if declared.default is not None:
        return (declared.default,)
    return choices[:1]

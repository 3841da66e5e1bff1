"""Situations that nobody has observed: the world as it would be if a site were lost, or its work away.

They are for what must be known before anything happens: a runbook's document, and a preflight of every plan
that the estate can come to need. Pure: the same arguments give the same situation.

What is supposed: every observer that stands outside of the lost site answers and agrees; stores, name
servers and the witness answer unless they stand in the lost site; each store of a workload holds two points,
the newest one checkpoint interval old (the worst of quiet times, and still a good one). An estate does not
say how large a point is: `point_size` does, and 0 means that bringing bytes over costs no time here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.estate import Estate, Workload
from relight.situation import (
    Authority,
    DnsSituation,
    Intent,
    Known,
    Observed,
    Opinion,
    PointSummary,
    SiteSituation,
    Situation,
    Unknown,
    WorkloadSituation,
)

_QUIET_FOR = timedelta(days=30)  # since the last change of who may write
_STEPS = 1000  # training steps between two supposed points
_LOST = "the site is lost, as is supposed"


@dataclass(frozen=True)
class Supposition:
    """What is supposed: `lost`, a site that died right now, or `away`, one whose work runs elsewhere."""

    lost: str | None = None
    away: str | None = None

    def __str__(self) -> str:
        away = f"the work of {self.away} runs at the other site" if self.away is not None else ""
        if self.lost is not None:
            return f"{self.lost} is lost{f' while {away}' if away else ''}, and everything else is well"
        return f"{away or 'all work is where it belongs'}, and everything is well"


def suppositions(estate: Estate) -> Iterator[Supposition]:
    """All that can be supposed of an estate: quiet times, then each site lost, then each away from home."""
    yield Supposition()
    for site in estate.sites:
        yield Supposition(lost=site)
    for site in estate.sites:
        yield Supposition(away=site)


def suppose(
    estate: Estate, now: datetime, lost: str | None = None, *, away: str | None = None, point_size: int = 0
) -> Situation:
    """The situation in which `lost` died at `now`, or the work of `away` runs at the other site."""
    active = {name: _active(estate, workload, away) for name, workload in estate.workloads.items()}
    world = _Supposed(estate, now, lost, active, point_size)
    return Situation(
        now=now,
        estate_digest=estate.digest,
        sites={site: world.site(site) for site in estate.sites},
        workloads={name: world.workload(name) for name in estate.workloads},
        dns={name: DnsSituation(addresses=world.addresses(name)) for name in estate.dns.names},
    )


def _active(estate: Estate, workload: Workload, away: str | None) -> str | None:
    """Where a workload runs; None: nowhere, as it is one that a failover leaves behind."""
    if away is None or workload.runs_on != away:
        return workload.runs_on
    return None if workload.may_be_stopped else estate.other_site(away)


@dataclass(frozen=True)
class _Supposed:
    estate: Estate
    now: datetime
    lost: str | None
    active: dict[str, str | None]  # where each workload runs
    point_size: int  # bytes

    def site(self, name: str) -> SiteSituation:
        silent = {
            o: _LOST for o, observer in self.estate.observers.items() if self._is_in_lost(observer.site)
        }
        opinions = tuple(
            self._opinion(observer, name, capability)
            for observer in self.estate.observers
            if observer not in silent
            for capability in self.estate.sites[name].probes
        )
        if name == self.lost:
            unseen = Unknown(reason=_LOST)
            return SiteSituation(opinions=opinions, silent_observers=silent, free_gpus=unseen, running=unseen)
        running = self._running(name)
        used = sum(self.estate.workloads[workload].gpus for workload in running)
        return SiteSituation(
            opinions=opinions,
            silent_observers=silent,
            free_gpus=Known(value=max(0, self.estate.gpus_at(name) - used)),
            running=Known(value=running),
            intent=self._intent(),
        )

    def _intent(self) -> Observed[Intent | None]:
        """Nothing was decided while all work is at home; in an incident, what was nobody can suppose."""
        if self._is_in_lost(self.estate.stores[self.estate.witness.store].site):
            return Unknown(reason=_LOST)
        is_home = all(self.active[name] == each.runs_on for name, each in self.estate.workloads.items())
        return Known(value=None) if is_home else Unknown(reason="not supposed")

    def workload(self, name: str) -> WorkloadSituation:
        workload, active = self.estate.workloads[name], self.active[name]
        if not workload.writes or active is None:
            return WorkloadSituation()
        changed = self.now - _QUIET_FOR
        authority = Authority(
            workload=name, epoch=1, active=active, changed_by="supposed", changed_at=changed
        )
        every = workload.checkpoint_every or workload.objective.rpo
        points = Known(value=tuple(self._point(name, number, every * (3 - number)) for number in (1, 2)))
        seen: dict[str, Observed[tuple[PointSummary, ...]]] = {
            store: Unknown(reason=_LOST) if self._is_in_lost(self.estate.stores[store].site) else points
            for store in workload.writes
        }
        return WorkloadSituation(authority=Known(value=authority), points=seen)

    def addresses(self, name: str) -> dict[str, Observed[str]]:
        declared = self.estate.dns.names[name]
        site = self.active.get(declared.serves)
        target = declared.targets.get(site) if site else None
        given: Observed[str] = Known(value=str(target)) if target else Unknown(reason="it points nowhere")
        servers = self.estate.dns.servers
        return {
            server: Unknown(reason=_LOST) if self._is_in_lost(servers[server].site) else given
            for server in declared.servers
        }

    def _is_in_lost(self, site: str | None) -> bool:
        return site is not None and site == self.lost

    def _opinion(self, observer: str, site: str, capability: str) -> Opinion:
        is_up = site != self.lost
        return Opinion(
            observer=observer,
            site=site,
            capability=capability,
            up=is_up,
            since=self.now - _QUIET_FOR if is_up else self.now,
            last_up=self.now,
            reason="" if is_up else "no answer",
        )

    def _running(self, site: str) -> tuple[str, ...]:
        """What runs at a site: what must not be stopped first, then by priority, as far as there are GPUs."""
        declared = self.estate.workloads
        here = [name for name, where in self.active.items() if where == site]
        here.sort(key=lambda n: (declared[n].may_be_stopped, -declared[n].priority, n))
        free = self.estate.gpus_at(site)
        running: list[str] = []
        for name in here:
            if not declared[name].may_be_stopped or declared[name].gpus <= free:
                free -= declared[name].gpus
                running.append(name)
        return tuple(running)

    def _point(self, workload: str, number: int, age: timedelta) -> PointSummary:
        step = _STEPS * number
        return PointSummary(
            id=f"{workload}-e0001-s{step:08}",
            workload=workload,
            epoch=1,
            step=step,
            epoch_from=0,
            sealed_at=self.now - age,
            size=self.point_size,
            manifest=f"sha256:{number:064}",
        )

"""The situation: all that a plan is built from besides the estate and the inputs.

Times are aware and in UTC. The situation is plain data: it is stored with a plan, and a plan can be built
from a stored one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from relight.canonical import Frozen
from relight.estate import Estate
from relight.situation.values import Known, Observed, Unknown
from relight.situation.verdict import Opinion, Verdict, conclude


class PointSummary(Frozen):
    """A sealed recovery point, as a store lists it."""

    id: str  # "digits-e0001-s00000120"
    workload: str
    epoch: int
    step: int  # training steps that are in it
    epoch_from: int  # training step that its epoch began with: what it was resumed from
    sealed_at: datetime
    size: int  # bytes of all members
    manifest: str  # digest of the manifest, which binds every member


class Authority(Frozen):
    """Who may write for a workload right now, as the witness has it: the fence and the intent."""

    workload: str
    epoch: int
    active: str  # site
    changed_by: str  # run that raised the epoch, or "init"
    changed_at: datetime


class Intent(Frozen):
    """How large each pool of a site should be right now, as the witness has it: above any config in git."""

    site: str
    epoch: int  # of the fence that this was decided in; 0: in quiet times
    active: bool  # whether the site carries work that must not shrink
    pools: dict[str, dict[str, int]]  # nodes, by pool and rung
    quiet: tuple[str, ...] = ()  # pools that follow the estate's quiet size again; `pools` has what that was
    changed_by: str  # run and step that decided it, or a person
    changed_at: datetime

    def nodes(self, pool: str) -> int | None:
        """How many nodes a pool should have over all its rungs; None: nothing was decided for it."""
        return sum(self.pools[pool].values()) if pool in self.pools else None


def quiet_pools(there: Intent | None, decided: Collection[str], *, quiet: bool) -> tuple[str, ...]:
    """Which pools follow their quiet size once some were decided anew."""
    kept = set(there.quiet if there else ()) - set(decided)
    return tuple(sorted(kept | set(decided if quiet else ())))


class SiteSituation(Frozen):
    """What is seen of one site."""

    opinions: tuple[Opinion, ...] = ()
    silent_observers: dict[str, str] = {}  # observers that did not answer, and why
    free_gpus: Observed[int] = Unknown(reason="not asked")
    running: Observed[tuple[str, ...]] = Unknown(reason="not asked")
    intent: Observed[Intent | None] = Unknown(reason="not asked")  # None: nothing was decided, quiet sizes

    def verdict(self, capability: str = "compute") -> Verdict:
        """What the observers conclude of one capability."""
        asked = tuple(opinion for opinion in self.opinions if opinion.capability == capability)
        voices = {opinion.observer for opinion in self.opinions} | set(self.silent_observers)
        return conclude(asked, len(voices))

    def lost_since(self, capability: str = "compute") -> datetime | None:
        """The last time that any observer saw it up, while the verdict is not healthy; else None."""
        if self.verdict(capability) == "healthy":
            return None
        seen = [o.last_up for o in self.opinions if o.capability == capability and o.last_up]
        return max(seen, default=None)

    def last_step(self, workload: str) -> int | None:
        """The last training step that the site reported to any observer; None: it never did."""
        steps = [o.progress[workload] for o in self.opinions if workload in o.progress]
        return max(steps, default=None)


class WorkloadSituation(Frozen):
    """What is seen of one workload: who may write for it, and its points per store, oldest first."""

    authority: Observed[Authority] = Unknown(reason="not asked")
    points: dict[str, Observed[tuple[PointSummary, ...]]] = {}

    def points_in(self, store: str) -> tuple[PointSummary, ...]:
        """The points known to be in a store, oldest first; none where the store is unknown."""
        observed = self.points.get(store, Unknown(reason="not asked"))
        return observed.value if isinstance(observed, Known) else ()


class DnsSituation(Frozen):
    """The address that each name server gives for one name."""

    addresses: dict[str, Observed[str]] = {}


class Situation(Frozen):
    """All that was observed, at `now`."""

    now: datetime
    estate_digest: str
    sites: dict[str, SiteSituation] = {}
    workloads: dict[str, WorkloadSituation] = {}
    dns: dict[str, DnsSituation] = {}
    engine: Observed[bool] = Unknown(reason="not asked")  # whether the `pulumi` command is here

    def active_site(self, estate: Estate, name: str) -> str | None:
        """Where a workload is meant to run now; None: nobody could say.

        The witness says it for those that write. One that only reads a writer's points goes where that one
        is; any other stays where the estate has it.
        """
        workload = estate.workloads[name]
        writer = name if workload.writes else workload.reads
        if writer is None:
            return workload.runs_on
        seen = self.workloads.get(writer, WorkloadSituation()).authority
        return seen.value.active if isinstance(seen, Known) else None

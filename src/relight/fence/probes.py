"""What the fence asks in a survey: who may write, and what every observer sees of every site."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from relight.errors import NotFound
from relight.estate import Estate
from relight.fence.handlers import Lookouts, Witnesses
from relight.situation import Authority, Opinion, Probe


class FenceWorld(Lookouts, Witnesses, Protocol):
    """Where the witness and the observers come from."""


def probes(estate: Estate, world: FenceWorld) -> Iterator[Probe]:
    """One probe per workload that writes, and one per site and observer."""
    for name, workload in estate.workloads.items():
        if workload.writes_points:
            yield Probe(("workloads", name, "authority"), partial(_authority, world, name))
    for site in estate.sites:
        for observer in estate.observers:
            yield Probe(("sites", site, "opinions", observer), partial(_opinions, world, site, observer))


def _authority(world: Witnesses, workload: str) -> Authority:
    authority = world.witness().authority(workload)
    if authority is None:
        raise NotFound(
            f"the witness has no authority of {workload}", "relight run declare-writers declares it"
        )
    return authority


def _opinions(world: Lookouts, site: str, observer: str) -> tuple[Opinion, ...]:
    return world.lookouts()[observer].opinions(site)

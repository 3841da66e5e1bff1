"""What the vault asks in a survey: the points of every workload in every store that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from relight.estate import Estate
from relight.situation import PointSummary, Probe
from relight.vault.port import Vaults


def probes(estate: Estate, world: Vaults) -> Iterator[Probe]:
    """One probe per workload that writes and store that it writes to."""
    for workload, declared in estate.workloads.items():
        for store in declared.writes:
            yield Probe(("workloads", workload, "points", store), partial(_points, world, store, workload))


def _points(world: Vaults, store: str, workload: str) -> tuple[PointSummary, ...]:
    return world.vault(store).points(workload)

"""What a survey asks the schedulers."""

from __future__ import annotations

from functools import partial

from relight.estate import Estate
from relight.situation import Probe
from relight.workload.handlers import Schedulers


def probes(estate: Estate, world: Schedulers) -> list[Probe]:
    """Two questions per site: its free GPUs (int), and the names of what runs there (tuple of str)."""
    asked = []
    for site in estate.sites:
        asked += [
            Probe(("sites", site, "free_gpus"), partial(_free_gpus, world, site)),
            Probe(("sites", site, "running"), partial(_running, world, site)),
        ]
    return asked


def _free_gpus(world: Schedulers, site: str) -> int:
    return world.scheduler(site).free_gpus()


def _running(world: Schedulers, site: str) -> tuple[str, ...]:
    return tuple(sorted(w.workload for w in world.scheduler(site).running() if w.state != "ended"))

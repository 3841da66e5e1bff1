"""What is tried of every scheduler: does it answer, and is there room for what it may take over?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from relight.errors import RelightError
from relight.estate import CloudSite, Estate
from relight.plan import Spec
from relight.situation import PreflightCheck
from relight.workload.handlers import Schedulers
from relight.workload.steps import Drain, MakeRoom, Start, Stop, VerifyTraining


def preflight(estate: Estate, world: Schedulers) -> Iterator[PreflightCheck]:
    """Two checks per site."""
    for site in estate.sites:
        answers = partial(_running, world, site)
        yield PreflightCheck(f"the scheduler of {site} answers", (f"scheduler:{site}",), answers)
        yield PreflightCheck(
            f"{site} has room for the work of the other site",
            (f"room:{site}",),
            partial(_room, world, estate, site),
        )


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room."""
    del estate
    for spec in specs:
        match spec:
            case MakeRoom():
                yield from (f"scheduler:{spec.site}", f"room:{spec.site}")
            case Start() | Drain() | VerifyTraining() | Stop(if_reachable=False):
                yield f"scheduler:{spec.site}"


def _running(world: Schedulers, site: str) -> str:
    running = sorted(w.workload for w in world.scheduler(site).running() if w.state != "ended")
    return f"{', '.join(running) or 'nothing'} runs there"


def _room(world: Schedulers, estate: Estate, site: str) -> str:
    """Whether what is not there yet and may not stay away would find its GPUs."""
    scheduler = world.scheduler(site)
    free = scheduler.free_gpus()
    here = {w.workload: w.gpus for w in scheduler.running() if w.state != "ended"}
    coming = {name: w for name, w in estate.workloads.items() if name not in here and not w.may_be_stopped}
    lowest = min((w.priority for w in coming.values()), default=0)
    yielding = sum(
        gpus
        for name, gpus in here.items()
        if (w := estate.workloads.get(name)) and w.may_be_stopped and w.priority < lowest
    )
    needed = sum(w.gpus for w in coming.values())
    told = f"{needed} GPUs would be needed, {free} are free and {yielding} may be freed"
    growing = 0
    if isinstance(estate.sites[site], CloudSite):
        growing = max(0, estate.gpus_at(site) - free - sum(here.values()))
        told += f", {growing} come as its pools grow"
    if free + yielding + growing < needed:
        raise RelightError(f"{site}: {told}", "let more workloads there be stopped, or add nodes")
    return told

"""Can pools become as large as they must, of machines that there are, from rungs that promise it?

What no provider checks before the cloud does is checked here: machine types, rungs of each cloud, sums.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from relight.estate.check import Check, doubtful, wrong
from relight.estate.hardware import MACHINES, machine_of
from relight.estate.model import Estate
from relight.estate.pools import CloudPool, ClusterPool, Rung, RungKind
from relight.estate.sites import AwsSite, CloudSite, ClusterSite, GoogleSite
from relight.estate.spelling import Spelling
from relight.units import format_duration

_RUNGS: dict[str, tuple[RungKind, ...]] = {
    "aws": ("reservation", "capacity-block", "on-demand", "spot"),
    "gcp": ("reservation", "on-demand", "spot", "flex-start"),
    "kubernetes": ("own-metal", "on-demand", "spot"),
}


_RESERVATION = re.compile(r"cr-[0-9a-f]{8,17}")  # a capacity block is one too
_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")


def check_capacity(estate: Estate) -> Iterator[Check]:
    """Pools that cannot become what they should."""
    for name, site in estate.sites.items():
        if not isinstance(site, CloudSite):
            continue
        for pool_name, pool in site.pools.items():
            path = f"sites.{name}.pools.{pool_name}"
            yield from _check_rungs(path, site, pool)
            if isinstance(pool, CloudPool) and not isinstance(site, ClusterSite):
                yield from _check_machine(path, site, pool)
            yield from _check_size(estate, path, name, pool)
    yield from _check_workloads(estate)


def _check_rungs(path: str, site: CloudSite, pool: CloudPool | ClusterPool) -> Iterator[Check]:
    seen: set[str] = set()
    for index, rung in enumerate(pool.rungs):
        if rung.key in seen:
            yield wrong(
                "rung-twice",
                f"{path}.rungs.{index}",
                f'there is a rung "{rung.key}" already',
                "give it a name: of its own",
            )
        seen.add(rung.key)
        if rung.kind not in _RUNGS[site.kind]:
            yield wrong(
                "no-such-rung",
                f"{path}.rungs.{index}.kind",
                f"a site of kind {site.kind} has no {rung.kind}",
                f"one of {', '.join(_RUNGS[site.kind])}",
            )
        if isinstance(pool, CloudPool):
            yield from _check_rung(f"{path}.rungs.{index}", site.kind, pool, rung)


def _check_rung(path: str, cloud: str, pool: CloudPool, rung: Rung) -> Iterator[Check]:
    machine = machine_of(pool.machine)
    if rung.kind == "capacity-block" and machine is not None and not machine.is_block:
        yield wrong(
            "no-such-block",
            f"{path}.kind",
            f"no capacity blocks of {pool.machine} are sold",
            "name a reservation, or another machine",
        )
    if cloud == "aws" and rung.id is not None and not _RESERVATION.fullmatch(rung.id):
        yield wrong(
            "no-such-reservation",
            f"{path}.id",
            f'"{rung.id}" is no {rung.kind} of AWS',
            'write its id, as "cr-0123456789abcdef0"',
        )
    if rung.kind == "flex-start" and pool.form == "instances":
        yield wrong(
            "no-such-rung",
            f"{path}.kind",
            "flex-start gives nodes to a cluster, not to instance groups, here",
            "write form: cluster",
        )


def _check_machine(path: str, site: AwsSite | GoogleSite, pool: CloudPool) -> Iterator[Check]:
    machine = machine_of(pool.machine)
    if machine is None and pool.gpus_per_node is None:
        there = [name for name, known in MACHINES.items() if known.cloud == site.kind]
        closest = Spelling().closest(pool.machine, there)
        instead = f'did you mean "{closest}"? ' if closest else ""
        yield wrong(
            "no-such-machine",
            f"{path}.machine",
            f'no GPU machine type is called "{pool.machine}"',
            f"{instead}one that is new: say gpus_per_node",
        )
    elif machine is not None and machine.cloud != site.kind:
        yield wrong(
            "machine-of-another-cloud",
            f"{path}.machine",
            f"{pool.machine} is no machine of a site of kind {site.kind}",
            "name one of its own",
        )
    elif machine is not None and pool.gpus_per_node not in (None, machine.gpus):
        yield wrong(
            "other-gpus",
            f"{path}.gpus_per_node",
            f"{pool.machine} has {machine.gpus} GPUs ({machine.gpu})",
            "leave it out",
        )
    if pool.zone is not None and pool.zone not in site.zones:
        yield wrong(
            "zone-elsewhere",
            f"{path}.zone",
            f'"{pool.zone}" is not among the zones of the site',
            f"one of {', '.join(site.zones)}",
        )
    if pool.form == "instances" and pool.image is None:
        yield wrong(
            "no-image",
            f"{path}.image",
            "machines start from an image, and none is named",
            "write image: ami-… or the image's name",
        )
    elif isinstance(site, AwsSite) and pool.image is not None and not _IMAGE.fullmatch(pool.image):
        yield wrong(
            "no-image", f"{path}.image", f'"{pool.image}" is no image of AWS', 'write its id, as "ami-0123…"'
        )
    if pool.warm and (pool.form != "instances" or isinstance(site, GoogleSite)):
        yield wrong(
            "no-warm-pool",
            f"{path}.warm",
            "only machines of AWS (form: instances) can be kept warm",
            "leave it out, or write form: instances",
        )


def _check_size(estate: Estate, path: str, site: str, pool: CloudPool | ClusterPool) -> Iterator[Check]:
    topology = estate.topology
    full = topology.full_nodes(site, pool.nodes)
    if full > pool.most_nodes:
        each = f" ({pool.nodes} x n/(n-1))" if full != pool.nodes else ""
        given = ", ".join(f"{rung.key} {rung.nodes}" for rung in pool.rungs)
        yield wrong(
            "pool-larger-than-its-rungs",
            f"{path}.nodes",
            f"needs {full} nodes{each}; its rungs give {pool.most_nodes} at most: {given}",
            "reserve more, add a rung, or make the pool smaller",
        )
    if site not in topology.members or full <= pool.guaranteed_nodes:
        return
    quiet = topology.quiet_nodes(site, pool.nodes)
    if topology.full_within is not None and full > quiet:
        yield doubtful(
            "capacity-unknown",
            f"{path}.rungs",
            f"{full} nodes are to be there within {format_duration(topology.full_within)}; "
            f"{pool.guaranteed_nodes} are guaranteed, of the rest nobody knows",
            "reserve them, or know that this RTO is a hope",
        )


def _check_workloads(estate: Estate) -> Iterator[Check]:
    for name, workload in estate.workloads.items():
        sites = {site: s for site, s in estate.sites.items() if isinstance(s, CloudSite) and s.pools}
        if workload.pool is not None and sites and all(workload.pool not in s.pools for s in sites.values()):
            known = sorted({pool for s in sites.values() for pool in s.pools})
            yield wrong(
                "no-such-pool",
                f"workloads.{name}.pool",
                f'no site has a pool "{workload.pool}"',
                Spelling().remedy(workload.pool, known),
            )
        for site_name, site in sites.items():
            if not isinstance(site, ClusterSite) or workload.container is None:
                continue
            if workload.pool is None and len(site.pools) > 1:
                yield wrong(
                    "which-pool",
                    f"workloads.{name}.pool",
                    f'"{site_name}" has several pools: {", ".join(site.pools)}',
                    "name the one that it runs in",
                )
            each = workload.container.gpus_each
            pool = site.pools.get(workload.pool) if workload.pool else next(iter(site.pools.values()))
            if pool is not None and each > pool.gpus_each:
                yield wrong(
                    "replica-larger-than-a-node",
                    f"workloads.{name}.container.gpus_each",
                    f'a replica of {each} GPUs fits on no node of "{site_name}", which have {pool.gpus_each}',
                    "write fewer",
                )
            if workload.gpus % workload.container.gpus_each:
                yield wrong(
                    "part-of-a-replica",
                    f"workloads.{name}.container.gpus_each",
                    f"{workload.gpus} GPUs are no whole number of replicas of {workload.container.gpus_each}",
                    "write a number that divides gpus",
                )
